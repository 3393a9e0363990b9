"""Compiled code on disk: whatever happens to it, functions are compiled again and give the same numbers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

#: A function of a module of its own, compiled by the project's decorator; a second module that it calls.
ONE = """
from classifier.system.compilation import compiled
from two import half

@compiled()
def third(x):
    return half(x) * 2 / 3
"""
TWO = """
from classifier.system.compilation import compiled

@compiled()
def half(x):
    return x / {divisor}
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "one.py").write_text(ONE)
    (tmp_path / "two.py").write_text(TWO.format(divisor=2))
    return tmp_path


def answer(folder: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", "import one; print(one.third(9.0), sum(one.third.stats.cache_hits.values()))"]
    environment = {**environment, "PYTHONPATH": f"{REPOSITORY}:{folder}"}
    result = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_the_second_run_compiles_nothing(modules: Path, environment: dict[str, str]) -> None:
    assert answer(modules, environment) == "3.0 0"
    assert answer(modules, environment) == "3.0 1"


def test_a_change_in_another_module_reaches_the_callers(modules: Path, environment: dict[str, str]) -> None:
    answer(modules, environment)
    (modules / "two.py").write_text(TWO.format(divisor=4))
    assert answer(modules, environment) == "1.5 0"


@pytest.mark.parametrize("damage", [b"", b"not a pickle", b"\x80\x04."])
@pytest.mark.parametrize("which", ["*.nbi", "*.nbc"])
def test_damaged_files_are_compiled_again(
    modules: Path, environment: dict[str, str], which: str, damage: bytes
) -> None:
    answer(modules, environment)
    files = list(modules.rglob(which))
    assert files
    for file in files:
        file.write_bytes(damage)
    assert answer(modules, environment).startswith("3.0 ")


def test_a_place_that_cannot_be_written_to_is_gone_without(modules: Path, environment: dict[str, str]) -> None:
    shutil.rmtree(modules / "__pycache__", ignore_errors=True)
    (modules / "__pycache__").write_text("a file where the folder should be")
    assert answer(modules, {**environment, "NUMBA_CACHE_DIR": "/dev/null/none"}) == "3.0 0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
def test_a_full_disk_is_gone_without(modules: Path, environment: dict[str, str]) -> None:
    answer(modules, environment)
    for file in modules.rglob("*.nb?"):
        file.unlink()
        file.symlink_to("/dev/full")
    assert answer(modules, environment).startswith("3.0 ")
