"""``framing check``."""

from __future__ import annotations

from pathlib import Path

import click

from classifier.cli import options
from classifier.cli.plain import plain


@click.command("check")
@click.argument("csv", type=click.Path(path_type=Path))
@options.corpus_options
@options.codebook_option
@options.folds_option
def command(csv: Path, codebook: Path | None, folds: int, **names: str) -> None:
    """Find every problem of a labeled CSV, with line numbers.

    Exits with 2 when there are errors, with 0 when there are none or only warnings.

    \b
    Examples:
      framing check datasets/framing.csv
      framing check headlines.csv --text-column Example --label-column Category
    """
    from classifier.cli.labels import check_labels
    from classifier.codebook import read_codebook

    columns = options.columns(**names)
    problems = check_labels(csv, columns, read_codebook(codebook) if codebook else None, folds)
    for problem in problems:
        place = f"{csv}:{problem.line}" if problem.line else str(csv)
        click.echo(plain(f"{place}: {problem.severity}: {problem.message}"))
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning")))
    click.echo(f"{csv}: {counts if problems else 'no problems found'}", err=True)
    if errors:
        raise click.exceptions.Exit(2)
