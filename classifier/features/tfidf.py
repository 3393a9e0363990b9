"""A fold's TF-IDF as a selection of counts made once for all folds: the numbers of scikit-learn's ``TfidfVectorizer``.

Choosing from counts is compiled, for a search selects dozens of times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.system.compilation import compiled


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

    @classmethod
    def fit(
        cls,
        source: CountMatrix,
        rows: npt.NDArray[np.intp],
        blocks: Sequence[Block] | None = None,
        usable: npt.NDArray[np.bool_] | None = None,
    ) -> Tfidf:
        """Choose vocabulary and inverse document frequencies as ``TfidfVectorizer.fit`` would on these rows.

        Parameters
        ----------
        source : CountMatrix
        rows : ndarray of int
            The training sentences.
        blocks : sequence of Block, optional
            The blocks of `source` with other `min_df`; by default as they are there.
        usable : ndarray of bool of shape (n_ngrams,), optional
            The n-grams that may be chosen; by default all.

        Returns
        -------
        Tfidf
        """
        blocks = source.blocks if blocks is None else blocks
        df = document_frequencies(source.counts.indptr, source.counts.indices, rows, source.counts.shape[1])
        if usable is not None:
            df[~usable] = 0
        columns, idf = [], []
        for block, first, last in zip(blocks, source.starts, source.starts[1:], strict=False):
            kept = np.flatnonzero(df[first:last] >= block.min_df)
            columns.append(kept)
            idf.append(np.log((1 + len(rows)) / (1 + df[first:last][kept])) + 1)
        return cls(source, tuple(columns), tuple(idf))

    def transform(self, rows: npt.NDArray[np.intp]) -> sparse.csr_array:
        """Return the TF-IDF features of these rows, shape (n_rows, n_features), blocks side by side."""
        source = self.source
        idf = np.concatenate(self.idf)
        features = np.full(source.counts.shape[1], -1, dtype=np.int32)
        kept = [first + columns for first, columns in zip(source.starts, self.columns, strict=False)]
        features[np.concatenate(kept)] = np.arange(len(idf), dtype=np.int32)
        counts = source.counts
        parts = select(counts.indptr, counts.indices, source.weights, rows, source.starts, features, idf)
        return sparse.csr_array(parts, shape=(len(rows), len(idf)))

    def vocabulary(self) -> tuple[tuple[str, ...], ...]:
        """Return the n-grams kept, a block, in the order of the features."""
        return tuple(tuple(ngrams[kept]) for ngrams, kept in zip(self.source.ngrams, self.columns, strict=True))


@compiled(nogil=True, _nrt=True)
def document_frequencies(ends, columns, rows, n_columns):
    """Return in how many of the rows of a CSR matrix each column is not zero.

    Parameters
    ----------
    ends, columns : ndarray of int
        The matrix, its values left out.
    rows : ndarray of int
    n_columns : int

    Returns
    -------
    ndarray of int64 of shape (n_columns,)
    """
    df = np.zeros(n_columns, dtype=np.int64)
    for row in rows:
        for i in range(ends[row], ends[row + 1]):
            df[columns[i]] += 1
    return df


@compiled(nogil=True, _nrt=True)
def select(ends, columns, weights, rows, blocks, features, idf):
    """Return the TF-IDF of some rows and columns of a CSR matrix, scaled to length one a row and block.

    Parameters
    ----------
    ends, columns : ndarray of int
        The matrix; the columns of a row in order.
    weights : ndarray of float64
        What each of its counts weighs.
    rows : ndarray of int
    blocks : ndarray of int
        The first column of each block, and the number of columns.
    features : ndarray of int32
        The feature that a column becomes, -1 where it is left out.
    idf : ndarray of float64
        Of each feature.

    Returns
    -------
    values, features, ends : ndarray
        The result as CSR.
    """
    size = 0
    for row in rows:
        for i in range(ends[row], ends[row + 1]):
            size += features[columns[i]] >= 0
    values, found = np.empty(size), np.empty(size, dtype=np.int32)
    result_ends = np.zeros(len(rows) + 1, dtype=np.int32)
    n = 0
    for place in range(len(rows)):
        row, block, first, square = rows[place], 0, n, 0.0
        for i in range(ends[row], ends[row + 1]):
            column = columns[i]
            if column >= blocks[block + 1]:
                values[first:n] /= math.sqrt(square) if square > 0.0 else 1.0
                first, square = n, 0.0
                while column >= blocks[block + 1]:
                    block += 1
            feature = features[column]
            if feature >= 0:
                values[n] = weights[i] * idf[feature]
                found[n] = feature
                square += values[n] * values[n]
                n += 1
        values[first:n] /= math.sqrt(square) if square > 0.0 else 1.0
        result_ends[place + 1] = n
    return values, found, result_ends
