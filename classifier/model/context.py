"""What an article tells about its sentences: a reader of "the bloc" or "he" knows from the rest who is meant.

A model scores each sentence by its own words. Where the sentence stands in an article, a second linear function
corrects each logit by four things: the same frame's logit in the article's other sentences on average, and in those
that open it, for a headline and a lead say what the whole is about; which of the codebook's subjects the article names
nowhere, or has not named so far; and whether the sentence is the first. Where one of these signs holds, the sentence's
own words count for more or less, too. The coefficients are learned from out-of-fold logits, so a model of sentences is
stacked upon (Wolpert 1992), and given an article its logits remain sums of what each term adds.

A text of one sentence has no context: it may have been cut from anywhere, and its logits stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.system.arrays import Bools, Floats

#: No other sentence counts for more than this, in log-odds.
LIMIT = 6.0

#: Inverse strength of the penalty of a context's coefficients; there are few, and many sentences.
STRENGTH = 10.0

#: Articles of several sentences that a context is learned from at least, and sentences with a frame, and without it.
MIN_ARTICLES, MIN_EXAMPLES = 10, 10

#: Sentences that open an article: a headline, or a masthead above it, and what follows.
OPENING = 2

#: What the averages of the other sentences and of those that open the article are called in explanations.
OTHERS, OPENED = "the other sentences", "how the article opens"


def sign_names(subjects: Sequence[str]) -> list[str]:
    """Return what each sign of a sentence's surroundings says, in words.

    Parameters
    ----------
    subjects : sequence of str
        The codebook's.

    Returns
    -------
    list of str
        That a subject is named nowhere in the article, for each; with several, that none is; that none is named so
        far; that the sentence is the first.

    Examples
    --------
    >>> sign_names(["Belarus", "Russia"])[1:-1]
    ['Russia is not named', 'neither Belarus nor Russia is named', 'neither Belarus nor Russia is named yet']
    >>> sign_names(["Belarus"])
    ['Belarus is not named', 'Belarus is not named yet', 'the first sentence']
    """
    names = [f"{subject} is not named" for subject in subjects]
    if len(subjects) > 1:
        names.append(f"neither {' nor '.join(subjects)} is named")
    return [*names, *(f"{name} yet" for name in names[-1:]), "the first sentence"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around each of some sentences, article after article.

    Parameters
    ----------
    others : ndarray of shape (n_sentences, n_frames)
        Mean of the logits of the article's other sentences, each within `LIMIT`.
    opening : ndarray of shape (n_sentences, n_frames)
        The same of those among the article's first `OPENING` sentences.
    signs : ndarray of bool of shape (n_sentences, n_signs)
        Which of `sign_names` hold of the sentence.
    alone : ndarray of bool of shape (n_sentences,)
        Whether the sentence is all there is of its article.
    n_articles : int
        Articles of several sentences.
    """

    others: Floats
    opening: Floats
    signs: Bools
    alone: Bools
    n_articles: int

    @classmethod
    def of(cls, logits: Floats, named: Bools, sizes: Sequence[int]) -> Surroundings:
        """Look around in articles.

        Parameters
        ----------
        logits : ndarray of shape (n_sentences, n_frames)
            Of each sentence by its own words, article after article.
        named : ndarray of bool of shape (n_sentences, n_subjects)
            Which of the codebook's subjects each sentence names.
        sizes : sequence of int
            Sentences of each article; their sum is `n_sentences`.

        Returns
        -------
        Surroundings
        """
        lengths = np.array([size for size in sizes if size], dtype=np.intp)
        starts = np.cumsum(lengths) - lengths
        article = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(article)) - starts[article]
        within = np.clip(logits, -LIMIT, LIMIT)
        opens = place < OPENING
        others = _mean_of_others(within, np.ones(len(article), dtype=bool), starts, article)
        opening = _mean_of_others(within, opens, starts, article)
        n_subjects = named.shape[1]
        signs = np.zeros((len(logits), len(sign_names([""] * n_subjects))), dtype=bool)
        if n_subjects and len(starts):
            nowhere = signs[:, :n_subjects]
            nowhere[:] = ~np.logical_or.reduceat(named, starts)[article]
            running = np.cumsum(named.any(axis=1))
            before = np.concatenate([[0], running])[starts]
            # In the order of `sign_names`; the sign in the middle is there for several subjects only.
            signs[:, -3] = nowhere.all(axis=1)
            signs[:, -2] = running == before[article]
        signs[:, -1] = place == 0
        return cls(others, opening, signs, (lengths == 1)[article], int((lengths > 1).sum()))


def _mean_of_others(
    values: Floats, chosen: Bools, starts: npt.NDArray[np.intp], article: npt.NDArray[np.intp]
) -> Floats:
    """Return for each sentence the mean of those of its article that are chosen, itself left out; zeros for none."""
    if not len(starts):
        return values
    values = values * chosen[:, None]
    sums, sizes = np.add.reduceat(values, starts), np.add.reduceat(chosen.astype(np.intp), starts)
    means: Floats = (sums[article] - values) / np.maximum(1, sizes[article] - chosen)[:, None]
    return means


@dataclass(frozen=True, slots=True)
class Context:
    """How much an article's other sentences and its subjects weigh.

    Parameters
    ----------
    own : ndarray of shape (n_frames,)
        What the logit of a sentence's own words is multiplied by.
    others : ndarray of shape (n_frames,)
        What the frame's mean logit in the other sentences is multiplied by.
    opening : ndarray of shape (n_frames,)
        What that in the sentences which open the article is multiplied by.
    signs : ndarray of shape (n_signs, n_frames)
        What each sign adds; see `Surroundings`.
    slopes : ndarray of shape (n_signs, n_frames)
        What each sign adds to `own`.
    intercepts : ndarray of shape (n_frames,)
    """

    own: Floats
    others: Floats
    opening: Floats
    signs: Floats
    slopes: Floats
    intercepts: Floats

    def weights(self, around: Surroundings) -> Floats:
        """Return what the logits of each sentence's own words are multiplied by.

        Parameters
        ----------
        around : Surroundings

        Returns
        -------
        ndarray of shape (n_sentences, n_frames)
        """
        return self.own + _sums(around.signs, self.slopes)

    def logits(self, logits: Floats, around: Surroundings) -> Floats:
        """Return the logits of sentences in their articles.

        Parameters
        ----------
        logits : ndarray of shape (n_sentences, n_frames)
            Of each sentence by its own words.
        around : Surroundings

        Returns
        -------
        ndarray of shape (n_sentences, n_frames)
        """
        result = logits * self.weights(around) + around.others * self.others + around.opening * self.opening
        result += self.intercepts
        return np.where(around.alone[:, None], logits, result + _sums(around.signs, self.signs))

    def terms(self, around: Surroundings, row: int, frame: int, subjects: Sequence[str]) -> list[tuple[str, float]]:
        """Return what the article adds to the logit of one frame of one sentence.

        Parameters
        ----------
        around : Surroundings
        row, frame : int
        subjects : sequence of str
            Names of the codebook's subjects.

        Returns
        -------
        list of (str, float)
            With the terms of the sentence, each times its frame's `weights`, and the intercepts they sum to the logit.
        """
        names = sign_names(subjects)
        parts = [
            (OTHERS, float(around.others[row, frame] * self.others[frame])),
            (OPENED, float(around.opening[row, frame] * self.opening[frame])),
        ]
        parts += [(names[sign], float(self.signs[sign, frame])) for sign in np.flatnonzero(around.signs[row]).tolist()]
        return parts

    def of_frames(self, places: Sequence[int]) -> Context:
        """Return the context of other frames.

        Parameters
        ----------
        places : sequence of int
            Which of the frames each of them is; -1 for one that this context says nothing of.

        Returns
        -------
        Context
        """
        kept = np.array(places)
        known = kept >= 0
        parts = {
            name: np.where(known, getattr(self, name)[..., kept], 1.0 if name == "own" else 0.0)
            for name in ("own", "others", "opening", "signs", "slopes", "intercepts")
        }
        return Context(**parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the coefficients as plain data."""
        return {
            "own": self.own.tolist(),
            "others": self.others.tolist(),
            "opening": self.opening.tolist(),
            "signs": self.signs.tolist(),
            "slopes": self.slopes.tolist(),
            "intercepts": self.intercepts.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], n_frames: int, n_subjects: int) -> Context:
        """Return the context that `to_dict` gave as plain data.

        Raises
        ------
        ValueError
            If the shapes do not fit a model of so many frames and subjects.
        """
        n_signs = len(sign_names([""] * n_subjects))
        shapes: dict[str, tuple[int, ...]] = {
            "own": (n_frames,),
            "others": (n_frames,),
            "opening": (n_frames,),
            "signs": (n_signs, n_frames),
            "slopes": (n_signs, n_frames),
            "intercepts": (n_frames,),
        }
        arrays = {}
        for name, shape in shapes.items():
            array = np.array(data[name], dtype=np.float64)
            if not array.size and 0 in shape:
                array = array.reshape(shape)
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"{name} of the context must be {shape} finite numbers")
            arrays[name] = array
        return cls(**arrays)


def _sums(signs: Bools, weights: Floats) -> Floats:
    """Add up the weights of each row's signs, one by one: a product of matrices may round a row by its neighbours."""
    result = np.zeros((len(signs), weights.shape[1]))
    for column, row in enumerate(weights):
        result += signs[:, column, None] * row
    return result


def learn_context(logits: Floats, around: Surroundings, truth: Bools) -> Context | None:
    """Learn how much an article tells about its sentences.

    Parameters
    ----------
    logits : ndarray of shape (n_sentences, n_frames)
        Calibrated, by models that saw nothing of the article.
    around : Surroundings
    truth : ndarray of bool of shape (n_sentences, n_frames)

    Returns
    -------
    Context or None
        A logistic regression a frame, ``sklearn.linear_model.LogisticRegression``; a frame with fewer than
        `MIN_EXAMPLES` keeps its logits. None where fewer than `MIN_ARTICLES` articles have several sentences.
    """
    from sklearn.linear_model import LogisticRegression

    rows = ~around.alone
    if around.n_articles < MIN_ARTICLES:
        return None
    n_frames, n_signs = truth.shape[1], around.signs.shape[1]
    nothing = np.zeros((n_signs, n_frames))
    zeros = np.zeros(n_frames)
    context = Context(np.ones(n_frames), zeros, zeros.copy(), nothing, nothing.copy(), zeros.copy())
    signs = around.signs[rows]
    for frame in range(n_frames):
        positive = truth[rows, frame].sum()
        if min(positive, rows.sum() - positive) < MIN_EXAMPLES:
            continue
        own, others, opening = (part[rows, frame, None] for part in (logits, around.others, around.opening))
        inputs = np.hstack([own, others, opening, signs, own * signs])
        fitted = LogisticRegression(C=STRENGTH, max_iter=1000).fit(inputs, truth[rows, frame])
        context.own[frame], context.others[frame], context.opening[frame], *weights = fitted.coef_[0]
        context.signs[:, frame], context.slopes[:, frame] = weights[:n_signs], weights[n_signs:]
        context.intercepts[frame] = fitted.intercept_[0]
    return context
