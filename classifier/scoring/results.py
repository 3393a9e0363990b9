"""What scoring gives: sentences with their frames, articles with their profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.articles.sentences import Sentence


@dataclass(slots=True)  # as a sentence is
class ScoredSentence:
    """A sentence and what the model says of it.

    Parameters
    ----------
    sentence : Sentence
    labels : tuple of str
        Its frames; empty for none.
    scores : dict of str to float
        The calibrated probability of each frame, given the article.
    terms : dict of str to list of (str, float), or None
        For each label the terms that speak most for it, the article's share among them, with their contributions to the
        logit.
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
        """Return the sentence as the JSON output shows it.

        Returns
        -------
        dict
        """
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScoredSentence:
        """Rebuild a sentence from plain data.

        Parameters
        ----------
        data : mapping
            As `to_dict` gives it.

        Returns
        -------
        ScoredSentence
        """
        terms, uncertain = data.get("terms"), data.get("uncertain")
        return cls(
            Sentence(data["index"], data["start"], data["end"], data["text"]),
            tuple(data["labels"]),
            data["scores"],
            None
            if terms is None
            else {name: [(term, value) for term, value in found] for name, found in terms.items()},
            None if uncertain is None else tuple(uncertain),
            data["out_of_domain"],
        )


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
    id, date, outlet : str or None
        As the article has them.
    metadata : mapping of str to value
        The columns that were asked for.
    out_of_domain : bool
        Whether the article as a whole is unlike the training corpus.
    """

    source: str
    title: str | None
    sentences: tuple[ScoredSentence, ...]
    profile: dict[str, float]
    model: str
    id: str | None = None
    date: str | None = None
    outlet: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    out_of_domain: bool = False

    def to_dict(self, level: str = "sentence") -> dict[str, Any]:
        """Return the article as the JSON output shows it.

        Parameters
        ----------
        level : {"sentence", "article"}
            Without sentences for ``"article"``; their number is given instead.

        Returns
        -------
        dict
        """
        data: dict[str, Any] = {
            "source": self.source,
            "id": self.id,
            "title": self.title,
            "date": self.date,
            "outlet": self.outlet,
        }
        if self.metadata:
            data["metadata"] = dict(self.metadata)
        if level == "sentence":
            data["sentences"] = [sentence.to_dict() for sentence in self.sentences]
        else:
            data["n_sentences"] = len(self.sentences)
        return {**data, "profile": self.profile, "out_of_domain": self.out_of_domain, "model": self.model}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScoredArticle:
        """Rebuild an article from plain data, sentences included.

        Parameters
        ----------
        data : mapping
            As `to_dict` gives it.

        Returns
        -------
        ScoredArticle
        """
        return cls(
            data["source"],
            data["title"],
            tuple(map(ScoredSentence.from_dict, data["sentences"])),
            data["profile"],
            data["model"],
            data["id"],
            data["date"],
            data["outlet"],
            data.get("metadata", {}),
            data["out_of_domain"],
        )
