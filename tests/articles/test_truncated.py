"""Files that end too early: what they hold is read, and that something is missing is said, whatever the format."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.articles import Fault, read_articles
from tests.articles.zst import zstd

ROWS = 2_000
LINES = [
    json.dumps({"id": i, "text": f"Sentence number {i} was written in Minsk on day {i * 7919 % 365}."})
    for i in range(ROWS)
]
JSONL = "".join(f"{line}\n" for line in LINES).encode()
TABLE = pa.Table.from_pylist([json.loads(line) for line in LINES])

#: Frames of Zstandard, members of gzip: streams that others follow.
PARTS = ["".join(f"{line}\n" for line in LINES[i : i + 250]).encode() for i in range(0, ROWS, 250)]


def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(TABLE, stream, row_group_size=300)
    return stream.getvalue()


def arrow(new: Callable[..., pa.RecordBatchWriter]) -> bytes:
    stream = io.BytesIO()
    with new(stream, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=300)
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as writer:
        for i, part in enumerate(PARTS):
            writer.writestr(f"{i}.jsonl", part)
    return stream.getvalue()


FILES: dict[str, bytes] = {
    "a.jsonl": JSONL,
    "a.json": ("[" + ",".join(LINES) + "]").encode(),
    "a.jsonl.gz": gzip.compress(JSONL),
    "several.jsonl.gz": b"".join(map(gzip.compress, PARTS)),
    "a.jsonl.zst": zstd.compress(JSONL),
    "several.jsonl.zst": b"".join(map(zstd.compress, PARTS)),
    "checked.jsonl.zst": zstd.compress(JSONL, options={zstd.CompressionParameter.checksum_flag: 1}),
    "a.zip": archive(),
    "a.parquet": parquet(),
    "a.arrow": arrow(pa.ipc.new_file),
    "stream.arrow": arrow(pa.ipc.new_stream),
}


def whole(name: str, size: int) -> bool:
    """Whether a cut leaves a whole file, only shorter: lines end there, or a stream that others could follow."""
    data = FILES[name]
    if name == "a.jsonl":
        return size == 0 or data[size - 1 : size] == b"\n" or data[size : size + 1] == b"\n"
    if name.startswith("several"):
        compress = gzip.compress if name.endswith("gz") else zstd.compress
        ends, end = {0}, 0
        for part in PARTS:
            end += len(compress(part))
            ends.add(end)
        return size in ends
    return False


def cuts(data: bytes) -> list[int]:
    """Twenty places: spread evenly, and the last bytes, where only an ending is missing."""
    return [len(data) * i // 17 for i in range(1, 17)] + [len(data) - i for i in (1, 2, 4, 9)]


@pytest.mark.parametrize("name", FILES)
def test_every_cut_that_drops_content_is_named(name: str, tmp_path: Path) -> None:
    data, path = FILES[name], tmp_path / name
    path.write_bytes(data)
    faults: list[Fault] = []
    assert len(list(read_articles([path], on_fault=faults.append))) == ROWS
    assert faults == []
    silent = []
    for size in cuts(data):
        path.write_bytes(data[:size])
        faults.clear()
        read = len(list(read_articles([path], on_fault=faults.append)))
        if read < ROWS and not faults and not whole(name, size):
            silent.append((size, read))
    assert silent == []


@pytest.mark.parametrize("name", ["several.jsonl.zst", "a.jsonl.gz", "a.parquet", "stream.arrow", "a.zip"])
def test_a_strict_run_fails(name: str, tmp_path: Path, cli: Callable[..., object]) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name][: len(FILES[name]) * 3 // 5])
    result = cli("score", path, "-o", tmp_path / "out.jsonl", "--strict", "--quiet")
    assert result.exit_code in (1, 2)  # type: ignore[attr-defined]
