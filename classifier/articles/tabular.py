"""Readers of files that hold many articles: CSV, JSON Lines, JSON, Parquet and Arrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson

from classifier.articles.article import Article, Fault, ReadError
from classifier.articles.decoding import SAMPLE, Utf8Stream, choose_encoding
from classifier.articles.fields import article_of, check_header, too_large
from classifier.articles.limits import ReadOptions
from classifier.articles.lines import CsvRows, JsonValues, bounded_lines

_DELIMITERS = (",", ";", "\t", "|")

#: Rows of a Parquet file held at a time.
BATCH_ROWS = 128


def _utf8(stream: io.BufferedReader, options: ReadOptions) -> tuple[IO[bytes], str | None]:
    """Return the stream as UTF-8, and its encoding where that was guessed."""
    head = stream.peek(SAMPLE)
    encoding, guessed = choose_encoding(head, options.encoding, partial=True)
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return stream, None
    try:
        return io.BufferedReader(Utf8Stream(stream, encoding), SAMPLE), encoding if guessed else None
    except LookupError:
        raise ReadError(f"there is no encoding called {encoding!r}; name one like utf-8 or cp1251.") from None


def read_jsonl(stream: io.BufferedReader, source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Read JSON Lines: an object a line.

    Parameters
    ----------
    stream : buffered binary file
    source : str
    options : ReadOptions

    Yields
    ------
    Article or Fault
        One a line that is not blank.
    """
    lines, encoding = _utf8(stream, options)
    for number, line in enumerate(bounded_lines(lines, options.limits.article_bytes), 1):
        if line is None:
            yield Fault(source, too_large("a line", options.limits.article_bytes), f"line {number}")
        elif line.strip():
            yield _parsed(line, source, f"line {number}", number, options, encoding)


def read_json(stream: io.BufferedReader, source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Read JSON: an article, a list of them, an object that holds one list of them, or one object after the other.

    Parameters and yields as for `read_jsonl`.
    """
    text, encoding = _utf8(stream, options)
    head = stream.peek(SAMPLE).lstrip(b"\xef\xbb\xbf \t\r\n") if text is stream else b"["
    limit = options.limits.article_bytes if head.startswith(b"[") else options.limits.document_bytes
    first: bytes | None = None
    number = 0
    for number, value in enumerate(JsonValues(text, limit), 1):
        if number == 1 and not head.startswith(b"["):
            first = value
            if value is not None:
                continue
        if number == 2 and first is not None:
            yield _parsed(first, source, "item 1", 1, options, encoding)
        if value is None:
            yield Fault(source, too_large("an item", limit), f"item {number}")
        else:
            yield _parsed(value, source, f"item {number}", number, options, encoding)
    if number == 1 and first is not None:
        yield from _wrapped(first, source, options, encoding)
    elif number == 0 and not head.startswith(b"["):
        raise ReadError("not JSON; it has neither an object nor a list.")


def _wrapped(data: bytes, source: str, options: ReadOptions, encoding: str | None) -> Iterator[Article | Fault]:
    try:
        outer = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise ReadError(f"not JSON ({error}).") from None
    lists = [
        value
        for value in (outer.values() if isinstance(outer, dict) else ())
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    ]
    try:
        yield _with_encoding(article_of(outer, source, "item 1", 1, options), encoding)
        return
    except ReadError as error:
        if len(lists) != 1:
            raise ReadError(error.reason) from None
    for number, record in enumerate(lists[0], 1):
        yield _article(record, source, f"item {number}", number, options, encoding)


def _parsed(
    data: bytes, source: str, place: str, number: int, options: ReadOptions, encoding: str | None
) -> Article | Fault:
    try:
        record = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        return Fault(source, f"not JSON ({error}).", place)
    return _article(record, source, place, number, options, encoding)


def _article(
    record: Any, source: str, place: str, number: int, options: ReadOptions, encoding: str | None = None
) -> Article | Fault:
    if not isinstance(record, dict):
        return Fault(source, "not a JSON object; an article is an object with a text.", place)
    try:
        return _with_encoding(article_of(record, source, place, number, options), encoding)
    except ReadError as error:
        return Fault(source, error.reason, error.place)


def _with_encoding(article: Article, encoding: str | None) -> Article:
    from dataclasses import replace

    return article if encoding is None else replace(article, encoding=encoding)


def read_csv(
    stream: io.BufferedReader, source: str, options: ReadOptions, delimiter: str | None = None
) -> Iterator[Article | Fault]:
    """Read CSV: a header, then an article a row; parameters and yields as for `read_jsonl`.

    Parameters
    ----------
    delimiter : str, optional
        By default the one of comma, semicolon, tab and bar that the header has most of.
    """
    lines, encoding = _utf8(stream, options)
    limit = options.limits.article_bytes
    if delimiter is None:
        first = cast("io.BufferedReader", lines).peek(SAMPLE).split(b"\n", 1)[0].decode("utf-8", "replace")
        delimiter = max(_DELIMITERS, key=first.count)
    header: list[str] | None = None
    number = 0
    for line, cells in CsvRows(lines, limit, delimiter).records():
        if header is None:
            if isinstance(cells, str):
                raise ReadError("not CSV: its header cannot be read.", "line 1")
            header = [name.strip() for name in cells]
            header[0] = header[0].removeprefix("\ufeff")
            check_header(header, options)
            continue
        number += 1
        place = f"line {line}"
        problem = _row_problem(cells, header, limit)
        if problem is not None:
            yield Fault(source, problem, place)
        else:
            yield _article(dict(zip(header, cells, strict=True)), source, place, number, options, encoding)
    if header is None:
        raise ReadError("empty; a table needs a header row.")


def _row_problem(cells: list[str] | str, header: list[str], limit: int) -> str | None:
    if cells == "long":
        return too_large("a row", limit) + " Look for an unclosed quotation mark."
    if isinstance(cells, str):
        return cells
    if len(cells) != len(header):
        return f"{len(cells)} cells where the header has {len(header)}; cells with a comma or line break need quotes."
    if any("\udc80" <= char <= "\udfff" for cell in cells if not cell.isascii() for char in cell):
        return "bytes that do not fit the file's encoding; name the right one with --encoding."
    return None


def read_tsv(stream: io.BufferedReader, source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Read tab-separated values; as `read_csv`."""
    return read_csv(stream, source, options, "\t")


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ReadError("Parquet and Arrow need pyarrow: pip install 'framing-classifier[parquet]'.") from None
    return pyarrow


def read_parquet(file: Path | IO[bytes], source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Read a Parquet file, row group by row group; parameters and yields as for `read_jsonl`."""
    pa = _pyarrow()
    try:
        table = pa.parquet.ParquetFile(file, memory_map=False, buffer_size=1 << 20, pre_buffer=False)
        check_header(table.schema_arrow.names, options)
        columns = _needed(table.schema_arrow.names, options)
        yield from _rows(table.iter_batches(BATCH_ROWS, columns=columns), source, options)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise ReadError(f"not a Parquet file that can be read ({_first_line(error)}).") from None


def read_arrow(file: Path | IO[bytes], source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Read an Arrow file (Feather) or stream, batch by batch; parameters and yields as for `read_jsonl`."""
    pa = _pyarrow()
    try:
        with pa.OSFile(str(file)) if isinstance(file, Path) else pa.PythonFile(file) as opened:
            random_access = opened.read(6) == b"ARROW1"
            opened.seek(0)
            reader = pa.ipc.open_file(opened) if random_access else pa.ipc.open_stream(opened)
            names = reader.schema.names
            check_header(names, options)
            batches: Iterable[Any] = (
                (reader.get_batch(i) for i in range(reader.num_record_batches)) if random_access else reader
            )
            small = (
                batch.slice(start, BATCH_ROWS) for batch in batches for start in range(0, batch.num_rows, BATCH_ROWS)
            )
            yield from _rows((batch.select(_needed(names, options)) for batch in small), source, options)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise ReadError(f"not an Arrow file that can be read ({_first_line(error)}).") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _needed(names: list[str], options: ReadOptions) -> list[str]:
    """Return the columns that articles are made of, so that no other is decoded."""
    from classifier.articles.fields import USUAL

    named = {"text": options.text, "id": options.id, "title": options.title, "date": options.date}
    wanted = set(options.keep)
    for role, usual in USUAL.items():
        name = named.get(role) if role != "outlet" else options.outlet
        wanted |= {name} if name is not None else set(usual)
    roots = wanted | {name.split(".")[0] for name in wanted}
    return [name for name in names if name in roots]


def _rows(batches: Iterable[Any], source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    number = 0
    for batch in batches:
        for record in batch.to_pylist():
            number += 1
            yield _article(record, source, f"row {number}", number, options)
