"""Minimal contrasts: sentences that differ only in who acts on whom, in negation, or in relief against punishment.

The suite is never trained on. The floors guard against a fall; what the model reaches is in the README.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from classifier import Model, load_model

SUITE = Path(__file__).parent / "contrasts.csv"
CORPUS = Path(__file__).parent.parent / "datasets" / "framing.csv"

#: Least share of sentences with exactly the right frames, and of single decisions that are right.
EXACT, DECISIONS = 0.75, 0.91


@pytest.fixture(scope="module")
def suite() -> list[dict[str, str]]:
    with SUITE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def default_model() -> Model:
    return load_model()


def test_the_suite_is_of_pairs_and_triples_that_differ(suite: list[dict[str, str]]) -> None:
    groups: dict[str, list[str]] = {}
    for row in suite:
        groups.setdefault(row["group"], []).append(row["labels"])
    assert len(groups) >= 150
    assert all(2 <= len(labels) <= 3 and len(set(labels)) > 1 for labels in groups.values())


def test_no_sentence_of_the_suite_is_in_the_corpus(suite: list[dict[str, str]]) -> None:
    with CORPUS.open(encoding="utf-8", newline="") as stream:
        corpus = {" ".join(row["text"].lower().split()) for row in csv.DictReader(stream)}
    assert not [row["text"] for row in suite if " ".join(row["text"].lower().split()) in corpus]


def test_accuracy_of_the_default_model(suite: list[dict[str, str]], default_model: Model) -> None:
    predicted = default_model.predict([row["text"] for row in suite])
    expected = [tuple(filter(None, row["labels"].split("|"))) for row in suite]
    exact = np.mean([set(one) == set(other) for one, other in zip(predicted, expected, strict=True)])
    decisions = np.mean(
        [
            (frame in one) == (frame in other)
            for one, other in zip(predicted, expected, strict=True)
            for frame in default_model.frames
        ]
    )
    print(f"exactly right: {exact:.3f}; single decisions: {decisions:.3f}")
    assert exact >= EXACT
    assert decisions >= DECISIONS
