"""How good a model is, and what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.metrics import FrameMetrics, Scores, Summary
from classifier.model.model import Model
from classifier.training.linear import Setting


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How good the training method is on a corpus, by nested cross-validation.

    Parameters
    ----------
    scores : Scores
        Every sentence scored by a model that saw nothing of its article.
    alone : Scores or None
        The same without its article, at thresholds of their own; None where the models take nothing from articles.
    majority, keywords : Scores
        The same by the two baselines.
    settings : list of Setting
        Chosen in each outer fold.
    models : list of Model
        The model of each outer fold.
    folds : ndarray of int of shape (n_texts,)
        The outer fold that scored each sentence, and so its model.
    """

    scores: Scores
    alone: Scores | None
    majority: Scores
    keywords: Scores
    settings: list[Setting]
    models: list[Model]
    folds: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How good a model is, by nested cross-validation, and what was chosen.

    Parameters
    ----------
    summary : Summary
        Everything measured.
    baselines : dict of str to list of FrameMetrics
        The figures of ``majority`` and ``keywords``; with a start those without it, and of the start as it is.
    validation : CrossValidation
        What they are computed from.
    alone : list of FrameMetrics or None
        The figures of sentences scored without their articles, at thresholds of their own; None where the models take
        nothing from articles.
    setting : Setting or None
        Chosen for the model that is kept; None where none is.
    known_to_start : int
        Sentences that the start was trained on, whose figures with it are flattered.
    """

    summary: Summary
    baselines: dict[str, list[FrameMetrics]]
    validation: CrossValidation
    alone: list[FrameMetrics] | None = None
    setting: Setting | None = None
    known_to_start: int = 0

    @property
    def rows(self) -> list[FrameMetrics]:
        """The figures of each frame, then of the macro and the micro average."""
        return self.summary.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``metrics.json`` holds it.

        Returns
        -------
        dict
        """
        return {
            "method": "nested cross-validation grouped by article; 95 % intervals by bootstrap over articles",
            **self.summary.to_dict(),
            "alone": None if self.alone is None else [row.to_dict() for row in self.alone],
            "baselines": {name: [row.to_dict() for row in rows] for name, rows in self.baselines.items()},
            "setting": self.setting.to_dict() if self.setting else None,
            "known_to_start": self.known_to_start,
            "fold_settings": [setting.to_dict() for setting in self.validation.settings],
        }
