"""Peak memory of ``framing score`` by size of its input: ``python -m benchmarks.memory [MEGABYTES]…``."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = [
    "the",
    "council",
    "river",
    "minister",
    "said",
    "loan",
    "signed",
    "sanctions",
    "rain",
    "town",
    "oil",
    "in",
    "of",
]


def write_dump(path: Path, megabytes: int) -> None:
    """Write JSON Lines of articles of about two thousand characters."""
    generator = random.Random(0)
    sentences = [" ".join(generator.choices(WORDS, k=generator.randrange(6, 30))).capitalize() for _ in range(5000)]
    with path.open("w", encoding="utf-8") as stream:
        number = 0
        while stream.tell() < megabytes * 10**6:
            for _ in range(500):
                text = ". ".join(generator.choices(sentences, k=20)) + "."
                stream.write(json.dumps({"id": number, "text": text}) + "\n")
                number += 1


def measure(path: Path, *options: str) -> tuple[float, float]:
    """Return the seconds a run takes and the most memory its main process holds, in MB."""
    command = [sys.executable, "-m", "classifier", "score", str(path), "--quiet", "--format", "jsonl", *options]
    start = time.perf_counter()
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 (a device, not a path)
        process = subprocess.Popen(command, stdout=nothing)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"framing score failed with {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Print a table."""
    sizes = [int(size) for size in sys.argv[1:]] or [10, 100, 500, 2000]
    print("| input | seconds | MB/s | peak memory |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / "dump.jsonl"
            write_dump(path, size)
            seconds, memory = measure(path)
            print(
                f"| {size:,} MB | {seconds:.1f} | {path.stat().st_size / 1e6 / seconds:.1f} | {memory:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
