"""``framing convert``."""

from __future__ import annotations

from pathlib import Path

import click

from classifier.cli import options

#: As `classifier.corpus.LABEL_FORMATS`; spelled out so that ``--help`` imports no more than it must.
FORMATS = ("csv", "doccano", "label-studio", "prodigy")


@click.command("convert")
@click.argument("source", type=click.Path(path_type=Path), metavar="IN")
@click.argument("target", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--from", "source_format", type=click.Choice(FORMATS), help="[default: told from IN]")
@click.option("--to", "target_format", type=click.Choice(FORMATS), help="[default: told from the name of OUT]")
@options.corpus_options
@click.option("--codebook", type=click.Path(path_type=Path), metavar="FILE", help="TOML file of the frames.")
@options.quiet_option
def command(
    source: Path,
    target: Path,
    source_format: str | None,
    target_format: str | None,
    codebook: Path | None,
    quiet: bool,
    **names: str,
) -> None:
    """Convert labels between CSV, doccano, Label Studio and Prodigy; nothing is lost.

    \b
    Examples:
      framing convert framing.csv tasks.json --to label-studio
      framing convert export.json labels.csv
      framing convert annotations.jsonl labels.csv --from prodigy
    """
    from classifier.codebook import read_codebook
    from classifier.corpus import convert
    from classifier.system.files import check_writable

    check_writable(target)
    records = convert(
        source,
        target,
        options.columns(**names),
        source_format,
        target_format,
        read_codebook(codebook) if codebook else None,
    )
    if quiet:
        return
    click.echo(f"{target}: {len(records.rows):,} sentences written.", err=True)
    for reason, count in records.skipped.items():
        click.echo(f"Left out: {count:,} {reason}.", err=True)
