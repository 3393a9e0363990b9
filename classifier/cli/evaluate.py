"""``framing evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from classifier.cli import options


@click.command("evaluate")
@click.argument("csv", type=click.Path(path_type=Path))
@options.model_option
@click.option(
    "--folds",
    type=click.IntRange(2, 50),
    help="Cross-validate the training method on the CSV instead of measuring a saved model.",
)
@options.corpus_options
@options.codebook_option
@options.task_option
@options.seed_option
@options.quiet_option
def command(
    csv: Path,
    model: Path | None,
    folds: int | None,
    codebook: Path | None,
    task: Any,
    seed: int,
    quiet: bool,
    **names: str,
) -> None:
    """Measure a saved model on a labeled CSV that it has not seen.

    \b
    Examples:
      framing evaluate new-labels.csv
      framing evaluate datasets/framing.csv --folds 5
    """
    from classifier.codebook import read_codebook
    from classifier.corpus import read_corpus
    from classifier.report import console, figures_table, training_page

    columns = options.columns(**names)
    if folds is not None:
        if model is not None:
            raise click.UsageError("--folds measures the training method; leave --model away, or --folds.")
        from classifier.cli.progress import progress_bar
        from classifier.training import cross_validate

        corpus = read_corpus(csv, columns, read_codebook(codebook) if codebook else None, task, n_folds=folds)
        with progress_bar("Cross-validating", quiet) as progress:
            report = cross_validate(corpus, list(corpus.folds(folds, seed)), seed=seed, progress=progress)
        console().print(training_page(report, corpus.codebook))
        return
    from classifier.evaluation import evaluate, seen_in_training
    from classifier.persistence import load_model

    loaded = load_model(model)
    if codebook is not None:
        raise click.UsageError("--codebook goes with --folds; a saved model brings its own.")
    corpus = read_corpus(csv, columns, loaded.codebook, task, n_folds=0)
    if seen_in_training(loaded, corpus):
        click.echo(
            f"Warning: {loaded.name} was trained on this very file; these figures say nothing of new articles. "
            "For honest ones: framing evaluate --folds 5",
            err=True,
        )
    console().print(figures_table(evaluate(loaded, corpus, seed), loaded.codebook))
