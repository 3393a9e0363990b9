"""``framing train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from classifier.cli import options


@click.command("train")
@click.argument("csv", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the model goes; an earlier model there is replaced.  [default: beside the CSV, under its name]",
)
@options.corpus_options
@options.codebook_option
@options.task_option
@options.folds_option
@options.seed_option
@options.quiet_option
def command(
    csv: Path, output: Path | None, codebook: Path | None, task: Any, folds: int, seed: int, quiet: bool, **names: str
) -> None:
    """Train a model on a labeled CSV, or a coding project, and say how good it is.

    Checks the file, cross-validates, chooses and calibrates, fits on everything, saves the model directory and
    prints a table of figures.

    \b
    Examples:
      framing train datasets/framing.csv
      framing train headlines.csv --text-column Example --label-column Category -o my-model
    """
    from classifier.cli.labels import read_labels
    from classifier.cli.progress import progress_bar
    from classifier.codebook import read_codebook
    from classifier.release import check_target, save_model
    from classifier.report import console, training_page
    from classifier.training.train import train

    output = csv.with_suffix("") if output is None else output
    check_target(output)
    corpus = read_labels(
        csv, options.columns(**names), read_codebook(codebook) if codebook else None, task, n_folds=folds
    )
    with progress_bar("Training", quiet) as progress:
        model, report = train(corpus, name=output.resolve().name, n_folds=folds, seed=seed, progress=progress)
    save_model(model, output)
    console().print(training_page(report, corpus.codebook))
    if not quiet:
        click.echo(f"Model saved in {output}. Score articles with: framing score --model {output} FILE", err=True)
