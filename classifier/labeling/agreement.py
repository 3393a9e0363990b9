"""How far any number of coders agree, where each has labeled some of the sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.metrics.agreement import SETS, chance_corrected
from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, intervals, ratio
from classifier.system.arrays import Floats

#: What one coder says of sentences: the frames of each, by whatever tells sentences apart.
Labels = Mapping[Any, frozenset[str]]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two coders agree on one frame.

    Parameters
    ----------
    first, second : str
        The coders.
    n : int
        Sentences that both labeled.
    both, only_first, only_second, neither : int
        Of those, with the frame by both, by one, by neither.
    observed, kappa : Figure or None
        Share of agreement and Cohen's kappa; None where undefined.
    """

    first: str
    second: str
    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    observed: Figure | None
    kappa: Figure | None

    def to_dict(self) -> dict[str, Any]:
        """Return the pair as plain data."""
        return {
            "first": self.first,
            "second": self.second,
            "n": self.n,
            "both": self.both,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "neither": self.neither,
            "observed": None if self.observed is None else self.observed.to_dict(),
            "kappa": None if self.kappa is None else self.kappa.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class CodersAgreement:
    """How far coders agree on one frame, or on the whole set of frames.

    Parameters
    ----------
    name : str
        The frame, or `classifier.metrics.agreement.SETS`.
    n : int
        Sentences labeled by two coders or more.
    alpha : Figure or None
        Krippendorff's alpha for nominal data; None where only one category occurs.
    pairs : tuple of PairAgreement
        Every pair of coders who share sentences.
    """

    name: str
    n: int
    alpha: Figure | None
    pairs: tuple[PairAgreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "name": self.name,
            "n": self.n,
            "alpha": None if self.alpha is None else self.alpha.to_dict(),
            "pairs": [pair.to_dict() for pair in self.pairs],
        }


def shared(coders: Mapping[str, Labels]) -> list[Any]:
    """Return the sentences that two coders or more have labeled, in the order in which they first occur."""
    counts: dict[Any, int] = {}
    for labels in coders.values():
        for sentence in labels:
            counts[sentence] = counts.get(sentence, 0) + 1
    return [sentence for sentence, count in counts.items() if count > 1]


def conflicts(coders: Mapping[str, Labels]) -> list[Any]:
    """Return the sentences on which coders disagree, in the order in which they first occur."""
    return [
        sentence
        for sentence in shared(coders)
        if len({labels[sentence] for labels in coders.values() if sentence in labels}) > 1
    ]


def coders_agreement(
    coders: Mapping[str, Labels],
    frames: Sequence[str],
    groups: Mapping[Any, Any] | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> list[CodersAgreement]:
    """Measure how far coders agree, a frame each and on the whole set.

    Parameters
    ----------
    coders : mapping of str to mapping
        By coder: the frames of each sentence that the coder labeled.
    frames : sequence of str
    groups : mapping, optional
        The article of each sentence; the intervals are bootstrapped over articles. By default each is its own.
    seed, n_resamples : int
        Of the bootstrap.

    Returns
    -------
    list of CodersAgreement
        One a frame, then `classifier.metrics.agreement.SETS`; empty where no two coders share a sentence.
    """
    sentences = shared(coders)
    if not sentences:
        return []
    names = list(coders)
    given = np.array([[sentence in coders[name] for name in names] for sentence in sentences])
    articles: dict[Any, int] = {}
    codes = [
        articles.setdefault(groups[sentence] if groups is not None else (i,), len(articles))
        for i, sentence in enumerate(sentences)
    ]
    grouped = np.array(codes, dtype=np.int64)
    sets: dict[frozenset[str], int] = {}
    whole = np.array(
        [
            [sets.setdefault(coders[name][sentence], len(sets)) if sentence in coders[name] else 0 for name in names]
            for sentence in sentences
        ]
    )
    columns = [
        (
            frame,
            np.array(
                [[frame in coders[name].get(sentence, ()) for name in names] for sentence in sentences], dtype=int
            ),
        )
        for frame in frames
    ]
    bootstrap = Bootstrap(grouped, n_resamples, seed)
    rows = []
    for name, values in [*columns, (SETS, whole)]:
        alpha = intervals(nominal_alpha(values, given, bootstrap)[:, None])[0]
        pairs = tuple(
            _pair(names[i], names[j], values[:, i], values[:, j], given[:, i] & given[:, j], grouped, seed, n_resamples)
            for i, j in combinations(range(len(names)), 2)
            if (given[:, i] & given[:, j]).any()
        )
        rows.append(CodersAgreement(name, len(sentences), alpha, pairs))
    return rows


def nominal_alpha(values: npt.NDArray[np.int64], given: npt.NDArray[np.bool_], bootstrap: Bootstrap) -> Floats:
    """Compute Krippendorff's alpha for nominal data in the data and in each resample.

    Parameters
    ----------
    values : ndarray of int of shape (n_sentences, n_coders)
        Categories, numbered from 0.
    given : ndarray of bool of shape (n_sentences, n_coders)
        Which of them there are; every sentence needs two.
    bootstrap : Bootstrap
        Over the articles of the sentences.

    Returns
    -------
    ndarray of shape (1 + n_resamples,)
        NaN where only one category occurs.

    Notes
    -----
    Krippendorff (2011, "Computing Krippendorff's alpha-reliability"), by counts of each category per sentence: of the
    ordered pairs of values of one sentence those that differ, weighed by one less than its values, against those that
    differ among all pairs of values.
    """
    categories = np.arange(int(values.max(initial=0)) + 1)
    counts = ((values[:, :, None] == categories) & given[:, :, None]).sum(axis=1)
    n = counts.sum(axis=1)
    differing = (n**2 - (counts**2).sum(axis=1)) / np.maximum(n - 1, 1)
    totals = bootstrap.totals(np.column_stack([counts, n, differing]))
    by_category, everything, differ = totals[:, :-2], totals[:, -2], totals[:, -1]
    expected = everything**2 - (by_category**2).sum(axis=1)
    observed = differ * (everything - 1)
    defined = expected > 0
    return np.where(defined, 1 - ratio(observed, np.where(defined, expected, 1.0)), np.nan)


def _pair(
    first: str,
    second: str,
    one: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
    kept: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64],
    seed: int,
    n_resamples: int,
) -> PairAgreement:
    one, other = one[kept], other[kept]
    bootstrap = Bootstrap(groups[kept], n_resamples, seed)
    observed, kappa, _ = chance_corrected(one, other, bootstrap)
    found = intervals(np.column_stack([observed, kappa]))
    has, had = one > 0, other > 0
    return PairAgreement(
        first,
        second,
        len(one),
        int((has & had).sum()),
        int((has & ~had).sum()),
        int((~has & had).sum()),
        int((~has & ~had).sum()),
        found[0],
        found[1],
    )
