"""A project's labels as the rows of a labeled CSV, from which every other format is written."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from classifier.codebook import Codebook
from classifier.corpus.check import table_of
from classifier.corpus.interchange.records import Records
from classifier.corpus.table import Columns, Table
from classifier.errors import InputError
from classifier.labeling.frames import codebook_of
from classifier.labeling.ledger import Ledger
from classifier.labeling.queue import sampled
from classifier.labeling.selection import inclusion_probability, random_order
from classifier.labeling.store import Project

#: Columns of every row, beside text, labels and article.
DETAILS = (
    "sentence_index",
    "title",
    "source",
    "outlet",
    "date",
    "coder",
    "labeled_at",
    "origin",
    "inclusion_probability",
    "unsure",
    "comment",
    "ruled_by",
)


def project_codebook(path: str | Path) -> Codebook:
    """Return the codebook of a project.

    Raises
    ------
    InputError
        If it has no frames yet.
    """
    with Project(path) as project:
        data = Ledger.of(project.events()).codebook
    if not data["frames"]:
        raise InputError(f"{path}: the project has no frames; make them on its page: framing label --project {path}")
    return codebook_of(data)


def project_records(path: str | Path, columns: Columns = Columns(), unlabeled: bool = False) -> Records:
    """Return the labels that hold in a project.

    Parameters
    ----------
    path : str or Path
    columns : Columns
        Names to give to text, labels and article.
    unlabeled : bool
        Keep sentences that nobody has labeled, and those whose coders disagree, without a cell for labels.

    Returns
    -------
    Records
        In the order of the articles. ``inclusion_probability`` is given for the sentences of the random sample, however
        they came to be labeled, and is empty for all others: what model and rules chose has none. Where there are
        several coders a column ``labels_NAME`` holds what each said.

    Raises
    ------
    InputError
        If the project cannot be read.
    """
    with Project(path) as project:
        ledger = Ledger.of(project.events())
        draws = project.draws()
        rank = np.empty(len(draws), dtype=np.int64)
        rank[random_order(draws)] = np.arange(len(draws))
        n_sampled = sampled(ledger, rank)
        probability = inclusion_probability(n_sampled, len(draws))
        coders = list(ledger.tokens) if len(ledger.tokens) > 1 else []
        records = Records(
            [columns.group, columns.text, columns.label, *DETAILS, *(f"labels_{name}" for name in coders)]
        )
        finals = ledger.labeled()
        numbers = range(1, len(draws) + 1) if unlabeled else list(finals)
        for passage in project.passages(numbers):
            number = passage.sentence
            votes = ledger.votes(number)
            last = [
                decisions[-1] for decisions in ledger.decisions.get(number, {}).values() if not decisions[-1].skipped
            ]
            rulings = ledger.rulings.get(number)
            comments = ledger.comments.get(number, {})
            origin = ledger.draws[number].origin if number in ledger.draws else "chosen"
            row = {
                columns.group: passage.article_id,
                columns.text: passage.text,
                "sentence_index": str(passage.place),
                "title": passage.title or "",
                "source": passage.source,
                "outlet": passage.outlet or "",
                "date": passage.date or "",
                **{f"metadata.{name}": cell for name, cell in passage.metadata.items()},
                "coder": columns.separator.join(sorted(votes)),
                "labeled_at": _moment(max((one.time for one in last), default=0.0)),
                "origin": origin if last else "",
                "inclusion_probability": f"{probability:.6g}" if rank[number - 1] < n_sampled else "",
                "unsure": "yes" if any(one.unsure for one in last) else "",
                "comment": " / ".join(f"{name}: {text}" if coders else text for name, text in comments.items() if text),
                "ruled_by": rulings[-1].coder if rulings else "",
            }
            if number in finals:
                row[columns.label] = columns.separator.join(ledger.names(finals[number]))
            for name in coders:
                row[f"labels_{name}"] = columns.separator.join(ledger.names(votes[name])) if name in votes else ""
            records.add(row, number)
        if ledger.disputed:
            records.skipped["sentences whose coders disagree (decide them on the page: conflicts)"] = len(
                ledger.disputed
            )
        skipped = sum(
            all(decisions[-1].skipped for decisions in coders_.values()) for coders_ in ledger.decisions.values()
        )
        if skipped:
            records.skipped["sentences that were skipped"] = skipped
        if unlabeled:
            records.skipped.clear()
    return records


def project_table(path: str | Path, columns: Columns = Columns()) -> Table:
    """Return the labels of a project as the table that checks and training read; a row's line is its sentence.

    Parameters
    ----------
    path : str or Path
    columns : Columns

    Returns
    -------
    Table
        Its hash is of the rows, and not of the file, which changes with every look.
    """
    records = project_records(path, columns)
    for row in records.rows:
        for name in records.header:
            row.setdefault(name, "")
    digest: Any = hashlib.sha256(orjson.dumps(records.rows))
    return table_of(records, digest.hexdigest())


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
