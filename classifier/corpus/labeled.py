"""The labeled corpus: read, check and write it; folds grouped by article."""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from classifier.codebook import NOT_A_NAME, Codebook, is_frame_name
from classifier.errors import InputError
from classifier.files import csv_lines, file_replaced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Task = Literal["multilabel", "multiclass"]

#: The longest cell read, in characters; a longer one is nearly always an unclosed quotation mark.
MAX_CELL = 10_000_000

_DELIMITERS = (",", ";", "\t")

#: Read after the last line: a cell of its own, unless a quotation mark is still open.
_END = "\0end\0"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a labeled CSV keeps what training needs.

    Parameters
    ----------
    text, label, group : str
        Column names. The group column is optional in the file.
    separator : str
        Between several labels of one cell.
    """

    text: str = "text"
    label: str = "labels"
    group: str = "article_id"
    separator: str = "|"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong, or doubtful, in a labeled CSV.

    Parameters
    ----------
    line : int
        Line of the file, from 1; 0 where the problem is the file's as a whole.
    severity : {"error", "warning"}
        Errors stop training; warnings do not.
    message : str
        What is wrong and what to do.
    """

    line: int
    severity: Literal["error", "warning"]
    message: str


@dataclass(frozen=True)
class LabeledCorpus:
    """Labeled sentences.

    Parameters
    ----------
    texts : tuple of str
        The sentences, in the order of the file.
    labels : tuple of tuple of str
        The frames of each sentence, in the codebook's order; an empty tuple is "no frame".
    codebook : Codebook
        The frames and their order.
    task : {"multilabel", "multiclass"}
        Multilabel: any number of frames a sentence. Multiclass: exactly one.
    groups : tuple of str or None
        The article each sentence belongs to, in which it is read; folds never divide an article. A sentence with an
        empty name is an article of its own.
    columns : mapping of str to tuple of str
        Every column of the file, as read.
    sha256 : str
        Of the file's bytes; empty for a corpus made in memory.
    path : str
        Where it was read from; empty for a corpus made in memory.
    """

    texts: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codebook: Codebook
    task: Task = "multilabel"
    groups: tuple[str, ...] | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sha256: str = ""
    path: str = ""

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames' names, in the codebook's order."""
        return self.codebook.names

    @cached_property
    def targets(self) -> npt.NDArray[np.bool_]:
        """Labels as a matrix of shape (n_sentences, n_frames)."""
        import numpy as np

        matrix = np.zeros((len(self), len(self.frames)), dtype=bool)
        column = {name: i for i, name in enumerate(self.frames)}
        for row, names in enumerate(self.labels):
            for name in names:
                matrix[row, column[name]] = True
        return matrix

    @cached_property
    def group_ids(self) -> npt.NDArray[np.int64]:
        """The group of each sentence as an integer, from 0 in order of appearance.

        Where the corpus names no article a sentence is a group of its own, and equal texts share one,
        so that no text is ever both learned from and tested on.
        """
        import numpy as np

        groups = self.groups if self.groups is not None else [""] * len(self)
        keys = [(group, "" if group else text) for group, text in zip(groups, self.texts, strict=True)]
        ids: dict[tuple[str, str], int] = {}
        return np.array([ids.setdefault(key, len(ids)) for key in keys], dtype=np.int64)

    def by_article(self, rows: npt.NDArray[np.intp] | None = None) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Sort rows by article, and within one by ``sentence_index`` where that column holds numbers, else as they are.

        Parameters
        ----------
        rows : ndarray of int, optional
            All by default.

        Returns
        -------
        order : ndarray of int
            Places in `rows`, article after article.
        sizes : ndarray of int
            Sentences of each article: one, where the corpus names no articles.
        """
        import numpy as np

        rows = np.arange(len(self)) if rows is None else rows
        # Sentences without an article may share a group, for their texts are equal, but stand in no article together.
        named = np.array([bool(self.groups and self.groups[row]) for row in rows], dtype=bool)
        ids = np.where(named, self.group_ids[rows], len(self) + np.arange(len(rows)))
        _, articles, sizes = np.unique(ids, return_inverse=True, return_counts=True)
        cells = self.columns.get("sentence_index", ())
        places = [int(cells[row]) if cells and cells[row].isdecimal() else -1 for row in rows]
        return np.lexsort((np.array(places), articles)), sizes

    def folds(
        self, n_folds: int, seed: int, rows: npt.NDArray[np.intp] | None = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Divide the corpus for cross-validation: by article, with frames spread evenly.

        Parameters
        ----------
        n_folds : int
            At least 2.
        seed : int
            Of the shuffle.
        rows : ndarray of int, optional
            Divide these rows only.

        Yields
        ------
        train, test : ndarray of int
            Row numbers of the corpus.

        Raises
        ------
        InputError
            If there are fewer articles than folds.

        Notes
        -----
        scikit-learn's ``StratifiedGroupKFold`` on the combination of labels of each sentence.
        """
        import numpy as np
        from sklearn.model_selection import StratifiedGroupKFold

        rows = np.arange(len(self)) if rows is None else rows
        groups = self.group_ids[rows]
        n_groups = len(np.unique(groups))
        if n_groups < n_folds:
            unit = "distinct sentences" if self.groups is None else "articles"
            raise InputError(f"{n_folds} folds of {n_groups} {unit}: too few; label more, or ask for fewer folds.")
        # Rare combinations (three frames at once) count as their first frame, and where that is rare too as the
        # commonest stratum: a stratum needs a member a fold.
        combinations = Counter(self.labels[row] for row in rows)
        strata = [
            names if combinations[names] >= n_folds else names[:1] for names in (self.labels[row] for row in rows)
        ]
        sizes = Counter(strata)
        commonest = max(sizes, key=lambda names: (sizes[names], names))
        strata = [names if sizes[names] >= n_folds else commonest for names in strata]
        stratum_ids = {names: i for i, names in enumerate(sorted(set(strata)))}
        splitter = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
        codes = np.array([stratum_ids[names] for names in strata])
        for train, test in splitter.split(codes, codes, groups):
            yield rows[train], rows[test]

    def to_frame(self) -> pd.DataFrame:
        """Return the file's columns as a pandas DataFrame of strings, with `texts` and `labels` as read."""
        import pandas as pd

        return pd.DataFrame({name: list(values) for name, values in self.columns.items()})


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


@dataclass(slots=True)
class _Table:
    """A CSV file as rows with line numbers, and what is wrong with its form."""

    header: list[str]
    rows: list[_Row]
    problems: list[Problem]
    sha256: str
    cut_short: bool = False

    def column(self, name: str) -> list[str]:
        index = self.header.index(name)
        return [row.cells[index] for row in self.rows]


def read_table(path: str | Path) -> _Table:
    """Read a CSV file as rows with line numbers, noting what is wrong with its form."""
    return _read_table(path)


def _read_table(path: str | Path) -> _Table:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror or error}.") from None
    problems: list[Problem] = []
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        start = mark + error.start
        line = data.count(b"\n", 0, start) + 1
        column = start - (data.rfind(b"\n", 0, start) + 1) + 1
        problems.append(
            Problem(
                line,
                "error",
                f"not UTF-8: byte 0x{data[start]:02x} at byte {column} of the line "
                f"(byte {start} of the file); save the file as UTF-8",
            )
        )
        text = data[mark:].decode("utf-8", errors="replace")
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(itertools.chain(io.StringIO(text, newline=""), [_END]), delimiter=delimiter)
    header: list[str] = []
    rows: list[_Row] = []
    line = 1
    cut_short = False
    try:
        for cells in reader:
            if cells == [_END]:
                break
            if cells and cells[-1].endswith(_END):
                message = (
                    "a quotation mark opens a cell here that no other closes; close it, or double it to mean itself"
                )
                problems.append(Problem(line, "error", message))
                cut_short = True
                break
            if not cells:
                line = reader.line_num + 1
                continue
            if not header:
                header = [name.strip() for name in cells]
            elif len(cells) != len(header):
                problems.append(
                    Problem(
                        line,
                        "error",
                        f"{len(cells)} cells where the header has {len(header)}; "
                        "quote cells that contain a comma or a line break",
                    )
                )
            else:
                rows.append(_Row(line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(line, "error", f"not CSV from here on: {error}; look for an unclosed quotation mark"))
        cut_short = True
    return _Table(header, rows, problems, hashlib.sha256(data).hexdigest(), cut_short)


def _read_labels(path: str | Path, columns: Columns) -> _Table:
    """Read a labeled CSV, or labels as another tool exports them: by extension."""
    if Path(path).suffix.lower() not in (".json", ".jsonl", ".ndjson"):
        return _read_table(path)
    from classifier.corpus.interchange import read_records

    records = read_records(path, columns)
    rows = [
        _Row(place, [row[name] for name in records.header])
        for place, row in zip(records.places, records.rows, strict=True)
    ]
    return _Table(records.header, rows, [], hashlib.sha256(Path(path).read_bytes()).hexdigest())


def _split_labels(cell: str, separator: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in cell.split(separator) if name.strip()))


def _nearest(name: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; the frames are {', '.join(map(repr, known))}"


def choose_codebook(path: str | Path, columns: Columns, default: Codebook) -> Codebook | None:
    """Find the codebook a labeled CSV was labeled with.

    Parameters
    ----------
    path : str or Path
        The CSV.
    columns : Columns
        Where the labels are.
    default : Codebook
        Used when any label of the file is one of its frames.

    Returns
    -------
    Codebook or None
        ``codebook.toml`` beside the CSV, else `default` where it fits, else None: the frames are the
        labels found in the file.
    """
    from classifier.codebook import read_codebook

    beside = Path(path).parent / "codebook.toml"
    candidates = [read_codebook(beside), default] if beside.is_file() else [default]
    table = _read_labels(path, columns)
    if columns.label not in table.header:
        return None
    found = {name for cell in table.column(columns.label) for name in _split_labels(cell, columns.separator)}
    return next((codebook for codebook in candidates if found & set(codebook.names)), None)


def check_corpus(
    path: str | Path, columns: Columns = Columns(), codebook: Codebook | None = None, n_folds: int = 5
) -> list[Problem]:
    """Find every problem of a labeled CSV.

    Parameters
    ----------
    path : str or Path
        The CSV.
    columns : Columns
        Names of its columns.
    codebook : Codebook, optional
        The frames allowed; without one every label found is a frame.
    n_folds : int
        Folds that training will ask for.

    Returns
    -------
    list of Problem
        In order of line; empty when the file is fit for training.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    return _check(_read_labels(path, columns), columns, codebook, n_folds)


def _check(table: _Table, columns: Columns, codebook: Codebook | None, n_folds: int) -> list[Problem]:
    problems = list(table.problems)
    if not table.header:
        empty = Problem(0, "error", "the file is empty; it needs a header row and labeled sentences")
        return sorted(problems) or [empty]
    for name, option in ((columns.text, "--text-column"), (columns.label, "--label-column")):
        if name not in table.header:
            problems.append(
                Problem(
                    1,
                    "error",
                    f"no column {name!r}; the header has {', '.join(map(repr, table.header))}; "
                    f"choose one with {option}",
                )
            )
    for name, count in Counter(table.header).items():
        if count > 1:
            problems.append(Problem(1, "error", f"the column {name!r} appears {count} times; give each its own name"))
    if any(problem.line <= 1 and problem.severity == "error" for problem in problems):
        return sorted(problems)
    if not table.rows and not problems:
        return sorted([*problems, Problem(0, "error", "no labeled sentences below the header")])
    problems += _check_rows(table, columns, codebook)
    if table.rows and not table.cut_short:
        problems += _check_labels(table, columns, codebook, n_folds)
    return sorted(problems)


def _check_rows(table: _Table, columns: Columns, codebook: Codebook | None) -> Iterator[Problem]:
    known = codebook.names if codebook else ()
    first_row: dict[tuple[str, ...], int] = {}
    first_text: dict[str, tuple[int, frozenset[str]]] = {}
    texts, cells = table.column(columns.text), table.column(columns.label)
    # Page furniture ("Read more") rightly recurs from article to article; a recurring text is a duplicate
    # only within one article, or where the file names no articles.
    groups = table.column(columns.group) if columns.group in table.header else [""] * len(texts)
    for row, text, cell, group in zip(table.rows, texts, cells, groups, strict=True):
        names = _split_labels(cell, columns.separator)
        if not text.strip():
            yield Problem(row.line, "error", "empty text; write the sentence or delete the row")
            continue
        for name in names:
            if not known and not is_frame_name(name):
                yield Problem(row.line, "error", f"the label {name!r} {NOT_A_NAME}")
            if known and name not in known:
                yield Problem(row.line, "error", f"unknown label {name!r}{_nearest(name, known)}")
        if columns.group in table.header and not group.strip():
            yield Problem(row.line, "warning", f"no {columns.group}: the sentence counts as an article of its own")
        key = (group, text.strip(), *sorted(names))
        line, labels = first_text.setdefault(text.strip(), (row.line, frozenset(names)))
        if key in first_row:
            yield Problem(row.line, "warning", f"duplicate of line {first_row[key]}; delete one of them")
        elif labels != frozenset(names):
            yield Problem(
                row.line,
                "warning",
                f"same text as line {line} with different labels ({_show(labels)} there, {_show(names)} here); "
                "decide which is right",
            )
        first_row.setdefault(key, row.line)


def _show(names: Sequence[str] | frozenset[str]) -> str:
    return "|".join(sorted(names)) or "no frame"


def _check_labels(table: _Table, columns: Columns, codebook: Codebook | None, n_folds: int) -> Iterator[Problem]:
    labels = [_split_labels(cell, columns.separator) for cell in table.column(columns.label)]
    counts = Counter(name for names in labels for name in names)
    if counts and all(_is_number(name) for name in counts):
        some = ", ".join(sorted(counts)[:3])
        yield Problem(
            0, "warning", f"the labels in {columns.label!r} look like numbers ({some}); is it the label column?"
        )
    if len({frozenset(names) for names in labels}) < 2:
        yield Problem(0, "error", f"every sentence has the same labels ({_show(labels[0])}); there is nothing to learn")
        return
    grouped = columns.group in table.header
    groups = table.column(columns.group if grouped else columns.text)
    homes: dict[str, set[str]] = defaultdict(set)
    for names, group in zip(labels, groups, strict=True):
        for name in names:
            homes[name].add(group)
    unit = "articles" if grouped else "distinct sentences"
    for name in codebook.names if codebook else sorted(counts):
        if codebook is None and counts[name] == 1:
            close = difflib.get_close_matches(name, [other for other in counts if counts[other] > 1], n=1, cutoff=0.8)
            if close:
                yield Problem(0, "warning", f"the label {name!r} occurs once; did you mean {close[0]!r}?")
        if len(homes[name]) < n_folds:
            yield Problem(
                0,
                "error",
                f"too few examples of {name!r}: {counts[name]} in {len(homes[name])} {unit}; "
                f"{n_folds} folds need at least {n_folds} {unit} (label more, or ask for fewer with --folds)",
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_corpus(
    path: str | Path,
    columns: Columns = Columns(),
    codebook: Codebook | None = None,
    task: Task | None = None,
    n_folds: int = 2,
) -> LabeledCorpus:
    r"""Read a labeled CSV.

    Parameters
    ----------
    path : str or Path
        UTF-8, with a header row; see the README for the columns.
    columns : Columns
        Names of its columns.
    codebook : Codebook, optional
        The frames allowed and their order. By default ``codebook.toml`` beside the file, else the frames
        that come with this package where the labels are theirs, else the labels found, most frequent first.
    task : {"multilabel", "multiclass"}, optional
        By default multilabel when any sentence has no label or several, else multiclass.
    n_folds : int
        Folds the corpus must allow.

    Returns
    -------
    LabeledCorpus

    Raises
    ------
    InputError
        Naming every error that `check_corpus` finds, or a task that does not fit the labels.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.csv"
    >>> _ = path.write_text("text,labels\nRain is likely.,weather\nShares rose.,business\n"
    ...                     "Snow fell.,weather\nProfits fell.,business\n", encoding="utf-8")
    >>> corpus = read_corpus(path)
    >>> corpus.task, corpus.frames, len(corpus)
    ('multiclass', ('business', 'weather'), 4)
    """
    if codebook is None:
        from classifier.persistence import default_codebook

        codebook = choose_codebook(path, columns, default_codebook())
    table = _read_labels(path, columns)
    errors = [problem for problem in _check(table, columns, codebook, n_folds) if problem.severity == "error"]
    if errors:
        lines = [f"  line {p.line}: {p.message}" if p.line else f"  {p.message}" for p in errors[:20]]
        more = [f"  … and {len(errors) - 20} more"] if len(errors) > 20 else []
        raise InputError("\n".join([f"{path}: {len(errors)} error(s):", *lines, *more]))
    found = [_split_labels(cell, columns.separator) for cell in table.column(columns.label)]
    if codebook is None:
        counts = Counter(name for names in found for name in names)
        codebook = Codebook.from_names(sorted(counts, key=lambda name: (-counts[name], name)), Path(path).stem)
    if task is None:
        task = "multiclass" if all(len(names) == 1 for names in found) else "multilabel"
    elif task == "multiclass":
        for row, names in zip(table.rows, found, strict=True):
            if len(names) != 1:
                raise InputError(
                    f"{path}, line {row.line}: {len(names)} labels where --task multiclass needs exactly one."
                )
    order = {name: i for i, name in enumerate(codebook.names)}
    return LabeledCorpus(
        texts=tuple(table.column(columns.text)),
        labels=tuple(tuple(sorted(names, key=order.__getitem__)) for names in found),
        codebook=codebook,
        task=task,
        groups=tuple(table.column(columns.group)) if columns.group in table.header else None,
        columns={name: tuple(table.column(name)) for name in table.header},
        sha256=table.sha256,
        path=str(path),
    )


def write_corpus(corpus: LabeledCorpus, path: str | Path, columns: Columns = Columns()) -> None:
    """Write a labeled CSV that `read_corpus` reads back equal.

    Parameters
    ----------
    corpus : LabeledCorpus
        Its texts, labels and groups are written, and every other column it was read with.
    path : str or Path
        Replaced whole, or not at all.
    columns : Columns
        Names to write under.
    """
    table: dict[str, Sequence[str]] = dict(corpus.columns)
    table[columns.text] = corpus.texts
    table[columns.label] = [columns.separator.join(names) for names in corpus.labels]
    if corpus.groups is not None:
        table[columns.group] = corpus.groups
    lines = csv_lines([tuple(table), *zip(*table.values(), strict=True)])
    with file_replaced(path) as stream:
        stream.write(lines.encode("utf-8"))
