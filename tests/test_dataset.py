"""The corpus is what its datasheet says: whole pieces, original, balanced, quotations of unnamed speakers only."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.corpus_figures import (
    CHEAP,
    DATASETS,
    DATASHEET,
    NONE,
    Record,
    near_duplicates,
    repeated_openings,
    rewrite,
    shared_phrases,
)
from classifier.codebook import read_codebook
from classifier.corpus import check_corpus

SENTENCES = 9_000
PIECES = 800
HEADLINES = 2_200
OTHER_NEWS = 2_000
EVENTS = 80
WITHOUT_FRAME = (0.45, 0.60)
OF_EACH_FRAME = 1_400
OF_SEVERAL_FRAMES = 500
LARGEST_EVENT = 0.05
LARGEST_SOURCE_TYPE = 0.12
LABELED_TWICE = 2_500
ALPHA = 0.80

#: Share of sentences whose first four words may open another.
SAME_OPENING = 0.05

#: Words of a phrase, and in how many pieces it may occur.
PHRASES = {6: 5, 8: 2, 12: 1}

KINDS = {"headline", "body", "quote", "furniture"}

#: People of the news, whose names must not stand in a sentence with quotation marks.
SURNAMES = """
    Akopyan Aleinik Babaryka Babariko Bachelet Baerbock Belousov Bialiatski Biden Bilotaite Blinken Borrell Budrys Chin
    Coale Costa Dombrovskis Duda Eismont Erdogan Fisher Gerasimov Golovchenko Gryzlov Guterres Johnson Kallas
    Kalesnikava Kellogg Khrenin Kochanova Kolesnikova Konyuk Kos Krutoi Landsbergis Latushka Latushko Lavrov Leyen
    Linkevicius Lukashenka Lukashenko Lukyanov Macron Maduro Makei Mantas Massrali Matviyenko Medvedev Merkel Merz
    Metsola Mezentsev Michel Mishustin Modi Morawiecki Muraviev Naryshkin Nauseda Nausėda Netanyahu Orban Orbán
    Patrushev Peskov Poczobut Polyansky Pompeo Pratasevich Prigozhin Protasevich Putin Raab Rau Rubio Rutte
    Ryzhenkov Sannikov Sapega Sassoli Scholz Sergeyenko Shoigu Shved Sikorski Solovyov Stano Starmer Statkevich
    Stoltenberg Sullivan Tertel Tikhanovskaya Tikhanovsky Tsikhanouskaya Tsikhanouski Timanovskaya Tsimanouskaya Trump
    Truss Tusk Türk Vardanyan Varhelyi Volfovich Volodin Wallace Xi Yermoshina Zakharova Zelenskiy Zelensky Zelenskyy
"""

_NAMED = re.compile(rf"\b(?:{'|'.join(SURNAMES.split())})\b")
_DIRECT = re.compile(r"[“”„«»\"]")
#: A direct quotation whose speaker is a pronoun, and so the person named before.
_SPOKEN_BY_PRONOUN = re.compile(
    r"[,.!?][”\"] (?:he|she) (?:sa[iy]|add|went|continu|told|wr[io]t|declar|insist|warn|reply|repl)"
)


@pytest.fixture(scope="module")
def record() -> Record:
    return Record.read()


def test_labels_are_valid() -> None:
    assert check_corpus(DATASETS / "framing.csv", codebook=read_codebook(DATASETS / "codebook.toml")) == []


def test_it_is_as_large_as_promised(record: Record) -> None:
    assert len(record.corpus) >= SENTENCES
    assert len(record.pieces) >= PIECES
    assert Counter(record.column("kind"))["headline"] >= HEADLINES
    assert record.other.sum() >= OTHER_NEWS
    assert len(set(record.column("event"))) >= EVENTS


def test_columns_hold_what_they_should(record: Record) -> None:
    columns = "article_id sentence_index text labels event date source_type kind labels_second"
    assert list(record.corpus.columns) == columns.split()
    assert set(record.column("kind")) <= KINDS
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", date) for date in record.column("date"))
    known = {*record.corpus.frames, NONE}
    assert all(set(cell.split("|")) <= known for cell in record.column("labels_second") if cell)
    furniture = np.array(record.column("kind")) == "furniture"
    assert not record.corpus.targets[furniture].any()


def test_pieces_are_whole_and_in_order(record: Record) -> None:
    for piece, rows in record.pieces.items():
        assert rows == list(range(rows[0], rows[0] + len(rows))), piece
        assert [record.column("sentence_index")[row] for row in rows] == [str(i) for i in range(len(rows))], piece
        for name in ("event", "date", "source_type"):
            assert len({record.column(name)[row] for row in rows}) == 1, piece


def test_pieces_begin_with_their_headline(record: Record) -> None:
    for piece, rows in record.pieces.items():
        kinds = [record.column("kind")[row] for row in rows]
        told = [kind for kind in kinds if kind != "furniture"]
        assert told[0] == "headline", piece


def test_frames_are_balanced(record: Record) -> None:
    targets = record.corpus.targets
    assert WITHOUT_FRAME[0] <= (~targets.any(axis=1)).mean() <= WITHOUT_FRAME[1]
    assert (targets.sum(axis=0) >= OF_EACH_FRAME).all()
    assert (targets.sum(axis=1) > 1).sum() >= OF_SEVERAL_FRAMES
    assert not targets[record.other].any() or targets[record.other].any(axis=1).mean() < 0.05


@pytest.mark.parametrize(("name", "most"), [("event", LARGEST_EVENT), ("source_type", LARGEST_SOURCE_TYPE)])
def test_no_value_has_too_large_a_share(record: Record, name: str, most: float) -> None:
    _, count = Counter(record.column(name)).most_common(1)[0]
    assert count / len(record.corpus) <= most


def test_no_sentence_is_nearly_another(record: Record) -> None:
    texts = record.corpus.texts
    assert [(texts[one], texts[other]) for one, other, _ in record.near_duplicates] == []


def test_near_duplicates_are_found() -> None:
    texts = ["The river rose overnight in the valley.", "A river rose overnight in the valley.", "Buses stood still."]
    assert [pair[:2] for pair in near_duplicates(texts, ["one", "two", "three"], 0.6)] == [(0, 1)]
    assert near_duplicates(texts, ["one", "one", "three"], 0.6) == []


def test_sentences_open_in_their_own_ways(record: Record) -> None:
    assert repeated_openings(record.corpus.texts) < SAME_OPENING
    assert repeated_openings(["a b c d e", "A b, c d.", "x y z w", "short"]) == 0.5


@pytest.mark.parametrize(("n_words", "most"), PHRASES.items())
def test_phrases_do_not_recur(record: Record, n_words: int, most: int) -> None:
    prose = [row for row, kind in enumerate(record.column("kind")) if kind != "furniture"]
    shared = shared_phrases(
        [record.corpus.texts[row] for row in prose], [record.column("article_id")[row] for row in prose], n_words
    )
    assert {" ".join(phrase): count for phrase, count in shared.items() if count > most} == {}


def test_no_named_person_is_quoted(record: Record) -> None:
    quoted = [text for text in record.corpus.texts if _DIRECT.search(text)]
    assert len(quoted) > 500
    assert [text for text in quoted if _NAMED.search(text)] == []


def test_no_quotation_continues_the_words_of_a_named_person(record: Record) -> None:
    texts = record.corpus.texts
    suspects = [
        (texts[before], texts[row])
        for rows in record.pieces.values()
        for before, row in pairwise(rows)
        if _SPOKEN_BY_PRONOUN.search(texts[row]) and _NAMED.search(texts[before])
    ]
    assert suspects == []


def test_passes_agree_before_adjudication(record: Record) -> None:
    pytest.importorskip("krippendorff", reason="comes with the extra 'agreement'")
    from classifier.metrics.agreement import label_agreement

    rows = record.labeled_twice
    assert len(rows) >= LABELED_TWICE
    first = record.marks([record.first_pass[row] for row in rows])
    second = record.marks([record.column("labels_second")[row] for row in rows])
    for row in label_agreement(first, second, record.corpus.frames, record.corpus.group_ids[rows], n_resamples=1):
        assert row.alpha is not None
        assert row.alpha.value >= ALPHA, row.name


def test_the_label_record_ends_in_the_labels(record: Record) -> None:
    labels = {
        (piece, index): cell or NONE
        for piece, index, cell in zip(
            record.column("article_id"), record.column("sentence_index"), record.column("labels"), strict=True
        )
    }
    outcomes: dict[tuple[str, str], set[str]] = {}
    for change in record.changes:
        outcomes.setdefault((change["article_id"], change["sentence_index"]), set()).add(change["after"])
    assert [key for key, after in outcomes.items() if labels[key] not in after] == []
    second = record.column("labels_second")
    differ = [row for row in record.labeled_twice if (record.first_pass[row] or NONE) != second[row]]
    assert len(differ) == sum(change["step"] == "adjudication" for change in record.changes)


@pytest.mark.parametrize("name", CHEAP)
def test_figures_of_the_datasheet_are_those_of_the_corpus(name: str, record: Record) -> None:
    if name == "agreement":
        pytest.importorskip("krippendorff", reason="comes with the extra 'agreement'")
    text = DATASHEET.read_text(encoding="utf-8")
    assert rewrite(text, {name: CHEAP[name](record)}) == text


def test_a_block_that_is_not_there_is_an_error() -> None:
    text = "a\n<!-- figures:one -->\nold\n<!-- /figures -->\nb\n"
    assert rewrite(text, {"one": "new"}) == text.replace("old", "new")
    with pytest.raises(ValueError, match="two"):
        rewrite(text, {"two": ""})
