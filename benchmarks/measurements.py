"""The measurements: scoring, cold start, a whole archive, training."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from benchmarks import peers
from benchmarks.measure import Contestant, Result, Section, interleave
from classifier import Article, load_model, read_corpus
from classifier.features.counts import CountMatrix
from classifier.features.tagger import Tagger
from classifier.features.tfidf import Tfidf
from classifier.kernel.scorer import CompiledScorer
from classifier.model.model import Model
from classifier.release import to_pipeline
from classifier.scoring import batches, score_batch
from classifier.scoring.score import sentences_of
from classifier.scoring.writers import line_renderer
from classifier.system.arrays import Floats
from classifier.training.linear import BLOCKS, INNER_FOLDS, Setting, blocks_for
from classifier.training.logistic import fit_logistic
from notebooks.studies.ablation import BASE

CORPUS = Path(__file__).parent.parent / "datasets" / "framing.csv"
ARTICLE = CORPUS.parent / "examples" / "transit.txt"

#: Text scored in one turn, in bytes.
TEXT_BYTES = 4_000_000

#: The part of it that slow contestants score is one in so many sentences.
SHARE = 10

#: Sentences of an article that is made of them.
SENTENCES = 25

#: How many searches of one outer fold's size `framing train` makes: five, and one on the whole corpus.
SEARCHES = 6.25


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
    # What is slow scores a part; its rate is the same.
    part = texts[:: 2 * SHARE] + texts[1 :: 2 * SHARE]
    part_megabytes = sum(len(sentence.encode()) for sentence in part) / 1e6
    pipeline = to_pipeline(model)
    scorer, textual = model.compiled_scorer(), with_blocks(model, *BASE).compiled_scorer()
    for each in (scorer, textual):
        each.score(texts)

    def fresh() -> None:
        model.compiled_scorer().score(texts)

    slow = [
        Contestant("scikit-learn pipeline", lambda: peers.drop(pipeline.predict_proba(part))),
        Contestant("framing, plain path", lambda: peers.drop(model.plain_logits(part))),
    ]
    fast = [
        Contestant("framing, first text it sees, 1 thread", fresh),
        Contestant("framing, 1 thread", lambda: peers.drop(scorer.score(texts))),
        Contestant("framing without roles, 1 thread", lambda: peers.drop(textual.score(texts))),
        Contestant("framing, 2 threads", lambda: peers.drop(scorer.score(texts, 2))),
        *peers.predictors(texts),
    ]
    results = interleave([*slow, *fast], repeats, megabytes)
    for i in range(len(slow)):
        results[i] = Result(results[i].name, results[i].seconds, part_megabytes)
    note = (
        f"{megabytes:.1f} MB in {len(texts)} sentences, {part_megabytes:.1f} MB of them for the first two; "
        "probabilities of every frame."
    )
    return Section("Scoring, MB/s", "MB/s", results, note)


def stages(text: Path | None, repeats: int) -> Section:
    """Measure each step from articles to lines of JSON on its own, in one process."""
    model = load_model()
    pool, rng = sentences(text), random.Random(0)
    articles = [Article(str(i), " ".join(rng.choices(pool, k=SENTENCES))) for i in range(len(pool) // SENTENCES)]
    megabytes = sum(len(article.text.encode()) for article in articles) / 1e6
    groups = list(batches(articles))
    divided = [[sentences_of(article.text) for article in group] for group in groups]
    texts = [[sentence.text for one in group for sentence in one] for group in divided]
    sizes = [list(map(len, group)) for group in divided]
    scorers = {
        "the kernel": model.compiled_scorer(),
        "  of words alone": with_blocks(model, "words").compiled_scorer(),
        "  of words and characters": with_blocks(model, *BASE).compiled_scorer(),
        "  without words masked by roles": with_blocks(model, *BASE, "roles", "role_pairs").compiled_scorer(),
    }
    textual = with_blocks(model, *BASE)
    for one in (model, textual):
        one.compile()
    scored = [score_batch(model, group) for group in groups]
    render = line_renderer("jsonl", "sentence", model.frames)

    def in_articles() -> None:
        for group, size in zip(texts, sizes, strict=True):
            reading = model.read(group, size)
            model.labels(reading.probabilities)
            _ = reading.out_of_domain

    def kernel(scorer: CompiledScorer) -> Callable[[], None]:
        return lambda: peers.drop([scorer.score(group) for group in texts])

    steps: dict[str, Callable[[], None]] = {
        "articles to scored articles": lambda: peers.drop([score_batch(model, group) for group in groups]),
        "  without roles": lambda: peers.drop([score_batch(textual, group) for group in groups]),
        "splitting into sentences": lambda: peers.drop([sentences_of(article.text) for article in articles]),
        **{name: kernel(scorer) for name, scorer in scorers.items()},
        "the kernel, the article, labels, what is out of domain": in_articles,
        "lines of JSON": lambda: peers.drop([render(article) for group in scored for article in group]),
    }
    for step in steps.values():
        step()
    gc.disable()  # it would look at all that is kept here; those who score an archive keep nothing
    results = interleave([Contestant(name, step) for name, step in steps.items()], repeats)
    gc.enable()
    note = (
        f"{megabytes:.1f} MB in {len(articles)} articles. What splitting and the last row but one leave of the "
        "first is spent on objects: a sentence, its scores and its labels each."
    )
    return Section("Where the time goes, one thread, s", "s", results, note)


def with_blocks(model: Model, *kinds: str) -> Model:
    """Return a model with blocks of these kinds only."""
    ends = np.cumsum([0, *map(len, model.vocabulary)])
    kept = [i for i, block in enumerate(model.blocks) if block.kind in kinds]
    features = np.concatenate([np.arange(ends[i], ends[i + 1]) for i in kept])
    context = model.context
    if context is not None and not any(model.blocks[i].reads_roles for i in kept):
        # The subjects that its signs ask for are roles; the last sign asks for none.
        context = replace(context, signs=context.signs[-1:], slopes=context.slopes[-1:])
    return replace(
        model,
        blocks=tuple(model.blocks[i] for i in kept),
        vocabulary=tuple(model.vocabulary[i] for i in kept),
        idf=model.idf[features],
        coefficients=model.coefficients[features],
        context=context,
    )


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
    sizes = [1, 10, 100, 1000]
    results = []
    pool = sentences(text, 2_000_000)
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in sizes:
            path = Path(folder, "articles.jsonl")
            with path.open("w", encoding="utf-8") as stream:
                while stream.tell() < megabytes * 1_000_000:
                    body = " ".join(rng.choices(pool, k=SENTENCES))
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

    def searched() -> float:
        start = time.perf_counter()
        peers.grid_search(corpus)
        return (time.perf_counter() - start) * SEARCHES

    results = interleave(
        [
            Contestant("framing train", lambda: peers.drop(peers.train(corpus))),
            Contestant(f"GridSearchCV, n_jobs=2, one outer fold times {SEARCHES}", searched),
        ],
        1,
    )
    note = (
        "One turn each. GridSearchCV searches the same settings on the same inner folds of one outer fold; its time is "
        f"{SEARCHES}-fold here, for the other four and the search on the whole corpus, which is a quarter larger. It "
        "neither calibrates nor chooses thresholds nor draws intervals; `framing train` does."
    )
    return Section("Training with nested cross-validation, s", "s", results, note)


def fit(text: Path | None, repeats: int) -> Section:
    """Measure one fit of the whole corpus with one setting."""
    corpus = read_corpus(CORPUS)
    setting = Setting(blocks_for(corpus.codebook), 10.0, False)
    textual = Setting(BLOCKS, 10.0, False)
    peers.fit_once(corpus, setting)  # compiles
    contestants = [
        Contestant("framing", lambda: peers.drop(peers.fit_once(corpus, setting))),
        Contestant("framing without roles", lambda: peers.drop(peers.fit_once(corpus, textual))),
        *peers.fitters(corpus, setting),
    ]
    note = f"{len(corpus)} sentences, counted, weighed and fitted from the text on. fastText reads no roles."
    return Section("A single fit, s", "s", interleave(contestants, repeats), note)


def accuracy(text: Path | None, repeats: int) -> Section:
    """Compare how good methods are at equal settings: fitted on four fifths of the articles, asked about the rest."""
    corpus = read_corpus(CORPUS)
    train, test = next(iter(corpus.folds(5, 0)))
    results = []
    for name, method in peers.methods(corpus).items():
        start = time.perf_counter()
        found = method(train, test)
        seconds = time.perf_counter() - start
        wanted = corpus.targets[test]
        ap, f1 = average_precision_score(wanted, found), f1_score(wanted, found >= 0.5, average="macro")
        results.append(Result(name, [seconds], 1.0, f"average precision {ap:.3f}; F1 {f1:.3f}"))
    note = (
        f"{len(train)} sentences to learn from, {len(test)} to score, each alone, one turn each. C = 10 and balanced "
        "classes wherever there is a regression, one half as the threshold; macro averages."
    )
    return Section("Accuracy at equal settings; fitting and scoring, s", "s", results, note)


def solvers(text: Path | None, repeats: int) -> Section:
    """Compare solvers of the same logistic regressions: time, distance from the optimum, F1."""
    corpus = read_corpus(CORPUS)
    train_rows, test_rows = next(corpus.folds(INNER_FOLDS, 0))
    tfidf = Tfidf.fit(CountMatrix(corpus.texts, blocks_for(corpus.codebook), Tagger(corpus.codebook.roles)), train_rows)
    train, test = tfidf.transform(train_rows), tfidf.transform(test_rows)
    truth, wanted = corpus.targets[train_rows], corpus.targets[test_rows]
    strengths = (1.0, 10.0, 100.0)

    def losses(weights: Floats, shifts: Floats) -> Floats:
        signs = np.where(truth, 1, -1)[:, None, :]
        logits = (train @ weights.reshape(len(weights), -1)).reshape(len(truth), *shifts.shape) + shifts
        penalty = ((weights**2).sum(axis=0) + shifts**2) / 2
        return penalty + np.array(strengths)[:, None] * np.logaddexp(0.0, -signs * logits).sum(axis=0)

    def ours(precision: type) -> tuple[Floats, Floats]:
        # Without the log-count ratios of `fit_linear`, which would make it another problem.
        n_frames = truth.shape[1]
        costs = np.tile(np.repeat(strengths, n_frames), (2, 1))
        weights, shifts = fit_logistic(train, np.tile(truth, (1, len(strengths))), costs, precision=precision)
        shape = len(strengths), n_frames
        return weights.astype(np.float64).reshape(-1, *shape), shifts.astype(np.float64).reshape(shape)

    def theirs(options: dict[str, Any]) -> tuple[Floats, Floats]:
        # The intercept is a feature like others, as liblinear has it, so that all have the same optimum.
        features = sparse.hstack([train, np.ones((train.shape[0], 1))], format="csr")
        weights = np.zeros((features.shape[1], len(strengths), truth.shape[1]))
        for frame in range(truth.shape[1]):
            regression = LogisticRegression(fit_intercept=False, random_state=0, max_iter=1000, **options)
            for i, C in enumerate(strengths):
                weights[:, i, frame] = regression.set_params(C=C).fit(features, truth[:, frame]).coef_[0]
        return weights[:-1], weights[-1]

    optimum = losses(*fit_optimum(train, truth, strengths))
    methods: dict[str, Callable[[], tuple[Floats, Floats]]] = {
        "framing, all at once": lambda: ours(np.float64),
        "framing, half the precision": lambda: ours(np.float32),
        "liblinear, dual, tol 1e-3": lambda: theirs({"solver": "liblinear", "dual": True, "tol": 1e-3}),
        "liblinear, primal": lambda: theirs({"solver": "liblinear"}),
        "lbfgs": lambda: theirs({"solver": "lbfgs"}),
        "lbfgs, warm from C to C": lambda: theirs({"solver": "lbfgs", "warm_start": True}),
        "newton-cg": lambda: theirs({"solver": "newton-cg"}),
        "newton-cg, warm from C to C": lambda: theirs({"solver": "newton-cg", "warm_start": True}),
        "saga, tol 1e-3": lambda: theirs({"solver": "saga", "tol": 1e-3}),
        "saga, tol 1e-3, warm from C to C": lambda: theirs({"solver": "saga", "tol": 1e-3, "warm_start": True}),
    }
    ours(np.float64), ours(np.float32)  # compiles
    results = []
    for name, method in methods.items():
        start = time.process_time()
        weights, shifts = method()
        seconds = time.process_time() - start
        gap = float((losses(weights, shifts) / optimum - 1).max())
        logits = (test @ weights.reshape(len(weights), -1)).reshape(len(wanted), *shifts.shape) + shifts
        f1 = [f1_score(wanted, logits[:, i] > 0, average="macro") for i in range(len(strengths))]
        remark = f"gap {gap:.0e}; F1 {', '.join(f'{value:.4f}' for value in f1)}"
        results.append(Result(name, [seconds], 1.0, remark))
    note = (
        f"{train.shape[0]} sentences, {train.shape[1]} features, {train.nnz} that are not zero; {truth.shape[1]} "
        f"frames at C {', '.join(f'{C:g}' for C in strengths)}, one turn each, processor time; every solver stops by "
        "its own criterion. Gap: how far the objective lies above the optimum, relative, at worst; F1: macro, at "
        "probability one half, at each C. newton-cholesky is left out: it would hold a matrix of "
        f"{train.shape[1]} by {train.shape[1]}."
    )
    return Section("Solvers, s", "s", results, note)


def fit_optimum(train: sparse.csr_array, truth: npt.NDArray[np.bool_], strengths: Sequence[float]) -> Any:
    """Return coefficients and intercepts as precise as they can be had."""
    lanes = np.tile(truth, (1, len(strengths)))
    costs = np.tile(np.repeat(strengths, truth.shape[1]), (2, 1))
    weights, shifts = fit_logistic(train, lanes, costs, tolerance=1e-7)
    return weights.reshape(len(weights), len(strengths), -1), shifts.reshape(len(strengths), -1)


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
    "stages": stages,
    "archive": archive,
    "training": training,
    "fit": fit,
    "accuracy": accuracy,
    "solvers": solvers,
}
