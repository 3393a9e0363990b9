"""Files written whole or not at all."""

from __future__ import annotations

import csv
import ctypes
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from classifier.errors import FramingError, InputError


def csv_lines(rows: Sequence[Sequence[Any]]) -> str:
    r"""Return rows as lines of CSV.

    Parameters
    ----------
    rows : sequence of sequences
        Cells; None is an empty one.

    Returns
    -------
    str
        With ``\n`` line ends.

    Notes
    -----
    ``csv.writer`` leaves a lone carriage return bare, which every reader takes for the end of a row.

    Examples
    --------
    >>> csv_lines([("one", "two, three"), (None, "over\rwritten")])
    'one,"two, three"\n,"over\rwritten"\n'
    """
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    lines = buffer.getvalue()
    if "\r" in lines:
        return "".join(",".join(map(_csv_cell, cells)) + "\n" for cells in rows)
    return lines


def _csv_cell(value: Any) -> str:
    cell = "" if value is None else str(value)
    return '"' + cell.replace('"', '""') + '"' if any(char in cell for char in '",\r\n') else cell


@contextmanager
def file_replaced(path: str | Path) -> Iterator[IO[bytes]]:
    """Write a file beside its place, then rename it there.

    Parameters
    ----------
    path : str or Path
        Where the file goes; an existing one is replaced.

    Yields
    ------
    binary file
        To be written to. If the block raises, what was written is removed and an existing file left as it was.

    Raises
    ------
    FramingError
        If the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        named = Path(path)
        # As root, the rename would do away with /dev/null.
        if named.exists() and not named.is_file() and not named.is_dir():
            with named.open("wb") as stream:
                yield stream
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
        temporary = None
    except OSError as error:
        raise FramingError(f"{path}: cannot write it: {error.strerror or error}.") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def check_apart(outputs: Mapping[str, Path | None], inputs: Iterable[str | Path] = ()) -> None:
    """Refuse outputs that are inputs, or one another, under whatever name, before anything is opened.

    Parameters
    ----------
    outputs : mapping of str to Path or None
        Files that will be written, by the option or argument that named them.
    inputs : iterable of str or Path
        Files and folders that will be read. An output may lie in a folder that is read, but not be it.

    Raises
    ------
    InputError
        If two are the same file: by device and inode where they exist, so that links are seen through, else by path.
    """
    named = [(name, path) for name, path in outputs.items() if path is not None]
    for i, (name, path) in enumerate(named):
        for other_name, other in named[:i]:
            if _same(path, other):
                raise InputError(f"{path}: {name} and {other_name} would write the same file; name another.")
        for source in inputs:
            if _same(path, Path(source)):
                raise InputError(f"{path}: {name} would write over what is read; name another file.")


def _same(one: Path, other: Path) -> bool:
    try:
        if not one.exists() or not other.exists():
            return os.path.realpath(one) == os.path.realpath(other)
        # Terminals, pipes and /dev/null may be read and written at once.
        return one.samefile(other) and (one.is_file() or one.is_dir())
    except OSError:
        return False


def check_writable(path: str | Path) -> None:
    """Refuse a place where no file can be written, before any work is done for it.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        If its folder is missing or read-only, or it is itself a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file in it.")
    if not target.parent.is_dir():
        raise InputError(f"{path}: there is no folder {target.parent}; make it first: mkdir -p {target.parent}")
    if not os.access(target if target.exists() and not target.is_file() else target.parent, os.W_OK):
        raise InputError(f"{path}: no permission to write there.")


@contextmanager
def directory_replaced(path: str | Path) -> Iterator[Path]:
    """Fill a directory beside its place, then exchange the two in one step.

    Parameters
    ----------
    path : str or Path
        Where the directory goes; an existing one is replaced whole.

    Yields
    ------
    Path
        An empty directory to fill. If the block raises, it is removed and `path` left as it was.

    Raises
    ------
    FramingError
        If the directory cannot be written.

    Notes
    -----
    On Linux and macOS the exchange is one system call (``renameat2`` with ``RENAME_EXCHANGE``, ``renamex_np``
    with ``RENAME_SWAP``), so a process killed at any moment leaves the old directory or the new one. Where the
    system or the file system has no such call the old directory is renamed aside first.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        fresh.chmod(0o777 & ~_umask())
    except OSError as error:
        raise FramingError(f"{path}: cannot write there: {error.strerror or error}.") from None
    try:
        yield fresh
        if not target.exists():
            fresh.rename(target)
        elif not _exchange(fresh, target):
            aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            target.rename(aside / target.name)
            fresh.rename(target)
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise FramingError(f"{path}: cannot write there: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; return False where the system cannot."""
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(library.renamex_np(first, second, 2) == 0)
        here = -100  # AT_FDCWD: paths are taken from the working directory
        return bool(library.renameat2(here, first, here, second, 2) == 0)
    except (AttributeError, OSError, TypeError):
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
