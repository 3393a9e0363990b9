"""Strata and how many draws each is given."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from classifier.errors import InputError
from classifier.prevalence.estimators import Ints
from classifier.system.arrays import Floats

#: Strata by the model's probabilities.
BANDS = 5

#: Steps in which uncertainty is counted before it is cut into bands.
STEPS = 400

#: What even the surest of scores is taken to err by, as a standard deviation: no model knows what it does not see.
FLOOR = 0.1

#: Draws a stratum is given at least, for a variance needs two.
LEAST = 2


def uncertainty(scores: Floats) -> Floats:
    r"""Return how unsure a model is: the standard deviation that its probabilities give the label.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames)
        Probabilities.

    Returns
    -------
    ndarray of shape (n,)
        :math:`\sqrt{p (1 - p)}` of the frame where it is largest, from `FLOOR` to 0.5.

    Examples
    --------
    >>> uncertainty(np.array([[0.5, 0.0], [0.0, 0.9], [0.0, 1.0]])).round(2).tolist()
    [0.5, 0.3, 0.1]
    """
    inside = np.clip(scores, 0, 1)
    result: Floats = np.sqrt(np.maximum((inside * (1 - inside)).max(axis=1, initial=0.0), FLOOR**2))
    return result


def step(uncertain: Floats) -> Ints:
    """Return the step, below `STEPS`, in which an uncertainty is counted."""
    steps: Ints = np.minimum(STEPS - 1, (uncertain * 2 * STEPS).astype(np.int64))
    return steps


def cut(counts: Ints, bands: int = BANDS) -> Ints:
    """Cut a population into bands of about equal total uncertainty.

    Parameters
    ----------
    counts : ndarray of int of shape (STEPS,)
        Units at each step of uncertainty.
    bands : int

    Returns
    -------
    ndarray of int of shape (STEPS,)
        The band of each step, from 0; a band without units has no number.

    Notes
    -----
    As many draws from each band then take units with probabilities in proportion to their uncertainty, nearly: Neyman's
    (1934) allocation, of which a band's width takes the place of a stratum's standard deviation.
    """
    middles = (np.arange(STEPS) + 0.5) / (2 * STEPS)
    total = np.cumsum(counts * middles)
    band = np.minimum(bands - 1, (bands * (total - counts * middles / 2) / max(total[-1], 1e-12)).astype(np.int64))
    used = np.unique(band[counts > 0])
    numbered: Ints = np.searchsorted(used, band).clip(0, max(0, len(used) - 1))
    return numbered


def allocate(n: int, sizes: Ints, measures: Floats) -> Ints:
    """Share draws out to strata.

    Parameters
    ----------
    n : int
        Draws in all.
    sizes : ndarray of int of shape (n_strata,)
        Units of each stratum.
    measures : ndarray of shape (n_strata,)
        In proportion to which they are shared out: sizes, total uncertainties, or ones.

    Returns
    -------
    ndarray of int of shape (n_strata,)
        They sum to `n`; each is at least `LEAST` and at most its stratum's size.

    Raises
    ------
    InputError
        If there are too few draws for so many strata.

    Examples
    --------
    >>> allocate(10, np.array([100, 100, 3]), np.array([1.0, 1.0, 1.0])).tolist()
    [4, 3, 3]
    """
    least = np.minimum(sizes, LEAST)
    n = min(n, int(sizes.sum()))
    if least.sum() > n:
        raise InputError(
            f"{n:,} draws are too few for {len(sizes):,} strata, which need {int(least.sum()):,}; ask for more with "
            "-n, or divide by another column with --by."
        )
    result = least.copy()
    # The next draw goes where it is missed most (Sainte-Laguë).
    queue = [(-measures[i] / (2 * result[i] + 1), i) for i in range(len(sizes)) if result[i] < sizes[i]]
    heapify(queue)
    for _ in range(n - int(result.sum())):
        _, i = heappop(queue)
        result[i] += 1
        if result[i] < sizes[i]:
            heappush(queue, (-measures[i] / (2 * result[i] + 1), i))
    return result
