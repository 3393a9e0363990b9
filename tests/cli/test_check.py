"""``framing check``: every problem with its line, 2 on errors, 0 on warnings alone."""

from __future__ import annotations

from pathlib import Path

import pytest


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file(cli, corpus_csv: Path) -> None:
    result = cli("check", corpus_csv)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "no problems found" in result.stderr


def test_errors_are_printed_one_a_line_with_file_and_line_and_exit_2(cli, corpus_csv: Path, tmp_path: Path) -> None:
    text = corpus_csv.read_text(encoding="utf-8")
    path = write(tmp_path / "bad.csv", text + "article-99,flood,\narticle-99,one cell too many,flood,x\n")
    result = cli("check", path)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [[f"{path}:62", "error"], [f"{path}:63", "error"]]
    assert "2 errors, 0 warnings" in result.stderr


def test_warnings_alone_exit_0(cli, corpus_csv: Path, tmp_path: Path) -> None:
    text = corpus_csv.read_text(encoding="utf-8")
    path = write(tmp_path / "doubtful.csv", text + text.splitlines()[-1] + "\n")
    result = cli("check", path)
    assert result.exit_code == 0
    assert "warning: duplicate of line 61" in result.stdout
    assert "0 errors, 1 warning" in result.stderr


def test_labels_like_those_of_the_default_model_are_held_to_its_codebook(cli, tmp_path: Path) -> None:
    rows = "".join(f"Sentence {i}.,{'russian_support' if i % 2 else ''}\n" for i in range(12))
    result = cli("check", write(tmp_path / "new.csv", "text,labels\n" + rows + "Another.,rusian_support\n"))
    assert "new.csv:14: error: unknown label 'rusian_support'; did you mean 'russian_support'?" in result.stdout


def test_a_codebook_given_is_the_one_that_counts(cli, corpus_csv: Path, tmp_path: Path) -> None:
    codebook = write(tmp_path / "frames.toml", '[[frames]]\nname = "flood"\n')
    result = cli("check", corpus_csv, "--codebook", codebook)
    assert result.exit_code == 2
    assert "unknown label 'strike'" in result.stdout


def test_columns_by_other_names(cli, rooms_csv: Path) -> None:
    assert cli("check", rooms_csv).exit_code == 2
    assert cli("check", rooms_csv, "--text-column", "Example", "--label-column", "Category").exit_code == 0


@pytest.mark.parametrize("folds", ["1", "51", "x"])
def test_folds_out_of_range_are_bad_usage(cli, corpus_csv: Path, folds: str) -> None:
    assert cli("check", corpus_csv, "--folds", folds).exit_code == 2


def test_an_empty_separator_is_bad_usage(cli, corpus_csv: Path) -> None:
    result = cli("check", corpus_csv, "--label-separator", "")
    assert result.exit_code == 2
    assert "--label-separator" in result.stderr


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read(cli, tmp_path: Path, name: str) -> None:
    result = cli("check", tmp_path / name)
    assert result.exit_code == 2
    assert "cannot read it" in result.stderr


def test_labels_cannot_steer_the_terminal(cli, tmp_path: Path) -> None:
    path = write(tmp_path / "nasty.csv", "text,labels\nRain.,\x1b[2J\nWind.,\x1b[2J\nHail.,\x1b[2J\n")
    result = cli("check", path, color=True)
    assert "every sentence has the same labels" in result.stdout
    assert "\x1b" not in result.stdout
