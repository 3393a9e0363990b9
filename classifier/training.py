"""From a labeled corpus to a model: choice of features and regularisation, calibration, thresholds.

Everything that is chosen is chosen by cross-validation on the training sentences alone, and the figures reported
come from an outer cross-validation around the whole of it: for each outer fold the choice, the calibration, the
context and the thresholds are made again without that fold (nested cross-validation; Varma and Simon 2006).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import cpu_count
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from classifier.codebook import Codebook
from classifier.context import Context, Surroundings, learn_context
from classifier.corpus import LabeledCorpus, Task
from classifier.domain import learn_domain
from classifier.errors import InputError
from classifier.features import Block, CountMatrix, Tfidf
from classifier.fingerprints import fingerprints
from classifier.logistic import fit_logistic
from classifier.metrics import FrameMetrics, Scores, Summary, frame_metrics, summarize
from classifier.model import Model, probabilities
from classifier.roles import Roles

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Called with the steps done and the steps in all.
Progress = Callable[[int, int], None]

#: What a sentence is read through.
BLOCKS = (Block("words", 1, 2, min_df=2), Block("characters", 3, 5, min_df=3))

#: What it is read through besides, where the codebook names roles.
ROLE_BLOCKS = (
    Block("roles", 1, 3, min_df=2),
    Block("role_pairs", 2, 2, min_df=2),
    Block("masked_words", 1, 2, min_df=2),
)

#: Inverse strengths of the L2 penalty tried on the inner folds.
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

#: Exponent of the log-count ratio that weighs each feature before a fit, see `count_ratios`; 0 would weigh all alike.
RATIO_POWER = 1 / 3

#: F1 that a threshold may lose to be higher: less than chance gives and takes. What is labeled is surer for it, and
#: news of other things is labeled less often (in the spirit of the one-standard-error rule of Breiman et al. 1984).
TOLERANCE = 0.005

#: Folds of the inner cross-validation, which chooses.
INNER_FOLDS = 3

#: Columns whose values are measured each on its own, where a corpus has them.
SLICED = ("source_type",)


@dataclass(frozen=True, slots=True)
class Setting:
    """One combination that the inner cross-validation tries.

    Parameters
    ----------
    blocks : tuple of Block
    C : float
        Inverse strength of the L2 penalty, as in ``LogisticRegression``.
    balanced : bool
        Whether rare labels weigh more, as with ``class_weight="balanced"``.
    """

    blocks: tuple[Block, ...]
    C: float
    balanced: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as plain data."""
        return {
            "blocks": [
                f"{block.kind} {block.shortest}-{block.longest}, min_df {block.min_df}" for block in self.blocks
            ],
            "C": self.C,
            "class_weight": "balanced" if self.balanced else None,
        }


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How good the training method is on a corpus, by nested cross-validation.

    Parameters
    ----------
    scores : Scores
        Every sentence scored by a model that saw nothing of its article.
    alone : Scores or None
        The same without its article, at the same thresholds; None where the models take nothing from articles.
    majority, keywords : Scores
        The same by the two baselines.
    settings : list of Setting
        Chosen in each outer fold.
    models : list of Model
        The model of each outer fold.
    folds : ndarray of int of shape (n_texts,)
        The outer fold that scored each sentence, and so its model.
    """

    scores: Scores
    alone: Scores | None
    majority: Scores
    keywords: Scores
    settings: list[Setting]
    models: list[Model]
    folds: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How good a model is, by nested cross-validation, and what was chosen.

    Parameters
    ----------
    summary : Summary
        Everything measured.
    baselines : dict of str to list of FrameMetrics
        The figures of ``majority`` and ``keywords``.
    validation : CrossValidation
        What they are computed from.
    alone : list of FrameMetrics or None
        The figures of sentences scored without their articles, at the same thresholds; None where the models take
        nothing from articles.
    setting : Setting or None
        Chosen for the model that is kept; None where none is.
    """

    summary: Summary
    baselines: dict[str, list[FrameMetrics]]
    validation: CrossValidation
    alone: list[FrameMetrics] | None = None
    setting: Setting | None = None

    @property
    def rows(self) -> list[FrameMetrics]:
        """The figures of each frame, then of the macro and the micro average."""
        return self.summary.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``metrics.json`` holds it."""
        return {
            "method": "nested cross-validation grouped by article; 95 % intervals by bootstrap over articles",
            **self.summary.to_dict(),
            "alone": None if self.alone is None else [row.to_dict() for row in self.alone],
            "baselines": {name: [row.to_dict() for row in rows] for name, rows in self.baselines.items()},
            "setting": self.setting.to_dict() if self.setting else None,
            "fold_settings": [setting.to_dict() for setting in self.validation.settings],
        }


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
    if not any(trainer.counts.fit(everything).vocabulary()):
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


def blocks_for(codebook: Codebook) -> tuple[Block, ...]:
    """Return what a sentence is read through: `BLOCKS`, and `ROLE_BLOCKS` where the codebook names roles."""
    return BLOCKS + ROLE_BLOCKS if any(codebook.roles.values()) else BLOCKS


def settings_tried(codebook: Codebook) -> list[Setting]:
    """Return the combinations that the inner cross-validation tries, in the order of the search."""
    blocks = blocks_for(codebook)
    return [Setting(blocks, strength, balanced) for balanced in (False, True) for strength in STRENGTHS]


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
        roles = Roles(corpus.codebook.roles) if corpus.codebook.roles else None
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
            tfidf = self.counts.fit(train_rows)
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
        tfidf = self.counts.fit(rows)
        coefficients, intercepts = fit_linear(tfidf.transform(rows), truth, [settings[best]])
        calibrated = coefficients[:, 0] * slopes, intercepts[0] * slopes + shifts
        return _Fit(settings[best], tfidf, *calibrated, thresholds, context)


def article_context(corpus: LabeledCorpus, rows: Rows, logits: Floats, named: Bools) -> Context | None:
    """Learn what articles tell about their sentences.

    Parameters
    ----------
    corpus : LabeledCorpus
    rows : ndarray of int
        Sentences of the corpus; of its articles they should be the whole.
    logits : ndarray of shape (len(rows), n_frames)
        Theirs, calibrated and out of fold.
    named : ndarray of bool of shape (n_texts, n_subjects)
        Which of the codebook's subjects each sentence of the corpus names.

    Returns
    -------
    Context or None
        None for a multiclass task and for a corpus without articles.
    """
    if corpus.task == "multiclass" or corpus.groups is None:
        return None
    order, around = _around(corpus, rows, logits, named)
    return learn_context(logits[order], around, corpus.targets[rows[order]])


def in_articles(corpus: LabeledCorpus, rows: Rows, logits: Floats, named: Bools, context: Context | None) -> Floats:
    """Return the logits of sentences read in their articles.

    Parameters
    ----------
    corpus, rows, named
        As for `article_context`.
    logits : ndarray of shape (len(rows), n_frames)
        Of each sentence by its own words.
    context : Context or None

    Returns
    -------
    ndarray of shape (len(rows), n_frames)
        `logits` themselves where there is no context.
    """
    if context is None:
        return logits
    order, around = _around(corpus, rows, logits, named)
    result = np.empty_like(logits)
    result[order] = context.logits(logits[order], around)
    return result


def _around(corpus: LabeledCorpus, rows: Rows, logits: Floats, named: Bools) -> tuple[Rows, Surroundings]:
    order, sizes = corpus.by_article(rows)
    return order, Surroundings.of(logits[order], named[rows[order]], sizes.tolist())


def fit_linear(
    features: sparse.csr_array,
    targets: Bools,
    settings: Sequence[Setting],
    precision: npt.DTypeLike = np.float64,
) -> tuple[Floats, Floats]:
    """Fit one logistic regression a frame, that frame against all others, with each of several settings.

    Parameters
    ----------
    features : sparse array of shape (n_texts, n_features)
    targets : ndarray of bool of shape (n_texts, n_frames)
    settings : sequence of Setting
    precision : dtype
        See `classifier.logistic.fit_logistic`.

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_settings, n_frames)
    intercepts : ndarray of shape (n_settings, n_frames)
        A frame without examples (or without counter-examples, or features) gets zero coefficients and
        its smoothed log-odds.

    Notes
    -----
    Each frame's features are weighed by `count_ratios` first; the weights are multiplied into the coefficients, so that
    a model knows nothing of them. Multiclass models take the softmax of the frames' logits; fitting them jointly
    (multinomial, by L-BFGS) took thirty times as long and gave the same macro F1 to 0.005 on a corpus of nine classes.
    `benchmarks` compares solvers.
    """
    n_texts, n_frames = targets.shape
    positive = targets.sum(axis=0)
    share = (positive + 0.5) / (n_texts + 1.0)
    intercepts = np.tile(np.log(share) - np.log1p(-share), (len(settings), 1))
    coefficients = np.zeros((features.shape[1], len(settings), n_frames))
    if not features.shape[1]:
        return coefficients, intercepts
    for frame in np.flatnonzero((positive > 0) & (positive < n_texts)):
        truth = targets[:, frame]
        ratios = count_ratios(features, truth)
        weighed = sparse.csr_array(
            (features.data * ratios[features.indices], features.indices, features.indptr), features.shape
        )
        sizes = np.array([n_texts - positive[frame], positive[frame]])
        # As class_weight="balanced" has it: both classes weigh the same, and all sentences together what they did.
        costs = [setting.C * (n_texts / (2 * sizes) if setting.balanced else np.ones(2)) for setting in settings]
        lanes = np.tile(truth[:, None], (1, len(settings)))
        found, intercepts[:, frame] = fit_logistic(weighed, lanes, np.transpose(costs), precision=precision)
        coefficients[:, :, frame] = found * ratios[:, None]
    return coefficients, intercepts


def count_ratios(features: sparse.csr_array, truth: npt.NDArray[np.bool_]) -> Floats:
    """Return what each feature weighs for a frame: more, the more unevenly it occurs with the frame and without it.

    Parameters
    ----------
    features : sparse array of shape (n_texts, n_features)
    truth : ndarray of bool of shape (n_texts,)
        Whether a text carries the frame; both must occur.

    Returns
    -------
    ndarray of shape (n_features,)
        Of mean one.

    Notes
    -----
    The log-count ratio of naive Bayes on binary features, smoothed by one text, after Wang and Manning (2012,
    "Baselines and bigrams"): ``|ln(((1 + p) / P) / ((1 + q) / Q))|`` for a feature in p of P texts with the frame and
    in q of Q without. Its power `RATIO_POWER` sets how far the penalty spares telling features; the penalty of the
    others grows.
    """
    n_features = features.shape[1]
    present = features.indices[np.repeat(truth, np.diff(features.indptr))]
    p = np.bincount(present, minlength=n_features)
    q = np.bincount(features.indices, minlength=n_features) - p
    share = np.log((1 + p) / truth.sum()) - np.log((1 + q) / (~truth).sum())
    ratios: Floats = np.abs(share) ** RATIO_POWER
    mean = ratios.mean()
    return ratios / mean if mean > 0 else np.ones(n_features)


def calibrate(logits: Floats, truth: Bools, task: Task) -> tuple[Floats, Floats]:
    """Learn the slope and the shift that turn out-of-fold logits into calibrated ones.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    slopes, shifts : ndarray of shape (n_frames,)
        Calibrated logits are ``slopes * logits + shifts``.

    Notes
    -----
    Multilabel: Platt (1999), a logistic regression on the logit of each frame. Multiclass: one temperature for
    all classes (Guo et al. 2017). A slope is never negative: where the logits carry no signal it is zero and the
    probability is the frame's share.
    """
    n_frames = logits.shape[1]
    slopes, shifts = np.ones(n_frames), np.zeros(n_frames)
    if task == "multiclass":
        labels = truth.argmax(axis=1)

        def loss(log_slope: float) -> float:
            scaled = logits * np.exp(log_slope)
            return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]))

        best = minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded")
        return slopes * np.exp(best.x), shifts
    for frame in range(n_frames):
        if not 0 < truth[:, frame].sum() < len(truth):
            continue
        slopes[frame], shifts[frame] = _platt(logits[:, frame], truth[:, frame])
        if slopes[frame] <= 0:
            share = truth[:, frame].mean()
            slopes[frame], shifts[frame] = 0.0, np.log(share / (1 - share))
    return slopes, shifts


def _platt(logits: Floats, truth: Bools) -> tuple[float, float]:
    """Return the slope and the shift of Platt scaling, by Newton's method (Lin, Lin and Weng 2007)."""
    # Platt's targets, a little off one and zero: without them logits that separate the frame would make every
    # probability zero or one.
    positive = truth.sum()
    targets = np.where(truth, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    design = np.column_stack([logits, np.ones(len(logits))])
    # Next to nothing, for logits that are all the same.
    ridge = np.array([1e-6, 0.0])

    def loss(values: Floats) -> float:
        scaled = design @ values
        return float((np.logaddexp(0.0, scaled) - targets * scaled).sum() + (ridge * values**2).sum() / 2)

    values = np.array([0.0, np.log(targets.mean() / (1 - targets.mean()))])
    for _ in range(100):
        likely = 1.0 / (1.0 + np.exp(-(design @ values)))
        gradient = design.T @ (likely - targets) + ridge * values
        hessian = design.T @ (design * (likely * (1 - likely))[:, None]) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        before = loss(values)
        while np.abs(step).max() > 1e-9 and loss(values - step) > before:
            step /= 2
        values = values - step
        if np.abs(step).max() < 1e-9:
            break
    return float(values[0]), float(values[1])


def choose_thresholds(probabilities: Floats, truth: Bools, task: Task, tolerance: float = TOLERANCE) -> Floats:
    """Choose for each frame the highest threshold whose F1 is as good as the best.

    Parameters
    ----------
    probabilities : ndarray of shape (n_texts, n_frames)
        Calibrated, out of fold.
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}
    tolerance : float
        How much less than the best F1 is as good.

    Returns
    -------
    ndarray of shape (n_frames,)
        Half-way between the neighbouring probabilities. Multiclass: zeros, the likeliest class is taken.
    """
    thresholds = np.zeros(truth.shape[1]) if task == "multiclass" else np.full(truth.shape[1], 0.5)
    for frame in range(truth.shape[1]) if task == "multilabel" else ():
        order = np.argsort(-probabilities[:, frame], kind="stable")
        ranked, hits = probabilities[order, frame], truth[order, frame]
        if not hits.any():
            continue
        last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        f1 = 2 * np.cumsum(hits)[last] / (last + 1 + hits.sum())
        # Never less than half of the best: where no threshold is any good, a tolerance would take the highest of all.
        best = int(np.flatnonzero(f1 >= max(f1.max() - tolerance, f1.max() / 2))[0])
        below = ranked[last[best] + 1] if last[best] + 1 < len(ranked) else 0.0
        thresholds[frame] = (ranked[last[best]] + below) / 2
    return thresholds


def decide(probabilities: Floats, thresholds: Floats, task: Task) -> Bools:
    """Turn probabilities into decisions: thresholds (multilabel) or the likeliest frame (multiclass).

    Parameters
    ----------
    probabilities : ndarray of shape (n_texts, n_frames)
    thresholds : ndarray of shape (n_frames,)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    ndarray of bool of shape (n_texts, n_frames)
    """
    reached: Bools = probabilities >= thresholds
    if task == "multiclass":
        reached &= np.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, None]
    return reached


def quality(logits: Floats, truth: Bools, task: Task) -> float:
    """Return the macro F1 of decisions at the best thresholds.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    float
    """
    thresholds = (
        choose_thresholds(logits, truth, task, tolerance=0)
        if task == "multilabel"
        else np.full(truth.shape[1], -np.inf)
    )
    predicted = decide(logits, thresholds, task)
    hits = (predicted & truth).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(1, predicted.sum(axis=0) + truth.sum(axis=0))))


def predict_majority(corpus: LabeledCorpus, train_rows: Rows, test_rows: Rows, scores: Scores) -> None:
    """Fill in the baseline that labels every sentence with the commonest label set of the training sentences."""
    commonest = Counter(corpus.labels[row] for row in train_rows).most_common(1)[0][0]
    scores.predicted[test_rows] = [name in commonest for name in corpus.frames]
    scores.probabilities[test_rows] = corpus.targets[train_rows].mean(axis=0)


def predict_keywords(corpus: LabeledCorpus, train_rows: Rows, test_rows: Rows, scores: Scores) -> None:
    """Fill in the baseline that searches for each frame's keywords.

    A codebook without keywords gets the ten words of each frame with the highest chi-squared statistic on the
    training sentences. Multiclass: the frame with most keywords found, the commonest where none is.
    """
    lists = keyword_lists(corpus, train_rows)
    patterns = [
        re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + ")" if words else r"(?!)", re.IGNORECASE)
        for words in lists
    ]
    counts = np.array([[len(pattern.findall(corpus.texts[row])) for pattern in patterns] for row in test_rows])
    scores.probabilities[test_rows] = counts
    scores.predicted[test_rows] = counts > 0
    if corpus.task == "multiclass":
        ties = corpus.targets[train_rows].mean(axis=0) / 2
        scores.predicted[test_rows] = np.arange(counts.shape[1]) == (counts + ties).argmax(axis=1)[:, None]


def keyword_lists(corpus: LabeledCorpus, rows: Rows) -> list[tuple[str, ...]]:
    """Return the keywords of each frame: the codebook's, else learned from the rows given."""
    if all(frame.keywords for frame in corpus.codebook.frames):
        return [frame.keywords for frame in corpus.codebook.frames]
    vectorizer = CountVectorizer(binary=True, min_df=2)
    try:
        present = vectorizer.fit_transform([corpus.texts[row] for row in rows])
    except ValueError:  # no word occurs twice
        return [()] * len(corpus.frames)
    words = vectorizer.get_feature_names_out()
    lists = []
    for frame in range(len(corpus.frames)):
        truth = corpus.targets[rows, frame]
        statistic, _ = chi2(present, truth)
        more_often = present[truth].mean(axis=0) > present.mean(axis=0)
        best = np.argsort(-np.nan_to_num(statistic) * np.asarray(more_often).ravel())[:10]
        lists.append(tuple(words[best]))
    return lists
