"""How far two annotators agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.errors import FramingError
from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, intervals, ratio
from classifier.system.arrays import Bools, Floats

#: The row that compares whole sets of frames, each set a category of its own.
SETS = "label sets"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree on one frame, or on the whole set of frames.

    Parameters
    ----------
    name : str
        The frame, or `SETS`.
    sentences : int
        Labeled by both.
    first, second : int
        Of those that each labeled with the frame; for `SETS`, with any.
    observed : Figure
        Share of sentences on which they agree.
    kappa : Figure or None
        Cohen's kappa; None where it is undefined: both always gave one and the same label.
    alpha : Figure or None
        Krippendorff's alpha for nominal data; None as for kappa.
    """

    name: str
    sentences: int
    first: int
    second: int
    observed: Figure
    kappa: Figure | None
    alpha: Figure | None

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "name": self.name,
            "sentences": self.sentences,
            "first": self.first,
            "second": self.second,
            "observed": self.observed.to_dict(),
            "kappa": None if self.kappa is None else self.kappa.to_dict(),
            "alpha": None if self.alpha is None else self.alpha.to_dict(),
        }


def label_agreement(
    first: Bools,
    second: Bools,
    frames: tuple[str, ...],
    groups: npt.NDArray[np.int64],
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> list[Agreement]:
    """Measure how far two annotators agree, a frame each and on the whole set.

    Parameters
    ----------
    first, second : ndarray of bool of shape (n_texts, n_frames)
        The labels of the same sentences by each.
    frames : tuple of str
    groups : ndarray of int of shape (n_texts,)
        The article of each sentence; the intervals are bootstrapped over articles.
    seed : int
    n_resamples : int

    Returns
    -------
    list of Agreement
        One a frame, then `SETS`.

    Raises
    ------
    FramingError
        If the package krippendorff is not installed.

    Notes
    -----
    The values are those of scikit-learn's ``cohen_kappa_score`` and of the package ``krippendorff``; the
    resamples behind the intervals are computed from their tables of counts, all at once.
    """
    bootstrap = Bootstrap(groups, n_resamples, seed)
    columns: list[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = [
        (name, first[:, i].astype(np.int64), second[:, i].astype(np.int64)) for i, name in enumerate(frames)
    ]
    _, codes = np.unique(np.vstack([first, second]), axis=0, return_inverse=True)
    codes = codes.reshape(2, -1)
    columns.append((SETS, codes[0], codes[1]))
    marked = [(int(first[:, i].sum()), int(second[:, i].sum())) for i in range(len(frames))]
    marked.append((int(first.any(axis=1).sum()), int(second.any(axis=1).sum())))
    rows = []
    for (name, one, other), (by_first, by_second) in zip(columns, marked, strict=True):
        observed, kappa, alpha = chance_corrected(one, other, bootstrap)
        kappa[0], alpha[0] = library_values(one, other)
        figures = intervals(np.column_stack([observed, kappa, alpha]))
        assert figures[0] is not None
        rows.append(Agreement(name, len(one), by_first, by_second, figures[0], figures[1], figures[2]))
    return rows


def chance_corrected(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], bootstrap: Bootstrap
) -> tuple[Floats, Floats, Floats]:
    """Compute agreement, Cohen's kappa and Krippendorff's alpha in the data and in each resample.

    Parameters
    ----------
    first, second : ndarray of int of shape (n_texts,)
        Categories, numbered from 0.
    bootstrap : Bootstrap

    Returns
    -------
    observed, kappa, alpha : ndarray of shape (1 + n_resamples,)
        Kappa and alpha are NaN where only one category occurs.
    """
    n_categories = int(max(first.max(), second.max())) + 1
    ones = np.arange(n_categories) == first[:, None]
    others = np.arange(n_categories) == second[:, None]
    n = bootstrap.totals(np.ones((len(first), 1)))[:, 0]
    agreed = bootstrap.totals((first == second)[:, None])[:, 0]
    by_first, by_second = bootstrap.totals(ones), bootstrap.totals(others)
    chance = (by_first * by_second).sum(axis=1) / n**2
    values = by_first + by_second
    # Two values of one sentence drawn without replacement from all 2n, as alpha has it.
    expected = 1 - (values * (values - 1)).sum(axis=1) / (2 * n * (2 * n - 1))
    observed = ratio(agreed, n)
    several = (values > 0).sum(axis=1) > 1
    nothing = np.full(len(n), np.nan)
    kappa = np.divide(observed - chance, 1 - chance, out=nothing.copy(), where=several & (chance < 1))
    alpha = 1 - np.divide(1 - observed, expected, out=nothing.copy(), where=several & (expected > 0))
    return observed, kappa, alpha


def library_values(first: Sequence[int] | npt.NDArray[Any], second: Sequence[int] | npt.NDArray[Any]) -> Any:
    """Return Cohen's kappa by scikit-learn and Krippendorff's alpha by ``krippendorff``, NaN where undefined."""
    from sklearn.metrics import cohen_kappa_score

    try:
        import krippendorff
    except ImportError:
        raise FramingError(
            "Krippendorff's alpha needs the package krippendorff; install it with: "
            "pip install 'framing-classifier[agreement]'."
        ) from None
    if len(np.unique(np.concatenate([first, second]))) < 2:
        return np.nan, np.nan
    alpha = krippendorff.alpha(np.array([first, second], dtype=np.float64), level_of_measurement="nominal")
    return float(cohen_kappa_score(first, second)), float(alpha)
