"""A model directory: saved whole or not at all, loaded without unpickling anything."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.codebook import Codebook, read_codebook
from classifier.errors import FramingError, InputError
from classifier.files import directory_replaced

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from classifier.model import Model

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
_OWN = {MANIFEST, WEIGHTS, VOCABULARY, PIPELINE, METRICS, CARD, TRAINED_ON}

#: Largest model.json read, in bytes.
MAX_MANIFEST = 64_000_000

_PACKAGE = Path(__file__).parent


def default_model_directory() -> Path:
    """Return where the model that comes with this package is: inside the package, else in its checkout."""
    installed = _PACKAGE / "artifacts" / "framing"
    return installed if installed.is_dir() else _PACKAGE.parent / "artifacts" / "framing"


def default_codebook() -> Codebook:
    """Return the codebook that comes with this package."""
    installed = _PACKAGE / "datasets" / "codebook.toml"
    return read_codebook(installed if installed.is_file() else _PACKAGE.parent / "datasets" / "codebook.toml")


def save_model(model: Model, path: str | Path) -> None:
    """Write a model directory, whole or not at all.

    Parameters
    ----------
    model : Model
    path : str or Path
        A directory; an earlier model there is replaced in one step, other files in it are kept.

    Raises
    ------
    InputError
        If `path` is a file, or a directory that holds something other than a model.
    FramingError
        If it cannot be written; what was there is left as it was.
    """
    import joblib
    import numpy as np
    from safetensors.numpy import save

    from classifier.card import model_card

    check_target(path)
    target = Path(path)
    ngrams = [ngram for block in model.vocabulary for ngram in block]
    files: dict[str, bytes] = {
        WEIGHTS: save(
            {
                "idf": np.ascontiguousarray(model.idf, dtype=np.float32),
                "coefficients": np.ascontiguousarray(model.coefficients, dtype=np.float32),
                "intercepts": np.ascontiguousarray(model.intercepts, dtype=np.float64),
            }
        ),
        VOCABULARY: "".join(f"{ngram}\n" for ngram in ngrams).encode("utf-8", "surrogatepass"),
        METRICS: _json(model.metrics),
        CARD: model_card(model).encode(),
        TRAINED_ON: save({"fingerprints": np.ascontiguousarray(model.trained_on, dtype=np.uint64)}),
    }
    with directory_replaced(target) as directory:
        try:
            for name, data in files.items():
                (directory / name).write_bytes(data)
            joblib.dump(to_pipeline(model), directory / PIPELINE, compress=3)
            manifest = _manifest(model, directory)
            (directory / MANIFEST).write_bytes(_json(manifest))
            if target.is_dir():
                for other in target.iterdir():
                    if other.name not in _OWN:
                        _copy(other, directory / other.name)
        except OSError as error:
            raise FramingError(f"{path}: cannot write the model: {error.strerror or error}.") from None


def check_target(path: str | Path) -> None:
    """Refuse a path where no model may be written; see `save_model`.

    Raises
    ------
    InputError
        If `path` is a file, or a directory that holds something other than a model.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise InputError(f"{path} is a file; give a directory for the model.")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise InputError(f"{path} holds files but no model; give an empty or new directory.")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _manifest(model: Model, directory: Path) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "name": model.name,
        "task": model.task,
        "frames": list(model.frames),
        "codebook": model.codebook.to_dict(),
        "blocks": [
            {
                "kind": block.kind,
                "shortest": block.shortest,
                "longest": block.longest,
                "min_df": block.min_df,
                "ngrams": len(ngrams),
            }
            for block, ngrams in zip(model.blocks, model.vocabulary, strict=True)
        ],
        "thresholds": [float(value) for value in model.thresholds],
        "context": model.context.to_dict() if model.context else None,
        "domain": model.domain.to_dict() if model.domain else None,
        "provenance": dict(model.provenance),
        "files": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.iterdir())},
    }
    return {**manifest, "checksum": _checksum(manifest)}


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def _checksum(manifest: Mapping[str, Any]) -> str:
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
    if manifest.get("checksum") != _checksum(manifest) or data != _json(manifest):
        raise InputError(f"{path}: changed since it was saved (its checksum differs); train it again.")
    return manifest


def _build(manifest: Mapping[str, Any], directory: Path) -> Model:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from classifier.context import Context
    from classifier.domain import Domain
    from classifier.features import Block
    from classifier.model import Model

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
    thresholds = np.array(manifest["thresholds"], dtype=np.float64)
    if thresholds.shape != (len(codebook.frames),):
        raise ValueError("thresholds")
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
        metrics=json.loads(contents[METRICS]),
        provenance=manifest["provenance"],
        domain=Domain.from_dict(manifest["domain"]) if manifest.get("domain") else None,
        trained_on=known,
    )


def _verified(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; the model is incomplete, train it again.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: changed or truncated since it was saved (its SHA-256 differs); train it again.")
    return data


def to_pipeline(model: Model) -> Pipeline:
    """Return the model as a fitted scikit-learn ``Pipeline`` of standard objects.

    Parameters
    ----------
    model : Model

    Returns
    -------
    sklearn.pipeline.Pipeline
        ``FeatureUnion`` of ``TfidfVectorizer`` and ``LogisticRegression`` (one a frame in a ``OneVsRestClassifier``
        for multilabel); blocks of roles analyze with this package's `RoleAnalyzer`. ``predict_proba`` equals the
        model's to 1e-5, of sentences alone; ``predict`` knows nothing of its thresholds.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import LabelBinarizer

    vectorizers, start = [], 0
    for block, ngrams in zip(model.blocks, model.vocabulary, strict=True):
        idf = model.idf[start : start + len(ngrams)]
        start += len(ngrams)
        # scikit-learn refuses an empty vocabulary; such a block has no features anyway.
        if ngrams:
            vectorizers.append((block.kind, block.vectorizer(ngrams, idf, model.roles)))
    coefficients = model.coefficients.astype(np.float64).T
    n_features = coefficients.shape[1]

    def regression(rows: Any, intercepts: Any, classes: Any) -> LogisticRegression:
        fitted = LogisticRegression()
        fitted.coef_, fitted.intercept_ = rows, intercepts
        fitted.classes_, fitted.n_features_in_ = classes, n_features
        fitted.n_iter_ = np.zeros(1, dtype=np.int32)
        return fitted

    if model.task == "multiclass":
        rows, intercepts = coefficients, model.intercepts
        if len(model.frames) == 2:
            # With two classes scikit-learn's own form is one logistic regression of the second against the first.
            rows, intercepts = rows[1:] - rows[:1], intercepts[1:] - intercepts[:1]
        final = regression(rows, intercepts, np.array(model.frames))
    else:
        final = OneVsRestClassifier(LogisticRegression())
        final.estimators_ = [
            regression(coefficients[i : i + 1], model.intercepts[i : i + 1], np.array([0, 1]))
            for i in range(len(model.frames))
        ]
        indicator = np.eye(2, len(model.frames), dtype=int) if len(model.frames) > 1 else np.array([0, 1])
        final.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(indicator)
        final.classes_ = np.array(model.frames)
        final.n_features_in_ = n_features
    return Pipeline([("features", FeatureUnion(vectorizers)), ("classifier", final)])
