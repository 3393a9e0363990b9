"""The compiled path gives the numbers of the plain path, bit for bit, and those of scikit-learn."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import Model, load_model
from classifier.kernel.scorer import CompiledScorer
from classifier.model.model import probabilities
from classifier.release import to_pipeline

CORPUS = Path(__file__).parent.parent / "datasets" / "framing.csv"

NASTY = [
    "",
    " ",
    "…—–-!?",
    "İstanbul'da ΣΊΣΥΦΟΣ",
    "e\u0301te\u0301 a\u0308",
    "Минск — Moscow’s ally: “no”, it said",
    "zero\u200dwidth\u200bjoiner",
    "𝒜stral 🇧🇾 pl𠀀nes",
    "NUL\0 and\x1cseparators\x85and\u2028more\u3000spaces",
    "lone \ud800 surrogate",
    "x" * 1000,
    "US us U.S. the EU's “sanctions” - Lukashenko",
    "Minsk: EU's ‘ally’ won't — they're not — Kremlin",
    "a- - - b — — c",
    "snake_case_Minsk Mi\u0301nsk's EU&NATO",
]


@pytest.fixture(scope="module")
def default_model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def scorer(default_model: Model) -> CompiledScorer:
    return default_model.compiled_scorer()


def compiled(model: Model, scorer: CompiledScorer, texts: list[str], n_threads: int = 1) -> np.ndarray:
    logits, _, _, left = scorer.score(texts, n_threads)
    logits[left] = model.plain_logits([texts[row] for row in left])
    return logits


WORDS = st.sampled_from(
    "EU Minsk Moscow's sanctions condemns “we said”, — - Lukashenko: not ally us US".split()  # noqa: SIM905
)


@settings(max_examples=200)
@given(st.lists(st.text() | st.lists(WORDS, max_size=12).map(" ".join), max_size=6))
@example(NASTY)
def test_plain_and_compiled_are_equal(default_model: Model, scorer: CompiledScorer, texts: list[str]) -> None:
    np.testing.assert_array_equal(compiled(default_model, scorer, texts), default_model.plain_logits(texts))
    _, named, strange, left = scorer.score(texts)
    subjects = default_model.tagger.subjects.values()
    read = [row for row in range(len(texts)) if row not in left]
    expected = default_model.domain.counts(texts, default_model._known_words)
    np.testing.assert_array_equal(strange[read], expected[read])
    assert [named[row].tolist() for row in read] == [
        default_model.tagger.tag(texts[row]).names(subjects) for row in read
    ]


def test_they_are_equal_on_the_corpus_whatever_the_threads(default_model: Model, scorer: CompiledScorer) -> None:
    with CORPUS.open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)][::5]
    plain = default_model.plain_logits(texts)
    for n_threads in (1, 2, 3):
        np.testing.assert_array_equal(compiled(default_model, scorer, texts, n_threads), plain)


@pytest.mark.parametrize(
    ("roles", "masked_words", "share"),
    [((1, 1), (1, 1), 1.0), ((1, 4), (1, 2), 0.5), ((2, 3), (2, 2), 0.7), ((3, 4), (1, 2), 0.9)],
)
def test_they_are_equal_for_other_lengths_and_vocabularies_with_gaps(
    default_model: Model, roles: tuple[int, int], masked_words: tuple[int, int], share: float
) -> None:
    lengths = {"roles": roles, "masked_words": masked_words}
    chance = random.Random(0)
    blocks, vocabulary, kept, number = [], [], [], 0
    for block, ngrams in zip(default_model.blocks, default_model.vocabulary, strict=True):
        shortest, longest = lengths.get(block.kind, (block.shortest, block.longest))
        blocks.append(replace(block, shortest=shortest, longest=longest))
        chosen = [
            i
            for i, ngram in enumerate(ngrams)
            if (block.kind not in lengths or shortest <= len(ngram.split(" ")) <= longest) and chance.random() < share
        ]
        vocabulary.append(tuple(ngrams[i] for i in chosen))
        kept += [number + i for i in chosen]
        number += len(ngrams)
    model = replace(
        default_model,
        blocks=tuple(blocks),
        vocabulary=tuple(vocabulary),
        idf=default_model.idf[kept],
        coefficients=default_model.coefficients[kept],
    )
    with CORPUS.open(encoding="utf-8", newline="") as stream:
        texts = [*NASTY, *(row["text"] for row in csv.DictReader(stream))][::40]
    np.testing.assert_array_equal(compiled(model, model.compiled_scorer(), texts), model.plain_logits(texts))


def test_a_corpus_sentence_is_seldom_left_to_the_plain_path(default_model: Model, scorer: CompiledScorer) -> None:
    with CORPUS.open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    left = scorer.score(texts).plain
    assert len(left) < 0.001 * len(texts)


def test_scikit_learn_agrees(default_model: Model, scorer: CompiledScorer) -> None:
    texts = [text for text in NASTY if "\ud800" not in text]
    logits = compiled(default_model, scorer, texts) + default_model.intercepts
    expected = to_pipeline(default_model).predict_proba(texts)
    np.testing.assert_allclose(probabilities(logits, default_model.task), expected, atol=1e-5)


def test_a_full_memory_forgets_and_goes_on(default_model: Model) -> None:
    scorer = default_model.compiled_scorer()
    texts = [" ".join(f"w{i}x{j}" for j in range(60)) for i in range(5000)]
    logits, _, _, left = scorer.score(texts)
    assert not len(left)
    np.testing.assert_array_equal(logits[-20:], default_model.plain_logits(texts[-20:]))
