"""The labeled corpus: read, check and write labeled CSV; folds grouped by article; other tools' labels."""

from classifier.codebook import Task
from classifier.corpus.check import check_corpus
from classifier.corpus.corpus import LabeledCorpus, choose_codebook, read_corpus, write_corpus
from classifier.corpus.interchange import (
    LABEL_FORMATS,
    Records,
    convert,
    label_studio_config,
    read_records,
    write_records,
)
from classifier.corpus.table import MAX_CELL, Columns, Problem

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
