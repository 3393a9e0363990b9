"""A model is released: saved whole or not at all, with its card and its scikit-learn pipeline."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.errors import FramingError, InputError
from classifier.model.load import (
    CARD,
    FORMAT,
    MANIFEST,
    METRICS,
    PIPELINE,
    TRAINED_ON,
    VOCABULARY,
    WEIGHTS,
    checksum,
    manifest_bytes,
)
from classifier.system.files import directory_replaced
from classifier.system.version import VERSION

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from classifier.model.model import Model

_OWN = {MANIFEST, WEIGHTS, VOCABULARY, PIPELINE, METRICS, CARD, TRAINED_ON}


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

    from classifier.report.card import model_card

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
        METRICS: manifest_bytes(model.metrics),
        CARD: model_card(model, VERSION).encode(),
        TRAINED_ON: save({"fingerprints": np.ascontiguousarray(model.trained_on, dtype=np.uint64)}),
    }
    with directory_replaced(target) as directory:
        try:
            for name, data in files.items():
                (directory / name).write_bytes(data)
            joblib.dump(to_pipeline(model), directory / PIPELINE, compress=3)
            manifest = _manifest(model, directory)
            (directory / MANIFEST).write_bytes(manifest_bytes(manifest))
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
    if Path(__file__).parent in Path(os.path.realpath(target)).parents:
        raise InputError(f"{path} lies in the installed package; give a directory of your own.")
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
    return {**manifest, "checksum": checksum(manifest)}


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
            vectorizers.append((block.kind, block.vectorizer(ngrams, idf, model.tagger)))
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
