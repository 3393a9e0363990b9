"""``framing evaluate``: figures of a saved model, or of the method."""

from __future__ import annotations

from pathlib import Path


def test_a_saved_model_on_new_labels(cli, model_directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    rows = ("The river rose in the rain.,flood", "A flood took the bridge.,flood", "The union called a strike.,strike")
    rows = (*rows, "Pickets held the gate in the strike.,strike", "The museum opened.,")
    path.write_text("text,labels\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = cli("evaluate", path, "--model", model_directory)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[:3]] == ["frame", "flood", "strike"]
    assert result.stdout.splitlines()[1].split()[-1] == "2"
    assert "Warning" not in result.stderr


def test_the_corpus_of_training_is_warned_of(cli, model_directory: Path, corpus_csv: Path) -> None:
    result = cli("evaluate", corpus_csv, "--model", model_directory)
    assert result.exit_code == 0
    assert "was trained on this very file" in result.stderr


def test_labels_of_other_frames_are_errors(cli, rooms_directory: Path, corpus_csv: Path) -> None:
    result = cli("evaluate", corpus_csv, "--model", rooms_directory)
    assert result.exit_code == 2
    assert "unknown label 'flood'" in result.stderr


def test_folds_measure_the_method(cli, corpus_csv: Path) -> None:
    result = cli("evaluate", corpus_csv, "--folds", "2")
    assert result.exit_code == 0
    assert "baseline: majority" in result.stdout


def test_options_that_contradict_each_other(cli, corpus_csv: Path, model_directory: Path, tmp_path: Path) -> None:
    codebook = tmp_path / "frames.toml"
    codebook.write_text('[[frames]]\nname = "flood"\n', encoding="utf-8")
    assert cli("evaluate", corpus_csv, "--folds", "2", "--model", model_directory).exit_code == 2
    assert cli("evaluate", corpus_csv, "--model", model_directory, "--codebook", codebook).exit_code == 2
