"""Where an estimate can be trusted, where with a warning, and where there is none."""

from __future__ import annotations

import numpy as np

from classifier.prevalence.estimators import Design
from classifier.system.arrays import Bools, Floats

#: With fewer labels with the frame, or without it, or against the model's, an interval is approximate.
FEW_EVENTS = 10

#: Fewer whole articles than this, and an interval is approximate.
FEW_CLUSTERS = 15


def few_events(design: Design, labels: Floats, predicted: Bools, inside: Bools | None = None) -> bool:
    """Tell whether a sample holds too little for its intervals to be more than approximate.

    Parameters
    ----------
    design : Design
    labels : ndarray of shape (n,)
        1 or 0.
    predicted : ndarray of bool of shape (n,)
        The model's.
    inside : ndarray of bool of shape (n,), optional
        The units of the group; all by default.

    Returns
    -------
    bool
        Whether the clusters with the frame, those without it, or those where label and model differ are fewer than
        `FEW_EVENTS`, or clusters of several units fewer than `FEW_CLUSTERS`.
    """
    part = np.ones(len(labels), dtype=bool) if inside is None else inside
    clusters = design.clusters[part]
    found, guessed = labels[part] > 0, predicted[part]
    counts = [len(np.unique(clusters[which])) for which in (found, ~found, found != guessed)]
    n_clusters = len(np.unique(clusters))
    return min(counts) < FEW_EVENTS or (n_clusters < len(clusters) and n_clusters < FEW_CLUSTERS)
