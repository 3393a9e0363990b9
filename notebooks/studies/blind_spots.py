"""Where a model errs: confusions explained by contributions, and sentences whose meaning lies beyond their words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from classifier.corpus import LabeledCorpus
from classifier.evaluation.evaluate import Evaluation
from classifier.metrics import NONE, Bootstrap, Figure, interval, intervals
from classifier.system.arrays import Bools

#: What a sentence can have that a bag of n-grams hardly sees, and how it is recognised.
MARKERS = {
    "a negation": re.compile(r"\b(?:not|no|never|nor|neither|without|cannot)\b|n['’]t\b", re.IGNORECASE),
    "a denial or doubt": re.compile(
        r"\b(?:den(?:y|ies|ied|ying)|reject|rebuff|dismiss|refut|so-called|alleged|claim)", re.IGNORECASE
    ),
    "a quotation": re.compile(r"[\"“”«»]|(?<!\w)['‘]\w[^'’]{8,}['’]"),
    "a speaker named after it": re.compile(
        r"[,”\"’'–—:-]\s*(?:[\w'’.-]+\s){0,5}(?:said|says|told|added)\b|[–—-]\s[A-Z][\w-]+$"
    ),
    "a pronoun for its actor": re.compile(
        r"^[\"“']?(?:he|she|they|it|this|that|these|those|the bloc)\b", re.IGNORECASE
    ),
}


def marked(corpus: LabeledCorpus) -> dict[str, Bools]:
    """Tell which sentences have which difficulty: those of `MARKERS`, and what the labels and the length show.

    Parameters
    ----------
    corpus : LabeledCorpus

    Returns
    -------
    dict of str to ndarray of bool of shape (n_texts,)
    """
    result = {name: np.array([bool(p.search(text)) for text in corpus.texts]) for name, p in MARKERS.items()}
    result["fewer than eight words"] = np.array([len(text.split()) < 8 for text in corpus.texts])
    result["two frames or three"] = corpus.targets.sum(axis=1) > 1
    return result


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How often a model errs on sentences of one kind.

    Parameters
    ----------
    name : str
    sentences : int
    errors, elsewhere : Figure
        Share with any wrong decision, of these sentences and of all others.
    difference : Figure
        `errors` minus `elsewhere`.
    """

    name: str
    sentences: int
    errors: Figure
    elsewhere: Figure
    difference: Figure


def difficulties(evaluation: Evaluation, kinds: Mapping[str, Bools], seed: int = 0) -> list[Difficulty]:
    """Measure how often a model errs on sentences of each kind, and on all others.

    Parameters
    ----------
    evaluation : Evaluation
    kinds : mapping of str to ndarray of bool of shape (n_texts,)
        Of the corpus, as `marked` returns them; kinds without sentences are left out.
    seed : int

    Returns
    -------
    list of Difficulty
        The largest difference first.
    """
    scores = evaluation.scores
    wrong = (scores.truth != scores.predicted).any(axis=1)
    bootstrap = Bootstrap(scores.groups, seed=seed)
    result = []
    for name, mask in kinds.items():
        inside = mask[evaluation.rows_tested]
        if not 0 < inside.sum() < len(inside):
            continue
        columns = np.column_stack([wrong & inside, inside, wrong & ~inside, ~inside])
        one, n_one, other, n_other = bootstrap.totals(columns).T
        undefined = np.full(len(one), np.nan)
        errors = np.divide(one, n_one, out=undefined.copy(), where=n_one > 0)
        elsewhere = np.divide(other, n_other, out=undefined, where=n_other > 0)
        result.append(
            Difficulty(name, int(inside.sum()), interval(errors), interval(elsewhere), interval(errors - elsewhere))
        )
    return sorted(result, key=lambda item: -item.difference.value)


@dataclass(frozen=True, slots=True)
class Confused:
    """Sentences of one kind of mistake, and the terms behind it.

    Parameters
    ----------
    label : str
        The frame missed, or ``(none)``.
    given : str
        The frame wrongly given.
    rows : list of int
        Of the corpus.
    terms : list of (str, float, int)
        Term, what it adds to the logit of the frame given, mean over the sentences that have it, and how many do;
        by the sum; single function words are left out.
    """

    label: str
    given: str
    rows: list[int]
    terms: list[tuple[str, float, int]]


def explained_confusions(evaluation: Evaluation, n: int = 6, least: int = 3, at_most: int = 150) -> list[Confused]:
    """Explain which frame is given for which by the terms that speak for the frame given.

    Parameters
    ----------
    evaluation : Evaluation
        With its models: each sentence is explained by the one that had not seen it.
    n : int
        Terms a confusion.
    least : int
        Sentences a term must occur in.
    at_most : int
        Sentences explained a confusion; explaining takes milliseconds each.

    Returns
    -------
    list of Confused
        The commonest first.
    """
    scores, frames = evaluation.scores, evaluation.summary.frames
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place in np.flatnonzero((scores.predicted & ~scores.truth).any(axis=1)).tolist():
        missed = [frames[i] for i in np.flatnonzero(scores.truth[place] & ~scores.predicted[place])]
        if scores.truth[place].any() and not missed:
            continue  # a frame too many beside a right one is no confusion
        for column in np.flatnonzero(scores.predicted[place] & ~scores.truth[place]):
            for label in missed or [NONE]:
                places[label, frames[column]].append(place)
    result = []
    for (label, given), found in places.items():
        sums: dict[str, list[float]] = defaultdict(list)
        for place in found[:at_most]:
            for term, value in evaluation.explain(place)[given]:
                sums[term].append(value)
        ranked = sorted(
            (
                (term, values)
                for term, values in sums.items()
                if len(values) >= min(least, len(found)) and term not in ENGLISH_STOP_WORDS
            ),
            key=lambda item: -sum(item[1]),
        )
        terms = [(term, float(np.mean(values)), len(values)) for term, values in ranked[:n]]
        result.append(Confused(label, given, [int(evaluation.rows_tested[place]) for place in found], terms))
    return sorted(result, key=lambda item: -len(item.rows))


def after_frame(evaluation: Evaluation, seed: int = 0) -> dict[str, tuple[Figure | None, int]]:
    """Return how often labeled frames are found, by whether the sentence before in the article carried the frame.

    Parameters
    ----------
    evaluation : Evaluation
        Of a corpus whose articles stand together, in reading order.
    seed : int

    Returns
    -------
    dict of str to (Figure or None, int)
        ``continued`` and ``new``: recall over all frames, and labels behind it.
    """
    corpus, scores = evaluation.corpus, evaluation.scores
    before = np.zeros_like(corpus.targets)
    same = corpus.group_ids[1:] == corpus.group_ids[:-1]
    before[1:] = corpus.targets[:-1] & same[:, None]
    before = before[evaluation.rows_tested]
    bootstrap = Bootstrap(scores.groups, seed=seed)
    result: dict[str, tuple[Figure | None, int]] = {}
    for name, mask in (("continued", before), ("new", ~before)):
        labeled = scores.truth & mask
        columns = np.column_stack([(labeled & scores.predicted).sum(axis=1), labeled.sum(axis=1)])
        found, n = bootstrap.totals(columns).T
        share = np.divide(found, n, out=np.full(len(n), np.nan), where=n > 0)
        result[name] = (intervals(share[:, None])[0], int(n[0]))
    return result
