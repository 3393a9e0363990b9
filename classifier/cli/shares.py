"""``framing shares``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.cli import options

if TYPE_CHECKING:
    from classifier.codebook import Codebook
    from classifier.prevalence.shares import SharesReport


@click.command("shares")
@click.argument("scores", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SCORES...")
@click.option(
    "--labels",
    required=True,
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="What framing sample drew from these scores, with its labels coded.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Shares of each value, too: outlet, source, day, month, year or a kept column; repeatable.",
)
@click.option(
    "--level",
    type=click.Choice(["sentence", "article"]),
    default="sentence",
    show_default=True,
    help="Count sentences, or articles in which a sentence has the frame.",
)
@options.model_option
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="What the model was trained on, where these labels are part of it.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "markdown", "html"]),
    help="[default: by the extension of --output, else table]",
)
@options.output_option
@click.option("--codebook", type=click.Path(path_type=Path), metavar="FILE", help="TOML file of the frames' titles.")
@options.quiet_option
def command(
    scores: tuple[Path, ...],
    labels: Path,
    by: tuple[str, ...],
    level: Any,
    model: Path | None,
    training: Path | None,
    format_: str | None,
    output: Path | None,
    codebook: Path | None,
    quiet: bool,
) -> None:
    """Estimate shares of frames that can be published: corrected by a random sample's labels, with valid intervals.

    Counting a classifier's labels gives biased shares. Draw a sample with framing sample, code it, and name it here.
    Where the model was trained on these labels, it is trained anew without each fold of them (cross-fitting).

    \b
    Examples:
      framing shares scores.jsonl --labels sample.csv
      framing shares scores.csv --labels sample.csv --by outlet --by month --output shares.html
      framing shares scores.parquet --labels sample.csv --format markdown
    """
    from classifier.cli.progress import progress_bar
    from classifier.corpus import read_corpus
    from classifier.model.load import load_model
    from classifier.prevalence.population import read_population
    from classifier.prevalence.shares import estimate_shares
    from classifier.system.files import check_writable, file_replaced
    from classifier.system.processes import collect_garbage_rarely

    if Path("-") in scores:
        raise click.UsageError("The scores are read more than once, so - will not do; write them to a file first.")
    if format_ is None:
        known = {".json": "json", ".csv": "csv", ".md": "markdown", ".html": "html"}
        format_ = known.get(output.suffix.lower(), "table") if output else "table"
    if output is not None:
        check_writable(output)
        for path in (*scores, labels, training):
            if path is not None and output.exists() and path.exists() and path.samefile(output):
                raise click.UsageError(f"{output} is one of the inputs; write the shares elsewhere.")
    loaded = load_model(model) if model is not None else None
    corpus = None
    if training is not None:
        corpus = read_corpus(training, codebook=loaded.codebook if loaded else None, n_folds=0)
    collect_garbage_rarely()
    with progress_bar("Cross-fitting", quiet) as progress:
        report = estimate_shares(
            lambda: read_population(scores), labels, tuple(dict.fromkeys(by)), level, loaded, corpus, progress
        )
    from classifier.report.printable import printable

    titled = _codebook(report, codebook)
    if output is not None:
        with file_replaced(output) as stream:
            stream.write(_text(report, format_, titled).encode("utf-8", "surrogatepass"))
    elif format_ == "table":
        from classifier.report.shares import shares_tables
        from classifier.report.tables import terminal
        from classifier.report.terminal import console

        console().print(terminal(shares_tables(report, titled)))
    else:
        click.echo(_text(report, format_, titled), nl=False)
    if not quiet:
        for note in report.notes:
            click.echo(f"Note: {printable(note)}", err=True)


def _codebook(report: SharesReport, path: Path | None) -> Codebook:
    """Return the codebook given, else the package's where the frames are its, else one of plain names."""
    from classifier.codebook import Codebook, default_codebook, read_codebook

    names = tuple(dict.fromkeys(share.frame for share in report.shares))
    if path is not None:
        return read_codebook(path)
    known = default_codebook()
    return known if set(names) <= set(known.names) else Codebook.from_names(names)


def _text(report: SharesReport, format_: str, codebook: Codebook) -> str:
    if format_ == "json":
        import json

        return json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n"
    if format_ == "csv":
        from classifier.system.files import csv_lines

        rows = [share.to_dict() for share in report.shares]
        return csv_lines([tuple(rows[0]), *(tuple(row.values()) for row in rows)])
    from classifier.report.shares import shares_page, shares_tables, shares_text
    from classifier.report.tables import markdown, terminal

    if format_ == "html":
        return shares_page(report, codebook)
    tables = shares_tables(report, codebook)
    if format_ == "markdown":
        return f"{markdown(tables)}\n{shares_text(report)}"
    import io

    from classifier.report.terminal import console

    stream = io.StringIO()
    console(stream).print(terminal(tables))
    return stream.getvalue()
