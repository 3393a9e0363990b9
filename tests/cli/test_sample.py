"""``framing sample`` draws at random, says with what probability, and what to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.prevalence.populations import articles, read, write

Run = Callable[..., Result]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    return write(articles(), tmp_path / "scores.jsonl")


def test_draws_sentences_with_what_a_coder_needs(cli: Run, scores: Path, tmp_path: Path) -> None:
    result = cli("sample", scores, "-n", 100, "-o", tmp_path / "sample.csv")
    assert result.exit_code == 0, result.output
    assert "100 of 1,200 sentences" in result.stderr and "points" in result.stderr
    rows = read(tmp_path / "sample.csv")
    assert len({(row["id"], row["index"]) for row in rows}) == 100
    assert {row["inclusion_probability"] for row in rows} == {str(100 / 1200)}
    assert [int(row["draw"]) for row in rows] == list(range(1, 101))
    assert {row["labels"] for row in rows} == {"?"}
    found = {one.id: [part.sentence for part in one.sentences] for one in articles()}
    for row in rows:
        sentence = found[row["id"]][int(row["index"])]
        assert (row["text"], int(row["start"]), int(row["end"])) == (sentence.text, sentence.start, sentence.end)
        before = [one.text for one in found[row["id"]][max(0, sentence.index - 2) : sentence.index]]
        assert row["before"] == " ".join(before)


def test_every_format_and_the_articles_themselves_give_the_same_draw(cli: Run, tmp_path: Path) -> None:
    drawn = []
    for name in ("a.jsonl", "a.json", "a.csv", "a.parquet"):
        scores = write(articles(), tmp_path / name)
        cli("sample", scores, "-n", 50, "--seed", 3, "-o", tmp_path / "sample.csv")
        drawn.append([(row["id"], row["index"], row["text"]) for row in read(tmp_path / "sample.csv")])
    assert all(one == drawn[0] for one in drawn)
    other = cli("sample", tmp_path / "a.csv", "-n", 50, "--seed", 4)
    assert "a.csv" not in other.stdout and other.stdout != (tmp_path / "sample.csv").read_text()


def test_draws_from_articles_that_nobody_has_scored(cli: Run, tmp_path: Path) -> None:
    text = "".join(f'{{"id": "{i}", "text": "The river rose at {i}. Rain fell."}}\n' for i in range(40))
    (tmp_path / "news.jsonl").write_text(text)
    result = cli("sample", tmp_path / "news.jsonl", "-n", 20, "-o", tmp_path / "sample.csv")
    assert result.exit_code == 0, result.output
    assert "at most" in result.stderr
    assert {row["text"] for row in read(tmp_path / "sample.csv")} <= {"Rain fell."} | {
        f"The river rose at {i}." for i in range(40)
    }


def test_strata_are_drawn_from_each(cli: Run, scores: Path, tmp_path: Path) -> None:
    cli("sample", scores, "-n", 60, "--by", "outlet", "--by", "month", "--equal", "-o", tmp_path / "s.csv")
    rows = read(tmp_path / "s.csv")
    counts = Counter(row["stratum"] for row in rows)
    assert len(counts) == 6 and set(counts.values()) == {10}
    for row in rows:
        assert row["stratum"] == f"{row['outlet']} / {row['date'][:7]}"
        assert float(row["inclusion_probability"]) == pytest.approx(10 / int(row["stratum_size"]))


def test_more_is_drawn_where_the_model_is_unsure(cli: Run, scores: Path, tmp_path: Path) -> None:
    cli("sample", scores, "-n", 200, "--by", "probability", "--frame", "storm", "-o", tmp_path / "s.csv")
    rows = read(tmp_path / "s.csv")
    chance = {row["stratum"]: float(row["inclusion_probability"]) for row in rows}
    assert len(chance) > 2
    assert chance[max(chance)] > 1.5 * chance[min(chance)]
    sizes = {row["stratum"]: int(row["stratum_size"]) for row in rows}
    assert sum(sizes.values()) == 1200


def test_articles_are_drawn_whole(cli: Run, scores: Path, tmp_path: Path) -> None:
    cli("sample", scores, "-n", 12, "--level", "article", "-o", tmp_path / "s.csv")
    rows = read(tmp_path / "s.csv")
    assert Counter(Counter(row["id"] for row in rows).values()) == {10: 12}
    assert {row["inclusion_probability"] for row in rows} == {"0.1"}


def test_every_sentence_is_as_likely(cli: Run, tmp_path: Path) -> None:
    scores = write(articles(10, 4), tmp_path / "scores.csv")
    counts: Counter[str] = Counter()
    for seed in range(200):
        cli("sample", scores, "-n", 10, "--seed", seed, "-q", "-o", tmp_path / "s.csv")
        counts.update(row["text"] for row in read(tmp_path / "s.csv"))
    assert len(counts) == 40
    # 50 expected of each, with a standard deviation of 6.
    assert min(counts.values()) > 20 and max(counts.values()) < 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-n", 5000], "only 1,200 sentences"),
        (["-n", 3, "--by", "outlet"], "too few for 2 strata"),
        (["--by", "desk_of_nobody"], "no article has it"),
        (["--frame", "storm"], "goes with --by probability"),
        (["--by", "probability", "--frame", "fog"], "no frame is called so"),
    ],
)
def test_what_cannot_be_drawn_is_told(cli: Run, scores: Path, tmp_path: Path, options: list[str], message: str) -> None:
    result = cli("sample", scores, *options, "-o", tmp_path / "sample.csv")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "sample.csv").exists()


def test_a_sample_never_overwrites_its_scores(cli: Run, scores: Path) -> None:
    before = scores.read_bytes()
    result = cli("sample", scores, "-o", scores)
    assert result.exit_code == 2 and scores.read_bytes() == before


def test_profiles_are_no_population(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("source,id,title,date,outlet,n_sentences,calm,out_of_domain,model\n")
    result = cli("sample", tmp_path / "p.csv")
    assert result.exit_code == 2 and "profiles of articles" in result.stderr


def test_formulas_can_be_quoted_for_spreadsheets(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("=SUM(A1) rose today.\n\n-5 degrees were measured.\n")
    result = cli("sample", tmp_path / "n.txt", "-n", 2, "--csv-safe", "-q")
    assert "'=SUM(A1)" in result.stdout and "'-5 degrees" in result.stdout
