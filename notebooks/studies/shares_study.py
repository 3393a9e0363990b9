"""A population whose truth is known, counted by a model that is a little wrong: what samples make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import classifier
from classifier.corpus import LabeledCorpus
from classifier.model.model import Model
from classifier.prevalence.estimators import Design, difference, sample_alone
from classifier.prevalence.population import population_of
from classifier.prevalence.sampling import Plan, draw_sample

#: What kinds of sources begin with, and ``outlet`` says.
SIDES = ("western", "russian", "belarusian")


@dataclass(frozen=True)
class Newsroom:
    """Scored sentences, and what a reader of all of them would have found.

    Parameters
    ----------
    scores : DataFrame
        As ``framing score`` writes them; ``outlet`` is the side of the source.
    truth : DataFrame
        The same rows with the labels of the corpus, a column of 0 and 1 per frame.
    model : Model
        What scored them.
    """

    scores: pd.DataFrame
    truth: pd.DataFrame
    model: Model

    def shares(self, by: str | None = None) -> pd.DataFrame | pd.Series:
        """Return the true shares."""
        return self.truth.mean() if by is None else self.truth.groupby(self.scores[by]).mean()


def newsroom(corpus: LabeledCorpus, kinds: Sequence[str], articles: int = 300) -> Newsroom:
    """Train on a few articles of some kinds of sources alone, and score all others.

    Parameters
    ----------
    corpus : LabeledCorpus
    kinds : sequence of str
        Values of ``source_type`` that the model learns from.
    articles : int
        At most so many of them, and no more than half.

    Returns
    -------
    Newsroom
    """
    column = np.array(corpus.columns["source_type"])
    candidates = np.unique(corpus.group_ids[np.isin(column, kinds)])
    learned = np.random.default_rng(0).permutation(candidates)[: min(articles, len(candidates) // 2)]
    rows = np.flatnonzero(np.isin(corpus.group_ids, learned))
    model, _ = classifier.train(_part(corpus, rows), name="a hurried model", n_folds=2)
    others = np.flatnonzero(~np.isin(corpus.group_ids, learned))
    order, sizes = corpus.by_article(others)
    rows = others[order]
    texts = [corpus.texts[row] for row in rows]
    probabilities = model.read(texts, sizes.tolist()).probabilities
    scores = pd.DataFrame(
        {
            "source": "corpus",
            "id": [str(number) for number, size in enumerate(sizes) for _ in range(size)],
            "date": [corpus.columns["date"][row] for row in rows],
            "outlet": [next((side for side in SIDES if kind.startswith(side)), "other") for kind in column[rows]],
            "index": np.concatenate([np.arange(size) for size in sizes]),
            "start": 0,
            "end": [len(text) for text in texts],
            "text": texts,
            "labels": ["|".join(names) for names in model.labels(probabilities)],
            **dict(zip(model.frames, probabilities.T, strict=True)),
            "model": model.name,
        }
    )
    return Newsroom(scores, pd.DataFrame(corpus.targets[rows].astype(float), columns=list(corpus.frames)), model)


def _part(corpus: LabeledCorpus, rows: np.ndarray) -> LabeledCorpus:
    return replace(
        corpus,
        texts=tuple(corpus.texts[i] for i in rows),
        labels=tuple(corpus.labels[i] for i in rows),
        groups=None if corpus.groups is None else tuple(corpus.groups[i] for i in rows),
        columns={name: tuple(column[i] for i in rows) for name, column in corpus.columns.items()},
    )


def coded_sample(room: Newsroom, n: int, by: tuple[str, ...] = (), equal: bool = False, seed: int = 0) -> pd.DataFrame:
    """Draw a sample as ``framing sample`` does, and have the corpus code it.

    Parameters
    ----------
    room : Newsroom
    n : int
    by : tuple of str
    equal : bool
    seed : int

    Returns
    -------
    DataFrame
    """
    sample = pd.DataFrame(draw_sample(lambda: population_of(room.scores), Plan(n, by=by, equal=equal, seed=seed)).rows)
    places = {key: row for row, key in enumerate(zip(room.scores["id"], room.scores["index"], strict=True))}
    found = room.truth.iloc[[places[key] for key in zip(sample["id"], sample["index"], strict=True)]]
    sample["labels"] = ["|".join(found.columns[row > 0]) for row in found.to_numpy()]
    return sample


def repeated(room: Newsroom, sizes: Sequence[int], times: int = 500, seed: int = 0) -> pd.DataFrame:
    """Draw simple random samples again and again.

    Parameters
    ----------
    room : Newsroom
    sizes : sequence of int
        Labels of a sample.
    times : int
    seed : int

    Returns
    -------
    DataFrame
        For each size and frame: how often each interval held the truth, and their median widths.
    """
    rng = np.random.default_rng(seed)
    frames = list(room.truth.columns)
    truth, scores = room.truth.to_numpy(), room.scores[frames].to_numpy()
    rows = []
    for n in sizes:
        for j, frame in enumerate(frames):
            held, widths = [], []
            for _ in range(times):
                drawn = rng.choice(len(truth), n, replace=False)
                design = Design.simple(n, len(truth))
                alone = sample_alone(design, truth[drawn, j])
                corrected = difference(design, truth[drawn, j], scores[drawn, j], float(scores[:, j].mean()))
                held.append([one.low <= truth[:, j].mean() <= one.high for one in (alone, corrected)])
                widths.append([alone.width, corrected.width])
            (a, b), (c, d) = np.mean(held, axis=0), np.median(widths, axis=0)
            rows.append({"labels": n, "frame": frame, "alone": a, "corrected": b, "alone_width": c, "width": d})
    return pd.DataFrame(rows)
