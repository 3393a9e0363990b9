"""``framing evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.cli import options

if TYPE_CHECKING:
    from classifier.codebook import Codebook
    from classifier.evaluation.evaluate import Evaluation
    from classifier.metrics import Comparison
    from classifier.report.tables import Table


@click.command("evaluate")
@click.argument("csv", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Model directory; give two to compare them.  [default: the model that comes with framing]",
)
@click.option(
    "--folds",
    type=click.IntRange(2, 50),
    help="Cross-validate the training method on the CSV instead of measuring a saved model.",
)
@click.option(
    "--leave-out",
    metavar="COLUMN",
    help="Cross-validate leaving out one value of this column at a time; with --folds K, or when there are more "
    "than 25 values, bundles of values.",
)
@click.option("--by", multiple=True, metavar="COLUMN", help="Measure each value of this column on its own; repeatable.")
@click.option(
    "--errors", type=click.IntRange(0), default=0, metavar="N", help="List the N mistakes the model was surest of."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "markdown", "html"]),
    help="How the figures are written.  [default: by the extension of --output, else table]",
)
@options.output_option
@options.corpus_options
@options.codebook_option
@options.task_option
@options.seed_option
@options.quiet_option
def command(
    csv: Path,
    models: tuple[Path, ...],
    folds: int | None,
    leave_out: str | None,
    by: tuple[str, ...],
    errors: int,
    format_: str | None,
    output: Path | None,
    codebook: Path | None,
    task: Any,
    seed: int,
    quiet: bool,
    **names: str,
) -> None:
    """Measure a saved model on a labeled CSV that it has not seen, or the training method by cross-validation.

    Sentences that a model was trained on are no test of it: they are found by the file's hash and by their words,
    left out with a warning, and if none is left the command fails.

    \b
    Examples:
      framing evaluate new-labels.csv
      framing evaluate new-labels.csv --model old --model new
      framing evaluate datasets/framing.csv --folds 5 --errors 20
      framing evaluate datasets/framing.csv --leave-out source_type --format markdown
    """
    from classifier.cli.labels import read_labels
    from classifier.codebook import read_codebook
    from classifier.system.files import check_apart, check_writable

    format_ = format_ or _format_of(output)
    if output is not None:
        check_writable(output)
        check_apart({"--output": output}, [csv, *([codebook] if codebook else [])])
    columns = options.columns(**names)
    evaluations: list[Evaluation]
    comparison: list[Comparison] = []
    if folds is not None or leave_out is not None:
        if models:
            raise click.UsageError(
                "--folds and --leave-out measure the training method, --model a saved model; leave one of them away."
            )
        from classifier.cli.progress import progress_bar
        from classifier.evaluation.evaluate import cross_evaluate

        given = read_codebook(codebook) if codebook else None
        corpus = read_labels(csv, columns, given, task, n_folds=2 if leave_out else folds or 2)
        with progress_bar("Cross-validating", quiet) as progress:
            evaluations = [cross_evaluate(corpus, folds, leave_out, seed, by, progress)]
    else:
        from classifier.evaluation.evaluate import compare_models, evaluate
        from classifier.model.load import load_model

        if len(models) > 2:
            raise click.UsageError("--model can be given twice at most: two models are compared.")
        if codebook is not None:
            raise click.UsageError("--codebook goes with --folds or --leave-out; a saved model brings its own.")
        loaded = [load_model(model) for model in models or (None,)]
        corpus = read_labels(csv, columns, loaded[0].codebook, task, n_folds=0)
        if len(loaded) == 2:
            first, second, comparison = compare_models(loaded[0], loaded[1], corpus, seed, by)
            evaluations = [first, second]
        else:
            evaluations = [evaluate(loaded[0], corpus, seed, by)]
        _warn(evaluations[0], len(loaded))
    _write(evaluations, comparison, corpus.codebook, errors, format_, output, [str(model) for model in models])


def _format_of(output: Path | None) -> str:
    """Return the format that the extension of the output names."""
    extension = output.suffix.lower() if output else ""
    known = {"": "table", ".txt": "table", ".json": "json", ".md": "markdown", ".html": "html"}
    if extension not in known:
        raise click.UsageError(
            f"{output}: {extension} names no format; write .html, .json, .md or .txt, or name one with --format."
        )
    return known[extension]


def _warn(evaluation: Evaluation, n_models: int) -> None:
    overlap = evaluation.overlap
    if overlap is None:
        return
    if not overlap.recorded:
        click.secho(
            "WARNING: a model here does not say which sentences it was trained on, so only its very training file "
            "would be recognised. Train it again to record them.",
            fg="red",
            err=True,
        )
    if not overlap.sentences:
        return
    who = "The models were" if n_models > 1 else f"{evaluation.models[0].name} was"
    text = (
        f"WARNING: {who} trained on {overlap.sentences:,} of these sentences. A model has learned the answers to "
        "its own training sentences, so figures on them would say nothing of new articles; they are left out."
    )
    if overlap.neighbours:
        text += (
            f" {overlap.neighbours:,} of the sentences that remain come from articles of which others were "
            "trained on: they are read without those, and their figures may still flatter."
        )
    click.secho(text, fg="red", bold=True, err=True)


def _write(
    evaluations: list[Evaluation],
    comparison: list[Comparison],
    codebook: Codebook,
    errors: int,
    format_: str,
    output: Path | None,
    names: list[str],
) -> None:
    import io
    import sys

    from classifier.system.files import file_replaced

    if format_ in ("json", "html"):
        results = [
            one.to_dict() | ({"mistakes": [mistake.to_dict() for mistake in one.mistakes(errors)]} if errors else {})
            for one in evaluations
        ]
        data = (
            {"models": names, "evaluations": results, "comparison": [row.to_dict() for row in comparison]}
            if comparison
            else results[0]
        )
        if format_ == "html":
            from classifier.report import evaluation_page

            text = evaluation_page(data, codebook)
        else:
            import json

            text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    else:
        from classifier.report import console
        from classifier.report.tables import comparison_table, markdown, terminal

        sections: list[tuple[str, list[Table]]] = [
            (one.method if len(names) < 2 else f"{name}: {one.method}", _tables(one, codebook, errors))
            for name, one in zip(names or [""], evaluations, strict=True)
        ]
        if comparison:
            sections.insert(0, ("Comparison", [comparison_table(comparison, codebook, *names)]))
        if format_ == "markdown":
            text = "\n".join(f"# {title}\n\n{markdown(tables)}" for title, tables in sections)
        else:
            stream = io.StringIO() if output else sys.stdout
            target = console(stream)
            for title, tables in sections:
                target.print(title, style="bold", markup=False)
                target.print()
                target.print(terminal(tables))
            text = stream.getvalue() if isinstance(stream, io.StringIO) else ""
    if output is None:
        click.echo(text, nl=False)
        return
    with file_replaced(output) as file:
        file.write(text.encode("utf-8", "surrogatepass"))


def _tables(evaluation: Evaluation, codebook: Codebook, errors: int) -> list[Table]:
    from classifier.report.tables import mistakes_table, summary_tables

    tables = summary_tables(evaluation.summary, codebook)
    return [*tables, mistakes_table(evaluation.mistakes(errors), codebook)] if errors else tables
