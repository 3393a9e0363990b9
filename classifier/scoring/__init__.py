"""Articles to scored sentences to article profiles."""

from classifier.scoring.results import ScoredArticle, ScoredSentence
from classifier.scoring.score import profile, score_article, score_batch
from classifier.scoring.stream import batches, score_articles

__all__ = [
    "ScoredArticle",
    "ScoredSentence",
    "batches",
    "profile",
    "score_article",
    "score_articles",
    "score_batch",
]
