"""Logistic regressions solved together: the optimum of each, as liblinear finds it alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifier.training.logistic import WIDTHS, fit_logistic


def problem(n_texts: int, n_features: int, n_lanes: int) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_texts)
    features = sparse.random_array((n_texts, n_features), density=0.2, format="csr", rng=rng)
    targets = features @ rng.normal(size=(n_features, n_lanes)) + rng.normal(0, 0.3, (n_texts, n_lanes)) > 0.3
    targets[0], targets[1] = True, False
    return features, targets, np.exp(rng.uniform(-2, 5, (2, n_lanes)))


@pytest.mark.parametrize("shape", [(120, 30, 3), (60, 200, 8), (40, 10, 2 * WIDTHS[-1] + 5), (90, 20, 1)])
def test_each_lane_is_the_regression_that_liblinear_fits_alone(shape: tuple[int, int, int]) -> None:
    features, targets, costs = problem(*shape)
    coefficients, intercepts = fit_logistic(features, targets, costs, tolerance=1e-6)
    for lane in range(targets.shape[1]):
        alone = LogisticRegression(
            C=1.0,
            class_weight=dict(enumerate(costs[:, lane])),
            solver="liblinear",
            dual=True,
            tol=1e-6,
            max_iter=10_000,
            random_state=0,
        ).fit(features, targets[:, lane].astype(int))
        np.testing.assert_allclose(coefficients[:, lane], alone.coef_[0], atol=1e-4)
        assert intercepts[lane] == pytest.approx(alone.intercept_[0], abs=1e-4)


def test_half_the_precision_is_precise_to_the_tolerance() -> None:
    features, targets, costs = problem(200, 50, 6)
    whole, half = (fit_logistic(features, targets, costs, precision=precision) for precision in (np.float64, "f4"))
    np.testing.assert_allclose(features @ half[0] + half[1], features @ whole[0] + whole[1], atol=3e-3)


def test_texts_without_features_leave_the_intercept_to_speak() -> None:
    targets = np.arange(40)[:, None] < 10
    coefficients, intercepts = fit_logistic(sparse.csr_array((40, 3)), targets, np.full((2, 1), 1000.0))
    assert not coefficients.any()
    assert intercepts[0] == pytest.approx(np.log(10 / 30), abs=1e-2)
