"""The options by which ``framing score`` reads articles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from classifier.articles.limits import ReadOptions

F = TypeVar("F", bound=Callable[..., Any])

#: As `classifier.articles.FORMATS`, which costs an import that ``--help`` does without; a test compares them.
FORMATS = ("text", "markdown", "html", "pdf", "docx", "csv", "tsv", "jsonl", "json", "parquet", "arrow")

_SIZE = re.compile(r"(\d{1,12})\s*(k|m|g|)(i?b)?", re.IGNORECASE)


class Bytes(click.ParamType[int]):
    """A number of bytes, such as ``16MiB``, ``500k`` or ``1048576``."""

    name = "BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; K, M and G are powers of 1024."""
        match = _SIZE.fullmatch(str(value).strip())
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is not a size like 16M or 1048576.", param, ctx)
        return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


_OPTIONS = (
    click.option("--input-format", type=click.Choice(FORMATS), help="[default: told from content and extension]"),
    click.option("--encoding", metavar="NAME", help="Of text.  [default: told from the text]"),
    click.option("--text-column", metavar="NAME", help="Column or dotted JSON path of the text."),
    click.option("--id-column", metavar="NAME", help="Of the article's id."),
    click.option("--title-column", metavar="NAME", help="Of its title."),
    click.option("--date-column", metavar="NAME", help="Of its date."),
    click.option("--source-column", metavar="NAME", help="Of who published it."),
    click.option("--keep", multiple=True, metavar="NAME", help="Keep this column in the results; repeatable."),
    click.option(
        "--max-article-bytes", type=Bytes(), default="16M", show_default=True, help="Largest text, line or record."
    ),
    click.option(
        "--max-document-bytes", type=Bytes(), default="128M", show_default=True, help="Largest page, PDF or DOCX."
    ),
    click.option(
        "--max-expansion", type=click.IntRange(1), default=200, show_default=True, help="Of compressed data, in times."
    ),
    click.option(
        "--max-members", type=click.IntRange(1), default=100_000, show_default=True, help="Files of an archive."
    ),
    click.option(
        "--max-seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="To parse one document."
    ),
)

NAMES = (
    "input_format",
    "encoding",
    "text_column",
    "id_column",
    "title_column",
    "date_column",
    "source_column",
    "keep",
    "max_article_bytes",
    "max_document_bytes",
    "max_expansion",
    "max_members",
    "max_seconds",
)


def reading_options(function: F) -> F:
    """Add the options; the command receives them as keyword arguments for `read_options`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_options(values: dict[str, Any]) -> ReadOptions:
    """Collect the values of `reading_options`.

    Raises
    ------
    click.BadParameter
        If an encoding is unknown.
    """
    import codecs

    from classifier.articles.limits import Limits, ReadOptions

    if values["encoding"] is not None:
        try:
            codecs.lookup(values["encoding"])
        except LookupError:
            raise click.BadParameter(
                f"no encoding is called {values['encoding']!r}; name one like utf-8, utf-16 or cp1251.",
                param_hint="--encoding",
            ) from None
    return ReadOptions(
        input_format=values["input_format"],
        encoding=values["encoding"],
        text=values["text_column"],
        id=values["id_column"],
        title=values["title_column"],
        date=values["date_column"],
        outlet=values["source_column"],
        keep=tuple(dict.fromkeys(values["keep"])),
        limits=Limits(
            article_bytes=values["max_article_bytes"],
            document_bytes=values["max_document_bytes"],
            expansion=values["max_expansion"],
            members=values["max_members"],
            seconds=values["max_seconds"],
        ),
    )
