"""Everything measured of one set of results: figures, confusions, calibration, slices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, interval, intervals, ratio
from classifier.metrics.figures import N_BINS, FrameMetrics, Scores, bins, frame_metrics
from classifier.model.band import BAND
from classifier.system.arrays import Floats

if TYPE_CHECKING:
    from classifier.codebook import Task

#: The name of "no frame" in confusions, and of an empty cell among a column's values.
NONE = "(none)"

#: Values of a column with fewer articles are measured together, under this name.
OTHER = "(other)"
MIN_ARTICLES = 5

#: The key of the calibration curve of all frames together.
ALL = "all frames"


@dataclass(frozen=True, slots=True)
class Confusion:
    """Which frames, and which sets of frames, are taken for which.

    Parameters
    ----------
    frames : tuple of str
        Names of rows and columns, in order; the last row and column of `counts` is `NONE`.
    counts : ndarray of int of shape (n_frames + 1, n_frames + 1)
        See `confusion`.
    shares : list of list of Figure or None
        `counts` as shares of the sentences labeled with the row's frame (of those without any for the last row);
        None where there are none.
    sets : dict of (str, str) to int
        Sentences by their set of labels and the set predicted, both as names joined by ``|``; pairs that occur.
    """

    frames: tuple[str, ...]
    counts: Any
    shares: list[list[Figure | None]]
    sets: dict[tuple[str, str], int]

    def to_dict(self) -> dict[str, Any]:
        """Return the confusions as plain data."""
        return {
            "frames": [*self.frames, NONE],
            "counts": self.counts.tolist(),
            "shares": [[None if cell is None else cell.to_dict() for cell in row] for row in self.shares],
            "sets": [[truth, predicted, number] for (truth, predicted), number in self.sets.items()],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Confusion:
        """Return the confusions that `to_dict` gave as plain data."""
        return cls(
            tuple(data["frames"][:-1]),
            np.array(data["counts"], dtype=np.int64),
            [[Figure.from_dict(cell) for cell in row] for row in data["shares"]],
            {(truth, predicted): number for truth, predicted, number in data["sets"]},
        )


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Sentences given a probability between two edges, and how many of them carried the frame.

    Parameters
    ----------
    low, high : float
        Edges; the lower one belongs to the bin.
    n : int
        Sentences (for all frames together: pairs of a sentence and a frame).
    probability : float
        Their mean probability.
    share : Figure
        Of those that carried the frame.
    """

    low: float
    high: float
    n: int
    probability: float
    share: Figure

    def to_dict(self) -> dict[str, Any]:
        """Return the bin as plain data."""
        return {
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "probability": round(self.probability, 6),
            "share": self.share.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CalibrationBin:
        """Return the bin that `to_dict` gave as plain data."""
        share = Figure.from_dict(data["share"])
        assert share is not None
        return cls(data["low"], data["high"], data["n"], data["probability"], share)


@dataclass(frozen=True, slots=True)
class Abstention:
    """What leaving the doubtful decisions to a person would gain.

    Parameters
    ----------
    low, high : float
        The band of probabilities counted as doubtful, edges included.
    sentences : Figure
        Share of sentences with a doubtful frame.
    right_inside, right_outside : Figure or None
        Share of right decisions in the band and outside; None where there are none.
    """

    low: float
    high: float
    sentences: Figure
    right_inside: Figure | None
    right_outside: Figure | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "low": self.low,
            "high": self.high,
            "sentences": self.sentences.to_dict(),
            "right_inside": None if self.right_inside is None else self.right_inside.to_dict(),
            "right_outside": None if self.right_outside is None else self.right_outside.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Abstention:
        """Return the figures that `to_dict` gave as plain data."""
        sentences = Figure.from_dict(data["sentences"])
        assert sentences is not None
        inside, outside = (Figure.from_dict(data[name]) for name in ("right_inside", "right_outside"))
        return cls(data["low"], data["high"], sentences, inside, outside)


@dataclass(frozen=True, slots=True)
class Slice:
    """The figures of the sentences that share one value of a column.

    Parameters
    ----------
    value : str
        The value; `NONE` for empty cells, `OTHER` for the rare values together.
    sentences, articles : int
    rows : list of FrameMetrics
        As `frame_metrics` gives them.
    """

    value: str
    sentences: int
    articles: int
    rows: list[FrameMetrics]

    def to_dict(self) -> dict[str, Any]:
        """Return the slice as plain data."""
        return {
            "value": self.value,
            "sentences": self.sentences,
            "articles": self.articles,
            "frames": [row.to_dict() for row in self.rows],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Slice:
        """Return the slice that `to_dict` gave as plain data."""
        rows = [FrameMetrics.from_dict(row) for row in data["frames"]]
        return cls(data["value"], data["sentences"], data["articles"], rows)


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything measured of one set of results.

    Parameters
    ----------
    task : {"multilabel", "multiclass"}
    sentences, articles : int
    rows : list of FrameMetrics
        A frame each, then the macro and the micro average.
    overall : dict of str to Figure
        ``subset_accuracy`` (all frames of a sentence right) and ``hamming_loss`` (share of wrong decisions) for
        multilabel, ``accuracy`` for multiclass.
    confusion : Confusion
    calibration : dict of str to list of CalibrationBin
        The calibration curve of each frame, and of all frames together under `ALL`; empty bins are left out.
    abstention : Abstention
    by : dict of str to list of Slice
        For each column asked for, the figures of each of its values, the most frequent first.
    """

    task: Task
    sentences: int
    articles: int
    rows: list[FrameMetrics]
    overall: dict[str, Figure]
    confusion: Confusion
    calibration: dict[str, list[CalibrationBin]]
    abstention: Abstention
    by: dict[str, list[Slice]] = field(default_factory=dict)

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames' names."""
        return self.confusion.frames

    def row(self, name: str) -> FrameMetrics:
        """Return the row of this name."""
        return next(row for row in self.rows if row.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain data, fit for JSON."""
        return {
            "task": self.task,
            "sentences": self.sentences,
            "articles": self.articles,
            "frames": [row.to_dict() for row in self.rows],
            "overall": {name: figure.to_dict() for name, figure in self.overall.items()},
            "confusion": self.confusion.to_dict(),
            "calibration": {name: [part.to_dict() for part in curve] for name, curve in self.calibration.items()},
            "abstention": self.abstention.to_dict(),
            "by": {column: [part.to_dict() for part in parts] for column, parts in self.by.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Summary:
        """Return the summary that `to_dict` gave as plain data."""
        overall = {name: Figure.from_dict(figure) for name, figure in data["overall"].items()}
        curves = data["calibration"].items()
        return cls(
            data["task"],
            data["sentences"],
            data["articles"],
            [FrameMetrics.from_dict(row) for row in data["frames"]],
            {name: figure for name, figure in overall.items() if figure is not None},
            Confusion.from_dict(data["confusion"]),
            {name: [CalibrationBin.from_dict(part) for part in curve] for name, curve in curves},
            Abstention.from_dict(data["abstention"]),
            {column: [Slice.from_dict(part) for part in parts] for column, parts in data["by"].items()},
        )


def summarize(
    scores: Scores,
    frames: tuple[str, ...],
    task: Task,
    seed: int = 0,
    by: Mapping[str, Sequence[str]] | None = None,
    n_resamples: int = RESAMPLES,
) -> Summary:
    """Measure everything of one set of results, on the same resamples.

    Parameters
    ----------
    scores : Scores
    frames : tuple of str
        Names of the columns.
    task : {"multilabel", "multiclass"}
    seed : int
        Of the bootstrap.
    by : mapping of str to sequence of str, optional
        Columns of the corpus whose values are measured each on its own, by name.
    n_resamples : int

    Returns
    -------
    Summary
    """
    bootstrap = Bootstrap(scores.groups, n_resamples, seed)
    wrong = scores.truth != scores.predicted
    exact = ~wrong.any(axis=1, keepdims=True)
    n = bootstrap.totals(np.ones((len(scores), 1)))[:, 0]
    right = interval(bootstrap.totals(exact)[:, 0] / n)
    if task == "multiclass":
        overall = {"accuracy": right}
    else:
        loss = interval(bootstrap.totals(wrong).sum(axis=1) / (n * len(frames)))
        overall = {"subset_accuracy": right, "hamming_loss": loss}
    return Summary(
        task=task,
        sentences=len(scores),
        articles=bootstrap.n_groups,
        rows=frame_metrics(scores, frames, bootstrap=bootstrap),
        overall=overall,
        confusion=confusion(scores, frames, bootstrap),
        calibration=calibration_curve(scores, frames, bootstrap),
        abstention=abstention(scores, bootstrap),
        by={column: slices(scores, frames, values, seed, n_resamples) for column, values in (by or {}).items()},
    )


def confusion(scores: Scores, frames: tuple[str, ...], bootstrap: Bootstrap) -> Confusion:
    """Count which frames are taken for which.

    Parameters
    ----------
    scores : Scores
    frames : tuple of str
    bootstrap : Bootstrap
        Of the groups of `scores`.

    Returns
    -------
    Confusion
        Sentences labeled with frame i and predicted as i are counted in cell (i, i). A sentence whose label i was
        missed is counted in (i, j) for every frame j that was predicted though it is not a label, and in
        (i, none) where there is no such frame. A sentence with a wrongly predicted frame j and no missed label is
        counted in (none, j). A sentence without labels, predicted as such, is counted in (none, none). For
        multiclass this is the usual confusion matrix; for multilabel it follows the multi-label confusion matrix
        of Heydarian, Doyle and Samavi (2022), save that wrong predictions are not set against labels found.
    """
    truth, predicted = scores.truth, scores.predicted
    n, n_frames = truth.shape
    missed, false = truth & ~predicted, predicted & ~truth
    cells = np.zeros((n, n_frames + 1, n_frames + 1), dtype=bool)
    cells[:, :-1, :-1] = missed[:, :, None] & false[:, None, :]
    cells[:, :-1, -1] = missed & ~false.any(axis=1, keepdims=True)
    cells[:, -1, :-1] = false & ~missed.any(axis=1, keepdims=True)
    cells[:, -1, -1] = ~(truth | predicted).any(axis=1)
    cells[:, range(n_frames), range(n_frames)] = truth & predicted
    carried = np.column_stack([truth, ~truth.any(axis=1)])
    of = np.repeat(bootstrap.totals(carried), n_frames + 1, axis=1)
    totals = bootstrap.totals(cells.reshape(n, -1))
    shares = np.divide(totals, of, out=np.full_like(totals, np.nan), where=of > 0)
    figures = intervals(shares)
    names = np.array(frames, dtype=object)
    pairs = Counter(
        ("|".join(names[label]) or NONE, "|".join(names[guess]) or NONE)
        for label, guess in zip(truth, predicted, strict=True)
    )
    side = n_frames + 1
    return Confusion(
        frames,
        cells.sum(axis=0),
        [figures[row * side : (row + 1) * side] for row in range(side)],
        dict(sorted(pairs.items(), key=lambda item: (-item[1], item[0]))),
    )


def calibration_curve(scores: Scores, frames: tuple[str, ...], bootstrap: Bootstrap) -> dict[str, list[CalibrationBin]]:
    """Compute what share of sentences carried a frame, by the probability they were given.

    Parameters
    ----------
    scores : Scores
    frames : tuple of str
    bootstrap : Bootstrap
        Of the groups of `scores`.

    Returns
    -------
    dict of str to list of CalibrationBin
        Of `N_BINS` equally wide bins those with sentences: for each frame, then for all of them together.
    """
    n, n_frames = scores.truth.shape
    where = bins(scores.probabilities)
    members = np.arange(N_BINS) == where[..., None]

    def totals(values: Floats) -> Floats:
        result = bootstrap.totals((members * values[..., None]).reshape(n, -1)).reshape(-1, n_frames, N_BINS)
        return np.concatenate([result, result.sum(axis=1, keepdims=True)], axis=1)

    number = totals(np.ones((n, n_frames)))
    carried = totals(scores.truth.astype(np.float64))
    probability = ratio(totals(scores.probabilities)[0], number[0])
    shares = np.divide(carried, number, out=np.full_like(number, np.nan), where=number > 0)
    curves: dict[str, list[CalibrationBin]] = {}
    for i, name in enumerate((*frames, ALL)):
        curves[name] = [
            CalibrationBin(k / N_BINS, (k + 1) / N_BINS, int(number[0, i, k]), float(probability[i, k]), figure)
            for k, figure in enumerate(intervals(shares[:, i]))
            if figure is not None
        ]
    return curves


#: Decisions that a stated probability is judged by at least.
MIN_DECISIONS = 10


def reliability(curve: Sequence[CalibrationBin], probability: float) -> tuple[float, float, int, float] | None:
    """Say what a stated probability meant: how many of the sentences given about as much carried the frame.

    Parameters
    ----------
    curve : sequence of CalibrationBin
    probability : float
        In the middle of the answer's span.

    Returns
    -------
    low, high : float
        The span: the two bins around the probability.
    n : int
        Sentences within.
    share : float
        Of those that carried the frame; the whole is None where there are fewer than `MIN_DECISIONS`.
    """
    middle = round(probability * N_BINS)
    low, high = (middle - 1) / N_BINS, (middle + 1) / N_BINS
    within = [part for part in curve if low - 1e-9 <= part.low and part.high <= high + 1e-9]
    n = sum(part.n for part in within)
    return (low, high, n, sum(part.n * part.share.value for part in within) / n) if n >= MIN_DECISIONS else None


def abstention(scores: Scores, bootstrap: Bootstrap, band: tuple[float, float] = BAND) -> Abstention:
    """Measure how often decisions are right within a band of probabilities and outside it.

    Parameters
    ----------
    scores : Scores
    bootstrap : Bootstrap
        Of the groups of `scores`.
    band : (float, float)

    Returns
    -------
    Abstention
    """
    inside = (scores.probabilities >= band[0]) & (scores.probabilities <= band[1])
    right = scores.truth == scores.predicted
    columns = [inside.any(axis=1), inside.sum(axis=1), (inside & right).sum(axis=1)]
    columns += [(~inside).sum(axis=1), (~inside & right).sum(axis=1), np.ones(len(scores))]
    doubtful, n_inside, right_inside, n_outside, right_outside, n = bootstrap.totals(np.column_stack(columns)).T
    undefined = np.full(len(n), np.nan)
    shares = [
        doubtful / n,
        np.divide(right_inside, n_inside, out=undefined.copy(), where=n_inside > 0),
        np.divide(right_outside, n_outside, out=undefined, where=n_outside > 0),
    ]
    sentences, of_inside, of_outside = intervals(np.column_stack(shares))
    assert sentences is not None
    return Abstention(band[0], band[1], sentences, of_inside, of_outside)


def pooled(values: Sequence[str], groups: Any) -> list[str]:
    """Name the values of a column as they are measured: empty ones, and rare ones together.

    Parameters
    ----------
    values : sequence of str
        One a sentence.
    groups : ndarray of int of shape (n_texts,)
        The article of each sentence.

    Returns
    -------
    list of str
        `NONE` for empty values; `OTHER` for those of fewer than `MIN_ARTICLES` articles.
    """
    names = [value.strip() or NONE for value in values]
    articles = Counter(name for name, _ in set(zip(names, map(int, groups), strict=True)))
    return [name if articles[name] >= MIN_ARTICLES else OTHER for name in names]


def slices(
    scores: Scores, frames: tuple[str, ...], values: Sequence[str], seed: int = 0, n_resamples: int = RESAMPLES
) -> list[Slice]:
    """Measure the sentences of each value of a column on their own.

    Parameters
    ----------
    scores : Scores
    frames : tuple of str
    values : sequence of str
        The column, one value a sentence; see `pooled`.
    seed : int
        Of the bootstrap.
    n_resamples : int

    Returns
    -------
    list of Slice
        The value with most sentences first; `OTHER` last.
    """
    names = np.array(pooled(values, scores.groups), dtype=object)
    numbers = Counter(names.tolist())
    result = []
    for name in sorted(numbers, key=lambda name: (name == OTHER, -numbers[name], name)):
        part = scores.take(names == name)
        rows = frame_metrics(part, frames, seed, n_resamples)
        result.append(Slice(name, len(part), len(np.unique(part.groups)), rows))
    return result
