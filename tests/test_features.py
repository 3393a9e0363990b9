"""Features: scikit-learn's n-grams and scikit-learn's numbers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.features.tfidf import Tfidf
from tests.corpora import FLOODS_AND_STRIKES
from tests.strategies import unicode_texts

ANALYZERS = {"words": "word", "characters": "char_wb"}
TEXTS = [text for article in FLOODS_AND_STRIKES for _, text in article] + [
    "Дождь шёл, и река росла: река, река!",
    "Ёж 👩\u200d🚒 e\u0301le\u0300ve \U00020000\U00020001",
    "",
]


def vectorizer(block: Block) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer=ANALYZERS[block.kind],
        ngram_range=(block.shortest, block.longest),
        min_df=block.min_df,
        sublinear_tf=True,
        dtype=np.float64,
    )


blocks = st.builds(
    lambda kind, shortest, more: Block(kind, shortest, shortest + more),
    st.sampled_from(sorted(ANALYZERS)),
    st.integers(1, 4),
    st.integers(0, 3),
)


class TestNgrams:
    @given(blocks, unicode_texts)
    def test_they_are_those_of_scikit_learns_analyzer(self, block: Block, text: str) -> None:
        assert Counter(block.ngrams(text)) == Counter(vectorizer(block).build_analyzer()(text))

    def test_words(self) -> None:
        assert list(Block("words", 1, 2).ngrams("A Flood, a FLOOD!")) == ["flood", "flood", "flood flood"]

    def test_characters_stay_within_words_and_short_words_count_once(self) -> None:
        assert sorted(Block("characters", 3, 4).ngrams("Go up")) == sorted([" go", "go ", " go ", " up", "up ", " up "])
        assert list(Block("characters", 5, 6).ngrams("Go")) == [" go "]

    @pytest.mark.parametrize(
        "arguments", [("letters", 1, 2), ("words", 0, 2), ("words", 3, 2), ("words", 1, 2, 0), ("characters", -1, 1)]
    )
    def test_impossible_blocks_are_refused(self, arguments: tuple) -> None:
        with pytest.raises(ValueError, match="must"):
            Block(*arguments)

    def test_a_block_says_what_it_is(self) -> None:
        assert str(Block("words", 1, 2, min_df=3)) == "words 1-2, min_df 3"


@st.composite
def selections(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    train = draw(st.lists(st.integers(0, len(TEXTS) - 1), min_size=8, max_size=40, unique=True))
    test = draw(st.lists(st.integers(0, len(TEXTS) - 1), max_size=20))
    return np.array(train, dtype=np.intp), np.array(test, dtype=np.intp)


BLOCKS = (
    (Block("words", 1, 1),),
    (Block("characters", 2, 5, min_df=3),),
    (Block("words", 1, 2, min_df=2), Block("characters", 2, 4, min_df=2)),
)


@pytest.fixture(scope="module")
def counted() -> list[CountMatrix]:
    return [CountMatrix(TEXTS, blocks) for blocks in BLOCKS]


class TestTfidf:
    """Counted once, selected a fold: the numbers of a vectorizer fitted anew on the fold's sentences."""

    @given(selections(), st.integers(0, 2))
    def test_equal_to_refitting_on_the_rows(self, counted, selection, choice: int) -> None:
        train, test = selection
        tfidf = Tfidf.fit(counted[choice], train)
        ours = tfidf.transform(test).toarray()
        start = 0
        for block, vocabulary in zip(BLOCKS[choice], tfidf.vocabulary(), strict=True):
            reference = vectorizer(block).fit([TEXTS[row] for row in train])
            assert sorted(vocabulary) == sorted(reference.get_feature_names_out())
            columns = [reference.vocabulary_[ngram] for ngram in vocabulary]
            expected = np.zeros((len(test), len(vocabulary)))
            if len(test):
                expected = reference.transform([TEXTS[row] for row in test]).toarray()[:, columns]
            part = ours[:, start : start + len(vocabulary)]
            np.testing.assert_allclose(part, expected, rtol=0, atol=1e-12)
            start += len(vocabulary)
        assert start == ours.shape[1]

    def test_an_ngram_seen_in_the_test_rows_alone_is_not_a_feature(self) -> None:
        counts = CountMatrix(["rain fell", "rain rose", "hail fell"], [Block("words", 1, 1)])
        tfidf = Tfidf.fit(counts, np.array([0, 1]))
        assert sorted(tfidf.vocabulary()[0]) == ["fell", "rain", "rose"]

    def test_texts_without_ngrams_have_no_features(self) -> None:
        counts = CountMatrix(["🙂", "🙃", "!"], [Block("words", 1, 2)])
        assert Tfidf.fit(counts, np.array([0, 1])).transform(np.array([1, 2])).shape == (2, 0)

    def test_a_fitted_vectorizer_of_scikit_learn_is_made_of_vocabulary_and_idf(self) -> None:
        block = Block("words", 1, 2)
        fitted = vectorizer(block).fit(TEXTS)
        ours = block.vectorizer(fitted.get_feature_names_out(), fitted.idf_)
        np.testing.assert_array_equal(ours.transform(TEXTS).toarray(), fitted.transform(TEXTS).toarray())
