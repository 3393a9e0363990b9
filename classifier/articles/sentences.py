"""An article's text as sentences with character offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

#: Lines no longer than this, in characters, can be prose wrapped at a fixed width; longer ones are paragraphs.
MAX_WRAP_WIDTH = 120

#: Narrower lines are lists, verse or headlines.
MIN_WRAP_WIDTH = 40


@dataclass(slots=True)  # an archive has millions, and frozen ones take thrice as long to make
class Sentence:
    """One sentence of an article.

    Parameters
    ----------
    index : int
        Its place among the article's sentences, from 0.
    start, end : int
        Character offsets into the article's text: ``text == article_text[start:end]``.
    text : str
        The sentence, without white space around it.
    """

    index: int
    start: int
    end: int
    text: str


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    r"""Split a text into sentences.

    Parameters
    ----------
    text : str
        An article, as read.
    language : str
        ISO 639-1 code; chooses the abbreviations that do not end a sentence.

    Returns
    -------
    list of Sentence
        In order, none empty, none overlapping; everything between them is white space.

    Notes
    -----
    Within a paragraph the sentences are those of ``sentencex``. A blank line always ends a sentence. A single
    line break ends one too (headlines, captions), unless the lines of the paragraph are prose wrapped at a
    fixed width: each line is broken where its next word would not have fitted.

    Examples
    --------
    >>> [sentence.text for sentence in split_sentences("Minsk protests\n\nDr. Orlov spoke. Others left.")]
    ['Minsk protests', 'Dr. Orlov spoke.', 'Others left.']
    """
    sentences: list[Sentence] = []
    for start, end in _paragraphs(text):
        for boundary in get_sentence_boundaries(language, text[start:end]):
            piece = boundary["text"]
            stripped = piece.strip()
            if stripped:
                offset = start + boundary["start_index"] + len(piece) - len(piece.lstrip())
                sentences.append(Sentence(len(sentences), offset, offset + len(stripped), stripped))
    return sentences


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the offsets of what is split on its own: a wrapped paragraph, else a line."""
    block: list[str] = []
    start = position = 0
    for line in [*text.splitlines(keepends=True), ""]:
        if line.strip():
            block.append(line)
        else:
            yield from _paragraphs_of(block, start)
            block, start = [], position + len(line)
        position += len(line)


def _paragraphs_of(block: list[str], start: int) -> Iterator[tuple[int, int]]:
    if _is_wrapped(block):
        yield start, start + sum(map(len, block))
        return
    for line in block:
        yield start, start + len(line)
        start += len(line)


def _is_wrapped(block: list[str]) -> bool:
    """Tell whether each line but the last is as full as the paragraph's width allows."""
    if len(block) < 2:
        return False
    widths = [len(line.rstrip()) for line in block]
    width = max(widths)
    if width > MAX_WRAP_WIDTH or width < MIN_WRAP_WIDTH:
        return False
    return all(widths[i] + 1 + len(block[i + 1].split(None, 1)[0]) > width for i in range(len(block) - 1))
