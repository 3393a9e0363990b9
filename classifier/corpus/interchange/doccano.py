"""doccano's JSON Lines for text classification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from classifier.codebook import Codebook
from classifier.corpus.interchange.records import (
    RecordError,
    Records,
    as_jsonl,
    check_names,
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


def read_doccano(data: bytes, path: str | Path, columns: Columns, unlabeled: bool = False) -> Records:
    """Read what doccano exports as JSONL; an empty list of labels is a text without a frame."""
    records = Records()
    for number, record in json_lines(data, path):
        if isinstance(record.get("sentences"), list) and "model" in record:
            raise InputError(
                f"{path}, line {number}: this is what framing score writes: a model's labels, and no person's; "
                "score with --format csv to convert them to predictions for Label Studio."
            )
        try:
            text, name = text_of(record, "text", "data", columns.text)
            key = "label" if "label" in record else "labels"
            row = {columns.text: text}
            if key in record or not unlabeled:
                row[columns.label] = joined(label_names(record.get(key)), columns)
        except RecordError as problem:
            raise InputError(f"{path}, line {number}: {problem}.") from None
        texts, rest = divide({field: value for field, value in record.items() if field not in (name, key)})
        records.add({**row, **texts, **(kept("doccano", rest) if rest else {})}, number)
    return finish(records, "doccano", columns)


def write_doccano(records: Records, columns: Columns, codebook: Codebook | None) -> bytes:
    """Return records as doccano imports them."""
    check_names(records, ("text", "label"), "doccano", columns)

    def record(row: dict[str, str]) -> dict[str, Any]:
        texts, rest = restored(row, "doccano", columns)
        labels = {"label": row_labels(row, columns)} if is_labeled(row, columns) else {}
        return {"text": row[columns.text], **labels, **texts, **rest}

    return as_jsonl(map(record, records.rows))
