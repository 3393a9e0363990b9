"""A band of doubt is read as written, holds its edges, and probabilities come with what they meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.model.band import parse_band, uncertain_frames
from classifier.model.model import Model
from classifier.report.reliability import reliability_note
from classifier.scoring import score_article


@pytest.mark.parametrize("text", ["", "0.5", "0.7-0.3", "0.3-1.2", "-0.1-0.5", "low-high", "0.3–0.7", "nan-1"])
def test_a_band_is_two_probabilities_in_order(text: str) -> None:
    with pytest.raises(ValueError):
        parse_band(text)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_frame_is_uncertain_within_the_band_and_at_its_edges(low: float, high: float, value: float) -> None:
    low, high = sorted((low, high))
    assert uncertain_frames([low, high, value], "abc", (low, high)) == (
        ("a", "b", "c") if low <= value <= high else ("a", "b")
    )


def test_scored_sentences_say_what_is_uncertain(weather_model: Model) -> None:
    article = Article("report", "A gale with thunder and lightning. It may be mild or bitter.")
    scored = score_article(weather_model, article, band=(0.0, 1.0))
    assert all(sentence.uncertain == weather_model.frames for sentence in scored.sentences)
    assert scored.to_dict()["sentences"][0]["uncertain"] == list(weather_model.frames)
    assert "uncertain" not in score_article(weather_model, article).to_dict()["sentences"][0]


def test_scored_articles_say_whether_they_are_out_of_domain(weather_model: Model) -> None:
    foreign = score_article(weather_model, Article("report", "Вечером мы пели старые песни до самой темноты."))
    assert foreign.out_of_domain and foreign.sentences[0].out_of_domain
    assert foreign.to_dict("article")["out_of_domain"] is True
    empty = score_article(weather_model, Article("nothing", ""))
    assert not empty.out_of_domain


def test_the_note_says_what_a_probability_near_seven_tenths_meant() -> None:
    share = {"value": 0.75, "low": 0.7, "high": 0.8}
    curve = [{"low": 0.6, "high": 0.7, "n": 1500, "probability": 0.66, "share": share}]
    note = reliability_note({"calibration": {"all frames": curve}})
    assert "75%" in note and "1,500" in note and "0.6 to 0.8" in note
    assert reliability_note({}) == ""
