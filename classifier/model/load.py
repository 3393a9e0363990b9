"""A model directory, loaded without unpickling anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{directory}: the model is damaged ({error!r}); train it again.") from None


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
    if manifest.get("checksum") != checksum(manifest) or data != manifest_bytes(manifest):
        raise InputError(f"{path}: changed since it was saved (its checksum differs); train it again.")
    return manifest


def _build(manifest: Mapping[str, Any], directory: Path) -> Model:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from classifier.features.ngrams import Block
    from classifier.model.context import Context
    from classifier.model.model import Model
    from classifier.model.novelty import Domain

    required = [*_REQUIRED, *([TRAINED_ON] if TRAINED_ON in manifest["files"] else [])]
    contents = {name: _verified(directory / name, manifest["files"][name]) for name in required}
    ngrams = contents[VOCABULARY].decode("utf-8", "surrogatepass").split("\n")[:-1]
    vocabulary, start = [], 0
    for entry in manifest["blocks"]:
        vocabulary.append(tuple(ngrams[start : start + entry["ngrams"]]))
        start += entry["ngrams"]
    try:
        arrays = load(contents[WEIGHTS])
        known = load(contents[TRAINED_ON])["fingerprints"] if TRAINED_ON in contents else np.zeros(0, dtype=np.uint64)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS}: {error}") from None
    codebook = Codebook.from_dict(manifest["codebook"], f"{directory / MANIFEST}")
    shapes = {"idf": (start,), "coefficients": (start, len(codebook.frames)), "intercepts": (len(codebook.frames),)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {shape}")
    if len(ngrams) != start or manifest["task"] not in ("multilabel", "multiclass"):
        raise ValueError("vocabulary or task")
    thresholds = _thresholds(manifest["thresholds"], len(codebook.frames))
    alone = manifest.get("thresholds_alone")
    context = None
    if manifest.get("context") is not None:
        context = Context.from_dict(manifest["context"], len(codebook.frames), len(codebook.subjects))
    return Model(
        name=str(manifest["name"]),
        codebook=codebook,
        task=manifest["task"],
        blocks=tuple(
            Block(entry["kind"], entry["shortest"], entry["longest"], entry["min_df"]) for entry in manifest["blocks"]
        ),
        vocabulary=tuple(vocabulary),
        idf=arrays["idf"],
        coefficients=arrays["coefficients"],
        intercepts=arrays["intercepts"],
        thresholds=thresholds,
        context=context,
        thresholds_alone=None if alone is None else _thresholds(alone, len(codebook.frames)),
        metrics=json.loads(contents[METRICS]),
        provenance=manifest["provenance"],
        domain=Domain.from_dict(manifest["domain"]) if manifest.get("domain") else None,
        trained_on=known,
    )


def _thresholds(values: Any, n_frames: int) -> npt.NDArray[np.float64]:
    import numpy as np

    thresholds = np.array(values, dtype=np.float64)
    if thresholds.shape != (n_frames,) or not ((thresholds >= 0) & (thresholds <= 1)).all():
        raise ValueError("thresholds")
    return thresholds


def _verified(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; the model is incomplete, train it again.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: changed or truncated since it was saved (its SHA-256 differs); train it again.")
    return data
