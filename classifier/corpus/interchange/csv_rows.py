"""Labeled CSV as records."""

from __future__ import annotations

from pathlib import Path

from classifier.codebook import Codebook
from classifier.corpus.interchange.records import Records
from classifier.corpus.table import Columns, read_table
from classifier.errors import InputError
from classifier.system.files import csv_lines


def read_csv(data: bytes, path: str | Path, columns: Columns) -> Records:
    """Read labeled CSV; see `read_records`."""
    table = read_table(path)
    for problem in table.problems:
        raise InputError(f"{path}, line {problem.line}: {problem.message}.")
    for name in (columns.text, columns.label):
        if name not in table.header:
            raise InputError(f"{path}: no column {name!r}; the header has {', '.join(map(repr, table.header))}.")
    rows = [dict(zip(table.header, row.cells, strict=True)) for row in table.rows]
    return Records(list(table.header), rows, [row.line for row in table.rows])


def write_csv(records: Records, columns: Columns, codebook: Codebook | None) -> bytes:
    """Return records as labeled CSV."""
    rows = ([row.get(name, "") for name in records.header] for row in records.rows)
    return csv_lines([records.header, *rows]).encode()
