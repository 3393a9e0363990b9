"""A coding project: one SQLite file of articles, sentences and events that are only ever added.

Nothing that was written is changed: a label taken back is an event of its own, so that the file is its own record of
who decided what, and when. What holds now follows from the events alone; see `classifier.labeling.ledger`.

The file is in WAL mode with ``synchronous=FULL``: an event that `Project.append` has returned for is on the disk. The
log is written back into the file only when a server starts and stops, so that while one runs the two files, the project
and its ``-wal``, can be copied at any time.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import orjson

from classifier.articles import Article
from classifier.errors import FramingError, InputError
from classifier.scoring.score import sentences_of

#: Version of the tables; a file of a later one is refused.
SCHEMA = 1

#: What every project file begins with, and is told by.
MAGIC = b"SQLite format 3\0"

#: Tells a project from other SQLite files.
APPLICATION = 0x4652414D

#: Sentences that one transaction of an import holds at least.
BATCH = 20_000

#: Seconds that a search for words may take.
SEARCH_SECONDS = 5.0

_TABLES = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE article (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT,
    title TEXT,
    outlet TEXT,
    date TEXT,
    metadata TEXT NOT NULL,
    text TEXT NOT NULL,
    n INTEGER NOT NULL,
    digest BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE sentence (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES article,
    place INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    draw REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX sentence_article ON sentence (article, place);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    coder TEXT,
    sentence INTEGER REFERENCES sentence,
    undoes INTEGER REFERENCES event,
    request TEXT UNIQUE,
    value TEXT NOT NULL
) STRICT;
CREATE INDEX event_sentence ON event (sentence);
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a project.

    Parameters
    ----------
    kind : str
        ``codebook``, ``coder``, ``draw``, ``label``, ``skip``, ``comment``, ``ruling``, ``undo`` or ``fit``.
    coder : str or None
        Who did it.
    sentence : int or None
        What it is about.
    value : mapping
        Plain data.
    undoes : int or None
        The event that it takes back.
    request : str or None
        A name that the page gave it: the same request is never recorded twice.
    id : int
        Its place in the order of events; 0 until it is recorded.
    time : float
        Seconds since 1970; 0 until it is recorded.
    """

    kind: str
    coder: str | None = None
    sentence: int | None = None
    value: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None
    request: str | None = None
    id: int = 0
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence in its article.

    Parameters
    ----------
    sentence : int
        Its number in the project, from 1.
    place : int
        Its place among the article's sentences, from 0.
    text : str
    article : int
        The article's number.
    source, name, title, outlet, date : str or None
        As `classifier.articles.Article` has them; `name` is the article's id in the data.
    n : int
        Sentences of the article.
    metadata : mapping of str to str
        Columns that were kept.
    """

    sentence: int
    place: int
    text: str
    article: int
    source: str
    name: str | None
    title: str | None
    outlet: str | None
    date: str | None
    n: int
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def article_id(self) -> str:
        """A name of the article that no other article of the project has."""
        return f"{self.article}:{self.name or self.source}"


class Project:
    """A coding project on disk.

    Parameters
    ----------
    path : str or Path
    write : bool
        Whether anything will be written. One process at a time may; others can read meanwhile.
    create : bool
        Make the file where there is none.

    Raises
    ------
    InputError
        If the file is missing, no project, of a later version, or another process writes to it.
    FramingError
        If it cannot be written.
    """

    def __init__(self, path: str | Path, *, write: bool = False, create: bool = False) -> None:
        self.path = Path(path)
        self._lock: IO[bytes] | None = None
        exists = self.path.is_file() and self.path.stat().st_size > 0
        if not exists and not create:
            raise InputError(f"{path}: there is no such project; make one with: framing label SOURCE --project {path}")
        if exists:
            with self._reading(), self.path.open("rb") as stream:
                if stream.read(len(MAGIC)) != MAGIC:
                    raise InputError(f"{path} is no coding project; give another name to --project.")
        elif not self.path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {self.path.parent}; make it first.")
        if write:
            self._lock = _locked(self.path)
            if not exists:
                with self._reading():
                    os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            with self._reading():
                self._db = self._connect(write)
                self._prepare(write, exists)
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _connect(self, write: bool) -> sqlite3.Connection:
        address = f"file:{quote(str(self.path.absolute()))}?mode={'rw' if write else 'ro'}"
        db = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
        # What an edited file holds is data: no function of its views or triggers is trusted.
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _prepare(self, write: bool, exists: bool) -> None:
        db = self._db
        application = db.execute("PRAGMA application_id").fetchone()[0]
        empty = not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if empty and write:
            db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                for statement in _statements(_TABLES):
                    db.execute(statement)
                settings = {"seed": str(secrets.randbits(32)), "project": secrets.token_hex(4)}
                db.executemany("INSERT INTO setting VALUES (?, ?)", settings.items())
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {SCHEMA}")
        elif application != APPLICATION:
            raise InputError(f"{self.path} is an SQLite file, but no coding project; give another name to --project.")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise InputError(
                f"{self.path} was written by a later version of framing (its tables are {version}, known here is "
                f"{SCHEMA}); upgrade with: pip install -U framing-classifier"
            )
        if write:
            db.execute("PRAGMA synchronous = FULL")
            # Pages are copied back at the start and the end alone, so that a copy of both files is always whole.
            db.execute("PRAGMA wal_autocheckpoint = 0")
            self.checkpoint()
        self.settings = dict(db.execute("SELECT name, value FROM setting"))

    def checkpoint(self) -> None:
        """Copy the log back into the file."""
        with suppress(sqlite3.OperationalError):  # another process reads: the log stays, and nothing is lost
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Leave the project as one file, where this process wrote to it."""
        if self._lock is not None:
            self.checkpoint()
        self._db.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path}: cannot read the project: {str(error) or 'it is damaged'}; "
                "if the file is damaged, go on with a backup."
            ) from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot open the project: {error.strerror or error}.") from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all or nothing; what keeps the disk from taking it is told in words."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            if isinstance(error, (sqlite3.OperationalError, sqlite3.DatabaseError)) and not isinstance(
                error, sqlite3.IntegrityError
            ):
                raise FramingError(f"{self.path}: not saved: {_why(error)}.") from None
            raise

    def add_articles(self, articles: Iterable[Article], progress: Callable[[int], None] | None = None) -> int:
        """Add articles and their sentences; those that are there already, by id and text, are left out.

        Parameters
        ----------
        articles : iterable of Article
            Taken as they are needed.
        progress : callable, optional
            Called with the number of articles added so far.

        Returns
        -------
        int
            Articles added.

        Notes
        -----
        Each sentence draws a random number once and for all. The random sample of a project is its sentences with the
        least numbers (sequential simple random sampling with permanent random numbers; Ohlsson 1995), so that it stays
        a random sample of everything when articles are added later.
        """
        added = 0
        sentence = self.n_sentences
        rng = np.random.default_rng([int(self.settings["seed"]), sentence])
        articles = iter(articles)
        finished = False
        while not finished:
            # A transaction is short: read first, then write.
            rows: list[tuple[Article, list[tuple[int, int, int]]]] = []
            size = 0
            finished = True
            for article in articles:
                text = _storable(article.text)
                spans = [(found.index, found.start, found.end) for found in sentences_of(text)]
                if not spans:
                    continue
                rows.append((article, spans))
                size += len(spans)
                if size >= BATCH:
                    finished = False
                    break
            with self._transaction():
                for article, spans in rows:
                    values = [
                        _storable(value)
                        for value in (article.source, article.id, article.title, article.outlet, article.date)
                    ]
                    text = _storable(article.text)
                    # The same file is the same article under whatever path it was named.
                    digest = hashlib.sha256(orjson.dumps([values[1], text])).digest()
                    if self._db.execute("SELECT 1 FROM article WHERE digest = ?", (digest,)).fetchone():
                        continue
                    cursor = self._db.execute(
                        "INSERT INTO article (source, name, title, outlet, date, metadata, text, n, digest) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (*values, _metadata(article), text, len(spans), digest),
                    )
                    number = cursor.lastrowid
                    draws = rng.random(len(spans)).tolist()
                    self._db.executemany(
                        "INSERT INTO sentence VALUES (?, ?, ?, ?, ?, ?)",
                        (
                            (sentence + i, number, *span, draw)
                            for i, (span, draw) in enumerate(zip(spans, draws, strict=True), 1)
                        ),
                    )
                    sentence += len(spans)
                    added += 1
            if progress is not None:
                progress(added)
        self.checkpoint()
        return added

    @property
    def n_sentences(self) -> int:
        """How many sentences there are; they are numbered from 1."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM sentence").fetchone()[0])

    @property
    def n_articles(self) -> int:
        """How many articles there are."""
        return int(self._db.execute("SELECT count(*) FROM article").fetchone()[0])

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Record events, all or none.

        Parameters
        ----------
        events : sequence of Event

        Returns
        -------
        list of Event
            As recorded: on the disk, with number and time.

        Raises
        ------
        FramingError
            If they cannot be written; the project is then as before.
        """
        now = time.time()
        recorded = []
        with self._transaction():
            for event in events:
                cursor = self._db.execute(
                    "INSERT INTO event (time, kind, coder, sentence, undoes, request, value) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        now,
                        event.kind,
                        event.coder,
                        event.sentence,
                        event.undoes,
                        event.request,
                        _storable(orjson.dumps(event.value).decode()),
                    ),
                )
                number = cursor.lastrowid or 0
                recorded.append(replace(event, id=number, time=now))
        return recorded

    def events(self, after: int = 0) -> Iterator[Event]:
        """Yield the events in order.

        Parameters
        ----------
        after : int
            The number of the last one that is not wanted.
        """
        with self._reading():
            for number, moment, kind, coder, sentence, undoes, request, value in self._db.execute(
                "SELECT id, time, kind, coder, sentence, undoes, request, value FROM event WHERE id > ? ORDER BY id",
                (after,),
            ):
                yield Event(kind, coder, sentence, orjson.loads(value), undoes, request, number, moment)

    def draws(self) -> npt.NDArray[np.float64]:
        """Return the random number of every sentence, shape (n_sentences,)."""
        with self._reading():
            cursor = self._db.execute("SELECT draw FROM sentence ORDER BY id")
            return np.fromiter((row[0] for row in cursor), dtype=np.float64, count=self.n_sentences)

    def passages(self, sentences: Sequence[int]) -> Iterator[Passage]:
        """Yield sentences with what is known of their articles, in the order of their numbers.

        Parameters
        ----------
        sentences : sequence of int
            Numbers, from 1; each is yielded once.
        """
        wanted = sorted(set(sentences))
        with self._reading():
            yield from self._passages(wanted)

    def _passages(self, wanted: Sequence[int]) -> Iterator[Passage]:
        text, current = "", 0
        for first in range(0, len(wanted), 500):
            part = wanted[first : first + 500]
            marks = ", ".join("?" * len(part))
            rows = self._db.execute(
                "SELECT s.id, s.place, s.start, s.stop, a.id, a.source, a.name, a.title, a.outlet, a.date, a.metadata, "
                f"a.n FROM sentence s JOIN article a ON a.id = s.article WHERE s.id IN ({marks}) ORDER BY s.id",
                part,
            ).fetchall()
            for number, place, start, stop, article, source, name, title, outlet, date, metadata, n in rows:
                if article != current:
                    # Read once per article, however many of its sentences are wanted.
                    row = self._db.execute("SELECT text FROM article WHERE id = ?", (article,)).fetchone()
                    text, current = row[0], article
                about = orjson.loads(metadata)
                yield Passage(number, place, text[start:stop], article, source, name, title, outlet, date, n, about)

    def passage(self, sentence: int) -> Passage:
        """Return one sentence.

        Raises
        ------
        InputError
            If there is none of this number.
        """
        for found in self.passages([sentence]):
            return found
        raise InputError(f"there is no sentence {sentence}; they are numbered from 1 to {self.n_sentences}.")

    def around(self, sentence: int, n: int, characters: int) -> list[tuple[int, str, bool]]:
        """Return a sentence and those around it in its article.

        Parameters
        ----------
        sentence : int
        n : int
            Sentences on each side at most.
        characters : int
            Of all of them, at most, beside the sentence itself.

        Returns
        -------
        list of (int, str, bool)
            Number, text, and whether a line ends before it.
        """
        article, place = self._db.execute(
            "SELECT article, place FROM sentence WHERE id = ?", (sentence,)
        ).fetchone() or (0, 0)
        row = self._db.execute("SELECT text FROM article WHERE id = ?", (article,)).fetchone()
        if row is None:
            raise InputError(f"there is no sentence {sentence}; they are numbered from 1 to {self.n_sentences}.")
        spans = self._db.execute(
            "SELECT id, start, stop FROM sentence WHERE article = ? AND place BETWEEN ? AND ? ORDER BY place",
            (article, place - n, place + n),
        ).fetchall()
        middle = next(i for i, span in enumerate(spans) if span[0] == sentence)
        first, last = middle, middle + 1
        left = characters
        while True:
            before = spans[first - 1][2] - spans[first - 1][1] if first else None
            after = spans[last][2] - spans[last][1] if last < len(spans) else None
            if before is not None and before <= left and (middle - first <= last - middle or after is None):
                first, left = first - 1, left - before
            elif after is not None and after <= left:
                last, left = last + 1, left - after
            elif before is not None and before <= left:
                first, left = first - 1, left - before
            else:
                break
        text: str = row[0]
        ends = [0, *(stop for _, _, stop in spans)]
        return [
            (number, text[start:stop], i == 0 or "\n" in text[ends[i] : start])
            for i, (number, start, stop) in enumerate(spans)
            if first <= i < last
        ]

    def article_of(self, sentence: int) -> int:
        """Return the number of a sentence's article, 0 where there is no such sentence."""
        row = self._db.execute("SELECT article FROM sentence WHERE id = ?", (sentence,)).fetchone()
        return int(row[0]) if row else 0

    def find(self, words: str, limit: int = 20) -> list[tuple[int, str]]:
        """Find sentences by their text; in a project of gigabytes the search ends before it has seen all.

        Parameters
        ----------
        words : str
            Found in any case.
        limit : int

        Returns
        -------
        list of (int, str)
            Numbers and texts.
        """
        found: list[tuple[int, str]] = []
        wanted = words.casefold()
        end = time.monotonic() + SEARCH_SECONDS
        cursor = self._db.execute("SELECT id, text FROM article ORDER BY id")
        for article, text in cursor:
            if wanted in text.casefold():
                for number, start, stop in self._db.execute(
                    "SELECT id, start, stop FROM sentence WHERE article = ? ORDER BY place", (article,)
                ):
                    if wanted in text[start:stop].casefold():
                        found.append((number, text[start:stop]))
            if len(found) >= limit or time.monotonic() > end:
                break
        cursor.close()
        return found[:limit]


def is_project(path: str | Path) -> bool:
    """Tell whether a file is a coding project.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool
        Told by the first bytes, whatever the name; False for what cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _storable(text: Any) -> Any:
    """Replace surrogates, which no file of UTF-8 can hold, by U+FFFD; offsets stay what they are."""
    return _SURROGATES.sub("\ufffd", text) if isinstance(text, str) else text


def _metadata(article: Article) -> str:
    """Return the columns that were kept as texts in JSON."""
    cells = {
        name: value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        for name, value in article.metadata.items()
        if value is not None
    }
    return orjson.dumps({_storable(name): _storable(cell) for name, cell in cells.items()}).decode()


def _why(error: sqlite3.Error) -> str:
    """Say what keeps a database from being written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return "the disk is full or cannot be written; make room, then go on: nothing that was saved is lost"
    if code == sqlite3.SQLITE_READONLY:
        return "there is no permission to write"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program holds the file; close it"
    return str(error)


def _locked(path: Path) -> IO[bytes]:
    """Open the file beside a project that says who writes to it.

    A lock of the project itself would be lost with the first of its files that this process closes.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        stream = beside.open("ab")
    except OSError as error:
        raise FramingError(f"{beside}: cannot write there: {error.strerror or error}.") from None
    try:
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise InputError(
            f"{path} is in use by another framing label; stop that one first, or open its page as another coder."
        ) from None
    return stream
