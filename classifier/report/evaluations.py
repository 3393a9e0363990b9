"""Evaluation reports as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classifier.codebook import Codebook
from classifier.report.pages import frames_of, percent, render

#: Figures of decisions and of probabilities, and what people call them.
DECISIONS = {"precision": "Precision", "recall": "Recall", "f1": "F1", "matthews": "Matthews correlation"}
PROBABILITIES = {
    "average_precision": "Average precision",
    "roc_auc": "ROC AUC",
    "brier": "Brier score, less is better",
    "calibration_error": "Calibration error, less is better",
}

OVERALL = {
    "accuracy": "Sentences given the right frame (accuracy)",
    "subset_accuracy": "Sentences with all frames right (subset accuracy)",
    "hamming_loss": "Wrong decisions (Hamming loss)",
}

#: Drawn from 0 to 1; of the others less is better, or they are near 0.
_DRAWN = ("precision", "recall", "f1", "matthews", "average_precision", "roc_auc")

#: With more frames than this a table by column shows averages alone.
_WIDE = 5

#: The rows that are no frame.
_AVERAGES = ("macro average", "micro average")


def evaluation_page(report: Mapping[str, Any], codebook: Codebook | None = None) -> str:
    """Render what ``framing evaluate --format json`` writes as a page that fetches nothing.

    Parameters
    ----------
    report : mapping
        One evaluation: ``method``, ``frames`` (rows of figures, each a mapping of ``value``, ``low`` and ``high``),
        and where there are any ``corpus``, ``overlap``, ``sentences``, ``articles``, ``overall``, ``confusion``,
        ``calibration``, ``abstention``, ``by`` and ``mistakes``. Or several: ``evaluations``, a list of them, with
        ``models``, their names, and ``comparison``, rows of differences.
    codebook : Codebook, optional
        Titles and colours; by default the frames' names and the colours of `classifier.codebook.PALETTE`.

    Returns
    -------
    str
        The page.

    Examples
    --------
    >>> figure = {"value": 0.8, "low": 0.7, "high": 0.9}
    >>> page = evaluation_page({"method": "5 folds", "frames": [{"name": "storm", "support": 9, "f1": figure}]})
    >>> "0.80" in page
    True
    """
    parts = [dict(part) for part in report.get("evaluations", [report])]
    names = [str(name) for name in report.get("models", [])]
    if codebook is None:
        found = (row["name"] for part in parts for row in part["frames"] if row["name"] not in _AVERAGES)
        codebook = Codebook.from_names(dict.fromkeys(found))
    titles = {frame.name: frame.title for frame in codebook.frames}
    place = {frame["name"]: frame for frame in frames_of(codebook)}
    views = [
        _evaluation(part, titles, place, name)
        for part, name in zip(parts, names if len(names) == len(parts) else [""] * len(parts), strict=True)
    ]
    return "".join(
        render(
            "evaluations.html",
            codebook,
            heading="Evaluation" if len(parts) == 1 else "Evaluation of " + " and ".join(names),
            corpus=parts[0].get("corpus"),
            evaluations=views,
            comparison=[_difference(row, titles) for row in report.get("comparison", [])],
            models=names,
        )
    )


def _evaluation(
    part: Mapping[str, Any], titles: Mapping[str, str], place: Mapping[str, Mapping[str, Any]], name: str
) -> dict[str, Any]:
    rows = part["frames"]
    overlap = part.get("overlap") or {}
    return {
        "name": name,
        "method": part.get("method", "Evaluation"),
        "sentences": part.get("sentences"),
        "articles": part.get("articles"),
        "left_out": overlap.get("sentences", 0),
        "neighbours": overlap.get("neighbours", 0),
        "unrecorded": overlap.get("recorded") is False,
        "tables": [
            _figures("Decisions", DECISIONS, rows, titles, place),
            _figures("Probabilities", PROBABILITIES, rows, titles, place),
        ],
        "overall": [
            {"title": OVERALL.get(key, key), **_cell(figure)} for key, figure in (part.get("overall") or {}).items()
        ],
        "confusion": _confusion(part.get("confusion"), titles),
        "curves": [
            {"title": titles.get(key, key.capitalize()), "frame": place.get(key), "points": list(map(_point, curve))}
            for key, curve in (part.get("calibration") or {}).items()
            if curve
        ],
        "abstention": _abstention(part.get("abstention")),
        "slices": [_slices(column, parts, titles) for column, parts in (part.get("by") or {}).items()],
        "mistakes": [
            {
                **one,
                "frame": place.get(one["frame"]),
                "title": titles.get(one["frame"], one["frame"]),
                "terms": [(str(term), float(value)) for term, value in one.get("terms", [])],
            }
            for one in part.get("mistakes", [])
        ],
    }


def _figures(
    title: str,
    figures: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    place: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    known = [key for key in figures if any(row.get(key) for row in rows)]
    return {
        "title": title,
        "heads": [figures[key] for key in known],
        "rows": [
            {
                "title": titles.get(row["name"], row["name"].capitalize()),
                "frame": place.get(row["name"]),
                "support": row.get("support"),
                "cells": [_cell(row.get(key), key in _DRAWN) for key in known],
            }
            for row in rows
        ]
        if known
        else [],
    }


def _cell(figure: Mapping[str, float] | None, drawn: bool = False) -> dict[str, Any]:
    if figure is None:
        return {"text": "–", "range": "", "value": -1.0, "interval": None}
    value, low, high = float(figure["value"]), float(figure["low"]), float(figure["high"])
    clipped = [100 * min(1.0, max(0.0, number)) for number in (low, value, high)]
    return {
        "text": f"{value:.2f}",
        "range": f"{low:.2f}–{high:.2f}",
        "value": value,
        "interval": [f"{number:.1f}" for number in clipped] if drawn else None,
    }


def _confusion(confusion: Mapping[str, Any] | None, titles: Mapping[str, str]) -> dict[str, Any] | None:
    if confusion is None:
        return None
    names = [titles.get(name, name) for name in confusion["frames"]]
    counts, shares = confusion["counts"], confusion["shares"]
    shown = range(len(names))
    if not any(counts[-1]) and not any(row[-1] for row in counts):
        # A multiclass task knows no empty set.
        shown = range(len(names) - 1)
    return {
        "names": [names[i] for i in shown],
        "rows": [
            {
                "title": names[i],
                "cells": [
                    {
                        "count": int(counts[i][j]),
                        "share": None if shares[i][j] is None else float(shares[i][j]["value"]),
                        "right": i == j,
                    }
                    for j in shown
                ],
            }
            for i in shown
        ],
    }


def _point(part: Mapping[str, Any]) -> dict[str, Any]:
    share = part["share"]
    return {
        "band": f"{part['low']:.1f} to {part['high']:.1f}",
        "n": int(part["n"]),
        "probability": float(part["probability"]),
        **{name: float(share[name]) for name in ("value", "low", "high")},
    }


def _abstention(abstention: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if abstention is None:
        return None
    shares = {name: abstention.get(name) for name in ("sentences", "right_inside", "right_outside")}
    return {
        "band": f"{abstention['low']:g} to {abstention['high']:g}",
        **{name: "–" if share is None else f"{percent(share['value'])} %" for name, share in shares.items()},
    }


def _slices(column: str, parts: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> dict[str, Any]:
    shown = [*(titles if len(titles) <= _WIDE else ()), *_AVERAGES]
    rows = []
    for part in parts:
        found = {row["name"]: row for row in part["frames"]}
        cells = [
            _cell(found[name].get("f1") if name in found and found[name].get("support") else None, drawn=True)
            for name in shown
        ]
        rows.append(
            {
                "title": part["value"],
                "sentences": part["sentences"],
                "articles": part["articles"],
                "cells": cells,
            }
        )
    return {"column": column, "heads": [titles.get(name, name.capitalize()) for name in shown], "rows": rows}


def _difference(row: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    difference = row["difference"]
    return {
        "title": titles.get(row["name"], row["name"].capitalize()),
        "figure": {**DECISIONS, **PROBABILITIES}.get(row["figure"], row["figure"]),
        "first": f"{row['first']:.3f}",
        "second": f"{row['second']:.3f}",
        "difference": f"{difference['value']:+.3f}",
        "range": f"{difference['low']:+.3f} to {difference['high']:+.3f}",
        "p": f"{row['p_value']:.3f}",
    }
