"""Compressed streams and archives, opened with bounds and never unpacked to disk."""

from __future__ import annotations

import gzip
import io
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import PurePosixPath
from typing import IO, Any, cast

from classifier.articles.article import ReadError
from classifier.articles.formats import container
from classifier.articles.limits import MIB, Limits, size

#: What compressed data may always expand to, however small it is.
GRACE = 16 * MIB

#: Bytes of an archive from a pipe kept in memory; more goes to a temporary file.
SPOOL = 8 * MIB

#: Largest window of a .zst file, as a power of two: what ``zstd --long`` needs, and a bound on memory.
ZST_WINDOW_LOG = 27

# zipfile expands a whole block of the others at once: 900 bytes of bzip2 take gigabytes before any bound is asked.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_BUFFER = 1 << 16


class Inflated(io.RawIOBase):
    """A decompressed stream that ends with a `ReadError` where it grows out of proportion or is damaged.

    Parameters
    ----------
    stream : binary file
        Decompressed.
    tally : CountedBytes
        Counts what comes out, of this stream and of those that share its bound.
    allowed : callable
        Returns how many bytes may come out by now.
    limits : Limits
    """

    def __init__(self, stream: IO[bytes], tally: CountedBytes, allowed: Callable[[], int], limits: Limits) -> None:
        self._stream = stream
        self._tally = tally
        self._allowed = allowed
        self._limits = limits

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with decompressed bytes."""
        try:
            data = self._stream.read(len(buffer))
        except ReadError:
            raise
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise self._damaged(error) from None
        except Exception as error:
            # The library's own error is known only once it is imported.
            if type(error).__name__ != "ZstdError":
                raise
            raise self._damaged(error) from None
        self._tally.count += len(data)
        if self._tally.count > self._allowed():
            raise ReadError(
                f"expands to more than {self._limits.expansion} times its size (stopped after "
                f"{size(self._tally.count)}); raise the bound with --max-expansion if it is meant to."
            )
        buffer[: len(data)] = data
        return len(data)

    def _damaged(self, error: Exception) -> ReadError:
        reason = str(error)[:100] or "no end"
        return ReadError(f"its compressed data is damaged or cut short after {size(self._tally.count)} ({reason}).")


class CountedBytes(io.RawIOBase):
    """A stream that counts what is read from it; without a stream, a mere count.

    Parameters
    ----------
    stream : binary file, optional
    """

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, counting."""
        assert self._stream is not None
        data = self._stream.read(len(buffer))
        self.count += len(data)
        buffer[: len(data)] = data
        return len(data)


def open_gz(stream: IO[bytes], limits: Limits) -> io.BufferedReader:
    """Open a gzip stream."""
    packed = CountedBytes(stream)
    return _inflated(cast("IO[bytes]", gzip.GzipFile(fileobj=cast("IO[bytes]", packed))), packed, limits)


def open_zst(stream: IO[bytes], limits: Limits) -> io.BufferedReader:
    """Open a Zstandard stream.

    Raises
    ------
    ReadError
        If the library is not installed.
    """
    try:
        zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        raise ReadError("zst needs backports.zstd: pip install 'framing-classifier[zst]'.") from None
    packed = CountedBytes(stream)
    # Unlike streaming readers that return what there is, it says so where a stream ends before its last frame does.
    options = {zstd.DecompressionParameter.window_log_max: ZST_WINDOW_LOG}
    return _inflated(zstd.ZstdFile(packed, options=options), packed, limits)


def _inflated(stream: IO[bytes], packed: CountedBytes, limits: Limits) -> io.BufferedReader:
    def allowed() -> int:
        return GRACE + limits.expansion * packed.count

    return io.BufferedReader(Inflated(stream, CountedBytes(), allowed, limits), _BUFFER)


def seekable(stream: IO[bytes], limit: int) -> IO[bytes]:
    """Return the stream if it can be sought in, else a copy in a temporary file that vanishes when closed.

    Raises
    ------
    ReadError
        If it must be copied and is larger than the limit.
    """
    if stream.seekable():
        return stream
    copy = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 (closed by who asked for it)
    total = 0
    while data := stream.read(_BUFFER):
        total += len(data)
        if total > limit:
            copy.close()
            raise ReadError(
                f"larger than {size(limit)} and not a file of its own; unpack it, or raise --max-document-bytes."
            )
        copy.write(data)
    copy.seek(0)
    return copy


def open_zip(stream: IO[bytes], limits: Limits) -> zipfile.ZipFile:
    """Open a ZIP archive.

    Raises
    ------
    ReadError
        If it is damaged, or has too many members.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise ReadError(f"not a ZIP archive that can be read ({error}).") from None
    if len(archive.infolist()) > limits.members:
        raise ReadError(f"an archive of more than {limits.members:,} files; unpack it, or raise --max-members.")
    return archive


def zip_kind(archive: zipfile.ZipFile) -> str | None:
    """Tell an Office document from an archive.

    Returns
    -------
    str or None
        ``"docx"``; None for an archive.

    Raises
    ------
    ReadError
        For spreadsheets, presentations and OpenDocument files.
    """
    names = set(archive.namelist()[:10_000])
    if "word/document.xml" in names:
        return "docx"
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        raise ReadError("a spreadsheet; export it as CSV.")
    if "ppt/presentation.xml" in names:
        raise ReadError("a presentation; export its text.")
    if "META-INF/container.xml" in names or ("mimetype" in names and "content.xml" in names):
        raise ReadError("an e-book or OpenDocument file; save it as .docx, .html or .txt.")
    return None


def members(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[str, Callable[[], io.BufferedReader]]]:
    """Yield the files of an archive and how to open each, in the archive's order.

    Yields
    ------
    name : str
    open : callable
        Raises `ReadError` if the member is encrypted, damaged, not compressed by Deflate, or its name leads out of
        the archive.
    """
    # One bound for all members: they may overlap in the archive.
    tally = CountedBytes()
    allowance = GRACE + limits.expansion * _length(archive)
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        hidden = any(part.startswith(".") and part != ".." for part in path.parts)
        if member.filename and not (member.is_dir() or hidden or path.parts[:1] == ("__MACOSX",)):
            yield member.filename, partial(_open_member, archive, member, path, tally, allowance, limits)


def is_container(head: bytes) -> bool:
    """Tell whether a file that begins like this holds others."""
    return container(head) is not None


def container_documents(
    stream: io.BufferedReader, head: bytes, name: str, limits: Limits
) -> Iterator[tuple[str, Callable[[], io.BufferedReader], str | None]]:
    """Yield what a compressed file or archive holds.

    Parameters
    ----------
    stream : buffered binary file
    head : bytes
        Its beginning.
    name : str
    limits : Limits

    Yields
    ------
    name : str
    open : callable
        Returns the inner stream.
    format : str or None
        Where the container itself is the document: ``"docx"``.

    Raises
    ------
    ReadError
    """
    kind = container(head)
    if kind == "gz":
        yield name, partial(open_gz, stream, limits), None
    elif kind == "zst":
        yield name, partial(open_zst, stream, limits), None
    else:
        file = seekable(stream, limits.document_bytes)
        try:
            yield from _zip_documents(file, name, limits)
        finally:
            if file is not stream:
                file.close()


def _zip_documents(
    file: IO[bytes], name: str, limits: Limits
) -> Iterator[tuple[str, Callable[[], io.BufferedReader], str | None]]:
    with open_zip(file, limits) as archive:
        whole = zip_kind(archive)
        if whole is not None:
            file.seek(0)
            yield name, lambda: _borrowed(file), whole
            return
        for member, opener in members(archive, limits):
            yield f"{name}/{member}", opener, None


def _borrowed(file: IO[bytes]) -> io.BufferedReader:
    """Return a reader whose closing leaves the file itself open."""
    return io.BufferedReader(CountedBytes(file), _BUFFER)


def _length(archive: zipfile.ZipFile) -> int:
    assert archive.fp is not None
    return archive.fp.seek(0, io.SEEK_END)


def _open_member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    path: PurePosixPath,
    tally: CountedBytes,
    allowance: int,
    limits: Limits,
) -> io.BufferedReader:
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise ReadError("its name leads out of the archive; rename it.")
    if member.flag_bits & 1:
        raise ReadError("encrypted; save the archive without its password.")
    if member.compress_type not in _METHODS:
        raise ReadError("compressed in a way that is not read; save the archive with the usual one, Deflate.")
    try:
        stream = archive.open(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ReadError(f"cannot be read ({error}).") from None
    return io.BufferedReader(Inflated(stream, tally, lambda: allowance, limits), _BUFFER)
