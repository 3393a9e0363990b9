"""Training that starts from a model: what it knows of the same frames is kept as far as it helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier import Codebook, LabeledCorpus, Model, TrainingReport, load_model, read_corpus, train
from classifier.errors import InputError
from classifier.model.model import probabilities
from classifier.release import save_model, to_pipeline
from classifier.training.train import fit_model
from tests.corpora import FLOODS_AND_STRIKES, write_rows

OWN = (
    ("flood", "The stream rose and the flood closed the lane."),
    ("strike", "A strike was called by the union of bakers."),
    ("", "The fair opens on Saturday."),
    ("flood", "Rain filled the ditch until the flood came."),
    ("strike", "Wage talks failed and a strike began."),
    ("", "The band plays old songs."),
    ("flood", "A flood warning was given for the brook."),
    ("strike", "Bakers on strike met the employer."),
    ("", "New stamps show the castle."),
    ("", "The road was painted again."),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> LabeledCorpus:
    """Ten sentences of one's own, without articles."""
    return read_corpus(write_rows(tmp_path_factory.mktemp("own") / "own.csv", ("labels", "text"), OWN))


@pytest.fixture(scope="module")
def started(own: LabeledCorpus, model: Model) -> tuple[Model, TrainingReport]:
    return train(own, name="mine", n_folds=3, start=model)


TEXTS = [
    "The river rose above the flood wall.",
    "The union called a strike of bakers.",
    "",
    "Quince jam",
    "brook brook",
]


class TestFigures:
    def test_with_the_start_without_it_and_as_it_is(self, started: tuple[Model, TrainingReport]) -> None:
        _, report = started
        assert list(report.baselines) == ["trained without the start", "the start as it is", "majority", "keywords"]
        with_it, without = (
            next(row for row in rows if row.name == "macro average").f1.value
            for rows in (report.rows, report.baselines["trained without the start"])
        )
        assert with_it > without

    def test_the_start_as_it_is_are_its_own_decisions(
        self, started: tuple[Model, TrainingReport], own: LabeledCorpus, model: Model
    ) -> None:
        _, report = started
        alone = [[frame in names for frame in model.frames] for names in model.predict(own.texts)]
        hits = (np.array(alone) & own.targets).sum(axis=0)
        f1 = 2 * hits / (np.array(alone).sum(axis=0) + own.targets.sum(axis=0))
        assert [row.f1.value for row in report.baselines["the start as it is"][:2]] == pytest.approx(f1.tolist())

    def test_sentences_that_the_start_has_seen_are_counted(self, corpus: LabeledCorpus, model: Model) -> None:
        _, report = train(corpus, n_folds=2, start=model)
        assert report.known_to_start == len(corpus) == sum(map(len, FLOODS_AND_STRIKES))


class TestModel:
    def test_it_keeps_what_the_start_knows(self, started: tuple[Model, TrainingReport]) -> None:
        assert started[0].predict(["The dam on the river burst.", "Pickets, union and employer."]) == [
            ("flood",),
            ("strike",),
        ]

    def test_it_learns_words_unknown_to_the_start(self, started: tuple[Model, TrainingReport], model: Model) -> None:
        mine = started[0]
        assert mine.blocks[: len(model.blocks)] == model.blocks
        assert "bakers" not in model.vocabulary[0]
        own_words = dict(zip(mine.blocks[len(model.blocks) :], mine.vocabulary[len(model.blocks) :], strict=True))
        words = next(ngrams for block, ngrams in own_words.items() if block.kind == "words")
        assert "bakers" in words
        assert set(words).isdisjoint(model.vocabulary[0])

    def test_the_compiled_path_gives_the_same_bits(self, started: tuple[Model, TrainingReport]) -> None:
        logits, _, _, left = started[0].compiled_scorer().score(TEXTS)
        assert not len(left)
        assert (logits == started[0].plain_logits(TEXTS)).all()

    def test_explanations_are_exact(self, started: tuple[Model, TrainingReport]) -> None:
        mine = started[0]
        for text, row in zip(TEXTS, mine.logits(TEXTS), strict=True):
            sums = [sum(value for _, value in mine.explain(text)[frame]) for frame in mine.frames]
            assert np.array(sums) + mine.intercepts == pytest.approx(row, abs=1e-5)

    def test_it_is_saved_loaded_and_started_from_again(
        self, started: tuple[Model, TrainingReport], own: LabeledCorpus, tmp_path: Path
    ) -> None:
        save_model(started[0], tmp_path / "mine")
        mine = load_model(tmp_path / "mine")
        assert (mine.logits(TEXTS) == started[0].logits(TEXTS)).all()
        expected = probabilities(mine.logits(TEXTS), mine.task)
        assert to_pipeline(mine).predict_proba(TEXTS) == pytest.approx(expected, abs=1e-5)
        save_model(fit_model(own, start=mine), tmp_path / "again")
        assert load_model(tmp_path / "again").frames == mine.frames

    def test_it_knows_the_sentences_of_both(self, started: tuple[Model, TrainingReport], model: Model) -> None:
        seen = started[0].seen([OWN[0][1], FLOODS_AND_STRIKES[0][0][1], "Something else."])
        assert seen.tolist() == [True, True, False]
        assert started[0].provenance["start"]["name"] == model.name
        assert started[0].domain == model.domain

    def test_its_context_is_the_starts(self, started: tuple[Model, TrainingReport], model: Model) -> None:
        assert model.context is not None
        kept = started[0].context
        assert kept is not None
        assert kept.others.tolist() == model.context.others.tolist()

    def test_roles_are_the_starts(self, own: LabeledCorpus, roles_directory: Path) -> None:
        start = load_model(roles_directory)
        mine = fit_model(own, start=start)
        assert mine.codebook.roles == start.codebook.roles
        assert (mine.compiled_scorer().score(TEXTS).logits == mine.plain_logits(TEXTS)).all()


class TestFrames:
    def test_others_beside_those_of_the_start(self, own: LabeledCorpus, model: Model) -> None:
        labels = tuple(
            (*names, "short") if len(text) < 30 else names for names, text in zip(own.labels, own.texts, strict=True)
        )
        more = replace(own, labels=labels, codebook=Codebook.from_names(["short", "strike", "flood"]))
        mine = fit_model(more, start=model)
        assert mine.frames == ("short", "strike", "flood")
        assert mine.predict(["Nurses and teachers walked out over wages and the union agreed."])[0] == ("strike",)

    def test_none_in_common_is_an_error(self, rooms_corpus: LabeledCorpus, model: Model) -> None:
        with pytest.raises(InputError, match="knows the frames flood, strike, and none of"):
            train(rooms_corpus, start=model)


class TestCommand:
    def test_figures_and_what_the_start_has_seen(
        self, cli, corpus_csv: Path, model_directory: Path, tmp_path: Path
    ) -> None:
        result = cli("train", corpus_csv, "--start-from", model_directory, "--folds", "2", "-o", tmp_path / "mine")
        assert result.exit_code == 0
        assert "baseline: the start" in result.stdout
        assert "60 of these sentences were in the start's training" in result.stderr
        assert load_model(tmp_path / "mine").provenance["start"]["name"] == "tiny"

    def test_without_a_folder_it_is_the_model_that_comes_along(self, cli, corpus_csv: Path, tmp_path: Path) -> None:
        result = cli("train", corpus_csv, "-o", tmp_path / "mine", "--start-from")
        assert result.exit_code == 2
        assert "framing knows the frames western_condemnation" in result.stderr
        assert not (tmp_path / "mine").exists()

    def test_no_model_there(self, cli, corpus_csv: Path, tmp_path: Path) -> None:
        result = cli("train", corpus_csv, "--start-from", tmp_path / "none", "-o", tmp_path / "mine")
        assert result.exit_code == 2
        assert "no model there" in result.stderr
