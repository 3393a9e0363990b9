"""Figures of a classifier, a frame and overall, with confidence intervals from a bootstrap over articles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Resamples behind every interval.
RESAMPLES = 1000

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and its 95 % confidence interval.

    Parameters
    ----------
    value : float
        Undefined figures (the precision of a frame never predicted) count as 0, as in scikit-learn.
    low, high : float
        The 2.5th and 97.5th percentile over the bootstrap's resamples.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return the figure as plain data, rounded to six decimals."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


class Bootstrap:
    """Resamples of articles with replacement, as weights of their sentences.

    Parameters
    ----------
    groups : ndarray of int of shape (n_texts,)
        The article of each sentence, numbered from 0.
    n_resamples : int
    seed : int

    Attributes
    ----------
    group_weights : ndarray of shape (n_resamples, n_groups)
        How often each article was drawn.

    Notes
    -----
    Sentences of one article resemble one another; drawing articles and not sentences keeps the intervals
    honest (the cluster bootstrap; Davison and Hinkley 1997, section 3.8).
    """

    def __init__(self, groups: npt.NDArray[np.int64], n_resamples: int = RESAMPLES, seed: int = 0) -> None:
        _, self.groups = np.unique(groups, return_inverse=True)
        self.n_groups = int(self.groups.max()) + 1 if len(groups) else 0
        rng = np.random.default_rng(seed)
        draws = rng.integers(self.n_groups, size=(n_resamples, self.n_groups))
        draws += np.arange(n_resamples)[:, None] * self.n_groups
        self.group_weights = (
            np.bincount(draws.ravel(), minlength=n_resamples * self.n_groups)
            .reshape(n_resamples, self.n_groups)
            .astype(np.float64)
        )

    def totals(self, values: npt.NDArray[Any]) -> Floats:
        """Return the sums of per-sentence values, in the data and then in each resample.

        Parameters
        ----------
        values : ndarray of shape (n_texts, n_columns)

        Returns
        -------
        ndarray of shape (1 + n_resamples, n_columns)
        """
        per_group = np.zeros((self.n_groups, values.shape[1]))
        np.add.at(per_group, self.groups, values)
        return np.vstack([per_group.sum(axis=0), self.group_weights @ per_group])

    def average_precision(self, truth: Bools, scores: Floats) -> Floats:
        """Return the average precision of one frame, in the data and then in each resample.

        Parameters
        ----------
        truth : ndarray of bool of shape (n_texts,)
        scores : ndarray of shape (n_texts,)

        Returns
        -------
        ndarray of shape (1 + n_resamples,)

        Notes
        -----
        ``sklearn.metrics.average_precision_score`` with the resample's counts as sample weights, computed for all
        resamples on one sorting of the scores.
        """
        order = np.argsort(-scores, kind="stable")
        ranked, hits = scores[order], truth[order]
        last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # tied scores are one step
        result = np.empty(1 + len(self.group_weights))
        for start in range(0, len(result), 64):  # bounds the memory, whatever the corpus
            rows = np.arange(start, min(start + 64, len(result)))
            weights = np.ones((len(rows), len(order)))
            drawn = rows > 0
            weights[drawn] = self.group_weights[rows[drawn] - 1][:, self.groups[order]]
            positives = np.cumsum(weights * hits, axis=1)[:, last]
            everything = np.cumsum(weights, axis=1)[:, last]
            precision = _ratio(positives, everything)
            recall_steps = np.diff(positives, axis=1, prepend=0.0)
            result[rows] = _ratio((precision * recall_steps).sum(axis=1), positives[:, -1])
        return result


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
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
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Figure(float(values[0]), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Scores:
    """Out-of-fold or held-out results, one row a sentence.

    Parameters
    ----------
    truth : ndarray of bool of shape (n_texts, n_frames)
    predicted : ndarray of bool of shape (n_texts, n_frames)
    probabilities : ndarray of shape (n_texts, n_frames)
    groups : ndarray of int of shape (n_texts,)
        Articles.
    """

    truth: Bools
    predicted: Bools
    probabilities: Floats
    groups: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, truth: Bools, groups: npt.NDArray[np.int64]) -> Scores:
        """Return results to be filled in fold by fold."""
        return cls(truth, np.zeros(truth.shape, dtype=bool), np.zeros(truth.shape), groups)


#: Figures a frame, in the order of every table; `FRAME_FIGURES` names them for people.
FRAME_FIGURES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "AP",
}


@dataclass(frozen=True, slots=True)
class FrameMetrics:
    """Figures of one frame, or of a summary row.

    Parameters
    ----------
    name : str
        The frame, or ``"macro average"``, ``"micro average"``.
    precision, recall, f1 : Figure
    average_precision : Figure or None
        Area under the precision–recall curve as scikit-learn computes it; None where none was scored.
    support : int
        Sentences labeled with the frame.
    """

    name: str
    precision: Figure
    recall: Figure
    f1: Figure
    average_precision: Figure | None
    support: int

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        figures = {name: getattr(self, name) for name in FRAME_FIGURES}
        return {
            "name": self.name,
            "support": self.support,
            **{name: None if figure is None else figure.to_dict() for name, figure in figures.items()},
        }


def frame_metrics(
    scores: Scores, frames: tuple[str, ...], seed: int = 0, n_resamples: int = RESAMPLES
) -> list[FrameMetrics]:
    """Compute the figures of every frame, their macro average and the micro average.

    Parameters
    ----------
    scores : Scores
    frames : tuple of str
        Names of the columns.
    seed : int
        Of the bootstrap.
    n_resamples : int

    Returns
    -------
    list of FrameMetrics
        One a frame, then ``macro average`` (the mean over frames) and ``micro average`` (all decisions pooled).
    """
    bootstrap = Bootstrap(scores.groups, n_resamples, seed)
    hits = bootstrap.totals(scores.truth & scores.predicted)
    predicted = bootstrap.totals(scores.predicted)
    positive = bootstrap.totals(scores.truth)
    areas = np.column_stack(
        [bootstrap.average_precision(scores.truth[:, i], scores.probabilities[:, i]) for i in range(len(frames))]
    )
    precision, recall, f1 = _ratio(hits, predicted), _ratio(hits, positive), _ratio(2 * hits, predicted + positive)
    support = scores.truth.sum(axis=0)
    rows = [
        FrameMetrics(
            name,
            interval(precision[:, i]),
            interval(recall[:, i]),
            interval(f1[:, i]),
            interval(areas[:, i]),
            int(support[i]),
        )
        for i, name in enumerate(frames)
    ]
    everything = int(support.sum())
    means = [interval(part.mean(axis=1)) for part in (precision, recall, f1, areas)]
    rows.append(FrameMetrics("macro average", means[0], means[1], means[2], means[3], everything))
    hits, predicted, positive = hits.sum(axis=1), predicted.sum(axis=1), positive.sum(axis=1)
    rows.append(
        FrameMetrics(
            "micro average",
            interval(_ratio(hits, predicted)),
            interval(_ratio(hits, positive)),
            interval(_ratio(2 * hits, predicted + positive)),
            None,
            everything,
        )
    )
    return rows
