"""Agreement of any number of coders is what the libraries compute; conflicts and merged labels are files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from classifier.labeling.agreement import coders_agreement, conflicts, nominal_alpha
from classifier.metrics.agreement import SETS
from classifier.metrics.bootstrap import Bootstrap
from tests.corpora import write_rows

krippendorff = pytest.importorskip("krippendorff", reason="comes with the extra 'agreement'")

HEADER = ("article_id", "text", "labels")
ADA = [
    ("1", "It rains.", "rain"),
    ("1", "They strike.", "strike"),
    ("2", "It rains.", "rain"),
    ("2", "Nothing.", ""),
    ("3", "Rain and strike.", "rain|strike"),
]
BEN = [
    ("1", "It rains.", "rain"),
    ("1", "They strike.", ""),
    ("2", "It rains.", "rain"),
    ("3", "Rain and strike.", "strike"),
]


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 4), st.floats(0, 1))
def test_alpha_of_many_coders_is_that_of_the_package(
    seed: int, n_coders: int, n_categories: int, likeness: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_categories, size=(40, 1))
    values = np.where(rng.random((40, n_coders)) < likeness, truth, rng.integers(n_categories, size=(40, n_coders)))
    given_ = rng.random((40, n_coders)) < 0.7
    given_[:, :2] = True
    bootstrap = Bootstrap(np.arange(40) // 4, 3, seed)
    alphas = nominal_alpha(values, given_, bootstrap)
    for row, weights in enumerate(bootstrap.weights[:, bootstrap.groups].astype(int)):
        data = np.where(given_, values, np.nan).repeat(weights, axis=0).T
        if len(np.unique(data[~np.isnan(data)])) < 2:
            assert np.isnan(alphas[row])
        else:
            assert alphas[row] == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"))


def test_pairs_are_compared_on_what_both_labeled() -> None:
    coders = {
        "a": {i: frozenset({"x"} if i % 2 else ()) for i in range(30)},
        "b": {i: frozenset({"x"} if i % 3 else ()) for i in range(10, 40)},
        "c": {i: frozenset({"x"}) for i in range(100, 110)},
    }
    x, sets = coders_agreement(coders, ["x"])
    assert (x.name, sets.name) == ("x", SETS)
    assert x.n == 20
    assert [(pair.first, pair.second, pair.n) for pair in x.pairs] == [("a", "b", 20)]
    one, other = ([bool(coders[name][i]) for i in range(10, 30)] for name in "ab")
    assert x.pairs[0].kappa is not None
    assert x.pairs[0].kappa.value == pytest.approx(cohen_kappa_score(one, other))
    pair = x.pairs[0]
    assert pair.both + pair.only_first + pair.only_second + pair.neither == 20
    assert len(conflicts(coders)) == pair.only_first + pair.only_second
    assert coders_agreement({"a": coders["a"], "c": coders["c"]}, ["x"]) == []


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write_rows(tmp_path / "ada.csv", HEADER, ADA), write_rows(tmp_path / "ben.csv", HEADER, BEN)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_files_of_coders(files: tuple[Path, Path], tmp_path: Path, cli) -> None:
    conflicts_, merged = tmp_path / "conflicts.csv", tmp_path / "merged.csv"
    result = cli("agree", *files, "--format", "json", "--conflicts", conflicts_, "--merged", merged)
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["coders"] == {"ada": 5, "ben": 4}
    rain = data["frames"][0]
    assert (rain["name"], rain["n"], rain["pairs"][0]["only_first"]) == ("rain", 4, 1)
    assert [(row["text"], row["labels_ada"], row["labels_ben"]) for row in read(conflicts_)] == [
        ("They strike.", "strike", ""),
        ("Rain and strike.", "rain|strike", "strike"),
    ]
    assert [(row["article_id"], row["text"], row["labels"], row["coders"]) for row in read(merged)] == [
        ("1", "It rains.", "rain", "ada|ben"),
        ("2", "It rains.", "rain", "ada|ben"),
        ("2", "Nothing.", "", "ada"),
    ]
    assert "2 conflicts" in result.stderr


@pytest.mark.parametrize("format_", ["table", "markdown", "html"])
def test_every_format_tells_it(files: tuple[Path, Path], format_: str, tmp_path: Path, cli) -> None:
    result = cli("agree", *files, "--format", format_, "--output", tmp_path / "out")
    assert result.exit_code == 0
    text = (tmp_path / "out").read_text(encoding="utf-8")
    assert "Krippendorff" in text
    assert "Cohen" in text
    if format_ == "html":
        assert "Rain and strike." in text
        assert "default-src &#39;none&#39;" in text


def test_annotators_of_an_export_of_label_studio_are_coders(tmp_path: Path, cli) -> None:
    def annotation(who: object, *names: str) -> dict[str, object]:
        result = [{"type": "choices", "from_name": "frames", "value": {"choices": list(names)}}] if names else []
        return {"completed_by": who, "result": result}

    tasks = [
        {"data": {"text": "It rains."}, "annotations": [annotation(1, "rain"), annotation({"email": "b@x"}, "rain")]},
        {"data": {"text": "Sun."}, "annotations": [annotation(1), annotation({"email": "b@x"}, "rain")]},
        {"data": {"text": "Alone."}, "annotations": [annotation(1)]},
        {"data": {"text": "Cancelled."}, "annotations": [{**annotation(1, "rain"), "was_cancelled": True}]},
        {"data": {"text": "Nobody."}},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    result = cli("agree", path, "--format", "json", "--merged", tmp_path / "merged.csv")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["coders"] == {"annotator 1": 3, "b@x": 2}
    assert [row["text"] for row in read(tmp_path / "merged.csv")] == ["It rains.", "Alone."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ada.csv",), "needs two coders"),
        (("ada.csv", "nowhere.csv"), "cannot read it"),
        (("ada.csv", "other.csv"), "texts and articles must be equal"),
        (("ada.csv", "twice.csv"), "twice, and differently"),
        (("ada.csv", "ben.csv", "--output", "ben.csv"), "one of the files that are read"),
        (("ada.csv", "ben.csv", "--merged", "x.csv", "--conflicts", "x.csv"), "same file"),
    ],
)
def test_what_cannot_be_compared_is_said(
    files: tuple[Path, Path], arguments: tuple[str, ...], message: str, tmp_path: Path, cli
) -> None:
    write_rows(tmp_path / "other.csv", HEADER, [("1", "Elsewhere.", "rain")])
    write_rows(tmp_path / "twice.csv", HEADER, [("1", "It rains.", "rain"), ("1", "It rains.", "")])
    given_ = [str(tmp_path / one) if one.endswith(".csv") else one for one in arguments]
    before = files[1].read_bytes()
    result = cli("agree", *given_)
    assert result.exit_code == 2
    assert message in result.stderr
    assert files[1].read_bytes() == before


def test_labels_of_a_model_are_no_coder(tmp_path: Path, files: tuple[Path, Path], cli) -> None:
    header = ("article_id", "text", "labels", "out_of_domain", "model")
    scored = write_rows(tmp_path / "scored.csv", header, [(*row, "False", "framing") for row in ADA])
    result = cli("agree", files[0], scored)
    assert result.exit_code == 2
    assert "a model's" in result.stderr
