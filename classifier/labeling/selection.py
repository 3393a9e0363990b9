"""Which sentence to label next, in plain numpy: nothing here knows of projects, models or pages.

A fixed share of what is labeled is drawn at random from everything: only from this sample can shares and figures be
estimated. The rest is chosen from a pool, first to see every kind of sentence there is, then where the model is least
sure, a frame at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

#: Share of the labels that is drawn at random.
RANDOM_SHARE = 0.25

#: Share of the sentences that two coders label.
DOUBLE_SHARE = 0.1

#: Sentences from which is chosen; of a larger project, a sample that changes from time to time.
POOL = 12_000

#: Labels chosen for a wide view before the first is chosen by a model.
START = 20

#: Chosen sentences whose clusters are left alone for a while.
RECENT = 8

#: Agreement of successive models from which on labels have little more to tell (Bloodgood and Vijay-Shanker 2009).
STABLE = 0.99

#: Labels before which nothing is said of stopping: models of very few agree by knowing nothing.
SETTLED = 100

#: Successive agreements of which the mean is asked.
WINDOW = 3


def is_random(n: int, share: float = RANDOM_SHARE) -> bool:
    """Tell whether the label of this number, from 0, is drawn at random.

    Examples
    --------
    >>> [n for n in range(12) if is_random(n, 0.25)]
    [3, 7, 11]
    """
    return int((n + 1) * share) > int(n * share)


def random_order(draws: Floats) -> Ints:
    """Return the rows in the order in which they enter the random sample: by their permanent random numbers."""
    return np.argsort(draws, kind="stable")


def inclusion_probability(n_drawn: int, n_all: int) -> float:
    """Return the probability with which each sentence is in a simple random sample of this size."""
    return min(1.0, n_drawn / n_all) if n_all else 0.0


def n_clusters(n: int) -> int:
    """Return into how many clusters so many sentences are divided.

    Examples
    --------
    >>> n_clusters(10), n_clusters(12_000)
    (4, 64)
    """
    return int(min(64, max(1, np.sqrt(n) + 1)))


def find_clusters(points: Floats, k: int, sweeps: int = 10) -> tuple[Ints, Floats]:
    """Divide points into clusters; the same points always give the same.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Of length one.
    k : int
    sweeps : int
        Of k-means at most.

    Returns
    -------
    clusters : ndarray of int of shape (n,)
        Numbered by size, the largest first.
    closeness : ndarray of shape (n,)
        The cosine of each point and its cluster's centre.

    Notes
    -----
    Spherical k-means (Dhillon and Modha 2001). The first centre is the point nearest to the mean, each further one the
    point farthest from those before (Gonzalez 1985), which needs no random numbers.
    """
    n = len(points)
    mean = points.mean(axis=0)
    chosen = [int(np.argmax(points @ mean))]
    nearest = points @ points[chosen[0]]
    while len(chosen) < min(k, n):
        far = int(np.argmin(nearest))
        if nearest[far] > 1 - 1e-9:  # what is left are duplicates
            break
        chosen.append(far)
        nearest = np.maximum(nearest, points @ points[far])
    centres = points[chosen]
    clusters = np.zeros(n, dtype=np.intp)
    for sweep in range(sweeps):
        found = np.argmax(points @ centres.T, axis=1)
        if sweep and (found == clusters).all():
            break
        clusters = found
        sums = np.zeros_like(centres)
        np.add.at(sums, clusters, points)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1.0), centres)
    sizes = np.bincount(clusters, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[clusters], np.einsum("ij,ij->i", points, centres[clusters])


@dataclass
class Pool:
    """The sentences from which is chosen.

    Parameters
    ----------
    clusters : ndarray of int of shape (n,)
    closeness : ndarray of shape (n,)
        To the centre of its cluster.
    hits : ndarray of shape (n, n_frames)
        Keywords of each frame that a sentence holds.
    margins : ndarray of shape (n, n_frames)
        How far the model's logit is above the frame's threshold; NaN where there is no model of the frame.
    """

    clusters: Ints
    closeness: Floats
    hits: Floats
    margins: Floats
    _representatives: Ints = field(init=False)

    def __post_init__(self) -> None:
        # Round after round one of each cluster, the largest clusters first, nearest to the centre first.
        order = np.lexsort((-self.closeness, self.clusters))
        starts = np.r_[0, np.flatnonzero(np.diff(self.clusters[order])) + 1] if len(order) else np.zeros(0, int)
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        self._representatives = order[np.lexsort((self.clusters[order], place))]

    def next_frame(self, examples: Sequence[int], served: Sequence[int]) -> int:
        """Return the frame whose turn it is: each is served in proportion to how rare its examples are.

        Parameters
        ----------
        examples : sequence of int
            Labels with each frame so far.
        served : sequence of int
            How often it was each frame's turn.
        """
        rarity = 1.0 / np.sqrt(np.asarray(examples, dtype=np.float64) + 1.0)
        return int(np.argmin((np.asarray(served) + 1) / rarity))

    def representative(self, free: Bools) -> int:
        """Return the free row that shows most of what has not been seen: clusters in turn; -1 where none is free."""
        left = self._representatives[free[self._representatives]]
        return int(left[0]) if len(left) else -1

    def pick(self, free: Bools, frame: int, recent: Sequence[int] = ()) -> int:
        """Return the row to label next for a frame.

        Parameters
        ----------
        free : ndarray of bool of shape (n,)
            Rows that may be chosen.
        frame : int
        recent : sequence of int
            Clusters of the rows chosen last, which are left out where others are free.

        Returns
        -------
        int
            -1 where none is free.

        Notes
        -----
        Without a model the sentence with most of the frame's keywords, else a representative. With one the sentence
        nearest to the frame's threshold (uncertainty sampling; Lewis and Gale 1994), which for a rare frame is among
        those likeliest to carry it.
        """
        margins = self.margins[:, frame]
        if np.isnan(margins).all():
            hits = np.where(free, self.hits[:, frame], 0.0)
            if not hits.any():
                return self.representative(free)
            value = -hits - self.closeness * 1e-6
        else:
            value = np.abs(margins)
        spread = free & ~np.isin(self.clusters, np.asarray(recent, dtype=np.intp))
        for rows in (spread, free):
            if rows.any():
                return int(np.argmin(np.where(rows, np.nan_to_num(value, nan=np.inf), np.inf)))
        return -1


@dataclass
class Turns:
    """Whose turn it was so far.

    Attributes
    ----------
    served : dict
        How often it was each frame's turn, by whatever tells frames apart.
    recent : list of int
        The clusters of the sentences chosen last.
    """

    served: dict[Any, int] = field(default_factory=dict)
    recent: list[int] = field(default_factory=list)


def choose(
    pool: Pool, free: Bools, keys: Sequence[Any], examples: Sequence[int], turns: Turns, n_shown: int
) -> tuple[int, Any]:
    """Return the row to label next that is not drawn at random.

    Parameters
    ----------
    pool : Pool
    free : ndarray of bool of shape (n,)
        Rows that may be chosen.
    keys : sequence
        What tells the frames apart.
    examples : sequence of int
        Labels with each frame so far.
    turns : Turns
        Updated.
    n_shown : int
        Sentences shown so far.

    Returns
    -------
    row : int
        -1 where none is free.
    key
        The frame for which it was chosen; None for a wide view.

    Notes
    -----
    The first `START` give a wide view of what there is: clusters, and where frames have keywords every other sentence a
    frame's. Afterwards it is a frame's turn each time, a rare frame's more often.
    """
    if not free.any():
        return -1, None
    row, key = -1, None
    searched = bool(len(keys)) and bool(pool.hits.any())
    wide = n_shown < START and not (searched and n_shown % 2)
    if len(keys) and not wide and (searched or not np.isnan(pool.margins).all()):
        frame = pool.next_frame(examples, [turns.served.get(one, 0) for one in keys])
        key = keys[frame]
        row = pool.pick(free, frame, turns.recent)
        turns.served[key] = turns.served.get(key, 0) + 1
    if row < 0:
        row, key = pool.representative(free), None
    clusters = int(pool.clusters.max()) + 1
    turns.recent = [*turns.recent, int(pool.clusters[row])][-min(RECENT, clusters // 2) :] if clusters > 1 else []
    return row, key


def kappa(one: Bools, other: Bools) -> float:
    """Return Cohen's kappa of two models' decisions; NaN where both always say the same one thing.

    Examples
    --------
    >>> kappa(np.array([True, False, True, False]), np.array([True, False, False, False]))
    0.5
    """
    observed = float((one == other).mean())
    first, second = float(one.mean()), float(other.mean())
    chance = first * second + (1 - first) * (1 - second)
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def is_stable(agreements: Sequence[float]) -> bool:
    """Tell whether successive models agree so far that more labels would change little.

    Parameters
    ----------
    agreements : sequence of float
        Kappa of each model and the one before; NaN where it is undefined.

    Returns
    -------
    bool
        Whether the mean of the last `WINDOW` is above `STABLE`.
    """
    last = agreements[-WINDOW:]
    return len(last) == WINDOW and bool(np.mean(last) > STABLE)
