"""Processes of our own: started without the caller's ``__main__``, spoken to in frames of JSON and bytes."""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson

T = TypeVar("T")

_HEAD = struct.Struct("<IQ")

_BOOT = """
import sys, json
sys.path[:] = json.loads(sys.argv[2])
from classifier.system.processes import child_main
child_main(sys.argv[1])
"""


def collect_garbage_rarely() -> None:
    """Look for objects that refer to each other less often, and never again among those that are there now.

    Scored articles are many small objects that never do; looking at them took a tenth to a fifth of the time.
    """
    gc.freeze()
    gc.set_threshold(100_000)


class ChildDiedError(Exception):
    """A child ended before it answered.

    Parameters
    ----------
    expired : bool
        Whether it was killed because its time was over.
    code : int or None
        Its exit code; negative for a signal.
    """

    def __init__(self, expired: bool, code: int | None) -> None:
        super().__init__(f"child ended with {code}")
        self.expired = expired
        self.code = code


class Channel:
    """Frames over two pipes.

    Parameters
    ----------
    reader, writer : binary file
    """

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, header: Any, body: bytes = b"") -> None:
        """Send a frame: anything JSON holds, and bytes."""
        data = orjson.dumps(header)
        self._writer.write(_HEAD.pack(len(data), len(body)))
        self._writer.write(data)
        self._writer.write(body)
        self._writer.flush()

    def receive(self) -> tuple[Any, bytes] | None:
        """Return the next frame; None when the other side is gone."""
        head = self._reader.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        n_header, n_body = _HEAD.unpack(head)
        header, body = self._reader.read(n_header), self._reader.read(n_body)
        if len(header) < n_header or len(body) < n_body:
            return None
        return orjson.loads(header), body


class Child:
    """A process that serves one of our functions.

    Parameters
    ----------
    target : str
        ``module:function``; the function takes the `Channel` and returns when `Channel.receive` gives None.

    Notes
    -----
    Unlike those of ``multiprocessing`` it never imports the program that started it, so that it works from a
    notebook, from ``python -c`` and from a script without a ``__main__`` guard; and nothing it sends back is
    unpickled. Closing its input ends it, so it does not outlive a parent that is killed.
    """

    def __init__(self, target: str) -> None:
        self._expired = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, target, orjson.dumps(_import_path()).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)

    def send(self, header: Any, body: bytes = b"") -> None:
        """Send a frame.

        Raises
        ------
        ChildDiedError
        """
        try:
            self._channel.send(header, body)
        except (BrokenPipeError, OSError):
            raise self._death() from None

    def receive(self, seconds: float | None = None) -> tuple[Any, bytes]:
        """Return its next frame, killing it if that takes too long.

        Raises
        ------
        ChildDiedError
        """
        timer = threading.Timer(seconds, self._expire) if seconds is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            frame = self._channel.receive()
        finally:
            if timer is not None:
                timer.cancel()
        if frame is None:
            raise self._death()
        return frame

    def close(self) -> None:
        """End it."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # what was never sent no longer matters
        self._process.wait()

    def _expire(self) -> None:
        self._expired = True
        self._process.kill()

    def _death(self) -> ChildDiedError:
        self._process.wait()
        return ChildDiedError(self._expired, self._process.returncode)


class Crew:
    """Children, each spoken to by a thread of its own, started when first needed.

    Parameters
    ----------
    target : str
        What they serve; see `Child`.
    jobs : int
        Children at most.
    greeting : tuple of (header, bytes), optional
        Sent to each child once.
    """

    def __init__(self, target: str, jobs: int, greeting: tuple[Any, bytes] | None = None) -> None:
        self.jobs = jobs
        self._target = target
        self._greeting = greeting
        self._threads: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._children: set[Child] = set()

    def submit(self, work: Callable[[Child], T]) -> Future[T]:
        """Run a function in a thread that has a child to itself."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.jobs, "framing")
        return self._threads.submit(lambda: work(self.child()))

    def child(self) -> Child:
        """Return the child of this thread."""
        child: Child | None = getattr(self._local, "child", None)
        if child is None:
            child = self._local.child = Child(self._target)
            self._children.add(child)
            if self._greeting is not None:
                child.send(*self._greeting)
        return child

    def discard(self) -> None:
        """End the child of this thread; the next one asked for is fresh."""
        child: Child | None = getattr(self._local, "child", None)
        if child is not None:
            child.close()
            self._children.discard(child)
            self._local.child = None

    def close(self) -> None:
        """End all children and threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        # A thread that waits for a child is set free by the child's end.
        for child in list(self._children):
            child.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True)
            for child in list(self._children):
                child.close()


def _import_path() -> list[str]:
    """Return where a child imports from: never the working directory, unless the package itself is there."""
    here, home = os.path.realpath("."), str(Path(__file__).resolve().parents[2])
    path = [
        entry for entry in sys.path if entry and (os.path.realpath(entry) != here or os.path.realpath(entry) == home)
    ]
    return path if home in path else [*path, home]


def child_main(target: str) -> None:
    """Run in a child: serve a function over what were standard input and output.

    Parameters
    ----------
    target : str
        ``module:function``.
    """
    import signal

    # Ctrl-C reaches the whole group; the parent decides what becomes of its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # A library that prints must not speak into the channel.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    module, _, function = target.partition(":")
    try:
        getattr(import_module(module), function)(Channel(reader, writer))
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
