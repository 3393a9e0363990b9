"""Any codebook's colours made readable on a page, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifier.codebook import Codebook, Frame

#: Contrast that text needs, by WCAG 2 level AA.
AA = 4.5

#: Steps of strength: a sentence's probability reaches the first one that is not above it.
STRENGTHS = (0.0, 0.5, 0.7, 0.9)

#: Lines under sentences, a frame each in turn, so that colour is never all that tells frames apart.
LINES = ("solid", "dashed", "dotted", "double", "wavy")

_RGB = tuple[float, float, float]
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class Theme:
    """The neutral colours of a page.

    Parameters
    ----------
    background, surface, text, muted, line : str
        ``#rrggbb``. `surface` is what panels and bars lie on.
    away : str
        What a colour is mixed with to stand out more from the background.
    fills : tuple of float
        How much of a frame's colour lies behind a sentence, by strength.
    """

    background: str
    surface: str
    text: str
    muted: str
    line: str
    away: str
    fills: tuple[float, ...]


LIGHT = Theme("#ffffff", "#f3f4f6", "#1a1d21", "#555d68", "#d0d5db", "#000000", (0.08, 0.14, 0.22, 0.32))
DARK = Theme("#15181c", "#20242a", "#e8eaed", "#a9b1bc", "#3d444d", "#ffffff", (0.14, 0.22, 0.32, 0.42))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it, from 1 to 21.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return round((high + 0.05) / (low + 0.05), 4)


def mix(one: str, other: str, share: float) -> str:
    """Return a colour so far on the way from one to another.

    Examples
    --------
    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def ink(colour: str, theme: Theme) -> str:
    """Return the colour nearest to this one that is legible as text on a theme's background and surface."""
    for step in range(101):
        found = mix(colour, theme.away, step / 100)
        if min(contrast(found, theme.background), contrast(found, theme.surface)) >= AA:
            return found
    return theme.text


def fill(colour: str, theme: Theme, share: float) -> str:
    """Return what lies behind a sentence: as much of a colour as the theme's text stays legible on."""
    for step in range(100, -1, -5):
        found = mix(theme.background, colour, share * step / 100)
        if contrast(found, theme.text) >= AA:
            return found
    return theme.background


def strength(probability: float) -> int:
    """Return the step of a probability: 1 for the weakest.

    Examples
    --------
    >>> strength(0.34), strength(0.95)
    (1, 4)
    """
    return max(1, sum(probability >= step for step in STRENGTHS))


def initials(codebook: Codebook) -> list[str]:
    """Return a short name for each frame, all different.

    Examples
    --------
    >>> initials(Codebook.from_names(["western_condemnation", "water", "water level"]))
    ['WC', 'W', 'WL']
    """
    found: list[str] = []
    for number, frame in enumerate(codebook.frames, 1):
        words = re.findall(r"\w+", frame.title.replace("_", " "))
        name = "".join(word[0] for word in words[:3]).upper() or "F"
        found.append(name if name not in found else f"{name}{number}")
    return found


def stylesheet(frames: Sequence[Frame]) -> str:
    """Return the rules that depend on the codebook, for both themes."""
    light, dark = (_variables(frames, theme) for theme in (LIGHT, DARK))
    rules = [
        f":root{{color-scheme:light dark;{light}}}",
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}",
    ]
    for i in range(len(frames)):
        line = LINES[i % len(LINES)]
        fills = ";".join(f"--g{step}:var(--f{i}g{step})" for step in range(1, len(STRENGTHS) + 1))
        rules.append(f".f{i}{{--ink:var(--f{i});--line-style:{line};{fills}}}")
    rules += [f".w{percent}{{--w:{percent}%}}" for percent in range(101)]
    # A bar of nothing has no edge either.
    rules.append(".w0{--ink:transparent}")
    return "\n".join(rules) + "\n"


def _variables(frames: Sequence[Frame], theme: Theme) -> str:
    values = [f"--{name}:{getattr(theme, name)}" for name in ("background", "surface", "text", "muted", "line")]
    for i, frame in enumerate(frames):
        colour = frame.colour if _COLOUR.fullmatch(frame.colour) else "#666666"
        legible = ink(colour, theme)
        values.append(f"--f{i}:{legible}")
        values += [f"--f{i}g{step}:{fill(legible, theme, share)}" for step, share in enumerate(theme.fills, 1)]
    return ";".join(values)


def _rgb(colour: str) -> _RGB:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(colour: str) -> float:
    red, green, blue = ((v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for v in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
