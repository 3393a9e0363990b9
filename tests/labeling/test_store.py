"""A project's file: what is recorded stays, what is taken back is recorded too, nothing is lost."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import FramingError, InputError
from classifier.labeling.ledger import Ledger
from classifier.labeling.store import Event, Project

BOOK = {
    "title": "Weather",
    "frames": [
        {"id": 1, "name": "rain", "title": "Rain", "colour": "#0072B2", "keywords": []},
        {"id": 2, "name": "sun", "title": "Sun", "colour": "#D55E00", "keywords": []},
    ],
}
ARTICLES = [
    Article("a.txt", "It rains. It pours.\n\nNobody is outside."),
    Article("b.txt", "The sun shines.", title="Sun", id="7", outlet="Daily", date="2024-05-01"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Project(tmp_path / "coding.db", write=True, create=True) as project:
        project.add_articles(ARTICLES)
        project.append([Event("codebook", value=BOOK), Event("coder", "Ada", value={"token": "x"})])
    return tmp_path / "coding.db"


def label(sentence: int, *frames: int, coder: str = "Ada", **more: object) -> Event:
    return Event("label", coder, sentence, {"frames": list(frames), "codebook": 1, **more})


def test_sentences_are_found_in_their_articles(path: Path) -> None:
    with Project(path) as project:
        texts = [passage.text for passage in project.passages(range(1, 5))]
        assert texts == ["It rains.", "It pours.", "Nobody is outside.", "The sun shines."]
        sun = project.passage(4)
        assert (sun.title, sun.name, sun.outlet, sun.date, sun.place, sun.n) == (
            *("Sun", "7", "Daily", "2024-05-01"),
            *(0, 1),
        )
        assert project.around(2, 5, 1_000) == [
            *((1, "It rains.", True), (2, "It pours.", False), (3, "Nobody is outside.", True)),
        ]
        assert project.around(2, 5, 9) == [(1, "It rains.", True), (2, "It pours.", False)]
        assert project.find("POURS") == [(2, "It pours.")]
        with pytest.raises(InputError, match="numbered from 1 to 4"):
            project.passage(5)


def test_an_article_that_is_there_is_not_added_again_and_a_new_one_is(path: Path) -> None:
    with Project(path, write=True) as project:
        before = project.draws()
        elsewhere = Article("/somewhere/a.txt", ARTICLES[0].text)
        assert project.add_articles([*ARTICLES, elsewhere, Article("c.txt", "Snow fell. It stayed.")]) == 1
        after = project.draws()
        assert (len(before), len(after)) == (4, 6)
        assert (after[:4] == before).all()


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_any_text_comes_back_but_for_lone_surrogates(texts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Project(Path(folder) / "p", write=True, create=True) as project:
        project.add_articles(Article(f"{i}.txt", text) for i, text in enumerate(texts))
        for passage in project.passages(range(1, project.n_sentences + 1)):
            article = texts[int(passage.source.partition(".")[0])]
            assert passage.text in article.encode("utf-16", "surrogatepass").decode("utf-16", "replace") or any(
                "\ud800" <= char <= "\udfff" for char in article
            )


def test_an_undo_is_an_event_and_what_was_before_holds_again(path: Path) -> None:
    with Project(path, write=True) as project:
        first, second = project.append([label(1, 1), label(1, 2)])
        assert Ledger.of(project.events()).finals == {1: frozenset({2})}
        project.append([Event("undo", "Ada", 1, {}, undoes=second.id)])
        assert Ledger.of(project.events()).finals == {1: frozenset({1})}
        project.append([Event("undo", "Ada", 1, {}, undoes=first.id)])
        assert Ledger.of(project.events()).finals == {}
        assert [event.kind for event in project.events()][-4:] == ["label", "label", "undo", "undo"]


def test_events_can_be_neither_changed_nor_deleted(path: Path) -> None:
    db = sqlite3.connect(path)
    for statement in ("UPDATE event SET coder = 'Eve'", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            db.execute(statement)
    db.close()


def test_events_are_recorded_all_or_none(path: Path) -> None:
    with Project(path, write=True) as project:
        before = len(list(project.events()))
        with pytest.raises(sqlite3.IntegrityError):
            project.append([label(1, 1), label(99, 1)])
        assert len(list(project.events())) == before


@given(st.lists(st.tuples(st.integers(1, 4), st.sets(st.sampled_from([1, 2])), st.booleans()), max_size=30))
def test_undoing_everything_leaves_nothing(steps: list[tuple[int, set[int], bool]]) -> None:
    ledger = Ledger()
    ledger.apply(Event("codebook", value=BOOK, id=1))
    number = 1
    states = []
    for sentence, frames, skip in steps:
        number += 1
        states.append((dict(ledger.finals), number))
        event = label(sentence, *frames) if not skip else Event("skip", "Ada", sentence, {})
        ledger.apply(Event(event.kind, event.coder, event.sentence, event.value, id=number))
    for finals, undone in reversed(states):
        number += 1
        ledger.apply(Event("undo", "Ada", None, {}, undoes=undone, id=number))
        assert ledger.finals == finals
    assert ledger.n_labels == 0
    assert not ledger.history["Ada"]


def test_a_second_writer_is_refused_and_a_reader_is_not(path: Path) -> None:
    with Project(path, write=True) as project:
        project.append([label(1, 1)])
        with pytest.raises(InputError, match="in use by another framing label"):
            Project(path, write=True)
        with Project(path) as reader:
            assert Ledger.of(reader.events()).finals == {1: frozenset({1})}


def test_what_is_no_project_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("notes")
    with pytest.raises(InputError, match="no coding project"):
        Project(text)
    assert text.read_text() == "notes"
    other = tmp_path / "other.db"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    before = other.read_bytes()
    for write in (False, True):
        with pytest.raises(InputError, match="no coding project"):
            Project(other, write=write)
    assert other.read_bytes() == before
    with pytest.raises(InputError, match="there is no such project"):
        Project(tmp_path / "nowhere.db")


def test_a_project_of_a_later_version_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="later version"):
        Project(path)


def test_a_copy_of_both_files_at_any_time_is_a_whole_backup(path: Path, tmp_path: Path) -> None:
    with Project(path, write=True) as project:
        for number in range(60):
            project.append([label(number % 4 + 1, 1)])
            if number % 10 == 9:
                copy = tmp_path / f"backup-{number}.db"
                shutil.copy(path, copy)
                shutil.copy(f"{path}-wal", f"{copy}-wal")
                with Project(copy) as backup:
                    assert sum(event.kind == "label" for event in backup.events()) == number + 1
                db = sqlite3.connect(copy)
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                db.close()
    assert not Path(f"{path}-wal").exists()


FILL = """
import resource, signal, sys
from pathlib import Path
from classifier.errors import FramingError
from classifier.labeling.store import Event, Project
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
with Project(path, write=True) as project:
    saved = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size + 40_000,) * 2)
    try:
        while True:
            project.append([Event("label", "Ada", 1, {"frames": [1], "codebook": 1})])
            saved += 1
    except FramingError as error:
        print(saved, error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
def test_a_full_disk_is_said_at_once_and_loses_nothing(path: Path) -> None:
    with Project(path, write=True) as project:
        project.append([label(2, 2)])
    command = [sys.executable, "-c", FILL, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    saved, message = done.stdout.split(" ", 1)
    assert int(saved) >= 1
    assert "disk is full or cannot be written" in message
    with Project(path) as project:
        assert sum(event.kind == "label" for event in project.events()) == int(saved) + 1


def test_a_project_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        Project(tmp_path / "nowhere" / "coding.db", write=True, create=True)
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(FramingError, match="cannot write"):
            Project(tmp_path / "locked" / "coding.db", write=True, create=True)


DAMAGE = {
    "no JSON": ("UPDATE event SET value = '{bad' WHERE kind = 'label'",),
    "no frames": ("UPDATE event SET value = '{}' WHERE kind = 'label'",),
    "odd frames": ("""UPDATE event SET value = '{"frames": [null]}' WHERE kind = 'label'""",),
    "odd codebook": ("""UPDATE event SET value = '{"frames": 3}' WHERE kind = 'codebook'""",),
    "frame without a number": ("""UPDATE event SET value = '{"frames": [{"name": "a"}]}' WHERE kind = 'codebook'""",),
    "no sentence": ("UPDATE event SET sentence = NULL WHERE kind = 'label'",),
    "no table": ("DROP TABLE sentence",),
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_a_damaged_project_is_said_to_be_one(path: Path, damage: str, cli) -> None:
    with Project(path, write=True) as project:
        project.append([label(1, 1)])
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER event_stays")
    for statement in DAMAGE[damage]:
        db.execute(statement)
    db.commit()
    db.close()
    for arguments in (("convert", path, path.with_suffix(".csv")), ("check", path), ("agree", path)):
        result = cli(*arguments)
        assert result.exit_code == 2, result.output
        assert "damaged" in result.stderr
    assert not path.with_suffix(".csv").exists()


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_never_end_in_a_traceback(path: Path, seed: int, cli) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for place in rng.integers(100, len(data), 80):
        data[place] = int(rng.integers(256))
    path.write_bytes(data)
    for arguments in (("convert", path, path.with_suffix(".csv")), ("check", path), ("agree", path)):
        assert cli(*arguments).exit_code in (0, 2)
