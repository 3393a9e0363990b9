"""A model directory, loaded without unpickling anything."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.codebook import Codebook
from classifier.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from classifier.model.model import Model

#: Version of the directory's format; a reader refuses others.
FORMAT = 1

MANIFEST = "model.json"

WEIGHTS = "weights.safetensors"

VOCABULARY = "vocabulary.txt"

PIPELINE = "pipeline.joblib"

METRICS = "metrics.json"

CARD = "MODEL_CARD.md"

TRAINED_ON = "trained_on.safetensors"

_REQUIRED = (WEIGHTS, VOCABULARY, METRICS)

#: Blocks of a model at most.
MAX_BLOCKS = 64

#: Largest model.json read, in bytes.
MAX_MANIFEST = 64_000_000

_PACKAGE = Path(__file__).parents[1]


def default_model_directory() -> Path:
    """Return where the model that comes with this package is: inside the package, else in its checkout."""
    installed = _PACKAGE / "artifacts" / "framing"
    return installed if installed.is_dir() else _PACKAGE.parent / "artifacts" / "framing"


def manifest_bytes(data: Mapping[str, Any]) -> bytes:
    """Return a manifest, or figures, as the file of a model holds them."""
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def checksum(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without the checksum that it carries."""
    content = {key: value for key, value in manifest.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_model(path: str | Path | None = None) -> Model:
    """Load a model directory, verifying every byte that is used.

    Parameters
    ----------
    path : str or Path, optional
        By default the model that comes with this package.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If a file is missing, changed or truncated, or the format is another version's.

    Examples
    --------
    >>> load_model().frames
    ('western_condemnation', 'russian_support', 'belarusian_official_narrative')
    """
    directory = default_model_directory() if path is None else Path(path)
    manifest = _read_manifest(directory)
    try:
        return _build(manifest, directory)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        told = f"{type(error).__name__}: {error}"[:200]
        raise InputError(f"{directory}: the model is damaged ({told}); train it again.") from None


def _read_manifest(directory: Path) -> dict[str, Any]:
    if directory.is_file():
        raise InputError(
            f"{directory} is a file; give the model's directory (the one that holds {MANIFEST}). "
            "Pickled models are never loaded."
        )
    path = directory / MANIFEST
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_MANIFEST + 1)
    except OSError as error:
        raise InputError(
            f"{directory}: no model there ({MANIFEST}: {error.strerror or error}); make one with 'framing train'."
        ) from None
    if len(data) > MAX_MANIFEST:
        raise InputError(f"{path}: larger than {MAX_MANIFEST} bytes; this is not a model.")
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON; the model is damaged, train it again.") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: not a model's manifest; train it again.")
    if manifest.get("format") != FORMAT:
        raise InputError(
            f"{path}: format {manifest.get('format')!r}, but this version reads format {FORMAT}; "
            "install the version that made it, or train it again."
        )
    try:
        unchanged = manifest.get("checksum") == checksum(manifest) and data == manifest_bytes(manifest)
    except (ValueError, RecursionError):  # lone surrogates, or nested beyond what JSON can be written
        unchanged = False
    if not unchanged:
        raise InputError(f"{path}: changed since it was saved (its checksum differs); train it again.")
    return manifest


def _build(manifest: Mapping[str, Any], directory: Path) -> Model:
    import numpy as np

    from classifier.features.ngrams import Block
    from classifier.model.context import Context
    from classifier.model.model import Model
    from classifier.model.novelty import Domain

    required = [*_REQUIRED, *([TRAINED_ON] if TRAINED_ON in manifest["files"] else [])]
    contents = {name: _verified(directory / name, manifest["files"][name]) for name in required}
    codebook = Codebook.from_dict(manifest["codebook"], f"{directory / MANIFEST}")
    n_frames = len(codebook.frames)
    blocks = tuple(
        Block(entry["kind"], entry["shortest"], entry["longest"], entry["min_df"]) for entry in manifest["blocks"]
    )
    kinds = Counter(block.kind for block in blocks)
    # A model whose training started from another has words of its own beside the other's.
    if not 1 <= len(blocks) <= MAX_BLOCKS or any(n > 1 for kind, n in kinds.items() if kind != "words"):
        raise ValueError(f"blocks: from 1 to {MAX_BLOCKS}, several of words, of other kinds one")
    vocabulary = _vocabulary(contents[VOCABULARY], [entry["ngrams"] for entry in manifest["blocks"]])
    n_features = sum(map(len, vocabulary))
    weights, n = _arrays(contents[WEIGHTS], WEIGHTS), np.dtype(np.float32)
    idf = _checked(weights, "idf", (n_features,), n)
    if (idf <= 0).any():
        raise ValueError("idf must be positive")
    thresholds, alone = _thresholds(manifest["thresholds"], n_frames), manifest.get("thresholds_alone")
    if manifest["task"] not in ("multilabel", "multiclass"):
        raise ValueError(f"task {manifest['task']!r}")
    if not isinstance(manifest["name"], str) or not isinstance(manifest["provenance"], dict):
        raise ValueError("name or provenance")
    metrics = json.loads(contents[METRICS])
    if not isinstance(metrics, dict):
        raise ValueError("metrics")
    known = _arrays(contents[TRAINED_ON], TRAINED_ON)["fingerprints"] if TRAINED_ON in contents else None
    if known is not None and (known.dtype != np.uint64 or known.ndim != 1):
        raise ValueError("fingerprints")
    context = None
    if manifest.get("context") is not None:
        context = Context.from_dict(manifest["context"], n_frames, len(codebook.subjects))
    return Model(
        name=manifest["name"],
        codebook=codebook,
        task=manifest["task"],
        blocks=blocks,
        vocabulary=vocabulary,
        idf=idf,
        coefficients=_checked(weights, "coefficients", (n_features, n_frames), n),
        intercepts=_checked(weights, "intercepts", (n_frames,), np.dtype(np.float64)),
        thresholds=thresholds,
        context=context,
        thresholds_alone=None if alone is None else _thresholds(alone, n_frames),
        metrics=metrics,
        provenance=manifest["provenance"],
        domain=Domain.from_dict(manifest["domain"]) if manifest.get("domain") else None,
        trained_on=np.zeros(0, dtype=np.uint64) if known is None else known,
    )


def _vocabulary(data: bytes, sizes: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Divide the lines of the vocabulary among the blocks; no block has an n-gram twice."""
    ngrams = data.decode("utf-8", "surrogatepass").split("\n")[:-1]
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) != len(ngrams):
        raise ValueError(f"{len(ngrams)} n-grams in blocks of {sizes}")
    ends = list(accumulate(sizes, initial=0))
    parts = tuple(tuple(ngrams[start:end]) for start, end in pairwise(ends))
    if any(len(set(part)) < len(part) for part in parts):
        raise ValueError("an n-gram stands twice in its block")
    return parts


def _arrays(data: bytes, name: str) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ValueError(f"{name}: {error}") from None


def _checked(arrays: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of which everything that the compiled path relies on was checked."""
    import numpy as np

    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not {dtype} of {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array


def _thresholds(values: Any, n_frames: int) -> npt.NDArray[np.float64]:
    import numpy as np

    thresholds = np.array(values, dtype=np.float64)
    if thresholds.shape != (n_frames,) or not ((thresholds >= 0) & (thresholds <= 1)).all():
        raise ValueError("thresholds must be probabilities, one per frame")
    return thresholds


def _verified(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; the model is incomplete, train it again.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: changed or truncated since it was saved (its SHA-256 differs); train it again.")
    return data
