"""Which format a file is in: by what it holds first, then by its extension."""

from __future__ import annotations

import re
from pathlib import PurePath

from classifier.articles.article import ReadError

#: Extensions and the formats they promise.
SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}

#: Extensions of compressed files and archives.
CONTAINERS = (".gz", ".zst", ".zip")

#: Values of ``--input-format``.
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))

#: What is parsed in a process of its own; see `classifier.articles.isolation`.
ISOLATED = frozenset({"markdown", "html", "pdf", "docx", "parquet", "arrow"})

_REFUSED = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (.doc, .xls); save it as .docx or .csv."),
    (b"{\\rtf", "RTF; save it as .docx or .txt."),
    (b"7z\xbc\xaf", "a 7z archive; unpack it, or use .zip."),
    (b"Rar!", "a RAR archive; unpack it, or use .zip."),
    (b"BZh", "a bzip2 file; unpack it, or use .gz or .zst."),
    (b"\xfd7zXZ", "an xz file; unpack it, or use .gz or .zst."),
    (b"\x89PNG", "an image; there is no text to score."),
    (b"\xff\xd8\xff", "an image; there is no text to score."),
    (b"GIF8", "an image; there is no text to score."),
)

_HTML = re.compile(
    rb"\s*(<\?xml[^>]{0,200}\?>)?\s*(<!--.{0,2000}?-->\s*){0,9}<(!doctype\s+html|html|head|body)\b", re.I | re.S
)


def container(head: bytes) -> str | None:
    """Tell a compressed file by its first bytes.

    Returns
    -------
    {"gz", "zst", "zip"} or None
    """
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[:1] in b"PQRSTUVWXYZ[\\]^_"):
        return "zst"
    return "zip" if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else None


def suffix_of(name: str) -> str:
    """Return the extension that tells the format: ``.jsonl`` of ``dump.jsonl.gz``.

    Examples
    --------
    >>> suffix_of("dump.JSONL.gz"), suffix_of("letters.zip"), suffix_of("README")
    ('.jsonl', '.zip', '')
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-3:]]
    while len(suffixes) > 1 and suffixes[-1] in CONTAINERS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_known(name: str) -> bool:
    """Tell whether a file of this name is read when its folder is."""
    suffix = suffix_of(name)
    return suffix in SUFFIXES or suffix in CONTAINERS


def detect(head: bytes, name: str, chosen: str | None = None) -> str:
    """Tell the format of a file that is not compressed.

    Parameters
    ----------
    head : bytes
        Its beginning.
    name : str
        Its name.
    chosen : str, optional
        The format the person names.

    Returns
    -------
    str
        One of `FORMATS`.

    Raises
    ------
    ReadError
        If it is a format that is not read.
    """
    if chosen is not None:
        return chosen
    for magic, reason in _REFUSED:
        if head.startswith(magic):
            raise ReadError(reason)
    if head[257:262] == b"ustar":
        raise ReadError("a tar archive; unpack it, or use .zip.")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PAR1"):
        return "parquet"
    promised = SUFFIXES.get(suffix_of(name))
    if head.startswith(b"ARROW1") or (promised == "arrow" and head.startswith(b"\xff\xff\xff\xff")):
        return "arrow"
    start = head.removeprefix(b"\xef\xbb\xbf")
    if promised in ("text", None) and _HTML.match(start):
        return "html"
    if promised == "json" or promised is None:
        return _json_kind(start) or promised or "text"
    if promised in ("pdf", "docx", "parquet", "arrow"):
        raise ReadError(f"not what its name promises: no {promised.upper()} file begins like this.")
    return promised


def _json_kind(start: bytes) -> str | None:
    """Tell JSON Lines from JSON: the first line is an object by itself, and a second one begins the next line."""
    text = start.lstrip()
    if text.startswith(b"["):
        return "json" if re.match(rb"\[\s*[{\]]", text) else None
    if not re.match(rb'\{\s*["}]', text):
        return None
    first, _, rest = text.partition(b"\n")
    return "jsonl" if first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{") else "json"
