"""Training: nothing leaks, the same seed gives the same model, calibration and thresholds do what they say."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from classifier import Codebook, Frame, InputError, LabeledCorpus, Model, TrainingReport, train
from classifier.model.model import probabilities
from classifier.training.calibration import calibrate, choose_thresholds, decide
from classifier.training.linear import RATIO_POWER, Setting, count_ratios, fit_linear
from classifier.training.train import cross_validate
from tests.corpora import FLOODS_AND_STRIKES


def with_keywords(corpus: LabeledCorpus, **keywords: tuple[str, ...]) -> LabeledCorpus:
    frames = tuple(Frame(name, name, keywords=keywords.get(name, ())) for name in corpus.frames)
    return LabeledCorpus(corpus.texts, corpus.labels, Codebook("test", frames), corpus.task, corpus.groups)


class TestReport:
    def test_figures_a_frame_then_macro_and_micro(self, trained: tuple[Model, TrainingReport]) -> None:
        model, report = trained
        assert [row.name for row in report.rows] == [*model.frames, "macro average", "micro average"]
        assert [row.support for row in report.rows[:2]] == [21, 21]
        assert report.to_dict() == model.metrics

    def test_what_was_learned_beats_the_baselines(self, trained: tuple[Model, TrainingReport]) -> None:
        _, report = trained
        macro = {name: rows[2] for name, rows in {"ours": report.rows, **report.baselines}.items()}
        assert macro["ours"].f1.value > 0.7 > macro["majority"].f1.value
        assert macro["ours"].average_precision.value > macro["majority"].average_precision.value + 0.2

    def test_every_sentence_was_scored_out_of_fold(self, trained: tuple[Model, TrainingReport]) -> None:
        scores = trained[1].validation.scores
        assert ((scores.probabilities > 0) & (scores.probabilities < 1)).all()
        assert len(trained[1].validation.settings) == 3

    def test_progress_reaches_its_end_step_by_step(self, corpus: LabeledCorpus) -> None:
        steps: list[tuple[int, int]] = []
        report = cross_validate(corpus, list(corpus.folds(2, 0)), progress=lambda *step: steps.append(step))
        total = steps[0][1]
        assert steps == [(i + 1, total) for i in range(total)]
        assert report.setting is None

    def test_multiclass(self, rooms_trained: tuple[Model, TrainingReport]) -> None:
        model, report = rooms_trained
        assert model.task == "multiclass"
        assert report.validation.scores.predicted.sum(axis=1).tolist() == [1] * 24
        assert report.rows[-2].f1.value > 0.45


class TestNothingLeaks:
    def test_random_labels_are_not_learned(self) -> None:
        rng = random.Random(0)
        texts = [text for article in FLOODS_AND_STRIKES for _, text in article]
        texts = [f"{text} {other}" for text in texts for other in rng.sample(texts, 3)]
        labels = tuple(("flood",) if rng.random() < 0.4 else () for _ in texts)
        corpus = LabeledCorpus(tuple(texts), labels, Codebook.from_names(["flood"]), groups=tuple(map(str, range(180))))
        row = cross_validate(corpus, list(corpus.folds(3, 0))).rows[0]
        share = row.support / len(texts)
        assert row.average_precision.value == pytest.approx(share, abs=0.13)

    def test_what_is_particular_to_an_article_does_not_help(self) -> None:
        """Each article has a name of its own in every sentence, and one label: by row it is learned, by article not."""
        rng = random.Random(1)
        names = [f"{a}{b}{c}" for a in "bdfk" for b in "aeio" for c in "lnst"]
        names = rng.sample(names, 30)
        labels = [("flood",) if i % 2 else () for i in range(30)]
        rows = [(str(i), f"{names[i]} {names[i]} said so", labels[i]) for i in range(30) for _ in range(4)]

        def f1(groups: tuple[str, ...]) -> float:
            texts = tuple(f"{text} {number}" for number, (_, text, _) in enumerate(rows))
            corpus = LabeledCorpus(
                texts, tuple(row[2] for row in rows), Codebook.from_names(["flood"]), "multilabel", groups
            )
            return cross_validate(corpus, list(corpus.folds(3, 0))).rows[0].average_precision.value

        assert f1(tuple(map(str, range(len(rows))))) > 0.95
        assert f1(tuple(row[0] for row in rows)) < 0.75


class TestSeed:
    def test_threads_give_the_same_numbers(self, corpus: LabeledCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
        splits = list(corpus.folds(2, 0))
        together = cross_validate(corpus, splits).validation.scores.probabilities
        monkeypatch.setattr("classifier.training.trainer.cpu_count", lambda: 1)
        alone = cross_validate(corpus, splits).validation.scores.probabilities
        np.testing.assert_array_equal(alone, together)

    def test_an_error_in_one_fold_ends_the_others(self, corpus: LabeledCorpus) -> None:
        def progress(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(corpus, n_folds=3, progress=progress)


class TestBaselines:
    def test_majority_takes_the_commonest_label_set(self, trained: tuple[Model, TrainingReport]) -> None:
        scores = trained[1].validation.majority
        assert len({tuple(row) for row in scores.predicted}) <= 3
        assert (scores.probabilities <= 1).all()

    def test_keywords_of_the_codebook_are_searched_at_the_start_of_words(self, corpus: LabeledCorpus) -> None:
        report = cross_validate(with_keywords(corpus, flood=("flood",), strike=("strik",)), list(corpus.folds(2, 0)))
        expected = [
            [" flood" in f" {text}".lower(), " strik" in f" {text}".lower()]
            for article in FLOODS_AND_STRIKES
            for _, text in article
        ]
        assert report.validation.keywords.predicted.tolist() == expected

    def test_without_keywords_they_are_learned(self, trained: tuple[Model, TrainingReport]) -> None:
        assert trained[1].baselines["keywords"][2].f1.value > 0.5


class TestSmallAndOdd:
    def test_texts_in_which_nothing_recurs_are_refused(self) -> None:
        corpus = LabeledCorpus(tuple("🙂🙃😀😁😂🤣"), (("a",), ("b",)) * 3, Codebook.from_names("ab"), "multiclass")
        with pytest.raises(InputError, match="Nothing to learn from"):
            train(corpus, n_folds=2)

    def test_words_that_never_recur_still_leave_parts_of_words(self) -> None:
        words = [f"{stem}{ending}" for stem, ending in zip("bcdfghjk", ["ation", "ingly"] * 4, strict=True)]
        corpus = LabeledCorpus(tuple(words), (("a",), ("b",)) * 4, Codebook.from_names("ab"), "multiclass")
        model, _ = train(corpus, n_folds=2)
        assert model.predict(["qation", "vingly"]) == [("a",), ("b",)]

    def test_too_few_articles_to_choose_within_a_fold(self) -> None:
        corpus = LabeledCorpus(
            tuple(f"rain number {i}" for i in range(12)),
            (("a",), ("b",)) * 6,
            Codebook.from_names("ab"),
            "multiclass",
            ("1", "2") * 6,
        )
        with pytest.raises(InputError, match="1 articles"):
            train(corpus, n_folds=2)

    @pytest.mark.parametrize("labels", [("a|b",), ("",)])
    def test_a_label_set_that_occurs_once(self, labels: tuple[str, ...]) -> None:
        names = [tuple(filter(None, cell.split("|"))) for cell in (*["a", "b"] * 10, *labels)]
        texts = tuple(f"{'rain' if i % 2 else 'wage'} number {i}" for i in range(len(names)))
        model, _ = train(LabeledCorpus(texts, tuple(names), Codebook.from_names("ab")), n_folds=3)
        assert model.task == "multilabel"


logit_arrays = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(0, 3, (80, 2)))


class TestCalibration:
    @settings(max_examples=8)
    @given(logit_arrays, st.floats(0.3, 4), st.floats(-2, 2))
    def test_platt_scaling_undoes_a_slope_and_a_shift(self, logits: np.ndarray, slope: float, shift: float) -> None:
        logits = np.vstack([logits] * 20)
        truth = np.random.default_rng(1).random(logits.shape) < 1 / (1 + np.exp(-logits))
        straight = calibrate(logits, truth, "multilabel")
        bent = calibrate(logits * slope + shift, truth, "multilabel")
        ours = probabilities(logits * straight[0] + straight[1], "multilabel")
        theirs = probabilities((logits * slope + shift) * bent[0] + bent[1], "multilabel")
        np.testing.assert_allclose(ours, theirs, atol=2e-3)
        np.testing.assert_allclose(ours.mean(axis=0), truth.mean(axis=0), atol=1e-3)

    def test_logits_that_speak_against_the_frame_give_its_share(self) -> None:
        logits = np.linspace(-3, 3, 100)[:, None]
        truth = np.arange(100)[:, None] < 30
        slopes, shifts = calibrate(logits, truth, "multilabel")
        np.testing.assert_allclose(probabilities(logits * slopes + shifts, "multilabel"), 0.3)

    def test_a_frame_without_examples_is_left_alone(self) -> None:
        slopes, shifts = calibrate(np.ones((5, 1)), np.zeros((5, 1), dtype=bool), "multilabel")
        assert (slopes.tolist(), shifts.tolist()) == ([1.0], [0.0])

    def test_one_temperature_for_all_classes(self) -> None:
        rng = np.random.default_rng(0)
        logits = rng.normal(0, 2, (4000, 3))
        truth = probabilities(logits, "multiclass").cumsum(axis=1) > rng.random((4000, 1))
        truth = np.arange(3) == truth.argmax(axis=1)[:, None]
        slopes, shifts = calibrate(logits * 5, truth, "multiclass")
        np.testing.assert_allclose(slopes, 0.2, rtol=0.1)
        assert not shifts.any()


class TestThresholds:
    @given(logit_arrays, st.integers(0, 1), st.floats(0.05, 0.95))
    def test_no_threshold_has_a_better_f1(self, logits: np.ndarray, decimals: int, other: float) -> None:
        scores = np.round(1 / (1 + np.exp(-logits)), decimals + 1)
        truth = np.random.default_rng(3).random(logits.shape) < scores
        thresholds = choose_thresholds(scores, truth, "multilabel", tolerance=0)
        for frame in range(2):
            best = f1_score(truth[:, frame], scores[:, frame] >= thresholds[frame], zero_division=0)
            assert best >= f1_score(truth[:, frame], scores[:, frame] >= other, zero_division=0) - 1e-12
            assert best > 0 or not truth[:, frame].any()

    def test_of_those_as_good_the_highest_is_taken(self) -> None:
        scores = np.array([[0.9], [0.8], [0.7], [0.6], [0.1]])
        truth = np.array([[True], [True], [False], [True], [False]])
        assert choose_thresholds(scores, truth, "multilabel", tolerance=0) == pytest.approx([0.35])
        assert choose_thresholds(scores, truth, "multilabel", tolerance=0.1) == pytest.approx([0.75])

    def test_it_lies_half_way_between_the_neighbours(self) -> None:
        scores = np.array([[0.9], [0.8], [0.2], [0.1]])
        truth = np.array([[True], [True], [False], [False]])
        assert choose_thresholds(scores, truth, "multilabel") == pytest.approx([0.5])

    def test_a_frame_without_examples_keeps_one_half(self) -> None:
        assert choose_thresholds(np.ones((3, 1)), np.zeros((3, 1), dtype=bool), "multilabel").tolist() == [0.5]

    def test_a_multiclass_model_has_none(self) -> None:
        assert choose_thresholds(np.ones((3, 2)), np.ones((3, 2), dtype=bool), "multiclass").tolist() == [0, 0]

    def test_decisions(self) -> None:
        scores = np.array([[0.6, 0.4], [0.1, 0.2]])
        assert decide(scores, np.array([0.5, 0.2]), "multilabel").tolist() == [[True, True], [False, True]]
        assert decide(scores, np.zeros(2), "multiclass").tolist() == [[True, False], [False, True]]


class TestCountRatios:
    FEATURES = sparse.csr_array(np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.3], [0.0, 0.4, 0.7], [0.0, 0.0, 0.1]]))

    def test_is_the_formula(self) -> None:
        truth = np.array([True, True, False, False])
        expected = np.abs(np.log([(3 / 2) / (1 / 2), (2 / 2) / (2 / 2), (2 / 2) / (3 / 2)])) ** RATIO_POWER
        assert count_ratios(self.FEATURES, truth) == pytest.approx(expected / expected.mean())

    def test_features_that_tell_nothing_weigh_alike(self) -> None:
        features = sparse.csr_array(np.ones((4, 3)))
        assert count_ratios(features, np.array([True, False, True, False])).tolist() == [1.0, 1.0, 1.0]

    def test_coefficients_are_of_the_features_as_they_are(self) -> None:
        truth = np.array([[True], [True], [False], [False]])
        coefficients, intercepts = fit_linear(self.FEATURES, truth, [Setting((), 10.0, False)])
        ratios = count_ratios(self.FEATURES, truth[:, 0])
        regression = LogisticRegression(C=10.0, solver="liblinear", dual=True, tol=1e-6, random_state=0, max_iter=9999)
        regression.fit(self.FEATURES.toarray() * ratios, truth[:, 0])
        assert coefficients[:, 0, 0] == pytest.approx(regression.coef_[0] * ratios, rel=0.01)
        assert intercepts[0] == pytest.approx(regression.intercept_, rel=0.01, abs=0.01)
