"""Agreement and conflicts as tables and as a page."""

from __future__ import annotations

from collections.abc import Sequence

from classifier.codebook import Codebook
from classifier.labeling.agreement import CodersAgreement
from classifier.labeling.coding import Coding
from classifier.metrics.agreement import SETS
from classifier.report.pages import render
from classifier.report.tables import INTERVALS, Table, figure, percentage

#: Conflicts that a page shows at most; the CSV has all.
MOST = 2_000


def agreement_tables(rows: Sequence[CodersAgreement], coding: Coding, codebook: Codebook | None) -> list[Table]:
    """Lay out how far coders agree.

    Parameters
    ----------
    rows : sequence of CodersAgreement
    coding : Coding
    codebook : Codebook or None
        Gives the frames their titles.

    Returns
    -------
    list of Table
        Alpha over all coders; then kappa and the confusions of every pair.
    """
    titles = {} if codebook is None else {frame.name: frame.title for frame in codebook.frames}
    titles[SETS] = "whole sets"
    counts = ", ".join(f"{coder} {len(labels):,}" for coder, labels in coding.coders.items())
    overall = Table(
        "Agreement",
        ("frame", "Krippendorff's alpha", "sentences"),
        [(titles.get(row.name, row.name), figure(row.alpha), f"{row.n:,}") for row in rows],
        f"Of sentences that two coders or more have labeled. Labels in all: {counts}. {INTERVALS}",
    )
    pairs = Table(
        "Pairs of coders",
        ("frame", "first", "second", "agreed", "Cohen's kappa", "both", "only first", "only second", "neither"),
        [
            (
                titles.get(row.name, row.name),
                pair.first,
                pair.second,
                percentage(pair.observed),
                figure(pair.kappa),
                *(
                    (f"{n:,}" for n in (pair.both, pair.only_first, pair.only_second, pair.neither))
                    if row.name != SETS
                    else ("",) * 4
                ),
            )
            for row in rows
            for pair in row.pairs
        ],
        "",
        words=(1, 2),
    )
    return [overall, pairs]


def conflicts_page(coding: Coding, rows: Sequence[CodersAgreement], codebook: Codebook | None) -> str:
    """Render agreement and conflicts as a page that fetches nothing.

    Parameters
    ----------
    coding : Coding
    rows : sequence of CodersAgreement
    codebook : Codebook or None

    Returns
    -------
    str
    """
    book = codebook or Codebook.from_names(["none"])
    column = {name: i for i, name in enumerate(book.names)}
    disputed = coding.conflicts()
    cases = [
        {
            "text": key[2],
            "where": " ".join(filter(None, (coding.rows[key].get("title") or key[0], key[1]))),
            "comments": coding.rows[key].get("comments", ""),
            "said": [
                {
                    "coder": coder,
                    "frames": [{"name": name, "index": column.get(name, 0)} for name in sorted(labels[key])],
                }
                for coder, labels in coding.coders.items()
                if key in labels
            ],
        }
        for key in disputed[:MOST]
    ]
    tables = agreement_tables(rows, coding, codebook)
    return "".join(
        render(
            "agreement.html",
            book,
            heading="How far coders agree",
            coders=list(coding.coders),
            tables=tables,
            cases=cases,
            n_conflicts=len(disputed),
        )
    )
