"""``framing score``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from classifier.cli import options

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from classifier.model import Model

#: Terms shown with a bare ``--explain``.
TERMS = 5


@click.command("score")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@options.model_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "jsonl", "json", "csv", "parquet"]),
    help="[default: table on a terminal, jsonl otherwise]",
)
@options.output_option
@click.option(
    "--level",
    type=click.Choice(["sentence", "article"]),
    default="sentence",
    show_default=True,
    help="A result a sentence, or the profile of each article alone.",
)
@click.option(
    "--explain",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=TERMS,
    metavar="[N]",
    help=f"Give the N terms that speak most for each label.  [N: {TERMS}]",
)
@click.option(
    "--threshold",
    multiple=True,
    metavar="VALUE|FRAME=VALUE",
    help="Label a sentence from this probability on, for all frames or for one; repeatable.",
)
@click.option(
    "--abstain",
    is_flag=False,
    flag_value="0.3-0.7",
    metavar="[LOW-HIGH]",
    callback=lambda _, __, value: _band(value),
    help="Mark frames whose probability lies in this band as uncertain.  [LOW-HIGH: 0.3-0.7]",
)
@options.quiet_option
def command(
    sources: tuple[str, ...],
    model: Path | None,
    format_: str | None,
    output: Path | None,
    level: str,
    explain: int | None,
    threshold: tuple[str, ...],
    abstain: tuple[float, float] | None,
    quiet: bool,
) -> None:
    r"""Score articles sentence by sentence: text files, folders of them, or - for standard input.

    \b
    Examples:
      framing score article.txt
      framing score news/ --format csv --output scores.csv
      cat article.txt | framing score - --explain 3
    """
    from classifier.articles import read_articles
    from classifier.persistence import load_model
    from classifier.scoring import score_articles

    if not sources:
        raise click.UsageError("Nothing to score: name a file, a folder, or - for standard input.")
    if format_ is None:
        format_ = "table" if output is None and sys.stdout.isatty() else "jsonl"
    loaded = load_model(model)
    scored = score_articles(
        loaded,
        read_articles(sources),
        explain=explain or 0,
        thresholds=_thresholds(threshold, loaded),
        band=abstain,
    )
    if format_ == "table":
        from classifier.confidence import reliability_note
        from classifier.report import print_articles

        with _destination(output) as stream:
            print_articles(scored, loaded.codebook, level, stream, reliability_note(loaded.metrics))
    else:
        from classifier.outputs import WRITERS

        if format_ == "parquet" and output is None and sys.stdout.isatty():
            raise click.UsageError("Parquet is not for a terminal; give --output FILE.")
        with _destination(output) as stream:
            WRITERS[format_](scored, loaded.frames, stream, level)


@contextmanager
def _destination(output: Path | None) -> Iterator[IO[bytes]]:
    """Open where results go: stdout, or a file that appears whole or not at all."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from classifier.files import file_replaced

    with file_replaced(output) as stream:
        yield stream


def _band(text: str | None) -> tuple[float, float] | None:
    from classifier.confidence import parse_band

    try:
        return None if text is None else parse_band(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a band such as 0.3-0.7; without a band of your own put --abstain after the sources.",
            param_hint="--abstain",
        ) from None


def _thresholds(values: tuple[str, ...], model: Model) -> npt.NDArray[np.float64] | None:
    if not values:
        return None
    import numpy as np

    thresholds = model.thresholds.copy()
    for value in values:
        frame, _, number = value.rpartition("=")
        if frame and frame not in model.frames:
            raise click.BadParameter(
                f"no frame {frame!r}; the frames are {', '.join(model.frames)}.", param_hint="--threshold"
            )
        try:
            probability = float(number)
        except ValueError:
            probability = np.nan
        if not 0 <= probability <= 1:
            raise click.BadParameter(f"{number!r} is not a probability from 0 to 1.", param_hint="--threshold")
        thresholds[slice(None) if not frame else model.frames.index(frame)] = probability
    return thresholds
