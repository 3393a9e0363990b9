"""``framing score`` marks doubtful frames and strange texts in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from classifier.cli import main

TEXT = "A gale with thunder and a flood on Monday. It may be mild for people near the river."


@pytest.fixture
def score(weather_directory: Path, tmp_path: Path):
    article = tmp_path / "report.txt"
    article.write_text(TEXT, encoding="utf-8")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["score", str(article), "--model", str(weather_directory), *arguments])

    return run


def test_json_marks_frames_in_the_band(score) -> None:
    data = json.loads(score("--abstain", "0.2-0.9", "--format", "jsonl").stdout)
    for sentence in data["sentences"]:
        assert sentence["uncertain"] == [name for name, p in sentence["scores"].items() if 0.2 <= p <= 0.9]
        assert sentence["out_of_domain"] in (True, False)
    assert "out_of_domain" in data


def test_without_a_band_nothing_is_uncertain(score) -> None:
    assert "uncertain" not in score("--format", "jsonl").stdout


def test_csv_has_the_columns(score) -> None:
    rows = list(csv.DictReader(io.StringIO(score("--format", "csv", "--abstain", "0-1").stdout)))
    assert {row["uncertain"] for row in rows} == {"storm|calm|frost"} or all(
        set(row["uncertain"].split("|")) == {"storm", "calm", "frost"} for row in rows
    )
    assert {row["out_of_domain"] for row in rows} <= {"True", "False"}


def test_the_page_marks_doubt(score) -> None:
    page = score("--format", "table", "--abstain", "0-1").stdout
    assert "? uncertain:" in page
    assert "A probability near 0.7 was right" not in page  # this small model has next to no such decision


def test_the_page_says_what_probabilities_meant(cli, article_file: Path) -> None:
    assert "A probability near 0.7 was right" in cli("score", article_file, "--format", "table").stdout


def test_a_bare_abstain_takes_the_usual_band(score) -> None:
    assert score("--format", "jsonl", "--abstain").stdout == score("--format", "jsonl", "--abstain", "0.3-0.7").stdout


def test_what_is_no_band_is_refused(score) -> None:
    result = score("--abstain", "0.9-0.1")
    assert result.exit_code == 2
    assert "is not a band" in result.stderr
