"""``framing agree``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.cli import options

if TYPE_CHECKING:
    from classifier.corpus import Columns
    from classifier.labeling.coding import Coding


@click.command("agree")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "markdown", "html"]),
    default="table",
    show_default=True,
    help="How agreement is written; html is a page with the conflicts.",
)
@click.option("--conflicts", type=click.Path(path_type=Path), metavar="FILE", help="Write the conflicts there, as CSV.")
@click.option(
    "--merged", type=click.Path(path_type=Path), metavar="FILE", help="Write what all agree on there, as labeled CSV."
)
@options.output_option
@options.corpus_options
@click.option("--codebook", type=click.Path(path_type=Path), metavar="FILE", help="TOML file of the frames.")
@options.seed_option
@options.quiet_option
def command(
    files: tuple[Path, ...],
    format_: str,
    conflicts: Path | None,
    merged: Path | None,
    output: Path | None,
    codebook: Path | None,
    seed: int,
    quiet: bool,
    **names: str,
) -> None:
    """Measure how far coders agree, list their conflicts, merge what they agree on.

    Takes a labeled file of each coder, or a coding project, or an export of Label Studio with several annotators.

    \b
    Examples:
      framing agree ada.csv ben.csv
      framing agree ada.csv ben.csv --conflicts conflicts.csv --merged labels.csv
      framing agree coding.db --format html -o agreement.html
    """
    from classifier.codebook import Codebook, read_codebook
    from classifier.corpus import write_records
    from classifier.errors import InputError
    from classifier.labeling.agreement import coders_agreement
    from classifier.labeling.coding import read_coding
    from classifier.labeling.tables import agreement_tables, conflicts_page
    from classifier.system.files import check_writable, file_replaced

    columns = options.columns(**names)
    targets = [path for path in (output, conflicts, merged) if path is not None]
    for path in targets:
        check_writable(path)
        if path.resolve() in [file.resolve() for file in files]:
            raise InputError(f"{path} is one of the files that are read; choose another name.")
    if len({path.resolve() for path in targets}) < len(targets):
        raise InputError("two results would be written to the same file; give each its own name.")
    coding = read_coding(files, columns)
    if codebook is not None:
        coding.codebook = read_codebook(codebook)
    book = coding.codebook or (Codebook.from_names(coding.frames) if coding.frames else None)
    rows = coders_agreement(coding.coders, coding.frames, coding.groups, seed)
    if not rows:
        raise InputError("no sentence was labeled by two coders: texts and articles must be equal to be compared.")
    disputed = coding.conflicts()
    if format_ == "json":
        import json

        data = {
            "coders": {coder: len(labels) for coder, labels in coding.coders.items()},
            "frames": [row.to_dict() for row in rows],
            "conflicts": len(disputed),
        }
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    elif format_ == "html":
        text = conflicts_page(coding, rows, book)
    else:
        tables = agreement_tables(rows, coding, book)
        if format_ == "markdown":
            from classifier.report.tables import markdown

            text = markdown(tables)
        else:
            import io
            import sys

            from classifier.report import console
            from classifier.report.tables import terminal

            stream = io.StringIO() if output else sys.stdout
            console(stream).print(terminal(tables))
            text = stream.getvalue() if isinstance(stream, io.StringIO) else ""
    if output is not None:
        with file_replaced(output) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    elif text:
        click.echo(text, nl=False)
    if conflicts is not None:
        with file_replaced(conflicts) as file:
            file.write(_conflict_lines(coding, columns))
    if merged is not None:
        records = coding.merged(columns)
        write_records(records, merged, columns, "csv")
        if not quiet:
            click.echo(f"{merged}: {len(records.rows):,} sentences on which all agree.", err=True)
    if not quiet and disputed:
        click.echo(f"{len(disputed):,} conflicts.", err=True)


def _conflict_lines(coding: Coding, columns: Columns) -> bytes:
    from classifier.system.files import csv_lines

    coders = list(coding.coders)
    header = [columns.group, "sentence_index", columns.text, *(f"labels_{coder}" for coder in coders), "comments"]
    rows = []
    for key in coding.conflicts():
        said = [coding.coders[coder].get(key) for coder in coders]
        cells = ["" if names is None else columns.separator.join(sorted(names)) for names in said]
        rows.append([*key, *cells, coding.rows[key].get("comments", "")])
    return csv_lines([header, *rows]).encode("utf-8", "surrogatepass")
