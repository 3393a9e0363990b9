"""The model card: what a model is for, how good it is and what it must not be used for."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import Any

from classifier.metrics import ALL, DECISION_FIGURES, FrameMetrics, Summary
from classifier.model.model import Model
from classifier.report.reliability import reliability_note
from classifier.report.tables import (
    Table,
    abstention_table,
    calibration_table,
    compared,
    confusion_table,
    figures_table,
    markdown,
    overall_table,
    probabilities_table,
    slices_table,
)

_UNKNOWN = "not recorded"

_IN_CONTEXT = (
    "Of its article a sentence's score takes in what the other sentences say on average and how it opens{};\n"
    '  who "he" is and what was said just before is not understood. A text of one sentence is read alone.'
)

_ALONE = (
    'A sentence is read alone: who "he" is, what the sentence before said and what the article leaves out are not seen.'
)

_UNMEASURED = "Not measured.\n"


def model_card(model: Model, version: str) -> str:
    """Write a model's card, from the model alone.

    Parameters
    ----------
    model : Model
    version : str
        Of this package, which the card names.

    Returns
    -------
    str
        Markdown, after ``templates/model_card.md``.
    """
    origin = model.provenance
    frames = Table(
        "",
        ("frame", "name in data", "when a sentence carries it"),
        [(frame.title, frame.name, frame.definition) for frame in model.codebook.frames],
        words=(1, 2),
    )
    articles = origin.get("articles")
    values: dict[str, Any] = {
        "name": model.name,
        "n_frames": len(model.frames),
        "task": "any number of them" if model.task == "multilabel" else "exactly one of them",
        "blocks": "; ".join(map(str, model.blocks)),
        "date": origin.get("date", _UNKNOWN),
        "version": version,
        "versions": ", ".join(f"{name} {number}" for name, number in origin.get("versions", {}).items()) or _UNKNOWN,
        "frames_table": markdown([frames]),
        "corpus": origin.get("corpus") or "corpus.csv",
        "corpus_sha256": origin.get("corpus_sha256") or _UNKNOWN,
        "sentences": f"{origin.get('sentences', 0):,}",
        "articles": "" if articles is None else f" of {articles:,} articles",
        "method": model.metrics.get("method", "no cross-validation"),
        "folds": origin.get("folds", 5),
        "seed": origin.get("seed", 0),
    }
    limits = model.domain.measures["words"] if model.domain else None
    values["words_sentence"] = f"{limits.sentence:.0%}" if limits else _UNKNOWN
    values["words_article"] = f"{limits.article:.0%}" if limits else _UNKNOWN
    named = "\n  and whether it names " + " or ".join(model.codebook.subjects) if model.codebook.subjects else ""
    values["context"] = _IN_CONTEXT.format(named) if model.context else _ALONE
    template = resources.files("classifier.report").joinpath("templates/model_card.md").read_text(encoding="utf-8")
    return Template(template).substitute(values | _figures(model)).rstrip() + "\n"


def _figures(model: Model) -> dict[str, str]:
    if "confusion" not in model.metrics:
        return dict.fromkeys(("figures", "calibration", "slices"), _UNMEASURED)
    summary, codebook = Summary.from_dict(model.metrics), model.codebook
    baselines = {
        name: list(map(FrameMetrics.from_dict, rows)) for name, rows in model.metrics.get("baselines", {}).items()
    }
    alone = model.metrics.get("alone")
    beneath = compared(alone and list(map(FrameMetrics.from_dict, alone)), baselines)
    figures = [
        figures_table("Decisions", summary.rows, codebook, DECISION_FIGURES, beneath),
        probabilities_table(summary, codebook),
        overall_table(summary),
        confusion_table(summary.confusion, codebook),
    ]
    calibration = [calibration_table(summary.calibration[ALL]), abstention_table(summary.abstention)]
    slices = [slices_table(column, parts, codebook) for column, parts in summary.by.items()]
    return {
        "figures": markdown(figures, 3),
        "calibration": f"{reliability_note(model.metrics)}\n\n{markdown(calibration, 3)}",
        "slices": markdown(slices, 0) if slices else "The corpus names no source types.\n",
    }
