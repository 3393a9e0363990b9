"""Figures of a classifier, a frame and overall, with confidence intervals from a bootstrap over articles."""

from __future__ import annotations

from classifier.metrics.bootstrap import RESAMPLES, Bootstrap, Figure, interval, intervals
from classifier.metrics.comparison import Comparison, compare
from classifier.metrics.figures import (
    DECISION_FIGURES,
    FRAME_FIGURES,
    MACRO,
    MICRO,
    PROBABILITY_FIGURES,
    FrameMetrics,
    Scores,
    frame_metrics,
)
from classifier.metrics.summary import (
    ALL,
    NONE,
    OTHER,
    Abstention,
    CalibrationBin,
    Confusion,
    Slice,
    Summary,
    calibration_curve,
    confusion,
    pooled,
    reliability,
    slices,
    summarize,
)

__all__ = [
    "ALL",
    "DECISION_FIGURES",
    "FRAME_FIGURES",
    "MACRO",
    "MICRO",
    "NONE",
    "OTHER",
    "PROBABILITY_FIGURES",
    "RESAMPLES",
    "Abstention",
    "Bootstrap",
    "CalibrationBin",
    "Comparison",
    "Confusion",
    "Figure",
    "FrameMetrics",
    "Scores",
    "Slice",
    "Summary",
    "calibration_curve",
    "compare",
    "confusion",
    "frame_metrics",
    "interval",
    "intervals",
    "pooled",
    "reliability",
    "slices",
    "summarize",
]
