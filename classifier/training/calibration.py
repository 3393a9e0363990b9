"""Calibrated probabilities, thresholds and the decisions they make."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from classifier.codebook import Task
from classifier.system.arrays import Bools, Floats

#: F1 that a threshold may lose to be higher: less than chance gives and takes. What is labeled is surer for it, and
#: news of other things is labeled less often (in the spirit of the one-standard-error rule of Breiman et al. 1984).
TOLERANCE = 0.005

#: The same for sentences read alone. Without its article a sentence should be surer: what it says may be said of
#: others, and its words may be quoted, denied or another country's.
TOLERANCE_ALONE = 0.02


def calibrate(logits: Floats, truth: Bools, task: Task) -> tuple[Floats, Floats]:
    """Learn the slope and the shift that turn out-of-fold logits into calibrated ones.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    slopes, shifts : ndarray of shape (n_frames,)
        Calibrated logits are ``slopes * logits + shifts``.

    Notes
    -----
    Multilabel: Platt (1999), a logistic regression on the logit of each frame. Multiclass: one temperature for
    all classes (Guo et al. 2017). A slope is never negative: where the logits carry no signal it is zero and the
    probability is the frame's share.
    """
    n_frames = logits.shape[1]
    slopes, shifts = np.ones(n_frames), np.zeros(n_frames)
    if task == "multiclass":
        labels = truth.argmax(axis=1)
        # One more example for each class, spread over all sentences: without it logits that separate the classes would
        # make every probability zero or one, as Platt's targets prevent for a single frame.
        doubt = n_frames / (len(truth) + n_frames)

        def loss(log_slope: float) -> float:
            scaled = logits * np.exp(log_slope)
            told = (1 - doubt) * scaled[np.arange(len(labels)), labels] + doubt * scaled.mean(axis=1)
            return float(np.mean(logsumexp(scaled, axis=1) - told))

        best = minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded")
        return slopes * np.exp(best.x), shifts
    for frame in range(n_frames):
        if not 0 < truth[:, frame].sum() < len(truth):
            continue
        slopes[frame], shifts[frame] = _platt(logits[:, frame], truth[:, frame])
        if slopes[frame] <= 0:
            share = truth[:, frame].mean()
            slopes[frame], shifts[frame] = 0.0, np.log(share / (1 - share))
    return slopes, shifts


def _platt(logits: Floats, truth: Bools) -> tuple[float, float]:
    """Return the slope and the shift of Platt scaling, by Newton's method (Lin, Lin and Weng 2007)."""
    # Platt's targets, a little off one and zero: without them logits that separate the frame would make every
    # probability zero or one.
    positive = truth.sum()
    targets = np.where(truth, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    design = np.column_stack([logits, np.ones(len(logits))])
    # Next to nothing, for logits that are all the same.
    ridge = np.array([1e-6, 0.0])

    def loss(values: Floats) -> float:
        scaled = design @ values
        return float((np.logaddexp(0.0, scaled) - targets * scaled).sum() + (ridge * values**2).sum() / 2)

    values = np.array([0.0, np.log(targets.mean() / (1 - targets.mean()))])
    for _ in range(100):
        likely = 1.0 / (1.0 + np.exp(-(design @ values)))
        gradient = design.T @ (likely - targets) + ridge * values
        hessian = design.T @ (design * (likely * (1 - likely))[:, None]) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        before = loss(values)
        while np.abs(step).max() > 1e-9 and loss(values - step) > before:
            step /= 2
        values = values - step
        if np.abs(step).max() < 1e-9:
            break
    return float(values[0]), float(values[1])


def choose_thresholds(probabilities: Floats, truth: Bools, task: Task, tolerance: float = TOLERANCE) -> Floats:
    """Choose for each frame the highest threshold whose F1 is as good as the best.

    Parameters
    ----------
    probabilities : ndarray of shape (n_texts, n_frames)
        Calibrated, out of fold.
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}
    tolerance : float
        How much less than the best F1 is as good.

    Returns
    -------
    ndarray of shape (n_frames,)
        Half-way between the neighbouring probabilities. Multiclass: zeros, the likeliest class is taken.
    """
    thresholds = np.zeros(truth.shape[1]) if task == "multiclass" else np.full(truth.shape[1], 0.5)
    for frame in range(truth.shape[1]) if task == "multilabel" else ():
        order = np.argsort(-probabilities[:, frame], kind="stable")
        ranked, hits = probabilities[order, frame], truth[order, frame]
        if not hits.any():
            continue
        last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        f1 = 2 * np.cumsum(hits)[last] / (last + 1 + hits.sum())
        # Never less than half of the best: where no threshold is any good, a tolerance would take the highest of all.
        best = int(np.flatnonzero(f1 >= max(f1.max() - tolerance, f1.max() / 2))[0])
        below = ranked[last[best] + 1] if last[best] + 1 < len(ranked) else 0.0
        thresholds[frame] = (ranked[last[best]] + below) / 2
    return thresholds


def decide(probabilities: Floats, thresholds: Floats, task: Task) -> Bools:
    """Turn probabilities into decisions: thresholds (multilabel) or the likeliest frame (multiclass).

    Parameters
    ----------
    probabilities : ndarray of shape (n_texts, n_frames)
    thresholds : ndarray of shape (n_frames,)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    ndarray of bool of shape (n_texts, n_frames)
    """
    reached: Bools = probabilities >= thresholds
    if task == "multiclass":
        reached &= np.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, None]
    return reached


def likelihood(logits: Floats, truth: Bools, task: Task) -> float:
    """Return the mean log-likelihood of the labels once the logits are calibrated.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    float
        Per decision. With few examples it tells settings apart where macro F1, a step for every sentence, counts noise.
    """
    slopes, shifts = calibrate(logits, truth, task)
    scaled = logits * slopes + shifts
    if task == "multiclass":
        return float(np.mean(scaled[truth] - logsumexp(scaled, axis=1)))
    return float(np.mean(truth * scaled - np.logaddexp(0.0, scaled)))


def quality(logits: Floats, truth: Bools, task: Task) -> float:
    """Return the macro F1 of decisions at the best thresholds.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    truth : ndarray of bool of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    float
    """
    thresholds = (
        choose_thresholds(logits, truth, task, tolerance=0)
        if task == "multilabel"
        else np.full(truth.shape[1], -np.inf)
    )
    predicted = decide(logits, thresholds, task)
    hits = (predicted & truth).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(1, predicted.sum(axis=0) + truth.sum(axis=0))))
