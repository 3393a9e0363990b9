"""Lines, CSV records and JSON values out of a stream, none longer than a bound."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import IO

from classifier.articles.article import ReadError

CHUNK = 1 << 16


def bounded_lines(stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    r"""Yield the lines of a stream, None in place of one that is longer than the bound.

    Parameters
    ----------
    stream : binary file
    limit : int
        Bytes a line.

    Examples
    --------
    >>> import io
    >>> list(bounded_lines(io.BytesIO(b"one\nmuch too long\ntwo"), 4))
    [b'one\n', None, b'two']
    """
    while line := stream.readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(CHUNK)) and not rest.endswith(b"\n"):
            pass
        yield None


class CsvRows:
    """The records of a CSV stream, one fault never hiding the next.

    Parameters
    ----------
    stream : binary file
        UTF-8.
    limit : int
        Bytes a record.
    delimiter : str

    Notes
    -----
    The csv module reads lines from this object itself, because its reader goes on after an exception only when
    what gives it lines does.
    """

    def __init__(self, stream: IO[bytes], limit: int, delimiter: str) -> None:
        self._lines = bounded_lines(stream, limit)
        self._limit = limit
        self._size = 0
        self.line = 0
        csv.field_size_limit(max(csv.field_size_limit(), limit))
        self._reader = csv.reader(self, delimiter=delimiter)

    def __iter__(self) -> CsvRows:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        self._size += len(line or b"")
        if line is None or self._size > self._limit:
            raise _TooLongError
        return line.decode("utf-8", "surrogateescape")

    def records(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield the line a record begins on, and its cells or what is wrong with it."""
        while True:
            self._size, start = 0, self.line + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except _TooLongError:
                yield start, "long"
            except csv.Error as error:
                yield start, f"not CSV ({error})."
            else:
                if cells:
                    yield start, cells


class _TooLongError(Exception):
    pass


_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"


class JsonValues:
    """The values of a JSON array, or of a sequence of JSON values, cut out of a stream without parsing them.

    Parameters
    ----------
    stream : binary file
        UTF-8.
    limit : int
        Bytes a value; a longer one is given as None.
    """

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def __iter__(self) -> Iterator[bytes | None]:
        chunk = self._begin()
        array = chunk.startswith(b"[")
        base = 1 if array else 0
        depth, inside, position, mark = 0, False, 0, base
        ended = False
        while chunk:
            if ended:
                if chunk[position:].strip(_SPACE):
                    raise ReadError("not JSON: there is more after the end of the list.")
                chunk, position = self._stream.read(CHUNK), 0
                continue
            found = (_INSIDE if inside else _OUTSIDE).search(chunk, position)
            if found is None:
                self._keep(chunk[mark:])
                chunk, position, mark = self._stream.read(CHUNK), 0, 0
                continue
            position, byte = found.end(), found.group()
            if inside:
                if byte == b'"':
                    inside = False
                elif position < len(chunk):
                    position += 1  # the escaped character, whatever it is
                else:
                    self._keep(chunk[mark:])
                    self._keep(self._stream.read(1))
                    chunk, position, mark = self._stream.read(CHUNK), 0, 0
            elif byte == b'"':
                inside = True
            elif byte in b"{[":
                depth += 1
            elif byte == b",":
                if array and depth == 1:
                    self._keep(chunk[mark : position - 1])
                    mark = position
                    yield self._take()
            else:
                depth -= 1
                if depth < 0:
                    raise ReadError("not JSON: a bracket closes what none opened.")
                if depth == 0:
                    end = position - 1 if array else position
                    self._keep(chunk[mark:end])
                    mark, ended = position, array
                    if not array or self._size > self._limit or b"".join(self._parts).strip(_SPACE):
                        yield self._take()
                    self._parts, self._size = [], 0
        if not ended and (depth or inside or self._size > self._limit or b"".join(self._parts).strip(_SPACE)):
            raise ReadError("not JSON, or cut short: it ends within a value.")

    def _begin(self) -> bytes:
        """Return the first chunk that holds more than white space, beginning with it."""
        while chunk := self._stream.read(CHUNK):
            if stripped := chunk.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE):
                return stripped
        return b""

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
        else:
            self._parts = []

    def _take(self) -> bytes | None:
        value = b"".join(self._parts) if self._size <= self._limit else None
        self._parts, self._size = [], 0
        return value
