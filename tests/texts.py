"""Hypothesis strategies of texts: every script, and the corners of Unicode where tokenizers break."""

from __future__ import annotations

from hypothesis import strategies as st

#: Pieces that have broken tokenizers before.
CORNERS = (
    "",
    " ",
    "The river rose. ",
    "strike strike strike ",
    "union's flood-wall ",
    "Минск промолчал. ",
    "ЁЖ и ё́ж ",
    "Ⅷ İstanbul ıI ß ẞ ΣΑΣ ",
    "e\u0301le\u0300ve ",
    "न\u093f\u0903 ",
    "👩\u200d🚒🏽 🇧🇾 ",
    "\U00020000\U0001f600 ",
    "\u00a0\u2003\u3000",
    "\u200b\ufeff",
    "\x00\x1c\x85\u2028",
    "雨が降る。川が溢れた。",
    "مطر ١٢٣ ",
    "a b c _ __ 1 22 3.3 ",
    "\r\n\n\t",
)

#: Texts of any Unicode, drawn from any characters, from words of the tests' corpora and from `CORNERS`.
unicode_texts = st.one_of(
    st.text(st.characters(codec="utf-8")),
    st.lists(st.sampled_from(CORNERS) | st.text(st.characters(codec="utf-8"), max_size=8), max_size=12).map("".join),
    st.lists(st.sampled_from(("the", "flood", "strike", "river", "rain", "wage", "RIVER", "Flood"))).map(" ".join),
)
