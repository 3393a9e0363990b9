"""Scored populations whose truth is known, in every format that ``framing score`` writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from classifier.articles.sentences import Sentence
from classifier.prevalence.sampling import UNCODED
from classifier.scoring import ScoredArticle, ScoredSentence
from classifier.scoring.writers import WRITERS

FRAMES = ("calm", "storm")


def articles(n: int = 120, size: int = 10, seed: int = 0, model: str = "sea") -> list[ScoredArticle]:
    """Articles of two outlets and three months; a third of sentences are of storms, as the word says, not the model."""
    rng = np.random.default_rng(seed)
    result = []
    for a in range(n):
        sentences, start = [], 0
        for i in range(size):
            storm = rng.random() < (0.2 if a % 2 else 0.5)
            calm = rng.random() < 0.2
            words = " ".join(filter(None, ("storm" if storm else "", "calm" if calm else "", f"wind {a} {i}")))
            text = f"The {words}."
            scores = {
                "calm": round(float(np.clip(0.7 * calm + 0.1 + 0.1 * rng.normal(), 0, 1)), 4),
                "storm": round(float(np.clip(0.5 * storm + 0.15 + 0.15 * rng.normal(), 0, 1)), 4),
            }
            labels = tuple(name for name in FRAMES if scores[name] >= 0.5)
            sentences.append(ScoredSentence(Sentence(i, start, start + len(text), text), labels, scores))
            start += len(text) + 1
        profile = {name: sum(name in one.labels for one in sentences) / size for name in FRAMES}
        result.append(
            ScoredArticle(
                "news.jsonl",
                f"Piece {a}",
                tuple(sentences),
                profile,
                model,
                id=f"a{a}",
                date=f"2021-0{a % 3 + 1}-15",
                outlet=("Pilot", "List")[a % 2],
                metadata={"desk": ("city", "port")[a % 2]},
            )
        )
    return result


def write(found: Sequence[ScoredArticle], path: Path) -> Path:
    """Write scored output in the format of the path's extension."""
    stream = io.BytesIO()
    WRITERS[path.suffix[1:]](found, FRAMES, stream, "sentence", ("desk",))
    path.write_bytes(stream.getvalue())
    return path


def truth(text: str) -> str:
    """Label a sentence as a person would, who reads."""
    return "|".join(name for name in FRAMES if name in text.split())


def share(found: Sequence[ScoredArticle], frame: str, outlet: str | None = None) -> float:
    """Return the true share of a frame."""
    kept = [one.sentence.text for a in found if outlet in (None, a.outlet) for one in a.sentences]
    return float(np.mean([frame in text.split() for text in kept]))


def code(path: Path, label: Callable[[str], str] = truth, first: int | None = None) -> Path:
    """Code a sample in place: the first draws, or all."""
    rows = read(path)
    for row in rows:
        done = first is None or int(row["draw"]) <= first
        row["labels"] = label(row["text"]) if done else UNCODED
    save(rows, path)
    return path


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def save(rows: Sequence[dict[str, str]], path: Path) -> None:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
