"""Evaluation: a saved model on a labeled corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from classifier import LabeledCorpus, Model, evaluate, read_corpus
from classifier.evaluation import seen_in_training


def test_figures_are_those_of_the_models_predictions(loaded: Model, corpus: LabeledCorpus) -> None:
    rows = evaluate(loaded, corpus)
    predicted = np.array([[name in names for name in loaded.frames] for names in loaded.predict(corpus.texts)])
    expected = precision_recall_fscore_support(corpus.targets, predicted, average=None)
    np.testing.assert_allclose([row.precision.value for row in rows[:2]], expected[0])
    np.testing.assert_allclose([row.recall.value for row in rows[:2]], expected[1])
    np.testing.assert_allclose([row.f1.value for row in rows[:2]], expected[2])


def test_the_seed_moves_the_intervals_alone(rooms_model: Model, rooms_corpus: LabeledCorpus) -> None:
    half = LabeledCorpus(rooms_corpus.texts[::-1], rooms_corpus.labels, rooms_corpus.codebook, "multiclass")
    one, other = evaluate(rooms_model, half, seed=1), evaluate(rooms_model, half, seed=2)
    assert [row.f1.value for row in one] == [row.f1.value for row in other]
    assert [row.f1.low for row in one] != [row.f1.low for row in other]


def test_the_very_file_of_training_is_recognised(loaded: Model, corpus_csv: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.csv"
    moved.write_bytes(corpus_csv.read_bytes())
    assert seen_in_training(loaded, read_corpus(moved))
    moved.write_bytes(corpus_csv.read_bytes() + b"article-99,,The library closed early.\n")
    assert not seen_in_training(loaded, read_corpus(moved))
