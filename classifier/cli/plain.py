"""Messages that cannot steer a terminal."""

from __future__ import annotations

import unicodedata


def plain(message: str) -> str:
    r"""Write control characters, such as those of a file's name, as escapes; line breaks stay.

    Parameters
    ----------
    message : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(plain("cannot read \x1b[2Jnews.txt"))
    cannot read \x1b[2Jnews.txt
    """
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in _STEERING else char.encode("unicode_escape").decode()
        for char in message
    )


_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
