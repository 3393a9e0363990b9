"""The frames: names, titles, definitions and colours, read from a TOML file."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from classifier.errors import InputError
from classifier.features.tagger import Tagger

#: Any number of frames per sentence, or exactly one.
Task = Literal["multilabel", "multiclass"]

_PACKAGE = Path(__file__).parent

#: Okabe and Ito's palette, safe for colour-blind readers; used where a codebook names no colour.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#666666")

#: Said of what `is_frame_name` refuses.
NOT_A_NAME = "cannot be a frame's name; use printable text without '|' or outer spaces"

#: Bytes of a codebook, at most.
MAX_BYTES = 4_000_000

#: Parts of a dotted key, at most: what ``a.a.a…`` would nest takes memory by the square of its length.
MAX_DEPTH = 16

_DEEP = re.compile(rf"(?:[\w\"'-]+[ \t]*\.[ \t]*){{{MAX_DEPTH}}}[\w\"'-]+[ \t.\w\"'-]*[\]=]")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a codebook.

    Parameters
    ----------
    name : str
        The frame's name in data: CSV cells, JSON keys, options.
    title : str
        Its name for people.
    definition : str
        One line that says when a sentence carries the frame.
    colour : str
        ``#rrggbb``.
    keywords : tuple of str
        Words a newsroom would search for; the keyword baseline of ``framing train`` uses them.
    """

    name: str
    title: str
    definition: str = ""
    colour: str = "#666666"
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Codebook:
    """The frames a corpus is labeled with, in the order every table shows them.

    Parameters
    ----------
    title : str
        What the codebook is about.
    frames : tuple of Frame
        At least one, with distinct names.
    roles : mapping
        The actors and acts of the ``[roles]`` table; empty where the codebook names none.
    """

    title: str
    frames: tuple[Frame, ...]
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names, in order."""
        return tuple(frame.name for frame in self.frames)

    @property
    def subjects(self) -> dict[str, list[str]]:
        """What the frames are about: each subject with the names of its actors, in order."""
        found: dict[str, list[str]] = {}
        for name, entry in self.roles.get("actors", {}).items():
            subject = entry.get("subject") if isinstance(entry, Mapping) else None
            if isinstance(subject, str):
                found.setdefault(subject, []).append(name)
        return found

    def __getitem__(self, name: str) -> Frame:
        for frame in self.frames:
            if frame.name == name:
                return frame
        raise KeyError(name)

    @classmethod
    def from_names(cls, names: Iterable[str], title: str = "Frames") -> Codebook:
        """Make a plain codebook for data that comes without one.

        Parameters
        ----------
        names : iterable of str
            The frames' names, in the order wanted.
        title : str
            What the codebook is about.

        Returns
        -------
        Codebook
            Titles equal the names; colours are taken from `PALETTE` in turn.
        """
        frames = (Frame(name, name, colour=PALETTE[i % len(PALETTE)]) for i, name in enumerate(names))
        return cls(title, tuple(frames))

    def to_dict(self) -> dict[str, Any]:
        """Return the codebook as plain data, in the shape of the TOML file.

        Returns
        -------
        dict
        """
        return {
            "title": self.title,
            "frames": [
                {
                    "name": frame.name,
                    "title": frame.title,
                    "definition": frame.definition,
                    "colour": frame.colour,
                    "keywords": list(frame.keywords),
                }
                for frame in self.frames
            ],
            "roles": {kind: dict(entries) for kind, entries in self.roles.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "codebook") -> Codebook:
        """Build a codebook from plain data, checking every field.

        Parameters
        ----------
        data : mapping
            The shape of the TOML file: ``title``, a list ``frames``, optionally ``roles``.
        where : str
            Named in error messages.

        Returns
        -------
        Codebook

        Raises
        ------
        InputError
            If a field is missing or malformed, or a frame is named twice.
        """
        entries = data.get("frames")
        if not isinstance(entries, list) or not entries:
            raise InputError(f"{where}: no frames; add at least one [[frames]] table with a name.")
        frames = tuple(_frame(entry, i, where) for i, entry in enumerate(entries))
        names = [frame.name for frame in frames]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{where}: the frame {name!r} is defined twice; give each frame its own name.")
        roles = data.get("roles", {})
        if not isinstance(roles, dict) or not all(isinstance(part, dict) for part in roles.values()):
            raise InputError(f"{where}: [roles] must hold tables, such as [roles.actors] and [roles.acts].")
        return cls(str(data.get("title", "Frames")), frames, roles)


def is_frame_name(name: str) -> bool:
    """Tell whether a text can name a frame: printable (spaces of any width are), without ``|`` or outer spaces."""
    printable = all(char.isprintable() or unicodedata.category(char) == "Zs" for char in name)
    return bool(name) and name == name.strip() and "|" not in name and printable


def _frame(entry: Any, index: int, where: str) -> Frame:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InputError(f"{where}: frame {index + 1} has no name.")
    name = entry["name"]
    if not is_frame_name(name):
        raise InputError(f"{where}: {name!r} {NOT_A_NAME}.")
    colour = entry.get("colour", PALETTE[index % len(PALETTE)])
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise InputError(f"{where}: the colour of {name!r} must look like #1f77b4, not {colour!r}.")
    keywords = entry.get("keywords", [])
    if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
        raise InputError(f"{where}: the keywords of {name!r} must be a list of words.")
    return Frame(name, str(entry.get("title", name)), str(entry.get("definition", "")), colour, tuple(keywords))


def read_codebook(path: str | Path) -> Codebook:
    """Read a codebook from a TOML file.

    Parameters
    ----------
    path : str or Path
        A UTF-8 TOML file of ``[[frames]]`` tables; see ``datasets/codebook.toml`` for one in full.

    Returns
    -------
    Codebook

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or a field is malformed.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot read the codebook: {error.strerror or error}.") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes; this is not a codebook.")
    try:
        text = content.decode("utf-8-sig")
        deep = _DEEP.search(text)
        if deep:
            line = text.count("\n", 0, deep.start()) + 1
            raise InputError(f"{path}, line {line}: a key of more than {MAX_DEPTH} parts; this is not a codebook.")
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number of thousands of digits
        raise InputError(f"{path}: not a TOML codebook: {str(error)[:200]}.") from None
    codebook = Codebook.from_dict(data, str(path))
    # Whoever wrote the file hears of a mistake in the roles now, not after the corpus was read.
    Tagger(codebook.roles, str(path))
    return codebook


def default_codebook() -> Codebook:
    """Return the codebook that comes with this package."""
    installed = _PACKAGE / "datasets" / "codebook.toml"
    return read_codebook(installed if installed.is_file() else _PACKAGE.parent / "datasets" / "codebook.toml")
