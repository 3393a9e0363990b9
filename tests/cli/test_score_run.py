"""``framing score`` over many articles: faults, outputs that fail, and what a person is told."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.scoring.writers import FORMULA
from tests.articles import samples

FRAMING = [sys.executable, "-m", "classifier"]


def score(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*FRAMING, "score", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each format, three broken ones and a hostile one."""
    folder = samples.write_all(tmp_path_factory.mktemp("news") / "all")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    (folder / "broken.jsonl").write_bytes(b'{"text": "It is cut sh')
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 broken")
    (folder / "hostile.json").write_text('{"a":' * 100_000, encoding="utf-8")
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_good_are_scored_and_the_bad_are_named(folder: Path, tmp_path: Path, jobs: int) -> None:
    done = score(folder, "-o", tmp_path / "scores.jsonl", "--errors", tmp_path / "errors.jsonl", "--jobs", jobs)
    assert done.returncode == 0
    assert "4 could not be read" in done.stderr and "Traceback" not in done.stderr
    faults = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_bytes().splitlines()]
    assert sorted(Path(fault["source"]).name for fault in faults) == [
        "broken.docx",
        "broken.jsonl",
        "broken.pdf",
        "hostile.json",
    ]
    assert all(fault["reason"].endswith(".") for fault in faults)
    scored = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_bytes().splitlines()]
    names = {Path(article["source"].removeprefix(str(folder))).parts[1] for article in scored}
    assert names == set(samples.everything())
    assert all(article["sentences"] for article in scored)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["errors.jsonl", "scores.jsonl"]


def test_strict_runs_fail(folder: Path) -> None:
    assert score(folder / "a.txt", folder / "broken.pdf", "--strict").returncode == 1
    assert score(folder / "a.txt", folder / "broken.pdf").returncode == 0
    assert score(folder / "broken.pdf").returncode == 2


@pytest.mark.parametrize("format_", ["jsonl", "json", "csv", "parquet"])
@pytest.mark.parametrize("level", ["sentence", "article"])
def test_metadata_reaches_every_output(tmp_path: Path, format_: str, level: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(samples.jsonl())
    output = tmp_path / "out"
    options = ["--format", format_, "--level", level, "--keep", "meta.p", "-o", output]
    assert score(tmp_path / "in.jsonl", *options).returncode == 0
    if format_ == "parquet":
        import pyarrow.parquet as pq

        rows = pq.read_table(output).to_pylist()
    elif format_ == "csv":
        with output.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    else:
        text = output.read_text(encoding="utf-8")
        rows = json.loads(text) if format_ == "json" else list(map(json.loads, text.splitlines()))
    assert [(row["id"], row["title"], row["date"], row["outlet"]) for row in rows] == [
        (record["id"], record["headline"], record["date"], "wire") for record in samples.RECORDS
    ]
    kept = [row["metadata"]["meta.p"] if "metadata" in row else row["metadata.meta.p"] for row in rows]
    assert list(map(str, kept)) == ["0", "1"]


def test_formulas_are_quoted_when_asked(tmp_path: Path) -> None:
    texts = [f"{sign}SUM(A1;B2)" for sign in FORMULA if sign.strip()]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    plain = list(csv.DictReader(score(tmp_path / "in.jsonl", "--format", "csv").stdout.splitlines()))
    safe = list(csv.DictReader(score(tmp_path / "in.jsonl", "--format", "csv", "--csv-safe").stdout.splitlines()))
    assert all(row["text"].startswith(FORMULA) for row in plain)
    assert all(row["text"].startswith("'") for row in safe)


def test_escape_sequences_do_not_reach_a_terminal(tmp_path: Path) -> None:
    text = "Rain\u202e fell\x1b]0;owned\x07 and \x1b[2J stayed."
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": text, "title": text}), encoding="utf-8")
    (tmp_path / "bad\x1b[31m.pdf").write_bytes(b"%PDF-")
    done = score(tmp_path, "--format", "table")
    assert "stayed" in done.stdout
    for character in ("\x1b", "\x07", "\u202e"):
        assert character not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [("missing/out.jsonl", 2, "mkdir -p"), ("", 2, "is a folder"), ("/dev/full", 1, "No space left")],
)
def test_outputs_that_cannot_be_written(folder: Path, tmp_path: Path, output: str, code: int, words: str) -> None:
    done = score(folder / "a.txt", "-o", tmp_path / output)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_a_full_standard_output(folder: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 (a device)
        command = [*FRAMING, "score", str(folder / "a.txt")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_a_disk_that_fills_up(tmp_path: Path, format_: str) -> None:
    lines = "".join(json.dumps({"text": f"Number {i} of many."}) + "\n" for i in range(20_000))
    (tmp_path / "in.jsonl").write_text(lines, encoding="utf-8")
    output = tmp_path / "out"
    output.mkdir()
    # The limit on the size of a file stands in for the disk's.
    limited = f"ulimit -f 200; exec {' '.join(FRAMING)} score {tmp_path}/in.jsonl --format {format_} -o {output}/x"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)
    assert done.returncode == 1 and "cannot write" in done.stderr and "Traceback" not in done.stderr
    assert not (output / "x").exists()
    if format_ == "jsonl":
        assert score(tmp_path / "in.jsonl", "-o", output / "x", "--resume").returncode == 0
        assert len((output / "x").read_bytes().splitlines()) == 20_000
    else:
        assert list(output.iterdir()) == []


def test_a_reader_that_closes_the_pipe(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"Number {i} of many."}) + "\n" for i in range(5_000))
    (tmp_path / "in.jsonl").write_text(lines, encoding="utf-8")
    process = subprocess.Popen(
        [*FRAMING, "score", str(tmp_path / "in.jsonl")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    json.loads(process.stdout.readline())
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 1
    assert "Traceback" not in said


def test_a_file_that_vanishes_is_a_fault(tmp_path: Path) -> None:
    from classifier.articles import Fault, ItemStream

    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("One.", encoding="utf-8")
    contents = []
    for item in ItemStream([tmp_path]):
        contents.append(item.content)
        (tmp_path / "c.txt").unlink(missing_ok=True)
    assert isinstance(contents[-1], Fault) and "No such file" in contents[-1].reason and len(contents) == 3


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Дождь идёт третий день, сообщили в городе.".encode("cp1251"))
    done = score(tmp_path / "a.txt")
    assert "cp1251" in done.stderr and "--encoding" in done.stderr
    assert "guess" not in score(tmp_path / "a.txt", "--encoding", "cp1251").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--resume"],
        ["--resume", "--format", "parquet", "-o", "x"],
        ["--csv-safe"],
        ["--level", "article", "--explain", "3"],
        ["--level", "article", "--abstain"],
        ["--encoding", "no-such"],
        ["--max-article-bytes", "many"],
        ["--jobs", "0"],
    ],
)
def test_bad_usage(folder: Path, arguments: list[str]) -> None:
    done = score(folder / "a.txt", *arguments, cwd=folder.parent)
    assert (done.returncode, done.stdout) == (2, "")


def test_the_outputs_own_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.", encoding="utf-8")
    for _ in range(2):
        assert score(tmp_path, "-o", tmp_path / "scores.jsonl", "--errors", tmp_path / "errors.jsonl").returncode == 0
    assert len((tmp_path / "scores.jsonl").read_bytes().splitlines()) == 1


def test_one_article_imports_no_reader(folder: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "classifier", "score", str(folder / "a.txt")]
    imported = subprocess.run(command, capture_output=True, text=True).stderr
    for name in ("sklearn", "scipy", "pandas", "trafilatura", "pypdf", "docx", "pyarrow", "backports", "markdown_it"):
        assert f" {name}\n" not in imported
    assert " charset_normalizer\n" not in imported
    assert (
        " numpy\n"
        not in subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "classifier", "--help"], capture_output=True, text=True
        ).stderr
    )
