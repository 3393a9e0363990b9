"""Models that learned from the very labels of a sample: noticed, and replaced by ones that did not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.model.fingerprints import fingerprints
from classifier.model.model import Model
from classifier.prevalence.census import Rescoring
from classifier.prevalence.estimators import Ints
from classifier.prevalence.labels import Labels
from classifier.prevalence.population import Block
from classifier.system.arrays import Floats

#: Folds of the sample, and models fitted.
FOLDS = 5

#: Standard errors by which a model knows more of a sample than of its population, before it is taken to have learned
#: it.
SUSPICIOUS = 3.0


@dataclass(frozen=True)
class Crossed:
    """Models each of which has not learned from one fold of the labels.

    Parameters
    ----------
    models : list of Model
    folds : ndarray of int of shape (n_labels,)
        The model that has not learned from each label.
    """

    models: list[Model]
    folds: Ints

    @property
    def rescoring(self) -> Rescoring:
        """Returns what gives a block's probabilities by each model."""

        def rescored(block: Block) -> list[Floats]:
            sizes = np.bincount(block.owner, minlength=len(block.articles)).tolist()
            return [model.read(block.text, sizes).probabilities for model in self.models]

        return rescored


def has_learned(model: Model, labels: Labels, share: float) -> tuple[int, bool]:
    """Tell how many labels' sentences a model was trained on, and whether it is because they were drawn.

    Parameters
    ----------
    model : Model
    labels : Labels
    share : float
        Of the population that it was trained on.

    Returns
    -------
    count : int
    learned : bool
        False where it knows no more of the sample than of the population: the sample is random still, and a model made
        before it was drawn is as good as any.
    """
    seen = model.seen(labels.texts)
    weights = 1 / labels.inclusion
    effective = weights.sum() ** 2 / np.square(weights).sum()
    known = float((weights * seen).sum() / weights.sum())
    error = np.sqrt(share * (1 - share) / effective) + 1 / effective
    return int(seen.sum()), bool(known - share > SUSPICIOUS * error)


def cross(
    model: Model,
    labels: Labels,
    training: LabeledCorpus | None,
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> Crossed | None:
    """Train a model anew without each fold of the labels (Zrnic and Candès 2024).

    Parameters
    ----------
    model : Model
        What was trained on them.
    labels : Labels
    training : LabeledCorpus, optional
        What it was trained on; by default the labels, where it knows nothing else.
    progress : callable, optional
        Called with the models done and the models in all.
    seed : int

    Returns
    -------
    Crossed or None
        None where nobody says what else it was trained on.

    Raises
    ------
    InputError
        If a fold leaves too few labels to learn from.
    """
    from classifier.training.train import train

    marks = fingerprints(labels.texts)
    if training is None:
        if not np.isin(model.trained_on, marks).all():
            return None
        names = model.codebook.names
        training = LabeledCorpus(
            tuple(labels.texts),
            tuple(tuple(name for name, yes in zip(names, row, strict=True) if yes) for row in labels.found),
            model.codebook,
            model.task,
            tuple(f"{source} {name}".strip() for source, name in labels.articles),
        )
    corpus = training
    known = fingerprints(corpus.texts)
    if not np.isin(model.trained_on, known).all():
        raise InputError(
            f"{corpus.path or 'the training corpus'}: {model.name} was trained on more than this; give all of it."
        )
    keys: dict[tuple[str, str], int] = {}
    article = np.array([keys.setdefault(key, len(keys)) for key in labels.articles])
    if len(keys) < 2 * FOLDS:
        raise InputError(f"{labels.place}: {len(keys)} articles are too few to be divided for cross-fitting.")
    fold_of = np.random.default_rng(seed).permutation(len(keys)) % FOLDS
    folds = fold_of[article]
    models = []
    for fold in range(FOLDS):
        rows = np.flatnonzero(~np.isin(known, marks[folds == fold]))
        part = replace(
            corpus,
            texts=tuple(corpus.texts[i] for i in rows),
            labels=tuple(corpus.labels[i] for i in rows),
            groups=tuple(corpus.groups[i] for i in rows) if corpus.groups else None,
            columns={name: tuple(column[i] for i in rows) for name, column in corpus.columns.items()},
        )
        models.append(train(part, name=f"{model.name}, fold {fold + 1}", n_folds=2, seed=seed)[0])
        if progress:
            progress(fold + 1, FOLDS)
    return Crossed(models, folds)
