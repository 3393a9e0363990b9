"""Sentences are recognised through case, punctuation and typography, and other sentences are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.model.fingerprints import fingerprints, normalised


@pytest.mark.parametrize(
    "variant",
    [
        "MINSK CALLED IT  \u201cPIRACY\u201d \u2014 AND WORSE",
        "Minsk called it 'piracy', and worse.",
        "  Minsk\u00a0called it \u00abpiracy\u00bb and\nworse!",
        "Minsk called it \uff30iracy and worse",
    ],
)
def test_typography_does_not_matter(variant: str) -> None:
    assert fingerprints([variant]) == fingerprints(['Minsk called it "piracy" and worse.'])


def test_words_and_their_order_matter() -> None:
    variants = ["Minsk blamed Vilnius.", "Vilnius blamed Minsk.", "Minsk blames Vilnius.", "Minsk blamed", "!!", "?"]
    assert len(np.unique(fingerprints(variants))) == len(variants)


@given(st.lists(st.text()))
def test_any_text_has_one(texts: list[str]) -> None:
    found = fingerprints(texts)
    assert found.dtype == np.uint64
    assert len(found) == len(texts)
    assert (found == fingerprints([normalised(text) for text in texts])).all()
