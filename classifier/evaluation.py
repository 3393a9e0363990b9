"""A model, or the training method, measured on a labeled corpus."""

from __future__ import annotations

from classifier.corpus import LabeledCorpus
from classifier.metrics import FrameMetrics, Scores, frame_metrics
from classifier.model import Model


def score_corpus(model: Model, corpus: LabeledCorpus) -> Scores:
    """Score every sentence of a labeled corpus.

    Parameters
    ----------
    model : Model
    corpus : LabeledCorpus
        Labeled with the model's frames.

    Returns
    -------
    Scores
    """
    import numpy as np

    probabilities = model.predict_proba(corpus.texts)
    predicted = np.zeros(probabilities.shape, dtype=bool)
    column = {name: i for i, name in enumerate(model.frames)}
    for row, names in enumerate(model.labels(probabilities)):
        for name in names:
            predicted[row, column[name]] = True
    return Scores(corpus.targets, predicted, probabilities, corpus.group_ids)


def evaluate(model: Model, corpus: LabeledCorpus, seed: int = 0) -> list[FrameMetrics]:
    """Measure a model on a labeled corpus it has not seen.

    Parameters
    ----------
    model : Model
    corpus : LabeledCorpus
        Labeled with the model's frames.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of FrameMetrics
        One a frame, then the macro and the micro average.
    """
    return frame_metrics(score_corpus(model, corpus), model.frames, seed)


def seen_in_training(model: Model, corpus: LabeledCorpus) -> bool:
    """Tell whether a corpus is the one the model was trained on, by the SHA-256 of its file."""
    return bool(corpus.sha256) and model.provenance.get("corpus_sha256") == corpus.sha256
