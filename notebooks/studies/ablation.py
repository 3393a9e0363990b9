"""What each block of features is worth: the method measured with the block and without it, on the same sentences.

The strength of the penalty is chosen once a set of blocks, on the training sentences of a design's first fold, and
calibration, context and thresholds on the training sentences of every fold. That is cheaper than the nested search of
`classifier.training` by a factor of ten; figures may differ from it in the second decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse

from classifier.codebook import Task
from classifier.corpus import LabeledCorpus
from classifier.evaluation.splits import Split, growing_splits, leave_out_splits
from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.features.tagger import Tagger
from classifier.features.tfidf import Tfidf
from classifier.metrics import Bootstrap, Comparison, Scores
from classifier.metrics.comparison import compare_resampled
from classifier.metrics.figures import resampled_figures
from classifier.model.model import probabilities
from classifier.system.arrays import Bools, Floats, Rows
from classifier.training.articles import article_context, in_articles
from classifier.training.calibration import calibrate, choose_thresholds, decide, quality
from classifier.training.linear import Setting, blocks_for, fit_linear

#: Features of the second rows by a vocabulary learned on the first; for several blocks, one array each.
Features = Callable[[Rows, Rows], dict[str, sparse.csr_array]]

#: The blocks that every other is measured against.
BASE = ("words", "characters")

#: Inverse strengths of the penalty tried for each set of blocks.
STRENGTHS = (3.0, 10.0, 30.0)

#: Behind the name of a set of blocks: with it every sentence is read in its article.
IN_ARTICLES = ", in articles"

#: Folds inside the training sentences, for strength, calibration and thresholds.
INNER_FOLDS = 2

#: Folds of whole articles, and bundles of values that are left out together.
ARTICLE_FOLDS, BUNDLES = 5, 10


@dataclass(frozen=True, slots=True)
class Ablation:
    """The same sentences scored through different sets of blocks.

    Parameters
    ----------
    frames : tuple of str
    scores : dict of str to dict of str to Scores
        By design, then by variant.
    strengths : dict of str to dict of str to float
        The inverse strength chosen for each.
    comparisons : dict of str to dict of (str, str) to list of Comparison
        By design, the pairs of `contrasts`: first minus second.
    pairs : dict of str to list of (str, str)
        Those pairs, by what they show the worth of.
    """

    frames: tuple[str, ...]
    scores: dict[str, dict[str, Scores]]
    strengths: dict[str, dict[str, float]]
    comparisons: dict[str, dict[tuple[str, str], list[Comparison]]]
    pairs: dict[str, list[tuple[str, str]]]

    def comparison(self, design: str, pair: tuple[str, str], name: str = "macro average", figure: str = "f1") -> Any:
        """Return the one comparison of a pair of variants, or None where the figure is undefined."""
        found = self.comparisons[design][pair]
        return next((row for row in found if (row.name, row.figure) == (name, figure)), None)


def variants(kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the sets of blocks that are compared, by name: each block alone, added to `BASE`, removed from all.

    Examples
    --------
    >>> list(variants(("words", "characters", "roles")))
    ['words + characters', 'words', 'characters', '+ roles', 'all blocks', '− words', '− characters', '− roles']
    """
    kinds = tuple(kinds)
    result = {" + ".join(BASE): BASE, **{kind: (kind,) for kind in BASE}}
    extra = [kind for kind in kinds if kind not in BASE]
    if extra:
        result |= {f"+ {kind}": (*BASE, kind) for kind in extra}
        result["all blocks"] = kinds
        result |= {f"− {kind}": tuple(other for other in kinds if other != kind) for kind in kinds}
    return result


def contrasts(named: Mapping[str, tuple[str, ...]], articles: bool = False) -> dict[str, list[tuple[str, str]]]:
    """Return what shows the worth of each block: pairs of variants, with the block and without it.

    Parameters
    ----------
    named : mapping of str to tuple of str
        As `variants` returns it.
    articles : bool
        Whether the smallest and the largest set are measured with sentences in their articles, too.

    Returns
    -------
    dict of str to list of (str, str)
        For each block, for ``all role blocks`` and for ``the article``: added to the smaller set; where possible, the
        gain over the larger set without it. For ``roles and article``: both together.
    """
    base = " + ".join(BASE)
    result: dict[str, list[tuple[str, str]]] = {"words": [(base, "characters")], "characters": [(base, "words")]}
    for name in named:
        if name.startswith("+ "):
            result[name[2:]] = [(name, base)]
    for name in named:
        if name.startswith("− "):
            result[name[2:]].append(("all blocks", name))
    if "all blocks" in named:
        result["all role blocks"] = [("all blocks", base)]
    if articles:
        result["the article"] = [(base + IN_ARTICLES, base)]
        if "all blocks" in named:
            result["the article"].append(("all blocks" + IN_ARTICLES, "all blocks"))
            result["roles and article"] = [("all blocks" + IN_ARTICLES, base)]
    return result


def designs(corpus: LabeledCorpus, seed: int = 0) -> dict[str, list[Split]]:
    """Return the three ways of dividing a corpus, as far as it has the columns.

    Returns
    -------
    dict of str to list of (ndarray of int, ndarray of int)
        ``new articles``, ``new source types`` and ``new events``: training and test rows of each fold.
    """
    result: dict[str, list[Split]] = {"new articles": list(corpus.folds(ARTICLE_FOLDS, seed))}
    for name, column in (("new source types", "source_type"), ("new events", "event")):
        if column in corpus.columns:
            n_bundles = min(BUNDLES, len(set(corpus.columns[column])))
            result[name] = [split for _, split in leave_out_splits(corpus, column, n_bundles)]
    return result


def block_features(corpus: LabeledCorpus, blocks: Sequence[Block] | None = None) -> Features:
    """Count the n-grams of a corpus once and return what makes features of them, a block each."""
    roles = Tagger(corpus.codebook.roles) if corpus.codebook.roles else None
    counts = {block.kind: CountMatrix(corpus.texts, [block], roles) for block in blocks or blocks_for(corpus.codebook)}

    def features(train: Rows, rows: Rows) -> dict[str, sparse.csr_array]:
        return {kind: Tfidf.fit(matrix, train).transform(rows) for kind, matrix in counts.items()}

    return features


def subjects_named(corpus: LabeledCorpus) -> Bools:
    """Say which of the codebook's subjects each sentence names.

    Parameters
    ----------
    corpus : LabeledCorpus

    Returns
    -------
    ndarray of bool of shape (n_texts, n_subjects)
    """
    roles = Tagger(corpus.codebook.roles)
    return np.array(roles.named(corpus.texts), dtype=bool).reshape(len(corpus), len(roles.subjects))


def fixed_scores(
    corpus: LabeledCorpus,
    splits: Sequence[Split],
    features: Features,
    named: Mapping[str, tuple[str, ...]],
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    subjects: Mapping[str, Bools] | None = None,
) -> tuple[dict[str, Scores], dict[str, float]]:
    """Score the test sentences of each fold through each set of blocks, with one strength a set for all folds.

    Parameters
    ----------
    corpus : LabeledCorpus
    splits : sequence of (ndarray of int, ndarray of int)
    features : callable
        As `block_features` returns it.
    named : mapping of str to tuple of str
        The sets of blocks.
    strengths : sequence of float
        Tried inside the first fold.
    seed : int
    subjects : mapping of str to ndarray of bool of shape (n_texts, n_subjects), optional
        The sets that are measured with sentences in their articles, too, under their name and `IN_ARTICLES`: which of
        the codebook's subjects each sentence names, as far as the set can tell.

    Returns
    -------
    scores : dict of str to Scores
        Of the sentences that any fold tests, in the order of the corpus.
    strengths : dict of str to float
        Chosen.
    """
    task, targets = corpus.task, corpus.targets
    subjects = subjects or {}
    reported = [*named, *(name + IN_ARTICLES for name in subjects)]
    results = {name: Scores.empty(targets, corpus.group_ids) for name in reported}
    chosen: dict[str, float] = {}
    tested = np.zeros(len(corpus), dtype=bool)
    with Parallel(n_jobs=-1) as parallel:
        for train, test in splits:
            tested[test] = True
            inner = list(corpus.folds(INNER_FOLDS, seed, train))
            parts = [(features(a, a), features(a, b), targets[a]) for a, b in [*inner, (train, test)]]
            tried = {name: [chosen[name]] if name in chosen else list(strengths) for name in named}
            keys = [(name, C, i) for name in named for C in tried[name] for i in range(INNER_FOLDS)]
            logits = dict(zip(keys, parallel(_job(parts[i], named[name], C) for name, C, i in keys), strict=True))
            learned = np.concatenate([rows for _, rows in inner])
            places = np.argsort(learned)
            learned = learned[places]
            truth = targets[learned]
            joined = {
                (name, C): np.concatenate([logits[name, C, i] for i in range(INNER_FOLDS)])[places]
                for name in named
                for C in tried[name]
            }
            for name in named:
                chosen.setdefault(name, max(tried[name], key=lambda C, n=name: quality(joined[n, C], truth, task)))  # type: ignore[misc]
            outer = parallel(_job(parts[-1], named[name], chosen[name]) for name in named)
            for name, found in zip(named, outer, strict=True):
                within = joined[name, chosen[name]]
                slopes, shifts = calibrate(within, truth, task)
                within, found = within * slopes + shifts, found * slopes + shifts
                _decide(results[name], test, probabilities(found, task), probabilities(within, task), truth, task)
                if name in subjects:
                    named_here = subjects[name]
                    context = article_context(corpus, learned, within, named_here)
                    within = in_articles(corpus, learned, within, named_here, context)
                    found = in_articles(corpus, test, found, named_here, context)
                    together = results[name + IN_ARTICLES]
                    _decide(together, test, probabilities(found, task), probabilities(within, task), truth, task)
    return {name: scores.take(tested) for name, scores in results.items()}, chosen


def _decide(scores: Scores, test: Rows, found: Floats, within: Floats, truth: Bools, task: Task) -> None:
    """Fill in the probabilities found for test sentences, and the decisions by thresholds of the training sentences."""
    scores.probabilities[test] = found
    scores.predicted[test] = decide(found, choose_thresholds(within, truth, task), task)


def _job(part: tuple[dict[str, Any], dict[str, Any], Any], kinds: tuple[str, ...], C: float) -> Any:
    train, test, targets = part
    return delayed(_logits)([train[kind] for kind in kinds], [test[kind] for kind in kinds], targets, C)


def _logits(train: list[Any], test: list[Any], targets: Any, C: float) -> Floats:
    features = sparse.hstack(train, format="csr")
    coefficients, intercepts = fit_linear(features, targets, [Setting((), C, False)])
    result: Floats = sparse.hstack(test, format="csr") @ coefficients[:, 0] + intercepts[0]
    return result


def ablate(corpus: LabeledCorpus, seed: int = 0) -> Ablation:
    """Measure every set of blocks on new articles, new source types and new events.

    Parameters
    ----------
    corpus : LabeledCorpus
    seed : int
        Of folds and bootstrap.

    Returns
    -------
    Ablation
    """
    blocks = blocks_for(corpus.codebook)
    named = variants([block.kind for block in blocks])
    features = block_features(corpus, blocks)
    subjects: dict[str, Bools] = {}
    if corpus.groups is not None and corpus.task == "multilabel":
        # Words and characters know no roles, and so no subjects: their context is the other sentences alone.
        subjects[" + ".join(BASE)] = np.zeros((len(corpus), 0), dtype=bool)
        if "all blocks" in named:
            subjects["all blocks"] = subjects_named(corpus)
    worth = contrasts(named, articles=bool(subjects))
    scores, strengths, comparisons = {}, {}, {}
    for design, splits in designs(corpus, seed).items():
        scores[design], strengths[design] = fixed_scores(corpus, splits, features, named, seed=seed, subjects=subjects)
        bootstrap = Bootstrap(next(iter(scores[design].values())).groups, seed=seed)
        figures = {name: resampled_figures(found, bootstrap) for name, found in scores[design].items()}
        pairs = [pair for found in worth.values() for pair in found]
        comparisons[design] = {
            (one, other): compare_resampled(figures[one], figures[other], corpus.frames) for one, other in pairs
        }
    return Ablation(corpus.frames, scores, strengths, comparisons, worth)


def articles_curve(
    corpus: LabeledCorpus,
    shares: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0),
    strength: float = 10.0,
    seed: int = 0,
) -> list[tuple[float, Scores]]:
    """Measure the method with ever more articles to learn from, at one strength of the penalty, each sentence alone.

    Parameters
    ----------
    corpus : LabeledCorpus
    shares : sequence of float
        Of the training articles of each fold; a larger share contains the smaller ones.
    strength : float
    seed : int

    Returns
    -------
    list of (float, Scores)
        Articles learned from, mean over folds; results on always the same sentences.
    """
    blocks = blocks_for(corpus.codebook)
    features, kinds = block_features(corpus, blocks), tuple(block.kind for block in blocks)
    points = []
    for articles, parts in growing_splits(corpus, list(corpus.folds(ARTICLE_FOLDS, seed)), shares, seed):
        found, _ = fixed_scores(corpus, parts, features, {"": kinds}, (strength,), seed)
        points.append((articles, found[""]))
    return points
