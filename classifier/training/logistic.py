"""L2-regularised logistic regressions on the same sparse features, many at once.

A search over settings fits dozens of regressions to the same sentences: one a frame, a strength and a class weight.
Solvers take them one after the other and read the sentences anew for each. Here they are *lanes* of one coordinate
descent: a sentence is read once and moves all of them. Lanes come in two halves of a fixed width, which the compiler
knows: only so do their sums stay in registers, and its loops over lanes become vector instructions.

The method is dual coordinate descent (Yu, Huang and Lin 2011), the one of liblinear, with the same objective, the same
penalty on the intercept and the same criterion of convergence as ``LogisticRegression(solver="liblinear", dual=True)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.cpython.unsafe.tuple import tuple_setitem
from scipy import sparse

from classifier.system.compilation import compiled

#: Lanes of one half, each compiled on its own. Of regressions that are solved together there are at most twice as many
#: as the last; those that are left at the end move to a smaller width.
WIDTHS = (1, 2, 4, 6)

#: Sweeps over the sentences after which a regression is taken as it is.
MAX_SWEEPS = 1000

#: Newton's steps below this are the last.
SHORT = 0.1

#: A margin this part of the tolerance from its rest is left there.
STILL = 0.1

#: Sentences are visited in an order of their own in every sweep, drawn from this seed.
SEED = 0

#: Bytes of a line of the cache.
_LINE = 64


@compiled()
def settle(base, curvature, margin, share):
    """Return where a sentence's margin comes to rest when its own dual variable alone is free to move.

    That is the root of ``m = base + curvature * sigmoid(-m)``. Both sides of zero are curved such that Newton's steps
    from the side of zero never pass the root; a step that crosses zero goes on from there. A short step is the last:
    the next sweep does better than another.

    Parameters
    ----------
    base, curvature : float
    margin, share : float
        Where to begin, and ``sigmoid(-margin)``.

    Returns
    -------
    margin, share : float
    """
    positive = base + 0.5 * curvature > 0
    for _ in range(50):
        step = (margin - base - curvature * share) / (1.0 + curvature * share * (1.0 - share))
        margin -= step
        if (margin > 0) != positive:
            margin = 0.0
        share = 1.0 / (1.0 + math.exp(margin))
        if abs(step) < SHORT:
            break
    return margin, share


@compiled()
def read(columns, values, first, end, table, one, two):
    """Return the sums `one` and `two` of the two halves of the lanes with the features of a sentence added."""
    for i in range(first, end):
        value, halves = values[i], table[columns[i]]
        for lane in range(len(one)):
            one = tuple_setitem(one, lane, one[lane] + value * halves[0, lane])
        for lane in range(len(two)):
            two = tuple_setitem(two, lane, two[lane] + value * halves[1, lane])
    return one, two


@compiled()
def move(columns, values, first, end, table, one, two):
    """Move the coefficients of the features of a sentence, in each half of the lanes as far as it says."""
    for i in range(first, end):
        value, halves = values[i], table[columns[i]]
        # All are read before any is written: the compiler cannot know that they do not overlap.
        former, latter = one, two
        for lane in range(len(one)):
            former = tuple_setitem(former, lane, halves[0, lane] + value * one[lane])
        for lane in range(len(two)):
            latter = tuple_setitem(latter, lane, halves[1, lane] + value * two[lane])
        for lane in range(len(one)):
            halves[0, lane] = former[lane]
        for lane in range(len(two)):
            halves[1, lane] = latter[lane]


@compiled(nogil=True, error_model="numpy")
def sweep(starts, columns, values, lengths, order, signs, costs, rests, duals, table, zeros, margins, tolerance, worst):
    """Visit every sentence once and move all lanes.

    Parameters
    ----------
    starts, columns, values : ndarray
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
    table : ndarray of shape (n_features + 1, 2, width)
        Coefficients of the lanes, half by half, and the intercepts in the last row. Updated.
    zeros : tuple
        As many zeros as a half is wide.
    margins : ndarray of shape (2, width)
        To work in.
    tolerance : float
        Margins off their rest by a small part of it stay.
    worst : ndarray of shape (n_lanes,)
        Receives how far the margin farthest from its rest was.
    """
    width = len(zeros)
    intercepts = table[len(table) - 1]
    worst[:] = 0.0
    for row in order:
        first, end = starts[row], starts[row + 1]
        one, two = read(columns, values, first, end, table, zeros, zeros)
        for lane in range(width):
            margins[0, lane] = intercepts[0, lane] + one[lane]
            margins[1, lane] = intercepts[1, lane] + two[lane]
        moved = False
        for lane in range(len(worst)):
            half, place = lane // width, lane % width
            sign, rest = signs[row, lane], rests[row, lane]
            margin = sign * float(margins[half, place])
            off = margin - rest
            worst[lane] = max(worst[lane], abs(off))
            margins[half, place] = 0.0
            if abs(off) > STILL * tolerance:
                cost, dual, length = costs[(sign + 1) // 2, lane], duals[row, lane], lengths[row]
                rest, share = settle(margin - length * dual, length * cost, rest, dual / cost)
                rests[row, lane], duals[row, lane] = rest, cost * share
                margins[half, place] = sign * (duals[row, lane] - dual)
                moved = True
        if moved:
            for lane in range(width):
                one = tuple_setitem(one, lane, margins[0, lane])
                two = tuple_setitem(two, lane, margins[1, lane])
                intercepts[0, lane] += one[lane]
                intercepts[1, lane] += two[lane]
            move(columns, values, first, end, table, one, two)


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
        Of the coefficients while they are learned; half the precision takes about three quarters of the time.

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_lanes)
    intercepts : ndarray of shape (n_lanes,)
    """
    n_texts, n_lanes = targets.shape
    precision = np.dtype(precision)
    result = np.zeros((features.shape[1] + 1, n_lanes), dtype=precision)
    sentences = features.indptr, features.indices.astype(np.uint32), features.data.astype(precision)
    lengths = 1.0 + features.power(2).sum(axis=1)
    for first in range(0, n_lanes, 2 * WIDTHS[-1]):
        lanes = np.arange(first, min(first + 2 * WIDTHS[-1], n_lanes))
        order = np.random.default_rng(SEED)
        signs = np.where(targets[:, lanes], 1, -1).astype(np.int8)
        # Every dual variable starts at next to nothing, so the coefficients start at zero.
        rests = np.full(signs.shape, 25.0)
        duals = np.zeros(signs.shape)
        table = _tabulate(result[:, lanes])
        worst = np.full(len(lanes), np.inf)
        for _ in range(MAX_SWEEPS):
            width = table.shape[2]
            zeros, margins = (precision.type(0),) * width, np.empty((2, width), dtype=precision)
            state = signs, costs[:, lanes], rests, duals, table, zeros, margins, tolerance, worst
            sweep(*sentences, lengths, order.permutation(n_texts), *state)
            unfinished = int((worst >= tolerance).sum())
            if not unfinished:
                break
            if _width(unfinished) < width:
                result[:, lanes] = _lanes(table, len(lanes))
                # Those that are done go on where room would be empty.
                kept = np.sort(np.argsort(-worst, kind="stable")[: 2 * _width(unfinished)])
                lanes, worst = lanes[kept], worst[kept]
                table = _tabulate(result[:, lanes])
                signs, rests, duals = (np.ascontiguousarray(part[:, kept]) for part in (signs, rests, duals))
        result[:, lanes] = _lanes(table, len(lanes))
    return result[:-1], result[-1]


def _width(n_lanes: int) -> int:
    """Return the least width of a half for so many lanes."""
    return next(width for width in WIDTHS if 2 * width >= n_lanes)


def _tabulate(weights: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Return the table of `sweep` for the coefficients of its lanes, aligned to the lines of the cache."""
    width = _width(weights.shape[1])
    size = len(weights) * 2 * width
    room = np.zeros(size + _LINE // weights.itemsize, dtype=weights.dtype)
    offset = -room.ctypes.data % _LINE // weights.itemsize
    table = room[offset : offset + size].reshape(len(weights), 2, width)
    table.reshape(len(weights), -1)[:, : weights.shape[1]] = weights
    return table


def _lanes(table: npt.NDArray[np.floating[Any]], n_lanes: int) -> npt.NDArray[np.floating[Any]]:
    """Return the coefficients of the lanes that a table of `sweep` holds."""
    return table.reshape(len(table), -1)[:, :n_lanes]
