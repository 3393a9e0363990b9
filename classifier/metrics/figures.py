"""Figures of every frame, their macro average and the micro average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, intervals, ratio
from classifier.system.arrays import Bools, Floats

#: Bins of calibration curves and of the calibration error: equally wide, from 0 to 1.
N_BINS = 10

#: Names of the two summary rows.
MACRO, MICRO = "macro average", "micro average"

#: Figures of decisions and what people call them, in the order of every table.
DECISION_FIGURES = {"precision": "precision", "recall": "recall", "f1": "F1", "matthews": "MCC"}

#: Figures of probabilities and what people call them, in the order of every table.
PROBABILITY_FIGURES = {
    "average_precision": "AP",
    "roc_auc": "ROC AUC",
    "brier": "Brier",
    "calibration_error": "ECE",
}

FRAME_FIGURES = {**DECISION_FIGURES, **PROBABILITY_FIGURES}


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

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: npt.NDArray[Any]) -> Scores:
        """Return the results of these rows: numbers, or a mask."""
        return Scores(self.truth[rows], self.predicted[rows], self.probabilities[rows], self.groups[rows])


@dataclass(frozen=True, slots=True)
class FrameMetrics:
    """Figures of one frame, or of a summary row.

    Parameters
    ----------
    name : str
        The frame, or ``"macro average"``, ``"micro average"``.
    support : int
        Sentences labeled with the frame.
    precision, recall, f1 : Figure
    matthews : Figure
        Matthews' correlation of label and decision; 0 where either is constant.
    average_precision : Figure or None
        Area under the precision–recall curve as scikit-learn computes it.
    roc_auc : Figure or None
        None where every sentence, or none, is labeled with the frame.
    brier : Figure
        Mean squared difference of probability and label.
    calibration_error : Figure
        Expected calibration error; see `frame_metrics`.

    Notes
    -----
    The two areas are None in the micro average, which pools decisions but not rankings.
    """

    name: str
    support: int
    precision: Figure
    recall: Figure
    f1: Figure
    matthews: Figure
    average_precision: Figure | None
    roc_auc: Figure | None
    brier: Figure
    calibration_error: Figure

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        figures = {name: getattr(self, name) for name in FRAME_FIGURES}
        return {
            "name": self.name,
            "support": self.support,
            **{name: None if figure is None else figure.to_dict() for name, figure in figures.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameMetrics:
        """Return the row that `to_dict` gave as plain data."""
        figures = {name: Figure.from_dict(data[name]) for name in FRAME_FIGURES}
        return cls(str(data["name"]), int(data["support"]), **figures)  # type: ignore[arg-type]


def resampled_figures(scores: Scores, bootstrap: Bootstrap) -> dict[str, Floats]:
    """Compute every figure in the data and in each resample.

    Parameters
    ----------
    scores : Scores
    bootstrap : Bootstrap
        Of the groups of `scores`.

    Returns
    -------
    dict of str to ndarray of shape (1 + n_resamples, n_frames + 2)
        A column a frame, then the macro and the micro average; NaN where a figure is undefined.
    """
    truth, predicted, probabilities = scores.truth, scores.predicted, scores.probabilities
    n_frames = truth.shape[1]
    everything = bootstrap.totals(np.ones((len(truth), 1)))
    hits = _with_pool(bootstrap.totals(truth & predicted))
    guessed = _with_pool(bootstrap.totals(predicted))
    positive = _with_pool(bootstrap.totals(truth))
    decisions = np.hstack([np.repeat(everything, n_frames, axis=1), everything * n_frames])
    areas = [bootstrap.ranking(truth[:, i], probabilities[:, i]) for i in range(n_frames)]
    undefined = np.full_like(everything, np.nan)
    gaps = _bin_gaps(scores, bootstrap)
    result = {
        "precision": ratio(hits, guessed),
        "recall": ratio(hits, positive),
        "f1": ratio(2 * hits, guessed + positive),
        "matthews": ratio(
            hits * decisions - guessed * positive,
            np.sqrt(guessed * positive * (decisions - guessed) * (decisions - positive)),
        ),
        "average_precision": np.hstack([np.column_stack([area[0] for area in areas]), undefined]),
        "roc_auc": np.hstack([np.column_stack([area[1] for area in areas]), undefined]),
        "brier": ratio(_with_pool(bootstrap.totals((probabilities - truth) ** 2)), decisions),
        "calibration_error": _unbiased(ratio(np.abs(gaps).sum(axis=2), decisions)),
    }
    return {name: np.insert(values, n_frames, _mean(values[:, :-1]), axis=1) for name, values in result.items()}


def _with_pool(totals: Floats) -> Floats:
    """Append the sum over frames as a column."""
    return np.hstack([totals, totals.sum(axis=1, keepdims=True)])


def _mean(values: Floats) -> Floats:
    """Return the mean over frames where the figure is defined."""
    defined = ~np.isnan(values)
    number = defined.sum(axis=1)
    total = np.where(defined, values, 0.0).sum(axis=1)
    result: Floats = np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0)
    return result


def bins(probabilities: Floats) -> npt.NDArray[np.intp]:
    """Return the number of the bin of each probability; a bin has its lower edge, the last one both."""
    numbers: npt.NDArray[np.intp] = np.clip((probabilities * N_BINS).astype(np.intp), 0, N_BINS - 1)
    return numbers


def _bin_gaps(scores: Scores, bootstrap: Bootstrap) -> Floats:
    """Return the sum of (probability − label) in each bin, shape (1 + n_resamples, n_frames + 1, N_BINS)."""
    n, n_frames = scores.truth.shape
    cells = np.zeros((n, n_frames, N_BINS))
    where = bins(scores.probabilities)
    np.put_along_axis(cells, where[..., None], (scores.probabilities - scores.truth)[..., None], axis=2)
    gaps = bootstrap.totals(cells.reshape(n, -1)).reshape(-1, n_frames, N_BINS)
    return np.concatenate([gaps, gaps.sum(axis=1, keepdims=True)], axis=1)


def _unbiased(values: Floats) -> Floats:
    """Shift each figure's resamples by their bias, never below 0."""
    shift = values[1:].mean(axis=0) - values[0] if len(values) > 1 else 0.0
    result: Floats = np.maximum(values - shift, 0.0)
    result[0] = values[0]
    return result


def frame_metrics(
    scores: Scores,
    frames: tuple[str, ...],
    seed: int = 0,
    n_resamples: int = RESAMPLES,
    bootstrap: Bootstrap | None = None,
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
    bootstrap : Bootstrap, optional
        Of the groups of `scores`, instead of a new one.

    Returns
    -------
    list of FrameMetrics
        One a frame, then ``macro average`` (the mean over the frames where a figure is defined) and
        ``micro average`` (all decisions pooled).

    Notes
    -----
    Each figure is scikit-learn's where it has it: ``precision_recall_fscore_support`` (``zero_division=0``),
    ``matthews_corrcoef``, ``average_precision_score``, ``roc_auc_score``, ``brier_score_loss``. A multiclass
    task is measured one class against the rest.

    The expected calibration error is the mean over sentences of the distance between probability and share in
    the sentence's bin of `N_BINS` equally wide ones (Naeini, Cooper and Hauskrecht 2015). It cannot be negative,
    so chance alone raises it, and each resample raises it once more; the resamples are therefore shifted by
    their mean distance from the data's value before the interval is taken (Efron and Tibshirani 1993, chapter 10).
    """
    bootstrap = Bootstrap(scores.groups, n_resamples, seed) if bootstrap is None else bootstrap
    figures = {name: intervals(values) for name, values in resampled_figures(scores, bootstrap).items()}
    support = [int(value) for value in scores.truth.sum(axis=0)]
    return [
        FrameMetrics(name, number, **{figure: column[i] for figure, column in figures.items()})  # type: ignore[arg-type]
        for i, (name, number) in enumerate(
            zip((*frames, MACRO, MICRO), (*support, sum(support), sum(support)), strict=True)
        )
    ]
