"""A model folder from a stranger can be wrong, but it cannot crash the process, nor take what memory there is."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

#: Loads each folder, scores by the compiled path and says what came of it; memory is bounded by the system.
TRY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from classifier import InputError, load_model
texts = ["The EU condemned the arrests in Minsk, officials said.", "«Ω» " * 300, "a", "", "Moscow … Minsk " * 40]
for folder in sys.argv[1:]:
    try:
        model = load_model(folder)
        model.compile()
        answer = model.predict_proba(texts)
        model.read(texts, [len(texts)]).out_of_domain
        print("wrong" if answer.shape == (5, len(model.frames)) else "misshapen", flush=True)
    except InputError as error:
        print("refused", len(str(error)), flush=True)
"""

Manifest = dict[str, Any]


def block(number: int, **changes: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["blocks"][number].update(changes)


def each(key: str, *values: Any) -> dict[str, Callable[[Manifest], None]]:
    return {f"{key} {value!r}"[:60]: entry(key, value) for value in values}


def entry(key: str, value: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest.update({key: value})


#: What is written into a manifest, each with a valid checksum.
MANIFESTS: dict[str, Callable[[Manifest], None]] = {
    **{f"longest {value!r}": block(1, longest=value) for value in (21, 200, 10**9, 2**63, -1, 0, 2.5, "5", None, True)},
    **{f"shortest {value!r}": block(1, shortest=value) for value in (-5, 0, 6, 10**9, None)},
    **{f"words longest {value!r}": block(0, longest=value) for value in (9, 200, 10**9)},
    **{f"n-grams {value!r}": block(0, ngrams=value) for value in (-1, 0, 10**9, 2**70, 1.0, None)},
    **{
        f"kind {value!r}": block(0, kind=value)
        for value in ("roles", "role_pairs", "masked_words", "characters", "x", 1)
    },
    **{f"min_df {value!r}": block(0, min_df=value) for value in (0, -1, "1")},
    **each("thresholds", [], [2.0], [float("nan")], ["x"], [[0.5]], [0.5] * 1000, None, {}, 10**400),
    **each("blocks", [], None, {}, [{}], "x", [1]),
    **each("task", "both", None, []),
    **each("name", None, 3, [], {"a": 1}),
    **each("codebook", None, {}, [], {"frames": []}, {"frames": [{}]}),
    **each("domain", [], {}, {"letters": 3}, 7, "x"),
    **each("context", {}, [], 7, {"own": [1e400]}),
    **each("provenance", None, [], 1),
}


def with_array(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict[str, np.ndarray]], None]:
    def changed(arrays: dict[str, np.ndarray]) -> None:
        arrays[name] = np.ascontiguousarray(change(arrays[name]))

    return changed


#: What becomes of the weights.
WEIGHTS: dict[str, Callable[[dict[str, np.ndarray]], Any]] = {
    **{
        f"{name} {value}": with_array(name, lambda array, value=value: np.full_like(array, value))  # type: ignore[misc]
        for name in ("idf", "coefficients", "intercepts")
        for value in (np.nan, np.inf, -np.inf)
    },
    "idf of zeros": with_array("idf", lambda array: array * 0),
    "idf negative": with_array("idf", lambda array: -array),
    "idf of doubles": with_array("idf", lambda array: array.astype(np.float64)),
    "coefficients of bytes": with_array("coefficients", lambda array: array.astype(np.int8)),
    "coefficients turned": with_array("coefficients", lambda array: array.T),
    "one feature less": with_array("idf", lambda array: array[:-1]),
    "no intercepts": lambda arrays: arrays.pop("intercepts"),
}

#: What becomes of the vocabulary.
VOCABULARIES: dict[str, Callable[[list[str]], list[str]]] = {
    "an n-gram twice": lambda ngrams: [ngrams[1], *ngrams[1:]],
    "all the same": lambda ngrams: ["a"] * len(ngrams),
    "very long n-grams": lambda ngrams: ["x " * 50_000, *ngrams[1:]],
    "empty n-grams": lambda ngrams: ["", *ngrams[1:]],
    "one line less": lambda ngrams: ngrams[:-1],
}


def forged(source: Path, target: Path, file: str | None, content: bytes, change: Callable[[Manifest], None]) -> Path:
    """Copy a model with one file replaced and its manifest changed, every digest right."""
    shutil.copytree(source, target)
    manifest = json.loads((target / "model.json").read_text(encoding="utf-8"))
    if file is not None:
        (target / file).write_bytes(content)
        manifest["files"][file] = hashlib.sha256(content).hexdigest()
    change(manifest)
    del manifest["checksum"]
    checksum = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    text = json.dumps({**manifest, "checksum": checksum}, indent=1, ensure_ascii=False) + "\n"
    (target / "model.json").write_text(text, encoding="utf-8")
    return target


def outcomes(folders: list[Path], environment: dict[str, str]) -> list[str]:
    command = [sys.executable, "-c", TRY, *map(str, folders)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.splitlines()


@pytest.fixture(params=["words", "roles"])
def genuine(request: pytest.FixtureRequest, model_directory: Path, roles_directory: Path) -> Path:
    return model_directory if request.param == "words" else roles_directory


def test_no_forged_manifest_reaches_the_kernel(genuine: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    folders = [
        forged(genuine, tmp_path / str(i), None, b"", change)
        for i, change in enumerate(MANIFESTS.values())
        if len(json.loads((genuine / "model.json").read_text(encoding="utf-8"))["blocks"]) > 1
    ]
    found = outcomes(folders, environment)
    assert len(found) == len(MANIFESTS)
    kept = [name for name, outcome in zip(MANIFESTS, found, strict=True) if not outcome.startswith("refused")]
    # The kind of a block may be another: its n-grams are then simply never met. Fewer lengths than it has are no harm.
    assert set(kept) <= {name for name in MANIFESTS if name.startswith("kind ")} | {"words longest 9", "domain {}"} | {
        "domain []"
    }


def test_no_forged_weights_reach_the_kernel(genuine: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    folders = []
    for i, change in enumerate(WEIGHTS.values()):
        arrays = dict(load((genuine / "weights.safetensors").read_bytes()))
        change(arrays)
        folders.append(forged(genuine, tmp_path / str(i), "weights.safetensors", save(arrays), lambda manifest: None))
    assert [found.split()[0] for found in outcomes(folders, environment)] == ["refused"] * len(WEIGHTS)


def test_a_forged_vocabulary_is_refused_or_only_wrong(
    genuine: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    ngrams = (genuine / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    folders = [
        forged(
            genuine,
            tmp_path / str(i),
            "vocabulary.txt",
            "".join(f"{ngram}\n" for ngram in change(list(ngrams))).encode(),
            lambda manifest: None,
        )
        for i, change in enumerate(VOCABULARIES.values())
    ]
    found = dict(zip(VOCABULARIES, outcomes(folders, environment), strict=True))
    assert {name: outcome.split()[0] for name, outcome in found.items()} == {
        "an n-gram twice": "refused",
        "all the same": "refused",
        "very long n-grams": "wrong",
        "empty n-grams": "wrong",
        "one line less": "refused",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 64,
        b"[" * 100_000,
        b'{"format": 1, "checksum": "' + b"0" * 64 + b'"}',
        b'{"format": ' + b"9" * 10_000 + b"}",
        b'{"format": 1, "name": "\\ud800", "checksum": ""}',
        b'{"format": 1, "a": ' + b'{"a": ' * 900 + b"1" + b"}" * 901,
        b'{"format": NaN}',
        b"\xff\xfe{}",
    ],
)
def test_a_damaged_manifest_is_one_sentence(
    content: bytes, genuine: Path, tmp_path: Path, framing: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    shutil.copytree(genuine, tmp_path / "model")
    (tmp_path / "model" / "model.json").write_bytes(content)
    (tmp_path / "a.txt").write_text("Text.", encoding="utf-8")
    result = framing("score", "a.txt", "--model", "model")
    assert result.returncode == 2
    assert result.stderr.count(b"\n") == 1
    assert b"Traceback" not in result.stderr
