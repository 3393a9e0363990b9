"""Prodigy's JSON Lines: the ``choice`` interface, and binary text classification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifier.codebook import Codebook
from classifier.corpus.interchange.records import (
    RecordError,
    Records,
    as_jsonl,
    divide,
    finish,
    is_labeled,
    joined,
    json_lines,
    kept,
    label_names,
    restored,
    row_labels,
    text_of,
)
from classifier.corpus.table import Columns
from classifier.errors import InputError


def read_prodigy(data: bytes, path: str | Path, columns: Columns, unlabeled: bool = False) -> Records:
    """Read what ``db-out`` gives; examples that were rejected or ignored are left out."""
    records = Records()
    binary: dict[str, list[dict[str, Any]]] = {}
    places: dict[str, int] = {}
    for number, record in json_lines(data, path):
        try:
            text, _ = text_of(record, "text")
            if isinstance(record.get("label"), str) and "options" not in record and "accept" not in record:
                binary.setdefault(text, []).append(record)
                places.setdefault(text, number)
                continue
            row = {columns.text: text, columns.label: joined(label_names(record.get("accept")), columns)}
        except RecordError as problem:
            raise InputError(f"{path}, line {number}: {problem}.") from None
        if unlabeled and "answer" not in record and not record.get("accept"):
            del row[columns.label]
        elif record.get("answer") != "accept":
            records.skipped[f"examples answered {record.get('answer') or 'by nobody'}"] += 1
            continue
        texts, rest = _prodigy_fields(record)
        records.add({**row, **texts, **kept("prodigy", rest)}, number)
    for text, answers in binary.items():
        names = [record["label"] for record in answers if record.get("answer") == "accept"]
        if all(record.get("answer") == "ignore" for record in answers):
            records.skipped["examples answered ignore"] += 1
            continue
        try:
            row = {columns.text: text, columns.label: joined(names, columns)}
        except RecordError as problem:
            raise InputError(f"{path}, line {places[text]}: {problem}.") from None
        records.add({**row, **kept("prodigy", {_BINARY: answers})}, places[text])
    _forget_options(records, columns)
    return finish(records, "prodigy", columns)


def _forget_options(records: Records, columns: Columns) -> None:
    """Drop the options from rows whose options would be written just so again."""
    usual = kept("prodigy", {"options": _options(records, columns, None)})["prodigy"]
    for row in records.rows:
        if row["prodigy"] == usual:
            del row["prodigy"]


def _options(records: Records, columns: Columns, codebook: Codebook | None) -> list[dict[str, str]]:
    found = dict.fromkeys(name for row in records.rows for name in row_labels(row, columns))
    titles = {frame.name: frame.title for frame in codebook.frames} if codebook else {}
    return [{"id": name, "text": titles.get(name, name)} for name in dict.fromkeys([*titles, *found])]


#: Where the questions of a binary session are kept: one label each, accepted or rejected.
_BINARY = "binary answers"


def _prodigy_fields(record: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    meta = record.get("meta")
    texts, rest = divide(meta if isinstance(meta, dict) else {})
    # Options are frames with titles; a row keeps them so that they come back as they were.
    kept = {name: value for name, value in record.items() if name not in ("text", "accept", "answer", "meta")}
    if not isinstance(meta, dict):
        kept[_NO_META] = True
    return texts, {**kept, "meta": rest} if rest else kept


_NO_META = "no meta"


def write_prodigy(records: Records, columns: Columns, codebook: Codebook | None) -> bytes:
    """Return records as ``db-in`` takes them."""
    options = _options(records, columns, codebook)

    def examples(row: dict[str, str]) -> Iterator[dict[str, Any]]:
        texts, rest = restored(row, "prodigy", columns)
        names = row_labels(row, columns)
        if _BINARY in rest:
            for record in rest[_BINARY]:
                answer = "accept" if record["label"] in names else "reject"
                yield {**record, "answer": answer if record.get("answer") != "ignore" else "ignore"}
            return
        bare = rest.pop(_NO_META, False)
        meta = {**texts, **rest.pop("meta", {})}
        decided = {"accept": names, "answer": "accept"} if is_labeled(row, columns) else {}
        example = {"text": row[columns.text], "options": options, **rest, **decided}
        yield example if bare and not meta else {**example, "meta": meta}

    return as_jsonl(example for row in records.rows for example in examples(row))
