"""Framing classifier: sentences of articles scored by frame, with a small linear model a person can read.

The public names are imported on first use, so that ``import classifier`` costs next to nothing.

Examples
--------
>>> import classifier
>>> model = classifier.load_model()
>>> model.frames
('western_condemnation', 'russian_support', 'belarusian_official_narrative')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from classifier.system.version import VERSION

if TYPE_CHECKING:
    from classifier.articles import Article, read_articles
    from classifier.articles.sentences import Sentence, split_sentences
    from classifier.codebook import Codebook, Frame, read_codebook
    from classifier.corpus import LabeledCorpus, check_corpus, read_corpus, write_corpus
    from classifier.errors import FramingError, InputError
    from classifier.estimator import FrameClassifier
    from classifier.evaluation.evaluate import evaluate
    from classifier.model.load import load_model
    from classifier.model.model import Model
    from classifier.prevalence.shares import shares
    from classifier.release import save_model
    from classifier.scoring import ScoredArticle, ScoredSentence, score_article, score_articles
    from classifier.training.report import TrainingReport
    from classifier.training.train import train


__version__ = VERSION

_HOMES = {
    "Article": "articles",
    "read_articles": "articles",
    "Codebook": "codebook",
    "Frame": "codebook",
    "read_codebook": "codebook",
    "LabeledCorpus": "corpus",
    "check_corpus": "corpus",
    "read_corpus": "corpus",
    "write_corpus": "corpus",
    "FramingError": "errors",
    "InputError": "errors",
    "FrameClassifier": "estimator",
    "evaluate": "evaluation.evaluate",
    "Model": "model.model",
    "load_model": "model.load",
    "save_model": "release",
    "shares": "prevalence.shares",
    "ScoredArticle": "scoring",
    "ScoredSentence": "scoring",
    "score_article": "scoring",
    "score_articles": "scoring",
    "Sentence": "articles.sentences",
    "split_sentences": "articles.sentences",
    "TrainingReport": "training.report",
    "train": "training.train",
}

__all__ = [
    "Article",
    "Codebook",
    "Frame",
    "FrameClassifier",
    "FramingError",
    "InputError",
    "LabeledCorpus",
    "Model",
    "ScoredArticle",
    "ScoredSentence",
    "Sentence",
    "TrainingReport",
    "check_corpus",
    "evaluate",
    "load_model",
    "read_articles",
    "read_codebook",
    "read_corpus",
    "save_model",
    "score_article",
    "score_articles",
    "shares",
    "split_sentences",
    "train",
    "write_corpus",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
