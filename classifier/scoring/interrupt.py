"""Ctrl-C, heard only where an article ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Turns a signal into `KeyboardInterrupt` where that is safe, and remembers it where it is not.

    Attributes
    ----------
    signal : int or None
        The one that came.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._waiting = False

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Mark a block that may be broken off at any point: reading and scoring, never writing.

        Raises
        ------
        KeyboardInterrupt
            When a signal comes, or came before.
        """
        self._waiting = True
        try:
            if self.signal is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    @contextmanager
    def heard(self) -> Iterator[Interrupt]:
        """Listen while a block runs; elsewhere than in the main thread signals are left alone."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.signal is not None
        self.signal = number
        # The second time the person means it, whatever is being written.
        if self._waiting or again:
            raise KeyboardInterrupt
