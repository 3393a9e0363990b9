"""Scored articles for machines: JSON by its schema, CSV and Parquet that read back."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from classifier import Article, Model, ScoredArticle, ScoredSentence, Sentence, score_articles
from classifier.scoring.writers import WRITERS, columns, frame_columns
from tests.conftest import ARTICLE, REPOSITORY
from tests.strategies import unicode_texts

SCHEMA = json.loads((REPOSITORY / "docs" / "score.schema.json").read_text(encoding="utf-8"))
DOCUMENT = Draft202012Validator(SCHEMA)
LINE = Draft202012Validator({**SCHEMA["$defs"]["article"], "$defs": SCHEMA["$defs"]})

articles = st.lists(
    st.builds(Article, st.text(st.characters(codec="utf-8")), unicode_texts, st.none() | unicode_texts), max_size=4
)


def written(format_: str, scored: list[ScoredArticle], model: Model, level: str = "sentence") -> bytes:
    stream = io.BytesIO()
    WRITERS[format_](iter(scored), model.frames, stream, level, ())
    return stream.getvalue()


def score(model: Model, found: list[Article], explain: int = 0) -> list[ScoredArticle]:
    return list(score_articles(model, found, explain=explain))


def plain(scored: list[ScoredArticle], level: str = "sentence") -> list[dict[str, Any]]:
    return [article.to_dict(level) for article in scored]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "damage",
    [
        lambda article: article.pop("profile"),
        lambda article: article.update(n_sentences=1),
        lambda article: article["sentences"][0].update(start=-1),
        lambda article: article["sentences"][0].update(labels="flood"),
        lambda article: article["sentences"][0]["scores"].update(flood=1.5),
        lambda article: article["sentences"][0]["terms"].update(flood=[["river", 0.5, 1]]),
    ],
)
def test_the_schema_refuses_what_is_not_an_article(loaded: Model, damage: Any) -> None:
    article = json.loads(written("jsonl", score(loaded, [Article("here", ARTICLE)], explain=3), loaded))
    assert LINE.is_valid(article)
    damage(article)
    assert not LINE.is_valid(article)


@pytest.mark.parametrize("level", ["sentence", "article"])
@pytest.mark.parametrize("explain", [0, 3])
@given(found=articles)
def test_json_and_its_lines_follow_the_schema_and_lose_nothing(
    loaded: Model, level: str, explain: int, found: list[Article]
) -> None:
    scored = score(loaded, found, explain)
    document = json.loads(written("json", scored, loaded, level))
    DOCUMENT.validate(document)
    lines = written("jsonl", scored, loaded, level).decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(found)
    for line in lines:
        LINE.validate(json.loads(line))
    expected = json.loads(json.dumps(plain(scored, level)))
    assert document == [json.loads(line) for line in lines] == expected


@given(found=articles)
def test_csv_reads_back(loaded: Model, found: list[Article]) -> None:
    scored = score(loaded, found, explain=2)
    rows = list(csv.reader(io.StringIO(written("csv", scored, loaded).decode("utf-8"), newline="")))
    assert rows[0] == columns(loaded.frames, "sentence")
    expected = [(article, sentence) for article in scored for sentence in article.sentences]
    assert len(rows) == 1 + len(expected)
    for cells, (article, sentence) in zip(rows[1:], expected, strict=True):
        row = dict(zip(rows[0], cells, strict=True))
        assert row["source"] == article.source
        assert row["title"] == (article.title or "")
        assert row["text"] == sentence.sentence.text
        assert (int(row["start"]), int(row["end"])) == (sentence.sentence.start, sentence.sentence.end)
        assert tuple(filter(None, row["labels"].split("|"))) == sentence.labels
        assert {name: float(row[name]) for name in loaded.frames} == sentence.scores
        assert json.loads(row["terms"] or "{}") == json.loads(json.dumps(sentence.terms))


@given(found=articles)
def test_parquet_reads_back(loaded: Model, found: list[Article]) -> None:
    scored = score(loaded, found, explain=2)
    table = pd.read_parquet(io.BytesIO(written("parquet", scored, loaded)))
    assert list(table.columns) == columns(loaded.frames, "sentence")
    expected = [sentence for article in scored for sentence in article.sentences]
    assert table["text"].tolist() == [sentence.sentence.text for sentence in expected]
    assert table["start"].tolist() == [sentence.sentence.start for sentence in expected]
    assert table["flood"].tolist() == [sentence.scores["flood"] for sentence in expected]
    assert table["labels"].tolist() == ["|".join(sentence.labels) for sentence in expected]


def test_numbers_are_numbers_in_parquet(loaded: Model) -> None:
    table = pd.read_parquet(io.BytesIO(written("parquet", score(loaded, [Article("here", ARTICLE)]), loaded)))
    assert {str(table[name].dtype) for name in ("index", "start", "end")} == {"int64"}
    assert {str(table[name].dtype) for name in loaded.frames} == {"float64"}


def test_the_level_of_articles_is_one_row_each(loaded: Model) -> None:
    scored = score(loaded, [Article("one", ARTICLE), Article("two", "")])
    rows = list(csv.DictReader(io.StringIO(written("csv", scored, loaded, "article").decode("utf-8"))))
    assert [row["source"] for row in rows] == ["one", "two"]
    assert [int(row["n_sentences"]) for row in rows] == [len(article.sentences) for article in scored]
    assert [float(row["flood"]) for row in rows] == [article.profile["flood"] for article in scored]
    table = pd.read_parquet(io.BytesIO(written("parquet", scored, loaded, "article")))
    assert table["n_sentences"].tolist() == [len(article.sentences) for article in scored]
    assert table["strike"].tolist() == [article.profile["strike"] for article in scored]


@pytest.mark.parametrize("level", ["sentence", "article"])
def test_no_article_is_an_empty_file_of_the_format(loaded: Model, level: str) -> None:
    assert json.loads(written("json", [], loaded, level)) == []
    assert written("jsonl", [], loaded, level) == b""
    assert written("csv", [], loaded, level).decode().strip().split(",") == columns(loaded.frames, level)
    assert pd.read_parquet(io.BytesIO(written("parquet", [], loaded, level))).empty


def test_many_sentences_are_written_in_several_row_groups(loaded: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet

    monkeypatch.setattr("classifier.scoring.writers.ROW_GROUP", 3)
    scored = score(loaded, [Article("one", "Rain. " * 5), Article("two", "Wind. " * 4)])
    file = pyarrow.parquet.ParquetFile(io.BytesIO(written("parquet", scored, loaded)))
    assert file.num_row_groups > 1
    assert file.metadata.num_rows == sum(len(article.sentences) for article in scored)


@pytest.mark.parametrize("level", ["sentence", "article"])
@pytest.mark.parametrize(
    "names", [("text", "index"), ("model", "storm"), ("metadata.x", "labels"), ("frame.text", "text")]
)
def test_frames_called_like_other_columns_shift_nothing(level: str, names: tuple[str, str]) -> None:
    one, other = names
    scores = {one: 0.25, other: 0.75}
    sentence = ScoredSentence(Sentence(0, 0, 5, "Rain."), (other,), scores)
    article = ScoredArticle("here", None, (sentence,), scores, "m", metadata={"x": "kept"})
    stream = io.BytesIO()
    WRITERS["csv"](iter([article]), names, stream, level, ("x",))
    header, row = csv.reader(io.StringIO(stream.getvalue().decode()))
    assert len(header) == len(set(header)) == len(row)
    cells = dict(zip(header, row, strict=True))
    columns = frame_columns(names)
    assert {name: float(cells[columns[name]]) for name in names} == scores
    assert cells["metadata.x"] == "kept"
    assert cells["model"] == "m"
    stream = io.BytesIO()
    WRITERS["parquet"](iter([article]), names, stream, level, ("x",))
    (found,) = pq.read_table(stream).to_pylist()
    assert {name: found[columns[name]] for name in names} == scores
