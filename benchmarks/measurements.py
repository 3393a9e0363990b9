"""The measurements: scoring, cold start, a whole archive, training."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Contestant, Result, Section, interleave
from classifier import load_model, read_corpus
from classifier.compiled import CompiledScorer
from classifier.persistence import to_pipeline

CORPUS = Path(__file__).parent.parent / "datasets" / "framing.csv"
ARTICLE = CORPUS.parent / "examples" / "transit.txt"

#: Text scored in one turn, in bytes.
TEXT_BYTES = 4_000_000


def sentences(text: Path | None, size: int = TEXT_BYTES) -> list[str]:
    """Return sentences of about `size` bytes: a file's lines, else the corpus in ever new order."""
    pool = text.read_text(encoding="utf-8").splitlines() if text else list(read_corpus(CORPUS).texts)
    shuffled, total = [], 0
    rng = random.Random(0)
    while total < size:
        rng.shuffle(pool)
        shuffled += pool
        total += sum(len(sentence.encode()) for sentence in pool)
    while total > size and len(shuffled) > 1:
        total -= len(shuffled.pop().encode())
    return shuffled


def scoring(text: Path | None, repeats: int) -> Section:
    """Measure sentences to probabilities, in memory."""
    model = load_model()
    texts = sentences(text)
    megabytes = sum(len(sentence.encode()) for sentence in texts) / 1e6
    pipeline = to_pipeline(model)
    scorer = CompiledScorer(model)
    scorer.logits(texts[:100])

    def fresh() -> None:
        CompiledScorer(model).logits(texts)

    contestants = [
        Contestant("scikit-learn pipeline", lambda: peers.drop(pipeline.predict_proba(texts))),
        Contestant("framing, plain path", lambda: peers.drop(model.plain_logits(texts[: len(texts) // 10]))),
        Contestant("framing, first text it sees, 1 thread", fresh),
        Contestant("framing, 1 thread", lambda: peers.drop(scorer.logits(texts))),
        Contestant("framing, 2 threads", lambda: peers.drop(scorer.logits(texts, 2))),
        *peers.predictors(texts),
    ]
    results = interleave(contestants, repeats, megabytes)
    results = [
        Result(result.name, result.seconds, megabytes / 10) if "plain" in result.name else result for result in results
    ]
    note = f"{megabytes:.1f} MB in {len(texts)} sentences; probabilities of every frame."
    return Section("Scoring, MB/s", "MB/s", results, note)


def cold_start(text: Path | None, repeats: int) -> Section:
    """Measure one article from a cold start: the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        import joblib

        joblib.dump(to_pipeline(load_model()), Path(folder, "pipeline.joblib"))
        script = Path(__file__).parent / "obvious_script.py"
        commands = {
            "joblib.load + predict_proba": [sys.executable, script, f"{folder}/pipeline.joblib", ARTICLE],
            "framing score": [sys.executable, "-m", "classifier", "score", ARTICLE],
        }
        memory: dict[str, float] = {}

        def run(name: str) -> Callable[[], None]:
            def once() -> None:
                peak = _peak_memory([str(part) for part in commands[name]])
                memory[name] = max(memory.get(name, 0.0), peak)

            return once

        results = interleave([Contestant(name, run(name)) for name in commands], repeats)
    note = "Peak memory: " + "; ".join(f"{name} {peak:.0f} MB" for name, peak in memory.items()) + "."
    return Section("One article from a cold start, s", "s", results, note)


def archive(text: Path | None, repeats: int) -> Section:
    """Measure a JSON Lines file of articles, from file to file, by size and by jobs."""
    lines = []
    sizes = [1, 10, 100]
    results = []
    pool = sentences(text, 2_000_000)
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in sizes:
            path = Path(folder, "articles.jsonl")
            with path.open("w", encoding="utf-8") as stream:
                while stream.tell() < megabytes * 1_000_000:
                    body = " ".join(rng.choices(pool, k=25))
                    stream.write(json.dumps({"id": str(stream.tell()), "text": body}, ensure_ascii=False) + "\n")
            size = path.stat().st_size / 1e6
            for jobs in (1, 2):
                times = []
                for _ in range(1 if megabytes > 10 else min(3, repeats)):
                    start = time.perf_counter()
                    command = ["score", str(path), "--output", f"{folder}/out.jsonl", "--jobs", str(jobs), "--quiet"]
                    peak = _peak_memory([sys.executable, "-m", "classifier", *command])
                    times.append(time.perf_counter() - start)
                results.append(Result(f"{megabytes} MB, {jobs} jobs", times, size))
                lines.append(f"{megabytes} MB with {jobs} jobs: {peak:.0f} MB")
    note = "Peak memory of the largest process: " + "; ".join(lines) + "."
    return Section("A JSON Lines archive from file to file, MB/s", "MB/s", results, note)


def training(text: Path | None, repeats: int) -> Section:
    """Measure `framing train` beside the same search written with GridSearchCV."""
    corpus = read_corpus(CORPUS)
    results = interleave(
        [
            Contestant("framing train", lambda: peers.drop(peers.train(corpus))),
            Contestant("GridSearchCV, n_jobs=2, one outer fold of five", lambda: peers.drop(peers.grid_search(corpus))),
        ],
        1,
    )
    return Section(
        "Training with nested cross-validation, s",
        "s",
        results,
        "GridSearchCV runs the same inner search on one outer fold; five of them and the final one make up "
        "what `framing train` does. One turn each.",
    )


#: Runs a command and prints the peak memory of its largest process; a small parent keeps its own out of the figure.
_LAUNCHER = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def _peak_memory(command: list[str]) -> float:
    """Run a command; return the greatest memory of its largest process, in MB."""
    result = subprocess.run([sys.executable, "-S", "-c", _LAUNCHER, *command], check=True, capture_output=True)
    return int(result.stdout) / (1e6 if sys.platform == "darwin" else 1e3)


SECTIONS: dict[str, Callable[[Path | None, int], Section]] = {
    "scoring": scoring,
    "cold-start": cold_start,
    "archive": archive,
    "training": training,
}
