"""One linear function per frame: what it is fitted on, and the settings that are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.codebook import Codebook
from classifier.features.ngrams import Block
from classifier.system.arrays import Bools, Floats
from classifier.training.logistic import fit_logistic

#: What a sentence is read through.
BLOCKS = (Block("words", 1, 2, min_df=2), Block("characters", 3, 5, min_df=3))

#: What it is read through besides, where the codebook names roles.
ROLE_BLOCKS = (
    Block("roles", 1, 3, min_df=2),
    Block("role_pairs", 2, 2, min_df=2),
    Block("masked_words", 1, 2, min_df=2),
)

#: Up to so many sentences nothing is left out for being rare. In small corpora most of what tells frames apart occurs
#: once: at 250 sentences those n-grams are worth 0.02 to 0.05 of macro F1, at 5,000 nothing but room.
SMALL = 5_000

#: Folds of the inner cross-validation, which chooses; the second number for small corpora, whose choices are noisier.
INNER_FOLDS, SMALL_INNER_FOLDS = 3, 5

#: Inverse strengths of the L2 penalty tried on the inner folds.
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

#: The same for small corpora, which settle nothing between weaker penalties.
SMALL_STRENGTHS = STRENGTHS[:-1]

#: The same where training starts from a model: at the least of them it stays as it is.
STRENGTHS_FROM_START = (0.001, 0.01, 0.1, 1.0, 3.0, 10.0, 30.0)

#: Scales of word vectors tried, the second for large corpora, whose words need no neighbours.
VECTOR_SCALES, LARGE_VECTOR_SCALES = (0.5, 1.0), (0.5,)

#: Macro F1 that vectors must add on the inner folds of a large corpus: less is chance, and they make a model larger.
VECTORS_GAIN = 0.005

#: Exponent of the log-count ratio that weighs each feature before a fit, see `count_ratios`; 0 would weigh all alike.
RATIO_POWER = 1 / 3


@dataclass(frozen=True, slots=True)
class Setting:
    """One combination that the inner cross-validation tries.

    Parameters
    ----------
    blocks : tuple of Block
    C : float
        Inverse strength of the L2 penalty, as in ``LogisticRegression``.
    balanced : bool
        Whether rare labels weigh more, as with ``class_weight="balanced"``.
    vectors : float
        Scale of the word vectors, whose penalty shrinks as it grows; 0 leaves them out.
    """

    blocks: tuple[Block, ...]
    C: float
    balanced: bool
    vectors: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as plain data."""
        return {
            "blocks": [
                f"{block.kind} {block.shortest}-{block.longest}, min_df {block.min_df}" for block in self.blocks
            ],
            "C": self.C,
            "class_weight": "balanced" if self.balanced else None,
            "vectors": self.vectors,
        }


def blocks_for(codebook: Codebook, n_texts: int = SMALL + 1) -> tuple[Block, ...]:
    """Return what a sentence is read through.

    Parameters
    ----------
    codebook : Codebook
    n_texts : int
        Training sentences.

    Returns
    -------
    tuple of Block
        `BLOCKS`, and `ROLE_BLOCKS` where the codebook names roles; up to `SMALL` sentences with n-grams that occur
        once, too.
    """
    blocks = BLOCKS + ROLE_BLOCKS if any(codebook.roles.values()) else BLOCKS
    return blocks if n_texts > SMALL else tuple(replace(block, min_df=1) for block in blocks)


def inner_folds(n_texts: int, n_articles: int) -> int:
    """Return into how many folds the inner cross-validation divides so many sentences.

    Examples
    --------
    >>> inner_folds(20_000, 900), inner_folds(300, 300), inner_folds(300, 4)
    (3, 5, 4)
    """
    return INNER_FOLDS if n_texts > SMALL else max(INNER_FOLDS, min(SMALL_INNER_FOLDS, n_articles))


def settings_tried(codebook: Codebook, n_texts: int = SMALL + 1, from_start: bool = False) -> list[Setting]:
    """Return the combinations that the inner cross-validation tries, in the order of the search.

    Parameters
    ----------
    codebook, n_texts
        As for `blocks_for`.
    from_start : bool
        Whether training starts from a model.

    Returns
    -------
    list of Setting
        Without word vectors.
    """
    blocks = blocks_for(codebook, n_texts)
    if from_start:
        return [Setting(blocks, strength, False) for strength in STRENGTHS_FROM_START]
    strengths = STRENGTHS if n_texts > SMALL else SMALL_STRENGTHS
    return [Setting(blocks, strength, balanced) for balanced in (False, True) for strength in strengths]


def fit_linear(
    features: sparse.csr_array,
    targets: Bools,
    settings: Sequence[Setting],
    precision: npt.DTypeLike = np.float64,
    dense: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Fit one logistic regression per frame, that frame against all others, with each of several settings.

    Parameters
    ----------
    features : sparse array of shape (n_texts, n_features)
    targets : ndarray of bool of shape (n_texts, n_frames)
    settings : sequence of Setting
    precision : dtype
        See `classifier.training.logistic.fit_logistic`.
    dense : ndarray of shape (n_dense, n_frames), optional
        What the last columns of the features, which count nothing, weigh for each frame instead of `count_ratios`.

    Returns
    -------
    coefficients : ndarray of shape (n_features, n_settings, n_frames)
    intercepts : ndarray of shape (n_settings, n_frames)
        A frame without examples (or without counter-examples, or features) gets zero coefficients and
        its smoothed log-odds.

    Notes
    -----
    Each frame's features are weighed by `count_ratios` first; the weights are multiplied into the coefficients, so that
    a model knows nothing of them. Multiclass models take the softmax of the frames' logits; fitting them jointly
    (multinomial, by L-BFGS) took thirty times as long and gave the same macro F1 to 0.005 on a corpus of nine classes.
    `benchmarks` compares solvers.
    """
    n_texts, n_frames = targets.shape
    positive = targets.sum(axis=0)
    share = (positive + 0.5) / (n_texts + 1.0)
    intercepts = np.tile(np.log(share) - np.log1p(-share), (len(settings), 1))
    coefficients = np.zeros((features.shape[1], len(settings), n_frames))
    if not features.shape[1]:
        return coefficients, intercepts
    dense = np.zeros((0, n_frames)) if dense is None else dense
    counted = features if not len(dense) else features[:, : features.shape[1] - len(dense)]
    for frame in np.flatnonzero((positive > 0) & (positive < n_texts)):
        truth = targets[:, frame]
        ratios = np.concatenate([count_ratios(counted, truth), dense[:, frame]])
        weighed = sparse.csr_array(
            (features.data * ratios[features.indices], features.indices, features.indptr), features.shape
        )
        sizes = np.array([n_texts - positive[frame], positive[frame]])
        # As class_weight="balanced" has it: both classes weigh the same, and all sentences together what they did.
        costs = [setting.C * (n_texts / (2 * sizes) if setting.balanced else np.ones(2)) for setting in settings]
        lanes = np.tile(truth[:, None], (1, len(settings)))
        found, intercepts[:, frame] = fit_logistic(weighed, lanes, np.transpose(costs), precision=precision)
        coefficients[:, :, frame] = found * ratios[:, None]
    return coefficients, intercepts


def count_ratios(features: sparse.csr_array, truth: npt.NDArray[np.bool_]) -> Floats:
    """Return what each feature weighs for a frame: more, the more unevenly it occurs with the frame and without it.

    Parameters
    ----------
    features : sparse array of shape (n_texts, n_features)
    truth : ndarray of bool of shape (n_texts,)
        Whether a text carries the frame; both must occur.

    Returns
    -------
    ndarray of shape (n_features,)
        Of mean one.

    Notes
    -----
    The log-count ratio of naive Bayes on binary features, smoothed by one text, after Wang and Manning (2012,
    "Baselines and bigrams"): ``|ln(((1 + p) / P) / ((1 + q) / Q))|`` for a feature in p of P texts with the frame and
    in q of Q without. Its power `RATIO_POWER` sets how far the penalty spares telling features; the penalty of the
    others grows.
    """
    n_features = features.shape[1]
    present = features.indices[np.repeat(truth, np.diff(features.indptr))]
    p = np.bincount(present, minlength=n_features)
    q = np.bincount(features.indices, minlength=n_features) - p
    share = np.log((1 + p) / truth.sum()) - np.log((1 + q) / (~truth).sum())
    ratios: Floats = np.abs(share) ** RATIO_POWER
    mean = ratios.mean()
    return ratios / mean if mean > 0 else np.ones(n_features)
