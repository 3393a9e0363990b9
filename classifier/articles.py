"""Articles and their readers: plain text files, folders of them, standard input."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import InputError

#: Files read from a folder; any other file is read only when named.
TEXT_SUFFIXES = (".txt", ".md", ".text")

#: The source name of standard input.
STDIN = "-"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Article:
    r"""A text to be scored.

    Parameters
    ----------
    source : str
        Where it came from: a path, or ``-`` for standard input.
    text : str
        As read; line ends become ``\n``.
    title : str or None
        Where the input names one.
    """

    source: str
    text: str
    title: str | None = None


def read_articles(sources: Iterable[str | Path]) -> Iterator[Article]:
    """Read articles, one after the other.

    Parameters
    ----------
    sources : iterable of str or Path
        Text files; folders, walked in order of name for ``.txt``, ``.md`` and ``.text`` files; ``-`` for standard
        input.

    Yields
    ------
    Article

    Raises
    ------
    InputError
        If a source is missing, unreadable, not text, or a folder without text files.
    """
    for source in sources:
        if str(source) == STDIN:
            if sys.stdin is None:
                raise InputError("standard input is closed; name a file.")
            yield Article(STDIN, decode(sys.stdin.buffer.read(), "standard input"))
            continue
        path = Path(source)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in TEXT_SUFFIXES and file.is_file())
            if not files:
                raise InputError(f"{source}: no articles in this folder; it holds no {', '.join(TEXT_SUFFIXES)} files.")
        else:
            files = [path]
        for file in files:
            try:
                data = file.read_bytes()
            except OSError as error:
                raise InputError(f"{file}: cannot read it: {error.strerror or error}.") from None
            yield Article(_shown(file), decode(data, _shown(file)))


def _shown(path: Path) -> str:
    """Return a path as Unicode text; bytes of a file name that are not UTF-8 become U+FFFD."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decode(data: bytes, where: str) -> str:
    r"""Turn an article's bytes into text.

    Parameters
    ----------
    data : bytes
        UTF-8, or UTF-16 or UTF-32 with a byte order mark.
    where : str
        Named in error messages.

    Returns
    -------
    str
        With ``\n`` line ends.

    Raises
    ------
    InputError
        If the bytes are not text in one of these encodings.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if encoding.startswith("utf-8") and b"\0" in data:
        raise InputError(f"{where}: a binary file, not text (it holds NUL bytes).")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        start = error.start + len(data) - len(error.object)  # a byte order mark is cut off before decoding
        line = data.count(b"\n", 0, start) + 1
        raise InputError(
            f"{where}, line {line}: not {encoding.removesuffix('-sig').upper()} text "
            f"(byte 0x{data[start]:02x} at {start}); save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
