"""What a person sees on a terminal: scored articles, tables of figures, the codebook."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from classifier.codebook import Codebook
from classifier.report.printable import printable
from classifier.scoring import ScoredArticle, ScoredSentence

if TYPE_CHECKING:
    from classifier.training.report import TrainingReport

#: Width used where the output is no terminal.
PLAIN_WIDTH = 100

_BAR_WIDTH = 24

#: Beneath shares, which are counts of labels.
COUNTED = (
    "Shares of sentences labeled, as the model counts them. Before you publish shares, correct them: framing "
    "sample, then framing shares."
)

#: Beneath the profile of an article unlike the training corpus.
OUT_OF_DOMAIN = "! This text is unlike those the model was trained on; its scores may mean nothing."


def console(stream: IO[str] | None = None) -> Console:
    """Return a console that honours ``NO_COLOR``, terminals, pipes and narrow windows.

    Parameters
    ----------
    stream : text file, optional
        Standard output by default.
    """
    stream = sys.stdout if stream is None else stream
    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)


def print_articles(
    articles: Iterable[ScoredArticle], codebook: Codebook, level: str, stream: IO[bytes], note: str = ""
) -> None:
    """Write scored articles as pages, one after the other, or as one table of profiles.

    Parameters
    ----------
    articles : iterable of ScoredArticle
    codebook : Codebook
    level : {"sentence", "article"}
    stream : binary file
        Coloured only where it is a terminal's.
    note : str
        What the probabilities are worth; beneath each profile.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", write_through=True)
    target = console(text)
    try:
        if level == "article":
            target.print(profile_table(articles, codebook))
        else:
            for article in articles:
                target.print(article_page(article, codebook, note))
        target.print(Text(COUNTED, style="dim"))
        text.flush()
    finally:
        text.detach()


def article_page(article: ScoredArticle, codebook: Codebook, note: str = "") -> RenderableType:
    """Lay out a scored article: its sentences with their frames, then its profile.

    Parameters
    ----------
    article : ScoredArticle
    codebook : Codebook
        Titles and colours.
    note : str
        What the probabilities are worth; beneath the profile.

    Returns
    -------
    rich renderable
    """
    title = printable(article.title or article.source)
    parts: list[RenderableType] = [Text(title, style="bold"), Text()]
    if not article.sentences:
        parts.append(Text("No sentences: the article is empty.", style="dim"))
    parts += [_sentence(sentence, codebook) for sentence in article.sentences]
    parts += [Text(), article_profile(article, codebook)]
    if article.out_of_domain:
        parts.append(Padding(Text(OUT_OF_DOMAIN, style="bold"), (0, 0, 0, 6)))
    if note and article.sentences:
        parts.append(Padding(Text(note, style="dim"), (0, 0, 0, 6)))
    parts.append(Text())
    return Group(*parts)


def _sentence(scored: ScoredSentence, codebook: Codebook) -> RenderableType:
    number = Text(f"{scored.sentence.index + 1:>4}  ", style="dim")
    body = Text(printable(scored.sentence.text), style="" if scored.labels else "dim")
    lines: list[RenderableType] = [body]
    for name in scored.labels:
        frame = codebook[name]
        line = Text("■ ", style=frame.colour)
        line.append(printable(frame.title), style=f"bold {frame.colour}")
        line.append(f"  {scored.scores[name]:.2f}")
        terms = (scored.terms or {}).get(name, [])
        if terms:
            line.append("  " + ", ".join(f"{printable(term)} {value:+.2f}" for term, value in terms), style="dim")
        lines.append(line)
    for name in scored.uncertain or ():
        line = Text("? uncertain: ", style="bold").append(codebook[name].title, style=codebook[name].colour)
        lines.append(line.append(f"  {scored.scores[name]:.2f}"))
    if scored.out_of_domain:
        lines.append(Text("! unlike the training corpus", style="bold"))
    row = Table.grid(padding=0)
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(number, Group(*lines))
    return row


def article_profile(article: ScoredArticle, codebook: Codebook) -> RenderableType:
    """Lay out the share of an article's sentences labeled with each frame, as bars."""
    table = Table.grid(padding=(0, 2, 0, 0))
    n = len(article.sentences)
    for frame in codebook.frames:
        share = article.profile[frame.name]
        full = round(share * _BAR_WIDTH)
        bar = Text("█" * full, style=frame.colour).append("░" * (_BAR_WIDTH - full), style="dim")
        count = Text(f"{round(share * n)} of {n}", style="dim")
        table.add_row(Text(printable(frame.title), style=frame.colour), bar, f"{share:4.0%}", count)
    return Padding(table, (0, 0, 0, 6))


def profile_table(articles: Iterable[ScoredArticle], codebook: Codebook) -> RenderableType:
    """Lay out many articles, one row each: the share of sentences labeled with each frame."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("article", overflow="fold")
    table.add_column("sentences", justify="right")
    for frame in codebook.frames:
        table.add_column(Text(printable(frame.title), style=frame.colour), justify="right")
    for article in articles:
        shares = (f"{article.profile[name]:.0%}" for name in codebook.names)
        table.add_row(printable(article.title or article.source), str(len(article.sentences)), *shares)
    return table


def training_page(report: TrainingReport, codebook: Codebook) -> RenderableType:
    """Lay out how good a model is: the table of figures, how they came about and what was chosen."""
    from classifier.report.tables import compared, figures_table, terminal

    shown = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "AP"}
    note = (
        "Every sentence was scored by a model that saw nothing of its article. In brackets: 95 % intervals from a "
        "bootstrap over articles. AP: average precision."
    )
    if report.alone is not None:
        note += " Each sentence alone: without the rest of its article."
    beneath = compared(report.alone, report.baselines)
    parts: list[RenderableType] = [terminal([figures_table("", report.rows, codebook, shown, beneath, note)])]
    if report.setting is not None:
        setting = report.setting
        blocks = "; ".join(setting.to_dict()["blocks"])
        weight = "balanced" if setting.balanced else "none"
        parts.append(Text(f"Chosen: {blocks}; C = {setting.C:g}; class weight: {weight}.", style="dim"))
    return Group(*parts)


def codebook_page(codebook: Codebook) -> RenderableType:
    """Lay out the frames: title, name in data, definition."""
    parts: list[RenderableType] = [Text(printable(codebook.title), style="bold"), Text()]
    for frame in codebook.frames:
        heading = Text("■ ", style=frame.colour)
        heading.append(printable(frame.title), style=f"bold {frame.colour}")
        heading.append(f"  {printable(frame.name)}", style="dim")
        parts.append(heading)
        if frame.definition:
            parts.append(Padding(Text(printable(frame.definition)), (0, 0, 0, 2)))
    if codebook.subjects:
        parts += [Text(), Text("An article is taken to be about something else where it names none of")]
    for subject, names in codebook.subjects.items():
        actors = codebook.roles["actors"]
        told = ", ".join(str(actors[name].get("title", name)) for name in names)
        parts.append(Padding(Text(printable(f"{subject}: {told}")), (0, 0, 0, 2)))
    return Group(*parts)
