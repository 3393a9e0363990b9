"""``python -m benchmarks.command_reference``: write docs/commands.md from what the commands say of themselves."""

from __future__ import annotations

from pathlib import Path

import click

from classifier.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"

#: Columns of the help, whatever the terminal.
WIDTH = 100

HEAD = """# Commands

What `framing COMMAND --help` prints, command by command. This page is written by `make commands`, and a test compares
it with the commands.
"""


def context_of() -> click.Context:
    """Return the context that the program itself makes, with a width of its own."""
    settings = {**main.context_settings, "max_content_width": WIDTH, "terminal_width": WIDTH}
    return click.Context(main, info_name="framing", **settings)


def help_text(name: str | None = None) -> str:
    """Return the help of a command, or of the program itself.

    Parameters
    ----------
    name : str, optional

    Returns
    -------
    str
    """
    context = context_of()
    if name is None:
        return main.get_help(context)
    command = main.get_command(context, name)
    assert command is not None
    return command.get_help(
        click.Context(command, parent=context, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)
    )


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, f"```\n{help_text()}\n```\n"]
    names = main.list_commands(context_of())
    parts += [f"## framing {name}\n\n```\n{help_text(name)}\n```\n" for name in names]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
