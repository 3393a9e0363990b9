"""Options that several commands share: one name, one meaning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from classifier.corpus import Columns

F = TypeVar("F", bound=Callable[..., Any])

model_option = click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Model directory.  [default: the model that comes with framing]",
)
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write results there instead of stdout."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no messages, only results and errors.")
seed_option = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Of folds and bootstrap."
)
folds_option = click.option(
    "--folds", default=5, show_default=True, type=click.IntRange(2, 50), help="Folds of the cross-validation."
)
codebook_option = click.option(
    "--codebook",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file of the frames.  [default: codebook.toml beside the CSV, else the frames of the default model "
    "where the labels are theirs, else the labels found]",
)
task_option = click.option(
    "--task",
    type=click.Choice(["multilabel", "multiclass"]),
    help="[default: multilabel when any sentence has no label or several]",
)


def corpus_options(function: F) -> F:
    """Add the options that name a labeled CSV's columns; the command receives them as one `Columns`."""
    for option in reversed(
        (
            click.option("--text-column", default="text", show_default=True, help="Column of the sentences."),
            click.option("--label-column", default="labels", show_default=True, help="Column of the labels."),
            click.option(
                "--group-column",
                default="article_id",
                show_default=True,
                help="Column that names the article a sentence is read in, and kept in by folds.",
            ),
            click.option("--label-separator", default="|", show_default=True, help="Between labels of one cell."),
        )
    ):
        function = option(function)
    return function


def columns(text_column: str, label_column: str, group_column: str, label_separator: str) -> Columns:
    """Collect the values of `corpus_options`.

    Raises
    ------
    click.BadParameter
        If the separator is empty.
    """
    if not label_separator:
        raise click.BadParameter("must be one character or more.", param_hint="--label-separator")
    return Columns(text_column, label_column, group_column, label_separator)
