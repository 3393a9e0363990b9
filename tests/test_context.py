"""What an article tells about its sentences: what the others say, how it opens, whether it names the subjects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from classifier import (
    Article,
    InputError,
    LabeledCorpus,
    Model,
    load_model,
    read_corpus,
    score_article,
    score_articles,
    train,
)
from classifier.evaluation.evaluate import score_corpus
from classifier.model.context import LIMIT, OPENED, OTHERS, Context, Surroundings, learn_context, sign_names
from classifier.release import save_model
from tests.corpora import ROOMS, write_rows
from tests.strategies import unicode_texts

ARTICLES = (
    Article("one", "The river rose. It reached the square. The union called a strike. Nobody came."),
    Article("two", "A strike over wages."),
    Article("three", ""),
    Article("four", "The museum opened. Tickets were sold. Later it closed."),
)


@pytest.fixture(scope="module")
def reader(roles_directory: Path) -> Model:
    """A model whose codebook has two subjects."""
    return load_model(roles_directory)


class TestSurroundings:
    LOGITS = np.array([[1.0, -2.0], [3.0, 0.0], [50.0, -50.0], [7.0, 7.0]])
    NAMED = np.array([[False, False], [True, False], [False, False], [False, True]])

    def test_others_are_the_mean_of_an_articles_other_sentences_within_limits(self) -> None:
        around = Surroundings.of(self.LOGITS, self.NAMED, [3, 1])
        expected = [[(3 + LIMIT) / 2, -LIMIT / 2], [(1 + LIMIT) / 2, (-2 - LIMIT) / 2], [2, -1], [0, 0]]
        np.testing.assert_allclose(around.others, np.array(expected))

    def test_opening_is_the_mean_of_the_first_two_sentences_without_itself(self) -> None:
        around = Surroundings.of(self.LOGITS, self.NAMED, [3, 1])
        np.testing.assert_allclose(around.opening, [[3, 0], [1, -2], [2, -1], [0, 0]])

    def test_signs_tell_what_is_not_named_and_which_is_first(self) -> None:
        signs = Surroundings.of(self.LOGITS, self.NAMED, [3, 1]).signs
        nowhere_one, nowhere_two, nobody, nobody_yet, first = signs.T.tolist()
        assert first == [True, False, False, True]
        assert nowhere_one == [False, False, False, True]
        assert nowhere_two == [True, True, True, False]
        assert nobody == [False] * 4
        assert nobody_yet == [True, False, False, False]

    def test_for_one_subject_nobody_is_named_nowhere(self) -> None:
        signs = Surroundings.of(self.LOGITS, self.NAMED[:, :1], [3, 1]).signs
        assert signs.T.tolist()[:-1] == [[False, False, False, True], [True, False, False, True]]
        assert len(sign_names(["Sea"])) == signs.shape[1]

    def test_a_sentence_that_is_all_of_its_article_is_alone(self) -> None:
        assert Surroundings.of(self.LOGITS, self.NAMED, [3, 0, 1]).alone.tolist() == [False, False, False, True]

    def test_without_subjects_the_only_sign_is_the_first_sentence(self) -> None:
        signs = Surroundings.of(self.LOGITS, np.zeros((4, 0), dtype=bool), [2, 2]).signs
        assert signs.T.tolist() == [[True, False, True, False]]

    def test_of_nothing(self) -> None:
        around = Surroundings.of(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool), [0, 0])
        assert around.others.shape == (0, 2)
        assert around.alone.shape == (0,)

    @given(
        arrays.arrays(np.float64, (12, 2), elements=st.floats(-30, 30)),
        arrays.arrays(np.bool_, (12, 2)),
        st.lists(st.integers(0, 5), max_size=4),
    )
    def test_an_article_knows_nothing_of_the_others(
        self, logits: np.ndarray, named: np.ndarray, sizes: list[int]
    ) -> None:
        sizes = [*sizes, 12 - sum(sizes)] if sum(sizes) <= 12 else [12]
        together = Surroundings.of(logits, named, sizes)
        start = 0
        for size in sizes:
            here = slice(start, start + size)
            alone = Surroundings.of(logits[here], named[here], [size])
            np.testing.assert_array_equal(together.others[here], alone.others)
            np.testing.assert_array_equal(together.opening[here], alone.opening)
            np.testing.assert_array_equal(together.signs[here], alone.signs)
            start += size


class TestLearning:
    def test_what_tells_in_the_corpus_is_learned(self) -> None:
        random = np.random.default_rng(0)
        about = np.repeat(random.random(300) < 0.5, 5)
        truth = (about & (random.random(1500) < 0.6))[:, None]
        named = (about & (random.random(1500) < 0.5))[:, None]
        logits = np.where(truth, 1.0, -1.0) + random.normal(0, 1.5, truth.shape)
        for signs in (named, named[:, :0]):
            around = Surroundings.of(logits, signs, [5] * 300)
            context = learn_context(logits, around, truth)
            assert context is not None
            assert context.own[0] > 0
            assert context.signs.sum() < -1 if signs.size else context.others[0] > 0.1
            before, after = (((found > 0) == truth).mean() for found in (logits, context.logits(logits, around)))
            assert after > before + 0.05

    @pytest.mark.parametrize("sizes", [[1] * 40, [2, 2, *[1] * 36]])
    def test_nothing_is_learned_where_few_articles_have_two_sentences(self, sizes: list[int]) -> None:
        around = Surroundings.of(np.zeros((40, 1)), np.zeros((40, 0), dtype=bool), sizes)
        assert learn_context(np.zeros((40, 1)), around, np.array([[True], [False]] * 20)) is None

    def test_a_frame_without_examples_is_left_as_it_is(self) -> None:
        logits = np.arange(80.0).reshape(40, 2)
        truth = np.array([[True, False], [False, False]] * 20)
        around = Surroundings.of(logits, np.zeros((40, 0), dtype=bool), [2] * 20)
        context = learn_context(logits, around, truth)
        assert context is not None
        np.testing.assert_array_equal(context.logits(logits, around)[:, 1], logits[:, 1])

    def test_a_corpus_without_articles_teaches_no_context(self, rooms_model: Model) -> None:
        assert rooms_model.context is None


class TestReading:
    def test_a_single_sentence_is_read_alone(self, reader: Model) -> None:
        text = "The union announced a strike near the museum."
        np.testing.assert_array_equal(reader.read([text], [1]).probabilities, reader.predict_proba([text]))

    def test_neighbours_change_a_sentence(self, reader: Model) -> None:
        texts = ["It reached the square.", "The river rose and the flood entered the houses.", "Rain fell."]
        alone, together = reader.predict_proba(texts), reader.read(texts, [3]).probabilities
        assert (alone != together).all()

    @given(st.lists(unicode_texts, min_size=1, max_size=4), st.integers(0, 3))
    def test_the_terms_and_the_intercept_are_the_logit(self, reader: Model, texts: list[str], row: int) -> None:
        row %= len(texts)
        reading = reader.read(texts, [len(texts)])
        for column, terms in enumerate(reading.explain(row).values()):
            total = sum(value for _, value in terms) + reading.intercepts(row)[column]
            assert total == pytest.approx(reading.logits[row, column], abs=1e-4)

    def test_what_the_article_adds_is_said_in_words(self, reader: Model) -> None:
        texts = ["The museum opened.", "Tickets were sold."]
        terms = dict(reader.read(texts, [2]).explain(0)["flood"])
        signs = {"Water is not named", "neither Water nor Work is named yet", "the first sentence"}
        assert {OTHERS, OPENED} | signs <= set(terms)

    def test_articles_are_read_alike_in_any_company(self, reader: Model) -> None:
        together = list(score_articles(reader, ARTICLES))
        assert together == [score_article(reader, article) for article in ARTICLES]

    def test_the_compiled_path_reads_alike(self, roles_directory: Path) -> None:
        texts = ["The river rose.", "Σ \ud800", "x" * 70_000, "", "The union called a strike."]
        plain, compiled = load_model(roles_directory), load_model(roles_directory)
        compiled.compile()
        one, other = plain.read(texts, [3, 2]), compiled.read(texts, [3, 2])
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        np.testing.assert_array_equal(one.strange, other.strange)

    def test_what_cannot_be_articles_is_refused(self, reader: Model) -> None:
        with pytest.raises(InputError, match="brackets"):
            reader.read("The river rose.", [1])
        with pytest.raises(InputError, match="add up"):
            reader.read(["The river rose."], [2])

    def test_a_labeled_corpus_is_read_as_its_articles_are(self, reader: Model, corpus: LabeledCorpus) -> None:
        scores = score_corpus(reader, corpus)
        rows = [row for row, group in enumerate(corpus.groups or ()) if group == corpus.groups[7]]
        article = Article("here", "\n\n".join(corpus.texts[row] for row in rows))
        scored = [list(sentence.scores.values()) for sentence in score_article(reader, article).sentences]
        np.testing.assert_allclose(scores.probabilities[rows], scored, atol=6e-5)

    def test_it_is_saved_and_loaded(self, reader: Model, tmp_path: Path) -> None:
        save_model(reader, tmp_path / "model")
        loaded = load_model(tmp_path / "model")
        assert loaded.context is not None and reader.context is not None
        assert loaded.context.to_dict() == reader.context.to_dict()

    def test_a_model_saved_without_one_reads_every_sentence_alone(self, reader: Model, tmp_path: Path) -> None:
        save_model(replace(reader, context=None), tmp_path / "model")
        assert load_model(tmp_path / "model").context is None

    def test_classes_have_no_context_even_in_articles(self, tmp_path: Path) -> None:
        rows = [(f"a{i // 4}", ROOMS[i % len(ROOMS)][0], f"{ROOMS[i % len(ROOMS)][1]} {i}") for i in range(96)]
        path = write_rows(tmp_path / "rooms.csv", ("article_id", "labels", "text"), rows)
        model, _ = train(read_corpus(path), n_folds=2)
        assert (model.task, model.context) == ("multiclass", None)

    def test_a_model_without_context_reads_every_sentence_alone(self, reader: Model) -> None:
        plain = replace(reader, context=None)
        texts = ["The river rose.", "It reached the square."]
        reading = plain.read(texts, [2])
        np.testing.assert_array_equal(reading.probabilities, plain.predict_proba(texts))
        assert reading.explain(1) == plain.explain(texts[1])


@pytest.mark.parametrize("change", [{"own": [1.0]}, {"signs": [[1.0, 2.0]]}, {"intercepts": [0.0, float("nan")]}])
def test_a_context_of_another_shape_is_refused(reader: Model, change: dict[str, object]) -> None:
    assert reader.context is not None
    data = reader.context.to_dict()
    Context.from_dict(data, 2, 2)
    with pytest.raises(ValueError):
        Context.from_dict({**data, **change}, 2, 2)
