"""What a run has written so far, recorded so that a killed run goes on exactly where its file ends."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

import orjson

from classifier.errors import FramingError, InputError

#: Seconds between two records of progress; what was done after the last one is done again.
INTERVAL = 0.5

_FORMAT = 2


@dataclass
class Position:
    """How far a run has come.

    Parameters
    ----------
    items : int
        Articles and faults done.
    articles, sentences, faults : int
        Of these.
    digest : str
        Of the keys of the items done: a resumed run must meet the same ones.
    sizes : dict of str to int
        Bytes of each file that are whole.
    sums : dict of str to str
        Digests of these bytes.
    """

    items: int = 0
    articles: int = 0
    sentences: int = 0
    faults: int = 0
    digest: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Any) -> Position:
        """Rebuild a position from plain data.

        Raises
        ------
        ValueError
            If it is none.
        """
        kinds = {"digest": str, "sizes": dict, "sums": dict}
        names = [one.name for one in fields(cls)]
        if not isinstance(data, dict) or sorted(data) != sorted(names):
            raise ValueError("its position is damaged")
        for name in names:
            value = data[name]
            if type(value) is not kinds.get(name, int) or (type(value) is int and value < 0):
                raise ValueError(f"its {name} are damaged")
        if not all(type(size) is int and size >= 0 for size in data["sizes"].values()):
            raise ValueError("its sizes are damaged")
        return cls(**data)


class Lines:
    """A file of lines that grows beside its place and is renamed there at the end.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    partial : Path
        Where it grows: ``FILE.partial``.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self.partial = self.path.with_name(self.path.name + ".partial")
        self.size = 0
        self._sum = hashlib.blake2b(digest_size=16)
        self._stream: IO[bytes] | None = None

    @property
    def sum(self) -> str:
        """Digest of all bytes written."""
        return self._sum.hexdigest()

    def begin(self, size: int = 0, digest: str = "") -> None:
        """Open the file, cut to the bytes that are whole.

        Parameters
        ----------
        size : int
            Their number.
        digest : str
            What `sum` was when they were written; not asked for a new file.

        Raises
        ------
        FramingError
            If it cannot be opened, is held by another run, or is shorter than recorded.
        """
        try:
            stream = self.partial.open("ab", buffering=1 << 20)
            if not _lock(stream):
                stream.close()
                raise InputError(f"{self.partial}: another run is writing it; wait for it, or write elsewhere.")
            if stream.tell() < size:
                stream.close()
                raise InputError(f"{self.partial}: shorter than recorded; delete it to start over.")
            self._sum = self._summed(size)
            if size and self.sum != digest:
                stream.close()
                raise InputError(
                    f"{self.partial}: changed since the interrupted run wrote it; delete it to start over."
                )
            stream.truncate(size)
        except OSError as error:
            raise self._failure(error) from None
        self._stream, self.size = stream, size

    def _summed(self, size: int) -> Any:
        digest = hashlib.blake2b(digest_size=16)
        with self.partial.open("rb") as stream:
            while size and (data := stream.read(min(size, 1 << 20))):
                digest.update(data)
                size -= len(data)
        return digest

    def write(self, data: bytes) -> None:
        """Add whole lines."""
        assert self._stream is not None
        try:
            self._stream.write(data)
        except OSError as error:
            raise self._failure(error) from None
        self._sum.update(data)
        self.size += len(data)

    def sync(self) -> None:
        """Bring what was written to the disk."""
        assert self._stream is not None
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._failure(error) from None

    def finish(self) -> None:
        """Rename the file into its place."""
        self.sync()
        self.close()
        try:
            self.partial.replace(self.path)
        except OSError as error:
            raise self._failure(error) from None

    def close(self) -> None:
        """Close the file, whatever happened."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
            self._stream = None

    def _failure(self, error: OSError) -> FramingError:
        return FramingError(f"{self.partial}: cannot write it: {error.strerror or error}.")


def _lock(stream: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:
        return True  # no such locks here
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Journal:
    """Position beside an output file, in ``FILE.journal``.

    Parameters
    ----------
    files : dict of str to Lines
        The files of the run; the first is the output, beside which the journal is.
    settings : dict
        Everything the output depends on; a run goes on only with the same.

    Notes
    -----
    The order is what makes it exact: lines reach the disk first, then the record of how many of them are whole, by
    one rename. A run killed between the two leaves lines that no record speaks of; resuming cuts them off.
    """

    def __init__(self, files: dict[str, Lines], settings: dict[str, Any]) -> None:
        self._files = files
        output = next(iter(files.values()))
        self.output = output
        self.path = output.path.with_name(output.path.name + ".journal")
        # As JSON gives it back, so that it can be compared.
        self._settings: dict[str, Any] = orjson.loads(orjson.dumps(settings))
        self._digest = hashlib.blake2b(digest_size=16)
        self._last = 0.0
        self.progress = Position()

    def begin(self, resume: bool, header: bytes) -> Position:
        """Open the files: new, or as an interrupted run left them.

        Parameters
        ----------
        resume : bool
            Go on where an interrupted run stopped; from the start where there was none.
        header : bytes
            What a new output begins with.

        Returns
        -------
        Position
            What is already done.

        Raises
        ------
        InputError
            If an interrupted run is there and `resume` is False, or it had other settings.
        """
        recorded = self._recorded()
        if recorded is None:
            self._refuse_strangers()
        if not resume and self.output.partial.exists() and recorded is not None and recorded.items:
            raise InputError(
                f"{self.output.partial} holds {recorded.items:,} articles of an interrupted run; go on with --resume, "
                "or delete it to start over."
            )
        if not resume or recorded is None or not recorded.items:
            for lines in self._files.values():
                lines.begin()
            # Before the first byte of the files: a file that holds something and has no journal is somebody else's.
            self._save()
            self.output.write(header)
            self._save()
            return Position()
        for name, lines in self._files.items():
            self._restore(lines, recorded.sizes[name])
            lines.begin(recorded.sizes[name], recorded.sums[name])
        self.progress = recorded
        return Position(**asdict(recorded))

    def _refuse_strangers(self) -> None:
        """Refuse to write over files beside the output that no run has left there."""
        for lines in self._files.values():
            if lines.partial.is_file() and lines.partial.stat().st_size:
                raise InputError(
                    f"{lines.partial} is there already, and no run has left it; move it, or write elsewhere."
                )

    def _restore(self, lines: Lines, size: int) -> None:
        """Take the file of a run that was stopped, and so was put in its place, back to where it grows."""
        if lines.partial.exists():
            return
        if not lines.path.is_file() or lines.path.stat().st_size != size:
            raise InputError(
                f"{lines.path}: changed since the interrupted run wrote it; delete {self.path} to start over."
            )
        lines.path.replace(lines.partial)

    def _recorded(self) -> Position | None:
        try:
            data = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, orjson.JSONDecodeError) as error:
            raise InputError(f"{self.path}: cannot be read ({error}); delete it to start over.") from None
        if not isinstance(data, dict) or data.get("format") != _FORMAT or not isinstance(data.get("settings"), dict):
            raise InputError(f"{self.path}: no journal of this version; move it, or delete it to start over.")
        changed = [
            name for name in self._settings if data["settings"].get(name, self._settings) != self._settings[name]
        ]
        if changed:
            raise InputError(
                f"{self.path}: the interrupted run had other settings ({', '.join(changed)}); use the same, or delete "
                f"it and {self.output.partial.name} to start over."
            )
        try:
            position = Position.from_dict(data.get("progress"))
            if not set(self._files) <= set(position.sizes) & set(position.sums):
                raise ValueError("it speaks of other files")
        except ValueError as error:
            raise InputError(f"{self.path}: cannot be read ({error}); delete it to start over.") from None
        return position

    def met(self, key: str) -> str:
        """Note that an item is done, or was before; return the digest of all until now."""
        self._digest.update(key.encode("utf-8", "surrogatepass") + b"\n")
        return self._digest.hexdigest()

    def record(self, *, force: bool = False) -> None:
        """Record progress, unless that was done a moment ago."""
        if force or time.monotonic() - self._last >= INTERVAL:
            self._save()

    def _save(self) -> None:
        for lines in self._files.values():
            lines.sync()
        self.progress.digest = self._digest.hexdigest()
        self.progress.sizes = {name: lines.size for name, lines in self._files.items()}
        self.progress.sums = {name: lines.sum for name, lines in self._files.items()}
        data = {"format": _FORMAT, "settings": self._settings, "progress": asdict(self.progress)}
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_bytes(orjson.dumps(data))
            fresh.replace(self.path)
        except OSError as error:
            raise FramingError(f"{self.path}: cannot write it: {error.strerror or error}.") from None
        self._last = time.monotonic()

    def finish(self, *, complete: bool) -> None:
        """Put the files in their places; the journal stays where the run is to go on later."""
        self._save()
        # The output last: while it is missing, the journal and what is left of the files can go on.
        for lines in reversed(self._files.values()):
            lines.finish()
        if complete:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files as they are."""
        for lines in self._files.values():
            lines.close()
