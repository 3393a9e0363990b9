"""Is a text of the kind the model was trained on? What it has never seen tells.

Two shares are measured: words that the model has never seen, and characters that belong to another alphabet or to
no prose at all (brackets, operators). Each is compared with what sentences of the training corpus show to models
that saw nothing of their article, so that one in-domain sentence in two hundred is marked by each of the two.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

#: Share of the corpus's own sentences, and articles, that each measure leaves unmarked.
QUANTILE = 99.5

#: Letters in fewer of the training sentences than this are foreign.
LETTER_SHARE = 0.005

#: The signs of prose, which outlets set in different ways.
PROSE = ".,;:!?'\"`´’‘‚“”„«»‹›()-‐‑–—…·•&%$€£§°/+"

#: No share below this marks a text: a footnote sign or a foreign name is not another domain.
FLOOR = {"words": 0.15, "characters": 0.05}

#: A sentence, and an article, is judged as if so many units of ordinary text came with it: three strange words are
#: no proof, and an article of one sentence must not be marked more readily than a sentence.
WEIGHT = {"words": (5.0, 20.0), "characters": (20.0, 60.0)}

_WORD = re.compile(r"\b\w\w+\b")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_ASCII_SPACE = bytes(code for code in range(128) if chr(code).isspace())


@dataclass(frozen=True, slots=True)
class Measure:
    """One share, and from which value on it marks a text.

    Parameters
    ----------
    mean : float
        The share in the training corpus, out of fold.
    sentence, article : float
        The thresholds.
    """

    mean: float
    sentence: float
    article: float


@dataclass(frozen=True)
class Domain:
    """What texts of the training corpus look like.

    Parameters
    ----------
    letters : str
        The letters of the corpus.
    measures : mapping of str to Measure
        For ``"words"`` and ``"characters"``.
    """

    letters: str
    measures: Mapping[str, Measure]

    @cached_property
    def _foreign(self) -> re.Pattern[str]:
        return re.compile(rf"[^\s\d\u0300-\u036f{re.escape(self.letters + PROSE)}]")

    @cached_property
    def _familiar(self) -> bytes:
        """The ASCII characters that are not foreign."""
        return bytes(code for code in range(128) if not self._foreign.match(chr(code)))

    def counts(self, texts: Sequence[str], known: Collection[str]) -> npt.NDArray[np.float64]:
        """Count what a model has never seen.

        Parameters
        ----------
        texts : sequence of str
        known : set of str
            The words of its vocabulary.

        Returns
        -------
        ndarray of shape (n_texts, 4)
            Unknown words, words, foreign characters, characters other than white space.
        """
        return np.hstack([word_counts(texts, known), self.character_counts(texts)])

    def character_counts(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Count foreign characters, and all but white space.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of shape (n_texts, 2)
        """
        result = np.zeros((len(texts), 2))
        for row, text in enumerate(texts):
            plain = text.lower()
            foreign = everything = 0
            if not plain.isascii():
                plain = unicodedata.normalize("NFKD", plain)
                beyond = "".join(_BEYOND_ASCII.findall(plain))
                foreign, everything = len(self._foreign.findall(beyond)), len("".join(beyond.split()))
            # Most characters are ASCII, and bytes are deleted much faster than characters are searched.
            data = plain.encode("ascii", "ignore")
            foreign += len(data.translate(None, self._familiar))
            result[row] = foreign, everything + len(data.translate(None, _ASCII_SPACE))
        return result

    def outside(self, texts: Sequence[str], known: Collection[str]) -> tuple[list[bool], bool]:
        """Tell whether sentences, and the article they make up, are unlike the training corpus.

        Parameters
        ----------
        texts : sequence of str
            The sentences of an article.
        known : set of str
            The words of the model's vocabulary.

        Returns
        -------
        sentences : list of bool
        article : bool
        """
        sentences, [article] = self.judged(self.counts(texts, known), [len(texts)])
        return sentences, article

    def judged(self, counts: npt.NDArray[np.float64], sizes: Sequence[int]) -> tuple[list[bool], list[bool]]:
        """Tell which sentences and which articles are unlike the training corpus.

        Parameters
        ----------
        counts : ndarray of shape (n_texts, 4)
            Of the sentences, article after article.
        sizes : sequence of int
            Sentences of each article.

        Returns
        -------
        sentences, articles : list of bool
        """
        # Counts are whole numbers, so differences of running sums are exact.
        sums = np.vstack([np.zeros(4), counts.cumsum(axis=0)])
        ends = np.cumsum([0, *sizes])
        per_article = sums[ends[1:]] - sums[ends[:-1]]
        sentences, articles = np.zeros(len(counts), dtype=bool), np.zeros(len(sizes), dtype=bool)
        for column, (name, measure) in enumerate(self.measures.items()):
            alone, together = WEIGHT[name]
            unknown, everything = 2 * column, 2 * column + 1
            shares = share(counts[:, unknown], counts[:, everything], measure.mean, alone)
            sentences |= shares > measure.sentence
            shares = share(per_article[:, unknown], per_article[:, everything], measure.mean, together)
            articles |= shares > measure.article
        return sentences.tolist(), articles.tolist()

    def to_dict(self) -> dict[str, Any]:
        """Return the domain as plain data."""
        measures = {
            name: {"mean": measure.mean, "sentence": measure.sentence, "article": measure.article}
            for name, measure in self.measures.items()
        }
        return {"letters": self.letters, **measures}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Domain:
        """Return the domain that `to_dict` gave as plain data."""
        return cls(
            str(data["letters"]),
            {
                name: Measure(float(data[name]["mean"]), float(data[name]["sentence"]), float(data[name]["article"]))
                for name in WEIGHT
            },
        )


def share(unknown: Any, everything: Any, mean: float, weight: float) -> Any:
    """Return the share of what is unknown, drawn towards the corpus's mean where there is little text."""
    return (unknown + weight * mean) / (everything + weight)


def word_counts(texts: Sequence[str], known: Collection[str]) -> npt.NDArray[np.float64]:
    """Count words that a model has never seen, and all words.

    Parameters
    ----------
    texts : sequence of str
    known : set of str
        The words of its vocabulary.

    Returns
    -------
    ndarray of shape (n_texts, 2)
    """
    result = np.zeros((len(texts), 2))
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())
        result[row] = len(words) - sum(word in known for word in words), len(words)
    return result


def known_words(ngrams: Iterable[str]) -> frozenset[str]:
    """Return the single words of a block of word n-grams."""
    return frozenset(ngram for ngram in ngrams if " " not in ngram)


def learn_domain(
    texts: Sequence[str],
    groups: npt.NDArray[np.int64],
    splits: Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]],
    min_df: int,
) -> Domain:
    """Learn from a corpus what its texts look like to a model that has not seen them.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    groups : ndarray of int of shape (n_texts,)
        The article of each sentence.
    splits : iterable of (ndarray of int, ndarray of int)
        Training and test rows of each fold.
    min_df : int
        Training sentences a word must occur in for the model to know it.

    Returns
    -------
    Domain
    """
    words = [frozenset(_WORD.findall(text.lower())) for text in texts]
    marks = [frozenset(unicodedata.normalize("NFKD", text.lower())) for text in texts]

    def letters(rows: npt.NDArray[np.intp]) -> str:
        found = Counter(mark for row in rows for mark in marks[row])
        return "".join(sorted(mark for mark, n in found.items() if mark.isalpha() and n >= LETTER_SHARE * len(rows)))

    counts = np.zeros((len(texts), 4))
    for train_rows, test_rows in splits:
        df = Counter(word for row in train_rows for word in words[row])
        known = {word for word, n in df.items() if n >= min_df}
        counts[test_rows] = Domain(letters(train_rows), {}).counts([texts[row] for row in test_rows], known)
    _, articles = np.unique(groups, return_inverse=True)
    per_article = np.zeros((int(articles.max()) + 1, 4))
    np.add.at(per_article, articles, counts)
    measures = {}
    for column, name in enumerate(WEIGHT):
        pair = slice(2 * column, 2 * column + 2)
        unknown, everything = counts[:, pair].sum(axis=0)
        mean = float(unknown / max(1.0, everything))
        sentence, article = (
            max(FLOOR[name], float(np.percentile(share(table[:, 0], table[:, 1], mean, weight), QUANTILE)))
            for table, weight in zip((counts[:, pair], per_article[:, pair]), WEIGHT[name], strict=True)
        )
        measures[name] = Measure(round(mean, 6), round(sentence, 6), round(article, 6))
    return Domain(letters(np.arange(len(texts))), measures)
