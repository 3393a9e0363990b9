"""Texts unlike the corpus are marked: other topics, languages, scripts, code; ordinary news is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles.sentences import split_sentences
from classifier.corpus import LabeledCorpus, read_corpus
from classifier.model.novelty import QUANTILE, Domain, learn_domain

TEXTS = Path(__file__).parent / "samples"
DATASETS = Path(__file__).parents[1] / "datasets"


@pytest.fixture(scope="module")
def corpus() -> LabeledCorpus:
    return read_corpus(DATASETS / "framing.csv")


@pytest.fixture(scope="module")
def known(corpus: LabeledCorpus) -> set[str]:
    from sklearn.feature_extraction.text import CountVectorizer

    return set(CountVectorizer(min_df=2).fit(corpus.texts).get_feature_names_out())


@pytest.fixture(scope="module")
def domain(corpus: LabeledCorpus) -> Domain:
    return learn_domain(corpus.texts, corpus.group_ids, list(corpus.folds(5, 0)), min_df=2)


def sentences(path: Path) -> list[str]:
    return [sentence.text for sentence in split_sentences(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("name", ["recipe", "review", "russian", "german", "chinese", "source_code"])
def test_other_texts_are_marked(name: str, domain: Domain, known: set[str]) -> None:
    _, article = domain.outside(sentences(TEXTS / f"{name}.txt"), known)
    assert article


@pytest.mark.parametrize("name", ["russian", "german", "chinese"])
def test_every_sentence_in_another_language_is_marked(name: str, domain: Domain, known: set[str]) -> None:
    marked, _ = domain.outside(sentences(TEXTS / f"{name}.txt"), known)
    assert all(marked)


@pytest.mark.parametrize(
    "path", [TEXTS / "condemnation.txt", TEXTS / "football.txt", DATASETS / "examples/transit.txt"]
)
def test_news_of_the_region_is_not_marked(path: Path, domain: Domain, known: set[str]) -> None:
    marked, article = domain.outside(sentences(path), known)
    assert not any(marked)
    assert not article


@pytest.mark.parametrize("name", ["german", "source_code"])
def test_what_follows_the_news_is_found_sentence_by_sentence(name: str, domain: Domain, known: set[str]) -> None:
    news = sentences(TEXTS / "condemnation.txt")
    marked, _ = domain.outside([*news, *sentences(TEXTS / f"{name}.txt")], known)
    assert not any(marked[: len(news)])
    assert any(marked[len(news) :])


def test_few_sentences_of_the_corpus_are_marked_out_of_fold(corpus: LabeledCorpus) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    train, test = next(iter(corpus.folds(5, 1)))
    texts, groups = [corpus.texts[row] for row in train], corpus.group_ids[train]
    inner = [(np.flatnonzero(groups % 4 != fold), np.flatnonzero(groups % 4 == fold)) for fold in range(4)]
    learned = learn_domain(texts, groups, inner, min_df=2)
    known = set(CountVectorizer(min_df=2).fit(texts).get_feature_names_out())
    marked, _ = learned.outside([corpus.texts[row] for row in test], known)
    assert np.mean(marked) < 4 * (1 - QUANTILE / 100)


def test_an_article_of_one_sentence_is_marked_no_more_readily_than_a_sentence(
    corpus: LabeledCorpus, domain: Domain, known: set[str]
) -> None:
    # Every tenth sentence with two of its known words made strange.
    texts = [text.replace("e", "ee", 2) for text in corpus.texts[::10]]
    marked, _ = domain.outside(texts, known)
    articles = [domain.outside([text], known)[1] for text in texts]
    assert sum(articles) <= 1.2 * sum(marked) + 5


def test_typography_and_accents_are_no_other_domain(domain: Domain, known: set[str]) -> None:
    marked, _ = domain.outside(["“Minsk’s” sanctions — they said… «Poland» café €5 (50%)"], known)
    assert marked == [False]


@given(st.text() | st.lists(st.text("aÄЖßé\u0301 \u00a0\u2028{=\tΣσ0", max_size=9)).map(" ".join))
def test_characters_are_counted_word_by_word(domain: Domain, text: str) -> None:
    # The compiled path counts each word once and adds up.
    words = domain.character_counts(text.split())
    np.testing.assert_array_equal(words.sum(axis=0), domain.character_counts([text])[0])


@given(st.lists(st.text()))
def test_any_text_is_judged(texts: list[str]) -> None:
    judge = Domain.from_dict(
        {
            "letters": "abc-]^\\",
            "words": {"mean": 0.1, "sentence": 0.3, "article": 0.2},
            "characters": {"mean": 0.0, "sentence": 0.1, "article": 0.1},
        }
    )
    marked, _ = judge.outside(texts, {"news"})
    assert len(marked) == len(texts)
    assert Domain.from_dict(judge.to_dict()) == judge
