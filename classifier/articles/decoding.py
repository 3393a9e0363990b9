"""Bytes to text: never wrong in silence."""

from __future__ import annotations

import codecs
import io
import re

from classifier.articles.article import ReadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Encodings a guess may arrive at. Fewer candidates are fewer mistakes: rare twins (mac_cyrillic, cp1125) would
#: win short texts by chance.
_CANDIDATES = [
    "cp1251",
    "koi8_r",
    "cp866",
    "cp1252",
    "cp1250",
    "iso8859_2",
    "cp1257",
    "cp1254",
    "cp1253",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
]

#: Bytes looked at for a guess.
SAMPLE = 1 << 18

#: A guess messier than this is no guess.
MAX_CHAOS = 0.1

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_LINES = re.compile("\r\n?")


def decode(data: bytes, encoding: str | None = None, declared: str | None = None) -> tuple[str, str | None]:
    r"""Turn an article's bytes into text.

    Parameters
    ----------
    data : bytes
    encoding : str, optional
        The encoding the person names; nothing else is tried.
    declared : str, optional
        The encoding the document itself names; tried after UTF-8, because a wrong declaration is far more
        common than text that is valid UTF-8 by accident.

    Returns
    -------
    text : str
        With ``\\n`` line ends, without a byte order mark.
    guessed : str or None
        The encoding, where it was guessed from statistics.

    Raises
    ------
    ReadError
        If the bytes are not text, or not certainly enough in any one encoding.

    Examples
    --------
    >>> decode(b"\xef\xbb\xbfMinsk\r\n")
    ('Minsk\n', None)
    """
    name, guessed = choose_encoding(data, encoding, declared)
    try:
        text = data.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise _undecodable(data, name, error) from None
    return _LINES.sub("\n", text.removeprefix("\ufeff")), name if guessed else None


def choose_encoding(
    data: bytes, encoding: str | None = None, declared: str | None = None, *, partial: bool = False
) -> tuple[str, bool]:
    """Tell the encoding of a text.

    Parameters
    ----------
    data : bytes
        The text, or its beginning.
    encoding, declared : str, optional
        As for `decode`.
    partial : bool
        Whether `data` may end within a character.

    Returns
    -------
    encoding : str
    guessed : bool
        Whether by statistics.

    Raises
    ------
    ReadError
        If the bytes are no text, or no encoding fits well.
    """
    if encoding is not None:
        return encoding, False
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, False
    wide = _wide(data)
    if wide is not None:
        return wide, False
    if _BINARY.search(data, 0, SAMPLE):
        raise ReadError("a binary file, not text (it holds control bytes); name its format with --input-format.")
    if _fits(data, "utf-8", partial):
        return "utf-8", False
    if declared is not None and _fits(data, declared, partial):
        return declared, False
    guess = _guess(data, partial)
    if guess is None:
        raise ReadError("not UTF-8, and its encoding cannot be told; save it as UTF-8 or name it with --encoding.")
    return guess, True


def _wide(data: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by where its zero bytes are."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    most, least = max(even, odd), min(even, odd)
    # Spaces and punctuation alone make some such zeros in text of any alphabet; in binary data they are anywhere.
    if most < 2 or most * 20 < len(head) or least * 8 > most:
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = head.decode(encoding, "replace")
    return None if _CONTROLS.search(text) else encoding


def _fits(data: bytes, encoding: str, partial: bool) -> bool:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        text = decoder.decode(data, final=not partial)
    except (UnicodeDecodeError, LookupError, TypeError, ValueError):
        return False
    return isinstance(text, str)


def _guess(data: bytes, partial: bool) -> str | None:
    from charset_normalizer import from_bytes

    # The beginning of a page is often plain ASCII; a guess is made from where it stops being so.
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, (first.start() if first else 0) - 1024)
    sample = data[start : start + SAMPLE]
    best = from_bytes(sample, cp_isolation=_CANDIDATES, enable_fallback=False).best()
    if best is None or best.chaos > MAX_CHAOS:
        return None
    # Letters of Western quotation marks and accents sit at the same places in the Windows code pages; the
    # commonest of those that read the text alike is the honest name.
    names = [best.encoding, *best.could_be_from_charset]
    name = next((common for common in ("cp1252", "cp1251") if common in names), best.encoding)
    return name if _fits(data, name, partial) else None


def _undecodable(data: bytes, name: str, error: UnicodeDecodeError | LookupError) -> ReadError:
    if isinstance(error, UnicodeDecodeError):
        start = error.start + len(data) - len(error.object)  # a byte order mark is cut off before decoding
        return ReadError(
            f"not {name.removesuffix('-sig').upper()} text (byte 0x{data[start]:02x} at {start}); save it as UTF-8 "
            "or name its encoding with --encoding.",
            f"line {data.count(bytes([10]), 0, start) + 1}" if "16" not in name and "32" not in name else None,
        )
    return ReadError(f"there is no encoding called {name!r}; name one like utf-8, utf-16 or cp1251.")


class Utf8Stream(io.RawIOBase):
    """A binary stream of text in another encoding, read as UTF-8.

    Parameters
    ----------
    stream : binary stream
    encoding : str
        Bytes that do not fit it become lone surrogates, so that a reader of lines can name the line.
    """

    def __init__(self, stream: io.BufferedIOBase, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
        self._ready = b""
        self._first = True

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with UTF-8; lone surrogates are passed on as they are encoded by ``surrogatepass``."""
        while not self._ready:
            data = self._stream.read(len(buffer))
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:  # UTF-16 has no bytes to escape
                raise ReadError(f"not {error.encoding.upper()} text: {error.reason}.") from None
            if self._first and text:
                text, self._first = text.removeprefix("\ufeff"), False
            self._ready = text.encode("utf-8", "surrogatepass")
            if not data and not self._ready:
                return 0
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
