"""A model, or the training method, measured on sentences it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.corpus import LabeledCorpus
from classifier.errors import FramingError, InputError
from classifier.evaluation.splits import column_of, leave_out_splits
from classifier.metrics import Comparison, FrameMetrics, Scores, Summary, compare, summarize
from classifier.model.model import Model
from classifier.system.arrays import Rows


@dataclass(frozen=True, slots=True)
class Overlap:
    """Sentences of a test corpus that a model was trained on.

    Parameters
    ----------
    same_file : bool
        Whether the corpus is the very file the model was trained on, by its SHA-256.
    sentences : int
        Trained on, and therefore left out of the figures.
    neighbours : int
        Sentences that remain but share an article with one left out; they are read without it.
    recorded : bool
        Whether every model says which sentences it was trained on; where not, only the very file is recognised.
    """

    same_file: bool
    sentences: int
    neighbours: int
    recorded: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the overlap as plain data."""
        return {
            "same_file": self.same_file,
            "sentences": self.sentences,
            "neighbours": self.neighbours,
            "recorded": self.recorded,
        }


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong decision.

    Parameters
    ----------
    row : int
        Of the corpus, from 0.
    article : str or None
    text : str
    frame : str
        The frame wrongly given or missed; for multiclass the one wrongly given.
    kind : {"false", "missed"}
    probability : float
        Of that frame.
    margin : float
        How sure the model was: log-odds between the probability and the frame's threshold (multiclass: between
        the frame given and the right one).
    labels, predicted : tuple of str
    terms : list of (str, float)
        What speaks most for the frame where it was wrongly given, most against it where it was missed.
    """

    row: int
    article: str | None
    text: str
    frame: str
    kind: str
    probability: float
    margin: float
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    terms: list[tuple[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Return the mistake as plain data."""
        return {
            "row": self.row,
            "article": self.article,
            "text": self.text,
            "frame": self.frame,
            "kind": self.kind,
            "probability": round(self.probability, 4),
            "margin": round(self.margin, 4),
            "labels": list(self.labels),
            "predicted": list(self.predicted),
            "terms": [[term, round(value, 4)] for term, value in self.terms],
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Results of one evaluation, and everything measured of them.

    Parameters
    ----------
    method : str
        What was measured and how, in words.
    corpus : LabeledCorpus
    rows_tested : ndarray of int
        The rows of the corpus behind `scores`, in their order.
    scores : Scores
    summary : Summary
    models : list of Model
        Those that scored the sentences: one, or one a fold.
    model_of : ndarray of int
        Which of `models` scored each of `rows_tested`.
    overlap : Overlap or None
        Sentences left out because the model was trained on them; None for cross-validation, where there are none.
    folds : tuple of str
        What each fold left out, where a column's values were left out.
    alone : Scores or None
        Of cross-validation: the same sentences scored without their articles; None where the models take nothing from
        articles.
    """

    method: str
    corpus: LabeledCorpus
    rows_tested: Rows
    scores: Scores
    summary: Summary
    models: list[Model]
    model_of: Rows
    overlap: Overlap | None = None
    folds: tuple[str, ...] = ()
    alone: Scores | None = None

    @property
    def rows(self) -> list[FrameMetrics]:
        """The figures of each frame, then of the macro and the micro average."""
        return self.summary.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain data, fit for JSON."""
        return {
            "method": self.method,
            "corpus": Path(self.corpus.path).name,
            "corpus_sha256": self.corpus.sha256,
            "overlap": None if self.overlap is None else self.overlap.to_dict(),
            "folds": list(self.folds),
            **self.summary.to_dict(),
        }

    def mistakes(self, n: int, terms: int = 5) -> list[Mistake]:
        """Return the mistakes the model was surest of.

        Parameters
        ----------
        n : int
            At most so many, at most one a sentence, the surest first.
        terms : int
            Terms given for each, by the model that scored the sentence: with folds the one that had not seen it.

        Returns
        -------
        list of Mistake
        """
        scores, frames = self.scores, self.summary.frames
        thresholds = np.array([model.thresholds for model in self.models])[self.model_of]
        margins = _log_odds(scores.probabilities) - _log_odds(thresholds)
        wrong = scores.truth != scores.predicted
        if self.summary.task == "multiclass":
            logs = np.log(np.maximum(scores.probabilities, 1e-12))
            margins = logs - (logs * scores.truth).sum(axis=1, keepdims=True)
            wrong = scores.predicted & ~scores.truth
        sureness = np.where(wrong, np.abs(margins), -1.0)
        surest = sureness.argmax(axis=1)
        order = np.argsort(-sureness.max(axis=1), kind="stable")[:n]
        return [
            self._mistake(int(place), int(surest[place]), float(sureness[place, surest[place]]), terms, frames)
            for place in order
            if wrong[place].any()
        ]

    def explain(self, place: int) -> dict[str, list[tuple[str, float]]]:
        """Return what every term adds to the logits of a sentence in its article, by the model that scored it.

        Parameters
        ----------
        place : int
            Of the sentence in `rows_tested`.

        Returns
        -------
        dict of str to list of (str, float)
            See `classifier.model.model.Reading.explain`.
        """
        row, corpus = int(self.rows_tested[place]), self.corpus
        # Cross-validation reads whole articles; of a corpus that a model has partly seen the rest is read.
        known = np.arange(len(corpus)) if self.overlap is None else self.rows_tested
        order, sizes = corpus.by_article(known)
        at = int(np.flatnonzero(known[order] == row)[0])
        article = int(np.searchsorted(np.cumsum(sizes), at, side="right"))
        first = int(sizes[:article].sum())
        texts = [corpus.texts[known[i]] for i in order[first : first + sizes[article]]]
        return self.models[int(self.model_of[place])].read(texts, [len(texts)]).explain(at - first)

    def _mistake(self, place: int, column: int, margin: float, terms: int, frames: tuple[str, ...]) -> Mistake:
        row = int(self.rows_tested[place])
        text, frame = self.corpus.texts[row], frames[column]
        false = bool(self.scores.predicted[place, column])
        ranked = self.explain(place)[frame]
        telling = [term for term in (ranked if false else ranked[::-1]) if (term[1] > 0) == false and term[1]]
        return Mistake(
            row=row,
            article=None if self.corpus.groups is None else self.corpus.groups[row],
            text=text,
            frame=frame,
            kind="false" if false else "missed",
            probability=float(self.scores.probabilities[place, column]),
            margin=margin,
            labels=self.corpus.labels[row],
            predicted=tuple(name for name, given in zip(frames, self.scores.predicted[place], strict=True) if given),
            terms=telling[:terms],
        )


def _log_odds(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    clipped = np.clip(probabilities, 1e-12, 1 - 1e-12)
    result: npt.NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return result


def score_corpus(model: Model, corpus: LabeledCorpus) -> Scores:
    """Score every sentence of a labeled corpus.

    Parameters
    ----------
    model : Model
    corpus : LabeledCorpus
        Labeled with the model's frames, in any order.

    Returns
    -------
    Scores
        Columns in the order of the corpus's frames.

    Raises
    ------
    InputError
        If the model knows other frames than the corpus.
    """
    if sorted(model.frames) != sorted(corpus.frames):
        raise InputError(
            f"{model.name} scores {', '.join(model.frames)}, but the sentences are labeled with "
            f"{', '.join(corpus.frames)}; the frames must be the same."
        )
    order, sizes = corpus.by_article()
    found = np.empty((len(corpus), len(model.frames)))
    reading = model.read([corpus.texts[row] for row in order], sizes.tolist())
    found[order] = reading.probabilities
    column = {name: i for i, name in enumerate(corpus.frames)}
    predicted = np.zeros(found.shape, dtype=bool)
    for row, names in zip(order.tolist(), reading.labels(), strict=True):
        for name in names:
            predicted[row, column[name]] = True
    columns = [model.frames.index(name) for name in corpus.frames]
    return Scores(corpus.targets, predicted, found[:, columns], corpus.group_ids)


def evaluate(
    model: Model, corpus: LabeledCorpus, seed: int = 0, by: Sequence[str] = (), *, keep_seen: bool = False
) -> Evaluation:
    """Measure a model on a labeled corpus, on the sentences it was not trained on.

    Parameters
    ----------
    model : Model
    corpus : LabeledCorpus
        Labeled with the model's frames.
    seed : int
        Of the bootstrap.
    by : sequence of str
        Columns of the corpus whose values are measured each on its own.
    keep_seen : bool
        Measure training sentences as well: how well the model remembers, no test of it.

    Returns
    -------
    Evaluation

    Raises
    ------
    FramingError
        If the model was trained on every sentence.
    InputError
        If the corpus has no such column, or other frames.
    """
    seen, overlap = _overlap([model], corpus)
    if keep_seen:
        seen = np.zeros(len(corpus), dtype=bool)
    rows = _testable(seen, overlap, corpus, [model])
    return _evaluate(model, corpus, rows, overlap, seed, by)


def compare_models(
    first: Model, second: Model, corpus: LabeledCorpus, seed: int = 0, by: Sequence[str] = ()
) -> tuple[Evaluation, Evaluation, list[Comparison]]:
    """Compare two models on the sentences of a labeled corpus that neither was trained on.

    Parameters
    ----------
    first, second : Model
    corpus : LabeledCorpus
        Labeled with the frames of both.
    seed : int
        Of the bootstrap.
    by : sequence of str
        Columns of the corpus whose values are measured each on its own.

    Returns
    -------
    first, second : Evaluation
    comparison : list of Comparison
        By the paired test of `classifier.metrics.compare`.

    Raises
    ------
    FramingError
        If no sentence is left.
    InputError
        If the corpus has no such column, or the frames are not the same.
    """
    seen, overlap = _overlap([first, second], corpus)
    rows = _testable(seen, overlap, corpus, [first, second])
    one, other = (_evaluate(model, corpus, rows, overlap, seed, by) for model in (first, second))
    return one, other, compare(one.scores, other.scores, corpus.frames, seed)


def _evaluate(
    model: Model, corpus: LabeledCorpus, rows: Rows, overlap: Overlap, seed: int, by: Sequence[str]
) -> Evaluation:
    columns = {name: column_of(corpus, name) for name in by}
    part = replace(
        corpus,
        texts=tuple(corpus.texts[row] for row in rows),
        labels=tuple(corpus.labels[row] for row in rows),
        groups=None if corpus.groups is None else tuple(corpus.groups[row] for row in rows),
        columns={},
    )
    scores = score_corpus(model, part)
    sliced = {name: [values[row] for row in rows] for name, values in columns.items()}
    return Evaluation(
        method=f"{model.name} on {len(part):,} sentences it has not seen",
        corpus=corpus,
        rows_tested=rows,
        scores=scores,
        summary=summarize(scores, corpus.frames, model.task, seed, sliced),
        models=[model],
        model_of=np.zeros(len(rows), dtype=np.intp),
        overlap=overlap,
    )


def _testable(seen: npt.NDArray[np.bool_], overlap: Overlap, corpus: LabeledCorpus, models: Sequence[Model]) -> Rows:
    if seen.all():
        what = "this very file" if overlap.same_file else "every sentence of it"
        who = " and ".join(dict.fromkeys(model.name for model in models))
        raise FramingError(
            f"{corpus.path or 'the corpus'}: {who} was trained on {what}, so there is nothing to test with: figures "
            "on sentences that a model has learned by heart say nothing of new articles. "
            "For honest figures of the training method: framing evaluate --folds 5"
        )
    return np.flatnonzero(~seen)


def _overlap(models: Sequence[Model], corpus: LabeledCorpus) -> tuple[npt.NDArray[np.bool_], Overlap]:
    same_file = any(corpus.sha256 and model.provenance.get("corpus_sha256") == corpus.sha256 for model in models)
    seen = np.full(len(corpus), same_file)
    for model in models:
        seen |= model.seen(corpus.texts)
    beside = np.isin(corpus.group_ids, corpus.group_ids[seen]) & ~seen
    recorded = all(len(model.trained_on) > 0 for model in models)
    return seen, Overlap(same_file, int(seen.sum()), int(beside.sum()), recorded)


def cross_evaluate(
    corpus: LabeledCorpus,
    n_folds: int | None = 5,
    leave_out: str | None = None,
    seed: int = 0,
    by: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure the training method: every sentence is scored by a model that saw nothing of its article.

    Parameters
    ----------
    corpus : LabeledCorpus
    n_folds : int or None
        Folds. With `leave_out` the bundles of values, None for one value at a time; see `leave_out_splits`.
    leave_out : str, optional
        A column: a sentence is scored by a model that saw nothing of its value of the column either.
    seed : int
        Of folds and bootstrap.
    by : sequence of str
        Columns of the corpus whose values are measured each on its own; `leave_out` always is.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    Evaluation
        Its choices (settings, calibration, context, thresholds) are made anew for each fold, without it.

    Raises
    ------
    InputError
        If the corpus has no such column, or leaving a value out leaves too little to learn from.
    """
    from classifier.training.train import cross_validate

    for name in by:
        column_of(corpus, name)
    names: tuple[str, ...] = ()
    if leave_out is None:
        splits = list(corpus.folds(n_folds or 5, seed))
        method = f"{len(splits)}-fold cross-validation by article"
    else:
        named = leave_out_splits(corpus, leave_out, n_folds)
        names, splits = tuple(name for name, _ in named), [split for _, split in named]
        by = [leave_out, *(name for name in by if name != leave_out)]
        method = f"cross-validation leaving out values of {leave_out} in {len(splits)} folds"
    report = cross_validate(corpus, splits, seed=seed, sliced=by, progress=progress)
    validation = report.validation
    tested = np.flatnonzero(validation.folds >= 0)
    return Evaluation(
        method=method,
        corpus=corpus,
        rows_tested=tested,
        scores=validation.scores,
        summary=report.summary,
        models=validation.models,
        model_of=validation.folds[tested],
        folds=names,
        alone=validation.alone,
    )
