"""The model behind the page: fitted again after every few labels, in a process of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.features.tfidf import Tfidf
from classifier.labeling.selection import find_clusters, kappa, n_clusters
from classifier.labeling.store import Project
from classifier.metrics.bootstrap import Bootstrap, Figure, intervals, ratio
from classifier.system.processes import Channel
from classifier.training.linear import BLOCKS, Setting, fit_linear

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

#: What is fitted: the model of ``framing train`` with a setting that does well with few labels.
SETTING = Setting(BLOCKS, 10.0, True)

#: Folds from which thresholds and figures come.
FOLDS = 5

#: Sentences on which successive models are compared.
STOP_SET = 2_000

#: Examples, and counter-examples, that a frame needs to be fitted.
LEAST = 2

#: F1 that a threshold may lose to be higher.
TOLERANCE = 0.005

#: How many random labels the share of examples among all labels counts for.
PRIOR = 20.0

#: Dimensions of the points that are clustered.
DIMENSIONS = 64

#: Resamples behind the interval of the figure on the page.
RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Fit:
    """What a refit found.

    Parameters
    ----------
    margins : ndarray of shape (n_pool, n_frames)
        How far each logit is above the frame's threshold; NaN for frames without a model.
    agreement : float
        Lowest kappa over the frames of this model and the one before; NaN where there is none.
    f1 : Figure or None
        Macro average over the frames that have examples in the random sample, out of fold; None without any.
    seconds : float
        The refit took.
    """

    margins: Floats
    agreement: float
    f1: Figure | None
    seconds: float


class Learner:
    """Fits the frames' models to what is labeled so far.

    Parameters
    ----------
    texts : sequence of str
        The pool.

    Attributes
    ----------
    features : sparse array of shape (n_pool, n_features)
    clusters, closeness : ndarray of shape (n_pool,)
        See `classifier.labeling.selection.find_clusters`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        # N-grams that occur once in a small pool are all there is; in a large one they are rubbish.
        blocks = tuple(Block(b.kind, b.shortest, b.longest, 1 if len(texts) < 500 else b.min_df) for b in BLOCKS)
        counts = CountMatrix(texts, blocks)
        rows = np.arange(len(texts))
        tfidf = Tfidf.fit(counts, rows)
        self.features = tfidf.transform(rows)
        self._blocks = blocks
        self._vocabulary = tfidf.vocabulary()
        self._idf = tfidf.idf
        self._vectorizers: list[Any] = []
        self._texts = texts
        points = self._points()
        self.clusters, self.closeness = find_clusters(points, n_clusters(len(points)))
        self._extra: dict[int, sparse.csr_array] = {}
        self._coefficients: dict[Any, tuple[Rows, Floats, float, float]] = {}
        self._before: dict[Any, Bools] = {}

    def _points(self) -> Floats:
        """Return the sentences as points of few dimensions and length one, by a fixed random projection of words."""
        words = self.features[:, : len(self._vocabulary[0])]
        matrix = np.random.default_rng(0).standard_normal((words.shape[1], DIMENSIONS))
        points = words @ matrix
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        result: Floats = points / np.where(lengths > 0, lengths, 1.0)
        return result

    def hits(self, keywords: Sequence[Sequence[str]]) -> Floats:
        """Return how many keywords of each frame each sentence holds, shape (n_pool, n_frames)."""
        found = np.zeros((len(self._texts), len(keywords)))
        for column, words in enumerate(keywords):
            if words:
                pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + ")", re.IGNORECASE)
                found[:, column] = [len(pattern.findall(text)) for text in self._texts]
        return found

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return the features of texts that are not in the pool."""
        if not self._vectorizers:
            self._vectorizers = [
                block.vectorizer(vocabulary, idf)
                for block, vocabulary, idf in zip(self._blocks, self._vocabulary, self._idf, strict=True)
                if len(vocabulary)
            ]
        parts = [vectorizer.transform(texts) for vectorizer in self._vectorizers]
        return sparse.csr_array(sparse.hstack(parts, format="csr"))

    def fit(
        self,
        rows: Rows,
        targets: Bools,
        groups: npt.NDArray[np.int64],
        random: Bools,
        keys: Sequence[Any],
        others: sparse.csr_array | None = None,
    ) -> Fit:
        """Fit every frame to the labels.

        Parameters
        ----------
        rows : ndarray of int of shape (n,)
            The labeled sentences of the pool; those of `others` come after them.
        targets : ndarray of bool of shape (n_labeled, n_frames)
        groups : ndarray of int of shape (n_labeled,)
            Their articles.
        random : ndarray of bool of shape (n_labeled,)
            Which are of the random sample, of which the figure is.
        keys : sequence
            What tells the frames apart from one refit to the next.
        others : sparse array, optional
            Features of labeled sentences that are not in the pool.

        Returns
        -------
        Fit
        """
        start = time.perf_counter()
        labeled = self.features[rows]
        if others is not None:
            labeled = sparse.csr_array(sparse.vstack([labeled, others], format="csr"))
        columns = np.unique(labeled.indices)
        labeled = sparse.csr_array(labeled[:, columns])
        n_frames = targets.shape[1]
        positive = targets.sum(axis=0)
        able = np.flatnonzero((positive >= LEAST) & (len(targets) - positive >= LEAST))
        margins = np.full((self.features.shape[0], n_frames), np.nan)
        outside, folds = self._out_of_fold(labeled, targets[:, able], groups)
        thresholds = choose_thresholds(outside, targets[:, able], random)
        if len(able):
            coefficients, intercepts = fit_linear(labeled, targets[:, able], [SETTING], precision=np.float32)
            logits = self.features[:, columns] @ coefficients[:, 0] + intercepts[0]
            margins[:, able] = logits - thresholds
        self._coefficients = {
            keys[int(frame)]: (columns, coefficients[:, 0, i], float(intercepts[0, i]), float(thresholds[i]))
            for i, frame in enumerate(able)
        }
        figure = self._figure(outside > thresholds, targets[:, able], positive, able, groups, random) if folds else None
        return Fit(margins, self._agreement(margins, keys), figure, time.perf_counter() - start)

    def _out_of_fold(
        self, labeled: sparse.csr_array, targets: Bools, groups: npt.NDArray[np.int64]
    ) -> tuple[Floats, bool]:
        """Return logits by models that saw nothing of a sentence's article, and whether there are any."""
        logits = np.zeros(targets.shape)
        names, codes = np.unique(groups, return_inverse=True)
        if len(names) < FOLDS or not targets.shape[1]:
            return logits, False
        fold = np.random.default_rng(0).permutation(len(names))[codes] % FOLDS
        for number in range(FOLDS):
            inside, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            coefficients, intercepts = fit_linear(labeled[inside], targets[inside], [SETTING], precision=np.float32)
            logits[test] = labeled[test] @ coefficients[:, 0] + intercepts[0]
        return logits, True

    def _figure(
        self,
        predicted: Bools,
        truth: Bools,
        positive: npt.NDArray[np.int64],
        able: Rows,
        groups: npt.NDArray[np.int64],
        random: Bools,
    ) -> Figure | None:
        """Return the macro F1 on the random sample; a frame without a model is never found."""
        sampled = np.flatnonzero(random)
        kept = np.flatnonzero(truth[sampled].any(axis=0))
        missing = int(((positive > 0) & ~np.isin(np.arange(len(positive)), able)).sum())
        if not len(kept):
            return None
        truth, predicted = truth[sampled][:, kept], predicted[sampled][:, kept]
        bootstrap = Bootstrap(groups[sampled], RESAMPLES, 0)
        hits, both = bootstrap.totals(truth & predicted), bootstrap.totals(truth) + bootstrap.totals(predicted)
        f1 = ratio(2 * hits, both).sum(axis=1) / (len(kept) + missing)
        return intervals(f1[:, None])[0]

    def _agreement(self, margins: Floats, keys: Sequence[Any]) -> float:
        """Return the lowest agreement over frames with the model before, on a fixed set."""
        decided = margins[:STOP_SET] > 0
        found = []
        for column, key in enumerate(keys):
            if not np.isnan(margins[:, column]).any():
                if key in self._before:
                    found.append(kappa(self._before[key], decided[:, column]))
                self._before[key] = decided[:, column]
        return min(found) if found and not np.isnan(found).any() else float("nan")

    def explain(self, features: sparse.csr_array, n: int) -> dict[Any, list[tuple[str, float]]]:
        """Return the terms of a sentence that speak most for or against each frame.

        Parameters
        ----------
        features : sparse array of shape (1, n_features)
        n : int
            Terms per frame.
        """
        names = [ngram for vocabulary in self._vocabulary for ngram in vocabulary]
        dense = dict(zip(features.indices.tolist(), features.data.tolist(), strict=True))
        result = {}
        for key, (columns, coefficients, _, _) in self._coefficients.items():
            places = np.searchsorted(columns, list(dense))
            terms = [
                (names[feature].strip(), float(value * coefficients[place]))
                for (feature, value), place in zip(dense.items(), places.tolist(), strict=True)
                if place < len(columns) and columns[place] == feature
            ]
            result[key] = sorted(terms, key=lambda term: -abs(term[1]))[:n]
        return result

    def margins_of(self, features: sparse.csr_array) -> dict[Any, float]:
        """Return how far the logit of one sentence is above each frame's threshold."""
        result = {}
        for key, (columns, coefficients, intercept, threshold) in self._coefficients.items():
            value = float((features[:, columns] @ coefficients)[0]) + intercept - threshold
            result[key] = value
        return result


def choose_thresholds(outside: Floats, truth: Bools, random: Bools) -> Floats:
    """Choose the threshold of each frame on its logit.

    Parameters
    ----------
    outside : ndarray of shape (n_labeled, n_frames)
        Logits out of fold.
    truth : ndarray of bool of shape (n_labeled, n_frames)
    random : ndarray of bool of shape (n_labeled,)
        Which labels are of the random sample.

    Returns
    -------
    ndarray of shape (n_frames,)
        The highest whose F1 is within `TOLERANCE` of the best; zero for frames of fewer examples than folds.

    Notes
    -----
    Examples are commoner among chosen sentences than among all. Examples and counter-examples are weighed such that
    their shares are those of the random sample, drawn towards those of all labels while it is small.
    """
    thresholds = np.zeros(truth.shape[1])
    n, n_random = len(truth), int(random.sum())
    for frame in np.flatnonzero((truth.sum(axis=0) >= FOLDS) & outside.any(axis=0)):
        positive = truth[:, frame]
        share = (positive[random].sum() + PRIOR * positive.mean()) / (n_random + PRIOR)
        weights = np.where(positive, share / positive.mean(), (1 - share) / (1 - positive.mean()))
        order = np.argsort(-outside[:, frame], kind="stable")
        ranked = outside[order, frame]
        hits = np.cumsum(weights[order] * positive[order])
        found = np.cumsum(weights[order])
        f1 = 2 * hits / (found + hits[-1])
        last = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
        place = last[np.flatnonzero(f1[last] >= f1[last].max() - TOLERANCE)[0]]
        thresholds[frame] = (ranked[place] + ranked[place + 1]) / 2 if place + 1 < n else ranked[place] - 1.0
    return thresholds


def serve(channel: Channel) -> None:
    """Run in a child: answer requests of `classifier.labeling.behind` until the parent is gone.

    Notes
    -----
    The first request names the project and the pool. The child reads the texts itself; arrays come back as bytes of
    float32.
    """
    frame = channel.receive()
    if frame is None:
        return
    with Project(frame[0]["project"]) as project:
        pool: list[int] = frame[0]["pool"]
        learner = Learner([passage.text for passage in project.passages(pool)])
        place = {number: row for row, number in enumerate(pool)}
        cache: dict[int, sparse.csr_array] = {}
        channel.send({}, np.column_stack([learner.clusters, learner.closeness]).astype(np.float32).tobytes())

        def features_of(numbers: Sequence[int]) -> sparse.csr_array | None:
            missing = sorted({number for number in numbers if number not in cache and number not in place})
            if missing:
                found = learner.transform([passage.text for passage in project.passages(missing)])
                for i, number in enumerate(missing):
                    cache[number] = found[[i]]
            rows = [learner.features[[place[number]]] if number in place else cache[number] for number in numbers]
            return sparse.csr_array(sparse.vstack(rows, format="csr")) if rows else None

        while (frame := channel.receive()) is not None:
            request: Mapping[str, Any] = frame[0]
            try:
                if "keywords" in request:
                    channel.send({}, learner.hits(request["keywords"]).astype(np.float32).tobytes())
                elif "explain" in request:
                    features = features_of([request["explain"]])
                    assert features is not None
                    margins = learner.margins_of(features)
                    terms = learner.explain(features, request["n"])
                    channel.send({"frames": [[key, margins[key], terms[key]] for key in margins]})
                else:
                    fit = _fit(learner, request, place, features_of)
                    head = {
                        "agreement": None if np.isnan(fit.agreement) else fit.agreement,
                        "f1": None if fit.f1 is None else fit.f1.to_dict(),
                        "seconds": fit.seconds,
                    }
                    channel.send(head, fit.margins.astype(np.float32).tobytes())
            except Exception as error:  # said by the parent; the page goes on without the model
                channel.send({"error": f"{type(error).__name__}: {error}"})


def _fit(learner: Learner, request: Mapping[str, Any], place: Mapping[int, int], features_of: Any) -> Fit:
    numbers = np.array(request["sentences"], dtype=np.int64)
    inside = np.array([number in place for number in numbers.tolist()], dtype=bool)
    order = np.r_[np.flatnonzero(inside), np.flatnonzero(~inside)]
    rows = np.array([place[number] for number in numbers[inside].tolist()], dtype=np.intp)
    targets = np.zeros((len(numbers), len(request["keys"])), dtype=bool)
    for row, columns in enumerate(request["frames"]):
        targets[row, columns] = True
    return learner.fit(
        rows,
        targets[order],
        np.array(request["articles"], dtype=np.int64)[order],
        np.array(request["random"], dtype=bool)[order],
        request["keys"],
        features_of(numbers[~inside].tolist()),
    )
