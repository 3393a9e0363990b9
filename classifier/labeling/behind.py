"""Keeps the model behind the page up to date: a thread that speaks to the learner's process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.system.processes import Child, ChildDiedError

#: Times a learner that died is started again.
TRIES = 3

#: Seconds a refit may take before the learner is taken for lost.
SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the model is fitted to.

    Parameters
    ----------
    pool : tuple of int
        Sentences from which is chosen.
    keys : tuple of int
        The frames' numbers.
    keywords : tuple of tuple of str
        Of each frame.
    sentences : tuple of int
        Labeled.
    frames : tuple of tuple of int
        Columns of each.
    articles : tuple of int
        Of each.
    random : tuple of bool
        Whether each is of the random sample.
    """

    pool: tuple[int, ...]
    keys: tuple[int, ...]
    keywords: tuple[tuple[str, ...], ...]
    sentences: tuple[int, ...]
    frames: tuple[tuple[int, ...], ...]
    articles: tuple[int, ...]
    random: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Parameters
    ----------
    work : Work
    clusters, closeness : ndarray of shape (n_pool,)
    hits, margins : ndarray of shape (n_pool, n_frames)
        See `classifier.labeling.selection.Pool`.
    report : dict or None
        ``agreement``, ``f1`` and ``seconds``; None where nothing was labeled yet.
    """

    work: Work
    clusters: npt.NDArray[np.intp]
    closeness: npt.NDArray[np.float64]
    hits: npt.NDArray[np.float64]
    margins: npt.NDArray[np.float64]
    report: dict[str, Any] | None


class Behind:
    """A learner that is told of new labels and answers when it can.

    Parameters
    ----------
    project : str or Path
    on_outcome : callable
        Called from another thread with every `Outcome`.
    on_failure : callable
        Called from another thread with a sentence when the learner is given up.
    """

    def __init__(
        self, project: str | Path, on_outcome: Callable[[Outcome], None], on_failure: Callable[[str], None]
    ) -> None:
        self._project = str(Path(project).absolute())
        self._on_outcome, self._on_failure = on_outcome, on_failure
        self._condition = threading.Condition()
        self._next: Work | None = None
        self._stopped = False
        self._child: Child | None = None
        self._pool: tuple[int, ...] = ()
        self._talk = threading.Lock()
        self._clusters: npt.NDArray[np.float64] = np.zeros((0, 2))
        self._hits: tuple[Any, npt.NDArray[np.float64]] | None = None
        self._thread = threading.Thread(target=self._run, name="framing-learner", daemon=True)
        self._thread.start()

    def give(self, work: Work) -> None:
        """Hand over what to fit next; what was handed over before and not begun is dropped."""
        with self._condition:
            self._next = work
            self._condition.notify()

    def close(self) -> None:
        """End the learner."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
        if self._child is not None:
            self._child.close()
        self._thread.join(10)

    def explain(self, sentence: int, n: int, seconds: float) -> list[Any] | None:
        """Return margin and terms of one sentence a frame; None where the learner is busy or gone."""
        if not self._talk.acquire(timeout=seconds):
            return None
        try:
            if self._child is None:
                return None
            self._child.send({"explain": sentence, "n": n})
            head, _ = self._child.receive(SECONDS)
            frames: list[Any] | None = head.get("frames")
            return frames
        except (ChildDiedError, ValueError, OSError):
            return None
        finally:
            self._talk.release()

    def _run(self) -> None:
        failures = 0
        while True:
            with self._condition:
                while self._next is None and not self._stopped:
                    self._condition.wait()
                if self._stopped:
                    return
                work, self._next = self._next, None
            assert work is not None
            try:
                with self._talk:
                    outcome = self._answer(work)
            except (ChildDiedError, RuntimeError, ValueError, OSError) as error:  # the last two: closed meanwhile
                if self._stopped:
                    return
                if self._child is not None:
                    self._child.close()
                    self._child = None
                failures += 1
                if failures >= TRIES:
                    self._on_failure(
                        f"The model behind the page has stopped ({error}); sentences are chosen without it."
                    )
                    return
                with self._condition:
                    self._next = self._next or work
            else:
                failures = 0
                self._on_outcome(outcome)

    def _answer(self, work: Work) -> Outcome:
        if self._child is None or work.pool != self._pool:
            if self._child is not None:
                self._child.close()
            self._child = Child("classifier.labeling.learner:serve")
            self._child.send({"project": self._project, "pool": list(work.pool)})
            _, body = self._child.receive(SECONDS)
            self._clusters = np.frombuffer(body, dtype=np.float32).reshape(-1, 2).astype(np.float64)
            self._pool, self._hits = work.pool, None
        n, n_frames = len(work.pool), len(work.keys)
        if self._hits is None or self._hits[0] != work.keywords:
            self._hits = work.keywords, self._array({"keywords": work.keywords}, n, n_frames)[0]
        margins, report = np.full((n, n_frames), np.nan), None
        if work.sentences and n_frames:
            request = {
                "sentences": work.sentences,
                "frames": work.frames,
                "articles": work.articles,
                "random": work.random,
                "keys": work.keys,
            }
            margins, report = self._array(request, n, n_frames)
        clusters = self._clusters[:, 0].astype(np.intp)
        return Outcome(work, clusters, self._clusters[:, 1], self._hits[1], margins, report)

    def _array(self, request: Any, n: int, n_frames: int) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
        assert self._child is not None
        self._child.send(request)
        head, body = self._child.receive(SECONDS)
        if "error" in head:
            raise RuntimeError(head["error"])
        return np.frombuffer(body, dtype=np.float32).reshape(n, n_frames).astype(np.float64), head


def pool_of(n: int, size: int, seed: Sequence[int]) -> tuple[int, ...]:
    """Return the sentences, numbered from 1, from which is chosen: all, or a random part of them, in order."""
    if n <= size:
        return tuple(range(1, n + 1))
    chosen = np.random.default_rng(seed).choice(n, size, replace=False)
    return tuple((np.sort(chosen) + 1).tolist())
