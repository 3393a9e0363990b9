"""Sources to scored articles to a file: streaming, in order, nothing lost and nothing doubled."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import orjson

from classifier.articles.article import Article, Fault
from classifier.articles.limits import ReadOptions
from classifier.articles.stream import Item, ItemStream
from classifier.errors import InputError
from classifier.model.model import Model
from classifier.scoring.interrupt import Interrupt
from classifier.scoring.journal import Journal, Lines
from classifier.scoring.results import ScoredArticle
from classifier.scoring.score import BATCH_ARTICLES, BATCH_CHARACTERS, score_batch
from classifier.scoring.writers import line_header, line_renderer

_RENDER = "classifier.scoring.writers:line_renderer"


@dataclass(frozen=True)
class RunSettings:
    """What a run does.

    Parameters
    ----------
    sources : tuple of str
    read : ReadOptions
    format, level : str
        Of the output.
    explain : int
    thresholds : ndarray of shape (n_frames,) or None
    band : (float, float) or None
    csv_safe : bool
    jobs : int
        The only setting that the output does not depend on.
    """

    sources: tuple[str, ...]
    read: ReadOptions = field(default_factory=ReadOptions)
    format: str = "jsonl"
    level: str = "sentence"
    explain: int = 0
    thresholds: npt.NDArray[np.float64] | None = None
    band: tuple[float, float] | None = None
    csv_safe: bool = False
    jobs: int = 1

    def to_dict(self, model: Model) -> dict[str, Any]:
        """Return everything the output depends on, as plain data."""
        weights = hashlib.blake2b(digest_size=16)
        for array in (model.idf, model.coefficients, model.intercepts, model.thresholds, model.alone().thresholds):
            weights.update(np.ascontiguousarray(array).tobytes())
        weights.update(repr(model.context.to_dict() if model.context else None).encode())
        return {
            "sources": list(self.sources),
            **{f"read {name}": value for name, value in self.read.to_dict().items()},
            "--format": self.format,
            "--level": self.level,
            "--explain": self.explain,
            "--threshold": None if self.thresholds is None else self.thresholds.tolist(),
            "--abstain": None if self.band is None else list(self.band),
            "--csv-safe": self.csv_safe,
            "--model": f"{model.name} {weights.hexdigest()}",
        }


@dataclass
class RunSummary:
    """What a run has done.

    Parameters
    ----------
    articles, sentences, faults : int
        Of an interrupted run that went on: of both parts.
    guessed : Counter
        Articles by an encoding that had to be guessed.
    skipped : Counter
        Files of folders that were left out, by kind.
    first : str
        The first fault of this part.
    signal : int or None
        What stopped it.
    """

    articles: int = 0
    sentences: int = 0
    faults: int = 0
    guessed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    first: str = ""
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    key: str
    result: Fault | ScoredArticle | bytes | None
    sentences: int = 0
    guessed: str | None = None


class Run:
    """One run over sources.

    Parameters
    ----------
    model : Model
    settings : RunSettings
    on_fault : callable
        Called with every `Fault`.
    on_progress : callable
        Called with the bytes read and the articles done.
    exclude : iterable of Path
        Files that are never read: those the run itself writes.

    Attributes
    ----------
    summary : RunSummary
    """

    def __init__(
        self,
        model: Model,
        settings: RunSettings,
        on_fault: Callable[[Fault], None],
        on_progress: Callable[[int, int], None] = lambda done, articles: None,
        exclude: Iterable[Path] = (),
    ) -> None:
        self.summary = RunSummary()
        self._model = model
        self._settings = settings
        self._on_fault = on_fault
        self._on_progress = on_progress
        self._exclude = frozenset(str(path) for path in exclude)

    def articles(self) -> Iterator[ScoredArticle]:
        """Yield scored articles until the sources or the person's patience end; faults are reported aside.

        A signal ends it like the end of the sources, so that what takes the articles closes its file properly.
        """
        with Interrupt().heard() as interrupt:
            for batch in self._until(interrupt, self._batches(rendered=False)):
                for outcome in batch:
                    if isinstance(outcome.result, ScoredArticle):
                        self._count(outcome)
                        yield outcome.result
                    elif isinstance(outcome.result, Fault):
                        self._fault(outcome.result)

    def to_stream(self, stream: IO[bytes]) -> None:
        """Write lines to a stream, whole ones only."""
        with Interrupt().heard() as interrupt:
            stream.write(self._header())
            for batch in self._until(interrupt, self._batches(rendered=True)):
                for outcome in batch:
                    if isinstance(outcome.result, bytes):
                        self._count(outcome)
                        stream.write(outcome.result)
                    elif isinstance(outcome.result, Fault):
                        self._fault(outcome.result)
                stream.flush()
            stream.flush()

    def to_file(self, output: Path, errors: Path | None, *, resume: bool) -> None:
        """Write lines to a file that a killed run can go on with.

        Parameters
        ----------
        output : Path
        errors : Path, optional
            Where faults go, as JSON Lines.
        resume : bool
            Go on where an interrupted run stopped.

        Raises
        ------
        InputError
            If the sources, or the settings, are not those of the interrupted run.
        """
        files = {"output": Lines(output), **({"errors": Lines(errors)} if errors else {})}
        journal = Journal(files, {**self._settings.to_dict(self._model), "--errors": str(errors)})
        try:
            # Before anything is read, and so that a source that is missing leaves nothing behind.
            stream = self._stream(0)
            done = journal.begin(resume, self._header())
            stream = self._stream(done.items) if done.items else stream
            self.summary.articles, self.summary.sentences = done.articles, done.sentences
            self.summary.faults = done.faults
            with Interrupt().heard() as interrupt:
                met = 0
                for batch in self._until(interrupt, self._batches(True, stream, done.items)):
                    for outcome in batch:
                        met += 1
                        digest = journal.met(outcome.key)
                        if met > done.items:
                            self._write(outcome, files, journal)
                        elif met == done.items and digest != done.digest:
                            raise _changed(journal)
                    if met >= done.items:
                        journal.record()
                if met >= done.items:
                    journal.finish(complete=self.summary.signal is None)
                elif self.summary.signal is None:
                    raise _changed(journal)
        finally:
            journal.close()

    def _write(self, outcome: _Outcome, files: dict[str, Lines], journal: Journal) -> None:
        progress = journal.progress
        if isinstance(outcome.result, Fault):
            if "errors" in files:
                files["errors"].write(orjson.dumps(outcome.result.to_dict(), option=orjson.OPT_APPEND_NEWLINE))
            self._fault(outcome.result)
        elif isinstance(outcome.result, bytes):
            files["output"].write(outcome.result)
            self._count(outcome)
        progress.items += 1
        progress.articles, progress.sentences = self.summary.articles, self.summary.sentences
        progress.faults = self.summary.faults

    def _count(self, outcome: _Outcome) -> None:
        self.summary.articles += 1
        self.summary.sentences += outcome.sentences
        if outcome.guessed:
            self.summary.guessed[outcome.guessed] += 1

    def _fault(self, fault: Fault) -> None:
        self.summary.faults += 1
        self.summary.first = self.summary.first or str(fault)
        self._on_fault(fault)

    def _until(self, interrupt: Interrupt, batches: Generator[list[_Outcome]]) -> Iterator[list[_Outcome]]:
        """Yield batches until there are no more or a signal comes; nothing is broken off in between."""
        try:
            while True:
                with interrupt.allowed():
                    batch = next(batches, None)
                if batch is None:
                    return
                yield batch
        except KeyboardInterrupt:
            self.summary.signal = interrupt.signal
        finally:
            batches.close()

    def _header(self) -> bytes:
        settings = self._settings
        return line_header(settings.format, settings.level, self._model.frames, settings.read.keep)

    def _stream(self, start: int) -> ItemStream:
        settings = self._settings
        return ItemStream(settings.sources, settings.read, jobs=settings.jobs, start=start, exclude=self._exclude)

    def _batches(self, rendered: bool, stream: ItemStream | None = None, start: int = 0) -> Generator[list[_Outcome]]:
        """Score the items of a stream; of those before `start` only the keys are given."""
        stream = stream or self._stream(start)
        groups = _groups(stream, start)
        score = self._in_processes if self._settings.jobs > 1 else self._in_line
        for batch in score(groups, rendered):
            yield batch
            self.summary.skipped = stream.tally.skipped
            self._on_progress(stream.tally.bytes, self.summary.articles)

    def _in_line(self, groups: Iterator[list[Item]], rendered: bool) -> Iterator[list[_Outcome]]:
        settings = self._settings
        render = line_renderer(**self._rendering()) if rendered else None
        for group in groups:
            articles = [item.content for item in group if isinstance(item.content, Article)]
            scored = iter(score_batch(self._model, articles, settings.explain, settings.thresholds, settings.band))
            yield [_outcome(item, scored, render) for item in group]

    def _in_processes(self, groups: Iterator[list[Item]], rendered: bool) -> Iterator[list[_Outcome]]:
        from classifier.scoring.workers import Scorers

        settings = self._settings
        render = {"render": (_RENDER, self._rendering())} if rendered else {}
        waiting: deque[tuple[list[Item], Future[list[tuple[int, bytes]]]]] = deque()

        def first() -> list[_Outcome]:
            group, future = waiting.popleft()
            results = iter(future.result())
            return [_received(item, results, rendered) for item in group]

        scorers = Scorers(self._model, settings.jobs, settings.explain, settings.thresholds, settings.band, **render)
        with scorers:
            for group in groups:
                articles = [item.content for item in group if isinstance(item.content, Article)]
                waiting.append((group, scorers.submit(articles)))
                while len(waiting) > settings.jobs + 1 or (waiting and waiting[0][1].done()):
                    yield first()
            while waiting:
                yield first()

    def _rendering(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "format_": settings.format,
            "level": settings.level,
            "frames": list(self._model.frames),
            "keep": list(settings.read.keep),
            "csv_safe": settings.csv_safe,
        }


def _changed(journal: Journal) -> InputError:
    return InputError(
        f"{journal.output.path}: the sources are no longer those the interrupted run has read; restore them, or delete "
        f"{journal.path.name} and {journal.output.partial.name} to start over."
    )


def _groups(stream: ItemStream, start: int) -> Iterator[list[Item]]:
    """Group the items of a stream for scoring; those before `start` lose their content."""
    group: list[Item] = []
    total = 0
    for number, item in enumerate(stream):
        kept = item if number >= start else Item(item.key, None)
        group.append(kept)
        total += len(kept.content.text) if isinstance(kept.content, Article) else 0
        if total >= BATCH_CHARACTERS or len(group) >= BATCH_ARTICLES:
            yield group
            group, total = [], 0
    if group:
        yield group


def _outcome(item: Item, scored: Iterator[ScoredArticle], render: Callable[[ScoredArticle], bytes] | None) -> _Outcome:
    if not isinstance(item.content, Article):
        return _Outcome(item.key, item.content)
    article = next(scored)
    result = article if render is None else render(article)
    return _Outcome(item.key, result, len(article.sentences), item.content.encoding)


def _received(item: Item, results: Iterator[tuple[int, bytes]], rendered: bool) -> _Outcome:
    if not isinstance(item.content, Article):
        return _Outcome(item.key, item.content)
    sentences, data = next(results)
    result = data if rendered else ScoredArticle.from_dict(orjson.loads(data))
    return _Outcome(item.key, result, sentences, item.content.encoding)
