"""Standard output that fails in words."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any

from classifier.errors import FramingError


class Stdout(io.RawIOBase):
    """Standard output as a binary stream; what goes wrong becomes a `FramingError`."""

    def __init__(self) -> None:
        self._stream = sys.stdout.buffer
        self.broken = False

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Tell whether a person reads along."""
        return self._stream.isatty()

    def write(self, data: Any) -> int:
        """Write everything."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise self._failure(error) from None
        return len(data)

    def flush(self) -> None:
        """Hand over what was written."""
        if self.broken:
            return
        try:
            self._stream.flush()
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> FramingError:
        self.broken = True
        # The interpreter flushes once more at its end; there, nobody would catch the same error.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return FramingError("the reader of standard output has closed it; stopped there.")
        return FramingError(f"standard output: cannot write: {error.strerror or error}.")
