"""How far two columns of labels agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.evaluation.splits import column_of
from classifier.metrics.agreement import Agreement, label_agreement


def agreement(
    corpus: LabeledCorpus,
    second: str = "labels_second",
    first: str | None = None,
    *,
    separator: str = "|",
    missing: str | None = None,
    seed: int = 0,
) -> list[Agreement]:
    """Measure how far two columns of labels agree.

    Parameters
    ----------
    corpus : LabeledCorpus
    second : str
        The column of the second annotator, in the form of the labels column.
    first : str, optional
        The column of the first; by default the corpus's labels.
    separator : str
        Between several labels of one cell.
    missing : str, optional
        What a cell holds where an annotator did not label the sentence. By default every cell counts, and an
        empty one is the decision "no frame"; give ``""`` where empty cells are sentences not labeled twice.
    seed : int
        Of the bootstrap over articles.

    Returns
    -------
    list of Agreement
        One a frame, then one of the whole sets; see `classifier.metrics.agreement.label_agreement`.

    Raises
    ------
    InputError
        If there is no such column, it names an unknown frame, or no sentence was labeled twice.
    FramingError
        If the package krippendorff is not installed.
    """
    cells = {name: column_of(corpus, name) for name in (first, second) if name is not None}
    kept = np.array([all(column[row].strip() != missing for column in cells.values()) for row in range(len(corpus))])
    if not kept.any():
        raise InputError(f"{corpus.path or 'the corpus'}: no sentence has labels in both columns.")
    marks = {name: _marks(corpus, name, column, separator, missing) for name, column in cells.items()}
    ours = corpus.targets if first is None else marks[first]
    return label_agreement(ours[kept], marks[second][kept], corpus.frames, corpus.group_ids[kept], seed)


def _marks(
    corpus: LabeledCorpus, name: str, cells: Sequence[str], separator: str, missing: str | None
) -> npt.NDArray[np.bool_]:
    column = {frame: i for i, frame in enumerate(corpus.frames)}
    matrix = np.zeros((len(cells), len(column)), dtype=bool)
    unknown: dict[str, list[int]] = defaultdict(list)
    for row, cell in enumerate(cells):
        for label in () if cell.strip() == missing else filter(None, map(str.strip, cell.split(separator))):
            if label in column:
                matrix[row, column[label]] = True
            else:
                unknown[label].append(row)
    if unknown:
        label, rows = next(iter(unknown.items()))
        where = f"{corpus.path or 'the corpus'}, column {name!r}, row {rows[0] + 1}"
        raise InputError(f"{where}: {label!r} is no frame; the frames are {', '.join(map(repr, corpus.frames))}.")
    return matrix
