"""What one would write first: load the pickled pipeline, split the article, score it."""

import re
import sys
from pathlib import Path

import joblib

pipeline = joblib.load(sys.argv[1])
text = Path(sys.argv[2]).read_text(encoding="utf-8")
sentences = [sentence for sentence in re.split(r"(?<=[.!?])\s+|\n+", text) if sentence.strip()]
for probabilities, sentence in zip(pipeline.predict_proba(sentences), sentences, strict=True):
    print(probabilities.round(3), sentence)
