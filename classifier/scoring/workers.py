"""Scoring in several processes: the model loaded once in each, results in order, never more in flight than fits."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import fields
from importlib import import_module
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from classifier.articles.article import Article
from classifier.errors import FramingError
from classifier.model.model import Model
from classifier.scoring.results import ScoredArticle
from classifier.scoring.score import score_batch
from classifier.system.processes import Channel, Child, ChildDiedError, Crew, collect_garbage_rarely

_TARGET = "classifier.scoring.workers:serve"

Render = Callable[[ScoredArticle], bytes]


def as_json(**settings: Any) -> Render:
    """Return the rendering by which a scored article travels between processes."""
    return lambda article: orjson.dumps(article.to_dict())


class Scorers:
    """A pool of scoring processes.

    Parameters
    ----------
    model : Model
    jobs : int
        Processes.
    explain, thresholds, band
        As for `score_article`.
    render : tuple of (str, dict), optional
        ``module:function`` and its arguments: it returns what turns a scored article into bytes. By default JSON.
    """

    def __init__(
        self,
        model: Model,
        jobs: int,
        explain: int = 0,
        thresholds: npt.NDArray[np.float64] | None = None,
        band: tuple[float, float] | None = None,
        render: tuple[str, dict[str, Any]] = ("classifier.scoring.workers:as_json", {}),
    ) -> None:
        # Only what a model is made of travels, not what it has computed; what comes back is never unpickled.
        state = {field.name: getattr(model, field.name) for field in fields(model)}
        body = pickle.dumps((state, thresholds, band), protocol=pickle.HIGHEST_PROTOCOL)
        self._crew = Crew(_TARGET, jobs, ({"explain": explain, "render": render}, body))

    def __enter__(self) -> Scorers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._crew.close()

    def submit(self, articles: Sequence[Article]) -> Future[list[tuple[int, bytes]]]:
        """Score a batch.

        Returns
        -------
        Future of list of (int, bytes)
            An article's number of sentences and its rendering.
        """
        request = [{field.name: getattr(article, field.name) for field in fields(article)} for article in articles]

        def work(child: Child) -> list[tuple[int, bytes]]:
            try:
                child.send(request)
                sizes, body = child.receive()
            except ChildDiedError as death:
                raise FramingError(
                    f"a scoring process ended unexpectedly (exit {death.code}); if memory ran out, use fewer --jobs."
                ) from None
            if isinstance(sizes, str):
                raise FramingError(f"a scoring process failed: {sizes}")
            ends = [0, *accumulate(size for _, size in sizes)]
            return [(n, body[start:end]) for (n, _), (start, end) in zip(sizes, pairwise(ends), strict=True)]

        return self._crew.submit(work)

    def scored(self, batches: Iterable[Sequence[Article]]) -> Iterator[ScoredArticle]:
        """Yield the scored articles of batches, in order."""
        waiting: deque[Future[list[tuple[int, bytes]]]] = deque()
        for batch in batches:
            waiting.append(self.submit(batch))
            if len(waiting) > self._crew.jobs + 1:
                yield from _articles(waiting.popleft())
        while waiting:
            yield from _articles(waiting.popleft())


def _articles(future: Future[list[tuple[int, bytes]]]) -> Iterator[ScoredArticle]:
    return (ScoredArticle.from_dict(orjson.loads(data)) for _, data in future.result())


def serve(channel: Channel) -> None:
    """Run in a child: score the batches that come, until nothing more does."""
    frame = channel.receive()
    if frame is None:
        return
    settings, body = frame
    state, thresholds, band = pickle.loads(body)
    model = Model(**state)
    model.compile()
    collect_garbage_rarely()
    name, arguments = settings["render"]
    module, _, function = name.partition(":")
    render: Render = getattr(import_module(module), function)(**arguments)
    while (frame := channel.receive()) is not None:
        try:
            articles = [Article(**fields) for fields in frame[0]]
            scored = score_batch(model, articles, settings["explain"], thresholds, band)
            rendered = [(len(article.sentences), render(article)) for article in scored]
        except Exception as error:  # said by the parent, who knows what was being done
            channel.send(f"{type(error).__name__}: {error}")
        else:
            channel.send([(n, len(data)) for n, data in rendered], b"".join(data for _, data in rendered))
