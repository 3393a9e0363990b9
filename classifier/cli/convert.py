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
@click.option("--unlabeled", is_flag=True, help="Convert sentences that nobody has labeled, too.")
@options.quiet_option
def command(
    source: Path,
    target: Path,
    source_format: str | None,
    target_format: str | None,
    codebook: Path | None,
    unlabeled: bool,
    quiet: bool,
    **names: str,
) -> None:
    """Convert labels between CSV, doccano, Label Studio and Prodigy; nothing is lost.

    IN can be a coding project, too: its labels come with coder, time, origin and inclusion probability. What framing
    score wrote becomes predictions for Label Studio, never labels.

    \b
    Examples:
      framing convert framing.csv tasks.json --to label-studio
      framing convert export.json labels.csv
      framing convert annotations.jsonl labels.csv --from prodigy
      framing convert coding.db tasks.json
    """
    from classifier.cli.labels import is_project
    from classifier.codebook import read_codebook
    from classifier.corpus import convert, write_records
    from classifier.corpus.interchange import format_of
    from classifier.system.files import check_apart, check_writable

    check_writable(target)
    check_apart({"OUT": target}, [source, *([codebook] if codebook else [])])
    columns = options.columns(**names)
    book = read_codebook(codebook) if codebook else None
    if is_project(source):
        from classifier.labeling.rows import project_codebook, project_records

        format_ = format_of(target, target_format)
        records = project_records(source, columns, unlabeled)
        write_records(records, target, columns, format_, book or project_codebook(source))
    else:
        records = convert(source, target, columns, source_format, target_format, book, unlabeled)
    if quiet:
        return
    click.echo(f"{target}: {len(records.rows):,} sentences written.", err=True)
    for reason, count in records.skipped.items():
        click.echo(f"Left out: {count:,} {reason}.", err=True)
