"""``python -m benchmarks.corpus_figures``: compute every figure of datasets/framing.md and write it there.

A figure stands between ``<!-- figures:NAME -->`` and ``<!-- /figures -->``. Those of the corpus itself take seconds;
those of models trained on it (``--models``) take the better part of an hour.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from classifier.corpus import LabeledCorpus, read_corpus
from classifier.metrics import MACRO, MICRO, Figure, FrameMetrics, Scores
from classifier.metrics.agreement import label_agreement

DATASETS = Path(__file__).parents[1] / "datasets"
DATASHEET = DATASETS / "framing.md"

#: The mark of "no frame" where an empty cell means "not labeled".
NONE = "none"

#: Characters of the n-grams that near-duplicates are found by.
GRAM = 5

#: Jaccard index of character n-grams above which two sentences count as nearly the same.
NEARLY_THE_SAME = 0.6

#: Of the rarest n-grams of two sentences, so many must be shared before the two are compared.
PREFIX_SHARED = 8

#: Bundles of source types that the learning curve leaves out one at a time.
CURVE_BUNDLES = 7

#: Thresholds, besides the model's own, at which false alarms are counted.
THRESHOLDS = (0.5, 0.75, 0.9)

#: Other news that nobody composed to be confused with the frames.
ORDINARY = ("sport", "weather", "culture", "science", "technology", "business", "crime")

#: Mistakes shown.
MISTAKES = 15

_BLOCK = re.compile(r"(<!-- figures:(\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Record:
    """The corpus with what is known of its labeling.

    Parameters
    ----------
    corpus : LabeledCorpus
    changes : list of dict
        The rows of ``label_record.csv``: every label that was doubted, before and after.
    """

    corpus: LabeledCorpus
    changes: list[dict[str, str]]

    @classmethod
    def read(cls, folder: Path = DATASETS) -> Record:
        """Read the corpus and its label record."""
        with (folder / "label_record.csv").open(encoding="utf-8", newline="") as stream:
            return cls(read_corpus(folder / "framing.csv"), list(csv.DictReader(stream)))

    def column(self, name: str) -> tuple[str, ...]:
        """Return a column of the corpus."""
        return self.corpus.columns[name]

    @cached_property
    def pieces(self) -> dict[str, list[int]]:
        """The rows of each piece, in the order of the file."""
        result: dict[str, list[int]] = defaultdict(list)
        for row, piece in enumerate(self.column("article_id")):
            result[piece].append(row)
        return result

    @cached_property
    def other(self) -> npt.NDArray[np.bool_]:
        """Which sentences are of other news."""
        return np.array([event.startswith("other_") for event in self.column("event")])

    @cached_property
    def near_duplicates(self) -> list[tuple[int, int, float]]:
        """Pairs of sentences of different pieces of which the Jaccard index is above `NEARLY_THE_SAME`."""
        return near_duplicates(self.corpus.texts, self.column("article_id"), NEARLY_THE_SAME)

    def marks(self, cells: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return cells of joined frame names as a matrix of shape (n_cells, n_frames)."""
        return np.array([[frame in cell.split("|") for frame in self.corpus.frames] for cell in cells])

    @cached_property
    def labeled_twice(self) -> npt.NDArray[np.intp]:
        """The rows with labels of a second pass."""
        return np.flatnonzero([bool(cell) for cell in self.column("labels_second")])

    @cached_property
    def first_pass(self) -> list[str]:
        """The labels of each row as they were before any was changed; an empty string where there was no frame."""
        cells = list(self.column("labels"))
        keys = zip(self.column("article_id"), self.column("sentence_index"), strict=True)
        place = {key: row for row, key in enumerate(keys)}
        seen = set()
        for change in sorted(self.changes, key=lambda change: change["step"] != "adjudication"):
            row = place[change["article_id"], change["sentence_index"]]
            if row not in seen:
                cells[row] = "" if change["before"] == NONE else change["before"]
                seen.add(row)
        return cells


# Measures of the text, which the tests use too.


def near_duplicates(texts: Sequence[str], pieces: Sequence[str], threshold: float) -> list[tuple[int, int, float]]:
    """Find pairs of sentences of different pieces that are nearly the same.

    Parameters
    ----------
    texts, pieces : sequence of str
        The sentences and the piece of each.
    threshold : float
        Pairs of which the sets of character 5-grams have a larger Jaccard index are found.

    Returns
    -------
    list of (int, int, float)
        Rows and index of each pair.

    Notes
    -----
    Prefix filtering (Chaudhuri, Ganti and Kaushik 2006): with n-grams ordered from the rarest, two sets that share
    `k` or more share `k` of their first ``n - ceil(threshold * n) + k``.
    """
    grams = CountVectorizer(analyzer="char", ngram_range=(GRAM, GRAM), binary=True).fit_transform(
        " ".join(text.split()) for text in texts
    )
    rarity = np.argsort(np.argsort(np.bincount(grams.indices, minlength=grams.shape[1]), kind="stable"))
    sizes = np.diff(grams.indptr)
    rows, columns = [], []
    for row in range(grams.shape[0]):
        own = grams.indices[grams.indptr[row] : grams.indptr[row + 1]]
        kept = len(own) - int(np.ceil(threshold * len(own))) + PREFIX_SHARED
        prefix = own[np.argsort(rarity[own])[:kept]]
        rows.append(np.full(len(prefix), row))
        columns.append(prefix)
    joined = np.concatenate(rows), np.concatenate(columns)
    prefixes = sparse.csr_array((np.ones(len(joined[0]), dtype=np.int32), joined), shape=grams.shape)
    pairs = sparse.triu(prefixes @ prefixes.T, k=1).tocoo()
    needed = np.minimum(PREFIX_SHARED, np.ceil(threshold * np.maximum(sizes[pairs.row], sizes[pairs.col])))
    ones, others = pairs.row[pairs.data >= needed], pairs.col[pairs.data >= needed]
    shared = np.asarray(grams[ones].multiply(grams[others]).sum(axis=1)).ravel()
    index = shared / np.maximum(sizes[ones] + sizes[others] - shared, 1)
    return [
        (int(ones[place]), int(others[place]), float(index[place]))
        for place in np.flatnonzero(index > threshold)
        if pieces[ones[place]] != pieces[others[place]]
    ]


def repeated_openings(texts: Iterable[str], n_words: int = 4) -> float:
    """Return the share of sentences whose first words open another sentence too."""
    openings = [tuple(words(text)[:n_words]) for text in texts]
    counts = Counter(opening for opening in openings if len(opening) == n_words)
    return sum(count for count in counts.values() if count > 1) / len(openings)


def shared_phrases(texts: Sequence[str], pieces: Sequence[str], n_words: int) -> Counter[tuple[str, ...]]:
    """Count in how many pieces each phrase of `n_words` words occurs, of those that occur in several."""
    homes: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for text, piece in zip(texts, pieces, strict=True):
        found = words(text)
        for start in range(len(found) - n_words + 1):
            homes[tuple(found[start : start + n_words])].add(piece)
    return Counter({phrase: len(where) for phrase, where in homes.items() if len(where) > 1})


# Blocks of the datasheet.


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, its first column aligned left and the others right."""
    lines = [f"| {' | '.join(header)} |", "|" + "|".join(["---", *["---:"] * (len(header) - 1)]) + "|"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def percent(part: float, whole: float) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:.1f} %"


def spoken(name: str) -> str:
    """Return a name of the data in words."""
    return name.replace("_", " ")


def with_interval(figure: Figure | None, digits: int = 3) -> str:
    """Return a figure and its 95 % interval."""
    if figure is None:
        return "–"
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}–{figure.high:.{digits}f})"


def composition(record: Record) -> str:
    """Tell how large the corpus is and how its labels are spread."""
    corpus = record.corpus
    n, counts = len(corpus), corpus.targets.sum(axis=1)
    kinds = Counter(record.column("kind"))
    several = Counter(" + ".join(map(spoken, names)) for names in corpus.labels if len(names) > 1)
    lengths = [len(words(text)) for text in corpus.texts]
    dates = sorted(record.column("date"))
    rows: list[tuple[object, ...]] = [
        ("sentences", f"{n:,}", ""),
        ("pieces", f"{len(record.pieces):,}", ""),
        ("events", len(set(record.column("event"))), ""),
        ("headlines and briefs in headline grammar", f"{kinds['headline']:,}", percent(kinds["headline"], n)),
        ("body sentences", f"{kinds['body']:,}", percent(kinds["body"], n)),
        ("sentences with a direct quotation as such", f"{kinds['quote']:,}", percent(kinds["quote"], n)),
        ("page furniture", f"{kinds['furniture']:,}", percent(kinds["furniture"], n)),
        ("other news", f"{int(record.other.sum()):,}", percent(record.other.sum(), n)),
        ("without a frame", f"{int((counts == 0).sum()):,}", percent((counts == 0).sum(), n)),
        *(
            (spoken(frame), f"{int(corpus.targets[:, i].sum()):,}", percent(corpus.targets[:, i].sum(), n))
            for i, frame in enumerate(corpus.frames)
        ),
        ("with two or three frames", f"{int((counts > 1).sum()):,}", percent((counts > 1).sum(), n)),
        *((name, f"{count:,}", percent(count, n)) for name, count in several.most_common()),
    ]
    return (
        table(("", "sentences", "share"), rows)
        + f"\n\nDates run from {dates[0]} to {dates[-1]}. A sentence has {np.median(lengths):.0f} words in the median, "
        f"{np.percentile(lengths, 5):.0f} to {np.percentile(lengths, 95):.0f} in nine of ten."
    )


def sources(record: Record) -> str:
    """Tell how sentences and frames are spread over registers."""
    names, targets = np.array(record.column("source_type")), record.corpus.targets
    pieces = Counter(names[rows[0]] for rows in record.pieces.values())
    rows = []
    for name, count in Counter(names.tolist()).most_common():
        part = targets[names == name]
        shares = [percent(part[:, i].sum(), count) for i in range(part.shape[1])]
        none = percent((~part.any(axis=1)).sum(), count)
        rows.append((spoken(name), pieces[name], f"{count:,}", percent(count, len(names)), *shares, none))
    header = ("source type", "pieces", "sentences", "share", *map(spoken, record.corpus.frames), "no frame")
    return table(header, rows)


def events(record: Record) -> str:
    """List the events with their sentences, and the years."""
    counts = Counter(record.column("event"))
    news = [(name, count) for name, count in sorted(counts.items()) if not name.startswith("other_")]
    other = [(name, count) for name, count in sorted(counts.items()) if name.startswith("other_")]
    years = Counter(date[:4] for date in record.column("date"))
    largest, most = counts.most_common(1)[0]

    def listed(pairs: Iterable[tuple[str, int]]) -> str:
        return ", ".join(f"{spoken(name)} {count}" for name, count in pairs)

    return (
        f"The largest of {len(counts)} events, {spoken(largest)}, has {percent(most, len(record.corpus))} of the "
        f"sentences.\n\n{len(news)} of Belarus and its neighbours: {listed(news)}.\n\n"
        f"{len(other)} of other news: {listed((name.removeprefix('other_'), count) for name, count in other)}.\n\n"
        + table(("year", "sentences"), ((year, f"{count:,}") for year, count in sorted(years.items())))
    )


def agreement(record: Record) -> str:
    """Tell how far the two passes agreed before anything was adjudicated."""
    rows = record.labeled_twice
    first = record.marks([record.first_pass[row] for row in rows])
    second = record.marks([record.column("labels_second")[row] for row in rows])
    groups = record.corpus.group_ids[rows]
    result = label_agreement(first, second, record.corpus.frames, groups)
    header = ("", "first pass", "second pass", "agreement", "Cohen's kappa", "Krippendorff's alpha")
    lines = [
        (
            spoken(row.name),
            row.first,
            row.second,
            f"{100 * row.observed.value:.1f} %",
            with_interval(row.kappa),
            with_interval(row.alpha),
        )
        for row in result
    ]
    differ = int((first != second).any(axis=1).sum())
    return (
        f"{len(rows):,} sentences in {len(np.unique(groups)):,} pieces were labeled twice; the passes gave "
        f"{differ} of them different frames.\n\n" + table(header, lines)
    )


def changes(record: Record) -> str:
    """Tell how many labels were doubted, and how many changed."""
    titles = {
        "adjudication": "the two passes differed",
        "suspect": "out-of-fold probability against the label",
        "consistency": "search for a rule",
    }
    steps = {step: [change for change in record.changes if change["step"] == step] for step in titles}
    rows = []
    for step, found in steps.items():
        changed = sum(change["before"] != change["after"] for change in found)
        rows.append((titles[step], len(found), changed))
    gained: Counter[str] = Counter()
    for change in record.changes:
        before, after = set(change["before"].split("|")) - {NONE}, set(change["after"].split("|")) - {NONE}
        gained.update(f"+{name}" for name in after - before)
        gained.update(f"-{name}" for name in before - after)
    turns = [(spoken(frame), gained[f"+{frame}"], gained[f"-{frame}"]) for frame in record.corpus.frames]
    return (
        table(("why it was read again", "labels read", "changed"), rows)
        + "\n\n"
        + table(("frame", "given", "taken away"), turns)
    )


def originality(record: Record) -> str:
    """Tell how far the sentences repeat one another."""
    texts, pieces = record.corpus.texts, record.column("article_id")
    own = [row for row, kind in enumerate(record.column("kind")) if kind != "furniture"]
    prose, homes = [texts[row] for row in own], [pieces[row] for row in own]
    rows = [
        (f"pairs of near-duplicates across pieces (Jaccard above {NEARLY_THE_SAME})", len(record.near_duplicates)),
        ("share of sentences whose first four words open another one", f"{100 * repeated_openings(texts):.1f} %"),
    ]
    for n_words in (6, 8, 10):
        shared = shared_phrases(prose, homes, n_words)
        most = max(shared.values(), default=1)
        rows.append((f"phrases of {n_words} words in several pieces (most in {most})", len(shared)))
    return table(("", ""), rows)


#: Blocks that cost seconds.
CHEAP: dict[str, Callable[[Record], str]] = {
    "composition": composition,
    "sources": sources,
    "events": events,
    "agreement": agreement,
    "changes": changes,
    "originality": originality,
}


def false_alarms(scores: Scores, rows: npt.NDArray[np.bool_], threshold: float | None = None) -> list[str]:
    """Return the shares of these sentences that were wrongly given any frame, and each frame, in percent."""
    kept = scores.take(rows)
    wrong = (kept.predicted if threshold is None else kept.probabilities >= threshold) & ~kept.truth
    return [f"{100 * share:.2f} %" for share in (wrong.any(axis=1).mean(), *wrong.mean(axis=0))]


def models(record: Record, seed: int = 0) -> dict[str, str]:
    """Train and measure: cross-validation, held-out events and source types, learning curve, mistakes.

    Parameters
    ----------
    record : Record
    seed : int

    Returns
    -------
    dict of str to str
        Blocks by name.
    """
    from classifier.evaluation import learning_curve, leave_out_splits
    from classifier.evaluation.evaluate import Evaluation
    from classifier.training.train import cross_validate

    corpus, sliced = record.corpus, ("source_type",)
    click.echo("cross-validation by piece")
    report = cross_validate(corpus, list(corpus.folds(5, seed)), seed=seed, sliced=sliced)
    held_out = {}
    for column in ("event", "source_type"):
        click.echo(f"leaving out {column}")
        splits = [split for _, split in leave_out_splits(corpus, column)]
        held_out[column] = cross_validate(corpus, splits, seed=seed, sliced=sliced)
    click.echo("learning curve")
    curves = [
        learning_curve(corpus, splits=splits, seed=seed)
        for splits in (None, [split for _, split in leave_out_splits(corpus, "source_type", CURVE_BUNDLES)])
    ]
    found = report.validation
    evaluation = Evaluation("", corpus, np.arange(len(corpus)), found.scores, report.summary, found.models, found.folds)

    def line(name: str, row: FrameMetrics) -> tuple[str, ...]:
        return (name, *(with_interval(figure) for figure in (row.precision, row.recall, row.f1)))

    def macro(rows: Sequence[FrameMetrics]) -> FrameMetrics:
        return next(row for row in rows if row.name == MACRO)

    def micro(rows: Sequence[FrameMetrics]) -> FrameMetrics:
        return next(row for row in rows if row.name == MICRO)

    figures = ("precision", "recall", "F1")
    validation = table(("pieces held out", *figures), (line(spoken(row.name), row) for row in report.rows))
    harder = table(
        ("macro average", *figures),
        [
            line("pieces held out", macro(report.rows)),
            *([] if report.alone is None else [line("pieces held out, each sentence alone", macro(report.alone))]),
            line("events held out", macro(held_out["event"].rows)),
            line("source types held out", macro(held_out["source_type"].rows)),
            line("baseline: keywords of the codebook", macro(report.baselines["keywords"])),
            line("baseline: the most frequent labels", macro(report.baselines["majority"])),
        ],
    )
    # Micro F1: a register in which a frame is next to absent would have its macro F1 decided by a few sentences.
    within = {part.value: micro(part.rows).f1 for part in report.summary.by["source_type"]}
    apart = {part.value: micro(part.rows).f1 for part in held_out["source_type"].summary.by["source_type"]}
    registers = table(
        ("source type", "micro F1, pieces held out", "micro F1, source type held out"),
        ((spoken(name), f"{within[name].value:.3f}", f"{figure.value:.3f}") for name, figure in apart.items()),
    )
    learned = table(
        ("share of the pieces", "sentences", "macro F1, pieces held out", "macro F1, source types held out"),
        (
            (
                f"{100 * point.share:.0f} %",
                f"{point.sentences:,.0f}",
                *(with_interval(macro(each.summary.rows).f1) for each in (point, apart)),
            )
            for point, apart in zip(*curves, strict=True)
        ),
    )
    ordinary = record.other & np.array([any(beat in event for beat in ORDINARY) for event in record.column("event")])
    alarms = table(
        ("other news", "any frame", *map(spoken, corpus.frames)),
        [
            ("pieces held out", *false_alarms(found.scores, record.other)),
            *(
                (f"the same, labels from {threshold} on", *false_alarms(found.scores, record.other, threshold))
                for threshold in THRESHOLDS
            ),
            ("pieces held out, ordinary beats only", *false_alarms(found.scores, ordinary)),
            *(
                []
                if found.alone is None
                else [("pieces held out, each sentence alone", *false_alarms(found.alone, record.other))]
            ),
            ("events held out", *false_alarms(held_out["event"].validation.scores, record.other)),
        ],
    )
    surest = table(
        ("sentence", "frame", "decision", "probability"),
        (
            (mistake.text.replace("|", "/"), spoken(mistake.frame), mistake.kind, f"{mistake.probability:.2f}")
            for mistake in evaluation.mistakes(MISTAKES)
        ),
    )
    return {
        "validation": validation,
        "harder": harder,
        "registers": registers,
        "curve": learned,
        "alarms": alarms,
        "mistakes": surest,
    }


def rewrite(text: str, blocks: Mapping[str, str]) -> str:
    """Return a document with its blocks of these names replaced; other blocks stay.

    Raises
    ------
    ValueError
        If the document has no block of one of the names.
    """
    missing = set(blocks) - {match[2] for match in _BLOCK.finditer(text)}
    if missing:
        raise ValueError(f"no block of figures named {', '.join(sorted(missing))}")

    def replaced(match: re.Match[str]) -> str:
        return f"{match[1]}{blocks[match[2]]}\n{match[3]}" if match[2] in blocks else match[0]

    return _BLOCK.sub(replaced, text)


@click.command()
@click.option(
    "--models", "with_models", is_flag=True, help="Train and measure models, too: the better part of an hour."
)
def main(with_models: bool) -> None:
    """Compute the figures of datasets/framing.md and write them there."""
    record = Record.read()
    blocks = {name: block(record) for name, block in CHEAP.items()}
    if with_models:
        blocks |= models(record)
    DATASHEET.write_text(rewrite(DATASHEET.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.corpus_figures")
