"""What a probability meant on sentences the model had never seen, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def reliability_note(metrics: Mapping[str, Any]) -> str:
    """Say in one line what a probability of 0.7 meant on sentences the model had not seen.

    Parameters
    ----------
    metrics : mapping
        A model's, as ``metrics.json`` holds them.

    Returns
    -------
    str
        Empty where the figures say nothing of it.
    """
    from classifier.metrics import ALL, CalibrationBin, reliability

    curve = [CalibrationBin.from_dict(part) for part in metrics.get("calibration", {}).get(ALL, ())]
    answer = reliability(curve, 0.7)
    if answer is None:
        return ""
    low, high, n, share = answer
    return (
        f"A probability near 0.7 was right {share:.0%} of the time: of {n:,} out-of-fold decisions given "
        f"{low:.1f} to {high:.1f}, that share carried the frame."
    )
