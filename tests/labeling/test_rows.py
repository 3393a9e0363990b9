"""Labels go out of a project and into everything else; what nobody or a model said is no label."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from classifier.articles import Article
from classifier.codebook import read_codebook
from classifier.labeling.frames import checked, read_frames, write_frames
from classifier.labeling.ledger import Ledger
from classifier.labeling.session import Session, add_coder
from classifier.labeling.store import Project
from tests.corpora import FLOODS_AND_STRIKES, write_rows

BOOK = {"title": "Town", "frames": [{"title": "Flood", "keywords": ["flood"]}, {"title": "Strike"}]}


def text_of(item: dict[str, Any]) -> str:
    return next(text for number, text, *_ in item["around"] if number == item["sentence"])


ANSWERS = {text: labels.split("|") for article in FLOODS_AND_STRIKES for labels, text in article}


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """Fifty of sixty sentences labeled by Ada, one skipped, five by Ben, on one of which they disagree."""
    path = tmp_path / "coding.db"
    with Project(path, write=True, create=True) as project:
        project.add_articles(
            Article(
                f"{i}.txt",
                "\n\n".join(text for _, text in article),
                title=f"Article {i}",
                date="2024-05-01",
                metadata={"section": "news", "page": i},
            )
            for i, article in enumerate(FLOODS_AND_STRIKES)
        )
        for name in ("Ada", "Ben"):
            add_coder(project, Ledger.of(project.events()), name)
        session = Session(project, tmp_path / "coding.toml", learn=False, double_share=1)
        session.save_codebook("Ada", BOOK)
        ids = {"flood": 1, "strike": 2}
        for number in range(51):
            item = session.view("Ada")["item"]
            frames = [ids[name] for name in ANSWERS[text_of(item)] if name]
            comment = "a comment" if number == 3 else None
            session.decide("Ada", item["sentence"], frames, skip=number == 7, unsure=number == 5, comment=comment)
        labeled = sorted(session.ledger.finals)[:5]
        for number, sentence in enumerate(labeled):
            frames = sorted(session.ledger.finals[sentence])
            session.decide("Ben", sentence, frames if number else [one for one in (1, 2) if one not in frames])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_labels_come_with_who_when_why_and_how_likely(coded: Path, tmp_path: Path, cli) -> None:
    result = cli("convert", coded, tmp_path / "labels.csv")
    assert result.exit_code == 0, result.output
    rows = read(tmp_path / "labels.csv")
    assert len(rows) == 49
    assert "1 sentences whose coders disagree" in result.stderr
    assert "1 sentences that were skipped" in result.stderr
    for row in rows:
        assert row["labels"] == "|".join(ANSWERS[row["text"]])
        assert row["labels_Ada"] == row["labels"]
        assert row["coder"] in ("Ada", "Ada|Ben")
        assert row["origin"] in ("random", "start")
        assert row["labeled_at"].endswith("Z")
        assert row["date"] == "2024-05-01"
        assert row["metadata.section"] == "news"
        assert row["title"] == f"Article {row['metadata.page']}"
    assert [row["comment"] for row in rows if row["comment"]] == ["Ada: a comment"]
    assert sum(row["unsure"] == "yes" for row in rows) == 1
    drawn = {row["inclusion_probability"] for row in rows if row["origin"] == "random"}
    assert len(drawn) == 1
    assert 0 < float(drawn.pop()) <= 1


@pytest.mark.parametrize("tool", ["doccano", "label-studio", "prodigy"])
def test_labels_go_to_other_tools_and_come_back(coded: Path, tool: str, tmp_path: Path, cli) -> None:
    target = tmp_path / ("labels.json" if tool == "label-studio" else "labels.jsonl")
    assert cli("convert", coded, target, "--to", tool).exit_code == 0
    assert "inclusion_probability" in target.read_text(encoding="utf-8")
    assert cli("convert", target, tmp_path / "back.csv", "--from", tool).exit_code == 0
    assert cli("convert", coded, tmp_path / "labels.csv").exit_code == 0
    assert sorted((row["text"], row["labels"]) for row in read(tmp_path / "back.csv")) == sorted(
        (row["text"], row["labels"]) for row in read(tmp_path / "labels.csv")
    )


@pytest.mark.parametrize("tool", ["doccano", "label-studio", "prodigy"])
def test_unlabeled_sentences_are_converted_as_such(coded: Path, tool: str, tmp_path: Path, cli) -> None:
    target = tmp_path / "labels.jsonl"
    assert cli("convert", coded, target, "--to", tool, "--unlabeled").exit_code == 0
    text = target.read_text(encoding="utf-8")
    records = json.loads(text) if tool == "label-studio" else [json.loads(line) for line in text.splitlines()]
    assert len(records) == 60
    field = {"doccano": "label", "label-studio": "annotations", "prodigy": "answer"}[tool]
    assert sum(field in record for record in records) == 49
    result = cli("convert", target, tmp_path / "mixed.csv", "--from", tool, "--unlabeled")
    assert result.exit_code == 2
    assert "would look like sentences without a frame" in result.stderr
    assert not (tmp_path / "mixed.csv").exists()


def test_a_csv_without_labels_becomes_tasks_without_annotation(tmp_path: Path, cli) -> None:
    source = write_rows(tmp_path / "texts.csv", ("text", "id"), [("One.", "1"), ("Two.", "2")])
    assert cli("convert", source, tmp_path / "tasks.json").exit_code == 2
    assert cli("convert", source, tmp_path / "tasks.json", "--unlabeled").exit_code == 0
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert tasks == [{"data": {"text": "One.", "id": "1"}}, {"data": {"text": "Two.", "id": "2"}}]
    assert cli("convert", tmp_path / "tasks.json", tmp_path / "back.csv", "--unlabeled").exit_code == 0
    assert (tmp_path / "back.csv").read_text(encoding="utf-8") == source.read_text(encoding="utf-8")


def test_what_a_model_said_is_a_prediction_and_no_label(
    model_directory: Path, article_file: Path, tmp_path: Path, cli
) -> None:
    scored = tmp_path / "scored.csv"
    assert cli("score", article_file, "--model", model_directory, "--output", scored).exit_code == 0
    check = cli("check", scored)
    assert check.exit_code == 2
    assert "a model's, as framing score writes them, and no person's" in check.output
    assert cli("train", scored, "--output", tmp_path / "model").exit_code == 2
    for tool in ("csv", "doccano", "prodigy"):
        result = cli("convert", scored, tmp_path / "out", "--to", tool)
        assert result.exit_code == 2
        assert "no person's" in result.stderr
    assert cli("convert", scored, tmp_path / "tasks.json").exit_code == 0
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert not any("annotations" in task for task in tasks)
    said = [[name for one in task["predictions"][0]["result"] for name in one["value"]["choices"]] for task in tasks]
    assert said == [[name for name in row["labels"].split("|") if name] for row in read(scored)]
    assert any(said)
    assert {task["predictions"][0]["model_version"] for task in tasks} == {read(scored)[0]["model"]}
    lines = tmp_path / "scored.jsonl"
    assert cli("score", article_file, "--model", model_directory, "--output", lines).exit_code == 0
    for arguments in (("check", lines), ("convert", lines, tmp_path / "out.csv")):
        result = cli(*arguments)
        assert result.exit_code == 2
        assert "no person's" in result.stderr
    # Reading the tasks back finds nobody's labels.
    result = cli("convert", tmp_path / "tasks.json", tmp_path / "back.csv")
    assert read(tmp_path / "back.csv") == []


def test_train_evaluate_and_check_read_a_project(coded: Path, tmp_path: Path, cli) -> None:
    check = cli("check", coded, "--folds", "3")
    assert check.exit_code == 0, check.output
    train = cli("train", coded, "--output", tmp_path / "model", "--folds", "3", "--quiet")
    assert train.exit_code == 0, train.output
    assert "Flood" in train.output
    assert cli("evaluate", coded, "--folds", "2", "--quiet").exit_code == 0
    seen = cli("evaluate", coded, "--model", tmp_path / "model")
    assert seen.exit_code == 1  # it was trained on all of it
    assert "trained on" in seen.stderr
    before = coded.read_bytes()
    assert cli("check", coded, "--folds", "3").exit_code == 0
    assert coded.read_bytes() == before


def test_a_project_without_frames_says_what_to_do(tmp_path: Path, cli) -> None:
    with Project(tmp_path / "coding.db", write=True, create=True) as project:
        project.add_articles([Article("a.txt", "It rains.")])
    for command in ("check", "train"):
        result = cli(command, tmp_path / "coding.db")
        assert result.exit_code == 2
        assert "no frames" in result.stderr


def test_a_codebook_made_on_the_page_is_what_every_command_reads(tmp_path: Path) -> None:
    hostile = 'a "quote" \\ back\nline \x7f tab\t {{ x }} é 😀'
    data = checked(
        {
            "title": hostile,
            "frames": [
                {"title": hostile, "name": "first", "definition": hostile, "example": hostile, "keywords": [hostile]},
                {"title": "Second one", "key": "z"},
            ],
            "roles": {"actors": {"west": {"title": "West", "terms": ["EU", "U.S."]}}},
        },
        0,
    )
    write_frames(data, tmp_path / "book.toml")
    book = read_codebook(tmp_path / "book.toml")
    assert book.title == hostile
    assert book.names == ("first", "second_one")
    assert book.frames[0].definition == hostile
    assert book.frames[0].keywords == (hostile,)
    assert book.frames[0].colour != book.frames[1].colour
    assert book.roles["actors"]["west"]["terms"] == ["EU", "U.S."]
    assert read_frames(tmp_path / "book.toml") == data


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"title": "A", "key": "u"}, "already does something else"),
        ({"title": "A", "key": "!"}, "must be a digit"),
        ({"title": "A", "name": "a|b"}, "cannot be a frame's name"),
        ({"title": "A", "colour": "red"}, "must look like"),
        ({"title": "A", "definition": 3}, "must be a text"),
        ({"title": "x" * 5_000}, "at most"),
        ({"title": "B", "name": "b"}, "defined twice"),
        ({"title": "!"}, "cannot be a frame's name"),
        ("A", "is not an object"),
    ],
)
def test_a_frame_that_cannot_be_is_named(frame: object, message: str) -> None:
    with pytest.raises(Exception, match=message):
        checked({"frames": [{"title": "B", "key": "7"}, frame]}, 0)


def test_numbers_of_frames_stay_and_are_never_used_again() -> None:
    book = checked({"frames": [{"title": "A"}, {"title": "B"}]}, 0)
    assert [frame["id"] for frame in book["frames"]] == [1, 2]
    edited = checked({"frames": [{"title": "C"}, book["frames"][1], {"title": "D", "id": 99}]}, 2)
    assert [(frame["title"], frame["id"]) for frame in edited["frames"]] == [("C", 3), ("B", 2), ("D", 4)]
