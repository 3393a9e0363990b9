"""What people coded of a sample, checked row by row."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from classifier.corpus.table import read_table, split_labels
from classifier.errors import InputError
from classifier.prevalence.estimators import Ints
from classifier.prevalence.sampling import UNCODED
from classifier.system.arrays import Bools, Floats

#: Problems named in one message.
SHOWN = 20

#: Other names of the columns that say which sentence a label is of.
_ALSO = {"id": "article_id", "index": "sentence_index"}


@dataclass(frozen=True)
class Labels:
    """Labels of a probability sample.

    Parameters
    ----------
    place : str
        The file, for messages.
    lines : list of int
        Where each label stands.
    articles : list of (str, str)
        Source and id of each label's article; the source is empty where the file has none.
    index : list of int
        Of each sentence in its article.
    texts : list of str
    found : ndarray of bool of shape (n, n_frames)
        What the person found.
    inclusion : ndarray of shape (n,)
        Inclusion probabilities, of what was coded.
    strata : ndarray of int of shape (n,)
    sizes : ndarray of int of shape (n_strata,) or None
        Units of the population in each, where the file says so.
    unit : {"sentence", "article"} or None
        What was drawn; None where the file does not say.
    notes : tuple of str
        What was left out.
    """

    place: str
    lines: list[int]
    articles: list[tuple[str, str]]
    index: list[int]
    texts: list[str]
    found: Bools
    inclusion: Floats
    strata: Ints
    sizes: Ints | None
    unit: Literal["sentence", "article"] | None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)


class Problems:
    """Collects what is wrong, to be told at once."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, message: str) -> None:
        """Note a problem."""
        self._found.append((line, message))

    def refuse(self) -> None:
        """Raise for what was found."""
        if not self._found:
            return
        lines = [f"  line {line}: {message}" for line, message in sorted(self._found)[:SHOWN]]
        more = [f"  … and {len(self._found) - SHOWN} more"] if len(self._found) > SHOWN else []
        raise InputError("\n".join([f"{self._place}: {len(self._found)} error(s):", *lines, *more]))


def read_labels(source: Any, frames: Sequence[str]) -> Labels:
    """Read the labels of a sample.

    Parameters
    ----------
    source : str, Path or DataFrame
        What ``framing sample`` drew and a person coded; of another sample at least ``text``, ``labels``, ``index``,
        ``id`` and ``inclusion_probability``.
    frames : sequence of str
        The frames that the population was scored for.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        Naming every row that is wrong, and where no valid answer could come of it.
    """
    place, lines, table = _table(source)
    if {"article_id", "origin", "coder", "source"} <= set(table) and "id" not in table:
        table["id"] = [_own_id(*pair) for pair in zip(table["article_id"], table["source"], strict=True)]
    for name, other in _ALSO.items():
        if name not in table and other in table:
            table[name] = table[other]
    _check_columns(place, table)
    problems = Problems(place)
    drawn = [i for i, cell in enumerate(table["inclusion_probability"]) if cell.strip()]
    notes = []
    if not drawn:
        raise InputError(
            f"{place}: no row has an inclusion probability. Sentences that were chosen, by a model or a person, say "
            "nothing of those that were not; draw a random sample with: framing sample"
        )
    if len(drawn) < len(lines):
        notes.append(
            f"{len(lines) - len(drawn):,} rows without an inclusion probability were not drawn at random and are "
            "left out."
        )
    inclusion = _numbers(table["inclusion_probability"], lines, drawn, problems, "inclusion_probability", (0.0, 1.0))
    _check_rows(table, lines, drawn, frames, problems)
    problems.refuse()
    strata, sizes = _strata(table, lines, drawn, inclusion, problems, place)
    problems.refuse()
    coded, inclusion, note = _coded(place, table, drawn, inclusion, strata, sizes)
    notes += [note] if note else []
    found = np.zeros((len(drawn), len(frames)), dtype=bool)
    for row, i in enumerate(drawn):
        if coded[row]:
            for name in split_labels(table["labels"][i], "|"):
                found[row, frames.index(name)] = True
    kept = [row for row in range(len(drawn)) if coded[row]]
    rows = [drawn[row] for row in kept]
    units = {table["unit"][i].strip() for i in rows} if "unit" in table else set()
    return Labels(
        place,
        [lines[i] for i in rows],
        [(table["source"][i].strip() if "source" in table else "", table["id"][i].strip()) for i in rows],
        [int(table["index"][i]) for i in rows],
        [table["text"][i] for i in rows],
        found[kept],
        inclusion[kept],
        strata[kept],
        sizes,
        "sentence" if units == {"sentence"} else "article" if units == {"article"} else None,
        tuple(notes),
    )


def _own_id(article_id: str, source: str) -> str:
    """Return the id in the data of an article that a project numbers: of ``3:a17``, or of ``3:news/a.txt`` none."""
    _, _, name = article_id.partition(":")
    return "" if name == source else name


def _table(source: Any) -> tuple[str, list[int], dict[str, list[str]]]:
    if isinstance(source, str | Path):
        table = read_table(source)
        errors = Problems(str(source))
        for problem in table.problems:
            errors.add(problem.line, problem.message)
        errors.refuse()
        return str(source), [row.line for row in table.rows], {name: table.column(name) for name in table.header}

    def text(value: Any) -> str:
        if isinstance(value, tuple | list | set | frozenset):
            return "|".join(map(str, value))
        return "" if value is None or value != value else str(value)

    columns = {str(name): [text(value) for value in source[name]] for name in source.columns}
    return "labels", list(range(len(source))), columns


def _check_columns(place: str, table: dict[str, list[str]]) -> None:
    if "inclusion_probability" not in table:
        raise InputError(
            f"{place}: no column 'inclusion_probability'. Without it nobody can tell what these sentences stand for; "
            "draw a sample with: framing sample"
        )
    for name in ("text", "labels", "id", "index"):
        if name not in table:
            raise InputError(
                f"{place}: no column {name!r}; the header has {', '.join(map(repr, table))}. Keep the columns that "
                "framing sample writes."
            )
    if not table["text"]:
        raise InputError(f"{place}: no labels below the header.")


def _numbers(
    cells: list[str], lines: list[int], rows: list[int], problems: Problems, name: str, bounds: tuple[float, float]
) -> Floats:
    values = np.ones(len(rows))
    for row, i in enumerate(rows):
        try:
            values[row] = float(cells[i].strip().replace(",", "."))
        except ValueError:
            values[row] = np.nan
        if not bounds[0] < values[row] <= bounds[1]:
            problems.add(
                lines[i], f"{name} is {cells[i]!r}; it must be a number above {bounds[0]:g}, {bounds[1]:g} at most"
            )
            values[row] = 1.0
    return values


def _check_rows(
    table: dict[str, list[str]], lines: list[int], rows: list[int], frames: Sequence[str], problems: Problems
) -> None:
    first: dict[tuple[str, ...], int] = {}
    for i in rows:
        if not table["index"][i].strip().isdecimal():
            problems.add(
                lines[i], f"index is {table['index'][i]!r}; it must be the number of the sentence in its article"
            )
        cell = table["labels"][i].strip()
        for name in () if cell == UNCODED else split_labels(cell, "|"):
            if name not in frames:
                near = difflib.get_close_matches(name, frames, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"the frames are {', '.join(map(repr, frames))}"
                problems.add(lines[i], f"unknown label {name!r}; {hint}")
        key = (table["source"][i] if "source" in table else "", table["id"][i], table["index"][i].strip())
        if key in first:
            problems.add(lines[i], f"the same sentence as line {first[key]}; delete one of them")
        first.setdefault(key, lines[i])


def _strata(
    table: dict[str, list[str]],
    lines: list[int],
    rows: list[int],
    inclusion: Floats,
    problems: Problems,
    place: str,
) -> tuple[Ints, Ints | None]:
    """Return the stratum of each row, and the sizes where the file has them."""
    names: dict[str, int] = {}
    titles = [table["stratum"][i] if "stratum" in table else "" for i in rows]
    strata = np.array([names.setdefault(title, len(names)) for title in titles], dtype=np.int64)
    if "stratum_size" not in table:
        return strata, None
    sizes = _numbers(table["stratum_size"], lines, rows, problems, "stratum_size", (0.0, 1e15))
    result = np.zeros(len(names), dtype=np.int64)
    articles = [(table["source"][i] if "source" in table else "", table["id"][i]) for i in rows]
    whole = "unit" in table and all(table["unit"][i].strip() == "article" for i in rows)
    for title, h in names.items():
        members = np.flatnonzero(strata == h)
        if np.ptp(sizes[members]) or np.ptp(inclusion[members]) > 1e-9:
            line = lines[rows[int(members[0])]]
            problems.add(line, f"the rows of stratum {title!r} differ in stratum_size or inclusion_probability")
            continue
        result[h] = int(sizes[members[0]])
        drawn = len({articles[row] for row in members}) if whole else len(members)
        meant = round(float(inclusion[members[0]] * result[h]))
        if drawn != meant:
            unit = "article" if whole else "sentence"
            raise InputError(
                f"{place}: stratum {title!r} has {drawn:,} {unit}s, and {meant:,} were drawn. Which ones are missing "
                f"may not be chance; put them back, with {UNCODED} for labels where nobody has coded them."
            )
    return strata, result


def _coded(
    place: str,
    table: dict[str, list[str]],
    rows: list[int],
    inclusion: Floats,
    strata: Ints,
    sizes: Ints | None,
) -> tuple[Bools, Floats, str]:
    """Tell which rows are coded; a draw coded from its beginning is a smaller sample."""
    coded = np.array([table["labels"][i].strip() != UNCODED for i in rows])
    if coded.all():
        return coded, inclusion, ""
    if not coded.any():
        raise InputError(f"{place}: nothing is coded yet; write frame names, or nothing, in place of each {UNCODED}.")
    order = np.array(
        [float(table["draw"][i]) if "draw" in table and table["draw"][i].isdecimal() else np.nan for i in rows]
    )
    if sizes is None or np.isnan(order).any():
        raise InputError(
            f"{place}: {int((~coded).sum()):,} rows are not coded; code them, for those left out may not be so by "
            "chance."
        )
    end = order[~coded].min()
    late = int((coded & (order >= end)).sum())
    units = {draw: strata[row] for row, draw in enumerate(order) if draw < end}
    if late and not all(draw == end for draw in order[coded & (order >= end)]):
        raise InputError(
            f"{place}: {int((~coded).sum()):,} rows are not coded, and {late:,} after the first of them are. Code in "
            "the order of the column draw, so that what is left out is left out by chance."
        )
    counts = np.bincount(np.array(list(units.values()), dtype=np.int64), minlength=len(sizes))
    if (counts < np.minimum(2, sizes)).any():
        raise InputError(f"{place}: a stratum has fewer than two units coded; code more.")
    coded = order < end
    fresh = counts[strata] / sizes[strata]
    return coded, fresh, f"{len(units):,} of {len(set(order)):,} draws are coded; the others are taken as not drawn."
