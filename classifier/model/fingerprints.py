"""Sentences recognised without being kept: 64-bit hashes of their words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_WORD = re.compile(r"\w+")


def normalised(text: str) -> str:
    """Return a sentence without what copying changes: case, punctuation, white space, forms of a character.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The case-folded words of its NFKC form, joined by spaces; the case-folded text itself where it has no words.

    Examples
    --------
    >>> normalised("“Air  piracy”, he said.") == normalised("'Air piracy' he said")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_WORD.findall(folded)) or folded.strip()


def fingerprints(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the fingerprints of sentences.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    ndarray of uint64
        One a sentence: the first 64 bits of BLAKE2b of its normalised text. Who has a sentence can tell whether it
        is among them; nobody can read a sentence from them.
    """
    import numpy as np

    hashes = (blake2b(normalised(text).encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(hashes), dtype="<u8").astype(np.uint64)
