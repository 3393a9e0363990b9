"""Figures as tables: for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.codebook import Codebook
from classifier.metrics import (
    ALL,
    DECISION_FIGURES,
    FRAME_FIGURES,
    MACRO,
    MICRO,
    NONE,
    PROBABILITY_FIGURES,
    Abstention,
    CalibrationBin,
    Comparison,
    Confusion,
    Figure,
    FrameMetrics,
    Slice,
    Summary,
)
from classifier.report.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classifier.evaluation.evaluate import Mistake
    from classifier.metrics.agreement import Agreement

#: Where a figure is undefined, or means nothing.
NOTHING = "–"

#: With more frames than this tables leave out or number their columns.
WIDE = 5

INTERVALS = "In brackets: 95 % intervals from a bootstrap over articles."


@dataclass(frozen=True, slots=True)
class Table:
    """A table, whoever reads it.

    Parameters
    ----------
    title : str
    header : tuple of str
        The first column is text, the others are figures.
    rows : list of tuple of str
    note : str
        Beneath the table.
    words : tuple of int
        Further columns that are text.
    """

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""
    words: tuple[int, ...] = ()


def markdown(tables: Sequence[Table], level: int = 2) -> str:
    """Write tables as Markdown.

    Parameters
    ----------
    tables : sequence of Table
    level : int
        Of their headings; 0 for none.

    Returns
    -------
    str
        Ends with a line break.
    """
    blocks = []
    for table in tables:
        lines = [f"{'#' * level} {_cell(table.title)}", ""] if level and table.title else []
        lines.append("| " + " | ".join(map(_cell, table.header)) + " |")
        text = {0, *table.words}
        lines.append("|" + "|".join(" :-- " if i in text else " --: " for i in range(len(table.header))) + "|")
        lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in table.rows]
        if table.note:
            lines += ["", _cell(table.note)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _cell(text: str) -> str:
    """Make text safe within a table: no column, markup or line break of its own."""
    clean = " ".join(text.split())
    for mark in "\\|<>*_`[]#":
        clean = clean.replace(mark, "\\" + mark if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return clean


def terminal(tables: Sequence[Table]) -> RenderableType:
    """Lay out tables for a terminal."""
    from rich.console import Group
    from rich.table import Table as Grid
    from rich.text import Text

    parts: list[RenderableType] = []
    for table in tables:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        text = {0, *table.words}
        for i, name in enumerate(table.header):
            grid.add_column(printable(name), justify="left" if i in text else "right", overflow="fold")
        for row in table.rows:
            grid.add_row(*(Text(printable(cell)) for cell in row))
        if table.title:
            parts.append(Text(printable(table.title), style="bold"))
        parts.append(grid)
        if table.note:
            parts.append(Text(printable(table.note), style="dim"))
        parts.append(Text())
    return Group(*parts[:-1])


def figure(value: Figure | None, digits: int = 2) -> str:
    """Write a figure with its interval."""
    if value is None:
        return NOTHING
    return f"{value.value:.{digits}f} ({value.low:.{digits}f}–{value.high:.{digits}f})"


def percentage(value: Figure | None) -> str:
    """Write a share with its interval, in per cent."""
    return NOTHING if value is None else f"{value.value:.0%} ({value.low:.0%}–{value.high:.0%})"


def titles(codebook: Codebook) -> dict[str, str]:
    """Return what people call the frames and the rows of averages."""
    return {frame.name: frame.title for frame in codebook.frames}


def figures_table(
    title: str,
    rows: Sequence[FrameMetrics],
    codebook: Codebook,
    figures: Mapping[str, str] = DECISION_FIGURES,
    beneath: Mapping[str, Sequence[FrameMetrics]] | None = None,
    note: str = "",
) -> Table:
    """Lay out figures with their intervals, a frame a row, the averages and what they are compared with beneath.

    Parameters
    ----------
    title : str
    rows : sequence of FrameMetrics
    codebook : Codebook
        Titles of the frames.
    figures : mapping of str to str
        Which, and their names; of `FRAME_FIGURES`.
    beneath : mapping of str to sequence of FrameMetrics, optional
        Other methods' figures by name, of which the macro average is shown; see `compared`.
    note : str

    Returns
    -------
    Table
    """
    name_of = titles(codebook)
    named = [(name_of.get(row.name, row.name), row) for row in rows]
    for name, others in (beneath or {}).items():
        named.append((f"{name} (macro)", next(row for row in others if row.name == MACRO)))
    return Table(
        title,
        ("frame", *figures.values(), "support"),
        [(name, *(figure(getattr(row, key)) for key in figures), str(row.support)) for name, row in named],
        note,
    )


def compared(
    alone: Sequence[FrameMetrics] | None, baselines: Mapping[str, Sequence[FrameMetrics]]
) -> dict[str, Sequence[FrameMetrics]]:
    """Name what a model's figures are compared with.

    Parameters
    ----------
    alone : sequence of FrameMetrics or None
        The model's own without articles to read.
    baselines : mapping of str to sequence of FrameMetrics

    Returns
    -------
    dict of str to sequence of FrameMetrics
        As `figures_table` takes them.
    """
    return {
        **({} if alone is None else {"each sentence alone": alone}),
        **{f"baseline: {name}": rows for name, rows in baselines.items()},
    }


def overall_table(summary: Summary) -> Table:
    """Lay out the figures of whole sentences."""
    names = {
        "accuracy": "accuracy",
        "subset_accuracy": "all frames of a sentence right (subset accuracy)",
        "hamming_loss": "wrong decisions (Hamming loss)",
    }
    rows: list[tuple[str, ...]] = [(names[key], figure(value, 3)) for key, value in summary.overall.items()]
    return Table("Sentences", (f"of {summary.sentences:,} sentences", "share"), rows)


def confusion_table(confusion: Confusion, codebook: Codebook) -> Table:
    """Lay out which frames are taken for which; where frames are many their columns are numbered."""
    name_of = titles(codebook)
    names = [*(name_of.get(name, name) for name in confusion.frames), NONE]
    # A multiclass task knows no empty set: its last row and column hold nothing.
    shown = range(len(names) if confusion.counts[-1].any() or confusion.counts[:, -1].any() else len(names) - 1)
    numbered = len(confusion.frames) > WIDE
    heads = [f"→ {number + 1}" if numbered and number < len(names) - 1 else f"→ {names[number]}" for number in shown]
    rows = []
    for row in shown:
        cells = []
        for column in shown:
            share = confusion.shares[row][column]
            cells.append(f"{int(confusion.counts[row, column])}" + (f" ({share.value:.0%})" if share else ""))
        rows.append((f"{row + 1} {names[row]}" if numbered and row < len(names) - 1 else names[row], *cells))
    return Table(
        "Confusions",
        ("labeled", *heads),
        rows,
        "A row is a frame as labeled. On the diagonal: found. Elsewhere: missed while the column's frame was wrongly "
        "given, or no frame was; last row: wrongly given with nothing missed. Per cent of the row's sentences."
        if len(shown) == len(names)
        else "A row is a frame as labeled, a column as given. Per cent of the row's sentences.",
    )


def sets_table(confusion: Confusion, codebook: Codebook, most: int = 10) -> Table:
    """Lay out the commonest pairs of labels and a different prediction."""
    name_of = titles(codebook)

    def named(names: str) -> str:
        return " + ".join(name_of.get(name, name) for name in names.split("|"))

    wrong = [(pair, number) for pair, number in confusion.sets.items() if pair[0] != pair[1]][:most]
    return Table(
        "Commonest differences of whole label sets",
        ("labeled", "predicted", "sentences"),
        [(named(truth), named(predicted), str(number)) for (truth, predicted), number in wrong],
        words=(1,),
    )


def calibration_table(curve: Sequence[CalibrationBin], title: str = "Calibration, all frames") -> Table:
    """Lay out what probabilities meant."""
    rows: list[tuple[str, ...]] = [
        (f"{part.low:.1f} to {part.high:.1f}", f"{part.probability:.2f}", figure(part.share), f"{part.n:,}")
        for part in curve
    ]
    return Table(title, ("probability given", "mean", "share that carried the frame", "decisions"), rows)


def abstention_table(abstention: Abstention) -> Table:
    """Lay out what leaving doubtful decisions to a person gains."""
    band = f"{abstention.low:g} to {abstention.high:g}"
    return Table(
        "Doubtful decisions",
        ("", "share"),
        [
            (f"sentences with a probability from {band}", percentage(abstention.sentences)),
            ("decisions right within", percentage(abstention.right_inside)),
            ("decisions right outside", percentage(abstention.right_outside)),
        ],
    )


def slices_table(column: str, parts: Sequence[Slice], codebook: Codebook) -> Table:
    """Lay out the F1 of each value of a column: of each frame, unless they are many, and of all decisions."""
    name_of = titles(codebook)
    columns = {**(name_of if len(name_of) <= WIDE else {MACRO: MACRO}), MICRO: MICRO}
    rows = []
    for part in parts:
        found = {row.name: row for row in part.rows}
        cells = [figure(found[name].f1) if found[name].support else NOTHING for name in columns]
        rows.append((part.value, *cells, str(part.sentences), str(part.articles)))
    return Table(
        f"F1 by {column}",
        (column, *columns.values(), "sentences", "articles"),
        rows,
        f"{NOTHING}: no such sentence was labeled with the frame.",
    )


def comparison_table(rows: Sequence[Comparison], codebook: Codebook, first: str, second: str) -> Table:
    """Lay out the difference of two models in F1 and average precision, with the paired test's p-values."""
    name_of = titles(codebook)
    shown = [row for row in rows if row.figure in ("f1", "average_precision", "brier")]
    return Table(
        f"{first} against {second}",
        ("frame", "figure", first, second, "difference", "p"),
        [
            (
                name_of.get(row.name, row.name),
                FRAME_FIGURES[row.figure],
                f"{row.first:.3f}",
                f"{row.second:.3f}",
                f"{row.difference.value:+.3f} ({row.difference.low:+.3f} to {row.difference.high:+.3f})",
                f"{row.p_value:.3f}",
            )
            for row in shown
        ],
        "Two-sided paired bootstrap test over articles. Many figures are tested: a p just below 0.05 is no discovery. "
        "Of Brier less is better.",
        words=(1,),
    )


def mistakes_table(mistakes: Sequence[Mistake], codebook: Codebook) -> Table:
    """Lay out the mistakes a model was surest of."""
    name_of = titles(codebook)
    words = {"false": "wrongly given", "missed": "missed"}
    return Table(
        "Mistakes the model was surest of",
        ("sentence", "frame", "p", "terms"),
        [
            (
                one.text,
                f"{name_of.get(one.frame, one.frame)} {words[one.kind]}",
                f"{one.probability:.2f}",
                ", ".join(f"{term} {value:+.2f}" for term, value in one.terms),
            )
            for one in mistakes
        ],
        "Terms: what spoke for a frame wrongly given, or against one missed, in the model that scored the sentence "
        "(with folds: one that had not seen its article).",
        words=(1, 3),
    )


def agreement_table(rows: Sequence[Agreement], codebook: Codebook) -> Table:
    """Lay out how far two annotators agree."""
    name_of = titles(codebook)
    return Table(
        "Agreement",
        ("frame", "agreed", "Cohen's kappa", "Krippendorff's alpha", "first", "second", "sentences"),
        [
            (
                name_of.get(row.name, row.name),
                percentage(row.observed),
                figure(row.kappa),
                figure(row.alpha),
                str(row.first),
                str(row.second),
                str(row.sentences),
            )
            for row in rows
        ],
        INTERVALS,
    )


def probabilities_table(summary: Summary, codebook: Codebook) -> Table:
    """Lay out how good the probabilities are, whatever the thresholds."""
    return figures_table(
        "Probabilities",
        summary.rows,
        codebook,
        PROBABILITY_FIGURES,
        note="AP: average precision. Brier: mean squared error. ECE: expected calibration error.",
    )


def summary_tables(summary: Summary, codebook: Codebook) -> list[Table]:
    """Lay out everything measured of one set of results."""
    size = f"{summary.sentences:,} sentences of {summary.articles:,} articles"
    return [
        figures_table(f"Decisions, {size}", summary.rows, codebook, DECISION_FIGURES, note=INTERVALS),
        probabilities_table(summary, codebook),
        overall_table(summary),
        confusion_table(summary.confusion, codebook),
        *([sets_table(summary.confusion, codebook)] if summary.task == "multilabel" else []),
        calibration_table(summary.calibration[ALL]),
        abstention_table(summary.abstention),
        *(slices_table(column, parts, codebook) for column, parts in summary.by.items()),
    ]
