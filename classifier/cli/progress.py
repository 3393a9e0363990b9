"""The progress bars of long commands, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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


@contextmanager
def byte_progress(title: str, quiet: bool, total: Callable[[], int | None]) -> Iterator[Callable[[int, int], None]]:
    """Show bytes, rate and time left while a block runs.

    Parameters
    ----------
    title : str
    quiet : bool
        Show nothing.
    total : callable
        Returns the bytes in all, None where nobody knows; called only if a bar is shown.

    Yields
    ------
    callable
        To be called with the bytes and the articles done.
    """
    if quiet or not sys.stderr.isatty():
        # Nobody looks, so rich is not even imported.
        yield lambda done, articles: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from classifier.report import console

    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[articles]:,} articles"),
    ]
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        task = progress.add_task(title, total=total(), articles=0)
        yield lambda done, articles: progress.update(task, completed=done, articles=articles)
