"""The frames of a project as its page edits them, there and back to the TOML that everything else reads."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.codebook import PALETTE, Codebook, read_codebook
from classifier.errors import InputError
from classifier.system.files import file_replaced

#: Frames of one codebook, at most.
MAX_FRAMES = 100

#: Characters of a title, a definition or an example, at most.
MAX_TEXT = 4_000

#: What a project holds of a frame besides what a `Frame` has.
EXTRAS = ("example", "key")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def checked(data: Any, last: int) -> dict[str, Any]:
    """Check the codebook that a page or a file gives, and number its frames.

    Parameters
    ----------
    data : mapping
        The shape of the TOML file; a frame may have an ``id``, a number that stays when it is renamed, and ``example``
        and ``key``.
    last : int
        The highest number that any frame of the project ever had.

    Returns
    -------
    dict
        Plain data; every frame has an id.

    Raises
    ------
    InputError
        Saying which field of which frame is wrong.
    """
    if not isinstance(data, Mapping):
        raise InputError("the codebook is not an object.")
    entries = data.get("frames", [])
    if not isinstance(entries, list) or len(entries) > MAX_FRAMES:
        raise InputError(f"the codebook's frames must be a list of at most {MAX_FRAMES}.")
    title = data.get("title", "Frames")
    if not isinstance(title, str) or len(title) > MAX_TEXT:
        raise InputError("the codebook's title must be a text.")
    roles = data.get("roles", {})
    result: dict[str, Any] = {"title": title or "Frames", "frames": [], "roles": roles}
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise InputError(f"frame {number + 1} of the codebook is not an object.")
        fields = {name: value for name, value in entry.items() if name not in ("id", "key") and value is not None}
        for name in ("title", "definition", "example"):
            value = fields.get(name, "")
            if not isinstance(value, str) or len(value) > MAX_TEXT:
                raise InputError(f"the {name} of frame {number + 1} must be a text of at most {MAX_TEXT:,} characters.")
        name = fields.get("name") or name_of(str(fields.get("title", "")))
        if isinstance(name, str) and len(name) > 200:
            raise InputError(f"the name of frame {number + 1} is longer than 200 characters.")
        used = {frame["colour"] for frame in result["frames"]}
        colour = fields.get("colour") or next((c for c in PALETTE if c not in used), PALETTE[number % len(PALETTE)])
        result["frames"].append({**fields, "name": name, "title": fields.get("title") or name, "colour": colour})
    if result["frames"]:
        book = Codebook.from_dict(result, "codebook")
        result["frames"] = [
            {**plain, "example": str(entry.get("example", ""))}
            for plain, entry in zip(book.to_dict()["frames"], result["frames"], strict=True)
        ]
    keys: set[str] = set()
    ids: set[int] = set()
    known = last
    for frame, entry in zip(result["frames"], entries, strict=True):
        number = entry.get("id")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= known or number in ids:
            number = last = last + 1
        ids.add(number)
        frame["id"] = number
        key = entry.get("key") or ""
        if not isinstance(key, str) or not (key == "" or re.fullmatch(r"[1-9a-z]", key)):
            raise InputError(f"the key of {frame['name']!r} must be a digit from 1 to 9 or a small letter.")
        if key in RESERVED:
            raise InputError(f"the key {key!r} of {frame['name']!r} already does something else; choose another.")
        if key and key in keys:
            raise InputError(f"the key {key!r} belongs to two frames; give each its own.")
        keys.add(key)
        frame["key"] = key
    free = iter([key for key in "123456789" if key not in keys])
    for frame in result["frames"]:
        frame["key"] = frame["key"] or next(free, "")
    return result


#: Letters that do something on the page.
RESERVED = frozenset("uscgkrbahx")


def name_of(title: str) -> str:
    """Return the name that a title suggests.

    Examples
    --------
    >>> name_of("Western condemnation!")
    'western_condemnation'
    """
    return "_".join(re.findall(r"\w+", title.casefold()))


def codebook_of(data: Mapping[str, Any]) -> Codebook:
    """Return the codebook that plain data of `checked` holds.

    Raises
    ------
    InputError
        If it has no frames.
    """
    return Codebook.from_dict(data, "the project's codebook")


def read_frames(path: str | Path, last: int = 0) -> dict[str, Any]:
    """Read a codebook with what only a page uses: examples and keys.

    Parameters
    ----------
    path : str or Path
    last : int
        See `checked`.

    Returns
    -------
    dict
        As `checked` gives it.

    Raises
    ------
    InputError
        If `classifier.codebook.read_codebook` refuses the file, or a key or an example is malformed.
    """
    read_codebook(path)
    data = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    try:
        return checked(data, last)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def write_frames(data: Mapping[str, Any], path: str | Path) -> None:
    """Write a codebook as TOML; the file appears whole or not at all.

    Parameters
    ----------
    data : mapping
        As `checked` gives it.
    path : str or Path
    """
    with file_replaced(path) as stream:
        stream.write(to_toml(data).encode())


def to_toml(data: Mapping[str, Any]) -> str:
    r"""Return a codebook as TOML.

    Examples
    --------
    >>> print(to_toml({"title": "Rain", "frames": [{"name": "wet", "title": "Wet", "keywords": ["rain"]}]}))
    title = "Rain"
    <BLANKLINE>
    [[frames]]
    name = "wet"
    title = "Wet"
    keywords = ["rain"]
    <BLANKLINE>
    """
    lines = [f"title = {_value(data['title'])}", ""]
    for frame in data["frames"]:
        lines.append("[[frames]]")
        fields = [name for name in ("name", "title", "definition", "colour", "keywords", *EXTRAS) if frame.get(name)]
        lines += [f"{name} = {_value(frame[name])}" for name in fields]
        lines.append("")
    for kind, entries in data.get("roles", {}).items():
        for name, entry in entries.items():
            lines.append(f"[roles.{_key(kind)}.{_key(name)}]")
            lines += [f"{_key(field)} = {_value(value)}" for field, value in entry.items()]
            lines.append("")
    return "\n".join(lines)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_value, value)) + "]"
    raise InputError(f"the codebook holds a value of a kind that cannot be written: {value!r}.")


def _character(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char < " " or char == "\x7f":
        return f"\\u{ord(char):04x}"
    return char
