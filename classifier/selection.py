"""A fold's TF-IDF as a selection of counts made once for all folds. Compiled: a search selects dozens of times."""

from __future__ import annotations

import math

import numpy as np

from classifier.compilation import compiled


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
