"""Baselines: the commonest labels, and keywords."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from classifier.corpus import LabeledCorpus
from classifier.metrics import Scores
from classifier.system.arrays import Rows


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
