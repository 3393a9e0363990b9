"""``framing frames``: the codebook, readable."""

from __future__ import annotations

from pathlib import Path

from classifier.codebook import default_codebook


def test_the_default_model(cli) -> None:
    text = cli("frames").stdout
    for frame in default_codebook().frames:
        assert frame.title in text
        assert frame.name in text
    assert "\x1b" not in text


def test_subjects_are_shown_with_their_actors(cli) -> None:
    text = " ".join(cli("frames").stdout.split())
    assert "Russia: Russia, Russian state media" in text
    assert "Belarus: Belarusian authorities" in text


def test_another_model_and_another_codebook(cli, model_directory: Path, tmp_path: Path) -> None:
    assert "flood" in cli("frames", "--model", model_directory).stdout
    path = tmp_path / "frames.toml"
    path.write_text('[[frames]]\nname = "hail"\ndefinition = "Ice that falls"\n', encoding="utf-8")
    assert "Ice that falls" in cli("frames", "--codebook", path).stdout
    assert cli("frames", "--codebook", path, "--model", model_directory).exit_code == 2


def test_a_model_that_is_none(cli, tmp_path: Path) -> None:
    result = cli("frames", "--model", tmp_path)
    assert result.exit_code == 2
    assert "no model there" in result.stderr
