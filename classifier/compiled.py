"""The compiled scoring path: a model's tables for the kernel, and the memory it works in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classifier import kernels

if TYPE_CHECKING:
    from classifier.model import Model

#: Capacity of a memory of words: slots (a power of two), words, character n-grams and tokens.
SLOTS, WORDS, NGRAMS, TOKENS = 1 << 18, 1 << 17, 1 << 23, 1 << 20

#: Counts whose ``1 + ln c`` is tabulated.
TABULATED = 256

#: Where the hashes of tokens and word n-grams, of character n-grams and of words start.
SEEDS = np.array([0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0], dtype=np.uint64)


class CompiledScorer:
    """Scores many sentences fast: the same numbers as the model's plain path, bit by bit.

    Parameters
    ----------
    model : Model
        With a block of words and a block of characters, each at most once.

    Raises
    ------
    ValueError
        If two n-grams of the vocabulary have the same hash.

    Notes
    -----
    The tables are read-only and shared by all threads; each thread has a memory of its own.
    """

    def __init__(self, model: Model) -> None:
        self.n_frames = len(model.frames)
        # Frequent features first: the few that most look-ups touch lie close together.
        numbers = np.empty(len(model.idf), dtype=np.int32)
        numbers[np.argsort(model.idf, kind="stable")] = np.arange(len(model.idf), dtype=np.int32)
        size = 1 << max(4, math.ceil(math.log2(2 * len(model.idf) + 1)))
        table = np.zeros((size, 2), dtype=np.uint64)
        mask = np.uint64(size - 1)
        settings = np.array([1, 0, 1, 0, 0], dtype=np.int64)
        first = collisions = 0
        for block, ngrams in zip(model.blocks, model.vocabulary, strict=True):
            units, starts = _code_points(ngrams)
            own = numbers[first : first + len(ngrams)]
            if block.kind == "words":
                settings[:2] = block.shortest, block.longest
                collisions += kernels.fill_words(units, starts, SEEDS[0], own, table, mask)
            else:
                settings[2:] = block.shortest, block.longest, _is_prefix_closed(ngrams, block.shortest)
                collisions += kernels.fill_characters(units, starts, SEEDS[1], own, table, mask)
            first += len(ngrams)
        if collisions:
            raise ValueError(f"{collisions} n-grams of the vocabulary share their hash with another one.")
        logarithms = np.array([0.0] + [1.0 + math.log(count) for count in range(1, TABULATED)])
        records = _records(model.idf, model.coefficients, numbers)
        self.vocabulary = (*code_points(), settings, SEEDS, table, mask, records, logarithms)
        self.memories: list[tuple[Any, ...]] = []

    def logits(self, texts: Sequence[str], n_threads: int = 1) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Score sentences.

        Parameters
        ----------
        texts : sequence of str
        n_threads : int

        Returns
        -------
        logits : ndarray of shape (n_texts, n_frames)
            Without intercepts.
        plain : ndarray of int
            Rows that were not scored and must take the plain path: sentences with code points whose lower case
            depends on their neighbours, beyond the first two planes of Unicode, or of enormous length.
        """
        out = np.zeros((len(texts), 4 * len(self.vocabulary[6]) - 1))
        plain = np.zeros(len(texts), dtype=np.uint8)
        while len(self.memories) < n_threads:
            self.memories.append(_memory())
        cuts = [len(texts) * i // n_threads for i in range(n_threads + 1)]
        parts = [(slice(cuts[i], cuts[i + 1]), self.memories[i]) for i in range(n_threads)]
        if n_threads == 1:
            self._score(texts, out, plain, *parts[0])
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                for result in [pool.submit(self._score, texts, out, plain, *part) for part in parts]:
                    result.result()
        return out[:, : self.n_frames], np.flatnonzero(plain)

    def _score(
        self,
        texts: Sequence[str],
        out: npt.NDArray[np.float64],
        plain: npt.NDArray[np.uint8],
        rows: slice,
        memory: tuple[Any, ...],
    ) -> None:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts[rows]]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        bounds = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum(lengths, out=bounds[1:])
        data = np.frombuffer(b"".join([*encoded, b"\0\0\0"]), dtype=np.uint8)
        longest = int(lengths.max(initial=0)) + 2
        n_features = self.vocabulary[6].shape[1]
        scratch = (
            np.zeros(n_features, dtype=np.uint32),
            np.empty(n_features, dtype=np.int32),
            np.empty(n_features, dtype=np.float64),
            np.empty(longest, dtype=np.int32),
            np.empty(longest, dtype=np.uint64),
            np.empty(longest, dtype=np.int32),
            np.empty(longest * (1 + self.vocabulary[2][1]), dtype=np.int32),
        )
        kernels.score(data, bounds, _spaces(), self.vocabulary, memory, scratch, out[rows], plain[rows])


def _records(
    idf: npt.NDArray[np.float32], coefficients: npt.NDArray[np.float32], numbers: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Lay out what the kernel reads of a feature: rows of four, the first with its inverse document frequency."""
    columns = np.column_stack([idf, coefficients])
    records = np.zeros((-(-columns.shape[1] // 4), len(idf), 4), dtype=np.float32)
    for group in range(len(records)):
        part = columns[:, 4 * group : 4 * group + 4]
        records[group, numbers, : part.shape[1]] = part
    return records


def _memory() -> tuple[Any, ...]:
    return (
        np.zeros((SLOTS, 2), dtype=np.uint64),
        np.empty((WORDS, 4), dtype=np.int32),
        np.empty(NGRAMS, dtype=np.int32),
        np.empty(TOKENS, dtype=np.uint64),
        np.zeros(3, dtype=np.int64),
    )


def _code_points(ngrams: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    units = np.frombuffer("".join(ngrams).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts = np.zeros(len(ngrams) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, ngrams), dtype=np.int64, count=len(ngrams)), out=starts[1:])
    return units, starts


def _is_prefix_closed(ngrams: Sequence[str], shortest: int) -> bool:
    known = set(ngrams)
    return all(len(ngram) <= shortest or ngram[:-1] in known for ngram in ngrams)


@cache
def code_points() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    r"""Return the lower case and the class of every code point the kernel knows.

    Returns
    -------
    lower : ndarray of int32
        ``kernels.SPECIAL`` where `str.lower` looks at the neighbours or gives more than one code point.
    classes : ndarray of uint8
        Whether ``\w`` matches the lower-case code point.
    """
    lower = np.empty(kernels.TABLE_SIZE, dtype=np.int32)
    classes = np.zeros(kernels.TABLE_SIZE, dtype=np.uint8)
    for unit in range(kernels.TABLE_SIZE):
        character = chr(unit)
        small = character.lower()
        lower[unit] = ord(small) if len(small) == 1 and character != "Σ" else kernels.SPECIAL
        classes[unit] = kernels.WORD if character.isalnum() or character == "_" else kernels.OTHER
    return lower, classes


@cache
def _spaces() -> npt.NDArray[np.uint8]:
    spaces = np.zeros(256, dtype=np.uint8)
    spaces[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = 1
    spaces[[0xC2, 0xE1, 0xE2, 0xE3]] = 2
    return spaces
