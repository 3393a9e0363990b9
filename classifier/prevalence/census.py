"""A population counted once: what the model says of every group, and of the sentences that have labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from classifier.errors import InputError
from classifier.model.fingerprints import fingerprints, normalised
from classifier.prevalence.estimators import Ints
from classifier.prevalence.labels import Labels, Problems
from classifier.prevalence.population import NONE, Block, Population
from classifier.system.arrays import Bools, Floats

#: Groups of one column at most.
MAX_GROUPS = 2000

#: Sentences of a block whose fingerprints are looked at, to tell how much of a population a model has learned from.
LOOKED_AT = 100

Level = Literal["sentence", "article"]

#: Probabilities of a block's sentences by each of several models.
Rescoring = Callable[[Block], list[Floats]]


@dataclass(frozen=True)
class Groups:
    """A column's values over a population.

    Parameters
    ----------
    column : str
        Empty for the population as a whole.
    names : list of str
    sizes : ndarray of int of shape (n_groups,)
        Units.
    scores : ndarray of shape (n_groups, n_frames)
        Means of the scores.
    labeled : ndarray of shape (n_groups, n_frames)
        The naive shares.
    of : ndarray of int of shape (n_units,)
        The group of each unit of the sample.
    """

    column: str
    names: list[str]
    sizes: Ints
    scores: Floats
    labeled: Floats
    of: Ints


@dataclass(frozen=True)
class Census:
    """A population and its sample.

    Parameters
    ----------
    frames : tuple of str
    model : str
        Names of the models that scored it.
    sentences, articles : int
    groups : list of Groups
        The whole first, then each column.
    found : ndarray of shape (n_units, n_frames)
        Labels of the sample's units, 1 or 0.
    scores : ndarray of shape (n_units, n_frames)
    labeled : ndarray of bool of shape (n_units, n_frames)
        The model's labels of them.
    inclusion, strata, clusters : ndarray of shape (n_units,)
    learned : float
        The share of the population that the watched model was trained on.
    """

    frames: tuple[str, ...]
    model: str
    sentences: int
    articles: int
    groups: list[Groups]
    found: Floats
    scores: Floats
    labeled: Bools
    inclusion: Floats
    strata: Ints
    clusters: Ints
    learned: float


class _Tally:
    """Groups of one column, as they come."""

    def __init__(self, column: str, n_frames: int) -> None:
        self.column = column
        self.codes: dict[str, int] = {}
        self.sizes = np.zeros(0, dtype=np.int64)
        self.sums = np.zeros((0, 2 * n_frames))

    def add(self, values: list[str], owner: Ints, columns: Floats) -> Ints:
        """Add units by their articles' values; return the group of each article."""
        codes = np.array([self.codes.setdefault(value, len(self.codes)) for value in values], dtype=np.int64)
        n = len(self.codes)
        if n > MAX_GROUPS:
            raise InputError(f"--by {self.column}: more than {MAX_GROUPS:,} values; group by something coarser.")
        if n > len(self.sizes):
            self.sizes = np.concatenate([self.sizes, np.zeros(n - len(self.sizes), dtype=np.int64)])
            self.sums = np.vstack([self.sums, np.zeros((n - len(self.sums), self.sums.shape[1]))])
        of_units = codes[owner]
        self.sizes += np.bincount(of_units, minlength=n)
        for j in range(columns.shape[1]):
            self.sums[:, j] += np.bincount(of_units, columns[:, j], n)
        return codes


def take_census(
    population: Population,
    labels: Labels,
    by: Sequence[str] = (),
    level: Level = "sentence",
    watched: npt.NDArray[np.uint64] | None = None,
    rescoring: Rescoring | None = None,
    folds: Ints | None = None,
) -> Census:
    """Read a population once.

    Parameters
    ----------
    population : callable
        Returns its blocks.
    labels : Labels
    by : sequence of str
        Columns to group by.
    level : {"sentence", "article"}
        What is counted: sentences with the frame, or articles in which a sentence has it.
    watched : ndarray of uint64, optional
        Fingerprints of sentences that a model was trained on.
    rescoring : callable, optional
        Gives each block's probabilities by several models, in place of those read.
    folds : ndarray of int of shape (n_labels,), optional
        Which of these models had not learned from each label.

    Returns
    -------
    Census

    Raises
    ------
    InputError
        If the labels are not a sample of this population: naming every row that is not.
    """
    if level == "article" and labels.unit != "article":
        raise InputError(
            f"{labels.place}: single sentences were drawn, so nothing is known of whole articles; draw articles "
            "with: framing sample --level article"
        )
    rows_of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(labels.articles):
        rows_of[key].append(row)
    sourced = any(source for source, _ in labels.articles)
    problems = Problems(labels.place)
    met = np.zeros(len(labels), dtype=np.int64)
    frames: tuple[str, ...] = ()
    models: dict[str, None] = {}
    tallies: list[_Tally] = []
    scores: Floats = np.zeros((len(labels), 0))
    labeled: Bools = np.zeros((len(labels), 0), dtype=bool)
    group_of = np.zeros((len(labels), 1 + len(by)), dtype=np.int64)
    sentences = articles = looked = learned = 0
    rng = np.random.default_rng(0)
    for block in population():
        if not frames:
            frames = block.frames
            tallies = [_Tally(column, len(frames)) for column in ("", *by)]
            scores = np.zeros((len(labels), len(frames)))
            labeled = np.zeros((len(labels), len(frames)), dtype=bool)
        models[block.model] = None
        versions = rescoring(block) if rescoring else [block.scores]
        bounds = np.searchsorted(block.owner, np.arange(len(block.articles) + 1))
        if level == "article":
            versions = [np.maximum.reduceat(version, bounds[:-1], axis=0) for version in versions]
            said = np.logical_or.reduceat(block.labeled, bounds[:-1], axis=0)
            owner: Ints = np.arange(len(block.articles))
        else:
            said, owner = block.labeled, block.owner
        columns = np.hstack([np.mean(versions, axis=0), said])
        values = [[""] * len(block.articles), *(block.values(column) for column in by)]
        codes = [tally.add(value, owner, columns) for tally, value in zip(tallies, values, strict=True)]
        sentences += len(block.text)
        articles += len(block.articles)
        if watched is not None:
            some = rng.choice(len(block.text), min(LOOKED_AT, len(block.text)), replace=False)
            learned += int(np.isin(fingerprints([block.text[i] for i in some]), watched).sum())
            looked += len(some)
        for a, article in enumerate(block.articles):
            key = (str(article.get("source") or "") if sourced else "", str(article.get("id") or ""))
            if key not in rows_of:
                continue
            first, last = int(bounds[a]), int(bounds[a + 1])
            at = dict(zip(block.index[first:last], range(first, last), strict=True))
            for row in rows_of[key]:
                place = at.get(labels.index[row])
                if place is None:
                    continue
                met[row] += 1
                # Coders' programs change quotation marks and spaces; words they leave alone.
                if normalised(block.text[place]) != normalised(labels.texts[row].removeprefix("'")):
                    problems.add(
                        labels.lines[row],
                        f"its text is not that of sentence {labels.index[row]} of {key[1] or key[0]!r} in the scores",
                    )
                unit = a if level == "article" else place
                scores[row] = versions[int(folds[row]) if folds is not None else 0][unit]
                labeled[row] = said[unit]
                group_of[row] = [code[a] for code in codes]
            if level == "article" and len(rows_of[key]) != last - first:
                line = labels.lines[rows_of[key][0]]
                problems.add(
                    line, f"{len(rows_of[key])} of the article's {last - first} sentences are here; all are needed"
                )
    for row in np.flatnonzero(met != 1).tolist():
        where = "is not among" if met[row] == 0 else f"occurs {met[row]} times in"
        source, name = labels.articles[row]
        problems.add(labels.lines[row], f"sentence {labels.index[row]} of {name or source!r} {where} the scores")
    problems.refuse()
    if not frames:
        raise InputError("there are no sentences in the scores.")
    for tally in tallies[1:]:
        if list(tally.codes) == [NONE]:
            raise InputError(f"--by {tally.column}: no article has it; group by outlet, month or what --keep kept.")
    return _census(
        labels,
        level,
        frames,
        " and ".join(filter(None, models)),
        sentences,
        articles,
        tallies,
        scores,
        labeled,
        group_of,
        learned / max(1, looked),
    )


def _census(
    labels: Labels,
    level: Level,
    frames: tuple[str, ...],
    model: str,
    sentences: int,
    articles: int,
    tallies: list[_Tally],
    scores: Floats,
    labeled: Bools,
    group_of: Ints,
    learned: float,
) -> Census:
    keys: dict[tuple[str, str], int] = {}
    article = np.array([keys.setdefault(key, len(keys)) for key in labels.articles], dtype=np.int64)
    found = labels.found.astype(float)
    rows: Ints = np.arange(len(labels))
    if level == "article":
        _, rows = np.unique(article, return_index=True)
        found = np.array([found[article == a].max(axis=0) for a in range(len(keys))])
    several = len(keys) < len(labels)
    clusters = article if labels.unit == "article" or (labels.unit is None and several) else np.arange(len(labels))
    _check_size(labels, sentences, articles)
    groups = [
        Groups(
            tally.column,
            list(tally.codes),
            tally.sizes,
            tally.sums[:, : len(frames)] / tally.sizes[:, None],
            tally.sums[:, len(frames) :] / tally.sizes[:, None],
            group_of[rows, i],
        )
        for i, tally in enumerate(tallies)
    ]
    return Census(
        frames, model, sentences, articles, groups, found, scores[rows], labeled[rows], labels.inclusion[rows],
        labels.strata[rows], clusters[rows], learned,
    )  # fmt: skip


def _check_size(labels: Labels, sentences: int, articles: int) -> None:
    """Refuse a sample of another population: one that is larger, or smaller, than the scores."""
    unit, size = ("articles", articles) if labels.unit == "article" else ("sentences", sentences)
    if labels.sizes is not None:
        told = int(labels.sizes.sum())
        if told != size:
            raise InputError(
                f"{labels.place}: drawn from {told:,} {unit}, and the scores hold {size:,}. A share speaks of what "
                "was drawn from: give the same scores, or draw a new sample."
            )
        return
    weights = 1 / labels.inclusion
    told_by = float(weights.sum())
    spread = float(np.sqrt(((1 - labels.inclusion) * weights**2).sum()))
    if abs(told_by - size) > max(0.05 * size, 4 * spread):
        raise InputError(
            f"{labels.place}: the inclusion probabilities speak of about {told_by:,.0f} sentences, and the scores "
            f"hold {size:,}; this is not a sample of them."
        )
