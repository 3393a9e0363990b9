"""Folds that leave out whole values of a column, and learning curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.metrics import NONE, OTHER, Summary, pooled
from classifier.system.arrays import Rows

Split = tuple[Rows, Rows]

#: A column with more values is left out in bundles of values: each fold costs a training.
MAX_FOLDS = 25

#: Bundles such a column's values are dealt into.
BUNDLES = 10

#: Articles that must be left to learn from.
MIN_TRAINING_ARTICLES = 10

#: Shares of the articles on a learning curve.
CURVE = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


def column_of(corpus: LabeledCorpus, name: str) -> tuple[str, ...]:
    """Return a column of the corpus, or name those it has.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if name not in corpus.columns:
        raise InputError(
            f"{corpus.path or 'the corpus'}: no column {name!r}; the header has {', '.join(map(repr, corpus.columns))}."
        )
    return corpus.columns[name]


def leave_out_splits(corpus: LabeledCorpus, column: str, n_folds: int | None = None) -> list[tuple[str, Split]]:
    """Divide a corpus so that a column's values are tested by models that never saw them.

    Parameters
    ----------
    corpus : LabeledCorpus
    column : str
    n_folds : int, optional
        Deal the values into so many bundles, about equally large, and leave out a bundle at a time. By default
        each value is left out on its own (those of fewer than five articles together, as ``(other)``), unless
        there are more than `MAX_FOLDS` of them: then they are dealt into `BUNDLES` bundles.

    Returns
    -------
    list of (str, (ndarray of int, ndarray of int))
        What is left out (the values joined by ``|``), training rows and test rows. Articles of which any sentence
        is left out are not learned from either.

    Raises
    ------
    InputError
        If there is no such column, it has one value only, or leaving a value out leaves fewer than
        `MIN_TRAINING_ARTICLES` articles.
    """
    groups = corpus.group_ids
    raw = [value.strip() for value in column_of(corpus, column)]
    values = pooled(raw, groups)
    if n_folds is not None or len(set(values)) > MAX_FOLDS:
        values = _bundles([value or NONE for value in raw], n_folds or BUNDLES)
    sizes = Counter(values)
    if len(sizes) < 2:
        raise InputError(
            f"{corpus.path or 'the corpus'}: {column!r} has one value only; there is nothing to leave out."
        )
    names = np.array(values, dtype=object)
    result = []
    for name in sorted(sizes, key=lambda name: (name == OTHER, -sizes[name], name)):
        test = np.flatnonzero(names == name)
        train = np.flatnonzero(~np.isin(groups, groups[test]))
        left = len(np.unique(groups[train]))
        if left < MIN_TRAINING_ARTICLES:
            raise InputError(
                f"{corpus.path or 'the corpus'}: leaving out {column} = {name} leaves {left} articles without it to "
                f"learn from, of {MIN_TRAINING_ARTICLES} needed; choose a column that differs between articles."
            )
        result.append((name, (train, test)))
    return result


def _bundles(values: Sequence[str], n_bundles: int) -> list[str]:
    """Deal values into bundles, the largest first to the lightest bundle, and name each by its values."""
    sizes = Counter(values)
    bundles: list[list[str]] = [[] for _ in range(min(n_bundles, len(sizes)))]
    weights = [0] * len(bundles)
    for value in sorted(sizes, key=lambda value: (-sizes[value], value)):
        lightest = weights.index(min(weights))
        bundles[lightest].append(value)
        weights[lightest] += sizes[value]
    name = {value: "|".join(sorted(bundle)) for bundle in bundles for value in bundle}
    return [name[value] for value in values]


def growing_splits(
    corpus: LabeledCorpus, splits: Sequence[Split], shares: Sequence[float], seed: int
) -> Iterator[tuple[float, list[Split]]]:
    """Thin out what each fold learns from; a larger share of the articles contains the smaller ones.

    Parameters
    ----------
    corpus : LabeledCorpus
    splits : sequence of (ndarray of int, ndarray of int)
    shares : sequence of float
        Of the training articles of each fold.
    seed : int
        Of the draws.

    Yields
    ------
    articles : float
        Learned from, mean over folds.
    splits : list of (ndarray of int, ndarray of int)
        The test rows are always the same.
    """
    groups, rng = corpus.group_ids, np.random.default_rng(seed)
    orders = [rng.permutation(np.unique(groups[train])) for train, _ in splits]
    for portion in shares:
        kept = [order[: max(1, round(portion * len(order)))] for order in orders]
        parts = [(train[np.isin(groups[train], k)], test) for (train, test), k in zip(splits, kept, strict=True)]
        yield float(np.mean([len(k) for k in kept])), parts


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """How good the training method is with so much to learn from.

    Parameters
    ----------
    share : float
        Of the training articles of each fold.
    articles, sentences : float
        Learned from, mean over folds.
    summary : Summary
        Always of the same test sentences.
    """

    share: float
    articles: float
    sentences: float
    summary: Summary

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain data."""
        return {
            "share": self.share,
            "articles": self.articles,
            "sentences": self.sentences,
            "frames": [row.to_dict() for row in self.summary.rows],
        }


def learning_curve(
    corpus: LabeledCorpus,
    shares: Sequence[float] = CURVE,
    splits: Sequence[Split] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[LearningPoint]:
    """Measure the training method with ever more articles to learn from.

    Parameters
    ----------
    corpus : LabeledCorpus
    shares : sequence of float
        Of the training articles of each fold, drawn at random; a larger share contains the smaller ones.
    splits : sequence of (ndarray of int, ndarray of int), optional
        Training and test rows of each fold; by default five folds of whole articles.
    seed : int
        Of folds, draws and bootstrap.
    progress : callable, optional
        Called with the points done and the points in all.

    Returns
    -------
    list of LearningPoint
    """
    from classifier.training.train import cross_validate

    splits = list(corpus.folds(5, seed)) if splits is None else splits
    points = []
    for done, (articles, parts) in enumerate(growing_splits(corpus, splits, shares, seed)):
        report = cross_validate(corpus, parts, seed=seed)
        sentences = float(np.mean([len(train) for train, _ in parts]))
        points.append(LearningPoint(shares[done], articles, sentences, report.summary))
        if progress is not None:
            progress(done + 1, len(shares))
    return points
