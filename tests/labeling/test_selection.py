"""What to label next: a random sample that stays one, wide views first, rare frames more often."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from classifier.articles import Article
from classifier.corpus import LabeledCorpus
from classifier.labeling.learner import Learner, choose_thresholds
from classifier.labeling.ledger import Ledger
from classifier.labeling.selection import (
    START,
    Pool,
    Turns,
    choose,
    find_clusters,
    is_random,
    is_stable,
    kappa,
    n_clusters,
)
from classifier.labeling.session import Session, add_coder
from classifier.labeling.store import Project


def pool_of(n: int = 40, n_frames: int = 2, fitted: bool = True) -> Pool:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((n, 5))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    clusters, closeness = find_clusters(points, 6)
    margins = rng.standard_normal((n, n_frames)) if fitted else np.full((n, n_frames), np.nan)
    return Pool(clusters, closeness, np.zeros((n, n_frames)), margins)


@given(st.integers(1, 400), st.floats(0, 1))
def test_the_random_share_is_kept_to_the_label(n: int, share: float) -> None:
    assert abs(sum(is_random(i, share) for i in range(n)) - n * share) <= 1


def test_clusters_are_the_same_every_time_and_cover_everything() -> None:
    points = np.random.default_rng(1).standard_normal((200, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    clusters, closeness = find_clusters(points, n_clusters(200))
    again, _ = find_clusters(points, n_clusters(200))
    assert (clusters == again).all()
    sizes = np.bincount(clusters)
    assert (np.diff(sizes) <= 0).all()
    assert sizes.sum() == 200
    assert (closeness <= 1 + 1e-9).all()


def test_clusters_of_well_divided_points_are_those() -> None:
    centres = np.eye(4)
    points = np.repeat(centres, [9, 7, 5, 3], axis=0) + np.random.default_rng(0).normal(0, 0.01, (24, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    clusters, _ = find_clusters(points, 4)
    assert clusters.tolist() == [0] * 9 + [1] * 7 + [2] * 5 + [3] * 3


@pytest.mark.parametrize("points", [np.zeros((3, 2)), np.ones((1, 2)) / np.sqrt(2), np.tile([1.0, 0.0], (5, 1))])
def test_clusters_of_few_equal_or_empty_sentences(points: np.ndarray) -> None:
    clusters, _ = find_clusters(points, 4)
    assert len(clusters) == len(points)


def test_first_every_cluster_is_seen_then_the_least_sure() -> None:
    pool, turns = pool_of(), Turns()
    free = np.ones(40, dtype=bool)
    seen = []
    for n in range(6):
        row, key = choose(pool, free, ["a", "b"], [0, 0], turns, n)
        assert key is None
        free[row] = False
        seen.append(int(pool.clusters[row]))
    assert sorted(seen) == sorted(set(pool.clusters.tolist()))
    row, key = choose(pool, free, ["a", "b"], [0, 0], Turns(), START)
    doubt = np.where(free, np.abs(pool.margins[:, ["a", "b"].index(key)]), np.inf)
    assert row == doubt.argmin()


def test_rare_frames_come_more_often_and_none_is_forgotten() -> None:
    pool, turns = pool_of(400, 3), Turns()
    free = np.ones(400, dtype=bool)
    for n in range(300):
        row, _ = choose(pool, free, ["rare", "common", "usual"], [3, 300, 75], turns, START + n)
        free[row] = False
    assert turns.served["rare"] > 1.5 * turns.served["usual"] > 1.5 * turns.served["common"] > 15


def test_choices_are_spread_over_clusters() -> None:
    pool, turns = pool_of(200, 1), Turns()
    free = np.ones(200, dtype=bool)
    clusters = []
    for n in range(12):
        row, _ = choose(pool, free, ["a"], [30], turns, START + n)
        free[row] = False
        clusters.append(int(pool.clusters[row]))
    assert all(a != b for a, b in pairwise(clusters))


def test_nothing_is_chosen_twice_and_everything_in_the_end() -> None:
    for fitted in (False, True):
        pool, turns = pool_of(fitted=fitted), Turns()
        free = np.ones(40, dtype=bool)
        for n in range(40):
            row, _ = choose(pool, free, ["a", "b"], [n, 1], turns, n)
            assert free[row]
            free[row] = False
        assert choose(pool, free, ["a", "b"], [1, 1], turns, 40) == (-1, None)


def test_keywords_find_first_examples() -> None:
    pool = pool_of(fitted=False)
    pool.hits[17, 1] = 3
    row, key = choose(pool, np.ones(40, dtype=bool), ["a", "b"], [50, 0], Turns(), 1)
    assert (row, key) == (17, "b")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=50))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[bool, bool]]) -> None:
    one, other = (np.array(column) for column in zip(*pairs, strict=True))
    found = kappa(one, other)
    if len({*one.tolist(), *other.tolist()}) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(one, other))


def test_stable_needs_several_agreements_and_no_gap() -> None:
    assert is_stable([0.2, 0.995, 0.995, 0.995])
    assert not is_stable([0.995, 0.995])
    assert not is_stable([0.995, 0.9, 0.995])
    assert not is_stable([0.995, float("nan"), 0.995])


def test_the_learner_learns_and_is_measured_on_the_random_sample(weather: LabeledCorpus) -> None:
    learner = Learner(weather.texts)
    every = np.arange(len(weather))
    labeled = every[:60]
    keys = list(weather.frames)
    fit = learner.fit(labeled, weather.targets[labeled], weather.group_ids[labeled], np.ones(60, dtype=bool), keys)
    assert fit.margins.shape == weather.targets.shape
    right = ((fit.margins > 0) == weather.targets)[60:].mean()
    assert right > 0.8
    assert fit.f1 is not None
    assert fit.f1.low <= fit.f1.value <= fit.f1.high
    assert np.isnan(fit.agreement)
    again = learner.fit(labeled, weather.targets[labeled], weather.group_ids[labeled], np.ones(60, dtype=bool), keys)
    assert again.agreement == pytest.approx(1)
    assert (again.margins == fit.margins).all()


def test_sentences_outside_the_pool_are_learned_from_like_those_inside(weather: LabeledCorpus) -> None:
    learner = Learner(weather.texts[:50])
    assert abs(learner.transform(weather.texts[:50]) - learner.features).max() < 1e-12


def test_the_terms_of_a_sentence_say_what_the_margin_is_made_of(weather: LabeledCorpus) -> None:
    learner = Learner(weather.texts)
    rows = np.arange(80)
    fit = learner.fit(
        rows, weather.targets[rows], weather.group_ids[rows], np.ones(80, dtype=bool), list(weather.frames)
    )
    one = learner.features[[3]]
    margins = learner.margins_of(one)
    for column, frame in enumerate(weather.frames):
        assert margins[frame] == pytest.approx(fit.margins[3, column], abs=1e-4)
        terms = learner.explain(one, 10_000)[frame]
        _, _, intercept, threshold = learner._coefficients[frame]
        assert sum(value for _, value in terms) + intercept - threshold == pytest.approx(margins[frame], abs=1e-4)


def test_thresholds_are_those_of_the_random_sample_and_not_of_what_was_chosen() -> None:
    rng = np.random.default_rng(0)
    # Half of what was chosen carries the frame, a tenth of what was drawn at random.
    truth = np.r_[rng.random(400) < 0.5, rng.random(400) < 0.1]
    logits = (rng.standard_normal(800) + 1.5 * truth)[:, None]
    random = np.arange(800) >= 400
    found = choose_thresholds(logits, truth[:, None], random)
    naive = choose_thresholds(logits, truth[:, None], np.ones(800, dtype=bool))
    assert found[0] > naive[0]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "coding.db", write=True, create=True)
    project.add_articles(Article(f"{i}.txt", f"One {i}. Two {i}. Three {i}. Four {i}.") for i in range(100))
    return project


BOOK = {"frames": [{"title": "Odd"}, {"title": "Even"}]}


def label_some(session: Session, n: int) -> None:
    for _ in range(n):
        item = session.view("Ada")["item"]
        session.decide("Ada", item["sentence"], [1] if item["sentence"] % 2 else [])


def test_the_random_sample_is_the_sentences_of_the_least_numbers_and_stays_so(tmp_path: Path, project: Project) -> None:
    with project:
        add_coder(project, Ledger.of(project.events()), "Ada")
        session = Session(project, tmp_path / "c.toml", learn=False, random_share=1)
        session.save_codebook("Ada", BOOK)
        label_some(session, 38)
        draws = project.draws()
        sample = [draw.sentence for draw in session.ledger.draws.values() if draw.origin == "random"]
        assert sorted(sample) == sorted((np.argsort(draws)[: len(sample)] + 1).tolist())
        assert session.queue.probability == len(sample) / 400
        # Of articles that come later as many come into it as would have.
        project.add_articles(Article(f"new {i}.txt", f"New {i}. Newer {i}. Newest {i}. Last {i}.") for i in range(100))
        session = Session(project, tmp_path / "c.toml", learn=False, random_share=1)
        label_some(session, 60)
        draws = project.draws()
        drawn = {draw.sentence for draw in session.ledger.draws.values()}
        least = set((np.argsort(draws)[: session.queue.n_sampled] + 1).tolist())
        assert least <= drawn
        assert any(sentence > 400 for sentence in least)


def test_every_sentence_is_as_likely_to_be_drawn_as_any_other(tmp_path: Path) -> None:
    # The mean place in its article of a sample of 40 projects: 1.5 with a standard error of 0.06.
    places = []
    for seed in range(40):
        with Project(tmp_path / f"{seed}.db", write=True, create=True) as project:
            project.add_articles(Article(f"{i}.txt", f"One {i}. Two {i}. Three {i}. Four {i}.") for i in range(10))
            order = np.argsort(project.draws())[:10]
            places += (order % 4).tolist()
    assert abs(np.mean(places) - 1.5) < 0.3
    assert len(set(places)) == 4


def test_second_codings_are_a_share_and_only_of_what_another_decided(tmp_path: Path, project: Project) -> None:
    with project:
        ledger = Ledger.of(project.events())
        for name in ("Ada", "Ben"):
            add_coder(project, ledger, name)
        session = Session(project, tmp_path / "c.toml", learn=False, double_share=0.2)
        session.save_codebook("Ada", BOOK)
        for _ in range(120):
            for coder in ("Ada", "Ben"):
                item = session.view(coder)["item"]
                assert item["decision"] is None
                session.decide(coder, item["sentence"], [])
        twice = [number for number, coders in session.ledger.decisions.items() if len(coders) == 2]
        once = [number for number, coders in session.ledger.decisions.items() if len(coders) == 1]
        assert 0.1 < len(twice) / (len(once) + len(twice)) < 0.3


def test_a_second_look_only_where_it_colours_no_figure(tmp_path: Path) -> None:
    with Project(tmp_path / "coding.db", write=True, create=True) as project:
        articles = [[f"Rain {i} fell.", f"Sun {i} shone.", f"Rain {i} again.", f"Wind {i}."] for i in range(60)]
        project.add_articles(Article(f"{i}.txt", "\n".join(texts)) for i, texts in enumerate(articles))
        add_coder(project, Ledger.of(project.events()), "Ada")
        session = Session(project, tmp_path / "c.toml", second_look=True)
        try:
            session.save_codebook("Ada", {"frames": [{"title": "Rain", "keywords": ["rain"]}]})
            texts = {passage.sentence: passage.text for passage in project.passages(range(1, 241))}
            for _ in range(40):
                item = session.view("Ada")["item"]
                session.decide("Ada", item["sentence"], [1] if "Rain" in texts[item["sentence"]] else [])
            end = time.monotonic() + 60
            while not session.ledger.fits and time.monotonic() < end:
                time.sleep(0.05)
            assert session.ledger.fits
            shown = []
            for sentence in sorted(set(texts) - set(session.ledger.decisions)):
                session.decide("Ada", sentence, [] if "Rain" in texts[sentence] else [1])  # wrong on purpose
                look = session.look("Ada", sentence, 20)
                if look is not None:
                    shown.append(sentence)
                    assert look["frames"][0]["says"] == ("Rain" in texts[sentence])
                    assert look["frames"][0]["terms"]
        finally:
            session.close()
        assert len(shown) > 20
        reserve = set((np.argsort(project.draws())[:120] + 1).tolist())
        assert not reserve & set(shown)
        assert not any(session.queue.is_double(sentence) for sentence in shown)
        plain = Session(project, tmp_path / "c.toml", learn=False)
        assert plain.look("Ada", shown[0]) is None


def test_what_could_not_be_recorded_is_shown_again(tmp_path: Path, project: Project) -> None:
    with project:
        add_coder(project, Ledger.of(project.events()), "Ada")
        session = Session(project, tmp_path / "c.toml", learn=False)
        first = session.queue.draws("Ada")
        assert [event.sentence for event in first] == [event.sentence for event in session.queue.draws("Ada")]
        session.save_codebook("Ada", BOOK)
        shown = session.view("Ada")
        assert [shown["item"]["sentence"], shown["next"]["sentence"]] == [event.sentence for event in first]


def test_a_codebook_that_cannot_be_written_as_toml_is_saved_all_the_same(tmp_path: Path, project: Project) -> None:
    with project:
        add_coder(project, Ledger.of(project.events()), "Ada")
        session = Session(project, tmp_path / "nowhere" / "c.toml", learn=False)
        session.save_codebook("Ada", BOOK)
        assert "but not as TOML" in session.progress("Ada")["message"]
        assert [frame["name"] for frame in session.view("Ada")["codebook"]["frames"]] == ["odd", "even"]
