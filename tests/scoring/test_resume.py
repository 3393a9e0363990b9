"""An interrupted run goes on exactly where it stopped, however it was stopped."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from classifier import InputError, load_model
from classifier.articles import Fault
from classifier.scoring import journal
from classifier.scoring.run import Run, RunSettings

WORDS = ["Minsk", "said", "no.", "The", "loan", "was", "signed.", "Sanctions", "followed,", "Вильнюс", "—", "rain"]


def write_dump(path: Path, n: int, seed: int = 0, every: int = 97) -> Path:
    """A JSON Lines file with a broken line now and then."""
    generator = random.Random(seed)
    with path.open("w", encoding="utf-8") as stream:
        for i in range(n):
            text = " ".join(generator.choices(WORDS, k=generator.randrange(1, 60)))
            stream.write(json.dumps({"id": i, "text": text, "title": f"No. {i}"}, ensure_ascii=False) + "\n")
            if i % every == 0:
                stream.write("{broken\n")
    return path


def command(source: Path, output: Path, *more: str) -> list[str]:
    errors = output.with_name(output.name + ".errors")
    return [
        *(sys.executable, "-m", "classifier", "score", str(source), "--quiet"),
        *("--output", str(output), "--errors", str(errors), *more),
    ]


def outcome(output: Path) -> tuple[bytes, bytes]:
    return output.read_bytes(), output.with_name(output.name + ".errors").read_bytes()


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    generator = random.Random(7)
    source = write_dump(tmp_path / "dump.jsonl", 12_000)
    kills = 0
    for format_ in ("jsonl", "csv"):
        whole = tmp_path / f"whole.{format_}"
        subprocess.run(command(source, whole, "--format", format_), check=True)
        for attempt in range(1_000):
            output = tmp_path / f"killed-{attempt}.{format_}"
            while not output.exists():
                more = ["--format", format_, "--resume", "--jobs", generator.choice("12")]
                process = subprocess.Popen(command(source, output, *more))
                try:
                    process.wait(generator.uniform(0.2, 1.6))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
                else:
                    assert process.returncode == 0
            assert outcome(output) == outcome(whole)
            assert {file.name for file in tmp_path.glob(output.name + "*")} == {output.name, output.name + ".errors"}
            if kills >= (50 if format_ == "jsonl" else 100):
                break
    assert kills >= 100


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_valid_file_that_can_be_gone_on_with(tmp_path: Path, number: signal.Signals) -> None:
    source = write_dump(tmp_path / "dump.jsonl", 20_000)
    output = tmp_path / "scores.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "classifier", "score", str(source), "-o", str(output)], stderr=subprocess.PIPE, text=True
    )
    progress = tmp_path / "scores.jsonl.journal"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (
        progress.exists() and json.loads(progress.read_bytes())["progress"]["items"]
    ):
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "--resume" in said
    done = [json.loads(line) for line in output.read_bytes().splitlines()]
    assert [article["id"] for article in done] == [str(i) for i in range(len(done))]
    assert 0 < len(done) < 20_000


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record progress after every batch, however fast this machine is."""
    monkeypatch.setattr(journal, "INTERVAL", 0.0)


def settings_for(source: Path, **more: object) -> RunSettings:
    return RunSettings((str(source),), **more)  # type: ignore[arg-type]


class StoppedError(Exception):
    """What breaks a run off in these tests, as a crash would."""


def run_until(faults: int, settings: RunSettings, output: Path) -> None:
    """Run until so many faults were met, then break off."""
    met: list[Fault] = []

    def on_fault(fault: Fault) -> None:
        met.append(fault)
        if len(met) > faults:
            raise StoppedError

    with pytest.raises(StoppedError):
        Run(load_model(), settings, on_fault).to_file(output, None, resume=True)


def test_a_run_that_breaks_off_goes_on(tmp_path: Path, at_once: None) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 900), tmp_path / "scores.jsonl"
    whole = tmp_path / "whole.jsonl"
    Run(load_model(), settings_for(source), lambda fault: None).to_file(whole, None, resume=False)
    run_until(8, settings_for(source), output)
    assert not output.exists()
    Run(load_model(), settings_for(source), lambda fault: None).to_file(output, None, resume=True)
    assert output.read_bytes() == whole.read_bytes()


def test_an_interrupted_run_is_not_overwritten_in_silence(tmp_path: Path, at_once: None) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 1500), tmp_path / "scores.jsonl"
    run_until(12, settings_for(source), output)
    with pytest.raises(InputError, match="--resume"):
        Run(load_model(), settings_for(source), lambda fault: None).to_file(output, None, resume=False)


def test_other_settings_are_refused(tmp_path: Path, at_once: None) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 900), tmp_path / "scores.jsonl"
    run_until(8, settings_for(source), output)
    with pytest.raises(InputError, match="--level"):
        Run(load_model(), settings_for(source, level="article"), lambda fault: None).to_file(output, None, resume=True)


def test_sources_that_changed_are_refused(tmp_path: Path, at_once: None) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 1500), tmp_path / "scores.jsonl"
    run_until(12, settings_for(source), output)
    write_dump(source, 1500, seed=1)
    with pytest.raises(InputError, match="no longer"):
        Run(load_model(), settings_for(source), lambda fault: None).to_file(output, None, resume=True)


def test_a_model_that_reads_articles_otherwise_is_refused(tmp_path: Path, at_once: None) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 1500), tmp_path / "scores.jsonl"
    run_until(12, settings_for(source), output)
    other = replace(load_model(), context=None)
    with pytest.raises(InputError, match="--model"):
        Run(other, settings_for(source), lambda fault: None).to_file(output, None, resume=True)


def test_two_runs_never_write_one_file(tmp_path: Path) -> None:
    source, output = write_dump(tmp_path / "dump.jsonl", 10), tmp_path / "scores.jsonl"
    with pytest.raises(InputError, match="another run"):
        # The second run begins while the first one is at its first fault.
        Run(
            load_model(),
            settings_for(source),
            lambda fault: Run(load_model(), settings_for(source), lambda fault: None).to_file(
                output, None, resume=True
            ),
        ).to_file(output, None, resume=False)


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path, format_: str) -> None:
    source = write_dump(tmp_path / "dump.jsonl", 1200)
    for jobs in (1, 3):
        Run(load_model(), settings_for(source, format=format_, jobs=jobs), lambda fault: None).to_file(
            tmp_path / f"{jobs}", None, resume=False
        )
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()
