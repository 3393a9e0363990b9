"""Word vectors: a table of words with a few dozen numbers each, in which words of like use lie close together.

A model learns the weight of a word that its corpus shows. Vectors give the words that it never shows the weight of
their neighbours: the mean of a sentence's vectors, rare words counting more than common ones, stands beside the TF-IDF
of its n-grams (the smooth inverse frequency of Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for
sentence embeddings"). A linear function of a mean is the mean of that function, so a trained model holds one weight
per word and frame, and no vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.errors import InputError
from classifier.features.ngrams import word_ngrams

#: Arora, Liang and Ma's constant: words of this probability count half.
SMOOTHING = 1e-3

#: Added to the rank of a word in Zipf's law, as Mandelbrot has it; 2.7 fits English.
ZIPF_OFFSET = 2.7

#: The table that comes with this package.
TABLE = "vectors.safetensors"

#: Words of a text file of vectors that are read, and the dimensions they may have.
MOST_WORDS, MOST_DIMENSIONS = 200_000, 1_024

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class WordVectors:
    """Vectors of words, the most frequent word first.

    Parameters
    ----------
    words : tuple of str
        In lower case.
    vectors : ndarray of shape (n_words, n_dimensions)
    name : str
        Where they come from, for the model's provenance.
    """

    words: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    name: str

    @classmethod
    def none(cls) -> WordVectors:
        """Return a table of no words, which leaves vectors out."""
        return cls((), np.zeros((0, 0), dtype=np.float32), "")

    @cached_property
    def weighed(self) -> npt.NDArray[np.float64]:
        """Vectors times how much their words count, shape (n_words, n_dimensions).

        The probability of a word is taken from its rank by Zipf's law: tables of vectors are sorted by frequency, but
        rarely say it.
        """
        likely = 1.0 / (np.arange(1, len(self.words) + 1) + ZIPF_OFFSET)
        likely /= likely.sum()
        result: npt.NDArray[np.float64] = self.vectors * (SMOOTHING / (SMOOTHING + likely))[:, None]
        return result

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}

    def means(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the mean of the weighed vectors of each text's words.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions)
            NaN where no word of the text has a vector.
        """
        places = self._places
        found = [[places[word] for word in word_ngrams(text, 1, 1) if word in places] for text in texts]
        sizes = np.array([len(row) for row in found])
        columns = np.fromiter((place for row in found for place in row), dtype=np.intp, count=int(sizes.sum()))
        ends = np.concatenate([[0], np.cumsum(sizes)])
        counts = sparse.csr_array((np.ones(len(columns)), columns, ends), shape=(len(texts), len(self.words)))
        sums = counts @ self.weighed
        with np.errstate(invalid="ignore"):
            means: npt.NDArray[np.float64] = sums / sizes[:, None]
        return means


def default_vectors_path() -> Path:
    """Return where the table that comes with this package is: inside the package, else in its checkout."""
    installed = _PACKAGE / "datasets" / TABLE
    return installed if installed.is_file() else _PACKAGE.parent / "datasets" / TABLE


def load_vectors(path: str | Path | None = None) -> WordVectors:
    """Read a table of word vectors.

    Parameters
    ----------
    path : str or Path, optional
        A ``.safetensors`` table as ``datasets/make_vectors.py`` writes it, or a text file in the format of word2vec,
        GloVe and fastText: a word and its numbers per line, the most frequent word first, with or without a header.
        By default the table that comes with this package.

    Returns
    -------
    WordVectors
        Of a text file the first `MOST_WORDS`.

    Raises
    ------
    InputError
        If the file cannot be read or holds no vectors.
    """
    if path is None:
        return _default_vectors()
    source = Path(path)
    try:
        return _read_table(source) if source.suffix == ".safetensors" else _read_text(source)
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}; give a file of word vectors.") from None


@cache
def _default_vectors() -> WordVectors:
    return load_vectors(default_vectors_path())


def _read_table(source: Path) -> WordVectors:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(source.read_bytes())
        words = tuple(arrays["words"].tobytes().decode("utf-8").split("\n"))
        vectors = arrays["vectors"].astype(np.float32) * arrays["scales"].astype(np.float32)
        name = arrays["name"].tobytes().decode("utf-8")
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{source}: no table of word vectors ({error!r}); make it with make_vectors.py.") from None
    if vectors.ndim != 2 or len(vectors) != len(words) or not np.isfinite(vectors).all():
        raise InputError(f"{source}: {len(words)} words do not fit vectors of shape {vectors.shape}.")
    return WordVectors(words, vectors, name)


def _read_text(source: Path) -> WordVectors:
    words: list[str] = []
    rows: list[npt.NDArray[np.float32]] = []
    known: set[str] = set()
    with source.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            word, *cells = line.rstrip().split(" ")
            if number == 1 and len(cells) == 1:
                continue  # word2vec's header: how many words, how many numbers
            try:
                row = np.array(cells, dtype=np.float32)
            except ValueError:
                raise InputError(f"{source}, line {number}: a word and its numbers expected.") from None
            if not 1 <= len(row) <= MOST_DIMENSIONS or (rows and len(row) != len(rows[0])):
                raise InputError(f"{source}, line {number}: {len(row)} numbers, which do not fit the lines before.")
            # What is no single word to us would never be looked up; the first of several spellings is the commonest.
            if word_ngrams(word, 1, 1) == [word.lower()] and word.lower() not in known and np.isfinite(row).all():
                known.add(word.lower())
                words.append(word.lower())
                rows.append(row)
            if len(words) == MOST_WORDS:
                break
    if not words:
        raise InputError(f"{source}: no word vectors there.")
    return WordVectors(tuple(words), np.array(rows), source.name)
