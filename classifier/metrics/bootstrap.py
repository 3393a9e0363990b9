"""The bootstrap over articles: resamples as weights, so that a thousand of them are a matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.system.arrays import Bools, Floats

#: Resamples behind every interval.
RESAMPLES = 1000

#: Sentences times resamples ranked at once; bounds the memory, whatever the corpus.
_BATCH = 1_500_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and its 95 % confidence interval.

    Parameters
    ----------
    value : float
        Undefined precision, recall and F1 (the precision of a frame never predicted) count as 0, as in scikit-learn.
    low, high : float
        The 2.5th and 97.5th percentile over the bootstrap's resamples.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return the figure as plain data, rounded to six decimals."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}

    @classmethod
    def from_dict(cls, data: Mapping[str, float] | None) -> Figure | None:
        """Return the figure that `to_dict` gave as plain data; None for None."""
        return None if data is None else cls(float(data["value"]), float(data["low"]), float(data["high"]))


class Bootstrap:
    """Resamples of articles with replacement, as weights of their sentences.

    Parameters
    ----------
    groups : ndarray of int of shape (n_texts,)
        The article of each sentence.
    n_resamples : int
    seed : int

    Attributes
    ----------
    weights : ndarray of shape (1 + n_resamples, n_groups)
        How often each article counts: once in the first row, the data; as often as it was drawn in the others.

    Notes
    -----
    Sentences of one article resemble one another; drawing articles and not sentences keeps the intervals
    honest (the cluster bootstrap; Davison and Hinkley 1997, section 3.8).
    """

    def __init__(self, groups: npt.NDArray[np.int64], n_resamples: int = RESAMPLES, seed: int = 0) -> None:
        if not len(groups):
            raise ValueError("there is nothing to measure: no sentences.")
        _, self.groups = np.unique(groups, return_inverse=True)
        self.n_groups = int(self.groups.max()) + 1
        rng = np.random.default_rng(seed)
        draws = rng.integers(self.n_groups, size=(n_resamples, self.n_groups))
        draws += np.arange(n_resamples)[:, None] * self.n_groups
        drawn = np.bincount(draws.ravel(), minlength=n_resamples * self.n_groups)
        self.weights = np.ones((1 + n_resamples, self.n_groups))
        self.weights[1:] = drawn.reshape(n_resamples, self.n_groups)
        self._order = np.argsort(self.groups, kind="stable")
        self._starts = np.searchsorted(self.groups[self._order], np.arange(self.n_groups))

    def totals(self, values: npt.NDArray[Any]) -> Floats:
        """Return the sums of per-sentence values, in the data and then in each resample.

        Parameters
        ----------
        values : ndarray of shape (n_texts, n_columns)

        Returns
        -------
        ndarray of shape (1 + n_resamples, n_columns)
        """
        per_group = np.add.reduceat(values[self._order].astype(np.float64), self._starts, axis=0)
        result: Floats = self.weights @ per_group
        return result

    def ranking(self, truth: Bools, scores: Floats) -> tuple[Floats, Floats]:
        """Return average precision and ROC AUC of one frame, in the data and then in each resample.

        Parameters
        ----------
        truth : ndarray of bool of shape (n_texts,)
        scores : ndarray of shape (n_texts,)

        Returns
        -------
        average_precision, roc_auc : ndarray of shape (1 + n_resamples,)
            Without positives the first is 0 and the second NaN; without negatives the second is NaN.

        Notes
        -----
        scikit-learn's ``average_precision_score`` and ``roc_auc_score`` with the resample's counts as sample
        weights, computed for all resamples on one sorting of the scores.
        """
        order = np.argsort(-scores, kind="stable")
        ranked, owners = scores[order], self.groups[order]
        positive = np.flatnonzero(truth[order])
        # Tied scores are one step: a positive is counted at its step's end, half the step's negatives above it.
        before = np.searchsorted(-ranked, -ranked[positive], side="left") - 1
        end = np.searchsorted(-ranked, -ranked[positive], side="right") - 1
        hit_before = np.searchsorted(positive, before, side="right") - 1
        hit_end = np.searchsorted(positive, end, side="right") - 1
        tied = bool((end - before > 1).any())
        precision_area, roc_area = np.zeros(len(self.weights)), np.full(len(self.weights), np.nan)
        size = max(1, _BATCH // len(order))
        for start in range(0, len(self.weights) if len(positive) else 0, size):
            batch = slice(start, start + size)
            drawn = np.ascontiguousarray(self.weights[batch].T, dtype=np.int32)[owners]
            weight = drawn[positive].astype(np.float64)
            everything = np.cumsum(drawn, axis=0, dtype=np.int32, out=drawn)
            found = np.cumsum(weight, axis=0)
            hits, seen = (found[hit_end] if tied else found), everything[end].astype(np.float64)
            precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
            precision_area[batch] = ratio(np.einsum("ij,ij->j", precision, weight), found[-1])
            false = seen - hits
            if tied:
                earlier = np.where((before >= 0)[:, None], everything[before], 0)
                earlier_hits = np.where((hit_before >= 0)[:, None], found[hit_before], 0.0)
                false = (false + earlier - earlier_hits) / 2
            negatives = everything[-1] - found[-1]
            pairs = found[-1] * negatives
            won = pairs - np.einsum("ij,ij->j", false, weight)
            roc_area[batch] = np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
        return precision_area, roc_area


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; nothing by nothing is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def interval(values: Floats) -> Figure:
    """Make a figure of a value and its resamples.

    Parameters
    ----------
    values : ndarray of shape (1 + n_resamples,)
        The figure in the data, then in each resample.

    Returns
    -------
    Figure
    """
    figure = intervals(values[:, None])[0]
    if figure is None:
        raise ValueError("the figure is undefined in the data.")
    return figure


def intervals(values: Floats) -> list[Figure | None]:
    """Make figures of values and their resamples, column by column.

    Parameters
    ----------
    values : ndarray of shape (1 + n_resamples, n_figures)
        Each figure in the data, then in each resample; NaN where it is undefined.

    Returns
    -------
    list of Figure or None
        None where the figure is undefined in the data. Resamples where it is undefined are left out.
    """
    defined = ~np.isnan(values[0])
    result: list[Figure | None] = [None] * values.shape[1]
    for column in np.flatnonzero(defined):
        draws = values[1:, column]
        draws = draws[~np.isnan(draws)]
        low, high = np.percentile(draws, [2.5, 97.5]) if len(draws) else values[[0, 0], column]
        result[column] = Figure(float(values[0, column]), float(low), float(high))
    return result
