"""Articles to scored articles, many in one batch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from classifier.articles.article import Article
from classifier.articles.sentences import Sentence, split_sentences
from classifier.model.band import uncertain_frames
from classifier.model.model import Model, Reading
from classifier.scoring.results import ScoredArticle, ScoredSentence

#: Decimals of every probability and contribution written out.
DECIMALS = 4

#: Characters of articles scored in one batch.
BATCH_CHARACTERS = 1 << 18

#: Articles of one batch, so that many short ones do not wait for each other long.
BATCH_ARTICLES = 512

#: Longest piece of text without a line break that is split into sentences at once. Splitting takes time that
#: grows with the square of a piece made to be slow, so a longer one is cut, after a sentence where there is one.
MAX_PIECE = 1 << 13

#: Longest sentence; what is longer is cut between words where it can be. A single token of many megabytes would
#: otherwise hold that many n-grams in memory.
MAX_SENTENCE = 10_000

# After a word of some length, so that no abbreviation is taken for the end of a sentence.
_SENTENCE_END = re.compile(r"(?<=[^\W\d_]{4})[.!?…][\"'”’»)\]]{0,3}\s+(?=\S)|[。！？]")


def score_article(
    model: Model,
    article: Article,
    *,
    explain: int = 0,
    thresholds: npt.NDArray[np.float64] | None = None,
    band: tuple[float, float] | None = None,
) -> ScoredArticle:
    """Split an article into sentences and score each one in its article.

    Parameters
    ----------
    model : Model
    article : Article
    explain : int
        Terms to give for each label of a sentence; 0 for none.
    thresholds : ndarray of shape (n_frames,), optional
        Instead of the model's own.
    band : (float, float), optional
        Mark the frames whose probability lies in it as uncertain.

    Returns
    -------
    ScoredArticle

    Examples
    --------
    >>> import classifier
    >>> article = classifier.Article("example", "It rained in Lisbon. The match was postponed.")
    >>> len(score_article(classifier.load_model(), article).sentences)
    2
    """
    return score_batch(model, [article], explain, thresholds, band)[0]


def score_batch(
    model: Model,
    articles: Sequence[Article],
    explain: int = 0,
    thresholds: npt.NDArray[np.float64] | None = None,
    band: tuple[float, float] | None = None,
) -> list[ScoredArticle]:
    """Score several articles in one call of the model; see `score_article`.

    Returns
    -------
    list of ScoredArticle
        The same, to the last digit, as one by one.
    """
    frames = model.frames
    divided = [sentences_of(article.text) for article in articles]
    texts = [sentence.text for sentences in divided for sentence in sentences]
    sizes = list(map(len, divided))
    reading = model.read(texts, sizes)
    labels = reading.labels(thresholds)
    scores = np.round(reading.probabilities, DECIMALS).tolist()
    strange, strange_articles = reading.out_of_domain
    result, start = [], 0
    for article, sentences, article_strange in zip(articles, divided, strange_articles, strict=True):
        stop = start + len(sentences)
        scored = tuple(
            ScoredSentence(
                sentence,
                names,
                dict(zip(frames, row, strict=True)),
                _terms(reading, row_number, names, explain) if explain else None,
                uncertain_frames(row, frames, band) if band else None,
                outside,
            )
            for row_number, sentence, names, row, outside in zip(
                range(start, stop),
                sentences,
                labels[start:stop],
                scores[start:stop],
                strange[start:stop],
                strict=True,
            )
        )
        result.append(
            ScoredArticle(
                article.source,
                article.title,
                scored,
                profile(labels[start:stop], frames),
                model.name,
                article.id,
                article.date,
                article.outlet,
                article.metadata,
                article_strange,
            )
        )
        start = stop
    return result


def sentences_of(text: str) -> list[Sentence]:
    """Split a text into sentences as `split_sentences` does, in bounded time and none of them too long.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Sentence

    Examples
    --------
    >>> [len(sentence.text) for sentence in sentences_of("x" * 25_000)]
    [8192, 8192, 8192, 424]
    """
    if len(text) <= MAX_SENTENCE:
        return split_sentences(text)
    result: list[Sentence] = []
    for offset, piece in _pieces(text):
        for sentence in split_sentences(piece):
            for start, end in _cuts(sentence.text, MAX_SENTENCE):
                cut = sentence.text[start:end]
                stripped = cut.strip()
                if stripped:
                    begin = offset + sentence.start + start + cut.index(stripped)
                    result.append(Sentence(len(result), begin, begin + len(stripped), stripped))
    return result


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text in pieces, as they are except where a line is too long to be split at once."""
    begin = position = 0
    for line in text.splitlines(keepends=True):
        if len(line) > MAX_PIECE:
            yield begin, text[begin:position]
            for start, end in _cuts(line, MAX_PIECE):
                yield position + start, line[start:end]
            begin = position + len(line)
        position += len(line)
    yield begin, text[begin:]


def _cuts(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Yield offsets of consecutive parts: cut after a sentence, else between words, else anywhere."""
    places = [0]
    while len(text) - places[-1] > longest:
        start = places[-1]
        window = text[start + longest // 2 : start + longest]
        ends = [match.end() for match in _SENTENCE_END.finditer(window)]
        space = max(window.rfind(" "), window.rfind("\n")) + 1
        cut = ends[-1] if ends else space or len(window)
        places.append(start + longest // 2 + cut)
    return pairwise([*places, len(text)])


def profile(labels: Sequence[tuple[str, ...]], frames: Sequence[str]) -> dict[str, float]:
    """Return the share of sentences labeled with each frame.

    Parameters
    ----------
    labels : sequence of tuple of str
        The frames of each sentence.
    frames : sequence of str

    Returns
    -------
    dict of str to float
    """
    counts, n = Counter(chain.from_iterable(labels)), max(1, len(labels))
    return {frame: round(counts[frame] / n, DECIMALS) for frame in frames}


def _terms(reading: Reading, row: int, labels: tuple[str, ...], n: int) -> dict[str, list[tuple[str, float]]]:
    if not labels:
        return {}
    terms = reading.explain(row)
    return {
        frame: [(term, round(value, DECIMALS)) for term, value in terms[frame][:n] if value > 0] for frame in labels
    }
