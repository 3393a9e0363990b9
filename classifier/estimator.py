"""The training and the kernel of this package as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from classifier.codebook import Codebook, is_frame_name
from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.model.model import Model
from classifier.training.train import fit_model


class FrameClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Sentences labeled by frame, as a scikit-learn classifier over text.

    Parameters
    ----------
    codebook : Codebook, optional
        Frames, keywords and roles. Its frames name the columns of an indicator matrix, or the labels of `y`. Without
        one the frames are the labels found, and no roles are read.
    random_state : int
        Of the inner folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_frames,)
        Multiclass: the labels of `y`, sorted. Multilabel: the names of the frames, in the order of the columns.
    model_ : Model
        What was fitted; everything else about it can be asked there.
    multilabel_ : bool
        Whether a sentence may carry any number of frames.

    Notes
    -----
    The settings, the calibration and the thresholds are chosen by cross-validation inside `fit`, as ``framing train``
    chooses them; `predict_proba` is computed by the same kernel. Texts are read alone, as
    `sklearn.feature_extraction.text.TfidfVectorizer` reads documents: `Model.read` reads sentences in their articles.

    Examples
    --------
    >>> texts = ["The river rose.", "The river fell.", "Shares rose.", "Shares fell."] * 3
    >>> labels = ["weather", "weather", "business", "business"] * 3
    >>> FrameClassifier().fit(texts, labels).predict(["A river rose in the night."]).tolist()
    ['weather']
    """

    def __init__(self, codebook: Codebook | None = None, random_state: int = 0) -> None:
        self.codebook = codebook
        self.random_state = random_state

    @classmethod
    def from_model(cls, model: Model) -> Self:
        """Return a fitted estimator of a model that was trained before.

        Parameters
        ----------
        model : Model
            For example the one that `classifier.load_model` gives.

        Returns
        -------
        FrameClassifier
            Multilabel where the model is.
        """
        fitted = cls(codebook=model.codebook)
        fitted.model_, fitted.multilabel_ = model, model.task == "multilabel"
        fitted.classes_ = np.array(model.frames, dtype=object)
        return fitted

    def fit(self, X: Iterable[str], y: Any, groups: Sequence[Any] | npt.NDArray[Any] | None = None) -> Self:
        """Learn from labeled texts.

        Parameters
        ----------
        X : sequence of str of length n_texts
            A list, an array or a Series.
        y : array of shape (n_texts,) or (n_texts, n_frames), or sequence of sequences of str
            One label per text (multiclass); or an indicator matrix, or the labels of each text (multilabel).
        groups : sequence of length n_texts, optional
            The article of each text. The inner folds never divide one, and with them the model also learns what an
            article tells about its sentences.

        Returns
        -------
        FrameClassifier
            This estimator.

        Raises
        ------
        ValueError
            If lengths differ, a text is no string, or the labels say nothing.
        """
        texts = _texts(X)
        names, labels = self._labels(y)
        check_consistent_length(texts, labels)
        if groups is not None:
            check_consistent_length(texts, groups)
        corpus = LabeledCorpus(
            texts=tuple(texts),
            labels=tuple(labels),
            codebook=self.codebook or Codebook.from_names(names, "frames"),
            task="multilabel" if self.multilabel_ else "multiclass",
            groups=None if groups is None else tuple(map(str, groups)),
        )
        try:
            self.model_ = fit_model(corpus, seed=self.random_state)
        except InputError as error:
            raise ValueError(str(error)) from None  # what scikit-learn's searches expect
        return self

    def _labels(self, y: Any) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return the names of the frames and those of each text; note the classes and the task."""
        if y is None:
            raise ValueError("FrameClassifier requires y to be passed, but the target y is None.")
        given = _ragged(y)
        if given is not None:
            self.multilabel_ = True
            found = sorted({name for row in given for name in row})
            names = list(self.codebook.names) if self.codebook else found
            self.classes_ = np.array(names, dtype=object)
            unknown = set(found) - set(names)
            if unknown:
                raise ValueError(f"labels that are no frames of the codebook: {sorted(unknown)}")
            order = {name: i for i, name in enumerate(names)}
            return names, [tuple(sorted(set(row), key=order.__getitem__)) for row in given]
        y = np.asarray(y)
        self.multilabel_ = type_of_target(y, input_name="y").startswith("multilabel")
        if self.multilabel_:
            names = list(self.codebook.names) if self.codebook else [f"frame {i + 1}" for i in range(y.shape[1])]
            if len(names) != y.shape[1]:
                raise ValueError(f"y has {y.shape[1]} columns where the codebook has {len(names)} frames")
            self.classes_ = np.array(names, dtype=object)
            return names, [tuple(name for name, one in zip(names, row, strict=True) if one) for row in y.tolist()]
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"FrameClassifier needs at least 2 classes, but the data contains only one class: {y[0]!r}"
            )
        names = [str(label) for label in self.classes_.tolist()]
        if not all(map(is_frame_name, names)) or len(set(names)) < len(names):
            names = [f"class {i + 1}" for i in range(len(names))]
        if self.codebook is not None:
            if set(names) - set(self.codebook.names):
                raise ValueError(f"labels that are no frames of the codebook: {names}")
            names = list(self.codebook.names)
            self.classes_ = np.array(names, dtype=object)
            return names, [(str(label),) for label in y.tolist()]
        return names, [(names[place],) for place in np.searchsorted(self.classes_, y).tolist()]

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """Label texts, each read alone.

        Parameters
        ----------
        X : sequence of str of length n_texts

        Returns
        -------
        ndarray of shape (n_texts,) or (n_texts, n_frames)
            A class per text, or a matrix of zeros and ones where texts may carry any number of frames.
        """
        check_is_fitted(self, "model_")
        texts = _texts(X)
        labels = self.model_.predict(texts)
        if self.multilabel_:
            frames = self.model_.frames
            return np.array([[frame in names for frame in frames] for names in labels], dtype=int).reshape(
                len(texts), len(frames)
            )
        place = {name: i for i, name in enumerate(self.model_.frames)}
        return self.classes_[np.array([place[names[0]] for names in labels], dtype=np.intp)]

    def predict_proba(self, X: Iterable[str]) -> npt.NDArray[np.float64]:
        """Return the calibrated probability of each frame of each text, read alone.

        Parameters
        ----------
        X : sequence of str of length n_texts

        Returns
        -------
        ndarray of shape (n_texts, n_frames)
            In the order of `classes_`; multiclass rows sum to one.
        """
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(_texts(X))

    def decision_function(self, X: Iterable[str]) -> npt.NDArray[np.float64]:
        """Return the calibrated log-odds of each frame of each text, read alone.

        Parameters
        ----------
        X : sequence of str of length n_texts

        Returns
        -------
        ndarray of shape (n_texts, n_frames), or (n_texts,) for two classes
            Two classes: the log-odds of the second, as scikit-learn's binary classifiers give it.
        """
        check_is_fitted(self, "model_")
        logits = self.model_.logits(_texts(X))
        return logits[:, 1] - logits[:, 0] if not self.multilabel_ and logits.shape[1] == 2 else logits

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.classifier_tags.multi_label = True
        return tags


def _texts(X: Iterable[str]) -> list[str]:
    """Return texts as a list of strings, or say what is no text."""
    if isinstance(X, (str, bytes)):
        raise ValueError("Iterable over raw text documents expected, string object received; put it in brackets.")
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(
            f"Expected a one-dimensional sequence of texts, got an array of shape {tuple(shape)}; "
            "give the column that holds the texts."
        )
    texts = list(X)
    if not texts:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required: there are no texts.")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"row {row} is no text but {type(text).__name__}; give strings.")
    return [str(text) for text in texts]


def _ragged(y: Any) -> list[Sequence[str]] | None:
    """Return labels given as a sequence of sequences of names; None where they are given otherwise."""
    rows = y.tolist() if isinstance(y, np.ndarray) and y.dtype == object else y
    if isinstance(rows, np.ndarray) or not hasattr(rows, "__len__") or hasattr(rows, "iloc"):
        return None
    rows = list(rows)
    if not rows or not all(isinstance(row, (tuple, list, set, frozenset)) for row in rows):
        return None
    return rows if all(isinstance(name, str) for row in rows for name in row) else None
