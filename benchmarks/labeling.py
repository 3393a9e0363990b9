"""``python -m benchmarks.labeling``: how many labels a selection needs, beside random draws and plain uncertainty.

A coder who knows every label answers. A third of the articles is never shown and measures every model. The pool and
what measures are the same for all selections of a seed; after some labels the model is fitted again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from classifier.codebook import read_codebook
from classifier.corpus import Columns, LabeledCorpus, read_corpus
from classifier.labeling.learner import Learner
from classifier.labeling.selection import RANDOM_SHARE, START, Pool, Turns, choose, is_random

#: Labels at which the models are measured.
POINTS = (25, 50, 75, 100, 150, 200, 300, 400, 600, 800)

SELECTIONS = ("selection", "random", "uncertainty")

#: A frame of at most this share of the sentences is rare.
RARE = 0.06


@dataclass(frozen=True)
class Setting:
    """A corpus ready to be labeled again."""

    name: str
    corpus: LabeledCorpus
    learner: Learner
    hits: npt.NDArray[np.float64]


def setting(name: str, path: Path, size: int, codebook: Path | None, columns: Columns) -> Setting:
    """Read a corpus, at most `size` of its sentences in whole articles."""
    corpus = read_corpus(path, columns, read_codebook(codebook) if codebook else None)
    order = np.random.default_rng(0).permutation(corpus.group_ids.max() + 1)
    rows = np.flatnonzero(np.isin(corpus.group_ids, order[: np.searchsorted(np.cumsum(_sizes(corpus)[order]), size)]))
    rows = rows if len(rows) else np.arange(len(corpus))
    part = LabeledCorpus(
        tuple(corpus.texts[row] for row in rows),
        tuple(corpus.labels[row] for row in rows),
        corpus.codebook,
        corpus.task,
        None if corpus.groups is None else tuple(corpus.groups[row] for row in rows),
    )
    learner = Learner(part.texts)
    return Setting(name, part, learner, learner.hits([frame.keywords for frame in part.codebook.frames]))


def _sizes(corpus: LabeledCorpus) -> npt.NDArray[np.int64]:
    return np.bincount(corpus.group_ids)


def run(one: Setting, how: str, seed: int, points: Sequence[int]) -> npt.NDArray[np.float64]:
    """Label by one selection; return the F1 of each frame at each point, shape (n_points, n_frames)."""
    rng = np.random.default_rng(seed)
    corpus, learner = one.corpus, one.learner
    truth, groups = corpus.targets, corpus.group_ids
    held = np.isin(groups, rng.permutation(groups.max() + 1)[: (groups.max() + 1) // 3])
    shuffled = rng.permutation(np.flatnonzero(~held))
    free = ~held
    keys = list(range(truth.shape[1]))
    margins = np.full(truth.shape, np.nan)
    pool = Pool(learner.clusters, learner.closeness, one.hits, margins)
    turns = Turns()
    labeled: list[int] = []
    drawn: list[bool] = []
    fitted = 0
    figures = np.zeros((len(points), len(keys)))
    for n in range(min(max(points), len(shuffled))):
        if len(labeled) - fitted >= max(5, 0.05 * len(labeled)) and how != "random":
            pool.margins = margins = fit(one, labeled, drawn)
            fitted = len(labeled)
        row = -1
        if how == "selection" and not is_random(n, RANDOM_SHARE):
            row, _ = choose(pool, free, keys, truth[labeled].sum(axis=0).tolist(), turns, n)
        elif how == "uncertainty" and n >= START and not np.isnan(margins).all():
            doubt = np.nanmin(np.abs(margins[:, ~np.isnan(margins).all(axis=0)]), axis=1)
            row = int(np.argmin(np.where(free, doubt, np.inf)))
        drawn.append(row < 0)
        if row < 0:
            row = int(next(number for number in shuffled if free[number]))
        free[row] = False
        labeled.append(row)
        if len(labeled) in points:
            found = fit(one, labeled, drawn)[held] > 0
            wanted = truth[held]
            figures[points.index(len(labeled))] = (
                2 * (found & wanted).sum(axis=0) / np.maximum(found.sum(axis=0) + wanted.sum(axis=0), 1)
            )
    return figures


def fit(one: Setting, labeled: Sequence[int], drawn: Sequence[bool]) -> npt.NDArray[np.float64]:
    """Return the margins of all sentences by a model of these labels."""
    rows = np.array(labeled)
    keys = list(range(one.corpus.targets.shape[1]))
    return one.learner.fit(rows, one.corpus.targets[rows], one.corpus.group_ids[rows], np.array(drawn), keys).margins


def needed(curve: npt.NDArray[np.float64], points: Sequence[int], goal: float) -> float:
    """Return how many labels a curve needs to reach a figure, between points on a straight line; infinite if never."""
    above = np.flatnonzero(curve >= goal)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(points[0])
    part = (goal - curve[i - 1]) / (curve[i] - curve[i - 1])
    return points[i - 1] + part * (points[i] - points[i - 1])


def report(one: Setting, figures: dict[str, npt.NDArray[np.float64]], points: Sequence[int]) -> str:
    """Return the tables of one corpus; `figures` has shape (n_seeds, n_points, n_frames) by selection."""
    share = one.corpus.targets.mean(axis=0)
    rare = np.flatnonzero(share <= RARE)
    n_seeds = len(next(iter(figures.values())))
    lines = [f"## {one.name}", ""]
    lines.append(
        f"{len(one.corpus):,} sentences, {len(share)} frames, {n_seeds} seeds. "
        + ", ".join(f"{name} {part:.1%}" for name, part in zip(one.corpus.frames, share, strict=True))
        + "."
    )
    groups = [("all frames", np.arange(len(share)))]
    if len(rare) and len(rare) < len(share):
        groups.append((f"rare frames (at most {RARE:.0%})", rare))
    for title, columns in groups:
        curves = {how: values[:, :, columns].mean(axis=2) for how, values in figures.items()}
        lines += ["", f"Macro F1, {title}; in brackets the standard deviation over seeds:", ""]
        lines.append("| labels | " + " | ".join(curves) + " |")
        lines.append("|---|" + "---|" * len(curves))
        for i, n in enumerate(points):
            cells = [f"{curve[:, i].mean():.3f} ({curve[:, i].std():.3f})" for curve in curves.values()]
            lines.append(f"| {n} | " + " | ".join(cells) + " |")
        lines += ["", "Labels needed for what random draws reach:", ""]
        lines.append("| F1 | random labels | " + " | ".join(how for how in curves if how != "random") + " |")
        lines.append("|---|---|" + "---|" * (len(curves) - 1))
        means = {how: curve.mean(axis=0) for how, curve in curves.items()}
        for n in (100, 200, 400, 800):
            if n in points:
                goal = float(means["random"][list(points).index(n)])
                cells = []
                for how in curves:
                    if how != "random":
                        labels = needed(means[how], points, goal)
                        cells.append(
                            "not reached" if np.isinf(labels) else f"{labels:.0f} ({n / labels:.2f} times fewer)"
                        )
                lines.append(f"| {goal:.3f} | {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--corpus", "paths", multiple=True, type=click.Path(path_type=Path), help="CSV; repeatable.")
@click.option("--codebook", type=click.Path(path_type=Path), default=Path("datasets/codebook.toml"))
@click.option("--seeds", default=10, show_default=True)
@click.option("--size", default=6_000, show_default=True, help="Sentences of a corpus, at most.")
@click.option("--most", default=800, show_default=True, help="Labels, at most.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the tables there, too.")
def main(paths: tuple[Path, ...], codebook: Path, seeds: int, size: int, most: int, output: Path | None) -> None:
    """Label corpora again, by several selections."""
    parts = ["# How many labels a selection needs", "", f"Made by `python -m benchmarks.labeling --seeds {seeds}`."]
    for path in paths or (Path("datasets/framing.csv"),):
        own = path.read_text(encoding="utf-8").partition("\n")[0]
        columns = Columns(text="Example", label="Category") if own.startswith("Example") else Columns()
        start = time.monotonic()
        one = setting(path.stem, path, size, None if columns.text == "Example" else codebook, columns)
        points = [n for n in POINTS if n <= min(most, int(0.6 * len(one.corpus)))]
        figures = {how: np.array([run(one, how, seed, points) for seed in range(seeds)]) for how in SELECTIONS}
        text = report(one, figures, points)
        print(text, f"({time.monotonic() - start:.0f} s)", sep="\n", flush=True, file=sys.stdout)
        parts += ["", text]
        if output is not None:
            output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.labeling")
