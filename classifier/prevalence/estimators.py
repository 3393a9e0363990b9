r"""Estimators of a share from labels of a probability sample and a model's scores of everybody.

A unit is a sentence, or an article; :math:`y_i` is 1 where a person found the frame in it and 0 where not, :math:`f_i`
is the model's score of it, :math:`\pi_i` the probability with which it came into the sample :math:`s`, and
:math:`w_i = 1 / \pi_i`. :math:`\bar F` is the mean of :math:`f` over all :math:`N` units of the population, which is
known, for the model has scored them all. A group of units (an outlet, a month) is a population of its own; units of
the sample outside it count as zeros, so that what is random about its size in the sample counts, too.

Sources: Horvitz and Thompson (1952); Hájek (1971); Särndal, Swensson and Wretman (1992), *Model Assisted Survey
Sampling*, chapters 5 and 6; Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), *Prediction-powered inference*,
Science 382; Angelopoulos, Duchi and Zrnic (2023), *PPI++*, arXiv:2311.01453; Egami, Hinck, Stewart and Wei (2023),
*Using imperfect surrogates for downstream inference*, NeurIPS; Wilson (1927); Zou and Donner (2008).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from classifier.system.arrays import Bools, Floats

#: Share of intervals that shall hold the truth.
CONFIDENCE = 0.95

#: With fewer labels in a group the power of its scores is taken from the whole sample.
MIN_TUNED = 30

#: What a label never seen in error might still hide, in squared labels: added to the sum of squared residuals, it keeps
#: a few labels without an error from looking like certainty. Chosen by simulation; see docs/shares.md.
UNSEEN = 0.25

#: Degrees of freedom of a variance for each cluster it hangs on, chosen by simulation, too.
TELLING = 2

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """How a sample was drawn.

    Parameters
    ----------
    inclusion : ndarray of shape (n,)
        The probability with which each unit came into the sample, in (0, 1].
    strata : ndarray of int of shape (n,)
        The stratum each unit was drawn from, from 0; one for all where the sample is not stratified.
    clusters : ndarray of int of shape (n,)
        What was drawn as one, from 0: an article whose sentences are all labeled, or the unit itself.
    """

    inclusion: Floats
    strata: Ints
    clusters: Ints

    @classmethod
    def simple(cls, n: int, population: int) -> Design:
        """Return the design of a simple random sample of `n` from a population without replacement."""
        return cls(np.full(n, n / population), np.zeros(n, dtype=np.int64), np.arange(n))

    def __post_init__(self) -> None:
        if not ((self.inclusion > 0) & (self.inclusion <= 1)).all():
            raise ValueError("inclusion probabilities lie in (0, 1].")

    @property
    def weights(self) -> Floats:
        """How many units of the population each unit of the sample stands for."""
        weights: Floats = 1 / self.inclusion
        return weights


@dataclass(frozen=True)
class Estimate:
    r"""A share with its interval.

    Parameters
    ----------
    value : float
        Within [0, 1].
    low, high : float
        The 95 % interval, within [0, 1].
    variance : float
        Of the estimate, over samples drawn in the same way.
    power : float
        How much the model's scores count, PPI++'s :math:`\lambda`; 0 for the sample alone.
    df : int
        Degrees of freedom of the variance.
    support : float
        Clusters that the variance hangs on: the number of equal deviations that would vary as much.
    deviations : ndarray of shape (n_clusters,)
        How far the estimate moves without each cluster, scaled so that their squares sum to the variance.
    """

    value: float
    low: float
    high: float
    variance: float
    power: float
    df: float
    support: float
    deviations: Floats = field(repr=False, compare=False)

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low


def horvitz_thompson(values: Floats, inclusion: Floats) -> float:
    r"""Estimate a total of the population: :math:`\sum_s y_i / \pi_i`.

    Parameters
    ----------
    values : ndarray of shape (n,)
    inclusion : ndarray of shape (n,)

    Returns
    -------
    float
        Unbiased whatever the design, so long as every unit could have been drawn (Horvitz and Thompson 1952).

    Examples
    --------
    >>> horvitz_thompson(np.ones(3), np.array([0.5, 0.25, 0.25]))
    10.0
    """
    return float((values / inclusion).sum())


def ppi_mean(
    labels: Floats, scores: Floats, unlabeled: Floats, power: float | None = None, confidence: float = CONFIDENCE
) -> tuple[float, float, float, float]:
    r"""Estimate a mean by PPI++ from a simple random sample and a second one that has scores alone, both from infinity.

    :math:`\hat\theta = \bar y + \lambda (\bar f_{unlabeled} - \bar f)`, with the variance
    :math:`Var(y - \lambda f) / n + \lambda^2 Var(f_{unlabeled}) / N` and
    :math:`\lambda = Cov(y, f) / ((1 + n / N) Var(f))`, kept within [0, 1].

    Parameters
    ----------
    labels, scores : ndarray of shape (n,)
    unlabeled : ndarray of shape (N,)
        Scores of units without labels.
    power : float, optional
        :math:`\lambda`; tuned by default.
    confidence : float

    Returns
    -------
    value, low, high, power : float
        By the normal approximation, as Angelopoulos, Duchi and Zrnic (2023) give it.

    Notes
    -----
    `difference` estimates the same from the same: a population of finite size that holds the sample, with
    :math:`\lambda (1 + n / N)` for its power, gives this value. What differs is the population that the interval speaks
    of: this one's is infinite, and a count of sentences that exist is not.
    """
    n, rest = len(labels), len(unlabeled)
    if power is None:
        covariance = np.mean((labels - labels.mean()) * (scores - scores.mean()))
        spread = np.var(np.concatenate([scores, unlabeled]), ddof=1)
        power = float(np.clip(covariance / ((1 + n / rest) * spread), 0, 1)) if spread > 0 else 0.0
    value = float(labels.mean() + power * (unlabeled.mean() - scores.mean()))
    variance = np.var(labels - power * scores) / n + power**2 * np.var(unlabeled) / rest
    half = _normal(confidence) * float(np.sqrt(variance))
    return value, value - half, value + half, power


def _normal(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def sample_alone(design: Design, labels: Floats, inside: Bools | None = None) -> Estimate:
    r"""Estimate a share from the labels alone: :math:`\hat p = \sum_s w_i y_i / \sum_s w_i` (Hájek 1971).

    Parameters
    ----------
    design : Design
    labels : ndarray of shape (n,)
        1 or 0.
    inside : ndarray of bool of shape (n,), optional
        The units of the group; all by default.

    Returns
    -------
    Estimate
        For a simple random sample its interval is Wilson's (1927) with t for z, and corrected for a finite population.
    """
    return difference(design, labels, np.zeros(len(labels)), 0.0, inside, power=0.0)


def difference(
    design: Design,
    labels: Floats,
    scores: Floats,
    mean: float,
    inside: Bools | None = None,
    power: float | None = None,
) -> Estimate:
    r"""Estimate a share from labels and scores: what the scores say, and what the labels say against it.

    :math:`\hat\theta = \lambda \bar F + \sum_s w_i (y_i - \lambda f_i) / \sum_s w_i`, where :math:`\lambda`
    minimises the estimated variance under the design (power tuning, PPI++), and is 0 where even so the scores do
    not make the variance smaller: never worse than the sample alone. No assumption on the model is made: were its
    scores dice, the estimate would be that of the sample.

    Parameters
    ----------
    design : Design
    labels, scores : ndarray of shape (n,)
        Of the sample; where the model learned from these labels, scores of models that had not (cross-fitting).
    mean : float
        Mean of the scores over the population, or the group.
    inside : ndarray of bool of shape (n,), optional
        The units of the group; all by default.
    power : float, optional
        :math:`\lambda`; tuned by default.

    Returns
    -------
    Estimate

    Notes
    -----
    The variance is the stratified jackknife over clusters, with the finite population correction, in which
    :math:`\lambda` is tuned anew without each cluster: so it counts what tuning costs, and what single units of
    great leverage do. It takes clusters as drawn with probabilities that are equal within a stratum; where they are
    not, it is that of a draw with replacement, corrected by each :math:`1 - \pi`.

    The interval holds the values :math:`x` with :math:`(x - \hat\theta)^2 \le t^2 V(x)`,
    :math:`V(x) = \hat V + \kappa (x - \hat\theta)(1 - x - \hat\theta)`: Wilson's score interval, whose variance
    changes with the share as that of counts does, and which therefore stays within [0, 1] and is longer on the side
    away from the nearer end. For the sample alone :math:`\kappa = \hat V / (\hat p (1 - \hat p))`, so that the
    effective number of labels is the same everywhere; with scores :math:`\kappa` is at least one over the number of
    labels, because a share that differs from the estimate differs by labels that the scores have not foreseen.
    """
    moments = _Moments(design, labels, scores, np.ones(len(labels), dtype=bool) if inside is None else inside)
    chosen = moments.tuned() if power is None else power
    value, deviations = moments.estimate(mean, chosen, tuned=power is None)
    variance = float(np.square(deviations).sum())
    if power is None and chosen > 0:
        plain, plain_deviations = moments.estimate(mean, 0.0, tuned=False)
        plain_variance = float(np.square(plain_deviations).sum())
        if plain_variance <= variance:
            chosen, value, deviations, variance = 0.0, plain, plain_deviations, plain_variance
    df: float = max(1, moments.df - (chosen > 0 and power is None))
    support = _support(deviations)
    if chosen > 0 or not moments.is_simple:
        df = min(df, TELLING * support)
    low, high = _score_interval(value, variance, moments, df, chosen)
    value = min(max(value, 0.0), 1.0)
    return Estimate(value, min(low, value), max(high, value), variance, chosen, df, support, deviations)


def contrast(one: Estimate, other: Estimate) -> tuple[float, float, float, float]:
    r"""Compare two shares of one sample.

    Parameters
    ----------
    one, other : Estimate
        Of the same design, so that clusters in both are accounted for.

    Returns
    -------
    difference, low, high, p_value : float
        `one` less `other`; its interval combines those of the two shares, which keeps it within [-1, 1] (MOVER, Zou and
        Donner 2008); two-sided t test that there is none.
    """
    value = one.value - other.value
    variance = float(np.square(one.deviations - other.deviations).sum())
    product = one.variance * other.variance
    rho = float(one.deviations @ other.deviations) / np.sqrt(product) if product > 0 else 0.0
    rho = min(1.0, max(-1.0, rho))

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(max(0.0, a * a + b * b - 2 * rho * a * b)))

    low = value - reach(one.value - one.low, other.high - other.value)
    high = value + reach(one.high - one.value, other.value - other.low)
    if variance <= 0:
        return value, low, high, 1.0 if low <= 0 <= high else 0.0
    p_value = 2 * float(stdtr(min(one.df, other.df), -abs(value) / np.sqrt(variance)))
    return value, low, high, p_value


def holm(p_values: Floats) -> Floats:
    """Return p values adjusted for their number (Holm 1979).

    Parameters
    ----------
    p_values : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    result = np.empty(len(p_values))
    result[order] = np.minimum(adjusted, 1.0)
    return result


class _Moments:
    """Sums of a sample by stratum, from which every estimate without one cluster follows at once."""

    def __init__(self, design: Design, labels: Floats, scores: Floats, inside: Bools) -> None:
        _, first, cluster = np.unique(design.clusters, return_index=True, return_inverse=True)
        weights = design.weights * inside
        n = len(first)
        self.labels, self.scores, self.sizes = (
            np.bincount(cluster, weights * values, n) for values in (labels, scores, np.ones(len(labels)))
        )
        strata, self.stratum = np.unique(design.strata[first], return_inverse=True)
        self.n_strata = len(strata)
        self.n = self._sums(np.ones(n, dtype=np.float64))
        self.missing = 1 - design.inclusion[first]
        self.spread = self._sums(self.missing) / np.maximum(self.n - 1, 1)
        self.A, self.B, self.C = self._sums(self.labels), self._sums(self.scores), self._sums(self.sizes)
        self.products = {
            "AB": self.labels * self.scores,
            "AC": self.labels * self.sizes,
            "BB": self.scores**2,
            "BC": self.scores * self.sizes,
            "CC": self.sizes**2,
        }
        self.squares = {name: self._sums(values) for name, values in self.products.items()}
        within = weights[weights > 0]
        #: Labels of equal weight that would tell as much, were units independent (Kish 1965).
        self.kish = float(within.sum() ** 2 / np.square(within).sum()) if len(within) else 0.0
        self.unlabeled = 1 - len(within) / float(within.sum()) if len(within) else 1.0
        held = self.sizes > 0
        self.is_simple = self.n_strata == 1 and n == len(labels) and np.ptp(design.inclusion) == 0
        self.held = int(held.sum())
        self.df = int(held.sum() - len(np.unique(self.stratum[held])))

    def _sums(self, values: npt.NDArray[Any]) -> Floats:
        sums: Floats = np.bincount(self.stratum, values, self.n_strata).astype(np.float64)
        return sums

    def tuned(self) -> float:
        """Return the power that makes the variance least; never negative, for then the scores mislead."""
        y, f = self.A.sum() / self.C.sum(), self.B.sum() / self.C.sum()
        cross, square = self._quadratic(self.spread, self.n, self.A, self.B, self.C, self.squares, y, f)
        return _ratio(float(cross.sum()), float(square.sum()))

    @staticmethod
    def _quadratic(
        spread: Floats,
        n: Floats,
        A: Floats,
        B: Floats,
        C: Floats,
        squares: dict[str, Floats],
        y: float | Floats,
        f: float | Floats,
    ) -> tuple[Floats, Floats]:
        """Return what each stratum adds to the covariance of labels and scores, and to the variance of scores."""
        s = squares
        cross = s["AB"] - f * s["AC"] - y * s["BC"] + y * f * s["CC"] - (A - y * C) * (B - f * C) / n
        square = s["BB"] - 2 * f * s["BC"] + f * f * s["CC"] - (B - f * C) ** 2 / n
        return spread * cross, spread * square

    def estimate(self, mean: float, power: float, tuned: bool) -> tuple[float, Floats]:
        """Return the estimate, and how far it moves without each cluster."""
        h, n = self.stratum, self.n[self.stratum]
        y, f = self.A.sum() / self.C.sum(), self.B.sum() / self.C.sum()
        value = y + power * (mean - f)
        grown = n / np.maximum(n - 1, 1)
        A, B, C = (
            total[h] - own for total, own in ((self.A, self.labels), (self.B, self.scores), (self.C, self.sizes))
        )
        A, B, C = A * grown, B * grown, C * grown
        size = self.C.sum() - self.C[h] + C
        left = size > 1e-9 * self.C.sum()
        size = np.where(left, size, 1.0)
        ys = np.where(left, (self.A.sum() - self.A[h] + A) / size, y)
        fs = np.where(left, (self.B.sum() - self.B[h] + B) / size, f)
        powers = self._powers(n, grown, A, B, C, ys, fs) if tuned and power > 0 else power
        moved = ys + powers * (mean - fs) - value
        alone = n < 2  # a stratum of one cluster says nothing of its variance
        return float(value), np.where(alone, 0.0, moved) * np.sqrt(self.missing * np.maximum(n - 1, 0) / n)

    def _powers(self, n: Floats, grown: Floats, A: Floats, B: Floats, C: Floats, ys: Floats, fs: Floats) -> Floats:
        """Return the power tuned without each cluster."""
        k = self.spread

        def total(name: str) -> float:
            return float((k * self.squares[name]).sum())

        def outer(one: Floats, other: Floats) -> float:
            return float((k * one * other / self.n).sum())

        cross = total("AB") - fs * total("AC") - ys * total("BC") + ys * fs * total("CC")
        cross -= outer(self.A, self.B) - fs * outer(self.A, self.C) - ys * outer(self.B, self.C)
        cross -= ys * fs * outer(self.C, self.C)
        square = total("BB") - 2 * fs * total("BC") + fs**2 * total("CC")
        square -= outer(self.B, self.B) - 2 * fs * outer(self.B, self.C) + fs**2 * outer(self.C, self.C)
        h = self.stratum
        whole = {name: values[h] for name, values in self.squares.items()}
        old = self._quadratic(k[h], n, self.A[h], self.B[h], self.C[h], whole, ys, fs)
        less = {name: (whole[name] - own) * grown**2 for name, own in self.products.items()}
        new = self._quadratic(k[h], np.maximum(n - 1, 1), A, B, C, less, ys, fs)
        enough = n > 2
        cross += np.where(enough, new[0] - old[0], 0.0)
        square += np.where(enough, new[1] - old[1], 0.0)
        usable = square > 1e-15
        return np.where(usable, np.maximum(0.0, cross / np.where(usable, square, 1.0)), 0.0)


def _ratio(cross: float, square: float) -> float:
    return max(0.0, cross / square) if square > 1e-15 else 0.0


def _support(deviations: Floats) -> float:
    """Return how many equal deviations would vary as much: few, where the variance hangs on few clusters."""
    fourth = float(np.power(deviations, 4).sum())
    return float(np.square(deviations).sum()) ** 2 / fourth if fourth > 0 else float(len(deviations))


def _score_interval(value: float, variance: float, moments: _Moments, df: float, power: float) -> tuple[float, float]:
    """Return Wilson's interval around an estimate of this variance; see `difference`."""
    t = float(stdtrit(df, (1 + CONFIDENCE) / 2))
    centre = min(max(value, 0.0), 1.0)
    # Where all labels are alike nothing is known of how alike the units of a cluster are: each counts as one label.
    n = max(1.0, moments.kish if variance > 0 else min(moments.kish, moments.held))
    unlabeled = max(moments.unlabeled, 0.0)
    one = unlabeled / n
    spread = centre * (1 - centre)
    steepness = variance / spread if spread > 0 else one
    if power > 0:
        variance += UNSEEN * one / n
        steepness = max(one, variance / spread if spread > 0 else one)
    elif variance <= 0:
        steepness = one
    # (x - v)^2 = t^2 (V + k (x - v)(1 - x - v)), with d = x - v
    k = t * t * steepness
    middle = k * (1 - 2 * centre)
    root = float(np.sqrt(middle * middle + 4 * (1 + k) * t * t * variance))
    low, high = (middle - root) / (2 * (1 + k)), (middle + root) / (2 * (1 + k))
    return max(0.0, centre + low), min(1.0, centre + high)
