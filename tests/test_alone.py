"""Sentences read alone have thresholds of their own: in ``predict``, with ``--alone``, in texts of one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier import Article, Model, load_model
from classifier.release import save_model
from classifier.scoring.score import score_article

LONE = "The river rose above the flood wall."
ARTICLE = f"{LONE} {LONE}"


@pytest.fixture(scope="module")
def surer(model: Model) -> Model:
    """The model with thresholds of sentences read alone that none reaches."""
    return replace(model, thresholds=np.zeros(2), thresholds_alone=np.ones(2))


def labels(model: Model, text: str) -> list[tuple[str, ...]]:
    return [sentence.labels for sentence in score_article(model, Article("a", text)).sentences]


def test_predict_and_texts_of_one_sentence(surer: Model) -> None:
    assert surer.predict([LONE]) == [()]
    assert labels(surer, LONE) == [()]
    assert labels(surer, ARTICLE) == [("flood", "strike")] * 2


def test_models_without_use_the_others(surer: Model) -> None:
    old = replace(surer, thresholds_alone=None)
    assert old.predict([LONE]) == labels(old, LONE) == [("flood", "strike")]
    assert old.alone().thresholds.tolist() == [0, 0]


def test_a_model_that_reads_alone(surer: Model) -> None:
    alone = surer.alone()
    assert alone.context is None
    assert labels(alone, ARTICLE) == [(), ()]


def test_thresholds_given_go_before_both(surer: Model) -> None:
    article = score_article(surer, Article("a", LONE), thresholds=np.array([0.0, 1.0]))
    assert article.sentences[0].labels == ("flood",)


def test_the_command_with_alone(surer: Model, cli, tmp_path: Path) -> None:
    save_model(surer, tmp_path / "model")
    assert load_model(tmp_path / "model").thresholds_alone.tolist() == [1, 1]
    (tmp_path / "article.txt").write_text(ARTICLE, encoding="utf-8")
    found = []
    for options in ((), ("--alone",)):
        result = cli("score", "--model", tmp_path / "model", "--format", "jsonl", *options, tmp_path / "article.txt")
        found.append([sentence["labels"] for sentence in json.loads(result.stdout)["sentences"]])
    assert found == [[["flood", "strike"]] * 2, [[], []]]


def test_a_model_of_old_is_read(model_directory: Path, tmp_path: Path, model: Model) -> None:
    save_model(replace(model, thresholds_alone=None), tmp_path / "old")
    assert "thresholds_alone" not in json.loads((tmp_path / "old" / "model.json").read_text(encoding="utf-8"))
    assert load_model(tmp_path / "old").thresholds_alone is None
