"""Profiles added up over many articles: by day, by source, in bounded memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from classifier.scoring.results import ScoredArticle

#: Different sources and days that are told apart; further ones are added up together, or left out.
MAX_SOURCES, MAX_DAYS = 2_000, 40_000

#: Sources shown, the most frequent ones.
SOURCES_SHOWN = 200

#: Bars of a timeline at most, unless there are more years.
MAX_BARS = 62

OTHERS = "(others)"

Unit = Literal["day", "month", "year"]

_DAY = re.compile(r"\s*(\d{4})-?(\d\d)-?(\d\d)(?!\d)")


@dataclass(slots=True)
class Totals:
    """Articles added up.

    Parameters
    ----------
    n_frames : int

    Attributes
    ----------
    articles, sentences : int
    labeled : list of int
        Sentences of each frame.
    """

    n_frames: int
    articles: int = 0
    sentences: int = 0
    labeled: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labeled = self.labeled or [0] * self.n_frames

    def add(self, sentences: int, labeled: Sequence[int], articles: int = 1) -> None:
        """Add an article, or another tally."""
        self.articles += articles
        self.sentences += sentences
        self.labeled = [one + other for one, other in zip(self.labeled, labeled, strict=True)]

    @property
    def shares(self) -> list[float]:
        """The share of sentences of each frame."""
        return [number / max(1, self.sentences) for number in self.labeled]


@dataclass(frozen=True, slots=True)
class Bar:
    """One place of a timeline.

    Parameters
    ----------
    label : str
        The day, month or year.
    tally : Totals
        Empty where there is no article.
    """

    label: str
    tally: Totals


class PageTotals:
    """Adds up articles as they come.

    Parameters
    ----------
    frames : sequence of str

    Attributes
    ----------
    whole : Totals
    undated : int
        Articles without a date of the form 2021-05-23.
    """

    def __init__(self, frames: Sequence[str]) -> None:
        self._frames = tuple(frames)
        self.whole = Totals(len(self._frames))
        self.undated = 0
        self._days: dict[date, Totals] = {}
        self._sources: dict[str, Totals] = {}

    def add(self, article: ScoredArticle) -> Totals:
        """Add an article and return its own tally."""
        tally = Totals(len(self._frames))
        place = {name: i for i, name in enumerate(self._frames)}
        labeled = [0] * len(self._frames)
        for sentence in article.sentences:
            for name in sentence.labels:
                labeled[place[name]] += 1
        tally.add(len(article.sentences), labeled)
        self.whole.add(tally.sentences, labeled)
        day = day_of(article.date)
        if day is None or (day not in self._days and len(self._days) >= MAX_DAYS):
            self.undated += 1
        else:
            self._days.setdefault(day, Totals(len(self._frames))).add(tally.sentences, labeled)
        if article.outlet:
            source = article.outlet.strip()
            if source not in self._sources and len(self._sources) >= MAX_SOURCES:
                source = OTHERS
            self._sources.setdefault(source, Totals(len(self._frames))).add(tally.sentences, labeled)
        return tally

    def sources(self) -> list[tuple[str, Totals]]:
        """Return the sources, those of most sentences first; none where there is nothing to compare."""
        if len(self._sources) < 2:
            return []
        found = sorted(self._sources.items(), key=lambda item: (item[0] == OTHERS, -item[1].sentences, item[0]))
        rest = Totals(len(self._frames))
        for _, tally in found[SOURCES_SHOWN:]:
            rest.add(tally.sentences, tally.labeled, tally.articles)
        return found[:SOURCES_SHOWN] + ([(OTHERS, rest)] if rest.articles else [])

    def timeline(self) -> tuple[Unit, list[Bar]]:
        """Return days, months or years in order, those without articles included; none for a single day."""
        if len(self._days) < 2:
            return "day", []
        unit = unit_of(min(self._days), max(self._days))
        found: defaultdict[str, Totals] = defaultdict(lambda: Totals(len(self._frames)))
        for day, tally in self._days.items():
            found[_label(day, unit)].add(tally.sentences, tally.labeled, tally.articles)
        labels = dict.fromkeys(_label(day, unit) for day in _days(min(self._days), max(self._days), unit))
        return unit, [Bar(label, found[label] if label in found else Totals(len(self._frames))) for label in labels]


def day_of(text: str | None) -> date | None:
    """Return the day that a date begins with, where it has the form 2021-05-23.

    Examples
    --------
    >>> day_of("2021-05-23T14:00:00Z"), day_of("last May")
    (datetime.date(2021, 5, 23), None)
    """
    match = _DAY.match(text or "")
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def unit_of(first: date, last: date) -> Unit:
    """Return how wide a timeline's bars must be for there to be few enough of them."""
    if (last - first).days < MAX_BARS:
        return "day"
    return "month" if (last.year - first.year) * 12 + last.month - first.month < MAX_BARS else "year"


def _label(day: date, unit: Unit) -> str:
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[unit]]


def _days(first: date, last: date, unit: Unit) -> Iterator[date]:
    if unit == "day":
        yield from (first + timedelta(days) for days in range((last - first).days + 1))
        return
    for year in range(first.year, last.year + 1):
        if unit == "year":
            yield date(year, 1, 1)
            continue
        low, high = (first.month if year == first.year else 1), (last.month if year == last.year else 12)
        yield from (date(year, month, 1) for month in range(low, high + 1))
