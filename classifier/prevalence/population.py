"""Scored output read in blocks: whoever wrote how many sentences, in flat memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from classifier.articles.lines import JsonValues, bounded_lines
from classifier.errors import FramingError, InputError
from classifier.prevalence.estimators import Ints
from classifier.system.arrays import Bools, Floats

#: Sentences of a block, about.
BLOCK = 4_000

#: Bytes of a scored article as JSON.
LONGEST = 1 << 28

#: Characters of one cell of CSV.
MAX_CELL = 10_000_000

#: What an article without the value is put under.
NONE = "(none)"

#: Columns of an article, in scored output.
HEAD = ("source", "id", "title", "date", "outlet")

_NEEDED = ("source", "id", "index", "start", "end", "text", "labels")
_AFTER = ("terms", "uncertain", "out_of_domain", "model")
_DAY = re.compile(r"\s*(\d{4})-?(\d\d)-?(\d\d)(?!\d)")
_PERIODS = {"day": 10, "month": 7, "year": 4}


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole articles with their sentences.

    Parameters
    ----------
    frames : tuple of str
        The model's; empty for articles that were not scored.
    articles : list of mapping
        Source, id, title, date, outlet and metadata of each.
    owner : ndarray of int of shape (n,)
        The article of each sentence, by place.
    index, start, end : list of int
        Of each sentence.
    text : list of str
    scores : ndarray of shape (n, n_frames)
        The model's probabilities.
    labeled : ndarray of bool of shape (n, n_frames)
        The model's labels.
    model : str
        Its name.
    """

    frames: tuple[str, ...]
    articles: list[Mapping[str, Any]]
    owner: Ints
    index: Sequence[int]
    start: Sequence[int]
    end: Sequence[int]
    text: Sequence[str]
    scores: Floats
    labeled: Bools
    model: str

    def values(self, column: str) -> list[str]:
        """Return a column's value for each article."""
        return [value_of(article, column) for article in self.articles]


def value_of(article: Mapping[str, Any], column: str) -> str:
    """Return the value by which an article is grouped.

    Parameters
    ----------
    article : mapping
    column : str
        One of `HEAD`, ``day``, ``month`` or ``year`` of its date, or the name of metadata kept in scoring.

    Returns
    -------
    str
        `NONE` for an article without it.

    Examples
    --------
    >>> value_of({"date": "2021-05-23T14:00"}, "month"), value_of({"metadata": {"desk": "city"}}, "desk")
    ('2021-05', 'city')
    """
    if column in _PERIODS:
        match = _DAY.match(str(article.get("date") or ""))
        try:
            return date(*map(int, match.groups())).isoformat()[: _PERIODS[column]] if match else NONE
        except ValueError:
            return NONE
    value = article.get(column)
    if value is None:
        value = (article.get("metadata") or {}).get(column.removeprefix("metadata."))
    text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
    return text.strip() or NONE


def is_scored(path: str | Path) -> bool:
    """Tell whether a file is what ``framing score`` wrote: JSON Lines, JSON, CSV or Parquet.

    Raises
    ------
    InputError
        If it cannot be read, or holds profiles of articles without their sentences.
    """
    path = Path(path)
    if not path.is_file():
        return False
    with _opened(path) as stream:
        head = stream.read(1 << 16)
    if head.startswith(b"PAR1"):
        with _parquet(path) as file:
            names = file.schema_arrow.names
    elif head.lstrip().startswith((b"{", b"[")):
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n[")[:20_000]
        names = [name for name in ("profile", "sentences", "n_sentences") if b'"%s"' % name.encode() in start]
        if "profile" not in names and "sentences" in names and b'"model"' not in start:
            names = ["profile", "sentences"] if b'"scores"' in start else []
        if "n_sentences" in names and "sentences" not in names:
            raise InputError(_profiles(path))
        return "sentences" in names
    else:
        names = head.split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").strip().split(",")
    if "n_sentences" in names and "out_of_domain" in names:
        raise InputError(_profiles(path))
    return set(_NEEDED) <= set(names) and "model" in names


def _profiles(path: Path) -> str:
    return f"{path}: holds profiles of articles, not their sentences; score again, without --level article."


def read_population(paths: Iterable[str | Path]) -> Generator[Block]:
    """Read scored output, whole articles at a time.

    Parameters
    ----------
    paths : iterable of str or Path
        Files that ``framing score`` wrote, in one or in several formats.

    Yields
    ------
    Block

    Raises
    ------
    InputError
        If a file cannot be read or is not scored output, or if they were scored for different frames.
    """
    frames: tuple[str, ...] | None = None
    for name in paths:
        path = Path(name)
        if path.is_file() and not is_scored(path):
            raise InputError(f"{path}: not what framing score writes (JSON Lines, JSON, CSV or Parquet of sentences).")
        with _opened(path) as stream:
            head = stream.peek(16)[:16].lstrip(b"\xef\xbb\xbf \t\r\n")
            reader = (
                _read_parquet
                if head.startswith(b"PAR1")
                else _read_json
                if head.startswith((b"{", b"["))
                else _read_csv
            )
            for block in reader(stream, path):
                frames = frames or block.frames
                if block.frames != frames:
                    raise InputError(
                        f"{path}: scored for {', '.join(block.frames)}, what came before for {', '.join(frames)}; "
                        "give only output of one model."
                    )
                yield block


def population_of(table: Any) -> Generator[Block]:
    """Read scored sentences from a DataFrame with the columns of the CSV output; parameters and yields as above."""
    missing = [name for name in ("text", "labels") if name not in table.columns]
    if missing:
        raise InputError(f"scores: no column {missing[0]!r}; give what framing score writes, or Model.score returns.")
    names = [str(name) for name in table.columns]
    frames = _frames(names, "scores")
    columns = {name: [None if value != value else value for value in table[name]] for name in names}
    yield from _columns(columns, frames, "scores")


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror or error}.") from None


def _frames(names: Sequence[str], place: str) -> tuple[str, ...]:
    """Return the frames of a table: the columns between labels and what comes after the probabilities."""
    begin = list(names).index("labels") + 1
    end = next((i for i, name in enumerate(names) if i >= begin and name in _AFTER), len(names))
    if begin == end:
        raise InputError(f"{place}: no probabilities between the columns 'labels' and 'terms'.")
    return tuple(names[begin:end])


def _read_json(stream: io.BufferedReader, path: Path) -> Iterator[Block]:
    listed = stream.peek(16)[:16].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    values: Iterable[bytes | None] = JsonValues(stream, LONGEST) if listed else bounded_lines(stream, LONGEST)
    frames: tuple[str, ...] = ()
    pending: list[dict[str, Any]] = []
    size = 0
    for number, value in enumerate(values, 1):
        place = f"{path}, {'item' if listed else 'line'} {number}"
        if value is None:
            raise InputError(f"{place}: longer than {LONGEST >> 20} MB; it cannot be an article.")
        if not value.strip():
            continue
        try:
            article = orjson.loads(value)
            sentences = article["sentences"]
            if not sentences:
                continue
            if not frames:
                frames = tuple(sentences[0]["scores"])
            if tuple(sentences[0]["scores"]) != frames:
                raise InputError(f"{place}: other frames than before; give only output of one model.")
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError, RecursionError):
            raise InputError(f"{place}: not a scored article as framing score writes it.") from None
        pending.append(article)
        size += len(sentences)
        if size >= BLOCK:
            yield _json_block(pending, frames, path)
            pending, size = [], 0
    if pending:
        yield _json_block(pending, frames, path)


def _json_block(articles: list[dict[str, Any]], frames: tuple[str, ...], path: Path) -> Block:
    sentences = [sentence for article in articles for sentence in article["sentences"]]
    bit = {name: 1 << i for i, name in enumerate(frames)}
    try:
        scores = np.array([list(sentence["scores"].values()) for sentence in sentences], dtype=np.float64)
        if scores.shape != (len(sentences), len(frames)):
            raise ValueError
        codes = np.array(
            [sum([bit[name] for name in sentence["labels"]]) if sentence["labels"] else 0 for sentence in sentences],
            dtype=object if len(frames) > 62 else np.int64,
        )
        return Block(
            frames,
            [{**article, "sentences": None} for article in articles],
            np.repeat(np.arange(len(articles)), [len(article["sentences"]) for article in articles]),
            [sentence["index"] for sentence in sentences],
            [sentence["start"] for sentence in sentences],
            [sentence["end"] for sentence in sentences],
            [sentence["text"] for sentence in sentences],
            scores,
            np.stack([(codes >> i) & 1 for i in range(len(frames))], axis=1).astype(bool),
            str(articles[0].get("model") or ""),
        )
    except (KeyError, TypeError, ValueError):
        first = articles[0].get("id") or articles[0].get("source")
        raise InputError(
            f"{path}: among the articles from {first!r} on, a sentence is not as framing score writes it."
        ) from None


def _read_csv(stream: io.BufferedReader, path: Path) -> Iterator[Block]:
    csv.field_size_limit(MAX_CELL)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(text)
    try:
        header = next(reader, [])
        frames = _frames(header, str(path))
        rows: list[list[str]] = []
        cut = [header.index("source"), header.index("id")]
        for row in reader:
            if len(row) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(row)} cells where the header has {len(header)}."
                )
            if len(rows) >= BLOCK and any(row[i] != rows[-1][i] for i in cut):
                yield from _columns(dict(zip(header, zip(*rows, strict=True), strict=True)), frames, str(path))
                rows = []
            rows.append(row)
        if rows:
            yield from _columns(dict(zip(header, zip(*rows, strict=True), strict=True)), frames, str(path))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}, line {reader.line_num}: not CSV as framing score writes it ({error}).") from None
    finally:
        text.close()


def _parquet(path: Path) -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise FramingError(
            "Parquet needs pyarrow; install it with: pip install 'framing-classifier[parquet]'."
        ) from None
    try:
        return pq.ParquetFile(path)
    except Exception as error:  # whatever pyarrow finds wrong with a file
        raise InputError(f"{path}: not Parquet ({error}).") from None


def _read_parquet(stream: io.BufferedReader, path: Path) -> Iterator[Block]:
    with _parquet(path) as file:
        yield from _batches(file, path)


def _batches(file: Any, path: Path) -> Iterator[Block]:
    names = [name for name in file.schema_arrow.names if name not in ("terms", "uncertain", "out_of_domain")]
    frames = _frames(file.schema_arrow.names, str(path))
    kept: dict[str, list[Any]] = {name: [] for name in names}
    for batch in file.iter_batches(BLOCK, columns=names):
        found = {name: kept[name] + batch.column(name).to_pylist() for name in names}
        last = len(found["source"])
        key = (found["source"][-1], found["id"][-1]) if last else None
        while last and (found["source"][last - 1], found["id"][last - 1]) == key:
            last -= 1
        if last:
            yield from _columns({name: found[name][:last] for name in names}, frames, str(path))
        kept = {name: found[name][last:] for name in names}
    if kept["source"]:
        yield from _columns(kept, frames, str(path))


def _columns(columns: Mapping[str, Sequence[Any]], frames: tuple[str, ...], place: str) -> Iterator[Block]:
    """Make a block of the columns of a table, in which the sentences of an article stand together."""
    n = len(columns["text"])
    if not n:
        return
    nothing: Sequence[Any] = [None] * n
    sources, ids = columns.get("source", nothing), columns.get("id", nothing)
    try:
        index = list(map(int, columns["index"])) if "index" in columns else list(range(n))
        starts, ends = (
            [int(value) if value not in (None, "") else 0 for value in columns.get(name, nothing)]
            for name in ("start", "end")
        )
        scores = np.array([columns[name] for name in frames], dtype=np.float64).T
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: a number is missing or none at all: {error}.") from None
    firsts = [
        i
        for i in range(n)
        if i == 0 or sources[i] != sources[i - 1] or ids[i] != ids[i - 1] or index[i] <= index[i - 1]
    ]
    heads = [name for name in columns if name in HEAD or name.startswith("metadata.")]
    kept = {name: columns[name] for name in heads}
    others = [
        name
        for name in columns
        if name not in (*_NEEDED, *_AFTER, *HEAD, *frames, "index") and not name.startswith("metadata.")
    ]
    articles: list[Mapping[str, Any]] = [
        {
            **{name: values[i] or None for name, values in kept.items() if not name.startswith("metadata.")},
            "metadata": {
                name.removeprefix("metadata."): columns[name][i] for name in (*kept, *others) if name not in HEAD
            },
        }
        for i in firsts
    ]
    known: dict[Any, Bools] = {}
    place_of = {name: i for i, name in enumerate(frames)}

    def flags(cell: Any) -> Bools:
        row = np.zeros(len(frames), dtype=bool)
        names = cell.split("|") if isinstance(cell, str) else () if cell is None else cell
        for name in filter(None, (part.strip() for part in names)):
            if name not in place_of:
                raise InputError(f"{place}: the label {name!r} is no column of probabilities.")
            row[place_of[name]] = True
        return row

    cells = [cell if cell is None or isinstance(cell, str) else tuple(cell) for cell in columns["labels"]]
    for cell in set(cells):
        known[cell] = flags(cell)
    yield Block(
        frames,
        articles,
        np.repeat(np.arange(len(firsts)), np.diff([*firsts, n])),
        index,
        starts,
        ends,
        columns["text"],
        scores,
        np.array([known[cell] for cell in cells]).reshape(n, len(frames)),
        str(columns.get("model", [""])[0] or ""),
    )


#: Returns the blocks of a population, the same ones at each call.
Population = Callable[[], Generator[Block]]
