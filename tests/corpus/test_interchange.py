"""Labels of doccano, Label Studio and Prodigy: there and back without loss."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier import Codebook, InputError, read_corpus
from classifier.cli import main
from classifier.codebook import Frame
from classifier.corpus import Columns, convert, label_studio_config

TOOLS = {"doccano": "jsonl", "label-studio": "json", "prodigy": "jsonl"}

CODEBOOK = Codebook("Weather & news", (Frame("rain", "Rain <wet>", 'It "rains"'), Frame("sun", "Sun")))

# As each tool's documentation shows its export, with texts of our own.
EXPORTS: dict[str, Any] = {
    "doccano": [
        {"id": 1, "text": "It rains.", "label": ["rain"], "Comments": []},
        {"id": 2, "text": "Nothing happens.", "label": [], "source": "wire", "Comments": ["unsure"]},
        {"id": 3, "text": "Both at once.", "label": ["rain", "sun"], "meta": {"page": 3}},
    ],
    "label-studio": [
        {
            "id": 7,
            "data": {"text": "It rains.", "outlet": "wire", "page": 2},
            "annotations": [
                {
                    "id": 1001,
                    "completed_by": 1,
                    "was_cancelled": False,
                    "lead_time": 4.2,
                    "result": [
                        {
                            "id": "yrSY-dipPI",
                            "type": "choices",
                            "value": {"choices": ["rain"]},
                            "to_name": "text",
                            "from_name": "frames",
                        }
                    ],
                }
            ],
            "predictions": [],
        },
        {"id": 8, "data": {"text": "Nothing happens."}, "annotations": [{"id": 1002, "result": []}]},
    ],
    "prodigy": [
        {
            "text": "It rains.",
            "meta": {"source": "wire", "page": 2},
            "_input_hash": 17,
            "_task_hash": -5,
            "options": [{"id": "rain", "text": "Rain"}, {"id": "sun", "text": "Sun"}],
            "accept": ["rain"],
            "answer": "accept",
        },
        {"text": "Nothing happens.", "options": [], "accept": [], "answer": "accept"},
    ],
    "prodigy-binary": [
        {"text": "It rains.", "label": "rain", "answer": "accept", "_task_hash": 1},
        {"text": "It rains.", "label": "sun", "answer": "reject", "_task_hash": 2},
        {"text": "Nothing happens.", "label": "sun", "answer": "reject"},
    ],
}


def write_export(path: Path, name: str) -> Path:
    records = EXPORTS[name]
    if name == "label-studio":
        path.write_text(json.dumps(records), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def read_export(path: Path, tool: str) -> Any:
    if tool == "label-studio":
        return json.loads(path.read_bytes())
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_goes_through_csv_and_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    tool = name.removesuffix("-binary")
    export = write_export(tmp_path / f"export.{TOOLS[tool]}", name)
    convert(export, tmp_path / "labels.csv", Columns())
    convert(tmp_path / "labels.csv", tmp_path / "back", Columns(), target_format=tool)
    assert read_export(tmp_path / "back", tool) == EXPORTS[name]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_as_people_labeled_it(tmp_path: Path, name: str) -> None:
    export = write_export(tmp_path / f"export.{TOOLS[name.removesuffix('-binary')]}", name)
    convert(export, tmp_path / "labels.csv", Columns())
    rows = read_rows(tmp_path / "labels.csv")
    assert [(row["text"], row["labels"]) for row in rows][:2] == [("It rains.", "rain"), ("Nothing happens.", "")]


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.mark.parametrize("tool", TOOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"text": cell, "labels": st.sets(st.sampled_from(["rain", "sun", "fog"])), "source": cell, "id": cell}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_csv_goes_through_any_tool_and_comes_back_as_it_was(
    tmp_path: Path, tool: str, rows: list[dict[str, Any]]
) -> None:
    table = [{**row, "labels": "|".join(sorted(row["labels"]))} for row in rows]
    before, between, after = tmp_path / "before.csv", tmp_path / f"x.{TOOLS[tool]}", tmp_path / "after.csv"
    with before.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["id", "text", "labels", "source"])
        writer.writeheader()
        writer.writerows(table)
    convert(before, between, Columns(), target_format=tool)
    convert(between, after, Columns(), source_format=tool)
    assert read_rows(after) == read_rows(before)


def test_labels_that_changed_in_the_csv_change_in_the_tool(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export.json", "label-studio")
    labels = tmp_path / "labels.csv"
    convert(export, labels, Columns())
    labels.write_text(labels.read_text(encoding="utf-8").replace("It rains.,rain", "It rains.,sun"), encoding="utf-8")
    convert(labels, tmp_path / "back.json", Columns())
    task = json.loads((tmp_path / "back.json").read_bytes())[0]
    assert task["annotations"][0]["result"][0]["value"] == {"choices": ["sun"]}
    assert task["annotations"][0]["result"][0]["id"] == "yrSY-dipPI"


def test_what_nobody_labeled_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    cancelled = {"was_cancelled": True, "result": []}
    tasks = [{"data": {"text": "One."}}, {"data": {"text": "Two."}, "annotations": [cancelled]}]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    records = convert(path, tmp_path / "labels.csv", Columns())
    assert (len(records.rows), records.skipped) == (0, {"tasks without annotation": 2})


def test_what_annotators_disagree_on_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    results = [
        {"result": [{"type": "choices", "from_name": "frames", "value": {"choices": [name]}}]}
        for name in ("sun", "rain")
    ]
    path.write_text(json.dumps([{"id": 5, "data": {"text": "One."}, "annotations": results}]), encoding="utf-8")
    records = convert(path, tmp_path / "labels.csv", Columns())
    assert records.rows == []
    assert dict(records.skipped) == {"tasks whose annotators disagree (framing agree shows them)": 1}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", "{bad", "line 1: not JSON"),
        ("x.jsonl", '{"label": []}', "line 1: no text"),
        ("x.jsonl", '{"text": "a", "label": [[0, 3, "rain"]]}', "not of spans"),
        ("x.jsonl", '{"text": "a", "label": ["a|b"]}', "rename it"),
        ("x.json", '{"text": "a"}', "not a Label Studio export"),
        ("x.json", "[" * 100_000, "not JSON"),
        ("x.csv", "text\nRain.\n", "no column 'labels'"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        convert(tmp_path / name, tmp_path / "labels.csv", Columns())
    assert not (tmp_path / "labels.csv").exists()


def test_titles_of_frames_become_their_names(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a", "label": ["Rain <wet>"]}\n', encoding="utf-8")
    convert(path, tmp_path / "labels.csv", Columns(), codebook=CODEBOOK)
    assert read_rows(tmp_path / "labels.csv")[0]["labels"] == "rain"


def test_the_labeling_configuration_is_xml_with_every_frame() -> None:
    view = ET.fromstring(label_studio_config(CODEBOOK))
    control = view.find("Choices")
    assert control is not None and control.attrib == {"name": "frames", "toName": "text", "choice": "multiple"}
    assert [choice.attrib for choice in control] == [
        {"value": "Rain <wet>", "alias": "rain", "hint": 'It "rains"'},
        {"value": "Sun", "alias": "sun"},
    ]


def test_a_corpus_is_read_from_another_tools_export(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    records = [{"text": f"{word} {i}.", "label": [word]} for word in ("rain", "sun") for i in range(3)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    corpus = read_corpus(path)
    assert corpus.texts[0] == "rain 0." and corpus.labels[-1] == ("sun",)


def test_the_commands(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export.json", "label-studio")
    result = CliRunner().invoke(main, ["convert", str(export), str(tmp_path / "labels.csv")])
    assert (result.exit_code, "2 sentences written" in result.stderr) == (0, True)
    assert CliRunner().invoke(main, ["convert", str(export), str(tmp_path / "x.jsonl")]).exit_code == 2
    exported = CliRunner().invoke(main, ["codebook", "export", "--to", "label-studio"])
    assert exported.exit_code == 0 and exported.stdout.startswith("<View>")
