"""From a labeled corpus to a model: choice of features and regularisation, calibration, thresholds.

Everything that is chosen is chosen by cross-validation on the training sentences alone, and the figures reported
come from an outer cross-validation around the whole of it: for each outer fold the choice, the calibration, the
context and the thresholds are made again without that fold (nested cross-validation; Varma and Simon 2006).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.corpus import LabeledCorpus
from classifier.features.ngrams import Block
from classifier.features.vectors import WordVectors, load_vectors
from classifier.metrics import Scores, frame_metrics, summarize
from classifier.model.fingerprints import fingerprints
from classifier.model.model import Model, probabilities
from classifier.model.novelty import Domain, learn_domain
from classifier.system.arrays import Rows
from classifier.training.articles import in_articles
from classifier.training.baselines import predict_keywords, predict_majority
from classifier.training.calibration import decide
from classifier.training.features import Start
from classifier.training.linear import Setting
from classifier.training.report import CrossValidation, TrainingReport
from classifier.training.trainer import Fit, Progress, Steps, Trainer

#: Columns whose values are measured each on its own, where a corpus has them.
SLICED = ("source_type",)


def train(
    corpus: LabeledCorpus,
    *,
    name: str = "framing",
    n_folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    vectors: WordVectors | None = None,
    start: Model | None = None,
) -> tuple[Model, TrainingReport]:
    """Train a model and measure it.

    Parameters
    ----------
    corpus : LabeledCorpus
    name : str
        The model's name, shown with its results.
    n_folds : int
        Outer folds, from which the figures come.
    seed : int
        Of folds and bootstrap; the same seed on the same corpus gives the same model.
    progress : callable, optional
        Called with the steps done and the steps in all.
    vectors : WordVectors, optional
        Of words that the corpus may never show; used where they help on the inner folds.
    start : Model, optional
        What it knows is kept as far as it helps on the inner folds. It brings its roles, and the vectors that it has.

    Returns
    -------
    model : Model
        Fitted on the whole corpus.
    report : TrainingReport
        Figures by nested cross-validation; with a start also those without it, and those of the start as it is.

    Raises
    ------
    InputError
        If there are too few articles, nothing that recurs in the sentences, or no frame that the start knows.
    """
    splits, everything = list(corpus.folds(n_folds, seed)), np.arange(len(corpus))
    parts = [*(train_rows for train_rows, _ in splits), everything]
    steps = Steps(progress)
    vectors = load_vectors() if vectors is None else vectors
    trainer = Trainer(corpus, seed, steps, vectors, start)
    plain = None if start is None else Trainer(corpus, seed, steps, vectors)
    steps.total = trainer.n_steps(parts) + (0 if plain is None else plain.n_steps(parts[:-1]))
    *fits, fit = trainer.fit_all(parts)
    validation = _validation(trainer, splits, fits)
    report = _report(corpus, validation, seed, fit.setting)
    if plain is not None and start is not None:
        report = _beside(report, plain, Start(start, corpus), splits, seed)
    model = replace(
        fit.model(name),
        metrics=report.to_dict(),
        provenance={**_origin(corpus, seed, fit, vectors, start), "folds": n_folds},
        domain=_domain(corpus, splits, fit, start),
        trained_on=_trained_on(corpus, start),
    )
    return model, report


def _beside(
    report: TrainingReport, plain: Trainer, start: Start, splits: Sequence[tuple[Rows, Rows]], seed: int
) -> TrainingReport:
    """Return the report with the figures without the start, and of the start as it is, before the baselines."""
    corpus = plain.corpus
    fits = plain.fit_all([train_rows for train_rows, _ in splits])
    without = _validation(plain, splits, fits).scores
    found, decided = start.read()
    as_it_is = Scores(corpus.targets, decided, found, corpus.group_ids)
    beside = {"trained without the start": without, "the start as it is": as_it_is}
    figures = {name: frame_metrics(scores, corpus.frames, seed) for name, scores in beside.items()}
    known = int(start.model.seen(corpus.texts).sum())
    return replace(report, baselines={**figures, **report.baselines}, known_to_start=known)


def _domain(corpus: LabeledCorpus, splits: Sequence[tuple[Rows, Rows]], fit: Fit, start: Model | None) -> Domain | None:
    """Return what the training corpus looks like; the start's, which is larger, where there is one."""
    if start is not None:
        return start.domain
    return learn_domain(corpus.texts, corpus.group_ids, splits, known_from(fit.setting.blocks))


def _trained_on(corpus: LabeledCorpus, start: Model | None) -> npt.NDArray[np.uint64]:
    own = fingerprints(corpus.texts)
    return np.unique(own if start is None else np.concatenate([own, start.trained_on]))


def fit_model(
    corpus: LabeledCorpus,
    *,
    name: str = "framing",
    seed: int = 0,
    vectors: WordVectors | None = None,
    start: Model | None = None,
) -> Model:
    """Train a model without measuring it: for those who cross-validate on their own.

    Parameters
    ----------
    corpus : LabeledCorpus
    name : str
        The model's name.
    seed : int
        Of the inner folds.
    vectors, start
        As for `train`.

    Returns
    -------
    Model
        As `train` gives it, but for its figures and for what is called out of domain, which take outer folds.

    Raises
    ------
    InputError
        If there are too few articles, or nothing that recurs in the sentences.
    """
    vectors = load_vectors() if vectors is None else vectors
    fit = Trainer(corpus, seed, Steps(None), vectors, start).fit(np.arange(len(corpus)))
    return replace(
        fit.model(name),
        provenance=_origin(corpus, seed, fit, vectors, start),
        domain=None if start is None else start.domain,
        trained_on=_trained_on(corpus, start),
    )


def known_from(blocks: Sequence[Block]) -> int:
    """Return in how many training sentences a word must occur to be known to the blocks of words."""
    return min((block.min_df for block in blocks if block.kind == "words" and block.shortest == 1), default=1)


def cross_validate(
    corpus: LabeledCorpus,
    splits: Sequence[tuple[Rows, Rows]],
    *,
    seed: int = 0,
    sliced: Sequence[str] = (),
    progress: Progress | None = None,
    vectors: WordVectors | None = None,
    start: Model | None = None,
) -> TrainingReport:
    """Measure the training method on a corpus without keeping a model.

    Parameters
    ----------
    corpus : LabeledCorpus
    splits : sequence of (ndarray of int, ndarray of int)
        Training and test rows of each outer fold; sentences that no fold tests are not measured.
    seed : int
        Of inner folds and bootstrap.
    sliced : sequence of str
        Columns of the corpus whose values are measured each on its own.
    progress : callable, optional
        Called with the steps done and the steps in all.
    vectors, start
        As for `train`.

    Returns
    -------
    TrainingReport
        Without a setting: no model is kept.
    """
    steps = Steps(progress)
    trainer = Trainer(corpus, seed, steps, load_vectors() if vectors is None else vectors, start)
    parts = [train_rows for train_rows, _ in splits]
    steps.total = trainer.n_steps(parts)
    fits = trainer.fit_all(parts)
    return _report(corpus, _validation(trainer, splits, fits), seed, sliced=sliced)


def _validation(trainer: Trainer, splits: Sequence[tuple[Rows, Rows]], fits: Sequence[Fit]) -> CrossValidation:
    """Score the test rows of each fold by the fit of its training rows, and by the baselines."""
    corpus = trainer.corpus
    scores, alone, majority, keywords = (Scores.empty(corpus.targets, corpus.group_ids) for _ in range(4))
    settings, models, folds = [], [], np.full(len(corpus), -1, dtype=np.intp)
    for fold, ((train_rows, test_rows), fit) in enumerate(zip(splits, fits, strict=True)):
        settings.append(fit.setting)
        models.append(fit.model(f"fold {fold + 1}"))
        folds[test_rows] = fold
        # An article may be tested in several folds, none of which has learned from it: each reads the whole of it.
        rows = np.flatnonzero(np.isin(corpus.group_ids, corpus.group_ids[test_rows]))
        tested = np.isin(rows, test_rows)
        logits = fit.logits(rows)
        together = in_articles(corpus, rows, logits, trainer.source.named, fit.context)
        thresholds, by_itself = fit.decisions.thresholds, fit.decisions.thresholds_alone
        by_itself = thresholds if by_itself is None else by_itself
        for part, found, reached in ((alone, logits[tested], by_itself), (scores, together[tested], thresholds)):
            part.probabilities[test_rows] = probabilities(found, corpus.task)
            part.predicted[test_rows] = decide(part.probabilities[test_rows], reached, corpus.task)
        predict_majority(corpus, train_rows, test_rows, majority)
        predict_keywords(corpus, train_rows, test_rows, keywords)
    if (folds < 0).any():  # what no fold tested says nothing
        scores, alone, majority, keywords = (part.take(folds >= 0) for part in (scores, alone, majority, keywords))
    read_alone = corpus.groups is None or all(fit.context is None for fit in fits)
    return CrossValidation(scores, None if read_alone else alone, majority, keywords, settings, models, folds)


def _report(
    corpus: LabeledCorpus,
    validation: CrossValidation,
    seed: int,
    setting: Setting | None = None,
    sliced: Sequence[str] = SLICED,
) -> TrainingReport:
    tested = np.flatnonzero(validation.folds >= 0)
    by = {name: [corpus.columns[name][row] for row in tested] for name in sliced if name in corpus.columns}
    return TrainingReport(
        summary=summarize(validation.scores, corpus.frames, corpus.task, seed, by),
        baselines={
            "majority": frame_metrics(validation.majority, corpus.frames, seed),
            "keywords": frame_metrics(validation.keywords, corpus.frames, seed),
        },
        validation=validation,
        alone=None if validation.alone is None else frame_metrics(validation.alone, corpus.frames, seed),
        setting=setting,
    )


def _origin(corpus: LabeledCorpus, seed: int, fit: Fit, vectors: WordVectors, start: Model | None) -> dict[str, Any]:
    """Return where a model comes from, with the vectors and the start that it was made of."""
    origin = provenance(corpus, seed)
    if fit.setting.vectors:
        origin["vectors"] = vectors.name
    if start is not None:
        kept = ("corpus", "corpus_sha256", "sentences", "articles", "vectors", "date")
        known = {key: start.provenance[key] for key in kept if key in start.provenance}
        origin["start"] = {"name": start.name, **known}
    return origin


def provenance(corpus: LabeledCorpus, seed: int) -> dict[str, Any]:
    """Return where a model comes from: corpus, versions, date, seed.

    The date is that of ``SOURCE_DATE_EPOCH`` where the environment sets it, for reproducible builds.
    """
    moment = os.environ.get("SOURCE_DATE_EPOCH")
    date = datetime.fromtimestamp(int(moment), UTC) if moment else datetime.now(UTC)
    return {
        "corpus": Path(corpus.path).name,
        "corpus_sha256": corpus.sha256,
        "sentences": len(corpus),
        "articles": len(set(corpus.groups)) if corpus.groups is not None else None,
        "seed": seed,
        "date": date.strftime("%Y-%m-%d"),
        "versions": {name: version(name) for name in ("scikit-learn", "numpy", "scipy")},
    }
