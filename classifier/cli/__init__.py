"""The ``framing`` command: a lazy group, one short module a command."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from classifier import __version__
from classifier.cli.plain import plain
from classifier.errors import FramingError

_COMMANDS = (
    "train",
    "score",
    "evaluate",
    "check",
    "frames",
    "convert",
    "codebook",
    "label",
    "agree",
    "sample",
    "shares",
)


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for, and turns errors into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, in the order a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of this name, importing its module."""
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"classifier.cli.{name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `FramingError` becomes a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except FramingError as error:
            failure = click.ClickException(plain(str(error)))
            setattr(failure, "exit_code", error.exit_code)  # noqa: B010 (a class variable to the type checker)
            raise failure from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="framing")
def main() -> None:
    """Score the sentences of articles by frame, and train models that do.

    \b
    Examples:
      framing score article.txt
      framing train datasets/framing.csv -o artifacts/framing

    Shell completion: eval "$(_FRAMING_COMPLETE=bash_source framing)"; zsh_source and fish_source likewise.
    """
