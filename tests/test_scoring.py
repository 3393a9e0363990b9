"""Articles scored sentence by sentence, and their profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Article, Model, score_article, score_articles, split_sentences
from classifier.scoring import profile
from tests.conftest import ARTICLE
from tests.strategies import unicode_texts


def test_sentences_labels_scores_and_profile(loaded: Model) -> None:
    scored = score_article(loaded, Article("here", ARTICLE, "A title"))
    assert (scored.source, scored.title, scored.model) == ("here", "A title", "tiny")
    assert [sentence.sentence for sentence in scored.sentences] == split_sentences(ARTICLE)
    labels = {sentence.sentence.text: sentence.labels for sentence in scored.sentences}
    assert labels["Rain fell on the valley for a third day."] == ("flood",)
    assert labels["Bus drivers meanwhile called a strike over wages."] == ("strike",)
    assert labels["Read more"] == ()
    assert scored.profile["strike"] == round(1 / len(scored.sentences), 4)


@given(unicode_texts)
def test_offsets_scores_and_labels_agree_whatever_the_text(loaded: Model, text: str) -> None:
    scored = score_article(loaded, Article("any", text))
    texts = [sentence.sentence.text for sentence in scored.sentences]
    reading = loaded.read(texts, [len(texts)])
    for sentence, row, labels in zip(scored.sentences, reading.probabilities, reading.labels(), strict=True):
        place = sentence.sentence
        assert text[place.start : place.end] == place.text
        np.testing.assert_allclose(list(sentence.scores.values()), row, atol=6e-5)
        assert sentence.labels == labels
        assert sentence.terms is None


@given(st.lists(st.sampled_from([(), ("a",), ("b",), ("a", "b")])))
def test_a_profile_is_the_share_of_sentences_with_each_frame(labels: list[tuple[str, ...]]) -> None:
    shares = profile(labels, ["a", "b"])
    for frame in "ab":
        n = sum(frame in names for names in labels)
        assert shares[frame] == pytest.approx(n / max(1, len(labels)), abs=5e-5)


def test_an_article_without_sentences_has_a_profile_of_zeros(loaded: Model) -> None:
    scored = score_article(loaded, Article("empty", " \n"))
    assert scored.sentences == ()
    assert scored.profile == {"flood": 0, "strike": 0}


def test_thresholds_given_replace_the_models_own(loaded: Model) -> None:
    article = Article("here", ARTICLE)
    everything = score_article(loaded, article, thresholds=np.array([0.0, 1.01]))
    assert {sentence.labels for sentence in everything.sentences} == {("flood",)}
    assert everything.profile == {"flood": 1, "strike": 0}


def test_explained_labels_have_their_strongest_terms(loaded: Model) -> None:
    scored = score_article(loaded, Article("here", "The union announced a strike near the museum."), explain=2)
    sentence = scored.sentences[0]
    assert set(sentence.terms or ()) == set(sentence.labels) == {"strike"}
    terms = sentence.terms["strike"]
    assert len(terms) == 2
    assert terms[0][0] == "strike"
    assert terms[0][1] >= terms[1][1] > 0
    full = dict(loaded.explain(sentence.sentence.text)["strike"])
    assert terms == [(term, round(full[term], 4)) for term, _ in terms]


def test_articles_are_scored_in_order_as_they_are_needed(loaded: Model) -> None:
    taken = 0

    def articles():
        nonlocal taken
        for number in range(100_000):
            taken += 1
            yield Article(str(number), "Rain fell on the river. " * 10)

    scored = score_articles(loaded, articles())
    assert [next(scored).source for _ in range(3)] == ["0", "1", "2"]
    assert taken < 20_000


def test_plain_data_of_both_levels(loaded: Model) -> None:
    scored = score_article(loaded, Article("here", "Rain fell."))
    assert scored.to_dict()["sentences"][0]["text"] == "Rain fell."
    assert "n_sentences" not in scored.to_dict()
    assert scored.to_dict("article")["n_sentences"] == 1
    assert "sentences" not in scored.to_dict("article")
