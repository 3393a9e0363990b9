import dataclasses

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from classifier.codebook import Codebook
from classifier.corpus import LabeledCorpus
from classifier.metrics import compare
from classifier.metrics.bootstrap import Bootstrap
from classifier.metrics.comparison import compare_resampled
from classifier.metrics.figures import resampled_figures
from classifier.training.linear import BLOCKS
from notebooks.studies.ablation import BASE, block_features, contrasts, fixed_scores, variants
from notebooks.studies.blind_spots import marked
from notebooks.studies.corpus_study import characteristic_terms, near_duplicates
from notebooks.studies.studies import Studies, sampled


@pytest.fixture(scope="module")
def corpus() -> LabeledCorpus:
    rng = np.random.default_rng(0)
    words = {"sun": "rain snow frost", "shop": "profit share market", "": "road tree house"}
    names = rng.choice(list(words), 240)
    texts = [
        " ".join(rng.choice([*words[name].split(), "a", "the", "day"], 6)) + f" {i}" for i, name in enumerate(names)
    ]
    return LabeledCorpus(
        texts=tuple(texts),
        labels=tuple((str(name),) if name else () for name in names),
        codebook=Codebook.from_names(["sun", "shop"]),
        groups=tuple(str(i // 6) for i in range(240)),
        columns={"source_type": tuple("abcd"[i // 60] for i in range(240))},
    )


def test_every_block_is_added_and_removed():
    named = variants(("words", "characters", "roles", "role_pairs"))
    pairs = contrasts(named)
    assert set(pairs) == {"words", "characters", "roles", "role_pairs", "all role blocks"}
    assert contrasts(named, articles=True) == {
        **pairs,
        "the article": [
            ("words + characters, in articles", "words + characters"),
            ("all blocks, in articles", "all blocks"),
        ],
        "roles and article": [("all blocks, in articles", "words + characters")],
    }
    for block, found in pairs.items():
        for one, other in found:
            with_it, without = set(named[one]), set(named[other])
            gained = with_it - without
            assert without < with_it
            assert gained == ({"roles", "role_pairs"} if block == "all role blocks" else {block})


def test_fixed_scores_learn_and_do_not_look_at_the_test_labels(corpus):
    splits = list(corpus.folds(3, 0))
    named = {"both": BASE, "words": ("words",)}
    scores, strengths = fixed_scores(corpus, splits, block_features(corpus, BLOCKS), named, (1.0, 10.0))
    assert set(strengths.values()) <= {1.0, 10.0}
    assert (scores["both"].predicted == scores["both"].truth).mean() > 0.9
    _, test = splits[0]
    hidden = set(test.tolist())
    labels = tuple(() if row in hidden else names for row, names in enumerate(corpus.labels))
    blind = dataclasses.replace(corpus, labels=labels)
    again, _ = fixed_scores(blind, splits[:1], block_features(blind, BLOCKS), named, (1.0, 10.0))
    np.testing.assert_array_equal(again["both"].probabilities, scores["both"].probabilities[test])


def test_sentences_are_measured_in_their_articles_too(corpus):
    splits = list(corpus.folds(3, 0))
    subjects = {"words": np.array([["sun" in names] for names in corpus.labels])}
    scores, _ = fixed_scores(
        corpus, splits, block_features(corpus, BLOCKS), {"words": ("words",)}, (1.0,), subjects=subjects
    )
    alone, together = scores["words"], scores["words, in articles"]
    assert (alone.truth == together.truth).all()
    assert (alone.probabilities != together.probabilities).any()
    assert (together.predicted == together.truth).mean() > 0.9


def test_comparison_of_resampled_figures_is_that_of_scores(corpus):
    splits = list(corpus.folds(3, 0))
    named = {"both": BASE, "words": ("words",)}
    scores, _ = fixed_scores(corpus, splits, block_features(corpus, BLOCKS), named, (1.0,))
    bootstrap = Bootstrap(scores["both"].groups)
    one, other = (resampled_figures(scores[name], bootstrap) for name in named)
    assert compare_resampled(one, other, corpus.frames) == compare(scores["both"], scores["words"], corpus.frames)


def test_a_sample_holds_whole_articles(corpus):
    part = sampled(corpus, 0.25)
    assert len(set(part.groups or ())) == 10
    assert len(part) == 60
    assert len(part.columns["source_type"]) == 60
    assert sampled(corpus, 1) is corpus


def test_a_study_is_computed_once_and_anew_for_another_corpus(corpus, tmp_path, monkeypatch):
    calls = []

    def counted(*_):
        calls.append(1)
        return {}

    monkeypatch.setattr("notebooks.studies.studies.peer_scores", counted)
    for _ in range(2):
        assert Studies(corpus, tmp_path).peers() == {}
    assert len(calls) == 1
    Studies(sampled(corpus, 0.5), tmp_path).peers()
    assert len(calls) == 2


def test_near_duplicates_and_terms(corpus):
    texts = ["Minsk shut its airspace on Monday, he said.", "Oil rose.", "Minsk shut its airspace on Monday, she said."]
    (pair,) = near_duplicates(texts, 0.5)
    assert (pair.first, pair.second) == (0, 2)
    found = {term.text for term in characteristic_terms(corpus, 3)["sun"]}
    assert found & {"rain", "snow", "frost"}


def test_markers_find_negation_quotation_and_pronouns(corpus):
    texts = ("He did not sign it.", "“There was no bomb at all”, the pilot said.", "Oil rose in Minsk on Monday.")
    part = dataclasses.replace(corpus, texts=texts, labels=((), (), ("sun",)), groups=None, columns={})
    found = marked(part)
    assert found["a negation"].tolist() == [True, True, False]
    assert found["a quotation"].tolist() == [False, True, False]
    assert found["a pronoun for its actor"].tolist() == [True, False, False]


def test_fasttext_learns(corpus):
    pytest.importorskip("fasttext")
    from notebooks.studies.peers import FASTTEXT, peer_scores

    scores = peer_scores(corpus, list(corpus.folds(3, 0))[:1])[FASTTEXT]
    _, tested = next(iter(corpus.folds(3, 0)))
    assert average_precision_score(scores.truth[tested], scores.probabilities[tested]) > 0.9
