"""Articles out of records: rows of a table, objects of JSON."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from classifier.articles.article import Article, ReadError
from classifier.articles.limits import ReadOptions, size

#: The names tried where no column is named, in this order.
USUAL: dict[str, tuple[str, ...]] = {
    "text": ("text", "body", "content", "article", "article_text", "full_text", "fulltext", "maintext", "articleBody"),
    "id": ("id", "article_id", "guid", "uuid", "_id", "url", "link"),
    "title": ("title", "headline", "name"),
    "date": ("date", "published", "published_at", "date_published", "datePublished", "publish_date", "pubDate"),
    "outlet": ("outlet", "source", "publisher", "source_name", "site", "sitename", "domain", "agency"),
}


def article_of(record: Mapping[str, Any], source: str, place: str, number: int, options: ReadOptions) -> Article:
    """Make an article of a record.

    Parameters
    ----------
    record : mapping
    source : str
        The file.
    place : str
        Where in the file, for faults.
    number : int
        The record's id where it brings none.
    options : ReadOptions

    Returns
    -------
    Article

    Raises
    ------
    ReadError
        If there is no text.
    """
    text = _text(record, place, options)
    if len(text) > options.limits.article_bytes:
        raise ReadError(too_large("a record", options.limits.article_bytes), place)
    name = _string(_field(record, "id", options.id))
    return Article(
        source,
        text.replace("\r\n", "\n").replace("\r", "\n"),
        _string(_field(record, "title", options.title)),
        name if name is not None else str(number),
        _string(_field(record, "date", options.date)),
        _string(_field(record, "outlet", options.outlet)),
        {name: _plain(lookup(record, name), name, place) for name in options.keep},
    )


def too_large(what: str, limit: int) -> str:
    """Return the sentence for what is beyond ``--max-article-bytes``."""
    return f"{what} of more than {size(limit)}; raise the bound with --max-article-bytes if it is meant to be."


def _text(record: Mapping[str, Any], place: str, options: ReadOptions) -> str:
    value = _field(record, "text", options.text)
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = "\n\n".join(value)
    if isinstance(value, str):
        return value
    name = repr(options.text) if options.text else "text"
    if value is not None:
        raise ReadError(f"{name} is not text but {_kind(value)}.", place)
    raise ReadError(f"no {name} here; there is {_names(record)}. Choose the column with --text-column.", place)


def check_header(header: Sequence[str], options: ReadOptions) -> None:
    """Refuse a table that has no column for the text, or lacks one that was named.

    Raises
    ------
    ReadError
    """
    if options.text is None and not any(name in header for name in USUAL["text"]):
        raise ReadError(f"no text column; there is {_names(header)}. Choose it with --text-column.")
    named = (options.text, options.id, options.title, options.date, options.outlet)
    for name in (*(name for name in named if name), *options.keep):
        # A dotted name may lead into a column that holds structures.
        if name not in header and name.split(".")[0] not in header:
            raise ReadError(f"no column {name!r}; there is {_names(header)}.")


def _names(names: Iterable[str]) -> str:
    listed = [str(name)[:40] for name in names]
    return (", ".join(map(repr, listed[:12])) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")) or "none"


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)


def _field(record: Mapping[str, Any], role: str, name: str | None) -> Any:
    if name is not None:
        return lookup(record, name)
    blank = None
    for usual in USUAL[role]:
        value = record.get(usual)
        if value is not None and value != "":
            return value
        if value is not None:
            blank = value
    # An empty text is an article without sentences; a record without the field is none.
    return blank


def lookup(record: Mapping[str, Any], path: str) -> Any:
    """Return a field of a record.

    Parameters
    ----------
    record : mapping
    path : str
        The field's name, or names joined by dots that lead into objects, and numbers into lists.

    Returns
    -------
    value or None

    Examples
    --------
    >>> lookup({"article": {"parts": ["one", "two"]}}, "article.parts.1")
    'two'
    """
    if path in record:
        return record[path]
    value: Any = record
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value)


def _plain(value: Any, name: str, place: str) -> Any:
    """Return a value that every output can hold."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    try:
        return orjson.loads(orjson.dumps(value, default=_string, option=orjson.OPT_NON_STR_KEYS))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError, RecursionError):
        raise ReadError(f"the field {name!r} cannot be kept: it is nested too deeply or no data.", place) from None
