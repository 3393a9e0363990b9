"""Models are measured on what they have not seen, methods by folds that leave out what they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifier.codebook import Codebook
from classifier.corpus import LabeledCorpus
from classifier.errors import FramingError, InputError
from classifier.evaluation import learning_curve, leave_out_splits, score_corpus
from classifier.evaluation.evaluate import compare_models, cross_evaluate, evaluate
from classifier.evaluation.splits import BUNDLES, MAX_FOLDS
from classifier.metrics import NONE, OTHER
from classifier.model.model import Model


def with_column(corpus: LabeledCorpus, name: str, values: list[str]) -> LabeledCorpus:
    return replace(corpus, columns={**corpus.columns, name: tuple(values)})


def joined(one: LabeledCorpus, other: LabeledCorpus) -> LabeledCorpus:
    assert one.groups is not None and other.groups is not None
    columns = {name: one.columns[name] + other.columns[name] for name in one.columns}
    return replace(
        one,
        texts=one.texts + other.texts,
        labels=one.labels + other.labels,
        groups=one.groups + other.groups,
        columns=columns,
        sha256="",
    )


class TestEvaluate:
    def test_measures_unseen_sentences(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        found = evaluate(weather_model, unseen, by=["station"])
        assert found.summary.sentences == len(unseen)
        assert found.overlap is not None and found.overlap.sentences == 0
        assert found.summary.row("macro average").f1.value > 0.8
        assert {part.value for part in found.summary.by["station"]} == {"north", "south", "east", "west"}

    def test_refuses_the_training_file(self, weather_model: Model, weather: LabeledCorpus) -> None:
        with pytest.raises(FramingError, match="trained on this very file") as caught:
            evaluate(weather_model, weather)
        assert caught.value.exit_code == 1

    def test_refuses_the_training_sentences_in_another_file(self, weather_model: Model, weather: LabeledCorpus) -> None:
        shouted = replace(weather, texts=tuple(text.upper() + "!" for text in weather.texts), sha256="")
        with pytest.raises(FramingError, match="trained on every sentence"):
            evaluate(weather_model, shouted)

    def test_leaves_training_sentences_out_and_counts_them(
        self, weather_model: Model, weather: LabeledCorpus, unseen: LabeledCorpus
    ) -> None:
        found = evaluate(weather_model, joined(weather, unseen))
        alone = evaluate(weather_model, unseen)
        assert found.overlap is not None and found.overlap.sentences == len(weather)
        assert found.summary.to_dict() == alone.summary.to_dict()
        assert found.rows_tested.tolist() == list(range(len(weather), len(weather) + len(unseen)))

    def test_counts_unseen_neighbours_of_training_sentences(self, weather_model: Model, weather: LabeledCorpus) -> None:
        changed = replace(weather, texts=("A new sentence of snow.", *weather.texts[1:]), sha256="")
        overlap = evaluate(weather_model, changed).overlap
        assert overlap is not None and (overlap.sentences, overlap.neighbours) == (len(weather) - 1, 1)

    def test_says_when_a_model_does_not_record_its_sentences(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        forgetful = replace(weather_model, trained_on=np.zeros(0, dtype=np.uint64))
        overlap = evaluate(forgetful, unseen).overlap
        assert overlap is not None and not overlap.recorded

    def test_can_measure_memory_when_told_to(self, weather_model: Model, weather: LabeledCorpus) -> None:
        found = evaluate(weather_model, weather, keep_seen=True)
        assert found.summary.sentences == len(weather)

    def test_finds_columns_of_frames_by_name(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        turned = replace(unseen, codebook=Codebook.from_names(unseen.frames[::-1]))
        assert (score_corpus(weather_model, turned).truth == score_corpus(weather_model, unseen).truth[:, ::-1]).all()
        straight = score_corpus(weather_model, unseen)
        assert (score_corpus(weather_model, turned).predicted == straight.predicted[:, ::-1]).all()
        assert (score_corpus(weather_model, turned).probabilities == straight.probabilities[:, ::-1]).all()

    def test_refuses_other_frames_and_unknown_columns(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        with pytest.raises(InputError, match="frames must be the same"):
            evaluate(weather_model, replace(unseen, codebook=Codebook.from_names([*unseen.frames, "fog"])))
        with pytest.raises(InputError, match="no column 'outlet'"):
            evaluate(weather_model, unseen, by=["outlet"])


class TestCompareModels:
    def test_finds_a_spoiled_model_worse(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        spoiled = replace(weather_model, coefficients=weather_model.coefficients * 0)
        one, other, rows = compare_models(weather_model, spoiled, unseen)
        assert one.summary.sentences == other.summary.sentences == len(unseen)
        row = next(row for row in rows if (row.name, row.figure) == ("macro average", "average_precision"))
        assert row.difference.low > 0 and row.p_value < 0.01

    def test_leaves_out_what_either_was_trained_on(self, weather_model: Model, unseen: LabeledCorpus) -> None:
        from classifier.model.fingerprints import fingerprints

        taught = replace(weather_model, trained_on=np.sort(fingerprints(unseen.texts[:12])))
        one, other, _ = compare_models(weather_model, taught, unseen)
        assert one.summary.sentences == other.summary.sentences == len(unseen) - 12


class TestCrossEvaluate:
    def test_lists_the_surest_mistakes_with_terms_of_a_model_that_had_not_seen_them(
        self, weather: LabeledCorpus
    ) -> None:
        found = cross_evaluate(weather, n_folds=3)
        mistakes = found.mistakes(5, terms=2)
        assert len(mistakes) == 5
        assert [one.margin for one in mistakes] == sorted((one.margin for one in mistakes), reverse=True)
        assert len({one.row for one in mistakes}) == 5
        for one in mistakes:
            assert one.text == weather.texts[one.row]
            assert (one.frame in one.predicted, one.frame in one.labels) == (one.kind == "false", one.kind == "missed")
            assert len(one.terms) <= 2
            assert all((value > 0) == (one.kind == "false") for _, value in one.terms)
            place = found.rows_tested.tolist().index(one.row)
            model = found.models[int(found.model_of[place])]
            column = weather.frames.index(one.frame)
            groups = weather.groups or ()
            article = [text for text, group in zip(weather.texts, groups, strict=True) if group == one.article]
            row = model.read(article, [len(article)]).probabilities[article.index(one.text)]
            assert row[column] == pytest.approx(one.probability, abs=1e-4)

    def test_measures_each_value_left_out(self, weather: LabeledCorpus) -> None:
        found = cross_evaluate(weather, None, leave_out="station")
        assert set(found.folds) == {"north", "south", "east", "west"}
        assert found.summary.sentences == len(weather)
        assert {part.value for part in found.summary.by["station"]} == set(found.folds)

    def test_of_classes_gives_one_mistake_a_sentence(self, rooms_corpus: LabeledCorpus) -> None:
        found = cross_evaluate(rooms_corpus, 2)
        for one in found.mistakes(50):
            assert one.kind == "false" and one.predicted == (one.frame,) and one.labels != one.predicted
        assert list(found.summary.overall) == ["accuracy"]


class TestLeaveOut:
    def test_tests_every_sentence_once_and_never_learns_from_the_value(self, weather: LabeledCorpus) -> None:
        stations = weather.columns["station"]
        splits = leave_out_splits(weather, "station")
        assert sorted(row for _, (_, test) in splits for row in test) == list(range(len(weather)))
        for name, (train, test) in splits:
            assert {stations[row] for row in test} == {name}
            assert name not in {stations[row] for row in train}

    def test_never_learns_from_an_article_that_is_partly_left_out(self, weather: LabeledCorpus) -> None:
        values = ["odd" if row % 40 == 0 else "even" for row in range(len(weather))]
        corpus = with_column(weather, "parity", values)
        with pytest.raises(InputError, match="leaving out parity = even leaves 0 articles"):
            leave_out_splits(corpus, "parity")

    def test_pools_rare_values(self, weather: LabeledCorpus) -> None:
        values = ["rare" if row < 8 else "" if row < 40 else "common" for row in range(len(weather))]
        names = [name for name, _ in leave_out_splits(with_column(weather, "x", values), "x", None)]
        assert names == ["common", NONE, OTHER]

    def test_deals_many_values_into_bundles_of_about_one_size(self, weather: LabeledCorpus) -> None:
        corpus = with_column(weather, "event", list(weather.groups or ()))
        splits = leave_out_splits(corpus, "event", 4)
        sizes = [len(test) for _, (_, test) in splits]
        assert len(splits) == 4 and max(sizes) - min(sizes) <= 4
        for _, (train, test) in splits:
            assert not {corpus.columns["event"][row] for row in train} & {corpus.columns["event"][row] for row in test}

    def test_bundles_by_itself_where_values_are_many(self, weather: LabeledCorpus) -> None:
        n = MAX_FOLDS + 1
        article = {group: i for i, group in enumerate(dict.fromkeys(weather.groups or ()))}
        corpus = replace(
            weather,
            texts=weather.texts * 3,
            labels=weather.labels * 3,
            groups=tuple(f"{copy}{group}" for copy in range(3) for group in weather.groups or ()),
            columns={"event": tuple(str(article[group] % n) for _ in range(3) for group in weather.groups or ())},
        )
        assert len(leave_out_splits(corpus, "event")) == BUNDLES

    def test_refuses_a_column_of_one_value(self, weather: LabeledCorpus) -> None:
        with pytest.raises(InputError, match="one value only"):
            leave_out_splits(with_column(weather, "x", ["same"] * len(weather)), "x")


def test_learning_curve_rises_and_tests_the_same_sentences(weather: LabeledCorpus) -> None:
    points = learning_curve(weather, (0.15, 1.0), splits=list(weather.folds(3, 0))[:1])
    assert points[0].articles < points[1].articles
    assert points[0].summary.sentences == points[1].summary.sentences < len(weather)
    few, many = (point.summary.row("macro average").f1.value for point in points)
    assert few < many
