"""Sentences of a corpus read in their articles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifier.corpus import LabeledCorpus
from classifier.model.context import Context, Surroundings, learn_context
from classifier.model.model import probabilities
from classifier.system.arrays import Bools, Floats, Rows
from classifier.training.calibration import TOLERANCE_ALONE, choose_thresholds
from classifier.training.features import Start


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


@dataclass(frozen=True, slots=True)
class Decisions:
    """How the logits of sentences by their own words become decisions.

    Parameters
    ----------
    context : Context or None
        What articles tell about their sentences.
    thresholds : ndarray of shape (n_frames,)
        Of sentences in their articles.
    thresholds_alone : ndarray of shape (n_frames,) or None
        Of sentences read alone; None where `thresholds` are theirs, for no article told anything.
    """

    context: Context | None
    thresholds: Floats
    thresholds_alone: Floats | None


def read_and_decide(
    corpus: LabeledCorpus, rows: Rows, logits: Floats, named: Bools, start: Start | None = None
) -> Decisions:
    """Learn from calibrated, out-of-fold logits what articles tell, and the thresholds.

    Parameters
    ----------
    corpus, rows, logits, named
        As for `article_context`.
    start : Start, optional
        Where the corpus has too few articles, what the model that training starts from knows about articles is kept.

    Returns
    -------
    Decisions
    """
    truth = corpus.targets[rows]
    context = article_context(corpus, rows, logits, named)
    found = in_articles(corpus, rows, logits, named, context)
    thresholds = choose_thresholds(probabilities(found, corpus.task), truth, corpus.task)
    if context is not None:
        alone = choose_thresholds(probabilities(logits, corpus.task), truth, corpus.task, TOLERANCE_ALONE)
        return Decisions(context, thresholds, alone)
    if start is not None and start.model.context is not None and corpus.task == "multilabel":
        context = start.model.context.of_frames(start.places)
    return Decisions(context, thresholds, None)
