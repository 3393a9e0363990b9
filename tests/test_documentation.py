"""What the documentation says is what the package does: commands, examples, docstrings, public names."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest
from numpydoc.validate import validate

import classifier
from benchmarks.command_reference import PAGE, context_of, page
from classifier.cli import main
from tests.conftest import REPOSITORY

#: What numpydoc finds that is wanted everywhere: a docstring, its summary, and every parameter in order, and returns.
CHECKS = {"GL08", "SS01", "SS02", "SS04", "PR01", "PR02", "PR03", "RT01"}


def documented() -> Iterator[str]:
    """The public names, and the methods of public classes."""
    for name in classifier.__all__:
        public = getattr(classifier, name)
        home = f"{public.__module__}.{public.__qualname__}"
        yield home
        if inspect.isclass(public):
            for member, value in vars(public).items():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod)):
                    yield f"{home}.{member}"


@pytest.mark.parametrize("name", sorted(set(documented())))
def test_docstrings_are_whole(name: str) -> None:
    found = [f"{code}: {message}" for code, message in validate(name)["errors"] if code in CHECKS]
    assert found == []


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make commands"


def examples() -> list[str]:
    """The ``framing`` commands in README and in the commands' own help."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8") + page()
    lines = re.findall(r"^\s*(?:cat \S+ \| )?(framing [a-z]+ .*)$", text, re.MULTILINE)
    return sorted({line.split("  #")[0].split(" > ")[0].strip() for line in lines if "…" not in line})


@pytest.mark.parametrize("line", examples())
def test_examples_are_parsed_by_their_command(line: str) -> None:
    words = shlex.split(line)[1:]
    if any(word in ("COMMAND", "TARGET") or word.startswith("[") for word in words):
        pytest.skip("a pattern, not an example")
    context = context_of()
    command: Any = main.get_command(context, words[0])
    assert command is not None
    while isinstance(command, click.Group):
        words = words[1:]
        command = command.get_command(context, words[0])
    command.make_context(words[0], [word for word in words[1:] if word != "--help"], parent=context)
