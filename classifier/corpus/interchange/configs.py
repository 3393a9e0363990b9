"""The codebook, as labeling tools are told it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from classifier.codebook import Codebook
from classifier.corpus.interchange.label_studio import CONTROL

if TYPE_CHECKING:
    pass


def label_studio_config(codebook: Codebook, task: str = "multilabel") -> str:
    """Return the labeling configuration of a codebook for Label Studio.

    Parameters
    ----------
    codebook : Codebook
    task : {"multilabel", "multiclass"}
        Any number of frames a sentence, or exactly one.

    Returns
    -------
    str
        XML: people see the frames' titles, with their definitions as hints; exports hold their names.
    """
    from xml.sax.saxutils import quoteattr

    choice = "multiple" if task == "multilabel" else "single-radio"
    required = ' required="true"' if task == "multiclass" else ""
    lines = [
        "<View>",
        f"  <Header value={quoteattr(_attribute(codebook.title))}/>",
        '  <Text name="text" value="$text"/>',
        f'  <Choices name="{CONTROL}" toName="text" choice="{choice}"{required}>',
    ]
    for frame in codebook.frames:
        hint = f" hint={quoteattr(_attribute(frame.definition))}" if frame.definition else ""
        title, name = quoteattr(_attribute(frame.title)), quoteattr(_attribute(frame.name))
        lines.append(f"    <Choice value={title} alias={name}{hint}/>")
    return "\n".join([*lines, "  </Choices>", "</View>", ""])


def _attribute(text: str) -> str:
    """Return text that an XML attribute may hold."""
    return "".join(char if char.isprintable() else " " for char in text)


def doccano_config(codebook: Codebook) -> str:
    """Return the labels of a codebook as doccano imports them: JSON with names and colours."""
    labels = [{"text": frame.name, "background_color": frame.colour} for frame in codebook.frames]
    return orjson.dumps(labels, option=orjson.OPT_INDENT_2).decode() + "\n"


def prodigy_config(codebook: Codebook) -> str:
    """Return the frames of a codebook as the options of Prodigy's ``choice`` interface: JSON."""
    options = [{"id": frame.name, "text": frame.title} for frame in codebook.frames]
    return orjson.dumps(options, option=orjson.OPT_INDENT_2).decode() + "\n"


#: What writes a codebook for a tool, by the name that ``framing codebook export --to`` takes.
CODEBOOK_WRITERS: dict[str, Callable[[Codebook], str]] = {
    "label-studio": label_studio_config,
    "doccano": doccano_config,
    "prodigy": prodigy_config,
}
