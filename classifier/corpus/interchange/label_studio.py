"""Label Studio's JSON and JSON-MIN exports, and its tasks with annotations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from classifier.codebook import Codebook
from classifier.corpus.interchange.records import (
    RecordError,
    Records,
    check_names,
    divide,
    finish,
    is_labeled,
    joined,
    kept,
    label_names,
    restored,
    row_labels,
    text_of,
)
from classifier.corpus.table import Columns
from classifier.errors import InputError

#: Name of the control that holds the frames.
CONTROL = "frames"


def read_label_studio(data: bytes, path: str | Path, columns: Columns, unlabeled: bool = False) -> Records:
    """Read an export, JSON or JSON-MIN; tasks without annotation, or of annotators who disagree, are left out."""
    tasks = _tasks(data, path)
    records = Records()
    for number, task in enumerate(tasks, 1):
        try:
            row = _task_row(task, columns) if "data" in task else _minimal_row(task, columns)
            if row is None and unlabeled and not _is_disputed(task):
                row = _bare_row(task, columns)
        except RecordError as problem:
            raise InputError(f"{path}, task {task.get('id', number)}: {problem}.") from None
        if row is None:
            disputed = _is_disputed(task)
            reason = "tasks whose annotators disagree (framing agree shows them)" if disputed else WITHOUT
            records.skipped[reason] += 1
        else:
            records.add(row, number)
    return finish(records, "label_studio", columns)


#: Why a task is left out.
WITHOUT = "tasks without annotation"


def read_annotators(
    data: bytes, path: str | Path, columns: Columns
) -> list[tuple[str, dict[str, str], dict[str, list[str]]]]:
    """Read who said what in an export.

    Parameters
    ----------
    data : bytes
    path : str or Path
        Named in messages.
    columns : Columns

    Returns
    -------
    list of (str, dict, dict)
        Of each task with annotations: its text, its other fields that are texts, and the labels by annotator.

    Raises
    ------
    InputError
        If it is no export of Label Studio.
    """
    found = []
    for number, task in enumerate(_tasks(data, path), 1):
        fields = task.get("data")
        try:
            if not isinstance(fields, dict):
                raise RecordError("it has no data; export JSON, not JSON-MIN, to tell annotators apart")
            text, name = text_of(fields, columns.text, "text")
            said: dict[str, list[str]] = {}
            for place, annotation in enumerate(_annotations(task), 1):
                said[_annotator(annotation, place)] = _choices(annotation)
        except RecordError as problem:
            raise InputError(f"{path}, task {task.get('id', number)}: {problem}.") from None
        texts, _ = divide({field: value for field, value in fields.items() if field != name})
        if said:
            found.append((text, texts, said))
    return found


def _annotator(annotation: Mapping[str, Any], place: int) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return f"annotator {place if who is None else who}" if not isinstance(who, str) else who


def _tasks(data: bytes, path: str | Path) -> list[dict[str, Any]]:
    try:
        tasks = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}.") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path}: not a Label Studio export, which is a list of tasks.")
    return tasks


def _is_disputed(task: Mapping[str, Any]) -> bool:
    """Tell whether annotators of a task disagree."""
    return len({frozenset(_choices(annotation)) for annotation in _annotations(task)}) > 1


def _bare_row(task: dict[str, Any], columns: Columns) -> dict[str, str]:
    """Return a task that nobody has annotated as a row without labels."""
    fields = task.get("data", task)
    text, name = text_of(fields, columns.text, "text")
    texts, rest = divide({field: value for field, value in fields.items() if field != name})
    outside = {field: value for field, value in task.items() if field != "data"} if "data" in task else {}
    whole = {**outside, "data": {**rest, **({_TEXT: name} if name != "text" else {})}}
    row = {columns.text: text, **texts}
    return row if _task(row, columns) == task else {**row, **kept("label_studio", whole)}


def _task_row(task: dict[str, Any], columns: Columns) -> dict[str, str] | None:
    fields = task["data"]
    if not isinstance(fields, dict):
        raise RecordError("its data is not an object")
    text, name = text_of(fields, columns.text, "text")
    found = [_choices(annotation) for annotation in _annotations(task)]
    if not found:
        return None
    if _is_disputed(task):
        return None
    texts, rest = divide({field: value for field, value in fields.items() if field != name})
    whole = {**task, "data": {**rest, **({_TEXT: name} if name != "text" else {})}}
    row = {columns.text: text, columns.label: joined(found[0], columns), **texts}
    return row if _task(row, columns) == task else {**row, **kept("label_studio", whole)}


#: Where the name of the text is kept, if it is another than ``text``.
_TEXT = "name of the text"


def _annotations(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what people have decided: neither cancelled annotations nor predictions."""
    found = task.get("annotations", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RecordError("its annotations are not a list of objects")
    return [one for one in found if not one.get("was_cancelled")]


def _results(annotation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results of the control that holds the frames."""
    results = annotation.get("result") or []
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise RecordError("an annotation's result is not a list of objects")
    choices = [one for one in results if one.get("type") == "choices"]
    controls = {str(one.get("from_name")) for one in choices}
    if len(controls) > 1 and CONTROL not in controls:
        raise RecordError(
            f"choices of several controls ({', '.join(sorted(controls))}); name the one of the frames {CONTROL!r}"
        )
    return [one for one in choices if len(controls) == 1 or one.get("from_name") == CONTROL]


def _choices(annotation: Mapping[str, Any]) -> list[str]:
    values = [one.get("value") for one in _results(annotation)]
    return [name for value in values if isinstance(value, dict) for name in label_names(value.get("choices"))]


def _minimal_row(task: dict[str, Any], columns: Columns) -> dict[str, str] | None:
    """Read a task of the export JSON-MIN, which has data and choices side by side."""
    text, name = text_of(task, columns.text, "text")
    key = next((key for key in (columns.label, CONTROL, "choices", "label") if key in task), None)
    if key is None:
        return None
    value = task[key]
    names = label_names(value.get("choices") if isinstance(value, dict) else value)
    texts, rest = divide({field: value for field, value in task.items() if field not in (name, key)})
    return {
        columns.text: text,
        columns.label: joined(names, columns),
        **texts,
        **kept("label_studio", {_MINIMAL: rest}),
    }


_MINIMAL = "JSON-MIN"


def write_label_studio(records: Records, columns: Columns, codebook: Codebook | None) -> bytes:
    """Return records as tasks, each with one annotation; what a model said is a prediction, and none."""
    check_names(records, ("text",), "Label Studio", columns)
    if records.predicted:
        tasks = [_predicted(row, columns) for row in records.rows]
        return orjson.dumps(tasks, option=orjson.OPT_INDENT_2)
    return orjson.dumps([_task(row, columns) for row in records.rows], option=orjson.OPT_INDENT_2)


def _predicted(row: dict[str, str], columns: Columns) -> dict[str, Any]:
    """Return a row of scored output as a task with a prediction."""
    names = row_labels(row, columns)
    rest = {name: value for name, value in row.items() if name not in (columns.text, columns.label)}
    result = [{"from_name": CONTROL, "to_name": "text", "type": "choices", "value": {"choices": names}}]
    prediction = {"model_version": row.get("model", ""), "result": result if names else []}
    return {"data": {"text": row[columns.text], **rest}, "predictions": [prediction]}


def _task(row: dict[str, str], columns: Columns) -> dict[str, Any]:
    task: dict[str, Any]
    texts, task = restored(row, "label_studio", columns)
    names = row_labels(row, columns)
    minimal = task.pop(_MINIMAL, None)
    rest = minimal if minimal is not None else task.pop("data", {})
    task["data"] = {rest.pop(_TEXT, "text"): row[columns.text], **texts, **rest}
    if not is_labeled(row, columns):
        return task
    annotations = _annotations(task)
    if not annotations:
        annotations = [{"result": []}]
        task["annotations"] = [*task.get("annotations", []), *annotations]
    for annotation in annotations:
        if set(_choices(annotation)) != set(names):
            _decide(annotation, names)
    return task


def _decide(annotation: dict[str, Any], names: list[str]) -> None:
    """Write other labels into an annotation."""
    old = _results(annotation)
    head = {"from_name": CONTROL, "to_name": "text", **(old[0] if old else {}), "type": "choices"}
    others = [one for one in annotation.get("result") or [] if one not in old]
    annotation["result"] = [*others, *([{**head, "value": {"choices": names}}] if names else [])]
