"""Labeled CSV as records."""

from __future__ import annotations

from pathlib import Path

from classifier.codebook import Codebook
from classifier.corpus.interchange.records import Records, is_labeled
from classifier.corpus.table import Columns, is_scored, read_table
from classifier.errors import InputError
from classifier.system.files import csv_lines


def read_csv(data: bytes, path: str | Path, columns: Columns, unlabeled: bool = False) -> Records:
    """Read labeled CSV; see `read_records`."""
    table = read_table(path)
    for problem in table.problems:
        raise InputError(f"{path}, line {problem.line}: {problem.message}.")
    for name in (columns.text,) if unlabeled else (columns.text, columns.label):
        if name not in table.header:
            raise InputError(f"{path}: no column {name!r}; the header has {', '.join(map(repr, table.header))}.")
    rows = [dict(zip(table.header, row.cells, strict=True)) for row in table.rows]
    predicted = is_scored(table.header)
    return Records(list(table.header), rows, [row.line for row in table.rows], predicted=predicted)


def write_csv(records: Records, columns: Columns, codebook: Codebook | None) -> bytes:
    """Return records as labeled CSV, or as CSV without labels where none are."""
    undecided = sum(not is_labeled(row, columns) for row in records.rows)
    if undecided and undecided < len(records.rows):
        raise InputError(
            f"{undecided:,} sentences are not labeled: in CSV they would look like sentences without a frame; "
            "leave --unlabeled away, or write another format."
        )
    rows = ([row.get(name, "") for name in records.header] for row in records.rows)
    return csv_lines([records.header, *rows]).encode()
