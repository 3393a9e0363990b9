"""Text from outside, made harmless for a terminal."""

from __future__ import annotations

import unicodedata

#: Unicode categories of characters that steer a terminal, or turn the direction of what follows.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    r"""Replace characters that could steer a terminal: control characters and bidirectional controls.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Line breaks and tabs become spaces, the other characters U+FFFD.

    Examples
    --------
    >>> printable("red\x1b[31m alert")
    'red\ufffd[31m alert'
    """
    return "".join(
        " " if char in "\t\n\r" else "\ufffd" if unicodedata.category(char) in _STEERING else char for char in text
    )
