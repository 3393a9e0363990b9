"""Interleaved runs, their medians, and tables of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing a job.

    Parameters
    ----------
    name : str
    run : callable
        Does the job once. May return the seconds it took, where it measures them itself.
    """

    name: str
    run: Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Result:
    """Timings of one contestant, in seconds, the work they did, and what else there is to say of it."""

    name: str
    seconds: Sequence[float]
    amount: float = 1.0
    remark: str = ""

    @property
    def median(self) -> float:
        """The median time."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Section:
    """What was measured together, the first result being the reference.

    Parameters
    ----------
    title : str
    unit : str
        ``"s"`` for times; anything else is a rate: `Result.amount` of that unit a second.
    results : sequence of Result
    note : str
        Printed beneath.
    """

    title: str
    unit: str
    results: Sequence[Result]
    note: str = ""


def interleave(contestants: Sequence[Contestant], repeats: int, amount: float = 1.0) -> list[Result]:
    """Let contestants take turns.

    Parameters
    ----------
    contestants : sequence of Contestant
    repeats : int
        Turns of each.
    amount : float
        Work of one turn, for rates.

    Returns
    -------
    list of Result
    """
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for _ in range(repeats):
        for contestant in contestants:
            start = time.perf_counter()
            own = contestant.run()
            seconds[contestant.name].append(time.perf_counter() - start if own is None else own)
    return [Result(name, times, amount) for name, times in seconds.items()]


def table(section: Section) -> str:
    """Lay out a section as a Markdown table, ratios against its first row."""
    rate = section.unit != "s"
    remarks = any(result.remark for result in section.results)
    lines = [
        f"### {section.title}",
        "",
        f"| contestant | median {section.unit} | least | greatest | ratio |{' |' if remarks else ''}",
        f"|---|---:|---:|---:|---:|{'---|' if remarks else ''}",
    ]
    reference = section.results[0]
    for result in section.results:
        values = [result.amount / t if rate else t for t in result.seconds]
        ratio = reference.median / result.median * result.amount / reference.amount
        ratio = ratio if rate else 1 / ratio
        lines.append(
            f"| {result.name} | {statistics.median(values):.3g} | {min(values):.3g} | {max(values):.3g} | {ratio:.2f} |"
            + (f" {result.remark} |" if remarks else "")
        )
    return "\n".join([*lines, "", *([section.note, ""] if section.note else [])])
