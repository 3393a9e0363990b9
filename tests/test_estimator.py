"""`FrameClassifier`: what scikit-learn asks of a classifier, over the same training and the same numbers."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from classifier import FrameClassifier, LabeledCorpus, Model, load_model

#: The checks of scikit-learn that need no numbers as input; all others fit matrices, which are no texts.
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_get_params_invariance",
    "check_set_params",
    "check_mixin_order",
    "check_valid_tag_types",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_parameters_default_constructible",
)


@pytest.fixture(scope="module")
def default_model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def texts(weather: LabeledCorpus) -> list[str]:
    return list(weather.texts)


@pytest.fixture(scope="module")
def fitted(weather: LabeledCorpus, texts: list[str]) -> FrameClassifier:
    return FrameClassifier().fit(texts, weather.labels, groups=weather.groups)


class TestScikitLearn:
    @pytest.mark.parametrize("name", CHECKS)
    def test_its_checks_pass(self, name: str) -> None:
        getattr(estimator_checks, name)("FrameClassifier", FrameClassifier())

    def test_all_that_it_runs_on_text_pass(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = estimator_checks.check_estimator(FrameClassifier(), on_fail=None)
        assert {result["status"] for result in results} == {"passed"}

    def test_its_tags_ask_for_one_dimension_of_strings(self) -> None:
        tags = FrameClassifier().__sklearn_tags__()
        assert tags.input_tags.string
        assert tags.input_tags.one_d_array
        assert not tags.input_tags.two_d_array
        assert tags.classifier_tags.multi_label

    def test_a_clone_fits_to_the_same_numbers(
        self, fitted: FrameClassifier, weather: LabeledCorpus, texts: list[str]
    ) -> None:
        again = clone(fitted).fit(texts, weather.labels, groups=weather.groups)
        np.testing.assert_array_equal(again.predict_proba(texts), fitted.predict_proba(texts))

    def test_a_pickle_gives_the_same_numbers(self, fitted: FrameClassifier, texts: list[str]) -> None:
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.predict_proba(texts), fitted.predict_proba(texts))

    def test_cross_validation_by_article(self, weather: LabeledCorpus, texts: list[str]) -> None:
        y = weather.targets.astype(int)
        scores = cross_val_score(
            FrameClassifier(),
            np.array(texts, dtype=object),
            y,
            groups=weather.group_ids,
            cv=GroupKFold(2),
            scoring="f1_macro",
        )
        assert scores.shape == (2,)
        assert (scores > 0.2).all()

    def test_in_a_pipeline_and_a_search(self, weather: LabeledCorpus, texts: list[str]) -> None:
        kept = [row for row, names in enumerate(weather.labels) if len(names) == 1]
        pipeline = make_pipeline(FunctionTransformer(lambda X: [text.strip() for text in X]), FrameClassifier())
        search = GridSearchCV(pipeline, {"frameclassifier__random_state": [0, 1]}, cv=2)
        search.fit([texts[row] for row in kept], [weather.labels[row][0] for row in kept])
        assert search.best_score_ > 0.4


class TestAnswers:
    def test_probabilities_are_those_of_the_model(self, default_model: Model) -> None:
        texts = ["Moscow promised Minsk a new loan.", "It rained."]
        estimator = FrameClassifier.from_model(default_model)
        np.testing.assert_array_equal(estimator.predict_proba(texts), default_model.predict_proba(texts))
        assert estimator.predict(texts).tolist() == [
            [int(frame in names) for frame in default_model.frames] for names in default_model.predict(texts)
        ]
        np.testing.assert_array_equal(estimator.decision_function(texts), default_model.logits(texts))

    def test_an_indicator_matrix_and_lists_of_names_are_the_same(
        self, fitted: FrameClassifier, weather: LabeledCorpus, texts: list[str]
    ) -> None:
        other = FrameClassifier(weather.codebook).fit(texts, weather.targets.astype(int), groups=weather.groups)
        assert other.classes_.tolist() == list(weather.frames)
        assert sorted(fitted.classes_) == sorted(weather.frames)
        assert other.predict(texts).shape == (len(texts), len(weather.frames))

    @pytest.mark.parametrize("labels", [["yes", "no"], [1, 0], [2.0, 1.0]])
    def test_two_classes_of_any_kind(self, labels: list[Any]) -> None:
        days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
        texts = [
            text for day in days for text in (f"The river rose again on {day}.", f"Shares fell on {day} in Paris.")
        ]
        labels = labels * len(days)
        estimator = FrameClassifier().fit(pd.Series(texts), labels)
        assert estimator.classes_.tolist() == sorted(set(labels))
        assert estimator.predict(texts[:2]).tolist() == labels[:2]
        assert estimator.predict_proba(texts).sum(axis=1) == pytest.approx(1)
        assert estimator.decision_function(texts).shape == (12,)


class TestRefusals:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("one string", "brackets"),
            (b"bytes", "brackets"),
            (pd.DataFrame({"text": ["a"]}), "one-dimensional"),
            (np.zeros((2, 2)), "one-dimensional"),
            ([None], "row 0 is no text but NoneType"),
            ([1.5], "row 0 is no text but float"),
            ([], "no texts"),
        ],
    )
    def test_what_is_no_text(self, fitted: FrameClassifier, given: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            fitted.predict_proba(given)

    def test_not_fitted(self) -> None:
        with pytest.raises(NotFittedError):
            FrameClassifier().predict(["a"])

    def test_labels_that_say_nothing(self) -> None:
        with pytest.raises(ValueError, match="one class"):
            FrameClassifier().fit(["a b", "c d"], ["x", "x"])
        with pytest.raises(ValueError, match="inconsistent"):
            FrameClassifier().fit(["a b"], ["x", "y"])
        with pytest.raises(ValueError, match="requires y"):
            FrameClassifier().fit(["a b"], None)
