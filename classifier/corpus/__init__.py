"""The labeled corpus: read, check and write labeled CSV; folds grouped by article; other tools' labels."""

from classifier.corpus.interchange import (
    LABEL_FORMATS,
    Records,
    convert,
    label_studio_config,
    read_records,
    write_records,
)
from classifier.corpus.labeled import (
    MAX_CELL,
    Columns,
    LabeledCorpus,
    Problem,
    Task,
    check_corpus,
    choose_codebook,
    read_corpus,
    write_corpus,
)

__all__ = [
    "LABEL_FORMATS",
    "MAX_CELL",
    "Columns",
    "LabeledCorpus",
    "Problem",
    "Records",
    "Task",
    "check_corpus",
    "choose_codebook",
    "convert",
    "label_studio_config",
    "read_corpus",
    "read_records",
    "write_corpus",
    "write_records",
]
