"""The progress bar of long commands, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while a block runs.

    Parameters
    ----------
    title : str
    quiet : bool
        Show nothing.

    Yields
    ------
    callable
        To be called with the steps done and the steps in all.
    """
    from rich.progress import Progress

    from classifier.report import console

    target = console(sys.stderr)
    with Progress(console=target, transient=True, disable=quiet or not target.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
