"""The command as a whole: help, version, completion, errors as sentences, start-up."""

from __future__ import annotations

import subprocess
import sys

import pytest

from classifier import __version__

COMMANDS = ("train", "score", "evaluate", "check", "frames", "label", "agree")


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_examples(cli, command: tuple[str, ...], option: str) -> None:
    result = cli(*command, option)
    assert result.exit_code == 0
    assert "Examples:" in result.output
    examples = [line for line in result.output.splitlines() if "framing " in line and not line.startswith("Usage")]
    assert len(examples) >= 2
    if command:
        assert any(f"framing {command[0]}" in line for line in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_names_no_option_that_is_not_there(cli, name: str) -> None:
    text = cli(name, "--help").output
    head, _, options = text.partition("Options:")
    used = {word for line in head.splitlines() for word in line.split() if word.startswith("-") and word != "-"}
    assert used
    for option in used - {"--folds", "-"}:
        assert option in options


def test_help_lists_every_command_with_a_line_about_it(cli) -> None:
    text = cli("--help").output
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in text.splitlines())


def test_version(cli) -> None:
    assert __version__ in cli("--version").output


def test_shared_options_have_one_meaning(cli) -> None:
    """`score` and `label` read articles: their --text-column is another; `evaluate` takes --model twice."""
    for option in ("--seed", "--quiet", "--text-column", "--task"):
        texts = set()
        for name in COMMANDS:
            text = cli(name, "--help", terminal_width=300, max_content_width=300).output.partition("Options:")[2]
            texts |= {
                " ".join(line.split()).replace("; give two to compare them", "")
                for line in text.splitlines()
                if f"{option} " in line and name not in ("score", "label")
            }
        assert len(texts) == 1, (option, texts)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("score",), ("train",), ("check",), ("score", "--nonsense"), ("train", "a", "b")]
)
def test_bad_usage_exits_with_2_and_a_hint(cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "Usage: framing" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(environment, shell: str) -> None:
    command = [sys.executable, "-c", "from classifier.cli import main; main(prog_name='framing')"]
    variables = {**environment, "_FRAMING_COMPLETE": f"{shell}_source"}
    script = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert "_FRAMING_COMPLETE" in script.stdout, script.stderr
    variables = {**environment, "_FRAMING_COMPLETE": f"{shell}_complete", "COMP_WORDS": "framing sc"}
    variables["COMP_CWORD"] = "sc" if shell == "fish" else "1"
    found = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert "score" in found.stdout


def modules(environment: dict[str, str], *arguments: object, given: bytes = b"") -> set[str]:
    """Run the command in a process and return the packages it imported."""
    code = (
        "import sys\nfrom classifier.cli import main\n"
        "try:\n    main(sys.argv[1:], prog_name='framing')\n"
        "finally:\n    print('\\n' + '\\n'.join(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, env=environment, input=given, capture_output=True, check=True)
    return {name.split(".")[0] for name in result.stderr.decode().split()}


@pytest.mark.parametrize("arguments", [("--help",), ("score", "--help"), ("train", "--help"), ("--version",)])
def test_help_imports_no_numpy(environment, arguments: tuple[str, ...]) -> None:
    assert not modules(environment, *arguments) & {"numpy", "scipy", "sklearn", "pandas", "rich", "numba"}


@pytest.mark.parametrize("extra", [(), ("--format", "csv"), ("--explain", "2"), ("--format", "table")])
def test_scoring_one_article_imports_no_scikit_learn(
    environment, model_directory, article_file, extra: tuple[str, ...]
) -> None:
    found = modules(environment, "score", article_file, "--model", model_directory, *extra)
    assert "numpy" in found
    assert not found & {"sklearn", "scipy", "pandas", "joblib", "numba", "pyarrow"}


def test_the_default_model_scores_without_scikit_learn_too(environment) -> None:
    found = modules(environment, "score", "-", given=b"The two governments signed a treaty.")
    assert not found & {"sklearn", "scipy", "pandas", "joblib"}
