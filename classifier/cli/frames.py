"""``framing frames``."""

from __future__ import annotations

from pathlib import Path

import click

from classifier.cli import options


@click.command("frames")
@options.model_option
@click.option("--codebook", type=click.Path(path_type=Path), metavar="FILE", help="Show this codebook instead.")
def command(model: Path | None, codebook: Path | None) -> None:
    """Show the frames: their titles, their names in data, their definitions.

    \b
    Examples:
      framing frames
      framing frames --codebook datasets/codebook.toml
    """
    from classifier.codebook import read_codebook
    from classifier.model.load import load_model
    from classifier.report import codebook_page, console

    if model is not None and codebook is not None:
        raise click.UsageError("Give --model or --codebook, not both.")
    console().print(codebook_page(read_codebook(codebook) if codebook else load_model(model).codebook))
