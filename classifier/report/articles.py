"""Scored articles as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import PurePath
from typing import IO, Any

import orjson

from classifier.codebook import Codebook
from classifier.report.colours import strength
from classifier.report.pages import environment, frames_of, percent, render, visible
from classifier.report.totals import PageTotals, Totals
from classifier.scoring.results import ScoredArticle, ScoredSentence

#: Sentences, and characters of them, that a page shows. Browsers stay quick with so many; further articles appear
#: with their profiles alone.
MAX_SENTENCES, MAX_CHARACTERS = 20_000, 8_000_000

#: Articles that a page names at most; further ones count in its sums.
MAX_ARTICLES = 5_000

#: Sentences of a paragraph at most, so that a browser can lay out what is looked at alone.
PARAGRAPH = 50


def write_html(
    articles: Iterable[ScoredArticle],
    codebook: Codebook,
    stream: IO[bytes],
    level: str = "sentence",
    note: str = "",
) -> str:
    """Write scored articles as one page that fetches nothing.

    Parameters
    ----------
    articles : iterable of ScoredArticle
        Taken one by one; what is kept of them is bounded by `MAX_SENTENCES`, `MAX_CHARACTERS` and `MAX_ARTICLES`.
    codebook : Codebook
        Titles and colours.
    stream : binary file
    level : {"sentence", "article"}
        Whether sentences are shown or profiles alone.
    note : str
        What the probabilities are worth; at the foot of the page.

    Returns
    -------
    str
        What was left out, in a sentence; empty if nothing was.
    """
    page = ArticlesPage(codebook, level)
    for article in articles:
        page.add(article)
    for piece in page.render(note):
        stream.write(piece.encode())
    return page.left_out


class ArticlesPage:
    """Collects scored articles for a page.

    Parameters
    ----------
    codebook : Codebook
    level : {"sentence", "article"}
    max_sentences : int
        Shown in full; further articles appear with their profiles alone.
    max_articles : int
        Named; further ones count in the sums.

    Examples
    --------
    >>> page = ArticlesPage(Codebook.from_names(["calm", "storm"]))
    >>> page.add(ScoredArticle("a.txt", None, (), {"calm": 0.0, "storm": 0.0}, "weather 1"))
    >>> "".join(page.render()).startswith("<!DOCTYPE html>")
    True
    """

    def __init__(
        self,
        codebook: Codebook,
        level: str = "sentence",
        max_sentences: int = MAX_SENTENCES,
        max_articles: int = MAX_ARTICLES,
    ) -> None:
        self._codebook = codebook
        self._frames = frames_of(codebook)
        self._place = {name: i for i, name in enumerate(codebook.names)}
        self._level = level
        self._sentences_left = max_sentences if level == "sentence" else 0
        self._characters_left = MAX_CHARACTERS
        self._max_sentences, self._max_articles = max_sentences, max_articles
        self._tallies = PageTotals(codebook.names)
        self._rows: list[dict[str, Any]] = []
        self._pieces: list[str] = []
        self._sentences_shown = 0
        self._model = ""

    def add(self, article: ScoredArticle) -> None:
        """Add an article."""
        self._model = article.model
        tally = self._tallies.add(article)
        if len(self._rows) >= self._max_articles:
            return
        number = len(self._rows) + 1
        shown = self._affordable(article)
        full = self._level == "sentence" and (shown > 0 or not article.sentences)
        title = article.title or article.id or PurePath(article.source).name or article.source
        self._rows.append(
            {
                "number": number if full else None,
                "title": title,
                "outlet": article.outlet,
                "date": article.date,
                **_profile(tally),
            }
        )
        if full:
            self._pieces.append(self._article(article, number, title, tally, shown))
            self._sentences_shown += shown
            self._sentences_left -= shown
            self._characters_left -= sum(len(scored.sentence.text) for scored in article.sentences[:shown])

    def _affordable(self, article: ScoredArticle) -> int:
        """Return how many of an article's sentences the page can still hold."""
        left = self._characters_left
        for count, scored in enumerate(article.sentences[: self._sentences_left]):
            left -= len(scored.sentence.text)
            if left < 0:
                self._sentences_left = count
                return count
        return min(len(article.sentences), self._sentences_left)

    @property
    def left_out(self) -> str:
        """What the page does not show, in a sentence; empty if it shows everything."""
        whole, parts = self._tallies.whole, []
        if self._level == "sentence" and self._sentences_shown < whole.sentences:
            parts.append(
                f"Of {whole.sentences:,} sentences the page shows {self._sentences_shown:,}; profiles count them all. "
                "For every sentence take --format jsonl or csv."
            )
        if len(self._rows) < whole.articles:
            parts.append(
                f"Of {whole.articles:,} articles the page names {len(self._rows):,}; its sums count them all. "
                "For every profile take --level article --format csv."
            )
        return " ".join(parts)

    def render(self, note: str = "") -> Iterator[str]:
        """Render the page piece by piece.

        Parameters
        ----------
        note : str
            What the probabilities are worth.

        Yields
        ------
        str
        """
        from markupsafe import Markup

        whole = self._tallies.whole
        unit, bars = self._tallies.timeline()
        peak = max((share for bar in bars for share in bar.tally.shares), default=0)
        top = next(top for top in (0.1, 0.25, 0.5, 1.0) if peak <= top)
        return render(
            "articles.html",
            self._codebook,
            heading=self._rows[0]["title"] if len(self._rows) == 1 else self._codebook.title,
            model=self._model,
            articles=whole.articles,
            whole=_profile(whole),
            rows=self._rows,
            dated=any(row["date"] for row in self._rows),
            published=any(row["outlet"] for row in self._rows),
            unit=unit,
            top=top,
            most=max((bar.tally.sentences for bar in bars), default=0) or 1,
            bars=[{"label": bar.label, "articles": bar.tally.articles, **_profile(bar.tally)} for bar in bars],
            undated=self._tallies.undated,
            sources=[
                {"number": None, "title": name, "articles": tally.articles, **_profile(tally)}
                for name, tally in self._tallies.sources()
            ],
            pieces=map(Markup, self._pieces),
            sentences=self._sentences_shown > 0,
            left_out=self.left_out,
            note=note,
        )

    def _article(self, article: ScoredArticle, number: int, title: str, tally: Totals, shown: int) -> str:
        return (
            environment()
            .get_template("article.html")
            .render(
                frames=self._frames,
                number=number,
                title=title,
                # Said once, where the title is no better a name.
                source=article.source if article.source not in (title, "-") else None,
                article=article,
                strange=article.to_dict().get("out_of_domain", False),
                paragraphs=self._paragraphs(article.sentences[:shown]),
                shown=shown,
                **_profile(tally),
            )
        )

    def _paragraphs(self, sentences: tuple[ScoredSentence, ...]) -> list[list[dict[str, Any]]]:
        """Group sentences as the article did, as far as the room between them tells."""
        if not sentences:
            return []
        result = [[self._sentence(sentences[0])]]
        for before, scored in pairwise(sentences):
            if scored.sentence.start - before.sentence.end > 1 or len(result[-1]) >= PARAGRAPH:
                result.append([])
            result[-1].append(self._sentence(scored))
        return result

    def _sentence(self, scored: ScoredSentence) -> dict[str, Any]:
        data = scored.to_dict()
        scores = [scored.scores[name] for name in self._codebook.names]
        labels = sorted((self._place[name] for name in scored.labels), key=lambda i: -scores[i])
        terms = {
            self._place[name]: [[visible(term), value] for term, value in found]
            for name, found in (scored.terms or {}).items()
        }
        return {
            "number": scored.sentence.index + 1,
            "text": scored.sentence.text,
            "labels": [
                {"frame": self._frames[i], "strength": strength(scores[i]), "percent": percent(scores[i])}
                for i in labels
            ],
            "scores": " ".join(f"{score:.3g}" for score in scores),
            "terms": orjson.dumps(terms, option=orjson.OPT_NON_STR_KEYS).decode() if any(terms.values()) else "",
            "uncertain": [self._frames[self._place[name]] for name in data.get("uncertain") or ()],
            "strange": data.get("out_of_domain", False),
        }


def _profile(tally: Totals) -> dict[str, Any]:
    return {"n": tally.sentences, "labeled": tally.labeled, "shares": tally.shares}
