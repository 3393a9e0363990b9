"""What the notebooks draw and say; what they compute is in `classifier.evaluation`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from sklearn.metrics import precision_recall_curve

import classifier
from classifier.metrics import ALL, MACRO, NONE, Figure, Scores, frame_metrics
from notebooks.studies.studies import SAMPLE, Studies, sampled

HERE = Path(__file__).parent
INK, PALE, GRID = "#222222", "#9a9a9a", "#e4e4e4"
#: Whether these are sampled articles only, as in a check of the code.
SAMPLED = bool(os.environ.get(SAMPLE))

plt.rcParams.update(
    {
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": PALE,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.facecolor": "white",
    }
)


def open_corpus() -> tuple[Any, Studies]:
    """Read the corpus (or the sample asked for) and return it with the long computations on it."""
    corpus = sampled(classifier.read_corpus(HERE.parent / "datasets" / "framing.csv"))
    if SAMPLED:
        say("*A sample of the articles, to check the code: the figures below are not those of the corpus.*")
    return corpus, Studies(corpus, HERE / ".cache")


def say(text: str) -> None:
    """Show a paragraph whose figures were computed, not typed."""
    display(Markdown(text))


def claim(text: str, holds: bool) -> None:
    """Show a sentence that the figures must bear out; on the whole corpus it fails where they do not."""
    if not holds and not SAMPLED:
        raise AssertionError(f"the figures no longer bear out: {text}")
    say(text if holds else f"~~{text}~~ *(not in this sample)*")


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show a table; the first column is text, the others figures."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    say("\n".join(lines))


def percent(value: float) -> str:
    """Write a share in per cent."""
    return f"{value:.0%}" if value >= 0.1 or not value else f"{value:.1%}"


def within(figure: Figure | None, digits: int = 2) -> str:
    """Write a figure with its interval."""
    return "–" if figure is None else f"{figure.value:.{digits}f} ({figure.low:.{digits}f}–{figure.high:.{digits}f})"


def title(codebook: Any, name: str) -> str:
    """Return a frame's name for people."""
    return "no frame" if name in ("", NONE) else codebook[name].title


def colour(codebook: Any, name: str) -> str:
    """Return a frame's colour."""
    return PALE if name in ("", NONE) else codebook[name].colour


def names(codebook: Any, labels: Sequence[str]) -> str:
    """Return a set of frames as people say it."""
    return " + ".join(title(codebook, name) for name in labels) or "no frame"


def bars(labels: Sequence[str], values: Sequence[float], colours: Any, heading: str, form: str = "{:,.0f}") -> None:
    """Draw horizontal bars with their values beside them, the first on top."""
    _, axes = plt.subplots(figsize=(8, 0.6 + 0.34 * len(labels)))
    axes.barh(labels, values, color=colours)
    for place, value in enumerate(values):
        axes.annotate(form.format(value), (value, place), (4, 0), textcoords="offset points", va="center")
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False)
    axes.set_title(heading)
    plt.show()


def lengths(corpus: Any) -> None:
    """Draw how long the sentences are."""
    words = np.array([len(text.split()) for text in corpus.texts])
    _, axes = plt.subplots(figsize=(8, 2.8))
    axes.hist(words, bins=np.arange(0, min(70, words.max()) + 2, 2).tolist(), color=PALE)
    median = float(np.median(words))
    axes.axvline(median, color=INK)
    axes.annotate(f"half have at most {median:.0f}", (median, axes.get_ylim()[1]), (5, -12), textcoords="offset points")
    axes.set(title="Words a sentence", xlabel="words", ylabel="sentences")
    plt.show()


def rate_grid(codebook: Any, found: Mapping[str, tuple[int, Mapping[str, float]]], heading: str) -> None:
    """Draw how often each frame occurs by the values of a column: one panel a frame, one bar a value."""
    figure, panels = plt.subplots(
        1, len(codebook.names), figsize=(9.5, 0.9 + 0.24 * len(found)), sharey=True, sharex=True
    )
    labels = [f"{name.replace('_', ' ')} ({n:,})" for name, (n, _) in found.items()]
    for axes, frame in zip(np.atleast_1d(panels), codebook.frames, strict=True):
        values = [shares[frame.name] for _, shares in found.values()]
        axes.barh(labels, values, color=frame.colour)
        for place, value in enumerate(values):
            axes.annotate(percent(value), (value, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_title(frame.title, color=frame.colour, fontsize=10)
        axes.grid(False)
        axes.tick_params(bottom=False, labelbottom=False, left=False)
        axes.spines["bottom"].set_visible(False)
        axes.margins(x=0.2)
    np.atleast_1d(panels)[0].invert_yaxis()
    figure.suptitle(heading, x=0.01, ha="left", fontweight="bold")
    plt.show()


def term_dots(codebook: Any, terms: Mapping[str, Sequence[Any]]) -> None:
    """Draw the terms of each frame: where they occur inside its sentences, and outside."""
    longest = max(map(len, terms.values()))
    figure, panels = plt.subplots(1, len(terms), figsize=(9.5, 0.8 + 0.27 * longest))
    for axes, (name, found) in zip(np.atleast_1d(panels), terms.items(), strict=True):
        frame, places = codebook[name], np.arange(len(found))
        inside, outside = [term.inside for term in found], [term.outside for term in found]
        axes.hlines(places, outside, inside, color=GRID, linewidth=3)
        axes.plot(outside, places, "o", color="white", markeredgecolor=PALE)
        axes.plot(inside, places, "o", color=frame.colour)
        axes.set_yticks(places, [term.text for term in found])
        axes.invert_yaxis()
        axes.set_title(frame.title, color=frame.colour, fontsize=10)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    figure.supxlabel("share of sentences with the term: filled, with the frame; hollow, without it", fontsize=9)
    plt.show()


def forest(
    labels: Sequence[str],
    figures: Sequence[Figure | None],
    heading: str,
    colours: Sequence[str] | str = INK,
    zero: bool = False,
    xlabel: str = "",
) -> None:
    """Draw figures with their intervals, the first on top; with `zero` as differences from nothing."""
    _, axes = plt.subplots(figsize=(8, 0.9 + 0.3 * len(labels)))
    colours = [colours] * len(labels) if isinstance(colours, str) else colours
    for place, (found, shade) in enumerate(zip(figures, colours, strict=True)):
        if found is not None:
            axes.plot([found.low, found.high], [place, place], color=shade, linewidth=2)
            axes.plot(found.value, place, "o", color=shade)
            text = f"{found.value:+.3f}" if zero else f"{found.value:.2f}"
            axes.annotate(text, (found.high, place), (6, 0), textcoords="offset points", va="center", fontsize=9)
    if zero:
        axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.15)
    axes.set_title(heading)
    axes.set_xlabel(xlabel)
    plt.show()


def precision_recall(codebook: Any, scores: Scores) -> None:
    """Draw precision against recall, a line a frame, with the point the thresholds chose."""
    _, axes = plt.subplots(figsize=(6.4, 5))
    for column, frame in enumerate(codebook.frames):
        truth, given = scores.truth[:, column], scores.predicted[:, column]
        precision, recall, _ = precision_recall_curve(truth, scores.probabilities[:, column])
        axes.plot(recall[:-1], precision[:-1], color=frame.colour, linewidth=2)
        hits = (truth & given).sum()
        point = (hits / truth.sum(), hits / max(1, given.sum()))
        axes.plot(*point, "o", color=frame.colour, markersize=9, markeredgecolor="white")
        axes.text(0.04, 0.18 - 0.06 * column, frame.title, color=frame.colour, fontweight="bold")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall: share of the frame's sentences found")
    axes.set_ylabel("precision: share of findings that are right")
    axes.set_title("Few and sure, or many and mixed (dots: the thresholds chosen)")
    plt.show()


def calibration(codebook: Any, curves: Mapping[str, Sequence[Any]]) -> None:
    """Draw what share of sentences carried a frame against the probability they were given, a panel a frame."""
    shown = [name for name in curves if name != ALL]
    _figure, panels = plt.subplots(1, len(shown), figsize=(9.5, 3.5), sharey=True)
    for axes, name in zip(np.atleast_1d(panels), shown, strict=True):
        bins, shade = curves[name], codebook[name].colour
        given = [part.probability for part in bins]
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=1)
        axes.vlines(
            given, [part.share.low for part in bins], [part.share.high for part in bins], color=shade, alpha=0.5
        )
        axes.plot(given, [part.share.value for part in bins], "o-", color=shade)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability stated")
        axes.set_title(codebook[name].title, color=shade, fontsize=10)
    np.atleast_1d(panels)[0].set_ylabel("share that carried the frame")
    plt.show()


def threshold_curves(codebook: Any, scores: Scores, thresholds: np.ndarray) -> None:
    """Draw precision, recall and F1 against the threshold, a panel a frame, with the thresholds of the folds."""
    _figure, panels = plt.subplots(1, len(codebook.names), figsize=(9.5, 3.5), sharey=True)
    grid = np.linspace(0.02, 0.98, 97)
    for column, (axes, frame) in enumerate(zip(np.atleast_1d(panels), codebook.frames, strict=True)):
        truth, given = scores.truth[:, column], scores.probabilities[:, column][:, None] >= grid
        hits = (given & truth[:, None]).sum(axis=0)
        lines = {
            "precision": (hits / np.maximum(1, given.sum(axis=0)), ":"),
            "recall": (hits / truth.sum(), "--"),
            "F1": (2 * hits / (given.sum(axis=0) + truth.sum()), "-"),
        }
        axes.axvspan(thresholds[:, column].min(), thresholds[:, column].max(), color=frame.colour, alpha=0.15)
        for name, (values, dash) in lines.items():
            axes.plot(grid, values, dash, color=frame.colour)
            place = 6 if name == "recall" else 88 if name == "precision" else 50
            axes.annotate(
                name, (grid[place], values[place]), (0, 5), textcoords="offset points", ha="center", fontsize=9
            )
        axes.set_title(frame.title, color=frame.colour, fontsize=10)
        axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="threshold")
    plt.show()


def learning(codebook: Any, points: Sequence[tuple[float, Scores]]) -> None:
    """Draw F1 against the articles learned from, a line a frame and the macro average with its interval."""
    found = [{row.name: row.f1 for row in frame_metrics(scores, codebook.names)} for _, scores in points]
    articles = [n for n, _ in points]
    _, axes = plt.subplots(figsize=(8, 4))
    axes.fill_between(articles, [f[MACRO].low for f in found], [f[MACRO].high for f in found], color=INK, alpha=0.12)
    lines = [(frame.name, frame.title, frame.colour) for frame in codebook.frames] + [(MACRO, "average of frames", INK)]
    ends = sorted(lines, key=lambda line: found[-1][line[0]].value)
    height, last = 0.0, -1.0
    for name, label, shade in ends:
        values = [f[name].value for f in found]
        axes.plot(articles, values, "o-", color=shade)
        height = max(values[-1], last + 0.022)
        last = height
        axes.annotate(
            label,
            (articles[-1], height),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=shade,
            annotation_clip=False,
        )
    axes.set_xscale("log")
    axes.set_xticks(articles, [f"{n:,.0f}" for n in articles])
    axes.minorticks_off()
    axes.set_xlim(articles[0] * 0.9, articles[-1] * 2.6)
    axes.set(title="What more articles bring", xlabel="articles learned from (the axis grows by factors)")
    axes.set_ylabel("F1")
    plt.show()


def confusion_grid(codebook: Any, confusion: Any) -> None:
    """Draw which frame is taken for which, as shares of each row."""
    labels = [title(codebook, name) for name in (*confusion.frames, NONE)]
    shares = np.array([[np.nan if cell is None else cell.value for cell in row] for row in confusion.shares])
    _, axes = plt.subplots(figsize=(7.5, 4))
    axes.imshow(np.nan_to_num(shares), cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(*shares.shape):
        text = "" if np.isnan(shares[i, j]) else f"{shares[i, j]:.0%}\n({confusion.counts[i, j]:,})"
        axes.text(j, i, text, ha="center", va="center", color="white" if shares[i, j] > 0.5 else INK, fontsize=9)
    places = range(len(labels))
    axes.set_xticks(places, [label.replace(" ", "\n", 1) for label in labels])
    axes.set_yticks(places, labels)
    axes.set(xlabel="the model says", ylabel="the label says", title="What is taken for what")
    axes.grid(False)
    plt.show()


def confused_terms(codebook: Any, found: Sequence[Any]) -> None:
    """Draw for each kind of mistake the terms that spoke for the frame wrongly given."""
    _figure, panels = plt.subplots(len(found), 1, figsize=(8, 1.75 * len(found)), sharex=True)
    for axes, item in zip(np.atleast_1d(panels), found, strict=True):
        texts = [f"{term[:60]}  ({n})" for term, _, n in item.terms]
        axes.barh(texts, [value for _, value, _ in item.terms], color=colour(codebook, item.given))
        axes.invert_yaxis()
        axes.set_title(
            f"{title(codebook, item.label)}, called {title(codebook, item.given)}: {len(item.rows)}", fontsize=10
        )
        axes.grid(axis="y", visible=False)
    np.atleast_1d(panels)[-1].set_xlabel("mean contribution to the log-odds (in brackets: sentences with the term)")
    plt.show()


def contrast(codebook: Any, model: Any, texts: Sequence[str]) -> None:
    """Draw the probabilities of a few sentences that differ in little, a group of bars a sentence."""
    found = model.predict_proba(list(texts))
    _, axes = plt.subplots(figsize=(8, 0.5 + 0.75 * len(texts)))
    for column, frame in enumerate(codebook.frames):
        places = np.arange(len(texts)) + (column - 1) * 0.25
        axes.barh(places, found[:, column], 0.23, color=frame.colour)
        for place, value in zip(places, found[:, column], strict=True):
            axes.annotate(
                f"{value:.0%} {frame.title}", (value, place), (4, 0), textcoords="offset points", va="center",
                fontsize=8, color=frame.colour,
            )  # fmt: skip
    axes.set_yticks(range(len(texts)), texts)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.35)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(False)
    plt.show()


def mistake_card(codebook: Any, mistake: Any) -> str:
    """Return a mistake as a paragraph: the sentence, what was said of it, and why."""
    verb = "wrongly given" if mistake.kind == "false" else "missed"
    reasons = ", ".join(f"*{term}* {value:+.2f}" for term, value in mistake.terms) or "no term of weight"
    text = mistake.text.replace("*", r"\*").replace("_", r"\_").replace("<", "&lt;").replace("$", r"\$")
    return (
        f"> {text}\n\n**{title(codebook, mistake.frame)}** {verb} at {mistake.probability:.0%}; labeled "
        f"{names(codebook, mistake.labels)}. Speaking {'for' if mistake.kind == 'false' else 'against'} it: {reasons}."
    )


def years(corpus: Any) -> dict[str, tuple[int, dict[str, float]]]:
    """Draw how often each frame occurs by year of publication, and return it; years of few sentences left out."""
    dates = np.array([cell[:4] for cell in corpus.columns["date"]])
    found = {
        str(year): (
            int((dates == year).sum()),
            dict(zip(corpus.frames, corpus.targets[dates == year].mean(axis=0).tolist(), strict=True)),
        )
        for year in np.unique(dates)
        if year and (dates == year).sum() >= 50
    }
    _, axes = plt.subplots(figsize=(8, 3.2))
    last = -1.0
    for frame in sorted(corpus.codebook.frames, key=lambda frame: list(found.values())[-1][1][frame.name]):
        values = [shares[frame.name] for _, shares in found.values()]
        axes.plot(list(found), values, "o-", color=frame.colour)
        last = max(values[-1], last + 0.025)
        axes.annotate(
            frame.title, (len(found) - 1, last), (8, 0), textcoords="offset points", va="center", color=frame.colour
        )
    axes.set_xlim(-0.3, len(found) * 1.35)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_title("Share of each year's sentences")
    plt.show()
    return found


def at_precision(scores: Scores, column: int, name: str, least: float) -> str:
    """Say how much of a frame is found when findings must be right so often."""
    precision, recall, _ = precision_recall_curve(scores.truth[:, column], scores.probabilities[:, column])
    found = recall[:-1][precision[:-1] >= least]
    return (
        f"**{name}**: with {least:.0%} of the findings right, {percent(float(found.max(initial=0)))} of them are found."
    )


def threshold_losses(scores: Scores) -> list[float]:
    """Return for each frame the F1 that the best threshold in hindsight would gain."""
    losses = []
    for column in range(scores.truth.shape[1]):
        truth, given = scores.truth[:, column], scores.predicted[:, column]
        precision, recall, _ = precision_recall_curve(truth, scores.probabilities[:, column])
        best = float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))
        losses.append(best - float(2 * (truth & given).sum() / (truth.sum() + given.sum())))
    return losses


def gain(ablation: Any, design: str, pairs: Sequence[tuple[str, str]], which: int, name: str = MACRO) -> str:
    """Write what a block adds to F1, in bold where the interval excludes nought."""
    row = ablation.comparison(design, pairs[which], name) if which < len(pairs) else None
    if row is None:
        return ""
    found = row.difference
    text = f"{found.value:+.3f}"
    text = f"**{text}**" if found.low > 0 or found.high < 0 else text
    return f"{text} ({found.low:+.3f} to {found.high:+.3f})"


def verdict(figure: Figure, good_is_low: bool = False) -> str:
    """Return a colour for a difference: blue where it is surely good, orange where surely bad, else grey."""
    up, down = ("#D55E00", "#0072B2") if good_is_low else ("#0072B2", "#D55E00")
    return up if figure.low > 0 else down if figure.high < 0 else PALE


def block_story(ablation: Any, pairs: Mapping[str, Sequence[tuple[str, str]]], codebook: Any) -> str:
    """Say of each block where it helps most, and whether the full model would miss it."""
    lines = []
    for block, found in pairs.items():
        rows = [
            (ablation.comparison(design, found[0], name), design, name)
            for design in ablation.comparisons
            for name in codebook.names
        ]
        best, design, name = max(rows, key=lambda row: row[0].difference.value)
        sure = [d for d in ablation.comparisons if ablation.comparison(d, found[0]).difference.low > 0]
        where = f"*{title(codebook, name)}* on {design} ({best.difference.value:+.3f} of F1)"
        text = f"- **{block}**: added, it helps most with {where}"
        text += f"; its gain is certain on {', '.join(sure)}" if sure else "; its gain is certain nowhere"
        if len(found) > 1:
            missed = [d for d in ablation.comparisons if ablation.comparison(d, found[1]).difference.low > 0]
            text += f". The full model would miss it on {', '.join(missed)}" if missed else (
                ". The full model would hardly miss it: the other blocks see most of what it sees"
            )  # fmt: skip
        lines.append(text + ".")
    return "\n".join(lines)


def shipped_f1(corpus: Any) -> float | None:
    """Return the average F1 recorded with the shipped model, or None where its corpus is another."""
    model = classifier.load_model()
    if SAMPLED or model.provenance.get("corpus_sha256") != corpus.sha256:
        return None
    return float(next(row["f1"]["value"] for row in model.metrics["frames"] if row["name"] == MACRO))


def turned(codebook: Any, model: Any, frame: str, first: str, second: str) -> str:
    """Say whether the probability of a frame followed when a sentence was turned round."""
    if frame not in codebook.names:
        return ""
    one, other = model.predict_proba([first, second])[:, codebook.names.index(frame)]
    verdict = "The bars follow" if one - other > 0.3 else "The bars follow a little" if one - other > 0.1 else (
        "The bars hardly move"
    )  # fmt: skip
    return f"{verdict}: *{title(codebook, frame)}* goes from {one:.0%} (“{first}”) to {other:.0%} (“{second}”)."


def share_intervals(shares: Any, truth: Mapping[str, float], titles: Mapping[str, str]) -> None:
    """Draw shares with their intervals, one frame beneath the other: naive ones hollow, the truth a line.

    Parameters
    ----------
    shares : DataFrame
        Rows of `classifier.shares`, one per frame.
    truth : mapping of str to float
        The share that there is, by frame.
    titles : mapping of str to str
    """
    figure, axes = plt.subplots(figsize=(8, 0.5 + 0.8 * len(shares)))
    for place, row in enumerate(shares.itertuples()):
        ends = [row.corrected_low, row.corrected_high]
        axes.plot([100 * row.sample_low, 100 * row.sample_high], [place + 0.22] * 2, color=PALE, lw=2)
        axes.plot(100 * row.sample, place + 0.22, "o", color=PALE)
        axes.plot([100 * end for end in ends], [place] * 2, color=INK, lw=3)
        axes.plot(100 * row.corrected, place, "o", color=INK)
        axes.plot(100 * row.naive, place - 0.22, "o", mfc="white", mec=INK)
        axes.plot([100 * truth[row.frame]] * 2, [place - 0.4, place + 0.4], color="#D55E00", lw=1.5)
    axes.set_yticks(range(len(shares)), [titles[name] for name in shares["frame"]])
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(
        "per cent of sentences: hollow, as counted; black, corrected; grey, the labels alone; line, the truth"
    )
    plt.show()
    plt.close(figure)


def widths_by_labels(found: Any, titles: Mapping[str, str]) -> None:
    """Draw how long intervals are by the number of labels; with corrected ones solid, those of labels alone dashed."""
    figure, axes = plt.subplots(figsize=(8, 3.2))
    for place, (frame, part) in enumerate(found.groupby("frame", sort=False)):
        colour = ("#0072B2", "#D55E00", "#009E73")[place % 3]
        axes.plot(part["labels"], 100 * part["alone_width"] / 2, "o--", color=colour, lw=1, mfc="white")
        axes.plot(part["labels"], 100 * part["width"] / 2, "o-", color=colour, label=titles[frame])
    axes.axhline(2, color=PALE, lw=1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("labels")
    axes.set_ylabel("points to either side")
    axes.legend(frameon=False)
    plt.show()
    plt.close(figure)
