"""Word vectors: what a corpus never shows gets the weight of its neighbours; the model stays linear and exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier import LabeledCorpus, Model, load_model, read_corpus, train
from classifier.errors import InputError
from classifier.features.vectors import WordVectors, load_vectors
from classifier.model.model import probabilities
from classifier.release import save_model, to_pipeline
from classifier.training.train import fit_model
from tests.corpora import write_rows

WET = ("river", "rain", "flood", "water", "torrent", "deluge", "downpour", "dam")
WORK = ("strike", "union", "wage", "pickets", "walkout", "stoppage", "employer", "workers")
PLAIN = ("the", "of", "and", "museum", "school", "opens", "summer", "town", "began", "at", "dawn")


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    """A table in which words for water lie together, and words for work."""
    kinds = [np.tile(kind, (n, 1)) for kind, n in (((0, 0, 1), len(PLAIN)), ((1, 0, 0), len(WET)), ((0, 1, 0), 8))]
    points = np.vstack(kinds) + np.random.default_rng(0).normal(0, 0.05, (27, 3))
    return WordVectors((*PLAIN, *WET, *WORK), points.astype(np.float32), "toy")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> LabeledCorpus:
    """Sentences in which one word tells the frame, and none of these words comes in two articles."""
    path = tmp_path_factory.mktemp("varied") / "varied.csv"
    seen = (*(("wet", word) for word in WET[:6]), *(("work", word) for word in WORK[:6]))
    ends = ("began at dawn", "and the town", "of summer")
    rows = [(word, label, f"{word} {end}") for label, word in seen for end in ends]
    return read_corpus(write_rows(path, ("article_id", "labels", "text"), rows))


@pytest.fixture(scope="module")
def model(varied: LabeledCorpus, vectors: WordVectors) -> Model:
    return fit_model(varied, vectors=vectors)


TEXTS = [
    "downpour at dawn",
    "stoppage at dawn, stoppage at noon, stoppage",
    "nothing known here",
    "",
    "The torrent; THE Torrent!",
    "flood and strike and flood and wage",
]


class TestNeighbours:
    def test_words_never_shown_get_the_weight_of_their_neighbours(self, model: Model, varied: LabeledCorpus) -> None:
        assert {"downpour", "workers"}.isdisjoint(" ".join(varied.texts).split())
        assert model.predict(["downpour dam downpour", "workers employer workers"]) == [("wet",), ("work",)]

    def test_without_vectors_they_have_none(self, varied: LabeledCorpus) -> None:
        plain = fit_model(varied, vectors=WordVectors.none())
        assert [block.kind for block in plain.blocks] == ["words", "characters"]
        words = dict(zip(plain.vocabulary[0], plain.coefficients, strict=False))
        assert "downpour" not in words

    def test_they_are_left_out_where_they_say_nothing(self, varied: LabeledCorpus) -> None:
        rng = np.random.default_rng(1)
        noise = WordVectors((*PLAIN, *WET, *WORK), rng.normal(size=(27, 3)).astype(np.float32), "noise")
        found = fit_model(varied, vectors=noise)
        strange = WordVectors(("ärger", "öl"), np.eye(2, dtype=np.float32), "German")
        assert "vectors" not in [block.kind for block in fit_model(varied, vectors=strange).blocks]
        assert len(found.frames) == 2

    def test_the_provenance_names_the_table(self, varied: LabeledCorpus, vectors: WordVectors) -> None:
        trained, report = train(varied, n_folds=2, vectors=vectors)
        assert trained.provenance["vectors"] == "toy"
        assert report.setting is not None
        assert report.setting.vectors > 0


class TestLinear:
    def test_what_two_words_add_is_the_mean_of_what_each_adds(self, model: Model, vectors: WordVectors) -> None:
        assert model.blocks[-1].kind == "vectors"
        assert model.vocabulary[-1] == vectors.words
        block = [model.contributions(text)["wet"] for text in ("xx downpour", "xx downpour stoppage", "xx stoppage")]
        of_vectors = [sum(item.value for item in found if item.block == "vectors") for found in block]
        assert of_vectors[1] == pytest.approx((of_vectors[0] + of_vectors[2]) / 2)
        assert of_vectors[0] > 0 > of_vectors[2]

    def test_explanations_are_exact(self, model: Model) -> None:
        logits = model.logits(TEXTS)
        for text, row in zip(TEXTS, logits, strict=True):
            terms = model.explain(text)
            sums = [sum(value for _, value in terms[frame]) for frame in model.frames]
            assert np.array(sums) + model.intercepts == pytest.approx(row, abs=1e-5)

    def test_the_compiled_path_gives_the_same_bits(self, model: Model) -> None:
        logits, _, _, left = model.compiled_scorer().score(TEXTS * 3)
        assert not len(left)
        assert (logits == model.plain_logits(TEXTS * 3)).all()

    def test_the_pipeline_gives_the_same_probabilities(self, model: Model) -> None:
        expected = probabilities(model.logits(TEXTS), model.task)
        assert to_pipeline(model).predict_proba(TEXTS) == pytest.approx(expected, abs=1e-5)

    def test_a_saved_model_is_the_same(self, model: Model, tmp_path: Path) -> None:
        save_model(model, tmp_path / "model")
        assert (load_model(tmp_path / "model").logits(TEXTS) == model.logits(TEXTS)).all()


class TestTables:
    def test_the_table_that_comes_with_the_package(self) -> None:
        table = load_vectors()
        assert table.words[:3] == ("the", "of", "to")
        assert table.vectors.shape == (100_000, 50)
        near = {word: table.vectors[table.words.index(word)] for word in ("sanctions", "embargo", "piano")}

        def cosine(one: str, other: str) -> float:
            pair = near[one] @ near[other]
            return float(pair / np.linalg.norm(near[one]) / np.linalg.norm(near[other]))

        assert cosine("sanctions", "embargo") > 0.6 > 0.3 > cosine("sanctions", "piano")

    def test_means_weigh_rare_words_more(self, vectors: WordVectors) -> None:
        common, rare = vectors.means(["the"])[0], vectors.means(["workers"])[0]
        assert np.linalg.norm(common) < np.linalg.norm(rare)
        assert np.isnan(vectors.means(["zzz"])).all()
        assert vectors.means(["the workers"])[0] == pytest.approx((common + rare) / 2)

    @pytest.mark.parametrize("header", ["", "3 2\n"])
    def test_a_text_file(self, tmp_path: Path, header: str) -> None:
        path = tmp_path / "own.vec"
        path.write_text(f"{header}Wetter 1 0\nwetter 5 5\n, 3 3\nöl 0 -2.5\n", encoding="utf-8")
        table = load_vectors(path)
        assert table.words == ("wetter", "öl")
        assert table.vectors.tolist() == [[1, 0], [0, -2.5]]
        assert table.name == "own.vec"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("wet 1 0\nwork 1\n", "line 2: 1 numbers"),
            ("wet one zero\n", "line 1: a word and its numbers"),
            ("", "no word vectors"),
            ("wet " + "1 " * 2000, "2000 numbers"),
        ],
    )
    def test_a_file_that_is_none(self, tmp_path: Path, content: str, message: str) -> None:
        path = tmp_path / "bad.vec"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            load_vectors(path)

    def test_a_table_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "bad.safetensors").write_bytes(b"no table")
        with pytest.raises(InputError, match="no table of word vectors"):
            load_vectors(tmp_path / "bad.safetensors")

    def test_no_file(self, cli, rooms_csv: Path, tmp_path: Path) -> None:
        arguments = ("--text-column", "Example", "--label-column", "Category", "-o", tmp_path / "rooms")
        result = cli("train", rooms_csv, *arguments, "--vectors", tmp_path / "missing.vec")
        assert result.exit_code == 2
        assert "missing.vec" in result.stderr


def test_the_command_takes_a_table_or_none(cli, varied: LabeledCorpus, vectors: WordVectors, tmp_path: Path) -> None:
    table = tmp_path / "own.vec"
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(vectors.words, vectors.vectors, strict=True))
    table.write_text("".join(lines), encoding="utf-8")
    for name, value in (("with", table), ("without", "none")):
        result = cli("train", varied.path, "--folds", "2", "--quiet", "--vectors", value, "-o", tmp_path / name)
        assert result.exit_code == 0
    kinds = [[block.kind for block in load_model(tmp_path / name).blocks] for name in ("with", "without")]
    assert "vectors" in kinds[0]
    assert "vectors" not in kinds[1]
