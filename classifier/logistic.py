"""L2-regularised logistic regressions on the same sparse features, many at once.

A search over settings fits dozens of regressions to the same sentences: one a frame, a strength and a class weight.
Solvers take them one after the other and read the sentences anew for each. Here they are *lanes* of one coordinate
descent: a sentence is read once and moves all of them, and its loops over lanes become vector instructions.

The method is dual coordinate descent (Yu, Huang and Lin 2011), the one of liblinear, with the same objective, the same
penalty on the intercept and the same criterion of convergence as ``LogisticRegression(solver="liblinear", dual=True)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

#: Regressions solved together. More would not be faster, and every one needs room for a coefficient a feature.
LANES = 48

#: Sweeps over the sentences after which a regression is taken as it is.
MAX_SWEEPS = 1000

#: Logits this near their rest reach it in one step, as far as it matters before the next sweep.
NEAR = 0.1

#: A margin this part of the tolerance from its rest is left there.
STILL = 0.1

#: Sentences are visited in an order of their own in every sweep, drawn from this seed.
SEED = 0


@njit(cache=True)
def settle(base, curvature, margin):
    """Return where a sentence's margin comes to rest when its own dual variable alone is free to move.

    That is the root of ``m = base + curvature * sigmoid(-m)``. Both sides of zero are curved such that Newton's steps
    from the side of zero never pass the root; a step that crosses zero goes on from there.
    """
    positive = base + 0.5 * curvature > 0
    if (margin > 0) != positive:
        margin = 0.0
    for _ in range(50):
        share = 1.0 / (1.0 + math.exp(margin))
        step = (margin - base - curvature * share) / (1.0 + curvature * share * (1.0 - share))
        margin -= step
        if (margin > 0) != positive:
            margin = 0.0
        if abs(step) < NEAR:  # the next sweep does better than another step
            break
    return margin


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(starts, features, values, lengths, order, signs, costs, rests, duals, weights, tolerance, worst):
    """Visit every sentence once and move all lanes.

    Parameters
    ----------
    starts, features, values : ndarray
        The sentences as a CSR matrix.
    lengths : ndarray of shape (n_texts,)
        Squared length of each sentence, with one for the intercept.
    order : ndarray of int
        In which to visit them.
    signs : ndarray of int8 of shape (n_texts, n_lanes)
        1 where the sentence is an example of the lane's frame, else -1.
    costs : ndarray of shape (2, n_lanes)
        Inverse strength of the penalty for counter-examples and for examples.
    rests, duals : ndarray of shape (n_texts, n_lanes)
        The margin at which each sentence came to rest, and its dual variable, ``cost * sigmoid(-rest)``. Updated.
    weights : ndarray of shape (n_features + 1, n_lanes)
        Coefficients, and the intercepts in the last row. Updated.
    tolerance : float
        Margins off their rest by a small part of it stay.
    worst : ndarray of shape (n_lanes,)
        Receives how far the margin farthest from its rest was.
    """
    n_lanes = weights.shape[1]
    margins, moves = np.empty_like(weights[0]), np.empty_like(weights[0])
    intercepts = weights[len(weights) - 1]
    worst[:] = 0.0
    for row in order:
        for lane in range(n_lanes):
            margins[lane] = intercepts[lane]
        for i in range(starts[row], starts[row + 1]):
            value, coefficients = values[i], weights[features[i]]
            for lane in range(n_lanes):
                margins[lane] += value * coefficients[lane]
        moved = False
        for lane in range(n_lanes):
            sign, rest = signs[row, lane], rests[row, lane]
            margin = sign * float(margins[lane])
            off = margin - rest
            worst[lane] = max(worst[lane], abs(off))
            moves[lane] = 0.0
            if abs(off) > STILL * tolerance:
                cost, dual, length = costs[(sign + 1) // 2, lane], duals[row, lane], lengths[row]
                if abs(off) < NEAR:
                    rest += off / (1.0 + length * dual * (1.0 - dual / cost))
                else:
                    rest = settle(margin - length * dual, length * cost, rest)
                rests[row, lane] = rest
                duals[row, lane] = cost / (1.0 + math.exp(rest))
                moves[lane] = sign * (duals[row, lane] - dual)
                moved = True
        if not moved:
            continue
        for lane in range(n_lanes):
            intercepts[lane] += moves[lane]
        for i in range(starts[row], starts[row + 1]):
            value, coefficients = values[i], weights[features[i]]
            for lane in range(n_lanes):
                coefficients[lane] += value * moves[lane]


def fit_logistic(
    features: sparse.csr_array,
    targets: npt.NDArray[np.bool_],
    costs: npt.NDArray[np.float64],
    tolerance: float = 1e-3,
    precision: npt.DTypeLike = np.float64,
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.floating[Any]]]:
    """Fit logistic regressions.

    Parameters
    ----------
    features : sparse array of shape (n_texts, n_features)
    targets : ndarray of bool of shape (n_texts, n_lanes)
        What each regression tells apart; each needs an example and a counter-example.
    costs : ndarray of shape (2, n_lanes)
        C of each regression, for its counter-examples and for its examples.
    tolerance : float
        Largest distance, in the logit of any sentence, from where its own optimality puts it.
    precision : dtype
        Of the coefficients while they are learned; half the precision is twice as fast.

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_lanes)
    intercepts : ndarray of shape (n_lanes,)
    """
    n_texts, n_lanes = targets.shape
    result = np.zeros((features.shape[1] + 1, n_lanes), dtype=precision)
    values, columns = features.data.astype(precision), features.indices.astype(np.uint32)
    squares = np.concatenate([[0.0], np.cumsum(features.data**2)])
    lengths = 1.0 + np.diff(squares[features.indptr])
    for first in range(0, n_lanes, LANES):
        lanes = np.arange(first, min(first + LANES, n_lanes))
        order = np.random.default_rng(SEED)
        signs = np.where(targets[:, lanes], 1, -1).astype(np.int8)
        # Every dual variable starts at next to nothing, so the coefficients start at zero.
        rests = np.full(signs.shape, 25.0)
        duals = np.zeros(signs.shape)
        weights = np.zeros((len(result), len(lanes)), dtype=precision)
        worst = np.full(len(lanes), np.inf)
        for _ in range(MAX_SWEEPS):
            arrays = features.indptr, columns, values, lengths, order.permutation(n_texts)
            sweep(*arrays, signs, costs[:, lanes], rests, duals, weights, tolerance, worst)
            # Vectors hold eight lanes; lanes that are done go on as long as they fill one up.
            kept = np.sort(np.argsort(-worst, kind="stable")[: -(-np.count_nonzero(worst >= tolerance) // 8) * 8])
            if len(kept) < len(lanes):
                result[:, lanes] = weights
                if not len(kept):
                    break
                lanes, worst = lanes[kept], worst[kept]
                signs, rests, duals, weights = (
                    np.ascontiguousarray(part[:, kept]) for part in (signs, rests, duals, weights)
                )
        else:
            result[:, lanes] = weights
    return result[:-1], result[-1]
