"""``framing codebook``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from classifier.cli import options


@click.group("codebook")
def command() -> None:
    """Give the frames to other tools."""


@command.command("export")
@click.option(
    "--to",
    "tool",
    type=click.Choice(("label-studio", "doccano", "prodigy")),
    required=True,
    help="The tool that is to know the frames.",
)
@click.option(
    "--codebook",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file of the frames.  [default: the frames of the default model]",
)
@options.output_option
def export(tool: str, codebook: Path | None, output: Path | None) -> None:
    """Write the frames as the labeling configuration of a tool.

    \b
    Examples:
      framing codebook export --to label-studio > config.xml
      framing codebook export --to doccano --codebook my.toml -o labels.json
    """
    from classifier.codebook import default_codebook, read_codebook
    from classifier.corpus.interchange import CODEBOOK_WRITERS
    from classifier.system.files import check_apart, check_writable, file_replaced

    text = CODEBOOK_WRITERS[tool](read_codebook(codebook) if codebook else default_codebook()).encode()
    if output is None:
        sys.stdout.buffer.write(text)
        return
    check_writable(output)
    check_apart({"--output": output}, [codebook] if codebook else [])
    with file_replaced(output) as stream:
        stream.write(text)
