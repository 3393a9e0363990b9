"""Text without what nobody sees."""

from __future__ import annotations

import re

#: Soft hyphens, joiners, marks of direction, spaces of no width: web pages and word processors leave them inside words.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def legible(text: str) -> str:
    r"""Return a text without its invisible characters, which would divide words and hide them from a vocabulary.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> legible("con\u00addemned\u200b")
    'condemned'
    """
    return text if text.isascii() else _INVISIBLE.sub("", text)
