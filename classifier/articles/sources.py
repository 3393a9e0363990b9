"""Files, folders, patterns and standard input, as one stream of documents in a stable order."""

from __future__ import annotations

import glob
import io
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from classifier.articles.article import Fault, ReadError
from classifier.articles.formats import CONTAINERS, SUFFIXES, is_known
from classifier.errors import InputError

#: The source name of standard input.
STDIN = "-"

_BUFFER = 1 << 16
_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*://", re.IGNORECASE)
_PATTERN = re.compile(r"[*?\[]")


@dataclass
class ReadTotals:
    """What a walk over sources has met so far.

    Parameters
    ----------
    bytes : int
        Read from disk or pipe, compressed where files are.
    skipped : Counter
        Files of folders left out, by extension or kind.
    """

    bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class File:
    """A file to be opened.

    Parameters
    ----------
    path : Path or None
        None for standard input.
    walked : bool
        Found in a folder rather than named: links in its place are refused.
    """

    path: Path | None
    walked: bool

    @property
    def name(self) -> str:
        """The path as every output can show it."""
        return STDIN if self.path is None else shown(self.path)


def shown(path: str | Path) -> str:
    """Return a path as text that UTF-8 can hold; bytes that are no text become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")


def check_sources(sources: Iterable[str | Path]) -> list[str | Path]:
    """Refuse sources that name nothing, and expand patterns.

    Parameters
    ----------
    sources : iterable of str or Path

    Returns
    -------
    list
        Files, folders and ``-``.

    Raises
    ------
    InputError
        If a source is a web address, is missing, or is a folder without a file that is read.
    """
    found: list[str | Path] = []
    for source in sources:
        if str(source) == STDIN or os.path.lexists(source):
            found.append(source)
        elif _ADDRESS.match(str(source)):
            raise InputError(f"{source}: web addresses are not fetched; save the page and score the file.")
        elif _PATTERN.search(str(source)):
            matches = sorted(glob.glob(str(source), recursive=True))  # noqa: PTH207 (Path.glob cannot begin with /)
            if not matches:
                raise InputError(f"{source}: no file matches this pattern.")
            found += matches
        else:
            raise InputError(f"{source}: cannot read it: No such file or directory.")
    for source in found:
        if str(source) != STDIN and Path(source).is_dir() and not _has_files(Path(source)):
            kinds = ", ".join((*SUFFIXES, *CONTAINERS))
            raise InputError(f"{source}: no articles in this folder; it holds no file of these: {kinds}.")
    return found


def _has_files(folder: Path) -> bool:
    return any(not isinstance(file, Fault) for file in walk(folder, ReadTotals()))


def files(
    sources: Iterable[str | Path], tally: ReadTotals, exclude: frozenset[str] = frozenset()
) -> Iterator[File | Fault]:
    """Yield the files of sources, folders walked in order of name.

    Parameters
    ----------
    sources : iterable of str or Path
        As `check_sources` gives them.
    tally : ReadTotals
        Counts what is skipped.
    exclude : frozenset of str
        Real paths left out: the output of the run itself.
    """
    for source in sources:
        if str(source) == STDIN:
            yield File(None, walked=False)
        elif Path(source).is_dir():
            for file in walk(Path(source), tally):
                if isinstance(file, Fault) or os.path.realpath(cast("Path", file.path)) not in exclude:
                    yield file
        else:
            yield File(Path(source), walked=False)


def walk(folder: Path, tally: ReadTotals) -> Iterator[File | Fault]:
    """Walk a folder in order of name without ever following a link; hidden files are left out."""
    # A stack instead of recursion: folders may be nested deeper than Python's calls.
    stack: list[Iterator[os.DirEntry[str]]] = [iter(entries)] if not isinstance(entries := _scan(folder), Fault) else []
    if isinstance(entries, Fault):
        yield entries
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif entry.name.startswith("."):
            continue
        elif entry.is_symlink():
            tally.skipped["links"] += 1
        elif entry.is_dir(follow_symlinks=False):
            inner = _scan(Path(entry.path))
            if isinstance(inner, Fault):
                yield inner
            else:
                stack.append(iter(inner))
        elif not entry.is_file(follow_symlinks=False):
            tally.skipped["devices and pipes"] += 1
        elif is_known(entry.name):
            yield File(Path(entry.path), walked=True)
        else:
            tally.skipped[Path(entry.name).suffix.lower()[:12] or "no extension"] += 1


def _scan(folder: Path) -> list[os.DirEntry[str]] | Fault:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        return Fault(shown(folder), f"cannot read this folder: {error.strerror or error}.")


def total_bytes(sources: Iterable[str | Path], exclude: frozenset[str] = frozenset()) -> int | None:
    """Return the size of all files of sources; None where a pipe is among them."""
    total = 0
    for file in files(sources, ReadTotals(), exclude):
        if isinstance(file, Fault):
            continue
        if file.path is None or (not file.walked and not file.path.is_file()):
            return None
        with suppress(OSError):
            total += file.path.stat().st_size
    return total


class Counted(io.RawIOBase):
    """A raw file that adds what is read to a tally.

    Parameters
    ----------
    raw : raw file
    tally : ReadTotals
    closes : bool
        Whether closing closes the file too.
    """

    def __init__(self, raw: io.RawIOBase, tally: ReadTotals, *, closes: bool = True) -> None:
        self._raw = raw
        self._tally = tally
        self._closes = closes

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Tell whether the file can be sought in."""
        return self._raw.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move within the file."""
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, counting."""
        n = self._raw.readinto(buffer) or 0
        self._tally.bytes += n
        return n

    def close(self) -> None:
        """Close the file, unless it is the caller's."""
        if self._closes:
            self._raw.close()
        super().close()


def open_file(file: File, tally: ReadTotals) -> tuple[io.BufferedReader, str]:
    """Open a file.

    Returns
    -------
    stream : buffered binary file
    stamp : str
        Its size and time of change, by which a resumed run recognises it.

    Raises
    ------
    ReadError
        If it cannot be opened, or is a folder or a link where a file was found.
    """
    if file.path is None:
        if sys.stdin is None:
            raise InputError("standard input is closed; name a file.")
        raw: IO[bytes] = io.FileIO(sys.stdin.fileno(), closefd=False) if _has_descriptor() else sys.stdin.buffer
        return io.BufferedReader(Counted(cast("io.RawIOBase", raw), tally, closes=False), _BUFFER), ""
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if file.walked:
        # What was a plain file when the folder was listed may be a link or a pipe by now.
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(file.path, flags)
    except OSError as error:
        raise ReadError(f"cannot read it: {error.strerror or error}.") from None
    facts = os.fstat(descriptor)
    if stat.S_ISDIR(facts.st_mode) or (file.walked and not stat.S_ISREG(facts.st_mode)):
        os.close(descriptor)
        raise ReadError("no longer a file.")
    stamp = f"{facts.st_size}:{facts.st_mtime_ns}" if stat.S_ISREG(facts.st_mode) else ""
    return io.BufferedReader(Counted(io.FileIO(descriptor), tally), _BUFFER), stamp


def _has_descriptor() -> bool:
    try:
        return sys.stdin.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False  # a stand-in for standard input, as test runners and notebooks have
