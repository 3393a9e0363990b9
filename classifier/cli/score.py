"""``framing score``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from classifier.cli import options, reading
from classifier.cli.progress import byte_progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from classifier.articles.article import Fault
    from classifier.model.model import Model
    from classifier.scoring.run import Run, RunSettings, RunSummary

#: Terms shown with a bare ``--explain``.
TERMS = 5

#: Articles that cannot be read named on stderr, without ``--errors``.
FAULTS_SHOWN = 20


@click.command("score")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@options.model_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "jsonl", "json", "csv", "parquet", "html"]),
    help="[default: by the extension of --output, else table on a terminal and jsonl in a pipe]",
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
    "--alone",
    is_flag=True,
    help="Read each sentence without its article: for lists of sentences that do not belong together.",
)
@click.option(
    "--explain",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=TERMS,
    metavar="[N]",
    help=f"Give the N terms that speak most for each label.  [N: {TERMS}; html: always]",
)
@click.option(
    "--threshold",
    multiple=True,
    metavar="VALUE|FRAME=VALUE",
    help="Label a sentence from this probability on, for all frames or for one, which goes before; repeatable.",
)
@click.option(
    "--abstain",
    is_flag=False,
    flag_value="0.3-0.7",
    metavar="[LOW-HIGH]",
    callback=lambda _, __, value: _band(value),
    help="Mark frames whose probability lies in this band as uncertain.  [LOW-HIGH: 0.3-0.7]",
)
@click.option(
    "--errors",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write articles that cannot be read there, as JSON Lines, instead of naming them on stderr.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when an article could not be read.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with this --output stopped.")
@click.option("--csv-safe", is_flag=True, help="Quote CSV cells that a spreadsheet would take for formulas.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that score and parse."
)
@reading.reading_options
@options.quiet_option
def command(
    sources: tuple[str, ...],
    model: Path | None,
    format_: str | None,
    output: Path | None,
    level: str,
    alone: bool,
    explain: int | None,
    threshold: tuple[str, ...],
    abstain: tuple[float, float] | None,
    errors: Path | None,
    strict: bool,
    resume: bool,
    csv_safe: bool,
    jobs: int,
    quiet: bool,
    **values: Any,
) -> None:
    """Score articles sentence by sentence: files, folders, patterns, or - for standard input.

    Read are text, Markdown, HTML, PDF, DOCX, CSV, TSV, JSON Lines, JSON, Parquet and Arrow, and .gz, .zst and .zip
    of these. An article that cannot be read is named and left out; it never ends the run.

    A sentence is scored in its article: what the other sentences say counts, the first ones above all, and whether
    the codebook's subjects are named. A text of one sentence is read alone, and with --alone every sentence is.

    \b
    Examples:
      framing score article.txt
      framing score news/ --output scores.csv --errors unread.jsonl
      framing score news/ --output news.html
      framing score dump.jsonl.gz --text-column article.body --keep author -o scores.jsonl --resume
      cat article.txt | framing score - --explain 3
    """
    if not sources:
        raise click.UsageError("Nothing to score: name a file, a folder, or - for standard input.")
    if output is None and sys.stdout is None:
        raise click.UsageError("Standard output is closed; give --output FILE.")
    if format_ is None:
        extension = output.suffix.lower().removeprefix(".") if output else ""
        usual = "table" if output is None and sys.stdout.isatty() else "jsonl"
        if extension and extension not in FORMATS and (output is None or not output.exists() or output.is_file()):
            raise click.UsageError(
                f"{output}: .{extension} names no format; write .{', .'.join(FORMATS)}, or name one with --format."
            )
        format_ = extension if extension in FORMATS else usual
    _check_usage(sources, format_, output, errors, resume, csv_safe)
    if level == "article" and (explain or abstain):
        raise click.UsageError("--explain and --abstain tell of sentences; leave them out, or --level article.")
    read = reading.read_options(values)
    if format_ == "html" and level == "sentence":
        explain = explain or TERMS
    from classifier.model.load import load_model
    from classifier.scoring.run import Run, RunSettings
    from classifier.system.processes import collect_garbage_rarely

    loaded = load_model(model)
    collect_garbage_rarely()
    if alone:
        loaded = replace(loaded, context=None)
    thresholds = _thresholds(threshold, loaded)
    settings = RunSettings(sources, read, format_, level, explain or 0, thresholds, abstain, csv_safe, jobs)
    written = [Path(path.parent.resolve() / f"{path.name}{end}") for path in (output, errors) if path for end in _ENDS]
    faults = _Faults(shown=errors is None)

    def total() -> int | None:
        from classifier.articles import total_bytes
        from classifier.articles.sources import check_sources

        return total_bytes(check_sources(sources), frozenset(map(str, written)))

    with byte_progress("Scoring", quiet or format_ == "table", total) as progress:
        run = Run(loaded, settings, faults, progress, written)
        _write(run, loaded, settings, output, errors, faults, resume)
    _conclude(run.summary, settings, output, errors, faults, strict, quiet)


#: The formats that the extension of an output names.
FORMATS = ("jsonl", "json", "csv", "parquet", "html")

#: What a run may leave beside its files.
_ENDS = ("", ".partial", ".journal", ".journal.new")


def _check_usage(
    sources: tuple[str, ...], format_: str, output: Path | None, errors: Path | None, resume: bool, csv_safe: bool
) -> None:
    if format_ == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; give --output FILE.")
    if csv_safe and format_ != "csv":
        raise click.UsageError("--csv-safe is for --format csv.")
    if resume and output is None:
        raise click.UsageError("--resume goes on with a file; give its --output FILE.")
    if resume and format_ not in ("jsonl", "csv"):
        raise click.UsageError(f"--resume is for jsonl and csv; a part of a {format_} file cannot be gone on with.")
    if output is None and errors is None:
        return
    from classifier.articles.sources import check_sources
    from classifier.system.files import check_apart, check_writable

    written = {"--output": output, "--errors": errors}
    if format_ in ("jsonl", "csv"):  # a run that can be gone on with keeps files beside its own
        for name, path in list(written.items()):
            if path is not None:
                written |= {f"{name} ({end[1:]})": path.with_name(path.name + end) for end in _ENDS if end}
    check_apart(written, [source for source in check_sources(sources) if str(source) != "-"])
    for path in (output, errors):
        if path is not None:
            check_writable(path)
    if resume and output is not None and output.exists() and not output.is_file():
        raise click.UsageError(f"--resume goes on with a file, and {output} is none.")


def _write(
    run: Run,
    model: Model,
    settings: RunSettings,
    output: Path | None,
    errors: Path | None,
    faults: _Faults,
    resume: bool,
) -> None:
    from classifier.scoring.writers import LINE_FORMATS, WRITERS

    lines = settings.format in LINE_FORMATS
    if lines and output is not None and (output.is_file() or not output.exists()):
        run.to_file(output, errors, resume=resume)
        return
    with _destination(errors) if errors else nullcontext() as error_stream, _destination(output) as stream:
        faults.stream = error_stream
        if lines:
            run.to_stream(stream)
        elif settings.format == "table":
            from classifier.report import print_articles
            from classifier.report.reliability import reliability_note

            note = reliability_note(model.metrics)
            print_articles(run.articles(), model.codebook, settings.level, stream, note)
        elif settings.format == "html":
            from classifier.report import write_html
            from classifier.report.reliability import reliability_note

            note = reliability_note(model.metrics)
            left_out = write_html(run.articles(), model.codebook, stream, settings.level, note)
            if left_out:
                click.echo(left_out, err=True)
        else:
            WRITERS[settings.format](run.articles(), model.frames, stream, settings.level, settings.read.keep)


@contextmanager
def _destination(output: Path | None) -> Iterator[IO[bytes]]:
    """Open where results go: stdout, or a file that appears whole or not at all."""
    if output is None:
        from classifier.cli.stdout import Stdout

        stdout = Stdout()
        yield cast("IO[bytes]", stdout)
        stdout.flush()
        return
    from classifier.system.files import file_replaced

    with file_replaced(output) as stream:
        yield stream


def _band(text: str | None) -> tuple[float, float] | None:
    from classifier.model.band import parse_band

    try:
        return None if text is None else parse_band(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a band such as 0.3-0.7; without a band of your own put --abstain after the sources.",
            param_hint="--abstain",
        ) from None


class _Faults:
    """Names faults as they come: in a stream where there is one, else the first of them on stderr."""

    def __init__(self, shown: bool) -> None:
        self.stream: IO[bytes] | None = None
        self._shown = shown
        self._first: str | None = None
        self._count = 0

    def __call__(self, fault: Fault) -> None:
        self._count += 1
        if self.stream is not None:
            import orjson

            self.stream.write(orjson.dumps(fault.to_dict(), option=orjson.OPT_APPEND_NEWLINE))
        elif self._shown and self._count == 1:
            # A lone article that cannot be read is the command's failure, said once, at the end.
            self._first = str(fault)
        elif self._shown and self._count <= FAULTS_SHOWN:
            self.tell()
            self._say(str(fault))

    def tell(self) -> None:
        """Name the first fault, unless that was done."""
        if self._first is not None:
            self._say(self._first)
            self._first = None

    def _say(self, text: str) -> None:
        from classifier.report import printable

        click.echo(f"Not read: {printable(text)}", err=True)


def _conclude(
    summary: RunSummary,
    settings: RunSettings,
    output: Path | None,
    errors: Path | None,
    faults: _Faults,
    strict: bool,
    quiet: bool,
) -> None:
    """Say what was done, and exit accordingly."""
    if summary.faults and not summary.articles and summary.signal is None:
        from classifier.errors import InputError
        from classifier.report import printable

        alone = summary.faults == 1
        raise InputError(printable(summary.first) if alone else f"None of {summary.faults:,} articles could be read.")
    faults.tell()
    if not quiet:
        for line in _notes(summary, errors):
            click.echo(line, err=True)
    if summary.signal is not None:
        _say_how_to_go_on(summary, settings, output)
        raise click.exceptions.Exit(128 + summary.signal)
    if strict and summary.faults:
        raise click.exceptions.Exit(1)


def _notes(summary: RunSummary, errors: Path | None) -> Iterator[str]:
    if summary.faults:
        more = summary.faults > FAULTS_SHOWN and errors is None
        where = f"they are in {errors}" if errors else "--errors FILE keeps them all" if more else ""
        yield (
            f"{summary.articles:,} {'article' if summary.articles == 1 else 'articles'} scored, "
            f"{summary.faults:,} could not be read"
            f"{f'; {where}' if where else ''}."
        )
    for encoding, count in summary.guessed.most_common():
        yield (
            f"{count:,} {'article is' if count == 1 else 'articles are'} not in UTF-8; read as {encoding}, which is a "
            "guess. Name the right one with --encoding if it is wrong."
        )
    if summary.skipped:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary.skipped.most_common(5))
        yield f"Left out of folders: {kinds}."


def _say_how_to_go_on(summary: RunSummary, settings: RunSettings, output: Path | None) -> None:
    from classifier.scoring.writers import LINE_FORMATS

    done = f"Stopped after {summary.articles:,} articles"
    if output is None or not (output.is_file() and settings.format in LINE_FORMATS):
        click.echo(f"{done}.", err=True)
        return
    words = [*sys.argv[1:], *(() if "--resume" in sys.argv else ("--resume",))]
    click.echo(f"{done}; {output} holds them. Go on with: framing {shlex.join(words)}", err=True)


def _thresholds(values: tuple[str, ...], model: Model) -> npt.NDArray[np.float64] | None:
    if not values:
        return None
    import numpy as np

    thresholds = model.thresholds.copy()
    # Those of a single frame last, wherever they stand: they say more.
    for value in sorted(values, key=lambda value: "=" in value):
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
