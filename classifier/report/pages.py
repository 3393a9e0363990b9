"""Self-contained HTML pages from templates: nothing is fetched, nothing from the input is markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from classifier.codebook import Codebook
from classifier.report.colours import initials, stylesheet

if TYPE_CHECKING:
    from jinja2 import Environment

#: Control characters, bidirectional embeddings, overrides and isolates, surrogates and noncharacters: what a browser
#: would drop, refuse or obey instead of showing it.
_UNSHOWN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def visible(text: str) -> str:
    r"""Replace characters that a browser would not show but obey, drop or refuse.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        They become U+FFFD each, carriage returns line feeds.

    Examples
    --------
    >>> visible("a\x00b \u202egnp.exe")
    'a\ufffdb \ufffdgnp.exe'
    """
    return _UNSHOWN.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")


@cache
def environment() -> Environment:
    """Return the templates: every value is escaped, and shown by `visible`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    result = Environment(
        loader=PackageLoader("classifier.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    result.filters["percent"] = percent
    return result


def percent(share: float) -> int:
    """Return a share in whole per cent; what is neither none nor all never looks so."""
    return int(min(99, max(1, round(100 * share)))) if 0 < share < 1 else round(100 * share)


def render(template: str, codebook: Codebook, **values: Any) -> Iterator[str]:
    """Render a page piece by piece.

    Parameters
    ----------
    template : str
        A file of ``classifier/report/templates`` that extends ``page.html``.
    codebook : Codebook
        Its frames are ``frames`` in the template: with ``index``, ``initials`` and what a `Frame` has.
    **values
        Further names of the template.

    Yields
    ------
    str
    """
    from markupsafe import Markup

    style = stylesheet(codebook.frames) + _template("report.css")
    script = _template("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    yield from (
        environment()
        .get_template(template)
        .generate(policy=policy, style=Markup(style), script=Markup(script), frames=frames_of(codebook), **values)
    )


def frames_of(codebook: Codebook) -> list[dict[str, Any]]:
    """Return the frames as templates take them."""
    return [
        {
            "index": i,
            "name": frame.name,
            "title": frame.title,
            "definition": frame.definition,
            "initials": short,
        }
        for i, (frame, short) in enumerate(zip(codebook.frames, initials(codebook), strict=True))
    ]


@cache
def _template(name: str) -> str:
    text = (files("classifier.report") / "templates" / name).read_text(encoding="utf-8")
    # The text of a style or script element must be exactly what its hash in the policy was made of.
    if "</" in text or "<!" in text:
        raise AssertionError(f"{name} would end its element")
    return text


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
