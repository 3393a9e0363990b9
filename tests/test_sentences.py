"""Sentences: offsets that reproduce them, nothing lost but white space, paragraphs wrapped and not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier import split_sentences
from tests.texts import unicode_texts


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


class TestAnyText:
    @given(unicode_texts)
    @example("\U0001f600 One. Two.\r\nThree \U00020000. Four")
    @example("Мир. Дождь!\n\nСнег?")
    @example("e\u0301. A\u0301. \u200d\u200d. B.")
    def test_offsets_reproduce_every_sentence(self, text: str) -> None:
        for index, sentence in enumerate(split_sentences(text)):
            assert sentence.index == index
            assert text[sentence.start : sentence.end] == sentence.text
            assert sentence.text == sentence.text.strip() != ""

    @given(unicode_texts)
    def test_nothing_but_white_space_lies_between_sentences(self, text: str) -> None:
        end = 0
        for sentence in split_sentences(text):
            assert sentence.start >= end
            assert not text[end : sentence.start].strip()
            end = sentence.end
        assert not text[end:].strip()

    @given(unicode_texts, unicode_texts)
    def test_a_blank_line_separates_whatever_surrounds_it(self, before: str, after: str) -> None:
        whole = texts(before + "\n\n" + after)
        assert whole == texts(before) + texts(after)

    @pytest.mark.parametrize("text", ["", " ", "\n\n", "\u2003\n\t"])
    def test_a_text_of_white_space_has_no_sentences(self, text: str) -> None:
        assert split_sentences(text) == []


class TestProse:
    def test_abbreviations_do_not_end_a_sentence(self) -> None:
        assert texts("Dr. Hale met Mr. Oak at 5 p.m. on Friday. They left.") == [
            "Dr. Hale met Mr. Oak at 5 p.m. on Friday.",
            "They left.",
        ]

    def test_question_and_exclamation_marks_end_one(self) -> None:
        assert texts("Will it rain? It will! Take a coat.") == ["Will it rain?", "It will!", "Take a coat."]

    def test_a_language_brings_its_own_abbreviations(self) -> None:
        text = "Der Fluss stieg z.B. in Ulm. Dann fiel er."
        assert [s.text for s in split_sentences(text, "de")] == ["Der Fluss stieg z.B. in Ulm.", "Dann fiel er."]


class TestLines:
    def test_a_headline_is_a_sentence_without_a_full_stop(self) -> None:
        assert texts("River rises again\nThe river rose by a metre.\n") == [
            "River rises again",
            "The river rose by a metre.",
        ]

    def test_short_lines_are_headlines_or_captions_each_its_own(self) -> None:
        assert texts("Rain\nWind and hail\nSun\n") == ["Rain", "Wind and hail", "Sun"]

    def test_a_paragraph_wrapped_at_a_fixed_width_is_read_as_one(self) -> None:
        wrapped = (
            "The river rose above the flood wall during the night, and by\n"
            "morning the lower streets lay under water. Nobody was hurt. The\n"
            "mayor thanked the crews.\n"
        )
        assert texts(wrapped) == [
            "The river rose above the flood wall during the night, and by\nmorning the lower streets lay under water.",
            "Nobody was hurt.",
            "The\nmayor thanked the crews.",
        ]

    def test_a_headline_above_a_wrapped_paragraph_stays_apart(self) -> None:
        text = (
            "River rises again\n\n"
            "The river rose above the flood wall during the night, and by\n"
            "morning the lower streets lay under water.\n"
        )
        assert texts(text)[0] == "River rises again"
        assert len(texts(text)) == 2

    def test_long_lines_are_paragraphs_each_its_own(self) -> None:
        line = "rain " * 40
        assert texts(f"{line}\n{line}\n") == [line.strip(), line.strip()]

    @given(st.integers(50, 110))
    def test_prose_is_read_alike_however_wide_it_is_wrapped(self, width: int) -> None:
        import textwrap

        prose = (
            "The river rose above the flood wall during the night while the crews slept in the school gymnasium. "
            "Nobody had foreseen such rain so late in the season, and the pumps stood idle for want of fuel. "
            "By morning the lower streets lay under water and boats carried bread to the houses on the hill."
        )
        wrapped = textwrap.fill(prose, width, break_on_hyphens=False)
        assert [text.replace("\n", " ") for text in texts(wrapped)] == texts(prose)
