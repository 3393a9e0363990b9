"""From a labeled corpus to a model: choice of features and regularisation, calibration, thresholds.

Everything that is chosen is chosen by cross-validation on the training sentences alone, and the figures reported
come from an outer cross-validation around the whole of it: for each outer fold the choice, the calibration, the
context and the thresholds are made again without that fold (nested cross-validation; Varma and Simon 2006).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from joblib import cpu_count

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.features.tagger import Tagger
from classifier.features.tfidf import Tfidf
from classifier.metrics import Scores, frame_metrics, summarize
from classifier.model.context import Context
from classifier.model.fingerprints import fingerprints
from classifier.model.model import Model, probabilities
from classifier.model.novelty import learn_domain
from classifier.system.arrays import Floats, Rows
from classifier.training.articles import article_context, in_articles
from classifier.training.baselines import predict_keywords, predict_majority
from classifier.training.calibration import calibrate, choose_thresholds, decide, quality
from classifier.training.linear import Setting, blocks_for, fit_linear, settings_tried
from classifier.training.report import CrossValidation, TrainingReport

#: Called with the steps done and the steps in all.
Progress = Callable[[int, int], None]

#: Folds of the inner cross-validation, which chooses.
INNER_FOLDS = 3

#: Columns whose values are measured each on its own, where a corpus has them.
SLICED = ("source_type",)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A calibrated linear model on the vocabulary of its training rows."""

    setting: Setting
    tfidf: Tfidf
    coefficients: Floats
    intercepts: Floats
    thresholds: Floats
    context: Context | None

    def logits(self, rows: Rows) -> Floats:
        """Return the logits of sentences by their own words."""
        logits: Floats = self.tfidf.transform(rows) @ self.coefficients + self.intercepts
        return logits


def train(
    corpus: LabeledCorpus,
    *,
    name: str = "framing",
    n_folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
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

    Returns
    -------
    model : Model
        Fitted on the whole corpus.
    report : TrainingReport
        Figures by nested cross-validation.

    Raises
    ------
    InputError
        If there are too few articles, or nothing that recurs in the sentences.
    """
    trainer = _Trainer(corpus, seed, _Steps(progress, (n_folds + 1) * INNER_FOLDS))
    everything = np.arange(len(corpus))
    if not any(Tfidf.fit(trainer.counts, everything).vocabulary()):
        raise InputError("Nothing to learn from: no word, nor part of one, recurs in the sentences.")
    splits = list(corpus.folds(n_folds, seed))
    *fits, fit = trainer.fit_all([*(train_rows for train_rows, _ in splits), everything])
    validation = _validation(trainer, splits, fits)
    report = _report(corpus, validation, seed, fit.setting)
    model = replace(
        _model(name, corpus, fit),
        metrics=report.to_dict(),
        provenance={**provenance(corpus, seed), "folds": n_folds},
        domain=learn_domain(corpus.texts, corpus.group_ids, splits, known_from(fit.setting.blocks)),
        trained_on=np.unique(fingerprints(corpus.texts)),
    )
    return model, report


def fit_model(corpus: LabeledCorpus, *, name: str = "framing", seed: int = 0) -> Model:
    """Train a model without measuring it: for those who cross-validate on their own.

    Parameters
    ----------
    corpus : LabeledCorpus
    name : str
        The model's name.
    seed : int
        Of the inner folds.

    Returns
    -------
    Model
        As `train` gives it, but for its figures and for what is called out of domain, which take outer folds.

    Raises
    ------
    InputError
        If there are too few articles, or nothing that recurs in the sentences.
    """
    trainer = _Trainer(corpus, seed, _Steps(None, INNER_FOLDS))
    everything = np.arange(len(corpus))
    if not any(Tfidf.fit(trainer.counts, everything).vocabulary()):
        raise InputError("Nothing to learn from: no word, nor part of one, recurs in the sentences.")
    return replace(
        _model(name, corpus, trainer.fit(everything)),
        provenance=provenance(corpus, seed),
        trained_on=np.unique(fingerprints(corpus.texts)),
    )


def known_from(blocks: Sequence[Block]) -> int:
    """Return in how many training sentences a word must occur to be known to the blocks of words."""
    return min((block.min_df for block in blocks if block.kind == "words" and block.shortest == 1), default=1)


def _model(name: str, corpus: LabeledCorpus, fit: _Fit) -> Model:
    return Model(
        name=name,
        codebook=corpus.codebook,
        task=corpus.task,
        blocks=fit.setting.blocks,
        vocabulary=fit.tfidf.vocabulary(),
        idf=np.concatenate(fit.tfidf.idf).astype(np.float32),
        coefficients=fit.coefficients.astype(np.float32),
        intercepts=fit.intercepts,
        thresholds=fit.thresholds,
        context=fit.context,
    )


def cross_validate(
    corpus: LabeledCorpus,
    splits: Sequence[tuple[Rows, Rows]],
    *,
    seed: int = 0,
    sliced: Sequence[str] = (),
    progress: Progress | None = None,
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

    Returns
    -------
    TrainingReport
        Without a setting: no model is kept.
    """
    trainer = _Trainer(corpus, seed, _Steps(progress, len(splits) * INNER_FOLDS))
    fits = trainer.fit_all([train_rows for train_rows, _ in splits])
    return _report(corpus, _validation(trainer, splits, fits), seed, sliced=sliced)


def _validation(trainer: _Trainer, splits: Sequence[tuple[Rows, Rows]], fits: Sequence[_Fit]) -> CrossValidation:
    """Score the test rows of each fold by the fit of its training rows, and by the baselines."""
    corpus = trainer.corpus
    scores, alone, majority, keywords = (Scores.empty(corpus.targets, corpus.group_ids) for _ in range(4))
    settings, models, folds = [], [], np.full(len(corpus), -1, dtype=np.intp)
    for fold, ((train_rows, test_rows), fit) in enumerate(zip(splits, fits, strict=True)):
        settings.append(fit.setting)
        models.append(_model(f"fold {fold + 1}", corpus, fit))
        folds[test_rows] = fold
        # An article may be tested in several folds, none of which has learned from it: each reads the whole of it.
        rows = np.flatnonzero(np.isin(corpus.group_ids, corpus.group_ids[test_rows]))
        tested = np.isin(rows, test_rows)
        logits = fit.logits(rows)
        together = in_articles(corpus, rows, logits, trainer.counts.named, fit.context)
        for part, found in ((alone, logits[tested]), (scores, together[tested])):
            part.probabilities[test_rows] = probabilities(found, corpus.task)
            part.predicted[test_rows] = decide(part.probabilities[test_rows], fit.thresholds, corpus.task)
        predict_majority(corpus, train_rows, test_rows, majority)
        predict_keywords(corpus, train_rows, test_rows, keywords)
    if (folds < 0).any():  # what no fold tested says nothing
        scores, alone, majority, keywords = (part.take(folds >= 0) for part in (scores, alone, majority, keywords))
    read_alone = all(fit.context is None for fit in fits)
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


class _Steps:
    """Counts steps for a progress bar, from any thread."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.done, self.total = progress, 0, total
        self.stopped = False
        self._lock = Lock()

    def step(self) -> None:
        with self._lock:
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.total)


class _Trainer:
    """Fits calibrated models on parts of one corpus, counting its n-grams once."""

    def __init__(self, corpus: LabeledCorpus, seed: int, steps: _Steps) -> None:
        self.corpus, self.seed, self.steps = corpus, seed, steps
        roles = Tagger(corpus.codebook.roles) if corpus.codebook.roles else None
        self.counts = CountMatrix(corpus.texts, blocks_for(corpus.codebook), roles)

    def fit_all(self, parts: Sequence[Rows]) -> list[_Fit]:
        """Fit each of several parts of the corpus, a thread a processor; the compiled work holds no lock."""
        with ThreadPoolExecutor(min(len(parts), cpu_count())) as pool:
            fits = [pool.submit(self.fit, rows) for rows in parts]
            try:
                return [fit.result() for fit in fits]
            finally:  # after an error, or an interrupt, the others need not go on
                self.steps.stopped = True
                pool.shutdown(wait=False, cancel_futures=True)

    def fit(self, rows: Rows) -> _Fit:
        """Choose setting, calibration, context and thresholds by cross-validation on `rows`, then fit on them all."""
        task, targets = self.corpus.task, self.corpus.targets
        settings = settings_tried(self.corpus.codebook)
        logits = np.zeros((len(settings), *targets.shape))
        for train_rows, test_rows in self.corpus.folds(INNER_FOLDS, self.seed, rows):
            if self.steps.stopped:
                raise RuntimeError("training was broken off")
            tfidf = Tfidf.fit(self.counts, train_rows)
            coefficients, intercepts = fit_linear(
                tfidf.transform(train_rows), targets[train_rows], settings, precision=np.float32
            )
            found = tfidf.transform(test_rows) @ coefficients.reshape(len(coefficients), intercepts.size)
            found += intercepts.ravel()
            logits[:, test_rows] = found.reshape(len(test_rows), *intercepts.shape).swapaxes(0, 1)
            self.steps.step()
        truth = targets[rows]
        best = max(range(len(settings)), key=lambda i: quality(logits[i, rows], truth, task))
        within = logits[best, rows]
        slopes, shifts = calibrate(within, truth, task)
        within = within * slopes + shifts
        context = article_context(self.corpus, rows, within, self.counts.named)
        found = in_articles(self.corpus, rows, within, self.counts.named, context)
        thresholds = choose_thresholds(probabilities(found, task), truth, task)
        tfidf = Tfidf.fit(self.counts, rows)
        coefficients, intercepts = fit_linear(tfidf.transform(rows), truth, [settings[best]])
        calibrated = coefficients[:, 0] * slopes, intercepts[0] * slopes + shifts
        return _Fit(settings[best], tfidf, *calibrated, thresholds, context)
