"""The model: the numbers of its scikit-learn pipeline, on any text, and the reasons behind them."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from classifier import InputError, Model, load_model
from tests.corpora import FLOODS_AND_STRIKES
from tests.strategies import CORNERS, unicode_texts

SENTENCES = [text for article in FLOODS_AND_STRIKES for _, text in article]


@pytest.fixture(scope="module", params=["model_directory", "rooms_directory", "roles_directory"])
def directory(request: pytest.FixtureRequest) -> Path:
    """A multilabel model, a multiclass one, one that reads roles."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def either(directory: Path) -> Model:
    return load_model(directory)


@pytest.fixture(scope="module")
def pipeline(directory: Path) -> Pipeline:
    return joblib.load(directory / "pipeline.joblib")


@pytest.fixture(scope="module")
def busy(directory: Path) -> Model:
    """A model that has scored so much that its compiled path is running."""
    model = load_model(directory)
    model.predict_proba(["The river rose and the union called a strike. " * 100] * 100)
    return model


@pytest.fixture(scope="module")
def idle(directory: Path) -> Model:
    return load_model(directory)


class TestPredictProba:
    @given(st.lists(unicode_texts, min_size=1, max_size=6))
    @example([*CORNERS, "".join(CORNERS)])
    @example(SENTENCES)
    def test_equal_to_the_pipeline_on_any_text(self, either: Model, pipeline: Pipeline, texts: list[str]) -> None:
        np.testing.assert_allclose(either.predict_proba(texts), pipeline.predict_proba(texts), rtol=0, atol=1e-5)

    @given(st.lists(unicode_texts, max_size=6))
    @example([*CORNERS, "".join(CORNERS), *SENTENCES])
    @example(["flood " * 1000, "\ud800 strike"])
    def test_equal_however_much_was_scored_before(self, idle: Model, busy: Model, texts: list[str]) -> None:
        np.testing.assert_array_equal(idle.predict_proba(texts), busy.predict_proba(texts))

    @given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=30))
    def test_a_sentence_scores_the_same_in_any_company(self, busy: Model, texts: list[str]) -> None:
        together = busy.predict_proba(texts)
        alone = np.vstack([busy.predict_proba([text]) for text in texts])
        np.testing.assert_array_equal(together, alone)

    def test_threads_make_no_difference(self, busy: Model) -> None:
        texts = SENTENCES * 5
        np.testing.assert_array_equal(busy.predict_proba(texts, n_threads=3), busy.predict_proba(texts))

    @given(st.lists(unicode_texts, max_size=5))
    def test_every_number_is_a_probability(self, either: Model, texts: list[str]) -> None:
        result = either.predict_proba(texts)
        assert result.shape == (len(texts), len(either.frames))
        assert ((result >= 0) & (result <= 1)).all()

    @given(st.lists(unicode_texts, min_size=1, max_size=5))
    def test_rows_of_a_multiclass_model_sum_to_one(self, rooms_model: Model, texts: list[str]) -> None:
        np.testing.assert_allclose(rooms_model.predict_proba(texts).sum(axis=1), 1)

    def test_rows_of_a_multilabel_model_need_not(self, loaded: Model) -> None:
        assert loaded.predict_proba(["The flood and the strike: river, union, rain, wage."]).sum() > 1.2

    def test_case_and_white_space_make_no_difference(self, either: Model) -> None:
        plain, shouted = "the river rose at the gate", "  THE\tRIVER\n rose AT the\u2003gate "
        np.testing.assert_array_equal(either.predict_proba([plain]), either.predict_proba([shouted]))

    def test_one_string_instead_of_a_list_is_refused(self, either: Model) -> None:
        with pytest.raises(InputError, match="put it in brackets"):
            either.predict_proba("The river rose.")

    def test_what_was_learned_is_applied_to_new_sentences(self, loaded: Model, rooms_model: Model) -> None:
        new = ["Flood water rose with the rain.", "The union announced a strike.", "A painter sold a portrait."]
        assert loaded.predict(new) == [("flood",), ("strike",), ()]
        assert rooms_model.predict(["Soup and bread from the oven", "The tide carried boats to the quay"]) == [
            ("kitchen",),
            ("harbour",),
        ]


class TestLabels:
    def test_a_multilabel_sentence_has_every_frame_that_reaches_its_threshold(self, loaded: Model) -> None:
        low, high = loaded.thresholds - 1e-9, loaded.thresholds
        assert loaded.labels(np.array([low, high, [low[0], high[1]]])) == [(), ("flood", "strike"), ("strike",)]

    def test_thresholds_given_replace_the_models_own(self, loaded: Model) -> None:
        probabilities = np.array([[0.2, 0.8]])
        assert loaded.labels(probabilities, np.array([0.1, 0.9])) == [("flood",)]

    def test_a_multiclass_sentence_has_its_likeliest_frame(self, rooms_model: Model) -> None:
        probabilities = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]])
        assert rooms_model.labels(probabilities) == [(rooms_model.frames[1],), (rooms_model.frames[0],)]

    def test_a_multiclass_sentence_below_a_threshold_given_has_none(self, rooms_model: Model) -> None:
        probabilities = np.array([[0.2, 0.5, 0.3]])
        assert rooms_model.labels(probabilities, np.full(3, 0.6)) == [()]

    @given(st.lists(unicode_texts, max_size=5))
    def test_predict_is_labels_of_predict_proba(self, either: Model, texts: list[str]) -> None:
        assert either.predict(texts) == either.labels(either.predict_proba(texts))


class TestReasons:
    @given(unicode_texts)
    @example("".join(CORNERS))
    def test_contributions_and_intercept_sum_to_the_logit(self, either: Model, text: str) -> None:
        logits = either.logits([text])[0]
        for column, (frame, items) in enumerate(either.contributions(text).items()):
            assert frame == either.frames[column]
            total = sum(item.value for item in items) + either.intercepts[column]
            assert total == pytest.approx(logits[column], abs=1e-6)

    @given(unicode_texts)
    @example("".join(CORNERS))
    @example("ΟΔΟΣ ΟΔΟΣ. İİ ŒUVRE ﬁ")
    def test_explained_terms_and_intercept_sum_to_the_logit(self, either: Model, text: str) -> None:
        logits = either.logits([text])[0]
        for column, terms in enumerate(either.explain(text).values()):
            total = sum(value for _, value in terms) + either.intercepts[column]
            assert total == pytest.approx(logits[column], abs=1e-6)

    @given(unicode_texts)
    def test_the_largest_come_first(self, either: Model, text: str) -> None:
        for items in either.contributions(text).values():
            assert [item.value for item in items] == sorted((item.value for item in items), reverse=True)
        for terms in either.explain(text).values():
            assert [value for _, value in terms] == sorted((value for _, value in terms), reverse=True)

    def test_a_contribution_is_an_ngram_of_the_sentence(self, loaded: Model) -> None:
        items = loaded.contributions("The river rose.")["flood"]
        assert {item.block for item in items} >= {"words", "characters"}
        assert "river" in {item.ngram for item in items if item.block == "words"}
        assert all(item.ngram in " the  river  rose. the river rose" for item in items)

    def test_terms_are_words_a_person_reads_without_punctuation(self, loaded: Model) -> None:
        terms = dict(loaded.explain("“Flood!” he cried.")["flood"])
        assert "flood" in terms
        assert not any(mark in term for term in terms for mark in "“!”.")

    def test_what_speaks_for_a_frame_comes_first(self, loaded: Model) -> None:
        assert loaded.explain("The union announced a strike near the museum.")["strike"][0][0] == "strike"
