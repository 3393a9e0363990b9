"""Many articles scored in order, a batch at a time, in one process or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from classifier.articles.article import Article
from classifier.model.model import Model
from classifier.scoring.results import ScoredArticle
from classifier.scoring.score import BATCH_ARTICLES, BATCH_CHARACTERS, score_batch
from classifier.scoring.workers import Scorers


def batches(articles: Iterable[Article], characters: int = BATCH_CHARACTERS) -> Iterator[list[Article]]:
    """Group articles, in order, into batches of about so many characters."""
    batch: list[Article] = []
    total = 0
    for article in articles:
        batch.append(article)
        total += len(article.text)
        if total >= characters or len(batch) >= BATCH_ARTICLES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def score_articles(
    model: Model,
    articles: Iterable[Article],
    *,
    explain: int = 0,
    thresholds: npt.NDArray[np.float64] | None = None,
    band: tuple[float, float] | None = None,
    jobs: int = 1,
) -> Iterator[ScoredArticle]:
    """Score articles in order, several at a time.

    Parameters
    ----------
    model : Model
    articles : iterable of Article
        Taken as they are needed, never all at once.
    explain : int
        As for `score_article`, like the two that follow.
    thresholds : ndarray of shape (n_frames,), optional
    band : (float, float), optional
    jobs : int
        Processes. Results are the same whatever their number.

    Yields
    ------
    ScoredArticle
    """
    if jobs == 1:
        for batch in batches(articles):
            yield from score_batch(model, batch, explain, thresholds, band)
        return
    with Scorers(model, jobs, explain, thresholds, band) as scorers:
        yield from scorers.scored(batches(articles))
