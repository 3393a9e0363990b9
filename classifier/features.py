"""N-grams of a sentence, their counts and their TF-IDF: exactly scikit-learn's numbers.

A model reads a sentence through *blocks*. Each block is what one ``TfidfVectorizer(sublinear_tf=True)`` computes
with the block's analyzer: n-grams are counted, a count c weighs ``1 + ln c``, times the n-gram's inverse document
frequency, and the block's vector is scaled to length one. The blocks are concatenated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

_TOKEN = re.compile(r"\b\w\w+\b")


def word_ngrams(text: str, shortest: int, longest: int) -> list[str]:
    """Return the word n-grams of a text.

    Parameters
    ----------
    text : str
        One sentence.
    shortest, longest : int
        Words an n-gram.

    Returns
    -------
    list of str
        As ``CountVectorizer(analyzer="word")`` gives them: lower case, words of two or more letters, digits or
        underscores, joined by one space; shorter n-grams first.

    Examples
    --------
    >>> word_ngrams("Minsk, a city", 1, 2)
    ['minsk', 'city', 'minsk city']
    """
    words = _TOKEN.findall(text.lower())
    return [" ".join(words[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)]


def character_ngrams(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield the character n-grams within the words of a text.

    Parameters
    ----------
    text : str
        One sentence.
    shortest, longest : int
        Characters (code points) an n-gram.

    Yields
    ------
    str
        As ``CountVectorizer(analyzer="char_wb")`` gives them, by start: lower case; every run of characters between
        white space is padded with one space on each side, and one shorter than n counts once, whole.

    Examples
    --------
    >>> list(character_ngrams("EU", 2, 5))
    [' e', ' eu', ' eu ', 'eu', 'eu ', 'u ']
    """
    for word in text.lower().split():
        padded = f" {word} "
        if len(padded) < shortest:
            yield padded
            continue
        for start in range(len(padded) - shortest + 1):
            for end in range(start + shortest, min(start + longest, len(padded)) + 1):
                yield padded[start:end]


_ANALYZERS: dict[str, tuple[Callable[[str, int, int], Iterable[str]], str]] = {
    "words": (word_ngrams, "word"),
    "characters": (character_ngrams, "char_wb"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """One TF-IDF block.

    Parameters
    ----------
    kind : {"words", "characters"}
        What its n-grams are made of.
    shortest, longest : int
        Units an n-gram, both included.
    min_df : int
        Sentences of the training corpus an n-gram must occur in to be kept.
    """

    kind: str
    shortest: int
    longest: int
    min_df: int = 1

    def __post_init__(self) -> None:
        if self.kind not in _ANALYZERS:
            raise ValueError(f"kind must be one of {sorted(_ANALYZERS)}, got {self.kind!r}.")
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(f"n-grams must have 1 or more units, got {self.shortest} to {self.longest}.")
        if self.min_df < 1:
            raise ValueError(f"min_df must be 1 or more, got {self.min_df}.")

    def __str__(self) -> str:
        return f"{self.kind} {self.shortest}-{self.longest}, min_df {self.min_df}"

    def ngrams(self, text: str) -> Iterable[str]:
        """Return the n-grams of a sentence, with repetitions."""
        return _ANALYZERS[self.kind][0](text, self.shortest, self.longest)

    def vectorizer(self, vocabulary: Sequence[str] | None = None, idf: npt.ArrayLike | None = None) -> TfidfVectorizer:
        """Return the scikit-learn vectorizer whose numbers are the block's.

        Parameters
        ----------
        vocabulary : sequence of str, optional
            The n-grams of a fitted block, in the order of the features.
        idf : array-like of shape (n_ngrams,), optional
            Their inverse document frequencies.

        Returns
        -------
        sklearn.feature_extraction.text.TfidfVectorizer
            Fitted where `vocabulary` and `idf` are given.
        """
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            analyzer=_ANALYZERS[self.kind][1],
            ngram_range=(self.shortest, self.longest),
            min_df=self.min_df,
            sublinear_tf=True,
            dtype=np.float64,
            vocabulary=None if vocabulary is None else {ngram: i for i, ngram in enumerate(vocabulary)},
        )
        if idf is not None:
            vectorizer.idf_ = np.asarray(idf, dtype=np.float64)
        return vectorizer


class CountMatrix:
    """The n-grams of a corpus, counted once for all folds.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    blocks : sequence of Block
        Those whose n-grams are counted. ``min_df`` is left to `fit`.

    Attributes
    ----------
    blocks : tuple of Block
    ngrams : tuple of ndarray of str
        Every n-gram of each block, sorted.
    counts : tuple of scipy.sparse.csr_array
        How often each occurs in each sentence, shape (n_texts, n_ngrams).
    """

    def __init__(self, texts: Sequence[str], blocks: Sequence[Block]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self.blocks = tuple(blocks)
        ngrams, counts = [], []
        for block in self.blocks:
            vectorizer = CountVectorizer(
                analyzer=_ANALYZERS[block.kind][1], ngram_range=(block.shortest, block.longest)
            )
            counts.append(vectorizer.fit_transform(texts).tocsr())
            ngrams.append(vectorizer.get_feature_names_out())
        self.ngrams = tuple(ngrams)
        self.counts = tuple(counts)

    def fit(self, rows: npt.NDArray[np.intp]) -> Tfidf:
        """Choose vocabulary and inverse document frequencies as ``TfidfVectorizer.fit`` would on these rows.

        Parameters
        ----------
        rows : ndarray of int
            The training sentences.

        Returns
        -------
        Tfidf
        """
        import numpy as np

        columns, idf = [], []
        for block, counts in zip(self.blocks, self.counts, strict=True):
            df = np.bincount(counts[rows].indices, minlength=counts.shape[1])
            kept = np.flatnonzero(df >= block.min_df)
            columns.append(kept)
            idf.append(np.log((1 + len(rows)) / (1 + df[kept])) + 1)
        return Tfidf(self, tuple(columns), tuple(idf))


@dataclass(frozen=True, slots=True)
class Tfidf:
    """A vocabulary and its inverse document frequencies, chosen from a `CountMatrix`.

    Parameters
    ----------
    source : CountMatrix
    columns : tuple of ndarray of int
        The n-grams kept, a block.
    idf : tuple of ndarray of float
        Their inverse document frequencies, ``ln((1 + n) / (1 + df)) + 1``.
    """

    source: CountMatrix
    columns: tuple[npt.NDArray[np.intp], ...]
    idf: tuple[npt.NDArray[np.float64], ...]

    def transform(self, rows: npt.NDArray[np.intp]) -> sparse.csr_array:
        """Return the TF-IDF features of these rows, shape (n_rows, n_features), blocks side by side."""
        import numpy as np
        from scipy import sparse
        from sklearn.preprocessing import normalize

        parts = []
        for counts, kept, idf in zip(self.source.counts, self.columns, self.idf, strict=True):
            part = counts[rows][:, kept].astype(np.float64)
            part.data = (1 + np.log(part.data)) * idf[part.indices]
            parts.append(normalize(part, copy=False))
        return sparse.hstack(parts, format="csr")

    def vocabulary(self) -> tuple[tuple[str, ...], ...]:
        """Return the n-grams kept, a block, in the order of the features."""
        return tuple(tuple(ngrams[kept]) for ngrams, kept in zip(self.source.ngrams, self.columns, strict=True))
