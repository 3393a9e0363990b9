"""A model, or the training method, measured on a labeled corpus.

Three questions have three ways of asking: `evaluate` measures a saved model on sentences it has not seen,
`cross_evaluate` the training method by folds of articles, or by leaving out whole values of a column (see
`leave_out_splits`). `compare_models` asks whether one model is better than another on the same sentences.
`learning_curve` asks what more articles would bring.
"""

from __future__ import annotations

from classifier.evaluation.evaluate import (
    Evaluation,
    Mistake,
    Overlap,
    compare_models,
    cross_evaluate,
    evaluate,
    score_corpus,
)
from classifier.evaluation.splits import LearningPoint, learning_curve, leave_out_splits

__all__ = [
    "Evaluation",
    "LearningPoint",
    "Mistake",
    "Overlap",
    "compare_models",
    "cross_evaluate",
    "evaluate",
    "learning_curve",
    "leave_out_splits",
    "score_corpus",
]
