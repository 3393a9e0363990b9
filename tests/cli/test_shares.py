"""``framing shares`` corrects what a model counts, respects the design, and refuses what it cannot answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result

import classifier
from classifier.articles import read_articles
from classifier.labeling.ledger import Ledger
from classifier.labeling.session import Session, add_coder
from classifier.labeling.store import Project
from tests.corpora import FLOODS_AND_STRIKES
from tests.labeling.serving import write_articles
from tests.prevalence.populations import articles, code, read, save, share, truth, write

Run = Callable[..., Result]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    return write(articles(), tmp_path / "scores.jsonl")


@pytest.fixture
def sample(cli: Run, scores: Path, tmp_path: Path) -> Path:
    cli("sample", scores, "-n", 300, "-q", "-o", tmp_path / "sample.csv")
    return code(tmp_path / "sample.csv")


def shares_of(result: Result) -> dict[tuple[str, str, str], dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {(row["by"], row["group"], row["frame"]): row for row in json.loads(result.stdout)["shares"]}


def test_corrects_what_the_model_counts(cli: Run, scores: Path, sample: Path) -> None:
    found = shares_of(cli("shares", scores, "--labels", sample, "--by", "outlet", "--format", "json"))
    storm = found["", "", "storm"]
    true = share(articles(), "storm")
    assert storm["naive"] < true - 0.04
    assert storm["corrected_low"] <= true <= storm["corrected_high"]
    assert storm["corrected_high"] - storm["corrected_low"] < 0.75 * (storm["sample_high"] - storm["sample_low"])
    assert storm["labels_saved"] > 200
    for outlet in ("Pilot", "List"):
        row = found["outlet", outlet, "storm"]
        assert row["corrected_low"] <= share(articles(), "storm", outlet) <= row["corrected_high"]


def test_differences_have_intervals_and_are_counted(cli: Run, scores: Path, sample: Path) -> None:
    result = cli("shares", scores, "--labels", sample, "--by", "outlet", "--by", "month", "--format", "json")
    report = json.loads(result.stdout)
    outlets = [one for one in report["differences"] if one["by"] == "outlet"]
    storm = next(one for one in outlets if one["frame"] == "storm")
    expected = share(articles(), "storm", storm["one"]) - share(articles(), "storm", storm["other"])
    assert storm["low"] <= expected <= storm["high"]
    assert storm["adjusted"] >= storm["p_value"]
    months = [(one["one"], one["other"]) for one in report["differences"] if one["by"] == "month"]
    assert ("2021-02", "2021-01") in months and ("2021-03", "2021-02") in months


@pytest.mark.parametrize(
    "options", [["--by", "outlet", "--equal"], ["--by", "probability"], ["--level", "article", "-n", "60"]]
)
def test_every_design_finds_the_truth(cli: Run, scores: Path, tmp_path: Path, options: list[str]) -> None:
    cli("sample", scores, "-n", 300, *options, "-q", "-o", tmp_path / "s.csv")
    found = shares_of(cli("shares", scores, "--labels", code(tmp_path / "s.csv"), "--format", "json"))
    for frame in ("calm", "storm"):
        assert (
            found["", "", frame]["corrected_low"] <= share(articles(), frame) <= found["", "", frame]["corrected_high"]
        )


def test_articles_are_counted_where_articles_were_drawn(cli: Run, scores: Path, sample: Path, tmp_path: Path) -> None:
    cli("sample", scores, "-n", 50, "--level", "article", "--seed", 1, "-q", "-o", tmp_path / "s.csv")
    whole = code(tmp_path / "s.csv")
    found = shares_of(cli("shares", scores, "--labels", whole, "--level", "article", "--format", "json"))
    true = sum(any("calm" in truth(one.sentence.text) for one in a.sentences) for a in articles()) / 120
    assert found["", "", "calm"]["units"] == 120
    assert found["", "", "calm"]["sample_low"] <= true <= found["", "", "calm"]["sample_high"]
    refused = cli("shares", scores, "--labels", sample, "--level", "article")
    assert refused.exit_code == 2 and "single sentences were drawn" in refused.stderr


def test_formats_say_the_same(cli: Run, scores: Path, sample: Path, tmp_path: Path) -> None:
    found = shares_of(cli("shares", scores, "--labels", sample, "--format", "json"))
    rows = list(csv.DictReader(io.StringIO(cli("shares", scores, "--labels", sample, "--format", "csv").stdout)))
    assert [float(row["corrected"]) for row in rows] == [row["corrected"] for row in found.values()]
    figure = f"{100 * found['', '', 'storm']['corrected']:.1f} %"
    for format_ in ("table", "markdown", "html"):
        cli("shares", scores, "--labels", sample, "--format", format_, "-o", tmp_path / format_)
        assert figure in (tmp_path / format_).read_text(encoding="utf-8")
    paper = (tmp_path / "markdown").read_text(encoding="utf-8")
    assert "Angelopoulos" in paper and "simple random sample of 300 sentences" in paper
    page = (tmp_path / "html").read_text(encoding="utf-8")
    assert "default-src &#39;none&#39;" in page and "<svg" in page


def test_every_scored_format_and_python_give_the_same(cli: Run, sample: Path, tmp_path: Path) -> None:
    tables = [
        cli("shares", write(articles(), tmp_path / name), "--labels", sample, "--by", "desk", "--format", "csv").stdout
        for name in ("a.jsonl", "a.json", "a.csv", "a.parquet")
    ]
    assert len(set(tables)) == 1
    expected = pd.read_csv(io.StringIO(tables[0]), keep_default_na=False)
    for given in (tmp_path / "a.parquet", pd.read_parquet(tmp_path / "a.parquet"), pd.read_csv(tmp_path / "a.csv")):
        found = classifier.shares(given, pd.read_csv(sample, keep_default_na=False), by="desk")
        assert found["corrected"].tolist() == pytest.approx(expected["corrected"].tolist())
        assert found["group"].tolist() == expected["group"].tolist()
        assert "prediction-powered" in found.attrs["method"]


def test_what_was_coded_first_is_a_sample_still(cli: Run, scores: Path, sample: Path) -> None:
    code(sample, first=120)
    result = cli("shares", scores, "--labels", sample, "--format", "json")
    assert shares_of(result)["", "", "storm"]["labels"] == 120
    assert "120 of 300 draws are coded" in result.stderr
    rows = read(sample)
    rows[200]["labels"] = "storm"
    save(rows, sample)
    refused = cli("shares", scores, "--labels", sample)
    assert refused.exit_code == 2 and "in the order of the column draw" in " ".join(refused.stderr.split())


def edited(rows: list[dict[str, str]], line: int, **cells: str) -> list[dict[str, str]]:
    rows[line - 2].update(cells)
    return rows


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: edited(rows, 7, text="Another sentence."), "line 7: its text is not that of"),
        (lambda rows: edited(rows, 9, index="99"), "line 9: sentence 99 of"),
        (lambda rows: edited(rows, 4, labels="strom"), "line 4: unknown label 'strom'; did you mean 'storm'?"),
        (lambda rows: edited(rows, 5, inclusion_probability="1.5"), "line 5: inclusion_probability is '1.5'"),
        (lambda rows: edited(rows, 5, inclusion_probability="0"), "line 5: inclusion_probability is '0'"),
        (lambda rows: edited(rows, 5, index="two"), "line 5: index is 'two'"),
        (lambda rows: [*rows[:-1], rows[0]], "line 301: the same sentence as line 2"),
        (lambda rows: rows[:250], "250 sentences, and 300 were drawn"),
        (lambda rows: [{**row, "inclusion_probability": ""} for row in rows], "no row has an inclusion probability"),
        (lambda rows: [{k: v for k, v in row.items() if k != "inclusion_probability"} for row in rows], "no column"),
        (lambda rows: [{k: v for k, v in row.items() if k != "index"} for row in rows], "no column 'index'"),
        (lambda rows: [{**row, "labels": "?"} for row in rows], "nothing is coded yet"),
        (lambda rows: [{**row, "labels": ""} for row in rows], "no valid share can be given"),
        (
            lambda rows: [{**row, "stratum_size": "600", "inclusion_probability": "0.5"} for row in rows],
            "drawn from 600",
        ),
    ],
)
def test_bad_labels_are_told_with_their_line(
    cli: Run, scores: Path, sample: Path, tmp_path: Path, edit: Callable[..., list[dict[str, str]]], message: str
) -> None:
    save(edit(read(sample)), sample)
    result = cli("shares", scores, "--labels", sample, "-o", tmp_path / "out.json")
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_foreign_sample_needs_no_strata(cli: Run, scores: Path, sample: Path) -> None:
    kept = ("id", "index", "text", "labels", "inclusion_probability")
    before = shares_of(cli("shares", scores, "--labels", sample, "--format", "json"))
    save([{name: row[name] for name in kept} for row in read(sample)], sample)
    after = shares_of(cli("shares", scores, "--labels", sample, "--format", "json"))
    assert after["", "", "storm"]["corrected"] == pytest.approx(before["", "", "storm"]["corrected"], abs=0.01)
    save([{**row, "inclusion_probability": "0.01"} for row in read(sample)], sample)
    refused = cli("shares", scores, "--labels", sample)
    assert refused.exit_code == 2 and "not a sample of them" in refused.stderr


def test_picks_without_probabilities_are_left_out(cli: Run, scores: Path, sample: Path) -> None:
    rows = read(sample)
    missing = next(one for one in articles()[0].sentences if one.sentence.text not in {row["text"] for row in rows})
    picked = {**rows[0], "id": "a0", "index": str(missing.sentence.index), "text": missing.sentence.text}
    save([*rows, {**picked, "inclusion_probability": ""}], sample)
    result = cli("shares", scores, "--labels", sample, "--format", "json")
    assert shares_of(result)["", "", "storm"]["labels"] == 300
    assert "1 rows without an inclusion probability" in result.stderr


def test_a_frame_never_seen_has_no_corrected_share(cli: Run, scores: Path, sample: Path) -> None:
    code(sample, lambda text: "storm" if "storm" in text.split() else "")
    found = shares_of(cli("shares", scores, "--labels", sample, "--format", "json"))
    calm = found["", "", "calm"]
    assert calm["corrected"] is None and calm["sample_high"] < 0.03
    assert "no correction is valid" in calm["note"]


def test_few_labels_are_said(cli: Run, scores: Path, tmp_path: Path) -> None:
    cli("sample", scores, "-n", 20, "-q", "-o", tmp_path / "s.csv")
    labels = code(tmp_path / "s.csv")
    found = shares_of(cli("shares", scores, "--labels", labels, "--by", "outlet", "--format", "json"))
    assert all("approximate" in row["note"] or row["corrected"] is None for row in found.values())
    assert "≈" in cli("shares", scores, "--labels", labels).stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "nothing"], "no article has it"),
        (["--by", "id", "--model", "nowhere"], "nowhere"),
        (["-o", "SCORES"], "one of the inputs"),
        (["-o", "nowhere/shares.csv"], "there is no folder"),
    ],
)
def test_wrong_usage_is_told(cli: Run, scores: Path, sample: Path, options: list[str], message: str) -> None:
    before = scores.read_bytes()
    given = [str(scores) if option == "SCORES" else option for option in options]
    result = cli("shares", scores, "--labels", sample, *given)
    assert result.exit_code == 2
    assert message in result.stderr
    assert scores.read_bytes() == before


def test_hostile_names_reach_no_page(cli: Run, tmp_path: Path) -> None:
    from dataclasses import replace

    found = [
        replace(one, outlet="<script>alert(1)</script>" if one.outlet == "List" else one.outlet) for one in articles()
    ]
    scores = write(found, tmp_path / "scores.jsonl")
    cli("sample", scores, "-n", 200, "-q", "-o", tmp_path / "s.csv")
    cli("shares", scores, "--labels", code(tmp_path / "s.csv"), "--by", "outlet", "-o", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.parametrize("data", ["", "{}\n", '{"sentences": 3}\n', "source,id\n", "PAR1 nothing"])
def test_what_is_not_scored_output_is_refused(cli: Run, sample: Path, tmp_path: Path, data: str) -> None:
    (tmp_path / "bad").write_text(data)
    result = cli("shares", tmp_path / "bad", "--labels", sample)
    assert result.exit_code == 2, result.output
    assert "bad" in result.stderr


def test_a_model_trained_on_the_labels_is_crossed(
    cli: Run, corpus_csv: Path, model_directory: Path, tmp_path: Path
) -> None:
    """The tiny model knows twelve articles; they are the sample, among articles that it does not know."""
    known = read(corpus_csv)
    places: dict[str, list[dict[str, str]]] = {}
    for row in known:
        places.setdefault(row["article_id"], []).append(row)
    with (tmp_path / "news.jsonl").open("w") as stream:
        for name, rows in places.items():
            stream.write(json.dumps({"id": name, "text": "\n\n".join(row["text"] for row in rows)}) + "\n")
        for i in range(60):
            text = f"Rain fell in valley {i}.\n\nThe union in town {i} may strike.\n\nShops in street {i} open."
            stream.write(json.dumps({"id": f"new{i}", "text": text}) + "\n")
    scores = tmp_path / "scores.jsonl"
    assert cli("score", tmp_path / "news.jsonl", "--model", model_directory, "-q", "-o", scores).exit_code == 0
    labels = {row["text"]: row["labels"] for row in known}
    rows = [
        {"source": one["source"], "id": one["id"], "index": part["index"], "text": part["text"],
         "labels": labels[part["text"]], "inclusion_probability": str(60 / 240)}
        for one in map(json.loads, scores.read_text().splitlines())
        for part in one["sentences"]
        if part["text"] in labels
    ]  # fmt: skip
    save(rows, tmp_path / "labels.csv")
    unknown = cli("shares", scores, "--labels", tmp_path / "labels.csv", "--format", "json")
    assert "trained on these very labels is not known" in unknown.stderr
    crossed = cli("shares", scores, "--labels", tmp_path / "labels.csv", "--model", model_directory, "--format", "json")
    assert crossed.exit_code == 0, crossed.output
    report = json.loads(crossed.stdout)
    assert any("cross-fitting" in note for note in report["notes"])
    assert "Zrnic" in report["method"]
    assert report["shares"][0]["corrected"] != shares_of(unknown)["", "", "flood"]["corrected"]
    # A model that knows more than these labels: without its corpus the sample stands alone, with it it is crossed.
    part = rows[:50]
    save([{**row, "inclusion_probability": str(50 / 240)} for row in part], tmp_path / "part.csv")
    alone = cli("shares", scores, "--labels", tmp_path / "part.csv", "--model", model_directory, "--format", "json")
    assert "the sample stands alone" in alone.stderr
    row = json.loads(alone.stdout)["shares"][0]
    assert (row["corrected"], row["power"]) == (row["sample"], 0)
    options = ("--model", model_directory, "--training", corpus_csv, "--format", "json")
    told = cli("shares", scores, "--labels", tmp_path / "part.csv", *options)
    assert told.exit_code == 0, told.output
    assert any("cross-fitting" in note for note in json.loads(told.stdout)["notes"])


def test_labels_of_a_coding_project_are_a_sample(cli: Run, model_directory: Path, tmp_path: Path) -> None:
    answers = {text: labels.split("|") for article in FLOODS_AND_STRIKES for labels, text in article}
    news = write_articles(tmp_path / "news", [[text for _, text in article] for article in FLOODS_AND_STRIKES])
    with Project(tmp_path / "coding.db", write=True, create=True) as project:
        project.add_articles(read_articles([news]))
        add_coder(project, Ledger.of(project.events()), "Ada")
        session = Session(project, tmp_path / "coding.toml", learn=False)
        session.save_codebook("Ada", {"title": "Town", "frames": [{"title": "Flood"}, {"title": "Strike"}]})
        for _ in range(40):
            item = session.view("Ada")["item"]
            text = next(text for number, text, *_ in item["around"] if number == item["sentence"])
            found = [{"flood": 1, "strike": 2}[name] for name in answers[text] if name]
            session.decide("Ada", item["sentence"], found)
    assert cli("convert", tmp_path / "coding.db", tmp_path / "labels.csv", "-q").exit_code == 0
    cli("score", news, "--model", model_directory, "-q", "-o", tmp_path / "scores.jsonl")
    result = cli("shares", tmp_path / "scores.jsonl", "--labels", tmp_path / "labels.csv", "--format", "json")
    flood = shares_of(result)["", "", "flood"]
    assert flood["labels"] == sum(bool(row["inclusion_probability"]) for row in read(tmp_path / "labels.csv")) > 20
    assert flood["sample_low"] <= sum("flood" in names for names in answers.values()) / 60 <= flood["sample_high"]
