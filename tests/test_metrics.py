"""Figures are scikit-learn's, their intervals are bootstrapped over articles, and tests of two models are fair."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve as reference_curve

from classifier.metrics import (
    ALL,
    FRAME_FIGURES,
    MACRO,
    MICRO,
    NONE,
    OTHER,
    Bootstrap,
    Scores,
    Summary,
    compare,
    confusion,
    frame_metrics,
    interval,
    intervals,
    pooled,
    reliability,
    slices,
    summarize,
)
from classifier.metrics.summary import calibration_curve

FRAMES = ("red", "green", "blue")


def results(seed: int = 0, n: int = 300, n_articles: int = 40, skill: float = 0.5, ties: bool = False) -> Scores:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < (0.4, 0.2, 0.1)
    probabilities = np.clip(skill * truth + (1 - skill) * rng.random((n, 3)), 0, 1)
    if ties:
        probabilities = probabilities.round(1)
    return Scores(truth, probabilities >= 0.5, probabilities, rng.integers(n_articles, size=n))


def multiclass(seed: int = 0, n: int = 200) -> Scores:
    rng = np.random.default_rng(seed)
    truth, guess = rng.integers(3, size=n), rng.integers(3, size=n)
    guess = np.where(rng.random(n) < 0.6, truth, guess)
    probabilities = np.eye(3)[guess] * 0.6 + rng.dirichlet(np.ones(3), n) * 0.4
    return Scores(np.eye(3, dtype=bool)[truth], np.eye(3, dtype=bool)[guess], probabilities, np.arange(n) // 5)


some_results = st.builds(
    results,
    seed=st.integers(0, 10_000),
    n=st.integers(20, 80),
    n_articles=st.integers(2, 15),
    skill=st.floats(0, 0.9),
    ties=st.booleans(),
)


class TestFigures:
    @given(some_results)
    @settings(max_examples=40, deadline=None)
    def test_are_those_of_scikit_learn(self, scores: Scores) -> None:
        rows = {row.name: row for row in frame_metrics(scores, FRAMES, n_resamples=5)}
        for i, name in enumerate(FRAMES):
            truth, predicted, p = scores.truth[:, i], scores.predicted[:, i], scores.probabilities[:, i]
            row = rows[name]
            precision, recall, f1, _ = reference.precision_recall_fscore_support(
                truth, predicted, average="binary", zero_division=0
            )
            assert (row.precision.value, row.recall.value, row.f1.value) == pytest.approx((precision, recall, f1))
            if len(np.unique([truth, predicted])) > 1:
                assert row.matthews.value == pytest.approx(reference.matthews_corrcoef(truth, predicted))
            assert row.brier.value == pytest.approx(reference.brier_score_loss(truth, p))
            assert row.support == truth.sum()
            if 0 < truth.sum() < len(truth):
                assert row.average_precision and row.roc_auc
                assert row.average_precision.value == pytest.approx(reference.average_precision_score(truth, p))
                assert row.roc_auc.value == pytest.approx(reference.roc_auc_score(truth, p))

    @pytest.mark.parametrize("name", ["macro", "micro"])
    def test_average_as_scikit_learn_does(self, name: str) -> None:
        scores = results()
        row = next(row for row in frame_metrics(scores, FRAMES) if row.name == f"{name} average")
        expected = reference.precision_recall_fscore_support(scores.truth, scores.predicted, average=name)[:3]
        assert (row.precision.value, row.recall.value, row.f1.value) == pytest.approx(expected)

    @pytest.mark.parametrize("ties", [False, True])
    def test_of_each_resample_are_weighted_ones(self, ties: bool) -> None:
        scores = results(ties=ties)
        bootstrap = Bootstrap(scores.groups, 6)
        truth, p = scores.truth[:, 1], scores.probabilities[:, 1]
        precision_areas, roc_areas = bootstrap.ranking(truth, p)
        for row, weights in enumerate(bootstrap.weights[:, bootstrap.groups]):
            assert precision_areas[row] == pytest.approx(
                reference.average_precision_score(truth, p, sample_weight=weights)
            )
            assert roc_areas[row] == pytest.approx(reference.roc_auc_score(truth, p, sample_weight=weights))

    def test_of_a_frame_that_never_occurs_are_defined_or_absent_and_warn_of_nothing(self) -> None:
        scores = results()
        scores.truth[:, 2] = False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            row = frame_metrics(scores, FRAMES, n_resamples=20)[2]
        assert row.recall.value == 0 and row.average_precision and row.average_precision.value == 0
        assert row.roc_auc is None

    def test_of_calibration_are_the_mean_gap_of_the_bins(self) -> None:
        scores = results()
        row = frame_metrics(scores, FRAMES)[0]
        truth, p = scores.truth[:, 0], scores.probabilities[:, 0]
        shares, means = reference_curve(truth, p, n_bins=10)
        sizes = np.histogram(p, np.linspace(0, 1, 11))[0]
        gap = (np.abs(shares - means) * sizes[sizes > 0]).sum() / len(p)
        assert row.calibration_error.value == pytest.approx(gap)
        assert row.calibration_error.low <= gap <= row.calibration_error.high

    def test_come_back_from_plain_data(self) -> None:
        by = {"station": ["north" if group % 2 else "south" for group in results().groups]}
        summary = summarize(results(), FRAMES, "multilabel", by=by, n_resamples=20)
        assert Summary.from_dict(summary.to_dict()).to_dict() == summary.to_dict()

    def test_of_nothing_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no sentences"):
            frame_metrics(results().take(np.zeros(300, dtype=bool)), FRAMES)


class TestIntervals:
    @given(some_results)
    @settings(max_examples=15, deadline=None)
    def test_are_ordered(self, scores: Scores) -> None:
        for row in frame_metrics(scores, FRAMES, n_resamples=50):
            for name in FRAME_FIGURES:
                figure = getattr(row, name)
                assert figure is None or figure.low <= figure.high

    def test_cover_the_truth_about_as_often_as_they_say(self) -> None:
        hits = 0
        for seed in range(120):
            rng = np.random.default_rng(seed)
            of_article = np.clip(rng.normal(0.6, 0.2, 80), 0, 1)  # articles differ: sentences are not independent
            truth = np.repeat(of_article, 6) > rng.random(480)
            bootstrap = Bootstrap(np.repeat(np.arange(80), 6), 300, seed)
            totals = bootstrap.totals(np.column_stack([truth, np.ones(480)]))
            figure = interval(totals[:, 0] / totals[:, 1])
            hits += figure.low <= 0.6 <= figure.high
        assert 0.88 <= hits / 120 <= 1

    def test_widen_when_articles_are_of_one_mind(self) -> None:
        truth = np.repeat(np.random.default_rng(0).random(50) < 0.5, 10)

        def width(groups: np.ndarray) -> float:
            figure = interval(Bootstrap(groups).totals(truth[:, None])[:, 0] / 500)
            return figure.high - figure.low

        assert width(np.repeat(np.arange(50), 10)) > 2 * width(np.arange(500))

    def test_are_the_same_for_the_same_seed_and_others_for_another(self) -> None:
        rows = [frame_metrics(results(), FRAMES, seed)[0] for seed in (3, 3, 4)]
        assert rows[0] == rows[1] != rows[2]

    def test_leave_out_resamples_where_a_figure_is_undefined(self) -> None:
        figure, absent = intervals(np.array([[0.5, np.nan], [0.4, 0.1], [np.nan, 0.2], [0.6, 0.3]]))
        assert figure is not None and 0.4 <= figure.low <= figure.high <= 0.6
        assert absent is None

    @pytest.mark.slow
    def test_of_ten_thousand_sentences_take_under_two_seconds(self) -> None:
        scores = results(n=10_000, n_articles=1_400)
        start = time.process_time()  # of this process alone: the machine may be busy
        summarize(scores, FRAMES, "multilabel")
        assert time.process_time() - start < 2


class TestComparison:
    def test_of_a_model_with_itself_finds_nothing(self) -> None:
        for row in compare(results(), results(), FRAMES):
            assert (row.difference.value, row.difference.low, row.difference.high, row.p_value) == (0, 0, 0, 1)

    def test_finds_a_much_better_model(self) -> None:
        good, bad = results(skill=0.6), results(skill=0.1)
        row = next(row for row in compare(good, bad, FRAMES) if (row.name, row.figure) == (MACRO, "f1"))
        assert row.first > row.second
        assert row.difference.low > 0
        assert row.p_value < 0.01

    def test_is_the_same_from_the_other_side(self) -> None:
        one, other = results(skill=0.4), results(skill=0.35)
        for there, back in zip(compare(one, other, FRAMES), compare(other, one, FRAMES), strict=True):
            assert there.p_value == back.p_value
            assert there.difference.value == pytest.approx(-back.difference.value)
            assert there.difference.low == pytest.approx(-back.difference.high, abs=1e-9)

    def test_seldom_finds_a_difference_where_there_is_none(self) -> None:
        found = 0
        for seed in range(60):
            one = results(seed, n=200, n_articles=50, skill=0.35)
            noise = np.random.default_rng(1000 + seed).random((200, 3))
            p = np.clip(0.35 * one.truth + 0.65 * noise, 0, 1)
            other = Scores(one.truth, p >= 0.5, p, one.groups)
            rows = compare(one, other, FRAMES, seed, n_resamples=200)
            found += next(row for row in rows if (row.name, row.figure) == (MICRO, "f1")).p_value < 0.05
        assert found / 60 < 0.15

    def test_refuses_other_sentences(self) -> None:
        with pytest.raises(ValueError, match="same sentences"):
            compare(results(0), results(1), FRAMES)


class TestConfusions:
    def test_of_classes_are_the_usual_matrix(self) -> None:
        scores = multiclass()
        found = confusion(scores, FRAMES, Bootstrap(scores.groups, 20))
        expected = reference.confusion_matrix(scores.truth.argmax(axis=1), scores.predicted.argmax(axis=1))
        assert (found.counts[:3, :3] == expected).all()
        assert found.counts[3].sum() == found.counts[:, 3].sum() == 0

    def test_set_a_missed_frame_against_those_wrongly_given(self) -> None:
        truth = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=bool)
        predicted = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 1, 1]], dtype=bool)
        found = confusion(Scores(truth, predicted, truth * 1.0, np.arange(5)), FRAMES, Bootstrap(np.arange(5), 10))
        assert found.counts.tolist() == [[1, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 2, 1]]
        assert found.sets["red", "green"] == 1
        assert found.sets[NONE, "green|blue"] == 1
        assert found.shares[2][0] is None  # no sentence is blue

    @given(some_results)
    @settings(max_examples=20, deadline=None)
    def test_account_for_every_label(self, scores: Scores) -> None:
        found = confusion(scores, FRAMES, Bootstrap(scores.groups, 2))
        hits = (scores.truth & scores.predicted).sum(axis=0)
        assert (np.diag(found.counts)[:3] == hits).all()
        assert (found.counts[:3].sum(axis=1) >= scores.truth.sum(axis=0)).all()
        assert sum(found.sets.values()) == len(scores)


class TestWholeSentences:
    def test_are_measured_as_scikit_learn_does(self) -> None:
        scores = results()
        overall = summarize(scores, FRAMES, "multilabel", n_resamples=20).overall
        assert overall["subset_accuracy"].value == pytest.approx(
            reference.accuracy_score(scores.truth, scores.predicted)
        )
        assert overall["hamming_loss"].value == pytest.approx(reference.hamming_loss(scores.truth, scores.predicted))

    def test_of_classes_have_one_accuracy(self) -> None:
        scores = multiclass()
        overall = summarize(scores, FRAMES, "multiclass", n_resamples=20).overall
        assert list(overall) == ["accuracy"]
        assert overall["accuracy"].value == pytest.approx(
            reference.accuracy_score(scores.truth.argmax(axis=1), scores.predicted.argmax(axis=1))
        )


class TestCalibration:
    def test_curves_are_those_of_scikit_learn(self) -> None:
        scores = results()
        curves = calibration_curve(scores, FRAMES, Bootstrap(scores.groups, 20))
        shares, means = reference_curve(scores.truth[:, 0], scores.probabilities[:, 0], n_bins=10)
        assert [part.share.value for part in curves["red"]] == pytest.approx(shares.tolist())
        assert [part.probability for part in curves["red"]] == pytest.approx(means.tolist())
        assert sum(part.n for part in curves[ALL]) == 900

    def test_says_what_a_probability_meant(self) -> None:
        p = np.repeat([0.65, 0.75, 0.05], [10, 30, 60])[:, None]
        truth = np.concatenate([np.arange(10) < 5, np.arange(30) < 25, np.zeros(60, dtype=bool)])[:, None]
        curve = calibration_curve(Scores(truth, truth, p, np.arange(100)), ("red",), Bootstrap(np.arange(100), 9))
        assert reliability(curve["red"], 0.7) == pytest.approx((0.6, 0.8, 40, 0.75))
        assert reliability(curve["red"], 0.4) is None

    def test_doubtful_decisions_are_right_less_often(self) -> None:
        doubt = summarize(results(n=3000, skill=0.3), FRAMES, "multilabel", n_resamples=20).abstention
        assert doubt.right_inside and doubt.right_outside
        assert doubt.right_inside.value < doubt.right_outside.value


class TestSlices:
    def test_pool_rare_values_and_name_empty_ones(self) -> None:
        groups = np.arange(14)
        values = ["often"] * 6 + [""] * 5 + ["once", "twice", "twice"]
        assert pooled(values, groups) == ["often"] * 6 + [NONE] * 5 + [OTHER] * 3

    def test_measure_each_value_on_its_own(self) -> None:
        scores = results()
        values = ["even" if group % 2 == 0 else "odd" for group in scores.groups]
        found = {part.value: part for part in slices(scores, FRAMES, values, n_resamples=20)}
        part = scores.take(scores.groups % 2 == 0)
        assert found["even"].rows == frame_metrics(part, FRAMES, n_resamples=20)
        assert found["even"].sentences + found["odd"].sentences == len(scores)
