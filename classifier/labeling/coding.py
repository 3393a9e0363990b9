"""What several coders said of the same sentences: from their files, from an export, or from a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from classifier.codebook import Codebook
from classifier.corpus.interchange import detect_format, read_records
from classifier.corpus.interchange.label_studio import read_annotators
from classifier.corpus.interchange.records import Records, is_labeled, row_labels
from classifier.corpus.table import Columns
from classifier.errors import InputError
from classifier.labeling.agreement import conflicts
from classifier.labeling.frames import codebook_of
from classifier.labeling.ledger import Ledger
from classifier.labeling.store import Project, is_project

#: What tells a sentence from all others: its article, its place there, and its text.
Key = tuple[str, str, str]


@dataclass
class Coding:
    """Sentences and what coders said of them.

    Parameters
    ----------
    rows : dict of Key to dict of str to str
        What is known of each sentence beside its labels, as cells.
    coders : dict of str to dict of Key to frozenset of str
        The frames of the sentences that each coder labeled.
    rulings : dict of Key to frozenset of str
        What was decided about conflicts.
    codebook : Codebook or None
        Of a project.
    """

    rows: dict[Key, dict[str, str]] = field(default_factory=dict)
    coders: dict[str, dict[Key, frozenset[str]]] = field(default_factory=dict)
    rulings: dict[Key, frozenset[str]] = field(default_factory=dict)
    codebook: Codebook | None = None

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames: the codebook's, else those found, in order of name."""
        if self.codebook is not None:
            return self.codebook.names
        return tuple(sorted({name for labels in self.coders.values() for names in labels.values() for name in names}))

    @property
    def groups(self) -> Mapping[Key, object]:
        """The article of each sentence; a sentence without one is its own."""
        return {key: key[0] or key for key in self.rows}

    def add(self, coder: str, key: Key, row: Mapping[str, str], names: Sequence[str]) -> None:
        """Add what a coder said of a sentence.

        Raises
        ------
        InputError
            If the coder said something else of the same sentence already.
        """
        labels = self.coders.setdefault(coder, {})
        if labels.setdefault(key, frozenset(names)) != frozenset(names):
            raise InputError(
                f"{coder} labels the sentence {key[2][:80]!r} twice, and differently; "
                "keep one of the two, or name the articles."
            )
        self.rows.setdefault(key, dict(row))

    def conflicts(self) -> list[Key]:
        """Return the sentences on which coders disagree and nothing was decided."""
        return [key for key in conflicts(self.coders) if key not in self.rulings]

    def merged(self, columns: Columns) -> Records:
        """Return every sentence on which all who labeled it agree, or that was decided, as rows with their labels."""
        order = {name: i for i, name in enumerate(self.frames)}
        own = (columns.group, "sentence_index", columns.text)
        records = Records([columns.group, "sentence_index", columns.text, columns.label, "coders"])
        disputed = 0
        for number, (key, row) in enumerate(self.rows.items(), 1):
            said = {coder: labels[key] for coder, labels in self.coders.items() if key in labels}
            if key in self.rulings:
                names = self.rulings[key]
            elif len(set(said.values())) == 1:
                names = next(iter(said.values()))
            else:
                disputed += 1
                continue
            cells = dict(zip(own, key, strict=True))
            cells[columns.label] = columns.separator.join(sorted(names, key=lambda name: order.get(name, len(order))))
            cells["coders"] = columns.separator.join(said)
            records.add({**cells, **{name: cell for name, cell in row.items() if name not in cells}}, number)
        if disputed:
            records.skipped["sentences whose coders disagree"] = disputed
        for name in (columns.group, "sentence_index"):
            if not any(row[name] for row in records.rows):
                records.header.remove(name)
        for row in records.rows:
            for name in records.header:
                row.setdefault(name, "")
        return records


def read_coding(paths: Sequence[Path], columns: Columns) -> Coding:
    """Read what coders said.

    Parameters
    ----------
    paths : sequence of Path
        A file per coder, whose name is the coder's; or one project; or one export of Label Studio, in which every
        annotator is a coder.
    columns : Columns

    Returns
    -------
    Coding

    Raises
    ------
    InputError
        If a file cannot be read, or there are fewer than two coders.
    """
    coding = Coding()
    names = [path.stem for path in paths]
    for path, name in zip(paths, names, strict=True):
        coder = name if names.count(name) == 1 else str(path)
        if is_project(path):
            if len(paths) > 1:
                raise InputError(f"{path} is a project, which has coders of its own; give it alone.")
            _add_project(coding, path)
        else:
            _add_file(coding, path, coder, columns)
    if len(coding.coders) < 2:
        who = next(iter(coding.coders), "nobody")
        raise InputError(f"labels of {who} alone; agreement needs two coders: give a file of each, or a project.")
    return coding


def _add_file(coding: Coding, path: Path, coder: str, columns: Columns) -> None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror or error}.") from None
    if detect_format(path, data) == "label-studio":
        found = read_annotators(data.removeprefix(b"\xef\xbb\xbf"), path, columns)
        several = len({who for _, _, said in found for who in said}) > 1
        for text, fields, said in found:
            for who, names in said.items():
                coding.add(who if several else coder, _key(text, fields, columns), fields, names)
        return
    records = read_records(path, columns)
    if records.predicted:
        raise InputError(f"{path}: these labels are a model's, as framing score writes them, and no coder's.")
    for row in records.rows:
        if is_labeled(row, columns):
            rest = {name: cell for name, cell in row.items() if name != columns.label}
            coding.add(coder, _key(row[columns.text], row, columns), rest, row_labels(row, columns))


def _key(text: str, fields: Mapping[str, str], columns: Columns) -> Key:
    return fields.get(columns.group, ""), fields.get("sentence_index", ""), text


def _add_project(coding: Coding, path: Path) -> None:
    with Project(path) as project:
        ledger = Ledger.of(project.events())
        if ledger.codebook["frames"]:
            coding.codebook = codebook_of(ledger.codebook)
        for passage in project.passages(list(ledger.decisions)):
            key = (passage.article_id, str(passage.place), passage.text)
            row = {"title": passage.title or "", "source": passage.source}
            comments = ledger.comments.get(passage.sentence, {})
            row["comments"] = " / ".join(f"{coder}: {text}" for coder, text in comments.items() if text)
            for coder, frames in ledger.votes(passage.sentence, blind=True).items():
                coding.add(coder, key, row, ledger.names(frames))
            if passage.sentence in ledger.rulings:
                coding.rulings[key] = frozenset(ledger.names(ledger.rulings[passage.sentence][-1].frames))
