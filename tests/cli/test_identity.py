"""No command destroys what it reads, nor somebody else's file: refused before anything is opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

TEXT = "The EU condemned the arrests in Minsk.\n"
LABELS = "text,labels\n" + "".join(f"Rain number {i} fell.,rain\nWind number {i} blew.,wind\n" for i in range(30))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT, encoding="utf-8")
    Path("a.csv").write_text(LABELS, encoding="utf-8")
    Path("a.jsonl").write_text(json.dumps({"text": TEXT}) + "\n", encoding="utf-8")
    Path("sub").mkdir()
    Path("link.jsonl").symlink_to("a.jsonl")
    os.link("a.jsonl", "hard.jsonl")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        "score a.txt -o a.txt --format jsonl",
        "score a.csv -o a.csv --text-column text",
        "score a.jsonl --errors a.jsonl",
        "score a.jsonl -o a.jsonl",
        "score a.jsonl -o ./sub/../a.jsonl",
        "score a.jsonl -o link.jsonl",
        "score link.jsonl -o a.jsonl",
        "score a.jsonl -o hard.jsonl",
        "score hard.jsonl a.txt --errors link.jsonl -o o.csv",
        "score *.jsonl -o a.jsonl",
        "score a.txt -o o.jsonl --errors o.jsonl",
        "score a.txt -o o.jsonl --errors o.jsonl.partial",
        "score a.txt -o o.jsonl --errors o.jsonl.journal",
        "score a.txt -o o.csv --errors sub/../o.csv.journal.new",
        "score a.txt -o a.xlsx",
        "score a.txt -o a.docx",
        "convert a.csv a.csv --to doccano",
        "convert a.csv ./sub/../a.csv",
    ],
)
def test_is_refused(folder: Path, cli: Callable[..., Any], arguments: str) -> None:
    before = contents(folder)
    result = cli(*arguments.split())
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) <= 4
    assert contents(folder) == before


def test_a_page_of_figures_is_a_page(folder: Path, cli: Callable[..., Any], weather_csv: Path) -> None:
    assert cli("evaluate", weather_csv, "--folds", "2", "-o", "figures.html", "--quiet").exit_code == 0
    assert Path("figures.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert cli("evaluate", weather_csv, "--folds", "2", "-o", "figures.xlsx").exit_code == 2
    assert cli("evaluate", "a.csv", "--folds", "2", "-o", "a.csv", "--format", "json").exit_code == 2
    assert Path("a.csv").read_text(encoding="utf-8") == LABELS


def test_a_second_run_over_its_own_output_in_a_folder_is_no_harm(folder: Path, cli: Callable[..., Any]) -> None:
    for _ in range(2):
        assert cli("score", folder, "-o", folder / "sub" / "scores.csv", "--quiet").exit_code == 0
        assert (folder / "a.txt").read_text(encoding="utf-8") == TEXT


def test_somebodys_own_partial_file_is_left(folder: Path, cli: Callable[..., Any]) -> None:
    Path("o.jsonl.partial").write_text("mine\n", encoding="utf-8")
    for more in ((), ("--resume",)):
        result = cli("score", "a.txt", "-o", "o.jsonl", *more)
        assert result.exit_code == 2
        assert "no run has left it" in result.stderr
    assert Path("o.jsonl.partial").read_text(encoding="utf-8") == "mine\n"


def test_train_writes_beside_the_csv(folder: Path, cli: Callable[..., Any]) -> None:
    assert cli("train", "a.csv", "--quiet", "--folds", "2").exit_code == 0
    assert (folder / "a" / "model.json").is_file()
    assert not (folder / "artifacts").exists()


def test_train_never_writes_into_the_package(folder: Path, cli: Callable[..., Any]) -> None:
    import classifier

    inside = Path(classifier.__file__).parent / "artifacts" / "mine"
    result = cli("train", "a.csv", "-o", inside)
    assert result.exit_code == 2
    assert "installed package" in result.stderr
    assert not inside.exists()


def stopped(folder: Path, environment: dict[str, str], lines: Sequence[str]) -> None:
    """Feed a run over a pipe bit by bit until it has recorded some of it, and kill it."""
    command = [sys.executable, "-m", "classifier", "score", "-", "--input-format", "jsonl", "-o", "o.jsonl", "--quiet"]
    journal = folder / "o.jsonl.journal"
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=folder) as process:
        assert process.stdin is not None
        for start in range(0, len(lines), 100):
            process.stdin.write("".join(lines[start : start + 100]).encode())
            process.stdin.flush()
            # Progress is recorded every half second, when a batch is done; before the run began there is no journal.
            while not journal.exists():
                time.sleep(0.05)
            time.sleep(0.1)
            if json.loads(journal.read_bytes())["progress"]["items"]:
                break
        else:
            raise AssertionError("nothing was recorded")
        process.kill()


class TestResume:
    LINES = tuple(json.dumps({"text": f"Article {i} about Minsk."}) + "\n" for i in range(4_000))

    @pytest.fixture
    def resumed(self, folder: Path, environment: dict[str, str]) -> Callable[[str], subprocess.CompletedProcess[str]]:
        stopped(folder, environment, self.LINES[:3_000])
        command = [sys.executable, "-m", "classifier", "score", "-", "--input-format", "jsonl", "-o", "o.jsonl"]

        def run(text: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*command, "--resume", "--quiet"],
                input=text,
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=120,
            )

        return run

    def test_the_same_input_goes_on(self, folder: Path, resumed: Callable[..., Any]) -> None:
        assert resumed("".join(self.LINES)).returncode == 0
        ids = [json.loads(line)["sentences"][0]["text"] for line in (folder / "o.jsonl").read_text().splitlines()]
        assert ids == [f"Article {i} about Minsk." for i in range(4_000)]

    def test_other_data_on_stdin_is_refused(self, folder: Path, resumed: Callable[..., Any]) -> None:
        result = resumed("".join(self.LINES).replace("Minsk", "Mensk"))
        assert result.returncode == 2
        assert "no longer those" in result.stderr
        assert "Traceback" not in result.stderr

    def test_an_edited_partial_is_refused(self, folder: Path, resumed: Callable[..., Any]) -> None:
        partial = folder / "o.jsonl.partial"
        partial.write_bytes(partial.read_bytes().replace(b"Minsk", b"Mensk"))
        result = resumed("".join(self.LINES))
        assert result.returncode == 2
        assert "changed since the interrupted run wrote it" in result.stderr

    @pytest.mark.parametrize(
        "change",
        [
            {"progress": None},
            {"progress": {}},
            {"settings": None},
            {"settings": []},
            {"format": 1},
            {"progress": {"items": -1}},
            {"progress": {"items": "many"}},
            {"progress": {"sizes": {"output": "x"}}},
            {"progress": {"sizes": {}}},
            {"progress": {"sums": {}}},
            {"progress": {"other": 1}},
        ],
    )
    def test_a_tampered_journal_is_one_sentence(
        self, folder: Path, resumed: Callable[..., Any], change: dict[str, Any]
    ) -> None:
        path = folder / "o.jsonl.journal"
        journal = json.loads(path.read_bytes())
        for key, value in change.items():
            journal[key] = {**journal[key], **value} if isinstance(value, dict) and value else value
        path.write_text(json.dumps(journal), encoding="utf-8")
        result = resumed("".join(self.LINES))
        assert result.returncode == 2
        assert result.stderr.count("\n") <= 2
        assert "Traceback" not in result.stderr
