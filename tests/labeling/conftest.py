"""Articles to label, and what a coder who knows the answers says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpora import FLOODS_AND_STRIKES
from tests.labeling.serving import write_articles

#: What each sentence is about.
ANSWERS = {text: [name for name in labels.split("|") if name] for one in FLOODS_AND_STRIKES for labels, text in one}

CODEBOOK = """
title = "Town"

[[frames]]
name = "flood"
title = "Flood"
definition = "Water where it should not be"
keywords = ["flood", "river", "rain"]
example = "The river burst its banks."

[[frames]]
name = "strike"
title = "Strike"
keywords = ["strike", "union"]
key = "2"
"""


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return write_articles(tmp_path / "news", [[text for _, text in article] for article in FLOODS_AND_STRIKES])


@pytest.fixture
def codebook(tmp_path: Path) -> Path:
    path = tmp_path / "town.toml"
    path.write_text(CODEBOOK, encoding="utf-8")
    return path
