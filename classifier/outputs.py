"""Scored articles for machines: JSON Lines, JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

import orjson

from classifier.errors import FramingError
from classifier.scoring import ScoredArticle

#: Rows a Parquet row group.
ROW_GROUP = 50_000


def write_jsonl(articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str) -> None:
    """Write one JSON object a line, one line an article.

    Parameters
    ----------
    articles : iterable of ScoredArticle
    frames : sequence of str
        The model's.
    stream : binary file
    level : {"sentence", "article"}
        Whether sentences are written or profiles alone.
    """
    for article in articles:
        stream.write(orjson.dumps(article.to_dict(level), option=orjson.OPT_APPEND_NEWLINE))


def write_json(articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str) -> None:
    """Write one JSON array of articles, indented; parameters as in `write_jsonl`."""
    separator = b"[\n"
    for article in articles:
        stream.write(separator + orjson.dumps(article.to_dict(level), option=orjson.OPT_INDENT_2))
        separator = b",\n"
    stream.write(b"\n]\n" if separator == b",\n" else b"[]\n")


def write_csv(articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str) -> None:
    """Write one row a sentence, or an article, below a header; parameters as in `write_jsonl`."""
    header = False
    for rows in _rows(articles, level):
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        if not header:
            writer.writerow(columns(frames, level))
            header = True
        writer.writerows(row.values() for row in rows)
        stream.write(buffer.getvalue().encode())
    if not header:
        stream.write((",".join(columns(frames, level)) + "\n").encode())


def write_parquet(articles: Iterable[ScoredArticle], frames: Sequence[str], stream: IO[bytes], level: str) -> None:
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
    schema = pa.schema(
        [(name, pa.float64() if name in frames else types.get(name, pa.string())) for name in columns(frames, level)]
    )
    with pq.ParquetWriter(stream, schema) as writer:
        batch: list[dict[str, Any]] = []
        for rows in _rows(articles, level):
            batch += rows
            if len(batch) >= ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))


Writer = Callable[[Iterable[ScoredArticle], Sequence[str], IO[bytes], str], None]

#: The formats, by the name that ``--format`` takes.
WRITERS: dict[str, Writer] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
}


def columns(frames: Sequence[str], level: str) -> list[str]:
    """Return the columns of CSV and Parquet output.

    Parameters
    ----------
    frames : sequence of str
    level : {"sentence", "article"}

    Returns
    -------
    list of str
        A column a frame holds its probability, or its share of the article's sentences.
    """
    if level == "article":
        return ["source", "title", "n_sentences", *frames, "out_of_domain", "model"]
    head = ["source", "title", "index", "start", "end", "text", "labels"]
    return [*head, *frames, "terms", "uncertain", "out_of_domain", "model"]


def _rows(articles: Iterable[ScoredArticle], level: str) -> Iterator[list[dict[str, Any]]]:
    for article in articles:
        head = {"source": article.source, "title": article.title}
        if level == "article":
            yield [
                {
                    **head,
                    "n_sentences": len(article.sentences),
                    **article.profile,
                    "out_of_domain": article.out_of_domain,
                    "model": article.model,
                }
            ]
            continue
        yield [
            {
                **head,
                "index": scored.sentence.index,
                "start": scored.sentence.start,
                "end": scored.sentence.end,
                "text": scored.sentence.text,
                "labels": "|".join(scored.labels),
                **scored.scores,
                "terms": orjson.dumps(scored.terms).decode() if scored.terms else None,
                "uncertain": None if scored.uncertain is None else "|".join(scored.uncertain),
                "out_of_domain": scored.out_of_domain,
                "model": article.model,
            }
            for scored in article.sentences
        ]
