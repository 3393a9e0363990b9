"""Scored articles for machines: JSON Lines, JSON, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import orjson

from classifier.errors import FramingError
from classifier.scoring.results import ScoredArticle
from classifier.system.files import csv_lines

#: Rows a Parquet row group.
ROW_GROUP = 50_000

#: First characters by which a spreadsheet takes a cell for a formula, their full-width twins included.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")

#: Formats of which a part is a valid file: a run that was stopped can go on.
LINE_FORMATS = ("jsonl", "csv")


def line_renderer(
    format_: str, level: str, frames: Sequence[str], keep: Sequence[str] = (), csv_safe: bool = False
) -> Callable[[ScoredArticle], bytes]:
    """Return what turns a scored article into the lines of a file.

    Parameters
    ----------
    format_ : {"jsonl", "csv"}
    level : {"sentence", "article"}
    frames : sequence of str
        The model's.
    keep : sequence of str
        Names of metadata, a column each in CSV.
    csv_safe : bool
        Put an apostrophe before cells that a spreadsheet would take for formulas.

    Returns
    -------
    callable
    """
    if format_ == "jsonl":
        return lambda article: orjson.dumps(article.to_dict(level), option=orjson.OPT_APPEND_NEWLINE)
    return lambda article: _csv_lines((row.values() for row in _rows(article, level, keep)), csv_safe)


def line_header(format_: str, level: str, frames: Sequence[str], keep: Sequence[str] = ()) -> bytes:
    """Return what a file of this format begins with; parameters as for `line_renderer`."""
    return _csv_lines([columns(frames, level, keep)]) if format_ == "csv" else b""


def _csv_lines(rows: Iterable[Iterable[Any]], safe: bool = False) -> bytes:
    return csv_lines([tuple(row) for row in (map(_harmless, rows) if safe else rows)]).encode()


def _harmless(row: Iterable[Any]) -> list[Any]:
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]


def write_jsonl(
    articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str, keep: Sequence[str] = ()
) -> None:
    """Write one JSON object a line, one line an article.

    Parameters
    ----------
    articles : iterable of ScoredArticle
    frames : sequence of str
        The model's.
    stream : binary file
    level : {"sentence", "article"}
        Whether sentences are written or profiles alone.
    keep : sequence of str
        Names of metadata, a column each in CSV and Parquet.
    """
    for article in articles:
        stream.write(orjson.dumps(article.to_dict(level), option=orjson.OPT_APPEND_NEWLINE))


def write_json(
    articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str, keep: Sequence[str] = ()
) -> None:
    """Write one JSON array of articles, indented; parameters as in `write_jsonl`."""
    separator = b"[\n"
    for article in articles:
        stream.write(separator + orjson.dumps(article.to_dict(level), option=orjson.OPT_INDENT_2))
        separator = b",\n"
    stream.write(b"\n]\n" if separator == b",\n" else b"[]\n")


def write_csv(
    articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str, keep: Sequence[str] = ()
) -> None:
    """Write one row a sentence, or an article, below a header; parameters as in `write_jsonl`."""
    stream.write(line_header("csv", level, frames, keep))
    render = line_renderer("csv", level, frames, keep)
    for article in articles:
        stream.write(render(article))


def write_parquet(
    articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str, keep: Sequence[str] = ()
) -> None:
    """Write the rows of `write_csv` as Parquet; parameters as in `write_jsonl`.

    Raises
    ------
    FramingError
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise FramingError(
            "Parquet output needs pyarrow; install it with: pip install 'framing-classifier[parquet]'."
        ) from None

    types = dict.fromkeys(("index", "start", "end", "n_sentences"), pa.int64()) | {"out_of_domain": pa.bool_()}
    shares = dict.fromkeys(frame_columns(frames).values(), pa.float64())
    schema = pa.schema([(name, (types | shares).get(name, pa.string())) for name in columns(frames, level, keep)])
    with pq.ParquetWriter(stream, schema) as writer:
        batch: list[dict[str, Any]] = []
        for article in articles:
            batch += _rows(article, level, keep)
            if len(batch) >= ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))


Writer = Callable[[Iterable[ScoredArticle], Sequence[str], IO[bytes], str, Sequence[str]], None]

#: The formats, by the name that ``--format`` takes.
WRITERS: dict[str, Writer] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
}


#: Columns of CSV and Parquet output that hold no frame.
OTHERS = frozenset(
    [
        "source",
        "id",
        "title",
        "date",
        "outlet",
        "index",
        "start",
        "end",
        "text",
        "labels",
        "terms",
        "uncertain",
        "out_of_domain",
        "model",
        "n_sentences",
    ]
)


def frame_columns(frames: Iterable[str]) -> dict[str, str]:
    """Return the column of each frame: its name, or ``frame.NAME`` where a column of another kind is called so.

    Parameters
    ----------
    frames : iterable of str

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> frame_columns(["storm", "text"])
    {'storm': 'storm', 'text': 'frame.text'}
    """
    names = list(frames)
    result = {}
    for name in names:
        column = name
        while column in OTHERS or column.startswith("metadata.") or (column != name and column in names):
            column = f"frame.{column}"
        result[name] = column
    return result


def columns(frames: Sequence[str], level: str, keep: Sequence[str] = ()) -> list[str]:
    """Return the columns of CSV and Parquet output.

    Parameters
    ----------
    frames : sequence of str
    level : {"sentence", "article"}
    keep : sequence of str
        Names of metadata; each becomes a column ``metadata.NAME``.

    Returns
    -------
    list of str
        One column per frame holds its probability, or its share of the article's sentences; see `frame_columns`.
    """
    of_frames = frame_columns(frames).values()
    head = ["source", "id", "title", "date", "outlet", *(f"metadata.{name}" for name in keep)]
    if level == "article":
        return [*head, "n_sentences", *of_frames, "out_of_domain", "model"]
    head += ["index", "start", "end", "text", "labels"]
    return [*head, *of_frames, "terms", "uncertain", "out_of_domain", "model"]


def _rows(article: ScoredArticle, level: str, keep: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    head = {
        "source": article.source,
        "id": article.id,
        "title": article.title,
        "date": article.date,
        "outlet": article.outlet,
        **{f"metadata.{name}": _cell(article.metadata.get(name)) for name in keep},
    }
    if level == "article":
        yield {
            **head,
            "n_sentences": len(article.sentences),
            **_named(article.profile),
            "out_of_domain": article.out_of_domain,
            "model": article.model,
        }
        return
    for scored in article.sentences:
        yield {
            **head,
            "index": scored.sentence.index,
            "start": scored.sentence.start,
            "end": scored.sentence.end,
            "text": scored.sentence.text,
            "labels": "|".join(scored.labels),
            **_named(scored.scores),
            "terms": orjson.dumps(scored.terms).decode() if scored.terms else None,
            "uncertain": None if scored.uncertain is None else "|".join(scored.uncertain),
            "out_of_domain": scored.out_of_domain,
            "model": article.model,
        }


def _named(values: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers of frames under the names of their columns."""
    if OTHERS.isdisjoint(values) and not any(name.startswith("metadata.") for name in values):
        return dict(values)
    names = frame_columns(values)
    return {names[frame]: value for frame, value in values.items()}


def _cell(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
