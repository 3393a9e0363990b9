"""Labels that a command reads: a labeled CSV, another tool's export, or a coding project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.codebook import Codebook
    from classifier.corpus import Columns, LabeledCorpus, Problem

#: What an SQLite file begins with; compared here, as what reads projects takes long to import.
_MAGIC = b"SQLite format 3\0"


def is_project(path: Path) -> bool:
    """Tell whether a file is a coding project, by its first bytes; False for what cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_labels(path: Path, columns: Columns, codebook: Codebook | None, task: Any, n_folds: int) -> LabeledCorpus:
    """Read a corpus from a file of labels, or from a project with its own codebook; see `read_corpus`."""
    from classifier.corpus import read_corpus

    if not is_project(path):
        return read_corpus(path, columns, codebook, task, n_folds=n_folds)
    from classifier.corpus.corpus import corpus_of
    from classifier.labeling.rows import project_codebook, project_table

    codebook = codebook or project_codebook(path)
    return corpus_of(project_table(path, columns), path, columns, codebook, task or "multilabel", n_folds)


def check_labels(path: Path, columns: Columns, codebook: Codebook | None, n_folds: int) -> list[Problem]:
    """Find every problem of a file of labels, or of a project; see `check_corpus`."""
    from classifier.corpus import check_corpus, choose_codebook

    if not is_project(path):
        from classifier.codebook import default_codebook

        return check_corpus(path, columns, codebook or choose_codebook(path, columns, default_codebook()), n_folds)
    from classifier.corpus.check import check_table
    from classifier.labeling.rows import project_codebook, project_table

    return check_table(project_table(path, columns), columns, codebook or project_codebook(path), n_folds)
