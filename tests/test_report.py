"""What a person sees: readable in colour and without, at any width, and nothing that steers the terminal."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from rich.cells import cell_len
from rich.console import Console

from classifier import Article, Codebook, Frame, Model, TrainingReport, score_article
from classifier.codebook import default_codebook
from classifier.report import article_page, codebook_page, print_articles, printable, profile_table, training_page
from tests.conftest import ARTICLE
from tests.strategies import unicode_texts

NASTY = "\x1b[31mred\x1b[0m \x9b31m \x07bell \u202eright to left\u202c \u2066iso\u2069 \x00 \r over"


def shown(renderable: Any, width: int = 100, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
    )
    console.print(renderable)
    return stream.getvalue()


def page(model: Model, text: str = ARTICLE, title: str | None = None, explain: int = 0, **options: Any) -> str:
    scored = score_article(model, Article("article.txt", text, title), explain=explain)
    return shown(article_page(scored, model.codebook), **options)


class TestArticlePage:
    def test_sentences_their_frames_and_probabilities_and_the_profile(self, loaded: Model) -> None:
        text = page(loaded)
        assert text.startswith("article.txt")
        assert "Bus drivers meanwhile called a strike over wages." in text
        line = next(line for line in text.splitlines() if "■ strike" in line)
        assert 0 <= float(line.split()[-1]) <= 1
        assert "1 of 6" in text
        assert "█" in text

    def test_a_title_is_shown_in_place_of_the_source(self, loaded: Model) -> None:
        assert page(loaded, title="River rises").startswith("River rises")

    def test_terms_are_shown_where_asked(self, loaded: Model) -> None:
        assert "strike +" in page(loaded, explain=2)
        assert "strike +" not in page(loaded)

    def test_frames_have_the_colours_of_the_codebook(self, loaded: Model) -> None:
        red, green, blue = (int(loaded.codebook["strike"].colour[i : i + 2], 16) for i in (1, 3, 5))
        assert f"38;2;{red};{green};{blue}" in page(loaded, colour=True)

    def test_an_empty_article_says_so(self, loaded: Model) -> None:
        assert "No sentences" in page(loaded, "")

    @pytest.mark.parametrize("width", [40, 60, 100, 200])
    def test_no_line_is_wider_than_the_window(self, loaded: Model, width: int) -> None:
        text = page(loaded, ARTICLE + "\n" + "long" * 100 + "\n雨が降る。" * 20, explain=3, width=width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert "Rain" in text

    def test_nothing_of_a_sentence_is_lost_in_a_narrow_window(self, loaded: Model) -> None:
        words = page(loaded, width=40).split()
        for sentence in score_article(loaded, Article("", ARTICLE)).sentences:
            for word in sentence.sentence.text.split():
                assert word in words


class TestNothingSteersTheTerminal:
    @given(unicode_texts)
    def test_printable_leaves_no_control_character(self, text: str) -> None:
        result = printable(text + NASTY)
        assert not {unicodedata.category(char) for char in result} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert len(result) == len(text + NASTY)

    def test_plain_text_passes(self) -> None:
        assert printable("Ёж, naïve “quotes” 雨 👍 \u00a0") == "Ёж, naïve “quotes” 雨 👍 \u00a0"

    @given(unicode_texts)
    def test_articles(self, loaded: Model, text: str) -> None:
        for colour in (False, True):
            output = page(loaded, NASTY + text, title=NASTY, explain=3, colour=colour)
            allowed = {"\n", "\x1b"} if colour else {"\n"}
            assert not {c for c in output if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - allowed
            assert "\x1b[31mred" not in output

    def test_codebooks_tables_and_profiles(self, loaded: Model, trained: tuple[Model, TrainingReport]) -> None:
        frames = tuple(Frame(name, NASTY, NASTY) for name in loaded.frames)
        codebook = Codebook(NASTY, frames)
        scored = score_article(loaded, Article(NASTY, ARTICLE, NASTY))
        for renderable in (
            codebook_page(codebook),
            article_page(scored, codebook),
            profile_table([scored], codebook),
            training_page(trained[1], codebook),
        ):
            output = shown(renderable)
            assert not {c for c in output if unicodedata.category(c) in ("Cc", "Cf")} - {"\n"}


class TestTables:
    def test_the_training_page(self, trained: tuple[Model, TrainingReport], loaded: Model) -> None:
        text = shown(training_page(trained[1], loaded.codebook))
        lines = text.splitlines()
        assert lines[0].split() == ["frame", "precision", "recall", "F1", "AP", "support"]
        assert [line.split()[0] for line in lines[1:3]] == ["flood", "strike"]
        for name in ("macro average", "micro average", "baseline: majority", "baseline: keywords"):
            assert name in text
        row = trained[1].rows[0]
        assert f"{row.f1.value:.2f} ({row.f1.low:.2f}–{row.f1.high:.2f})" in lines[1]
        assert "C = " in text
        assert max(map(len, lines)) <= 100

    def test_many_articles_are_a_table_of_profiles(self, loaded: Model) -> None:
        scored = [score_article(loaded, Article(name, ARTICLE)) for name in ("one.txt", "two.txt")]
        lines = shown(profile_table(scored, loaded.codebook)).splitlines()
        assert lines[0].split() == ["article", "sentences", "flood", "strike"]
        assert lines[1].split()[:2] == ["one.txt", "6"]
        assert lines[2].split()[0] == "two.txt"

    def test_the_codebook(self) -> None:
        text = shown(codebook_page(default_codebook()), width=40)
        for frame in default_codebook().frames:
            assert frame.title in text
        assert max(map(len, text.splitlines())) <= 40

    @pytest.mark.parametrize("level", ["sentence", "article"])
    def test_a_file_is_no_terminal(self, loaded: Model, level: str) -> None:
        stream = io.BytesIO()
        print_articles([score_article(loaded, Article("here.txt", ARTICLE))], loaded.codebook, level, stream)
        text = stream.getvalue().decode("utf-8")
        assert "\x1b" not in text
        assert "here.txt" in text
        assert max(map(len, text.splitlines())) <= 100
