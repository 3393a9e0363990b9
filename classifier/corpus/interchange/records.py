"""Labeled sentences as rows of strings, and what every tool's format shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from classifier.corpus.table import Columns
from classifier.errors import InputError


@dataclass
class Records:
    """Labeled sentences as rows of strings.

    Parameters
    ----------
    header : list of str
        Every column, in order.
    rows : list of dict of str to str
    places : list of int
        Line or item of the file, a row.
    skipped : Counter
        What was left out because nobody has labeled it, by reason.
    predicted : bool
        Whether the labels are a model's and no person's.
    """

    header: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    predicted: bool = False

    def add(self, row: dict[str, str], place: int) -> None:
        """Add a row, and the columns that it is the first to have."""
        self.header += [name for name in row if name not in self.header]
        self.rows.append(row)
        self.places.append(place)


class RecordError(InputError):
    """What is wrong with one record."""


def divide(fields: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Divide fields into those that are columns, and the rest."""
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    return texts, {name: value for name, value in fields.items() if not isinstance(value, str)}


def kept(tool: str, rest: Mapping[str, Any]) -> dict[str, str]:
    """Return the column that keeps the rest of a record."""
    return {tool: orjson.dumps(rest).decode()}


def finish(records: Records, tool: str, columns: Columns) -> Records:
    """Note for each row which columns it did not have, so that an empty cell is not taken for an empty text."""
    for row in records.rows:
        absent = [name for name in records.header if name not in row and name not in (tool, columns.label)]
        if absent:
            row[tool] = orjson.dumps({**orjson.loads(row.get(tool, "{}")), _ABSENT: absent}).decode()
    if all(row.get(tool, "{}") == "{}" for row in records.rows):
        records.header = [name for name in records.header if name != tool]
        for row in records.rows:
            row.pop(tool, None)
    records.header += [name for name in (columns.text,) if name not in records.header]
    if columns.label not in records.header and (not records.rows or any(columns.label in row for row in records.rows)):
        records.header.append(columns.label)
    return records


_ABSENT = "columns absent"


def restored(row: Mapping[str, str], tool: str, columns: Columns) -> tuple[dict[str, str], Any]:
    """Return the columns of a row that are the tool's data, and the rest that was kept of it."""
    try:
        rest = orjson.loads(row.get(tool) or "{}")
    except orjson.JSONDecodeError:
        raise InputError(f"the column {tool!r} holds something else than what was kept of {tool}; rename it.") from None
    if not isinstance(rest, dict):
        raise InputError(f"the column {tool!r} holds something else than what was kept of {tool}; rename it.")
    absent = rest.pop(_ABSENT, [])
    names = [name for name in row if name not in (tool, columns.text, columns.label) and name not in absent]
    return {name: row[name] for name in names}, rest


def check_names(records: Records, own: Iterable[str], tool: str, columns: Columns) -> None:
    """Refuse a column that has the name of one of the tool's own fields."""
    for name in records.header:
        if name in own and name not in (columns.text, columns.label):
            raise InputError(f"the column {name!r} has the name of one of {tool}'s own fields; rename it.")


def label_names(value: Any) -> list[str]:
    """Return the labels of a record as a list."""
    if value is None:
        return []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecordError("its labels are not a list of names; only labels of whole texts are read, not of spans")
    return names


def joined(names: Sequence[str], columns: Columns) -> str:
    """Return labels as a cell."""
    for name in names:
        if columns.separator in name or name != name.strip() or not name:
            raise RecordError(f"the label {name!r} is empty, or holds {columns.separator!r} or outer spaces; rename it")
    return columns.separator.join(dict.fromkeys(names))


def is_labeled(row: Mapping[str, str], columns: Columns) -> bool:
    """Tell whether somebody has decided on a row; a decision can be that there is no label."""
    return columns.label in row


def row_labels(row: Mapping[str, str], columns: Columns) -> list[str]:
    """Return the labels of a row."""
    return [name.strip() for name in row.get(columns.label, "").split(columns.separator) if name.strip()]


def text_of(fields: Mapping[str, Any], *names: str) -> tuple[str, str]:
    """Return the text of a record and the name it is under."""
    for name in names:
        if isinstance(fields.get(name), str):
            return fields[name], name
    raise RecordError(f"no text under {' or '.join(map(repr, dict.fromkeys(names)))}")


def json_lines(data: bytes, path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a JSON Lines file with their line numbers."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                record = orjson.loads(line)
            except (orjson.JSONDecodeError, RecursionError) as error:
                raise InputError(f"{path}, line {number}: not JSON: {error}.") from None
            if not isinstance(record, dict):
                raise InputError(f"{path}, line {number}: not a JSON object.")
            yield number, record


def as_jsonl(records: Iterable[Any]) -> bytes:
    """Return objects as JSON Lines."""
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
