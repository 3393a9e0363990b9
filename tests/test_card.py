"""The model card says what the model is for, how good it is and what a label is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import classifier
from classifier import load_model
from classifier.codebook import Codebook, Frame
from classifier.model.model import Model
from classifier.report.card import model_card
from classifier.report.tables import Table, markdown


def test_is_written_beside_the_model_and_holds_its_figures(weather_directory: Path, weather_model: Model) -> None:
    card = (weather_directory / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card == model_card(weather_model, classifier.__version__)
    for heading in (
        "Intended use",
        "Training corpus",
        "Figures",
        "Calibration",
        "Limits",
        "Ethical notes",
        "reproduce",
    ):
        assert re.search(rf"^## .*{heading}", card, re.MULTILINE)
    assert weather_model.provenance["corpus_sha256"] in card
    assert f"{weather_model.metrics['frames'][0]['f1']['value']:.2f}" in card
    assert "no verdict on truth" in card
    assert "$" not in card


def test_of_a_model_without_figures_says_so(weather_model: Model) -> None:
    assert "Not measured." in model_card(replace(weather_model, metrics={}, domain=None), "1.2.3")


def test_says_what_is_known_of_an_article(weather_model: Model, roles_directory: Path) -> None:
    assert "what the other sentences say on average and how it opens;" in model_card(weather_model, "1.2.3")
    assert "whether it names Water or Work;" in model_card(load_model(roles_directory), "1.2.3")
    assert "A sentence is read alone" in model_card(replace(weather_model, context=None), "1.2.3")


def test_of_a_model_of_an_earlier_version(weather_model: Model) -> None:
    metrics = {key: value for key, value in weather_model.metrics.items() if key not in ("alone", "baselines")}
    card = model_card(replace(weather_model, metrics=metrics), "1.2.3")
    assert "each sentence alone" not in card


def test_text_of_a_codebook_is_no_markup(weather_model: Model) -> None:
    frames = (Frame("storm", "<b>|storm|</b>", "a $figure\nof `speech`"), *weather_model.codebook.frames[1:])
    card = model_card(replace(weather_model, codebook=Codebook("weather", frames)), "1.2.3")
    assert "<b>" not in card
    assert "a $figure of \\`speech\\`" in card


def test_every_row_of_a_table_has_the_columns_of_its_header() -> None:
    text = markdown([Table("t", ("a", "b"), [("x|y", "1"), ("line\nbreak", "2")], "note")])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [3, 3, 3, 3]
