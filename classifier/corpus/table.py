"""A labeled CSV as rows with line numbers, and what is wrong with its form."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from classifier.errors import InputError

#: The longest cell read, in characters; a longer one is nearly always an unclosed quotation mark.
MAX_CELL = 10_000_000

_DELIMITERS = (",", ";", "\t")

#: Read after the last line: a cell of its own, unless a quotation mark is still open.
_END = "\0end\0"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a labeled CSV keeps what training needs.

    Parameters
    ----------
    text, label, group : str
        Column names. The group column is optional in the file.
    separator : str
        Between several labels of one cell.
    """

    text: str = "text"
    label: str = "labels"
    group: str = "article_id"
    separator: str = "|"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong, or doubtful, in a labeled CSV.

    Parameters
    ----------
    line : int
        Line of the file, from 1; 0 where the problem is the file's as a whole.
    severity : {"error", "warning"}
        Errors stop training; warnings do not.
    message : str
        What is wrong and what to do.
    """

    line: int
    severity: Literal["error", "warning"]
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and the line of the file where it begins."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class Table:
    """A CSV file as rows with line numbers, and what is wrong with its form."""

    header: list[str]
    rows: list[Row]
    problems: list[Problem]
    sha256: str
    cut_short: bool = False

    def column(self, name: str) -> list[str]:
        """Return the cells of one column."""
        index = self.header.index(name)
        return [row.cells[index] for row in self.rows]


def read_table(path: str | Path) -> Table:
    """Read a CSV file as rows with line numbers, noting what is wrong with its form.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror or error}.") from None
    problems: list[Problem] = []
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        start = mark + error.start
        line = data.count(b"\n", 0, start) + 1
        column = start - (data.rfind(b"\n", 0, start) + 1) + 1
        problems.append(
            Problem(
                line,
                "error",
                f"not UTF-8: byte 0x{data[start]:02x} at byte {column} of the line "
                f"(byte {start} of the file); save the file as UTF-8",
            )
        )
        text = data[mark:].decode("utf-8", errors="replace")
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(itertools.chain(io.StringIO(text, newline=""), [_END]), delimiter=delimiter)
    header: list[str] = []
    rows: list[Row] = []
    line = 1
    cut_short = False
    try:
        for cells in reader:
            if cells == [_END]:
                break
            if cells and cells[-1].endswith(_END):
                message = (
                    "a quotation mark opens a cell here that no other closes; close it, or double it to mean itself"
                )
                problems.append(Problem(line, "error", message))
                cut_short = True
                break
            if not cells:
                line = reader.line_num + 1
                continue
            if not header:
                header = [name.strip() for name in cells]
            elif len(cells) != len(header):
                problems.append(
                    Problem(
                        line,
                        "error",
                        f"{len(cells)} cells where the header has {len(header)}; "
                        "quote cells that contain a comma or a line break",
                    )
                )
            else:
                rows.append(Row(line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(line, "error", f"not CSV from here on: {error}; look for an unclosed quotation mark"))
        cut_short = True
    return Table(header, rows, problems, hashlib.sha256(data).hexdigest(), cut_short)


def is_scored(header: Sequence[str]) -> bool:
    """Tell whether a table is what ``framing score`` writes: its labels are a model's."""
    return {"labels", "out_of_domain", "model"} <= set(header)


def split_labels(cell: str, separator: str) -> tuple[str, ...]:
    """Return the labels that a cell names, each once, in its order."""
    return tuple(dict.fromkeys(name.strip() for name in cell.split(separator) if name.strip()))
