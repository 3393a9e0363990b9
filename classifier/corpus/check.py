"""What is wrong, or doubtful, in a labeled CSV."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from classifier.codebook import NOT_A_NAME, Codebook, is_frame_name
from classifier.corpus.interchange import Records, read_records
from classifier.corpus.table import Columns, Problem, Row, Table, is_scored, read_table, split_labels


def read_labels(path: str | Path, columns: Columns) -> Table:
    """Read a labeled CSV, or labels as another tool exports them: by extension."""
    if Path(path).suffix.lower() not in (".json", ".jsonl", ".ndjson"):
        return read_table(path)
    records = read_records(path, columns)
    return table_of(records, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def table_of(records: Records, sha256: str) -> Table:
    """Return records as a table; the hash is of what they were read from."""
    rows = [
        Row(place, [row[name] for name in records.header])
        for place, row in zip(records.places, records.rows, strict=True)
    ]
    return Table(records.header, rows, [], sha256)


def _nearest(name: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; the frames are {', '.join(map(repr, known))}"


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
    return check_table(read_labels(path, columns), columns, codebook, n_folds)


def check_table(table: Table, columns: Columns, codebook: Codebook | None, n_folds: int) -> list[Problem]:
    """Find every problem of a labeled CSV that was read already; see `check_corpus`."""
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
    if is_scored(table.header):
        problems.append(
            Problem(
                1,
                "error",
                "these labels are a model's, as framing score writes them, and no person's: a model trained on them "
                "learns what it says already; where a person has gone over them, delete the columns 'out_of_domain' "
                "and 'model'",
            )
        )
    if any(problem.line <= 1 and problem.severity == "error" for problem in problems):
        return sorted(problems)
    if not table.rows and not problems:
        return sorted([*problems, Problem(0, "error", "no labeled sentences below the header")])
    problems += _check_rows(table, columns, codebook)
    if table.rows and not table.cut_short:
        problems += _check_labels(table, columns, codebook, n_folds)
    return sorted(problems)


def _check_rows(table: Table, columns: Columns, codebook: Codebook | None) -> Iterator[Problem]:
    known = codebook.names if codebook else ()
    first_row: dict[tuple[str, ...], int] = {}
    first_text: dict[str, tuple[int, frozenset[str]]] = {}
    texts, cells = table.column(columns.text), table.column(columns.label)
    # Page furniture ("Read more") rightly recurs from article to article; a recurring text is a duplicate
    # only within one article, or where the file names no articles.
    groups = table.column(columns.group) if columns.group in table.header else [""] * len(texts)
    for row, text, cell, group in zip(table.rows, texts, cells, groups, strict=True):
        names = split_labels(cell, columns.separator)
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


def _check_labels(table: Table, columns: Columns, codebook: Codebook | None, n_folds: int) -> Iterator[Problem]:
    labels = [split_labels(cell, columns.separator) for cell in table.column(columns.label)]
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
