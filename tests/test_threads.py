"""One model used from many threads at once: every row as from one thread, then and afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from classifier import Model, load_model, read_corpus
from tests.conftest import REPOSITORY

N_THREADS, EACH = 8, 3_000

FIRST_USE = """
import sys, threading
import numpy as np
from classifier import load_model, read_corpus
texts = read_corpus(sys.argv[1]).texts[:4000]
model = load_model()
model.compile()
parts = [texts[i::8] for i in range(8)]
results, start = [None] * 8, threading.Barrier(8)
def score(i):
    start.wait()
    results[i] = model.predict_proba(parts[i])
threads = [threading.Thread(target=score, args=(i,)) for i in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
alone = load_model()
alone.compile()
assert all(np.array_equal(result, alone.predict_proba(part)) for result, part in zip(results, parts))
print("equal")
"""


@pytest.fixture(scope="module")
def texts() -> Sequence[str]:
    return read_corpus(REPOSITORY / "datasets" / "framing.csv").texts


@pytest.fixture(scope="module")
def model() -> Model:
    model = load_model()
    model.compile()
    return model


@pytest.fixture(scope="module")
def parts(texts: Sequence[str]) -> list[Sequence[str]]:
    assert len(texts) >= N_THREADS * EACH
    return [texts[i * EACH : (i + 1) * EACH] for i in range(N_THREADS)]


@pytest.fixture(scope="module")
def expected(model: Model, parts: list[Sequence[str]]) -> list[np.ndarray]:
    return [model.predict_proba(part) for part in parts]


def test_eight_threads(model: Model, parts: list[Sequence[str]], expected: list[np.ndarray]) -> None:
    with ThreadPoolExecutor(N_THREADS) as pool:
        for _ in range(3):
            for found, row in zip(pool.map(model.predict_proba, parts), expected, strict=True):
                np.testing.assert_array_equal(found, row)
    np.testing.assert_array_equal(model.predict_proba(parts[0]), expected[0])


def test_threads_that_use_threads(model: Model, parts: list[Sequence[str]], expected: list[np.ndarray]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: model.predict_proba(part, n_threads=3), parts))
    for one, row in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, row)


def test_under_asyncio(model: Model, parts: list[Sequence[str]], expected: list[np.ndarray]) -> None:
    async def gathered() -> list[np.ndarray]:
        return await asyncio.gather(*(asyncio.to_thread(model.predict_proba, part) for part in parts))

    for found, row in zip(asyncio.run(gathered()), expected, strict=True):
        np.testing.assert_array_equal(found, row)


def test_first_use_from_eight_threads_at_once(environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", FIRST_USE, str(REPOSITORY / "datasets" / "framing.csv")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert result.stdout == "equal\n", result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_in_the_midst_of_scoring(
    model: Model, parts: list[Sequence[str]], expected: list[np.ndarray], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(model.predict_proba, part) for part in parts]
        child = os.fork()
        if child == 0:
            same = np.array_equal(model.predict_proba(parts[3]), expected[3])
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        for future, row in zip(waiting, expected, strict=True):
            np.testing.assert_array_equal(future.result(), row)
    assert os.waitstatus_to_exitcode(status) == 0


def test_an_exception_in_the_midst_leaves_the_model_right(
    model: Model, parts: list[Sequence[str]], expected: list[np.ndarray]
) -> None:
    class Torn(str):
        def encode(self, *_: object) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.predict_proba([*parts[0][:100], Torn("half a sentence")])
    np.testing.assert_array_equal(model.predict_proba(parts[0]), expected[0])
