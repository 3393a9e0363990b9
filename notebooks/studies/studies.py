"""The long computations behind the notebooks, each made once and kept.

What is kept is found again by the corpus, the code of this package and the versions of what it stands on; change
any of them and it is computed anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import joblib
import numpy as np

from classifier.corpus import LabeledCorpus
from classifier.evaluation.evaluate import Evaluation, cross_evaluate
from classifier.metrics import FrameMetrics, Scores, frame_metrics
from classifier.training.baselines import predict_keywords, predict_majority
from notebooks.studies.ablation import Ablation, ablate, articles_curve, designs
from notebooks.studies.peers import peer_scores

T = TypeVar("T")

#: Folds of the nested cross-validation, as in ``framing train``.
N_FOLDS = 5

#: Share of the articles that the notebooks read, where the environment sets it: a quick check of the code.
SAMPLE = "FRAMING_NOTEBOOK_SAMPLE"


def sampled(corpus: LabeledCorpus, share: float | None = None, seed: int = 0) -> LabeledCorpus:
    """Draw whole articles of a corpus.

    Parameters
    ----------
    corpus : LabeledCorpus
    share : float, optional
        Of the articles; by default what the environment variable `SAMPLE` says, else all of them.
    seed : int

    Returns
    -------
    LabeledCorpus
    """
    share = float(os.environ.get(SAMPLE) or 1) if share is None else share
    if share >= 1:
        return corpus
    articles = np.unique(corpus.group_ids)
    drawn = np.random.default_rng(seed).permutation(articles)[: max(1, round(share * len(articles)))]
    rows = np.flatnonzero(np.isin(corpus.group_ids, drawn))
    return replace(
        corpus,
        texts=tuple(corpus.texts[row] for row in rows),
        labels=tuple(corpus.labels[row] for row in rows),
        groups=None if corpus.groups is None else tuple(corpus.groups[row] for row in rows),
        columns={name: tuple(cells[row] for row in rows) for name, cells in corpus.columns.items()},
    )


@dataclass(frozen=True)
class Studies:
    """Long computations on one corpus.

    Parameters
    ----------
    corpus : LabeledCorpus
    folder : Path
        Where results are kept; they are pickles, to be read by who wrote them.
    seed : int
    """

    corpus: LabeledCorpus
    folder: Path = field(default=Path(".cache"))
    seed: int = 0

    def validation(self) -> Evaluation:
        """Return the nested cross-validation by article, as ``framing train`` reports it."""
        return self._kept("validation", lambda: cross_evaluate(self.corpus, N_FOLDS, seed=self.seed))

    def baselines(self) -> dict[str, list[FrameMetrics]]:
        """Return the figures of the majority and of the codebook's keywords on the folds of `validation`."""
        return self._kept("baselines", self._baselines)

    def _baselines(self) -> dict[str, list[FrameMetrics]]:
        result = {}
        for name, predict in (("majority", predict_majority), ("keywords", predict_keywords)):
            scores = Scores.empty(self.corpus.targets, self.corpus.group_ids)
            for train, test in self.corpus.folds(N_FOLDS, self.seed):
                predict(self.corpus, train, test, scores)
            result[name] = frame_metrics(scores, self.corpus.frames, self.seed)
        return result

    def ablation(self) -> Ablation:
        """Return every set of blocks on new articles, source types and events."""
        return self._kept("ablation", lambda: ablate(self.corpus, self.seed))

    def curve(self) -> list[tuple[float, Scores]]:
        """Return the method with ever more articles to learn from."""
        return self._kept("curve", lambda: articles_curve(self.corpus, seed=self.seed))

    def peers(self, design: str = "new articles") -> dict[str, Scores]:
        """Return fastText and sentence embeddings on the folds of a design of the ablation, where installed.

        Those of ``new articles`` are the folds of `validation`.
        """
        return self._kept(
            f"peers-{design.replace(' ', '-')}",
            lambda: peer_scores(self.corpus, designs(self.corpus, self.seed)[design], self.seed),
        )

    def _kept(self, name: str, compute: Callable[[], T]) -> T:
        path = self.folder / f"{name}-{self._key()}.joblib"
        if path.is_file():
            kept: T = joblib.load(path)
            return kept
        result = compute()
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        joblib.dump(result, unfinished)
        unfinished.replace(path)
        return result

    def _key(self) -> str:
        """Return a digest of the sentences and labels, the code and the versions it runs on."""
        digest = hashlib.sha256(repr((self.corpus.texts, self.corpus.labels, self.corpus.codebook)).encode())
        digest.update(repr((self.corpus.groups, self.corpus.columns, self.seed)).encode())
        package = Path(__file__).parent.parent
        for path in sorted(package.rglob("*.py")):
            digest.update(path.read_bytes())
        digest.update(repr([version(name) for name in ("numpy", "scipy", "scikit-learn", "joblib")]).encode())
        return digest.hexdigest()[:16]
