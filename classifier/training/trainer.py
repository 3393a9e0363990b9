"""Choice of features and regularisation, calibration, context and thresholds, on any part of a corpus.

What is chosen is chosen by cross-validation on that part alone, so a part that leaves test sentences out knows nothing
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from joblib import cpu_count

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.features.tfidf import Tfidf
from classifier.features.vectors import WordVectors
from classifier.model.context import Context
from classifier.model.model import Model
from classifier.system.arrays import Bools, Floats, Rows
from classifier.training.articles import Decisions, read_and_decide
from classifier.training.calibration import calibrate, likelihood, quality
from classifier.training.features import Features, Source
from classifier.training.linear import (
    LARGE_VECTOR_SCALES,
    SMALL,
    VECTOR_SCALES,
    VECTORS_GAIN,
    Setting,
    fit_linear,
    inner_folds,
    settings_tried,
)

#: Called with the steps done and the steps in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibrated linear model on the vocabulary of its training rows.

    Parameters
    ----------
    setting : Setting
        Chosen.
    features : Features
    coefficients : ndarray of shape (n_columns, n_frames)
        Of the columns of `features`.
    intercepts : ndarray of shape (n_frames,)
    decisions : Decisions
    """

    setting: Setting
    features: Features
    coefficients: Floats
    intercepts: Floats
    decisions: Decisions

    @property
    def context(self) -> Context | None:
        """What articles tell about their sentences."""
        return self.decisions.context

    def logits(self, rows: Rows) -> Floats:
        """Return the logits of sentences by their own words."""
        features = self.features.transform(rows, self.setting.vectors)
        logits: Floats = features @ self.coefficients + self.intercepts
        return logits

    def model(self, name: str) -> Model:
        """Return the model, without figures and without what it knows of its corpus besides."""
        source = self.features.source
        codebook, start = source.corpus.codebook, source.start
        tables = self.features.tables(self.coefficients, self.intercepts, self.setting.vectors)
        return Model(
            name=name,
            codebook=codebook if start is None else replace(codebook, roles=start.model.codebook.roles),
            task=source.corpus.task,
            blocks=tables.blocks,
            vocabulary=tables.vocabulary,
            idf=tables.idf.astype(np.float32),
            coefficients=tables.coefficients.astype(np.float32),
            intercepts=tables.intercepts,
            thresholds=self.decisions.thresholds,
            thresholds_alone=self.decisions.thresholds_alone,
            context=self.context,
        )


class Steps:
    """Counts steps for a progress bar, from any thread.

    Parameters
    ----------
    progress : callable, optional
    """

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.done, self.total = progress, 0, 0
        self.stopped = False
        self._lock = Lock()

    def step(self) -> None:
        """Say that one more step is done."""
        with self._lock:
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.total)


class Trainer:
    """Fits calibrated models on parts of one corpus, counting its n-grams once.

    Parameters
    ----------
    corpus : LabeledCorpus
    seed : int
        Of the inner folds.
    steps : Steps
    vectors : WordVectors
    start : Model, optional

    Raises
    ------
    InputError
        If nothing recurs in the sentences, or the start knows none of their frames.
    """

    def __init__(
        self, corpus: LabeledCorpus, seed: int, steps: Steps, vectors: WordVectors, start: Model | None = None
    ) -> None:
        self.corpus, self.seed, self.steps = corpus, seed, steps
        self.source = Source(corpus, vectors, start)
        if not any(Tfidf.fit(self.source.counts, np.arange(len(corpus))).vocabulary()):
            raise InputError("Nothing to learn from: no word, nor part of one, recurs in the sentences.")

    def n_steps(self, parts: Sequence[Rows]) -> int:
        """Return how many steps `fit_all` takes for these parts."""
        return sum(map(self._n_folds, parts))

    def _n_folds(self, rows: Rows) -> int:
        return inner_folds(len(rows), len(np.unique(self.corpus.group_ids[rows])))

    def fit_all(self, parts: Sequence[Rows]) -> list[Fit]:
        """Fit each of several parts of the corpus, one thread per processor; the compiled work holds no lock."""
        with ThreadPoolExecutor(min(len(parts), cpu_count())) as pool:
            fits = [pool.submit(self.fit, rows) for rows in parts]
            try:
                return [fit.result() for fit in fits]
            except BaseException:  # after an error, or an interrupt, the others need not go on
                self.steps.stopped = True
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def fit(self, rows: Rows) -> Fit:
        """Choose by cross-validation on `rows`, then fit on them all."""
        blocks = self.source.blocks(len(rows))
        folds = list(self.corpus.folds(self._n_folds(rows), self.seed, rows))
        parts = [(self.source.fit(train, blocks), train, test) for train, test in folds]
        setting, logits = self._search(parts, rows)
        slopes, shifts = calibrate(logits, self.corpus.targets[rows], self.corpus.task)
        decisions = read_and_decide(self.corpus, rows, logits * slopes + shifts, self.source.named, self.source.start)
        features = self.source.fit(rows, blocks)
        coefficients, intercepts = fit_linear(
            features.transform(rows, setting.vectors),
            self.corpus.targets[rows],
            [setting],
            dense=features.dense(setting.vectors),
        )
        calibrated = coefficients[:, 0] * slopes, intercepts[0] * slopes + shifts
        return Fit(setting, features, *calibrated, decisions)

    def _search(self, parts: Sequence[tuple[Features, Rows, Rows]], rows: Rows) -> tuple[Setting, Floats]:
        """Return the best setting and its out-of-fold logits of `rows`.

        In a large corpus word vectors are tried with the best setting without them; in a small one, where the
        strength of the penalty goes with them, with all.
        """
        small = len(rows) <= SMALL
        settings = settings_tried(self.corpus.codebook, len(rows), self.source.start is not None)
        settings = [replace(setting, blocks=parts[0][0].blocks) for setting in settings]
        best, gained, logits = self._best(parts, rows, settings)
        for _ in parts:
            self.steps.step()
        if self.source.means is None:
            return best, logits
        for scale in VECTOR_SCALES if small else LARGE_VECTOR_SCALES:
            tried = [replace(setting, vectors=scale) for setting in (settings if small else [best])]
            setting, found, others = self._best(parts, rows, tried)
            if found > gained + (0.0 if small or best.vectors else VECTORS_GAIN):
                best, gained, logits = setting, found, others
        return best, logits

    def _best(
        self, parts: Sequence[tuple[Features, Rows, Rows]], rows: Rows, settings: Sequence[Setting]
    ) -> tuple[Setting, float, Floats]:
        """Return the best of settings with one scale of the word vectors, its quality and its out-of-fold logits."""
        targets, scale = self.corpus.targets, settings[0].vectors
        logits = np.zeros((len(settings), *targets.shape))
        for features, train_rows, test_rows in parts:
            if self.steps.stopped:
                raise RuntimeError("training was broken off")
            coefficients, intercepts = fit_linear(
                features.transform(train_rows, scale),
                targets[train_rows],
                settings,
                precision=np.float32,
                dense=features.dense(scale),
            )
            found = features.transform(test_rows, scale) @ coefficients.reshape(len(coefficients), intercepts.size)
            found += intercepts.ravel()
            logits[:, test_rows] = found.reshape(len(test_rows), *intercepts.shape).swapaxes(0, 1)
        truth: Bools = targets[rows]
        # With a start there is little to choose, and its own figures are of decisions.
        good = likelihood if len(rows) <= SMALL and self.source.start is None else quality
        qualities = [good(own[rows], truth, self.corpus.task) for own in logits]
        best = int(np.argmax(qualities))
        return settings[best], qualities[best], logits[best, rows]
