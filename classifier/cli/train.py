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
@click.option(
    "--start-from",
    "start",
    type=click.Path(path_type=Path),
    metavar="DIR",
    is_flag=False,
    flag_value=Path(),
    help="A model whose knowledge of the same frames is kept as far as it helps; without DIR, the one that comes with "
    "framing. Its codebook's roles are read.",
)
@click.option(
    "--vectors",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Word vectors in the text format of word2vec, GloVe and fastText, instead of the English ones that come with "
    "framing; 'none' for no vectors. They are used where they help.",
)
@options.folds_option
@options.seed_option
@options.quiet_option
def command(
    csv: Path,
    output: Path | None,
    codebook: Path | None,
    task: Any,
    start: Path | None,
    vectors: Path | None,
    folds: int,
    seed: int,
    quiet: bool,
    **names: str,
) -> None:
    """Train a model on a labeled CSV, or a coding project, and say how good it is.

    Checks the file, cross-validates, chooses and calibrates, fits on everything, saves the model directory and
    prints a table of figures.

    \b
    Examples:
      framing train datasets/framing.csv
      framing train headlines.csv --text-column Example --label-column Category -o my-model
      framing train mine.csv --start-from -o my-model
    """
    from classifier.cli.labels import read_labels
    from classifier.cli.progress import progress_bar
    from classifier.codebook import read_codebook
    from classifier.features.vectors import WordVectors, load_vectors
    from classifier.model.load import load_model
    from classifier.release import check_target, save_model
    from classifier.report import console, training_page
    from classifier.training.train import train

    output = csv.with_suffix("") if output is None else output
    check_target(output)
    known = None if start is None else load_model(None if start == Path() else start)
    table = WordVectors.none() if vectors == Path("none") else load_vectors(vectors)
    corpus = read_labels(
        csv, options.columns(**names), read_codebook(codebook) if codebook else None, task, n_folds=folds
    )
    with progress_bar("Training", quiet) as progress:
        model, report = train(
            corpus,
            name=output.resolve().name,
            n_folds=folds,
            seed=seed,
            progress=progress,
            vectors=table,
            start=known,
        )
    save_model(model, output)
    console().print(training_page(report, corpus.codebook))
    if report.known_to_start:
        click.echo(
            f"{report.known_to_start:,} of these sentences were in the start's training; figures with it flatter.",
            err=True,
        )
    if not quiet:
        click.echo(f"Model saved in {output}. Score articles with: framing score --model {output} FILE", err=True)
