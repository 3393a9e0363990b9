"""Articles to scored sentences to article profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.articles import Article
from classifier.confidence import uncertain_frames
from classifier.model import Model
from classifier.sentences import Sentence, split_sentences

#: Decimals of every probability and contribution written out.
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence and what the model says of it.

    Parameters
    ----------
    sentence : Sentence
    labels : tuple of str
        Its frames; empty for none.
    scores : dict of str to float
        The calibrated probability of each frame.
    terms : dict of str to list of (str, float), or None
        For each label the terms that speak most for it, with their contributions to the logit.
    uncertain : tuple of str, or None
        The frames whose probability lies in the band of doubt; None where none was asked for.
    out_of_domain : bool
        Whether the sentence is unlike the training corpus, so that its scores may mean nothing.
    """

    sentence: Sentence
    labels: tuple[str, ...]
    scores: dict[str, float]
    terms: dict[str, list[tuple[str, float]]] | None = None
    uncertain: tuple[str, ...] | None = None
    out_of_domain: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as the JSON output shows it."""
        data: dict[str, Any] = {
            "index": self.sentence.index,
            "start": self.sentence.start,
            "end": self.sentence.end,
            "text": self.sentence.text,
            "labels": list(self.labels),
            "scores": self.scores,
            "out_of_domain": self.out_of_domain,
        }
        if self.uncertain is not None:
            data["uncertain"] = list(self.uncertain)
        if self.terms is not None:
            data["terms"] = {frame: [list(term) for term in terms] for frame, terms in self.terms.items()}
        return data


@dataclass(frozen=True, slots=True)
class ScoredArticle:
    """An article, its scored sentences and its profile.

    Parameters
    ----------
    source : str
    title : str or None
    sentences : tuple of ScoredSentence
    profile : dict of str to float
        The share of sentences labeled with each frame; zeros for an article without sentences.
    model : str
        Name of the model.
    out_of_domain : bool
        Whether the article as a whole is unlike the training corpus.
    """

    source: str
    title: str | None
    sentences: tuple[ScoredSentence, ...]
    profile: dict[str, float]
    model: str
    out_of_domain: bool = False

    def to_dict(self, level: str = "sentence") -> dict[str, Any]:
        """Return the article as the JSON output shows it.

        Parameters
        ----------
        level : {"sentence", "article"}
            Without sentences for ``"article"``; their number is given instead.
        """
        body: dict[str, Any] = (
            {"sentences": [sentence.to_dict() for sentence in self.sentences]}
            if level == "sentence"
            else {"n_sentences": len(self.sentences)}
        )
        return {
            "source": self.source,
            "title": self.title,
            **body,
            "profile": self.profile,
            "out_of_domain": self.out_of_domain,
            "model": self.model,
        }


def score_article(
    model: Model,
    article: Article,
    *,
    explain: int = 0,
    thresholds: npt.NDArray[np.float64] | None = None,
    band: tuple[float, float] | None = None,
) -> ScoredArticle:
    """Split an article into sentences and score each one.

    Parameters
    ----------
    model : Model
    article : Article
    explain : int
        Terms to give for each label of a sentence; 0 for none.
    thresholds : ndarray of shape (n_frames,), optional
        Instead of the model's own.
    band : (float, float), optional
        Mark the frames whose probability lies in it as uncertain.

    Returns
    -------
    ScoredArticle

    Examples
    --------
    >>> import classifier
    >>> article = classifier.Article("example", "It rained in Lisbon. The match was postponed.")
    >>> len(score_article(classifier.load_model(), article).sentences)
    2
    """
    sentences = split_sentences(article.text)
    texts = [sentence.text for sentence in sentences]
    probabilities = model.predict_proba(texts)
    labels = model.labels(probabilities, thresholds)
    strange, article_strange = model.out_of_domain(texts)
    scored = tuple(
        ScoredSentence(
            sentence,
            names,
            {frame: round(float(value), DECIMALS) for frame, value in zip(model.frames, row, strict=True)},
            _terms(model, sentence.text, names, explain) if explain else None,
            uncertain_frames(row, model.frames, band) if band else None,
            outside,
        )
        for sentence, names, row, outside in zip(sentences, labels, probabilities, strange, strict=True)
    )
    shares = profile(labels, model.frames)
    return ScoredArticle(article.source, article.title, scored, shares, model.name, article_strange)


def score_articles(
    model: Model,
    articles: Iterable[Article],
    *,
    explain: int = 0,
    thresholds: npt.NDArray[np.float64] | None = None,
    band: tuple[float, float] | None = None,
) -> Iterator[ScoredArticle]:
    """Score articles one after the other; see `score_article`."""
    for article in articles:
        yield score_article(model, article, explain=explain, thresholds=thresholds, band=band)


def profile(labels: Sequence[tuple[str, ...]], frames: Sequence[str]) -> dict[str, float]:
    """Return the share of sentences labeled with each frame.

    Parameters
    ----------
    labels : sequence of tuple of str
        The frames of each sentence.
    frames : sequence of str

    Returns
    -------
    dict of str to float
    """
    n = max(1, len(labels))
    return {frame: round(sum(frame in names for names in labels) / n, DECIMALS) for frame in frames}


def _terms(model: Model, text: str, labels: tuple[str, ...], n: int) -> dict[str, list[tuple[str, float]]]:
    terms = model.explain(text)
    return {
        frame: [(term, round(value, DECIMALS)) for term, value in terms[frame][:n] if value > 0] for frame in labels
    }
