"""Sentences of a corpus read in their articles."""

from __future__ import annotations

import numpy as np

from classifier.corpus import LabeledCorpus
from classifier.model.context import Context, Surroundings, learn_context
from classifier.system.arrays import Bools, Floats, Rows


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
