"""What is fuzzed: each target takes bytes, and only a `FramingError` may leave it."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from classifier import FramingError, Model, load_model
from classifier.articles import Article, Limits, ReadOptions
from classifier.articles.containers import container_documents, is_container
from classifier.articles.formats import ISOLATED, detect
from classifier.articles.isolation import parse
from classifier.articles.tabular import read_csv, read_json, read_jsonl
from classifier.corpus import Columns, check_corpus, convert
from classifier.model.load import default_model_directory
from classifier.scoring import ScoredArticle, score_article

OPTIONS = ReadOptions(keep=("x", "a.b"), limits=Limits(article_bytes=1 << 16, document_bytes=1 << 18, expansion=50))
_TABLES = {"csv": read_csv, "jsonl": read_jsonl, "json": read_json}


@cache
def scratch() -> Path:
    """A folder in memory where there is one: every execution writes a file."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None))


@cache
def model() -> Model:
    return load_model()


def read_document(data: bytes) -> None:
    """A file of any format: containers, detection, decoding and the reader, all in this process."""
    _read(io.BufferedReader(io.BytesIO(data)), ["a.txt", "a", "a.json", "a.csv", "a.html"][len(data) % 5], 0)


def _read(stream: io.BufferedReader, name: str, depth: int) -> None:
    with suppress(FramingError):
        head = stream.peek()
        if is_container(head) and depth < 3:
            for inner, opener, whole in container_documents(stream, head, name, OPTIONS.limits):
                with suppress(FramingError), opener() as opened:
                    if whole:
                        _consume(parse(whole, opened.read(1 << 18), inner, OPTIONS))
                    else:
                        _read(opened, inner, depth + 1)
            return
        format_ = detect(head, name)
        if format_ in _TABLES:
            _consume(_TABLES[format_](stream, name, OPTIONS))
        elif format_ in ISOLATED or format_ == "text":
            _consume(parse(format_, stream.read(1 << 18), name, OPTIONS))


def _consume(items: object) -> None:
    for item in items:  # type: ignore[attr-defined]
        if isinstance(item, Article):
            item.text.encode()


def read_table(data: bytes) -> None:
    """A table by its first byte, so that the mutations stay in one format."""
    reader = list(_TABLES.values())[data[0] % 3] if data else read_csv
    with suppress(FramingError):
        _consume(reader(io.BufferedReader(io.BytesIO(data[1:])), "a", OPTIONS))


def read_labels(data: bytes) -> None:
    """The corpus reader and the exports of other tools."""
    name = ("a.csv", "a.jsonl", "a.json")[data[0] % 3] if data else "a.csv"
    path = scratch() / name
    path.write_bytes(data[1:])
    with suppress(FramingError):
        check_corpus(path, Columns())
    with suppress(FramingError):
        convert(path, scratch() / "out.csv", Columns())


def load_directory(data: bytes) -> None:
    """A model directory whose manifest or weights were changed."""
    directory = scratch() / "model"
    if not directory.exists():
        shutil.copytree(default_model_directory(), directory)
    name = ("model.json", "weights.safetensors", "vocabulary.txt")[data[0] % 3] if data else "model.json"
    original = (directory / name).read_bytes()
    start = int.from_bytes(data[1:4], "big") % (len(original) + 1)
    (directory / name).write_bytes(original[:start] + data[4:] + original[start + len(data[4:]) :])
    try:
        with suppress(FramingError):
            load_model(directory)
    finally:
        (directory / name).write_bytes(original)


def score(data: bytes) -> None:
    """Any text: offsets hold, results survive their JSON."""
    text = data.decode("utf-8", "replace").replace("\r", "\n")
    scored = score_article(model(), Article("a", text), explain=2)
    for item in scored.sentences:
        assert text[item.sentence.start : item.sentence.end] == item.sentence.text
    assert ScoredArticle.from_dict(json.loads(json.dumps(scored.to_dict()))).to_dict() == scored.to_dict()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "documents": read_document,
    "tables": read_table,
    "labels": read_labels,
    "models": load_directory,
    "scoring": score,
}
