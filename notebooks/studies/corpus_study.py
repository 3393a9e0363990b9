"""What a labeled corpus is like: sentences told twice, and terms that go with a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import chi2

from classifier.corpus import LabeledCorpus

#: Cosine of two sentences' three-word sequences from which they count as near-duplicates.
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that are nearly the same.

    Parameters
    ----------
    first, second : int
        Rows of the corpus.
    similarity : float
        Cosine of their one- to three-word sequences.
    """

    first: int
    second: int
    similarity: float


def near_duplicates(texts: Sequence[str], least: float = NEAR) -> list[Pair]:
    """Find pairs of sentences that are nearly the same.

    Parameters
    ----------
    texts : sequence of str
    least : float
        Cosine from which on a pair counts.

    Returns
    -------
    list of Pair
        The most similar first.

    Examples
    --------
    >>> near_duplicates(["Minsk shut its airspace today.", "Minsk shut its airspace today!", "Oil rose."])
    [Pair(first=0, second=1, similarity=1.0)]
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True, token_pattern=r"\b\w+\b")
    features = vectorizer.fit_transform(texts).tocsr()
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(texts), 500):
        similar = (features[start : start + 500] @ features.T).tocoo()
        kept = (similar.data >= least) & (similar.row + start < similar.col)
        found += zip(similar.row[kept] + start, similar.col[kept], similar.data[kept], strict=True)
    return sorted(
        (Pair(int(one), int(other), round(float(value), 3)) for one, other, value in found),
        key=lambda pair: (-pair.similarity, pair.first, pair.second),
    )


@dataclass(frozen=True, slots=True)
class Term:
    """A word or pair of words that goes with a frame.

    Parameters
    ----------
    text : str
    inside, outside : float
        Share of the sentences with the frame, and of those without it, in which it occurs.
    """

    text: str
    inside: float
    outside: float


def characteristic_terms(corpus: LabeledCorpus, n: int = 12) -> dict[str, list[Term]]:
    """Find the words and pairs of words that set a frame's sentences apart.

    Parameters
    ----------
    corpus : LabeledCorpus
    n : int
        Terms a frame.

    Returns
    -------
    dict of str to list of Term
        For each frame, by chi-squared statistic; a word that is part of a pair already listed (or the other way
        round) is left out, and so is what is made of function words.
    """
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=5, binary=True, token_pattern=r"\b[^\W\d]\w+\b")
    present = vectorizer.fit_transform(corpus.texts)
    terms = vectorizer.get_feature_names_out()
    telling = [not {t.split()[0], t.split()[-1]} & ENGLISH_STOP_WORDS for t in terms]
    result: dict[str, list[Term]] = {}
    for column, frame in enumerate(corpus.frames):
        truth = corpus.targets[:, column]
        inside = np.asarray(present[truth].mean(axis=0)).ravel()
        outside = np.asarray(present[~truth].mean(axis=0)).ravel()
        statistic = np.where((inside > outside) & telling, np.nan_to_num(chi2(present, truth)[0]), -1.0)
        chosen: list[Term] = []
        for place in np.argsort(-statistic, kind="stable"):
            words = set(terms[place].split())
            if len(chosen) == n or statistic[place] < 0:
                break
            if not any(words & (set(term.text.split()) - ENGLISH_STOP_WORDS) for term in chosen):
                chosen.append(Term(str(terms[place]), float(inside[place]), float(outside[place])))
        result[frame] = chosen
    return result


def rates(corpus: LabeledCorpus, column: str, n: int | None = None) -> dict[str, tuple[int, dict[str, float]]]:
    """Return how often each frame occurs among the sentences of each value of a column.

    Parameters
    ----------
    corpus : LabeledCorpus
    column : str
    n : int, optional
        Only the values with most sentences.

    Returns
    -------
    dict of str to (int, dict of str to float)
        For each value its number of sentences and the share that carries each frame; most sentences first.
    """
    names = np.array([value or "(none)" for value in corpus.columns[column]], dtype=object)
    values, sizes = np.unique(names, return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:n]
    return {
        str(values[i]): (
            int(sizes[i]),
            dict(zip(corpus.frames, corpus.targets[names == values[i]].mean(axis=0).tolist(), strict=True)),
        )
        for i in order
    }


def second_labels(corpus: LabeledCorpus, column: str = "labels_second", none: str = "none") -> LabeledCorpus:
    """Return a corpus whose second labels are written as `classifier.evaluation.agreement` reads them.

    Parameters
    ----------
    corpus : LabeledCorpus
    column : str
        Of the second annotator; an empty cell is a sentence not labeled twice.
    none : str
        What the column holds for the decision "no frame".

    Returns
    -------
    LabeledCorpus
        With ``-`` for sentences not labeled twice, and an empty cell for no frame.
    """
    cells = tuple("-" if not cell.strip() else "" if cell.strip() == none else cell for cell in corpus.columns[column])
    return replace(corpus, columns={**corpus.columns, column: cells})
