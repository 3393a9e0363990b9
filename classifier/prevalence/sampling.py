"""Probability samples of sentences or articles, drawn from a population that is read twice and never held."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from classifier.errors import InputError
from classifier.prevalence.estimators import Ints
from classifier.prevalence.population import BLOCK, NONE, Block, Population
from classifier.prevalence.strata import STEPS, allocate, cut, step, uncertainty
from classifier.system.arrays import Bools, Floats

Unit = Literal["sentence", "article"]

#: ``--by`` that divides by the model's doubt.
PROBABILITY = "probability"

#: Strata at most; more would be told apart by mistake, as by the articles' ids.
MAX_STRATA = 1000

#: In the column of labels: nobody has coded this one yet.
UNCODED = "?"

#: Columns of a sample. Those before the text help a coder to place it; the model's own labels are left out, for they
#: would sway whoever codes.
COLUMNS = (
    "draw",
    "article_id",
    "source",
    "id",
    "title",
    "date",
    "outlet",
    "index",
    "start",
    "end",
    "before",
    "text",
    "after",
    "labels",
    "inclusion_probability",
    "unit",
    "stratum",
    "stratum_size",
)

#: First characters by which a spreadsheet takes a cell for a formula.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True)
class Plan:
    """How a sample is to be drawn.

    Parameters
    ----------
    n : int
        Sentences, or articles.
    unit : {"sentence", "article"}
        What is drawn; of an article all sentences are coded.
    by : tuple of str
        Columns whose values are strata; `PROBABILITY` divides by the model's doubt.
    equal : bool
        As many draws from each stratum, and not in proportion to its size.
    frame : str, optional
        The frame whose probabilities are doubted; by default the one in most doubt, sentence by sentence.
    context : int
        Sentences before and after that the coder reads.
    seed : int
    """

    n: int
    unit: Unit = "sentence"
    by: tuple[str, ...] = ()
    equal: bool = False
    frame: str | None = None
    context: int = 2
    seed: int = 0


@dataclass
class Survey:
    """What the first reading of a population finds.

    Attributes
    ----------
    sentences, articles : int
    counts : dict of tuple of str to ndarray of int of shape (STEPS,)
        Units at each step of doubt, by the values of the columns.
    frames : tuple of str
    variances : dict of tuple of str to ndarray of shape (STEPS, 2, n_frames)
        Sums of the probabilities and of their binomial variances, alike.
    """

    sentences: int = 0
    articles: int = 0
    counts: dict[tuple[str, ...], Ints] = field(default_factory=dict)
    frames: tuple[str, ...] = ()
    sums: dict[tuple[str, ...], Floats] = field(default_factory=dict)
    clustering: Floats = field(default_factory=lambda: np.zeros((0, 5)))


@dataclass(frozen=True)
class Sample:
    """A sample, ready to be coded.

    Parameters
    ----------
    plan : Plan
    rows : list of dict
        A sentence each, with `COLUMNS`, in the order of the draw.
    strata : dict of str to (int, int)
        Units drawn from each, and units in it.
    sentences, articles : int
        Of the population.
    expected : dict of str to (float, float, float, int)
        For each frame the share that the model expects, the half width of the 95 % interval to expect from these
        labels alone, that after correction, and the labels that would make the latter two points.
    """

    plan: Plan
    rows: list[dict[str, Any]]
    strata: dict[str, tuple[int, int]]
    sentences: int
    articles: int
    expected: dict[str, tuple[float, float, float, int]]

    def to_csv(self, safe: bool = False) -> str:
        """Return the sample as CSV; `safe` puts an apostrophe before cells that a spreadsheet would compute."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerow(COLUMNS)
        for row in self.rows:
            cells = [row[name] for name in COLUMNS]
            if safe:
                cells = [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in cells]
            # A lone carriage return is left bare by csv.writer, and every reader takes it for the end of a row.
            writer.writerow([cell.replace("\r", " ") if isinstance(cell, str) else cell for cell in cells])
        return buffer.getvalue()


def draw_sample(population: Population, plan: Plan) -> Sample:
    """Draw a sample, reading the population twice.

    Parameters
    ----------
    population : callable
        Returns its blocks, the same ones at each call.
    plan : Plan

    Returns
    -------
    Sample

    Raises
    ------
    InputError
        If a column to divide by is nowhere, has too many values, or there are more strata than draws allow.
    """
    survey = _survey(population, plan)
    total = survey.sentences if plan.unit == "sentence" else survey.articles
    if not total:
        raise InputError("there are no sentences to draw from.")
    if plan.n > total:
        raise InputError(f"-n {plan.n:,}: there are only {total:,} {plan.unit}s; ask for fewer.")
    for place, column in enumerate(plan.by):
        if column != PROBABILITY and all(key[place] == NONE for key in survey.counts):
            raise InputError(f"--by {column}: no article has it; divide by outlet, source, month or what --keep kept.")
    bands = cut(sum(survey.counts.values(), np.zeros(STEPS, dtype=np.int64))) if PROBABILITY in plan.by else None
    names, sizes, measures = _strata(survey, plan, bands)
    draws = allocate(plan.n, sizes, measures)
    rng = np.random.default_rng(plan.seed)
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chosen = np.sort(
        np.concatenate(
            [start + rng.choice(size, k, replace=False) for start, size, k in zip(offsets, sizes, draws, strict=True)]
        )
    )
    order = rng.permutation(plan.n) + 1
    found = _second_reading(population, plan, bands, {name: i for i, name in enumerate(names)}, offsets, chosen)
    rows = []
    for unit, h, sentences in found:
        labels = {
            "draw": int(order[unit]),
            "labels": UNCODED,
            "inclusion_probability": float(draws[h] / sizes[h]),
            "unit": plan.unit,
            "stratum": _title(names[h], plan),
            "stratum_size": int(sizes[h]),
        }
        rows += [{**sentence, **labels} for sentence in sentences]
    rows.sort(key=lambda row: (row["draw"], row["index"]))
    strata = {_title(name, plan): (int(k), int(size)) for name, k, size in zip(names, draws, sizes, strict=True)}
    expected = _expectations(survey, plan, bands, names, sizes, draws)
    return Sample(plan, rows, strata, survey.sentences, survey.articles, expected)


def unscored(sources: Sequence[str | Path], options: Any = None, on_fault: Any = None) -> Generator[Block]:
    """Read articles that no model has scored, split into sentences as ``framing score`` would.

    Parameters
    ----------
    sources : sequence of str or Path
        As for `classifier.articles.read_articles`, and so are `options` and `on_fault`.

    Yields
    ------
    Block
        Without frames.
    """
    from classifier.articles import ReadOptions, read_articles
    from classifier.scoring.score import sentences_of

    pending: list[tuple[dict[str, Any], list[Any]]] = []
    size = 0
    for article in read_articles(sources, options or ReadOptions(), on_fault=on_fault):
        sentences = sentences_of(article.text)
        if not sentences:
            continue
        head = {name: getattr(article, name) for name in ("source", "id", "title", "date", "outlet", "metadata")}
        pending.append((head, sentences))
        size += len(sentences)
        if size >= BLOCK:
            yield _unscored_block(pending)
            pending, size = [], 0
    if pending:
        yield _unscored_block(pending)


def _unscored_block(articles: list[tuple[dict[str, Any], list[Any]]]) -> Block:
    sentences = [sentence for _, found in articles for sentence in found]
    return Block(
        (),
        [head for head, _ in articles],
        np.repeat(np.arange(len(articles)), [len(found) for _, found in articles]),
        [sentence.index for sentence in sentences],
        [sentence.start for sentence in sentences],
        [sentence.end for sentence in sentences],
        [sentence.text for sentence in sentences],
        np.zeros((len(sentences), 0)),
        np.zeros((len(sentences), 0), dtype=bool),
        "",
    )


def _keys(block: Block, plan: Plan) -> list[tuple[str, ...]]:
    """Return the values that each article of a block is divided by."""
    columns = [block.values(name) if name != PROBABILITY else [""] * len(block.articles) for name in plan.by]
    return list(zip(*columns, strict=True)) if columns else [()] * len(block.articles)


def _doubts(block: Block, plan: Plan) -> Floats:
    """Return the doubt of each unit of a block."""
    if PROBABILITY not in plan.by:
        return np.full(len(block.text) if plan.unit == "sentence" else len(block.articles), 0.5)
    scores = block.scores
    if plan.frame is not None:
        if plan.frame not in block.frames:
            raise InputError(f"--frame {plan.frame}: no frame is called so; there are {', '.join(block.frames)}.")
        scores = scores[:, [block.frames.index(plan.frame)]]
    doubts = uncertainty(scores)
    if plan.unit == "sentence":
        return doubts
    return np.bincount(block.owner, doubts) / np.bincount(block.owner)


def _survey(population: Population, plan: Plan) -> Survey:
    survey = Survey()
    counts: defaultdict[tuple[str, ...], Ints] = defaultdict(lambda: np.zeros(STEPS, dtype=np.int64))
    for block in population():
        if not block.frames and PROBABILITY in plan.by:
            raise InputError(f"--by {PROBABILITY}: needs what framing score writes; score the articles first.")
        survey.frames = block.frames
        k = len(block.frames)
        survey.sentences += len(block.text)
        survey.articles += len(block.articles)
        keys, steps = _keys(block, plan), step(_doubts(block, plan))
        codes, names = _coded(keys)
        unit_codes = codes[block.owner] if plan.unit == "sentence" else codes
        cells = np.bincount(unit_codes * STEPS + steps, minlength=len(names) * STEPS).reshape(-1, STEPS)
        flat = (codes[block.owner]) * STEPS + (steps if plan.unit == "sentence" else steps[block.owner])
        variances = block.scores * (1 - block.scores)
        for name, cell in zip(names, cells, strict=True):
            counts[name] += cell
        if len(counts) > MAX_STRATA:
            raise InputError(f"--by {','.join(plan.by)}: more than {MAX_STRATA:,} values; divide by something coarser.")
        for j in range(k):
            for part, values in enumerate((block.scores[:, j], variances[:, j])):
                sums = np.bincount(flat, values, len(names) * STEPS).reshape(-1, STEPS)
                for name, row in zip(names, sums, strict=True):
                    if name not in survey.sums:
                        survey.sums[name] = np.zeros((STEPS, 2, k))
                    survey.sums[name][:, part, j] += row
        if k:
            survey.clustering = _clustered(survey.clustering, block)
    survey.counts = dict(sorted(counts.items()))
    return survey


def _clustered(total: Floats, block: Block) -> Floats:
    """Add up, by frame, what tells how alike the sentences of an article are."""
    size = np.bincount(block.owner).astype(float)
    rows = []
    for j in range(len(block.frames)):
        found = np.bincount(block.owner, block.labeled[:, j], len(size))
        spread = np.bincount(block.owner, block.scores[:, j] * (1 - block.scores[:, j]), len(size))
        rows.append([float(v.sum()) for v in (found * found, found * size, size * size, found, spread)])
    added = np.array(rows)
    return added if not len(total) else total + added


def _coded(keys: Iterable[tuple[str, ...]]) -> tuple[Ints, list[tuple[str, ...]]]:
    names: dict[tuple[str, ...], int] = {}
    codes = np.array([names.setdefault(key, len(names)) for key in keys], dtype=np.int64)
    return codes, list(names)


def _strata(survey: Survey, plan: Plan, bands: Ints | None) -> tuple[list[tuple[str, ...]], Ints, Floats]:
    """Return the strata that hold units, their sizes, and in proportion to what they are drawn from."""
    middles = (np.arange(STEPS) + 0.5) / (2 * STEPS)
    found: dict[tuple[str, ...], tuple[int, float]] = {}
    for key, counts in survey.counts.items():
        for band in np.unique(bands) if bands is not None else [0]:
            inside = counts * (bands == band) if bands is not None else counts
            if inside.any():
                found[_name(key, plan, int(band))] = (int(inside.sum()), float((inside * middles).sum()))
    sizes = np.array([size for size, _ in found.values()], dtype=np.int64)
    measures = np.array([doubt for _, doubt in found.values()])
    if plan.equal:
        measures = np.ones(len(sizes))
    elif bands is None:
        measures = sizes.astype(float)
    return list(found), sizes, measures


def _name(key: tuple[str, ...], plan: Plan, band: int) -> tuple[str, ...]:
    return tuple(
        f"doubt {band + 1}" if column == PROBABILITY else part for column, part in zip(plan.by, key, strict=True)
    )


def _title(name: tuple[str, ...], plan: Plan) -> str:
    return " / ".join(name) if plan.by else "all"


def _second_reading(
    population: Population,
    plan: Plan,
    bands: Ints | None,
    strata: dict[tuple[str, ...], int],
    offsets: Ints,
    chosen: Ints,
) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    """Yield the units drawn: their number, their stratum and their sentences."""
    met = np.zeros(len(strata), dtype=np.int64)
    unit_number = 0
    for block in population():
        keys = _keys(block, plan)
        steps = step(_doubts(block, plan))
        owner = block.owner if plan.unit == "sentence" else np.arange(len(block.articles))
        codes, names = _coded(keys)
        band = bands[steps] if bands is not None else np.zeros(len(steps), dtype=np.int64)
        n_bands = int(band.max(initial=0)) + 1
        lookup = np.array([[strata.get(_name(name, plan, b), -1) for b in range(n_bands)] for name in names])
        stratum = lookup[codes[owner], band]
        order = np.argsort(stratum, kind="stable")
        counts = np.bincount(stratum, minlength=len(strata))
        rank = np.empty(len(stratum), dtype=np.int64)
        rank[order] = np.arange(len(stratum)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = offsets[stratum] + met[stratum] + rank
        met += counts
        at = np.searchsorted(chosen, place)
        drawn = np.flatnonzero((at < len(chosen)) & (chosen[np.minimum(at, len(chosen) - 1)] == place))
        bounds = np.searchsorted(block.owner, np.arange(len(block.articles) + 1))
        for unit in drawn.tolist():
            article = int(owner[unit])
            first, last = int(bounds[article]), int(bounds[article + 1])
            sentences = [unit] if plan.unit == "sentence" else range(first, last)
            yield unit_number, int(stratum[unit]), [_row(block, i, first, last, plan) for i in sentences]
            unit_number += 1


def _row(block: Block, i: int, first: int, last: int, plan: Plan) -> dict[str, Any]:
    article = block.articles[int(block.owner[i])]
    source, id_ = str(article.get("source") or ""), str(article.get("id") or "")
    return {
        "article_id": " ".join(filter(None, (source, id_))),
        "source": source,
        "id": id_,
        "title": article.get("title") or "",
        "date": article.get("date") or "",
        "outlet": article.get("outlet") or "",
        "index": block.index[i],
        "start": block.start[i],
        "end": block.end[i],
        "before": " ".join(block.text[max(first, i - plan.context) : i]),
        "text": block.text[i],
        "after": " ".join(block.text[i + 1 : min(last, i + 1 + plan.context)]),
    }


def _expectations(
    survey: Survey, plan: Plan, bands: Ints | None, names: list[tuple[str, ...]], sizes: Ints, draws: Ints
) -> dict[str, tuple[float, float, float, int]]:
    """Return the intervals to expect, were the model's probabilities right."""
    result = {}
    for j, frame in enumerate(survey.frames):
        shares, residuals = [], []
        for name in names:
            p, v, size = 0.0, 0.0, 0.0
            for key, counts in survey.counts.items():
                for band in np.unique(bands) if bands is not None else [0]:
                    if _name(key, plan, int(band)) == name:
                        which: Bools = bands == band if bands is not None else np.ones(STEPS, dtype=bool)
                        p += float(survey.sums[key][which, 0, j].sum())
                        v += float(survey.sums[key][which, 1, j].sum())
                        size += float(counts[which].sum())
            per = size if plan.unit == "sentence" else size * survey.sentences / survey.articles
            shares.append(p / per)
            residuals.append(v / per)
        weights = sizes / sizes.sum()
        p_all = float(weights @ np.array(shares))
        alone = np.array(shares) * (1 - np.array(shares))
        corrected = np.minimum(np.array(residuals), alone)
        if plan.unit == "article":
            alone, corrected = _by_article(survey, j, p_all, alone, corrected)
        rest = (1 - draws / sizes) / np.maximum(draws, 1)
        halves = [1.96 * float(np.sqrt((weights**2 * rest * values).sum())) for values in (alone, corrected)]
        result[frame] = (p_all, halves[0], halves[1], _enough(weights, sizes, draws, corrected))
    if not survey.frames:
        worst = np.full(len(sizes), 0.25)
        rest = (1 - draws / sizes) / np.maximum(draws, 1)
        weights = sizes / sizes.sum()
        half = 1.96 * float(np.sqrt((weights**2 * rest * worst).sum()))
        result[""] = (0.5, half, half, _enough(weights, sizes, draws, worst))
    return result


def _by_article(survey: Survey, j: int, share: float, alone: Floats, corrected: Floats) -> tuple[Floats, Floats]:
    """Return variances of whole articles: how much their sums of labels differ, by sentence of a mean article."""
    squares, products, sizes, _, spread = survey.clustering[j]
    n, mean = survey.articles, survey.sentences / survey.articles
    p = survey.clustering[j][3] / survey.sentences
    between = (squares - 2 * p * products + p * p * sizes) / n / mean**2
    within = spread / n / mean**2
    scale = between / max(1e-12, float(alone.mean()))
    return alone * scale, np.minimum(corrected * within / max(1e-12, float(corrected.mean())), alone * scale)


def _enough(weights: Floats, sizes: Ints, draws: Ints, variances: Floats, half: float = 0.02) -> int:
    """Return how many draws, shared out alike, give an interval of two points to either side."""
    n = int(draws.sum())
    shares = draws / n
    one = float((weights**2 * variances / shares).sum())
    finite = float((weights**2 * variances / sizes).sum())
    return min(int(sizes.sum()), int(np.ceil(one / ((half / 1.96) ** 2 + finite))))
