"""Whether one model is better than another on the same sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, intervals
from classifier.metrics.figures import FRAME_FIGURES, MACRO, MICRO, Scores, resampled_figures
from classifier.system.arrays import Floats


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models compared in one figure of one frame, or of a summary row.

    Parameters
    ----------
    name : str
        The frame, or ``"macro average"``, ``"micro average"``.
    figure : str
        A key of `FRAME_FIGURES`.
    first, second : float
        The figure of each model.
    difference : Figure
        `first` minus `second`, with its 95 % interval.
    p_value : float
        Two-sided; see `compare`.
    """

    name: str
    figure: str
    first: float
    second: float
    difference: Figure
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {
            "name": self.name,
            "figure": self.figure,
            "first": round(self.first, 6),
            "second": round(self.second, 6),
            "difference": self.difference.to_dict(),
            "p_value": round(self.p_value, 6),
        }


def compare(
    first: Scores, second: Scores, frames: tuple[str, ...], seed: int = 0, n_resamples: int = RESAMPLES
) -> list[Comparison]:
    """Compare two models on the same labeled sentences by a paired bootstrap test over articles.

    Parameters
    ----------
    first, second : Scores
        Results on the same sentences in the same order.
    frames : tuple of str
        Names of the columns.
    seed : int
        Of the bootstrap.
    n_resamples : int

    Returns
    -------
    list of Comparison
        Every figure of every frame, then of the macro and the micro average; figures undefined in the data are
        left out.

    Raises
    ------
    ValueError
        If the two are not results on the same sentences.

    Notes
    -----
    Both models are measured on the same resamples of articles, which keeps apart what the models differ in and
    what the articles differ in. With d the difference in the data and d* that in each of B resamples, the p-value
    is (1 + n) / (1 + B), n the number of resamples with abs(d* − d) ≥ abs(d): how often a difference as large
    would come about if there were none, the resamples being shifted to the null hypothesis (Efron and Tibshirani
    1993, chapter 16; for language data Berg-Kirkpatrick, Burkett and Klein 2012, there one-sided; the added one as
    in Davison and Hinkley 1997, section 4.2). Many figures are tested at once: a single p just below 0.05 among
    dozens is no discovery.
    """
    same = (
        first.truth.shape == second.truth.shape
        and np.array_equal(first.truth, second.truth)
        and np.array_equal(first.groups, second.groups)
    )
    if not same:
        raise ValueError("two models can be compared only on the same sentences, labels and articles.")
    bootstrap = Bootstrap(first.groups, n_resamples, seed)
    return compare_resampled(resampled_figures(first, bootstrap), resampled_figures(second, bootstrap), frames)


def compare_resampled(
    ours: Mapping[str, Floats], theirs: Mapping[str, Floats], frames: tuple[str, ...]
) -> list[Comparison]:
    """Compare two models by figures already resampled by one and the same bootstrap; see `compare`.

    Parameters
    ----------
    ours, theirs : mapping of str to ndarray of shape (1 + n_resamples, n_frames + 2)
        As `classifier.metrics.figures.resampled_figures` returns them.
    frames : tuple of str

    Returns
    -------
    list of Comparison
    """
    rows = []
    for column, name in enumerate((*frames, MACRO, MICRO)):
        for figure in FRAME_FIGURES:
            one, other = ours[figure][:, column], theirs[figure][:, column]
            difference = one - other
            (shown,) = intervals(difference[:, None])
            if shown is None:
                continue
            draws = difference[1:][~np.isnan(difference[1:])]
            # Equal to the last bit or not at all: a rounding error must not decide whether a draw counts.
            extreme = np.abs(draws - shown.value) >= abs(shown.value) - 1e-12
            p_value = (1 + int(extreme.sum())) / (1 + len(draws))
            rows.append(Comparison(name, figure, float(one[0]), float(other[0]), shown, p_value))
    return rows
