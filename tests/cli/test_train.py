"""``framing train``: a labeled CSV in, a model directory and a table of figures out."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier import load_model


def test_a_model_is_saved_and_its_figures_printed(cli, corpus_csv: Path, tmp_path: Path) -> None:
    target = tmp_path / "weather"
    result = cli("train", corpus_csv, "-o", target, "--folds", "2", "--seed", "3")
    assert result.exit_code == 0
    model = load_model(target)
    assert model.name == "weather"
    assert model.frames == ("flood", "strike")
    assert model.provenance["seed"] == 3
    assert len(model.metrics["fold_settings"]) == 2
    assert result.stdout.splitlines()[0].split() == ["frame", "precision", "recall", "F1", "AP", "support"]
    assert "baseline: keywords" in result.stdout
    assert f"framing score --model {target}" in result.stderr


def test_other_peoples_columns_and_a_codebook(cli, rooms_csv: Path, tmp_path: Path) -> None:
    codebook = tmp_path / "rooms.toml"
    names = ("harbour", "kitchen", "garden")
    codebook.write_text("".join(f'[[frames]]\nname = "{name}"\n' for name in names), encoding="utf-8")
    arguments = ("--text-column", "Example", "--label-column", "Category", "--folds", "2", "--quiet")
    result = cli("train", rooms_csv, *arguments, "--codebook", codebook, "-o", tmp_path / "rooms")
    assert result.exit_code == 0
    assert result.stderr == ""
    model = load_model(tmp_path / "rooms")
    assert model.frames == names
    assert model.task == "multiclass"


def test_a_bad_corpus_exits_with_2_and_leaves_the_old_model(cli, model_directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("text,labels\nRain.,a\n,b\n", encoding="utf-8")
    before = (model_directory / "model.json").read_bytes()
    result = cli("train", path, "-o", model_directory)
    assert result.exit_code == 2
    assert "line 3: empty text" in result.stderr
    assert (model_directory / "model.json").read_bytes() == before


def test_a_directory_of_other_files_is_refused_before_any_work(cli, corpus_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = cli("train", corpus_csv, "-o", tmp_path)
    assert result.exit_code == 2
    assert "holds files but no model" in result.stderr


def test_too_few_articles_are_a_sentence(cli, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    rows = "".join(f"{i % 2},Sentence number {i} is here.,{'ab'[i // 2 % 2]}\n" for i in range(16))
    path.write_text("article_id,text,labels\n" + rows, encoding="utf-8")
    result = cli("train", path, "-o", tmp_path / "model", "--folds", "2")
    assert result.exit_code == 2
    assert "too few" in result.stderr
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("seed", ["-1", "4294967296", "x"])
def test_an_impossible_seed_is_bad_usage(cli, corpus_csv: Path, tmp_path: Path, seed: str) -> None:
    assert cli("train", corpus_csv, "-o", tmp_path / "model", "--seed", seed).exit_code == 2


def test_rare_label_sets_make_no_noise(framing, corpus_csv: Path, tmp_path: Path) -> None:
    """Only one sentence carries both frames: nothing is printed but the result."""
    text = corpus_csv.read_text(encoding="utf-8").replace("flood|strike", "strike")
    path = tmp_path / "rare.csv"
    path.write_text(text + "article-1,flood|strike,The strike ended with the flood.\n", encoding="utf-8")
    result = framing("train", path, "-o", tmp_path / "model", "--folds", "2", "--quiet")
    assert (result.returncode, result.stderr) == (0, b"")
