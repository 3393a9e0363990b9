"""Figures: scikit-learn's values, intervals from a bootstrap over articles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from classifier.metrics import Bootstrap, Scores, frame_metrics, interval

FRAMES = ("one", "two", "three")


@st.composite
def results(draw: st.DrawFn) -> Scores:
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = rng.random((n, 3)) < draw(st.sampled_from([0.05, 0.3, 0.9]))
    decimals = draw(st.sampled_from([1, 8]))  # coarse rounding makes ties
    probabilities = np.round(np.clip(truth * 0.3 + rng.random((n, 3)) * 0.7, 0, 1), decimals)
    groups = rng.integers(draw(st.integers(1, n)), size=n)
    return Scores(truth, probabilities >= 0.5, probabilities, groups)


class TestValues:
    @given(results())
    def test_equal_to_scikit_learn(self, scores: Scores) -> None:
        rows = frame_metrics(scores, FRAMES, n_resamples=5)
        assert [row.name for row in rows] == [*FRAMES, "macro average", "micro average"]
        for average, part in ((None, rows[:3]), ("macro", rows[3:4]), ("micro", rows[4:])):
            expected = precision_recall_fscore_support(scores.truth, scores.predicted, average=average, zero_division=0)
            for i, row in enumerate(part):
                ours = [row.precision.value, row.recall.value, row.f1.value]
                np.testing.assert_allclose(ours, [np.atleast_1d(figure)[i] for figure in expected[:3]], atol=1e-12)
        assert [row.support for row in rows[:3]] == scores.truth.sum(axis=0).tolist()
        assert rows[3].support == rows[4].support == scores.truth.sum()

    @given(results())
    def test_average_precision_equals_scikit_learn(self, scores: Scores) -> None:
        rows = frame_metrics(scores, FRAMES, n_resamples=5)
        for i, row in enumerate(rows[:3]):
            if scores.truth[:, i].any():
                expected = average_precision_score(scores.truth[:, i], scores.probabilities[:, i])
                assert row.average_precision.value == pytest.approx(expected, abs=1e-12)
            else:
                assert row.average_precision.value == 0
        assert rows[3].average_precision.value == pytest.approx(
            np.mean([row.average_precision.value for row in rows[:3]])
        )
        assert rows[4].average_precision is None

    def test_undefined_figures_count_as_zero(self) -> None:
        nothing = np.zeros((4, 1), dtype=bool)
        row = frame_metrics(Scores(nothing, nothing, np.zeros((4, 1)), np.arange(4)), ("one",), n_resamples=5)[0]
        assert (row.precision.value, row.recall.value, row.f1.value, row.average_precision.value) == (0, 0, 0, 0)

    def test_a_row_as_plain_data(self) -> None:
        everything = np.ones((4, 1), dtype=bool)
        rows = frame_metrics(Scores(everything, everything, np.ones((4, 1)), np.arange(4)), ("one",), n_resamples=5)
        figure = {"value": 1.0, "low": 1.0, "high": 1.0}
        assert rows[0].to_dict() == {
            "name": "one",
            "support": 4,
            "precision": figure,
            "recall": figure,
            "f1": figure,
            "average_precision": figure,
        }
        assert rows[2].to_dict()["average_precision"] is None


class TestBootstrap:
    @given(results(), st.integers(0, 1000))
    def test_average_precision_is_scikit_learns_with_the_draws_as_weights(self, scores: Scores, seed: int) -> None:
        bootstrap = Bootstrap(scores.groups, 70, seed)
        ours = bootstrap.average_precision(scores.truth[:, 0], scores.probabilities[:, 0])
        assert ours.shape == (71,)
        for resample in (0, 1, 69):
            weights = bootstrap.group_weights[resample][bootstrap.groups]
            if weights @ scores.truth[:, 0]:
                expected = average_precision_score(
                    scores.truth[:, 0], scores.probabilities[:, 0], sample_weight=weights
                )
                assert ours[resample + 1] == pytest.approx(expected, abs=1e-9)
            else:
                assert ours[resample + 1] == 0

    @given(results())
    def test_as_many_articles_are_drawn_as_there_are(self, scores: Scores) -> None:
        bootstrap = Bootstrap(scores.groups, 20)
        n_groups = len(np.unique(scores.groups))
        assert bootstrap.group_weights.shape == (20, n_groups)
        assert (bootstrap.group_weights.sum(axis=1) == n_groups).all()

    @given(results())
    def test_totals_are_the_data_and_then_weighted_sums(self, scores: Scores) -> None:
        bootstrap = Bootstrap(scores.groups, 10)
        totals = bootstrap.totals(scores.truth)
        np.testing.assert_array_equal(totals[0], scores.truth.sum(axis=0))
        weights = bootstrap.group_weights[3][bootstrap.groups]
        np.testing.assert_array_equal(totals[4], weights @ scores.truth)

    @given(results(), st.integers(0, 100))
    def test_the_seed_decides_and_nothing_else(self, scores: Scores, seed: int) -> None:
        first, second = (frame_metrics(scores, FRAMES, seed, n_resamples=20) for _ in range(2))
        assert first == second

    @given(results())
    def test_one_article_leaves_nothing_to_vary(self, scores: Scores) -> None:
        one = Scores(scores.truth, scores.predicted, scores.probabilities, np.zeros_like(scores.groups))
        for row in frame_metrics(one, FRAMES, n_resamples=10):
            assert row.f1.low == pytest.approx(row.f1.value) == pytest.approx(row.f1.high)

    @given(results())
    def test_intervals_are_ordered_and_within_zero_and_one(self, scores: Scores) -> None:
        for row in frame_metrics(scores, FRAMES, n_resamples=30):
            for figure in (row.precision, row.recall, row.f1):
                assert 0 <= figure.low <= figure.high <= 1

    def test_an_interval_is_percentiles_of_the_resamples_alone(self) -> None:
        figure = interval(np.array([7.0, *np.arange(1001) / 1000]))
        assert figure.value == 7
        assert (figure.low, figure.high) == pytest.approx((0.025, 0.975))

    def test_the_interval_covers_the_truth_about_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        covered = 0
        for trial in range(200):
            hit = rng.random((150, 1)) < 0.7
            rows = frame_metrics(
                Scores(np.ones((150, 1), dtype=bool), hit, hit.astype(float), np.arange(150)), ("one",), trial, 200
            )
            covered += rows[0].recall.low <= 0.7 <= rows[0].recall.high
        assert 176 <= covered <= 199

    def test_articles_that_agree_within_themselves_widen_the_interval(self) -> None:
        rng = np.random.default_rng(1)
        hit = np.repeat(rng.random((20, 1)) < 0.5, 10, axis=0)
        truth = np.ones((200, 1), dtype=bool)

        def width(groups: np.ndarray) -> float:
            recall = frame_metrics(Scores(truth, hit, hit.astype(float), groups), ("one",), 0, 300)[0].recall
            return recall.high - recall.low

        assert width(np.repeat(np.arange(20), 10)) > 2 * width(np.arange(200))
