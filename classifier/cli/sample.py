"""``framing sample``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from classifier.cli import options


@click.command("sample")
@click.argument("sources", nargs=-1, required=True, metavar="SCORES...")
@click.option("-n", "n", type=click.IntRange(2, 1_000_000), default=400, show_default=True, help="Draws.")
@options.output_option
@click.option(
    "--level",
    type=click.Choice(["sentence", "article"]),
    default="sentence",
    show_default=True,
    help="Draw sentences, or articles of which every sentence is coded.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Draw from each value of outlet, source, month or a kept column; probability: more where the model is unsure. "
    "Repeatable.",
)
@click.option("--equal", is_flag=True, help="As many draws from each value, to compare them.  [default: by size]")
@click.option("--frame", metavar="NAME", help="With --by probability: doubt this frame.  [default: the most doubtful]")
@click.option(
    "--context", type=click.IntRange(0, 100), default=2, show_default=True, help="Sentences around, for the coder."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="The same seed draws the same."
)
@click.option("--csv-safe", is_flag=True, help="Quote cells that a spreadsheet would take for formulas.")
@options.quiet_option
def command(
    sources: tuple[str, ...],
    n: int,
    output: Path | None,
    level: Any,
    by: tuple[str, ...],
    equal: bool,
    frame: str | None,
    context: int,
    seed: int,
    csv_safe: bool,
    quiet: bool,
) -> None:
    """Draw a random sample to label by hand, from scored output or from articles, with inclusion probabilities.

    Code the column labels: frame names separated by |, nothing for no frame; ? is not coded yet. The rows stand in
    random order, so whoever stops early has a sample still. Then: framing shares SCORES --labels sample.csv

    \b
    Examples:
      framing sample scores.jsonl -n 400 --output sample.csv
      framing sample scores.csv -n 600 --by outlet --equal -o sample.csv
      framing sample scores.parquet -n 300 --by probability --frame russian_support -o sample.csv
    """
    from classifier.errors import InputError
    from classifier.prevalence.population import is_scored, read_population
    from classifier.prevalence.sampling import PROBABILITY, Plan, draw_sample, unscored
    from classifier.system.files import check_writable, file_replaced
    from classifier.system.processes import collect_garbage_rarely

    if "-" in sources:
        raise click.UsageError("The scores are read twice, so - will not do; write them to a file first.")
    if frame and PROBABILITY not in by:
        raise click.UsageError("--frame goes with --by probability.")
    if output is not None:
        check_writable(output)
        if any(Path(source).exists() and output.exists() and Path(source).samefile(output) for source in sources):
            raise click.UsageError(f"{output} is what the sample is drawn from; write it elsewhere.")
    scored = [is_scored(source) for source in sources]
    if any(scored) and not all(scored):
        raise InputError("some of these are scored and some are not; give only the scored ones, or only the articles.")
    faults: list[str] = []

    def population() -> Any:
        faults.clear()
        return (
            read_population(sources) if scored[0] else unscored(sources, on_fault=lambda one: faults.append(str(one)))
        )

    collect_garbage_rarely()
    plan = Plan(n, level, tuple(dict.fromkeys(by)), equal, frame, context, seed)
    sample = draw_sample(population, plan)
    text = sample.to_csv(csv_safe)
    if output is None:
        click.echo(text, nl=False)
    else:
        with file_replaced(output) as stream:
            stream.write(text.encode("utf-8", "surrogatepass"))
    if quiet:
        return
    from classifier.report.shares import sample_notes

    for line in (*(f"Not read: {fault}" for fault in faults[:20]), *sample_notes(sample)):
        click.echo(line, err=True)
