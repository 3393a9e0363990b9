"""What a probability is worth: a band of doubt, and what probabilities meant on sentences never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

#: Between these probabilities, both included, a frame is uncertain unless told otherwise.
BAND = (0.3, 0.7)


def parse_band(text: str) -> tuple[float, float]:
    """Read a band written as ``LOW-HIGH``.

    Parameters
    ----------
    text : str

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If it is not two probabilities, the lower one first.

    Examples
    --------
    >>> parse_band("0.3-0.7")
    (0.3, 0.7)
    """
    low, dash, high = text.partition("-")
    if not dash or not 0 <= float(low) <= float(high) <= 1:
        raise ValueError(f"{text!r} is not a band of probabilities.")
    return float(low), float(high)


def uncertain_frames(
    row: Sequence[float] | npt.NDArray[Any], frames: Sequence[str], band: tuple[float, float]
) -> tuple[str, ...]:
    """Return the frames whose probability lies in the band, edges included.

    Parameters
    ----------
    row : sequence of float
        The probability of each frame.
    frames : sequence of str
    band : (float, float)

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> uncertain_frames([0.1, 0.5], ["calm", "storm"], (0.3, 0.7))
    ('storm',)
    """
    return tuple(frame for frame, value in zip(frames, row, strict=True) if band[0] <= value <= band[1])


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
