"""``framing evaluate`` measures, compares, lists mistakes, and refuses to call memory a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from classifier.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def test_measures_a_model_on_new_sentences(unseen_csv: Path, weather_directory: Path) -> None:
    result = run(unseen_csv, "--model", weather_directory)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for word in ("F1", "ROC AUC", "ECE", "MCC", "Hamming", "Confusions", "macro average", "storm"):
        assert word in result.stdout


def test_calls_out_the_training_file(weather_csv: Path, weather_directory: Path) -> None:
    result = run(weather_csv, "--model", weather_directory)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "trained on this very file" in result.stderr
    assert "--folds" in result.stderr


def test_leaves_training_sentences_out_with_a_warning(
    weather_csv: Path, unseen_csv: Path, weather_directory: Path, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed.csv"
    mixed.write_text(weather_csv.read_text() + unseen_csv.read_text().split("\n", 1)[1])
    result = run(mixed, "--model", weather_directory, "--format", "json")
    assert result.exit_code == 0
    assert "WARNING" in result.stderr and "trained on 240 of these sentences" in result.stderr
    data = json.loads(result.stdout)
    assert data["sentences"] == 80
    assert data["overlap"] == {"same_file": False, "sentences": 240, "neighbours": 0, "recorded": True}


def test_json_holds_figures_mistakes_and_values(weather_csv: Path) -> None:
    result = run(weather_csv, "--folds", 3, "--errors", 4, "--by", "station", "--format", "json", "--quiet")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert [row["name"] for row in data["frames"]][-2:] == ["macro average", "micro average"]
    assert len(data["mistakes"]) == 4
    assert len(data["by"]["station"]) == 4


def test_leaves_out_the_values_of_a_column(weather_csv: Path) -> None:
    result = run(weather_csv, "--leave-out", "station", "--format", "markdown", "--quiet")
    assert result.exit_code == 0, result.output
    assert "## F1 by station" in result.stdout
    assert "| north |" in result.stdout


def test_compares_two_models(unseen_csv: Path, weather_directory: Path) -> None:
    result = run(unseen_csv, "--model", weather_directory, "--model", weather_directory, "--format", "json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert len(data["evaluations"]) == 2
    assert {row["p_value"] for row in data["comparison"]} == {1.0}
    shown = run(unseen_csv, "--model", weather_directory, "--model", weather_directory)
    assert "paired bootstrap test" in " ".join(shown.stdout.split())


def test_writes_to_a_file(unseen_csv: Path, weather_directory: Path, tmp_path: Path) -> None:
    for format_ in ("table", "markdown", "json"):
        target = tmp_path / format_
        result = run(unseen_csv, "--model", weather_directory, "--format", format_, "--output", target)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "macro average" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "a", "--folds", "3"], "leave one of them away"),
        (["--model", "a", "--model", "b", "--model", "c"], "twice at most"),
        (["--codebook", "c.toml"], "goes with --folds"),
        (["--leave-out", "outlet"], "no column 'outlet'"),
        (["--leave-out", "desk"], "choose a column that differs between articles"),
        (["--folds", "2", "--by", "outlet"], "no column 'outlet'"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], message: str, weather_csv: Path) -> None:
    result = run(weather_csv, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
