"""What is read: an article, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.errors import InputError


@dataclass(frozen=True, slots=True)
class Article:
    r"""A text to be scored.

    Parameters
    ----------
    source : str
        Where it was read from: a path, a member of an archive (``news.zip/a.html``), or ``-`` for standard input.
    text : str
        As read; line ends become ``\\n``.
    title : str or None
        Where the input names one.
    id : str or None
        Its name in the data; of a record without one, its place in the file.
    date : str or None
        Of publication, as the input gives it.
    outlet : str or None
        Who published it: the site's name of a web page, the ``source`` of a record.
    metadata : mapping of str to value
        The columns asked for with `ReadOptions.keep`.
    encoding : str or None
        The encoding, where it had to be guessed.
    """

    source: str
    text: str
    title: str | None = None
    id: str | None = None
    date: str | None = None
    outlet: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An article that could not be read.

    Parameters
    ----------
    source : str
        The file, as `Article.source` would name it.
    reason : str
        A sentence: what is wrong and what to do.
    place : str or None
        Where in the file, such as ``line 17``.
    """

    source: str
    reason: str
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.source}{f', {self.place}' if self.place else ''}: {self.reason}"

    def to_dict(self) -> dict[str, str | None]:
        """Return the fault as a line of the ``--errors`` file shows it."""
        return {"source": self.source, "place": self.place, "reason": self.reason}


class ReadError(InputError):
    """Raised by a reader for what becomes a `Fault`.

    Parameters
    ----------
    reason : str
    place : str, optional
    """

    def __init__(self, reason: str, place: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
