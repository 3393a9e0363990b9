"""Where an estimate can be trusted, and where only with a warning."""

from __future__ import annotations

import numpy as np

from classifier.prevalence.estimators import Design
from classifier.system.arrays import Bools, Floats

#: With fewer labels with the frame, or without it, an interval is approximate.
FEW_EVENTS = 10

#: With a variance that hangs on fewer labels or articles than this, too.
FEW_SUPPORT = 15

#: Fewer whole articles than this, and an interval is approximate.
FEW_CLUSTERS = 15


def doubt(
    design: Design, labels: Floats, predicted: Bools, support: float, inside: Bools | None = None, unit: str = "label"
) -> str:
    """Say why an interval is no more than approximate.

    Parameters
    ----------
    design : Design
    labels : ndarray of shape (n,)
        1 or 0.
    predicted : ndarray of bool of shape (n,)
        The model's.
    support : float
        Of the estimate.
    inside : ndarray of bool of shape (n,), optional
        The units of the group; all by default.
    unit : str
        What a label is of, for people.

    Returns
    -------
    str
        Empty where the interval held its promise in simulations (docs/shares.md).
    """
    part = np.ones(len(labels), dtype=bool) if inside is None else inside
    clusters = design.clusters[part]
    found = labels[part] > 0
    n_clusters = len(np.unique(clusters))
    with_it, without = len(np.unique(clusters[found])), len(np.unique(clusters[~found]))
    if n_clusters < len(clusters) and n_clusters < FEW_CLUSTERS:
        return f"only {n_clusters} articles"
    if min(with_it, without) < FEW_EVENTS:
        return f"only {min(with_it, without)} {unit}s {'with' if with_it <= without else 'without'} it"
    if support < FEW_SUPPORT:
        return f"the interval hangs on about {max(1, round(support))} {unit}s"
    return ""
