"""What sentences are read through while a model is trained: n-grams, word vectors, and a model to start from.

All of it becomes one linear function in the end. A model holds one weight per n-gram and frame, and with vectors one
per word and frame; how it was trained shows in it no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block
from classifier.features.tagger import Tagger
from classifier.features.tfidf import Tfidf
from classifier.features.vectors import WordVectors
from classifier.model.model import Model
from classifier.system.arrays import Bools, Floats, Rows
from classifier.training.linear import BLOCKS, blocks_for

#: The block of words that a model with vectors has.
VECTORS = Block("vectors", 1, 1)

#: What the logits of the start are multiplied by as features: so much that the penalty hardly touches how far the
#: start is believed, and falls on what is learned beside it.
START_SCALE = 3.0


@dataclass(frozen=True)
class Start:
    """A trained model on the sentences of a corpus, from which training starts.

    Parameters
    ----------
    model : Model
    corpus : LabeledCorpus
        Some of its frames must be the model's.
    """

    model: Model
    corpus: LabeledCorpus

    def __post_init__(self) -> None:
        if not any(place >= 0 for place in self.places):
            raise InputError(
                f"{self.model.name} knows the frames {', '.join(self.model.frames)}, and none of "
                f"{', '.join(self.corpus.frames)}; start from a model of your frames, or from none."
            )

    @cached_property
    def places(self) -> list[int]:
        """Which of the model's frames each of the corpus's is; -1 for those that it does not know."""
        known = self.model.frames
        return [known.index(name) if name in known else -1 for name in self.corpus.frames]

    @cached_property
    def tfidf(self) -> sparse.csr_array:
        """The corpus through the model's vocabulary, shape (n_texts, n_features)."""
        found = [list(self.model.tfidf(text)) for text in self.corpus.texts]
        columns = [np.concatenate([part[0] for part in row] or [np.zeros(0, dtype=np.intp)]) for row in found]
        values = [np.concatenate([part[1] / part[2] for part in row] or [np.zeros(0)]) for row in found]
        ends = np.concatenate([[0], np.cumsum([len(row) for row in columns])])
        parts = np.concatenate(values), np.concatenate(columns).astype(np.int32), ends
        return sparse.csr_array(parts, shape=(len(found), len(self.model.idf)))

    @cached_property
    def logits(self) -> Floats:
        """What the model says of each sentence read alone, shape (n_texts, n_frames); 0 for frames unknown to it."""
        found = np.column_stack([self.model.logits(self.corpus.texts), np.zeros(len(self.corpus))])
        return found[:, self.places]

    def read(self) -> tuple[Floats, Bools]:
        """Return the probabilities and the decisions of the model as it is, each sentence in its article."""
        order, sizes = self.corpus.by_article()
        reading = self.model.read([self.corpus.texts[row] for row in order], sizes.tolist())
        found = np.column_stack([reading.probabilities, np.zeros(len(self.corpus))])
        names = reading.labels()
        known = np.array([[frame in row for frame in (*self.model.frames, "")] for row in names], dtype=bool)
        probabilities, decisions = np.empty_like(found), np.empty_like(known)
        probabilities[order], decisions[order] = found, known
        return probabilities[:, self.places], decisions[:, self.places]


class Source:
    """A corpus, counted once for all folds of its training.

    Parameters
    ----------
    corpus : LabeledCorpus
    vectors : WordVectors, optional
    start : Model, optional
        Its vocabulary is the corpus's, too, and its codebook's roles are read; words and pairs of words that it does
        not know are learned beside it. It brings the vectors that it has.

    Attributes
    ----------
    counts : CountMatrix
    named : ndarray of bool of shape (n_texts, n_subjects)
        Which of the codebook's subjects each sentence names.
    """

    def __init__(self, corpus: LabeledCorpus, vectors: WordVectors | None = None, start: Model | None = None) -> None:
        self.corpus = corpus
        self.start = None if start is None else Start(start, corpus)
        self.vectors = vectors if start is None and vectors is not None and vectors.words else None
        self.means = None if self.vectors is None else self.vectors.means(corpus.texts)
        self._unknown: Bools | None = None
        if start is None:
            roles = Tagger(corpus.codebook.roles) if corpus.codebook.roles else None
            self.counts = CountMatrix(corpus.texts, blocks_for(corpus.codebook), roles)
            self.named = self.counts.named
            return
        own = [block for block in BLOCKS if block.kind == "words"]
        self.counts = CountMatrix(corpus.texts, own)
        subjects = start.tagger.subjects if start.tagger else ()
        named = start.tagger.named(corpus.texts) if start.tagger else []
        self.named = np.array(named, dtype=bool).reshape(len(corpus), len(subjects))
        of_blocks = zip(start.blocks, start.vocabulary, strict=True)
        known = {ngram for block, ngrams in of_blocks if block.kind == "words" for ngram in ngrams}
        self._unknown = np.array([ngram not in known for ngram in self.counts.ngrams[0]], dtype=bool)

    def blocks(self, n_texts: int) -> tuple[Block, ...]:
        """Return what so many training sentences are read through besides the start."""
        kinds = [block.kind for block in self.counts.blocks]
        return tuple(block for block in blocks_for(self.corpus.codebook, n_texts) if block.kind in kinds)

    def fit(self, rows: Rows, blocks: Sequence[Block]) -> Features:
        """Choose the vocabulary of some training rows."""
        tfidf = Tfidf.fit(self.counts, rows, blocks, self._unknown)
        if self.means is None:
            return Features(self, tuple(blocks), tfidf, np.zeros(0), 1.0)
        known = self.means[rows]
        known = known[~np.isnan(known).any(axis=1)]
        centre = known.mean(axis=0) if len(known) else np.zeros(self.means.shape[1])
        # As long as a block of n-grams on average, to the penalty.
        size = float(np.sqrt(((known - centre) ** 2).sum() / max(1, len(known)))) or 1.0
        return Features(self, tuple(blocks), tfidf, centre, size)


@dataclass(frozen=True, slots=True)
class Features:
    """What sentences are read through, on the vocabulary of some training rows.

    Parameters
    ----------
    source : Source
    blocks : tuple of Block
    tfidf : Tfidf
        Of the n-grams that training learns.
    centre : ndarray of shape (n_dimensions,)
        Mean of the means of the training sentences' word vectors; empty without vectors.
    size : float
        Root mean square distance from it.

    Notes
    -----
    The columns are in order: the n-grams of the start, those learned, the dimensions of word vectors, the logits of the
    start.
    """

    source: Source
    blocks: tuple[Block, ...]
    tfidf: Tfidf
    centre: Floats
    size: float

    def transform(self, rows: Rows, scale: float) -> sparse.csr_array:
        """Return the features of sentences, their word vectors at this scale; at 0 they have no columns."""
        parts = [self.tfidf.transform(rows)]
        start, means = self.source.start, self.source.means
        if start is not None:
            parts = [start.tfidf[rows], *parts, sparse.csr_array(start.logits[rows])]
        elif means is not None and scale:
            # A sentence without any word of the table is taken for an average one.
            parts.append(sparse.csr_array(np.nan_to_num((means[rows] - self.centre) * (scale / self.size))))
        return sparse.hstack(parts, format="csr") if len(parts) > 1 else parts[0]

    def dense(self, scale: float) -> Floats:
        """Return what the columns that are no n-grams weigh for each frame, shape (n_columns, n_frames)."""
        n_frames = len(self.source.corpus.frames)
        if self.source.start is not None:
            return START_SCALE * np.eye(n_frames)
        return np.ones((len(self.centre) if scale else 0, n_frames))

    def tables(self, coefficients: Floats, intercepts: Floats, scale: float) -> LinearTables:
        """Return a linear function of the features as a model holds it.

        Parameters
        ----------
        coefficients : ndarray of shape (n_columns, n_frames)
        intercepts : ndarray of shape (n_frames,)
        scale : float
            Of the word vectors.

        Returns
        -------
        LinearTables
        """
        blocks, vocabulary = self.blocks, self.tfidf.vocabulary()
        idf = np.concatenate(self.tfidf.idf)
        start, vectors = self.source.start, self.source.vectors
        if start is not None:
            model, n = start.model, len(start.model.idf)
            last = len(coefficients) - len(start.places)
            believed, coefficients = np.diag(coefficients[last:]), coefficients[:last].copy()
            for frame, place in enumerate(start.places):
                if place >= 0:
                    coefficients[:n, frame] += believed[frame] * model.coefficients[:, place]
                    intercepts = intercepts + believed[frame] * model.intercepts[place] * np.eye(len(intercepts))[frame]
            # A block of no n-grams would be one more for nothing.
            kept = [i for i, ngrams in enumerate(vocabulary) if ngrams]
            blocks = (*model.blocks, *(blocks[i] for i in kept))
            vocabulary = (*model.vocabulary, *(vocabulary[i] for i in kept))
            idf = np.concatenate([model.idf, idf])
        elif vectors is not None and scale:
            # The weights of a mean are means of weights: what a sentence's distance from the centre adds is the mean
            # of what its words' distances add, each of them a number.
            first = len(coefficients) - len(self.centre)
            of_words = (vectors.weighed - self.centre) @ (coefficients[first:] * (scale / self.size))
            coefficients = np.vstack([coefficients[:first], of_words])
            blocks, vocabulary = (*blocks, VECTORS), (*vocabulary, vectors.words)
            idf = np.concatenate([idf, np.ones(len(vectors.words))])
        return LinearTables(blocks, vocabulary, idf, coefficients, intercepts)


@dataclass(frozen=True, slots=True)
class LinearTables:
    """A linear function as a model holds it; see `classifier.model.model.Model`."""

    blocks: tuple[Block, ...]
    vocabulary: tuple[tuple[str, ...], ...]
    idf: Floats
    coefficients: Floats
    intercepts: Floats
