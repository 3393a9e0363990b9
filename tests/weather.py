"""A small invented world, quick to train on: three moods of weather reports."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = {
    "storm": ["gale", "thunder", "flood", "lightning", "squall", "tempest"],
    "calm": ["sunny", "mild", "gentle", "bright", "settled", "pleasant"],
    "frost": ["ice", "snow", "freezing", "sleet", "hail", "bitter"],
}
FILLER = "the forecast for this valley said that people near our river would see more on {day} morning".split()  # noqa: SIM905
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]


def write_weather(path: Path, n_articles: int = 60, seed: int = 0, noise: float = 0.1) -> Path:
    """Write a labeled CSV of weather reports; some words mislead."""
    rng = random.Random(seed)
    lines = ["article_id,text,labels,station,desk"]
    for article in range(n_articles):
        station = ["north", "south", "east", "west"][article % 4]
        for sentence in range(4):
            moods = [mood for mood in WORDS if rng.random() < 0.35]
            words = rng.sample(FILLER, 9) + [rng.choice(WORDS[mood]) for mood in moods for _ in range(2)]
            if rng.random() < noise:
                words.append(rng.choice(WORDS[rng.choice(list(WORDS))]))
            rng.shuffle(words)
            text = " ".join(words).replace("{day}", rng.choice(DAYS)) + f" {seed}-{article}-{sentence}."
            lines.append(f"{seed}-{article},{text},{'|'.join(moods)},{station},{'lead' if sentence == 0 else 'body'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
