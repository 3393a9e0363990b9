"""A band of doubt: between which probabilities a frame is uncertain."""

from __future__ import annotations

from collections.abc import Sequence
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
