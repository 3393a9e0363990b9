"""How often 95 % intervals of shares hold the truth: simulated samples of populations whose shares are known.

``python -m benchmarks.coverage`` prints the table of docs/shares.md; ``--runs`` sets the samples per scenario.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from classifier.prevalence.estimators import Design, Estimate, contrast, difference, sample_alone
from classifier.prevalence.rules import doubt
from classifier.prevalence.strata import STEPS, allocate, cut, step, uncertainty

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Units of a simulated population.
POPULATION = 20_000


@dataclass(frozen=True)
class Population:
    """A population that knows its labels."""

    labels: Floats
    scores: Floats
    groups: Ints
    articles: Ints

    @property
    def share(self) -> float:
        """The share to be estimated."""
        return float(self.labels.mean())

    @property
    def naive(self) -> float:
        """The share that the model labels."""
        return float((self.scores >= 0.5).mean())


@dataclass
class Coverage:
    """What a scenario came to."""

    name: str
    expected: float
    naive: bool
    alone: list[bool] = field(default_factory=list)
    corrected: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    warned: list[bool] = field(default_factory=list)

    def rate(self, which: str) -> float:
        """Return how often intervals held, or warnings came."""
        return float(np.mean(getattr(self, which)))

    @property
    def width(self) -> float:
        """The corrected interval's width over that of the sample alone, in the median."""
        return float(np.median(self.widths))


def population(
    rng: np.random.Generator, share: float, signal: float, shift: float = 0.0, icc: float = 0.0
) -> Population:
    """Make a population of articles of 20 sentences in 4 groups.

    Parameters
    ----------
    rng : Generator
    share : float
        Of sentences with the frame; groups have from half to one and a half of it.
    signal : float
        How far apart the model holds sentences with and without the frame, in standard deviations: 1 is weak (ROC AUC
        0.76), 3 strong (0.98).
    shift : float
        Error of the scores, in logits: 0 for a calibrated model.
    icc : float
        How alike the sentences of an article are, as a correlation of what lies behind labels.
    """
    from scipy.special import expit, logit
    from scipy.stats import norm

    articles = np.repeat(np.arange(POPULATION // 20), 20)
    groups = articles % 4
    shares = share * np.array([0.5, 0.75, 1.25, 1.5])[groups]
    common = rng.normal(size=articles.max() + 1)[articles]
    latent = np.sqrt(icc) * common + np.sqrt(1 - icc) * rng.normal(size=POPULATION)
    labels = (latent < norm.ppf(shares)).astype(float)
    evidence = rng.normal(size=POPULATION) + signal * labels
    scores = expit(logit(share) + signal * evidence - signal**2 / 2 + shift)
    return Population(labels, scores, groups, articles)


Draw = Callable[[np.random.Generator, Population, int], tuple[Ints, Design]]


def simple(rng: np.random.Generator, people: Population, n: int) -> tuple[Ints, Design]:
    """Draw sentences at random."""
    rows = rng.choice(POPULATION, n, replace=False)
    return rows, Design.simple(n, POPULATION)


def by_group(rng: np.random.Generator, people: Population, n: int) -> tuple[Ints, Design]:
    """Draw as many sentences from each group."""
    return _stratified(rng, people.groups, n, np.ones(4))


def by_probability(rng: np.random.Generator, people: Population, n: int) -> tuple[Ints, Design]:
    """Draw more where the model is unsure."""
    unsure = uncertainty(people.scores[:, None])
    bands = cut(np.bincount(step(unsure), minlength=STEPS))[step(unsure)]
    return _stratified(rng, bands, n, np.bincount(bands, unsure).astype(np.float64))


def articles_whole(rng: np.random.Generator, people: Population, n: int) -> tuple[Ints, Design]:
    """Draw articles at random, with all their sentences."""
    chosen = rng.choice(POPULATION // 20, n // 20, replace=False)
    rows = (chosen[:, None] * 20 + np.arange(20)).ravel()
    inclusion = np.full(len(rows), (n // 20) / (POPULATION // 20))
    return rows, Design(inclusion, np.zeros(len(rows), dtype=np.int64), people.articles[rows])


def _stratified(rng: np.random.Generator, strata: Ints, n: int, measures: Floats) -> tuple[Ints, Design]:
    sizes = np.bincount(strata)
    draws = allocate(n, sizes, measures)
    rows = np.concatenate([rng.choice(np.flatnonzero(strata == h), k, replace=False) for h, k in enumerate(draws)])
    return rows, Design(draws[strata[rows]] / sizes[strata[rows]], strata[rows], np.arange(n))


def cover(name: str, people: Population, n: int, draw: Draw, runs: int, rng: np.random.Generator) -> Coverage:
    """Draw many samples and count the intervals that hold the share."""
    truth = people.share
    naive = people.naive
    half = 1.96 * np.sqrt(naive * (1 - naive) / POPULATION)
    result = Coverage(name, n * truth, abs(naive - truth) <= half)
    mean = float(people.scores.mean())
    for _ in range(runs):
        rows, design = draw(rng, people, n)
        labels, scores = people.labels[rows], people.scores[rows]
        if labels.min() == labels.max():
            continue  # refused: one class was never seen
        alone, corrected = sample_alone(design, labels), difference(design, labels, scores, mean)
        _count(result, truth, alone, corrected, doubt(design, labels, scores >= 0.5, corrected.support))
    return result


def cover_contrast(name: str, people: Population, n: int, runs: int, rng: np.random.Generator) -> Coverage:
    """Count intervals of the difference between the first group and the last, from a sample stratified by group."""
    groups = [people.groups == 0, people.groups == 3]
    truth = float(people.labels[groups[0]].mean() - people.labels[groups[1]].mean())
    naive = float((people.scores[groups[0]] >= 0.5).mean() - (people.scores[groups[1]] >= 0.5).mean())
    result = Coverage(name, n / 4 * people.labels[groups[0]].mean(), abs(naive - truth) < 0.01)
    for _ in range(runs):
        rows, design = by_group(rng, people, n)
        labels, scores = people.labels[rows], people.scores[rows]
        inside = [group[rows] for group in groups]
        if any(labels[part].min() == labels[part].max() for part in inside):
            continue
        alone = [sample_alone(design, labels, part) for part in inside]
        found = [
            difference(design, labels, scores, float(people.scores[group].mean()), part)
            for group, part in zip(groups, inside, strict=True)
        ]
        few = any(
            doubt(design, labels, scores >= 0.5, one.support, part) for one, part in zip(found, inside, strict=True)
        )
        _, low, high, _ = contrast(*alone)
        result.alone.append(low <= truth <= high)
        _, low_corrected, high_corrected, _ = contrast(*found)
        result.corrected.append(low_corrected <= truth <= high_corrected)
        result.widths.append((high_corrected - low_corrected) / (high - low))
        result.warned.append(few)
    return result


def cover_trained(name: str, n: int, crossed: bool, runs: int, rng: np.random.Generator) -> Coverage:
    """Count intervals where a model was fitted to the very labels, its scores of them crossed or not."""
    features = np.hstack([np.ones((POPULATION, 1)), rng.normal(size=(POPULATION, 40))])
    slopes = np.concatenate([[-1.0], rng.normal(size=40) / np.sqrt(40) * 1.8])
    labels = (rng.random(POPULATION) < 1 / (1 + np.exp(-features @ slopes))).astype(float)
    truth = float(labels.mean())
    result = Coverage(name, n * truth, False)
    covered = []
    for _ in range(runs):
        rows = rng.choice(POPULATION, n, replace=False)
        y, x = labels[rows], features[rows]
        if crossed:
            folds = rng.permutation(n) % 5
            fits = [_ridge(x[folds != k], y[folds != k]) for k in range(5)]
            scores = np.array([x[i] @ fits[folds[i]] for i in range(n)])
            mean = float(np.mean([features.mean(axis=0) @ fit for fit in fits]))
        else:
            fit = _ridge(x, y)
            scores, mean = x @ fit, float(features.mean(axis=0) @ fit)
            naive = float((features @ fit >= 0.5).mean())
            covered.append(abs(naive - truth) <= 1.96 * np.sqrt(naive * (1 - naive) / POPULATION))
        design = Design.simple(n, POPULATION)
        alone, corrected = sample_alone(design, y), difference(design, y, scores, mean)
        _count(result, truth, alone, corrected, doubt(design, y, scores >= 0.5, corrected.support))
    result.naive = bool(covered) and float(np.mean(covered)) > 0.5
    return result


def _ridge(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.solve(x.T @ x + 2.0 * np.eye(x.shape[1]), x.T @ y), dtype=np.float64)


def _count(result: Coverage, truth: float, alone: Estimate, corrected: Estimate, few: str) -> None:
    result.alone.append(alone.low <= truth <= alone.high)
    result.corrected.append(corrected.low <= truth <= corrected.high)
    result.widths.append(corrected.width / alone.width)
    result.warned.append(bool(few))


def scenarios(runs: int, seed: int = 0) -> Iterator[Coverage]:
    """Run every scenario.

    Parameters
    ----------
    runs : int
        Samples per scenario.
    seed : int

    Yields
    ------
    Coverage
    """
    rng = np.random.default_rng(seed)
    models = {"weak": (1.0, 0.0), "strong": (3.0, 0.0), "strong, shifted": (3.0, -1.5)}
    for share in (0.01, 0.05, 0.2, 0.6):
        for model, (signal, shift) in models.items():
            people = population(rng, share, signal, shift)
            for n in (100, 300, 1000):
                yield cover(f"simple random, {share:.0%}, {model}, n = {n}", people, n, simple, runs, rng)
    for share in (0.05, 0.2, 0.6):
        for model, (signal, shift) in models.items():
            people = population(rng, share, signal, shift, icc=0.3)
            for n in (200, 400, 1000):
                name = f"whole articles, {share:.0%}, {model}, {n // 20} articles"
                yield cover(name, people, n, articles_whole, runs, rng)
    for share in (0.05, 0.2, 0.6):
        for model in ("weak", "strong"):
            people = population(rng, share, *models[model])
            for n in (200, 1000):
                yield cover(f"stratified by group, {share:.0%}, {model}, n = {n}", people, n, by_group, runs, rng)
                yield cover_contrast(f"difference of groups, {share:.0%}, {model}, n = {n}", people, n, runs, rng)
    for share in (0.01, 0.05, 0.2, 0.6):
        for model in ("weak", "strong", "strong, shifted"):
            people = population(rng, share, *models[model])
            for n in (100, 400, 1000):
                name = f"stratified by probability, {share:.0%}, {model}, n = {n}"
                yield cover(name, people, n, by_probability, runs, rng)
    for n in (150, 400, 1000):
        yield cover_trained(f"trained on the same labels, crossed, n = {n}", n, True, runs, rng)
        yield cover_trained(f"trained on the same labels, as if not, n = {n}", n, False, runs, rng)


def table(results: Iterator[Coverage]) -> Iterator[str]:
    """Lay results out as the rows of a Markdown table."""
    yield "| scenario | naive share | sample alone | corrected | width | warned |"
    yield "| :-- | :-- | --: | --: | --: | --: |"
    for one in results:
        naive = "holds" if one.naive else "misses"
        alone, corrected, warned = (f"{one.rate(name):.1%}" for name in ("alone", "corrected", "warned"))
        yield f"| {one.name} | {naive} | {alone} | {corrected} | {one.width:.2f} | {warned} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    for line in table(scenarios(parser.parse_args().runs)):
        print(line, flush=True)
