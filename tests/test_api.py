"""The public API: the names of the design, imported when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import classifier
from classifier import Article, load_model, score_article


def test_every_public_name_is_there_and_documented() -> None:
    for name in classifier.__all__:
        assert getattr(classifier, name).__doc__
        assert name in dir(classifier)


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = classifier.nonsense


def test_the_package_is_typed() -> None:
    assert (Path(classifier.__file__).parent / "py.typed").is_file()


def test_the_default_model_is_there_and_answers() -> None:
    model = load_model()
    assert model.frames == ("western_condemnation", "russian_support", "belarusian_official_narrative")
    scored = score_article(model, Article("here", "The union of gardeners met.\n\nRead more"))
    assert scored.sentences[-1].labels == ()


def imported(code: str, environment: dict[str, str]) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"]
    result = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return {name.split(".")[0] for name in result.stderr.split()}


def test_importing_the_package_imports_next_to_nothing(environment: dict[str, str]) -> None:
    heavy = {"numpy", "scipy", "sklearn", "pandas", "click", "rich", "orjson", "safetensors", "numba", "pyarrow"}
    assert not imported("import classifier", environment) & heavy
