"""The labeled corpus: read and write it; folds grouped by article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.codebook import Codebook, Task
from classifier.corpus.check import check_table, read_labels
from classifier.corpus.table import Columns, Table, split_labels
from classifier.errors import InputError
from classifier.system.files import csv_lines, file_replaced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


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
        """Return the file's columns as a pandas DataFrame of strings, with `texts` and `labels` as read.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame({name: list(values) for name, values in self.columns.items()})


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
    table = read_labels(path, columns)
    if columns.label not in table.header:
        return None
    found = {name for cell in table.column(columns.label) for name in split_labels(cell, columns.separator)}
    return next((codebook for codebook in candidates if found & set(codebook.names)), None)


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
        from classifier.codebook import default_codebook

        codebook = choose_codebook(path, columns, default_codebook())
    return corpus_of(read_labels(path, columns), path, columns, codebook, task, n_folds)


def corpus_of(
    table: Table,
    path: str | Path,
    columns: Columns = Columns(),
    codebook: Codebook | None = None,
    task: Task | None = None,
    n_folds: int = 2,
) -> LabeledCorpus:
    """Make a corpus of a table that was read already; see `read_corpus`.

    Parameters
    ----------
    table : Table
    path : str or Path
        Named in messages, and kept.
    columns, codebook, task, n_folds
        As for `read_corpus`; without a codebook the labels found are the frames.

    Returns
    -------
    LabeledCorpus

    Raises
    ------
    InputError
        As `read_corpus`.
    """
    errors = [problem for problem in check_table(table, columns, codebook, n_folds) if problem.severity == "error"]
    if errors:
        lines = [f"  line {p.line}: {p.message}" if p.line else f"  {p.message}" for p in errors[:20]]
        more = [f"  … and {len(errors) - 20} more"] if len(errors) > 20 else []
        raise InputError("\n".join([f"{path}: {len(errors)} error(s):", *lines, *more]))
    found = [split_labels(cell, columns.separator) for cell in table.column(columns.label)]
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
