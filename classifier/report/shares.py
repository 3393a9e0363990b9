"""Shares for people: tables, a page with a picture, notes on a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from classifier.codebook import Codebook
from classifier.prevalence.estimators import Estimate
from classifier.prevalence.rules import FEW_EVENTS, FEW_SUPPORT
from classifier.prevalence.sampling import Sample
from classifier.prevalence.shares import REFERENCES, Share, SharesReport
from classifier.report.pages import frames_of, render
from classifier.report.tables import NOTHING, Table

#: Differences shown on a page and in tables; JSON has all.
DIFFERENCES_SHOWN = 200

HOW_TO_READ = (
    "Naive: the share that the model labeled, with no valid interval. Sample: from the labels of people alone. "
    "Corrected: from labels and scores. In brackets: 95 % intervals. Saved: labels more that the sample alone would "
    "need for as short an interval."
)


def share_text(value: float) -> str:
    """Write a share in per cent with one decimal.

    Examples
    --------
    >>> share_text(0.0412)
    '4.1 %'
    """
    return f"{100 * value:.1f} %"


def estimate_text(estimate: Estimate | None) -> str:
    """Write a share with its interval."""
    if estimate is None:
        return NOTHING
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f}–{100 * estimate.high:.1f})"


def shares_tables(report: SharesReport, codebook: Codebook) -> list[Table]:
    """Lay shares and differences out as tables.

    Parameters
    ----------
    report : SharesReport
    codebook : Codebook
        Titles of the frames.

    Returns
    -------
    list of Table
        The population as a whole, then each column, each followed by its differences.
    """
    titles = _titles(report, codebook)
    tables = []
    for by, rows in groupby(report.shares, key=lambda share: share.by):
        found = list(rows)
        head = (by.capitalize(), "Frame") if by else ("Frame",)
        header = (*head, f"{report.level.capitalize()}s", "Labels", "Naive", "Sample", "Corrected", "Saved")
        body = [
            (
                *((share.group, titles[share.frame]) if by else (titles[share.frame],)),
                f"{share.units:,}",
                f"{share.labels:,}",
                share_text(share.naive),
                estimate_text(share.sample),
                ("≈ " if share.corrected and share.note else "") + estimate_text(share.corrected),
                f"{share.saved:,}",
            )
            for share in found
        ]
        words = (1,) if by else ()
        title = f"By {by}" if by else f"Share of {report.level}s with each frame"
        tables.append(Table(title, header, body, _beneath(found), words))
        differences = [one for one in report.differences if one.by == by]
        if differences:
            tables.append(
                Table(
                    f"Differences by {by}, in percentage points",
                    ("Groups", "Frame", "Difference", "p", "p, adjusted"),
                    [
                        (
                            f"{one.one} less {one.other or 'the whole'}",
                            titles[one.frame],
                            f"{100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})",
                            f"{one.p_value:.3f}",
                            f"{one.adjusted:.3f}",
                        )
                        for one in differences[:DIFFERENCES_SHOWN]
                    ],
                    _multiplicity(len(differences)),
                    (1,),
                )
            )
    return tables


def _beneath(found: Sequence[Share]) -> str:
    """Return what a table of shares needs to be read."""
    parts = [] if found[0].by else [HOW_TO_READ]
    if any(share.corrected and share.note for share in found):
        parts.append(
            f"≈: approximate, for fewer than {FEW_EVENTS} labels are with the frame or without it, or the interval "
            f"hangs on fewer than {FEW_SUPPORT}."
        )
    reasons = dict.fromkeys(share.note for share in found if share.corrected is None)
    if reasons:
        parts.append(f"{NOTHING}: no valid answer; {'; '.join(list(reasons)[:5])}.")
    return " ".join(parts)


def _multiplicity(n: int) -> str:
    shown = f" The first {DIFFERENCES_SHOWN} are shown; JSON has all." if n > DIFFERENCES_SHOWN else ""
    if n == 1:
        return "One comparison."
    return (
        f"{n:,} comparisons: by chance alone about one in twenty intervals misses 0 where there is no difference. "
        f"The adjusted p is Holm’s, for all of them together.{shown}"
    )


def shares_text(report: SharesReport) -> str:
    """Return the method and what it rests on, in Markdown for a paper."""
    notes = "".join(f"- {note}\n" for note in report.notes)
    references = "".join(f"- {reference}\n" for reference in REFERENCES)
    return f"## Method\n\n{report.method}\n\n{notes}{chr(10) if notes else ''}## References\n\n{references}"


def shares_page(report: SharesReport, codebook: Codebook) -> str:
    """Render shares as a page that fetches nothing.

    Parameters
    ----------
    report : SharesReport
    codebook : Codebook
        Titles and colours of the frames.

    Returns
    -------
    str
    """
    titles = _titles(report, codebook)
    place = {frame["name"]: frame for frame in frames_of(codebook)}
    parts = []
    for by, rows in groupby(report.shares, key=lambda share: share.by):
        found = list(rows)
        top = _top(found)
        frames = list(dict.fromkeys(share.frame for share in found))
        differences = [one for one in report.differences if one.by == by]
        parts.append(
            {
                "by": by,
                "top": f"{100 * top:.0f}",
                "pictures": [
                    {
                        "frame": place.get(frame),
                        "title": titles[frame],
                        "rows": [_drawn(share, top) for share in found if share.frame == frame],
                    }
                    for frame in frames
                ],
                "differences": [
                    {
                        "groups": f"{one.one} less {one.other or 'the whole'}",
                        "title": titles[one.frame],
                        "value": f"{100 * one.value:+.1f}",
                        "range": f"{100 * one.low:+.1f} to {100 * one.high:+.1f}",
                        "p": f"{one.p_value:.3f}",
                        "adjusted": f"{one.adjusted:.3f}",
                    }
                    for one in differences[:DIFFERENCES_SHOWN]
                ],
                "multiplicity": _multiplicity(len(differences)) if differences else "",
            }
        )
    return "".join(
        render(
            "shares.html",
            codebook,
            heading=f"Shares of {report.level}s",
            report=report,
            parts=parts,
            how=HOW_TO_READ,
            references=REFERENCES,
        )
    )


def _titles(report: SharesReport, codebook: Codebook) -> dict[str, str]:
    known = {frame.name: frame.title for frame in codebook.frames}
    return {share.frame: known.get(share.frame, share.frame) for share in report.shares}


def _top(found: Sequence[Share]) -> float:
    """Return where a picture's scale ends: at the next ten per cent."""
    most = max(
        max([share.naive, *(one.high for one in (share.sample, share.corrected) if one is not None)]) for share in found
    )
    return min(1.0, max(0.1, -(-most // 0.1) * 0.1))


def _drawn(share: Share, top: float) -> dict[str, Any]:
    def at(value: float) -> str:
        return f"{100 * min(1.0, value / top):.2f}"

    def drawn(estimate: Estimate | None) -> dict[str, str] | None:
        if estimate is None:
            return None
        return {
            "low": at(estimate.low),
            "at": at(estimate.value),
            "high": at(estimate.high),
            "text": share_text(estimate.value),
            "range": f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}",
        }

    return {
        "title": share.group or "All",
        "units": share.units,
        "labels": share.labels,
        "naive": share_text(share.naive),
        "naive_at": at(share.naive),
        "sample": drawn(share.sample),
        "corrected": drawn(share.corrected),
        "saved": share.saved,
        "note": share.note,
    }


def sample_notes(sample: Sample) -> Iterator[str]:
    """Say what was drawn, and what it will tell.

    Parameters
    ----------
    sample : Sample

    Yields
    ------
    str
    """
    plan = sample.plan
    whole = f", all their {len(sample.rows):,} sentences," if plan.unit == "article" else ""
    total = sample.sentences if plan.unit == "sentence" else sample.articles
    drawn = f"{plan.n:,} of {total:,} {plan.unit}s{whole} drawn with seed {plan.seed}"
    yield f"{drawn}; code the column labels, where ? is not coded yet."
    if 1 < len(sample.strata) <= 30:
        yield "Strata: " + "; ".join(f"{name}: {k:,} of {size:,}" for name, (k, size) in sample.strata.items()) + "."
    for frame, (share, alone, corrected, enough) in sample.expected.items():
        if not frame:
            yield (
                f"Whatever the share, expect an interval of at most ±{100 * alone:.1f} points; ±2 points take at "
                f"most {enough:,} {plan.unit}s, fewer with scores."
            )
            continue
        yield (
            f"{frame}: the model expects {100 * share:.1f} %. If its probabilities are right, expect "
            f"±{100 * corrected:.1f} points corrected, ±{100 * alone:.1f} by the labels alone; ±2 points corrected "
            f"take about {enough:,} {plan.unit}s."
        )
