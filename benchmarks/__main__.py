"""``python -m benchmarks``: run the measurements and print one table."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import date
from pathlib import Path

import click

from benchmarks import measure
from benchmarks.measurements import SECTIONS


@click.command()
@click.option("--text", type=click.Path(path_type=Path), help="Sentences, one a line.  [default: the corpus, shuffled]")
@click.option("--repeats", default=5, show_default=True, help="Interleaved runs of each contestant.")
@click.option("--only", multiple=True, type=click.Choice(sorted(SECTIONS)), help="Sections to run; repeatable.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the table there, too, as Markdown.")
def main(text: Path | None, repeats: int, only: tuple[str, ...], output: Path | None) -> None:
    """Measure the classifier beside its peers.

    Contestants of a section take turns; the figures are medians over the turns, with the least and the greatest.
    Peers that are not installed are left out: pip install 'framing-classifier[benchmarks]'.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [f"Machine: {os.cpu_count()} cores, {memory:.0f} GiB of memory. Medians of {repeats} interleaved runs.", ""]
    click.echo("\n".join(lines))
    for name, section in SECTIONS.items():
        if only and name not in only:
            continue
        table = measure.table(section(text, repeats))
        click.echo(table)
        lines.append(table)
    if output is not None:
        command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
        head = f"# Benchmarks\n\nMade by `{command}` on {date.today():%Y-%m-%d}.\n\n"
        output.write_text(head + "\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
