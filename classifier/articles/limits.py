"""How articles are read, and how much of them at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one input may cost; whatever is beyond them becomes a `Fault`.

    Parameters
    ----------
    article_bytes : int
        Of a text file, a web page, a line of JSON Lines, a record of CSV, the text of an article.
    document_bytes : int
        Of a PDF or DOCX file, and of what must be held whole: a JSON object that wraps a list, a Parquet file
        inside an archive.
    expansion : int
        How many times its size compressed data may grow to, beyond the first 16 MiB.
    seconds : float
        For the parser of one document (HTML, PDF, DOCX, Markdown), or one batch of a Parquet file.
    members : int
        Files of one archive.
    depth : int
        Containers one within the other: ``a.jsonl.gz`` within a ZIP is two.
    memory : int
        Bytes a parser process may use, where the system can limit it.
    """

    article_bytes: int = 16 * MIB
    document_bytes: int = 128 * MIB
    expansion: int = 200
    seconds: float = 60.0
    members: int = 100_000
    depth: int = 3
    memory: int = 4096 * MIB


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How articles are read.

    Parameters
    ----------
    input_format : str or None
        One of `classifier.articles.FORMATS`; by default told from content and extension.
    encoding : str or None
        Of text; by default told from byte order marks, UTF-8 and statistics, in this order.
    text, id, title, date, outlet : str or None
        Columns, or dotted paths into JSON, that hold these; by default the usual names are tried.
    keep : tuple of str
        Further columns kept as `Article.metadata`.
    limits : Limits
    """

    input_format: str | None = None
    encoding: str | None = None
    text: str | None = None
    id: str | None = None
    title: str | None = None
    date: str | None = None
    outlet: str | None = None
    keep: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReadOptions:
        """Rebuild options from `to_dict`."""
        return cls(**{**data, "keep": tuple(data["keep"]), "limits": Limits(**data["limits"])})


def size(n: int) -> str:
    """Return a number of bytes as people write it.

    Examples
    --------
    >>> size(16 * 2**20), size(2_500)
    ('16 MiB', '2,500 bytes')
    """
    return f"{n // MIB:,} MiB" if n >= MIB and n % MIB == 0 else f"{n:,} bytes"
