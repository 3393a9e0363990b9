"""The model: one linear function a frame, on the TF-IDF of a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classifier.codebook import Codebook
from classifier.context import Context, Surroundings
from classifier.corpus import Task
from classifier.domain import Domain, known_words
from classifier.errors import InputError
from classifier.features import Block
from classifier.roles import Roles, Tag

if TYPE_CHECKING:
    from classifier.compiled import CompiledScorer, Scored

#: Characters scored before the compiled path takes over; starting it costs as much as scoring these takes.
SWITCH = 150_000

_PUNCTUATION = "".join(c for c in map(chr, range(0x2100)) if not c.isalnum() and not c.isspace())

#: Names for people of the tags where a sentence begins and ends.
_BOUNDS = {"^": "begin", "$": "end"}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one n-gram adds to the logit of one frame.

    Parameters
    ----------
    block : str
        Kind of the block the n-gram belongs to.
    ngram : str
    value : float
        Its TF-IDF value times its coefficient.
    """

    block: str
    ngram: str
    value: float


@dataclass(frozen=True)
class Model:
    """A trained classifier of sentences by frame.

    Parameters
    ----------
    name : str
        Shown with every result.
    codebook : Codebook
        The frames, in the order of the columns of `coefficients`.
    task : {"multilabel", "multiclass"}
    blocks : tuple of Block
        What it reads a sentence through.
    vocabulary : tuple of tuple of str
        The n-grams of each block, in the order of the features.
    idf : ndarray of shape (n_features,)
        Inverse document frequencies, blocks one after the other.
    coefficients : ndarray of shape (n_features, n_frames)
    intercepts : ndarray of shape (n_frames,)
    thresholds : ndarray of shape (n_frames,)
        The probability from which a sentence is labeled with a frame; multiclass models take the likeliest.
    context : Context, optional
        How the rest of an article changes what is said of a sentence; without it every sentence is read alone.
    metrics : mapping
        Out-of-fold figures, as ``metrics.json`` holds them.
    provenance : mapping
        Corpus, its SHA-256, versions, date and seed.
    domain : Domain, optional
        What the training corpus looks like; without it no text is called out of domain.
    trained_on : ndarray of uint64
        Fingerprints of the training sentences, sorted; see `classifier.fingerprints`.
    """

    name: str
    codebook: Codebook
    task: Task
    blocks: tuple[Block, ...]
    vocabulary: tuple[tuple[str, ...], ...]
    idf: npt.NDArray[np.float32]
    coefficients: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.float64]
    context: Context | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    domain: Domain | None = None
    trained_on: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames' names, in the order of the columns of `predict_proba`."""
        return self.codebook.names

    @cached_property
    def _features(self) -> tuple[dict[str, int], ...]:
        """The feature number of each n-gram, a block."""
        tables, offset = [], 0
        for ngrams in self.vocabulary:
            tables.append(dict(zip(ngrams, range(offset, offset + len(ngrams)), strict=True)))
            offset += len(ngrams)
        return tuple(tables)

    @cached_property
    def roles(self) -> Roles | None:
        """The tagger of the codebook's roles; None where no block reads them."""
        return Roles(self.codebook.roles) if any(block.reads_roles for block in self.blocks) else None

    def tfidf(self, text: str) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], float]]:
        """Yield the features of a sentence that are not zero, one block after the other.

        Parameters
        ----------
        text : str

        Yields
        ------
        features : ndarray of int
            Numbers of the features, in the order in which their n-grams first occur.
        weights : ndarray of float
            Their term weights times their inverse document frequencies.
        length : float
            Euclidean length of the weights; TF-IDF values are weights divided by it.
        """
        tagging = self.roles.tag(text) if self.roles else None
        for block, numbers in zip(self.blocks, self._features, strict=True):
            counts: dict[int, int] = {}
            for ngram in block.ngrams(text, tagging):
                feature = numbers.get(ngram)
                if feature is not None:
                    counts[feature] = counts.get(feature, 0) + 1
            if counts:
                features = np.fromiter(counts, dtype=np.intp, count=len(counts))
                weights = self.idf[features].astype(np.float64)
                for i, count in enumerate(counts.values()):
                    if count > 1:
                        weights[i] *= 1.0 + math.log(count)
                yield features, weights, math.sqrt(np.add.accumulate(weights * weights)[-1])

    def logits(self, texts: Sequence[str], n_threads: int = 1) -> npt.NDArray[np.float64]:
        """Return the calibrated log-odds (multiclass: log-probabilities up to a constant) of each frame.

        Parameters
        ----------
        texts : sequence of str
        n_threads : int
            Threads of the compiled path.

        Returns
        -------
        ndarray of shape (n_texts, n_frames)

        Notes
        -----
        The first sentences take the plain path, which needs no start-up; when `SWITCH` characters have been scored
        the compiled path takes over. Both add the same numbers in the same order, so which one it was shows nowhere.
        """
        self._scored[0] += sum(map(len, texts))
        if self._scored[0] < SWITCH:
            return self.plain_logits(texts) + self.intercepts
        return self._compiled_scores(texts, n_threads).logits

    def _compiled_scores(self, texts: Sequence[str], n_threads: int) -> Scored:
        """Score sentences by the compiled path, and those that it leaves by the plain one; with intercepts."""
        scored = self._compiled.score(texts, n_threads)
        left = scored.plain
        remaining = [texts[row] for row in left]
        scored.logits[left], scored.named[left] = self.plain_logits(remaining), self._named(remaining)
        scored.strange[left] = self._strange(remaining)
        return scored._replace(logits=scored.logits + self.intercepts)

    def _named(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        subjects = self.roles.subjects if self.roles else {}
        named = np.zeros((len(texts), len(subjects)), dtype=bool)
        if self.roles and subjects:
            for row, text in enumerate(texts):
                named[row] = self.roles.tag(text).names(subjects.values())
        return named

    def read(self, texts: Sequence[str], sizes: Sequence[int], n_threads: int = 1) -> Reading:
        """Read the sentences of articles, each in its article.

        Parameters
        ----------
        texts : sequence of str
            The sentences, article after article.
        sizes : sequence of int
            Sentences of each article.
        n_threads : int
            Threads, once the compiled path has taken over.

        Returns
        -------
        Reading

        Examples
        --------
        >>> import classifier
        >>> model = classifier.load_model()
        >>> model.read(["Moscow promised Minsk a new loan.", "It rained."], [2]).probabilities.shape
        (2, 3)
        """
        self._scored[0] += sum(map(len, texts))
        if self._scored[0] < SWITCH:
            logits, named, strange = (
                self.plain_logits(texts) + self.intercepts,
                self._named(texts),
                self._strange(texts),
            )
        else:
            logits, named, strange, _ = self._compiled_scores(texts, n_threads)
        if self.context is None:
            return Reading(self, texts, sizes, logits, strange)
        around = Surroundings.of(logits, named, sizes)
        return Reading(self, texts, sizes, self.context.logits(logits, around), strange, around)

    def compile(self) -> None:
        """Take the compiled path from the first sentence on: for those who know that much is to come."""
        self._scored[0] = max(self._scored[0], SWITCH)

    @cached_property
    def _scored(self) -> list[int]:
        """How many characters were scored so far, in a cell that a frozen object can update."""
        return [0]

    @cached_property
    def _compiled(self) -> CompiledScorer:
        from classifier.compiled import CompiledScorer

        return CompiledScorer(self)

    def plain_logits(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the logits without intercepts. This is the specification of the compiled path."""
        logits = np.zeros((len(texts), len(self.frames)))
        for row, text in enumerate(texts):
            for features, weights, length in self.tfidf(text):
                # Accumulated, not summed: numpy sums in an order of its own.
                parts = np.add.accumulate(weights[:, None] * self.coefficients[features].astype(np.float64))
                logits[row] += parts[-1] / length
        return logits

    def predict_proba(self, texts: Sequence[str], n_threads: int = 1) -> npt.NDArray[np.float64]:
        """Return the calibrated probability of each frame.

        Parameters
        ----------
        texts : sequence of str
            Sentences.
        n_threads : int
            Threads, once the compiled path has taken over.

        Returns
        -------
        ndarray of shape (n_texts, n_frames)
            Multilabel: each in [0, 1] on its own. Multiclass: rows sum to one.

        Examples
        --------
        >>> import classifier
        >>> model = classifier.load_model()
        >>> model.predict_proba(["Moscow promised Minsk a new loan."]).shape
        (1, 3)
        """
        if isinstance(texts, str):
            raise InputError("predict_proba takes a list of sentences, not one string; put it in brackets.")
        return probabilities(self.logits(texts, n_threads), self.task)

    def predict(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the frames of each sentence.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of tuple of str
            Names in the codebook's order; an empty tuple for no frame.
        """
        return self.labels(self.predict_proba(texts))

    def labels(
        self, probabilities: npt.NDArray[np.float64], thresholds: npt.NDArray[np.float64] | None = None
    ) -> list[tuple[str, ...]]:
        """Turn probabilities into frames.

        Parameters
        ----------
        probabilities : ndarray of shape (n_texts, n_frames)
        thresholds : ndarray of shape (n_frames,), optional
            Instead of the model's own. A multiclass model labels its likeliest frame where it reaches the
            threshold given, always where none is.

        Returns
        -------
        list of tuple of str
        """
        if self.task == "multilabel":
            chosen = probabilities >= (self.thresholds if thresholds is None else thresholds)
        else:
            chosen = np.zeros(probabilities.shape, dtype=bool)
            chosen[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
            if thresholds is not None:
                chosen &= probabilities >= thresholds
        frames = self.frames
        return [tuple(compress(frames, row)) for row in chosen.tolist()]

    def contributions(self, text: str) -> dict[str, list[Contribution]]:
        """Return what every n-gram of a sentence adds to the logit of every frame.

        Parameters
        ----------
        text : str

        Returns
        -------
        dict of str to list of Contribution
            For each frame the largest first. Together with the frame's intercept they sum to its logit.
        """
        result: dict[str, list[Contribution]] = {frame: [] for frame in self.frames}
        for kind, ngrams, values in self._values(text):
            for column, frame in enumerate(self.frames):
                result[frame] += map(Contribution, repeat(kind), ngrams, values[:, column].tolist())
        return {frame: sorted(found, key=lambda item: -item.value) for frame, found in result.items()}

    def _values(self, text: str) -> Iterator[tuple[str, list[str], npt.NDArray[np.float64]]]:
        """Yield the kind of each block, its n-grams in a sentence, and what each adds to the logit of every frame."""
        starts = np.cumsum([0, *map(len, self.vocabulary)])
        for features, weights, length in self.tfidf(text):
            block = int(np.searchsorted(starts, features[0], side="right")) - 1
            ngrams = [self.vocabulary[block][feature] for feature in (features - starts[block]).tolist()]
            yield self.blocks[block].kind, ngrams, weights[:, None] * self.coefficients[features] / length

    def explain(self, text: str) -> dict[str, list[tuple[str, float]]]:
        """Return what every term of a sentence adds to the logit of every frame, in terms a person reads.

        Parameters
        ----------
        text : str

        Returns
        -------
        dict of str to list of (str, float)
            For each frame the largest first. The contribution of a character n-gram is shared equally by the words
            it occurs in and added to theirs, so the sum is still exact: with the frame's intercept, the logit. Roles
            are shown by their titles with the text they were found in, "West → condemns → Belarus (EU → condemned →
            Minsk)"; where they occur more than once, each occurrence has its share.
        """
        homes = self._homes(text)
        terms: dict[str, int] = {}
        places: list[int] = []
        parts: list[npt.NDArray[np.float64]] = []
        for kind, ngrams, values in self._values(text):
            shared = [homes.get((kind, ngram)) or [ngram] for ngram in ngrams]
            places += [terms.setdefault(name, len(terms)) for names in shared for name in names]
            sizes = [len(names) for names in shared]
            parts.append(np.repeat(values / np.array(sizes)[:, None], sizes, axis=0))
        sums = np.zeros((len(terms), len(self.frames)))
        if parts:
            np.add.at(sums, places, np.vstack(parts))
        return {
            frame: sorted(zip(terms, column, strict=True), key=lambda term: -term[1])
            for frame, column in zip(self.frames, sums.T.tolist(), strict=True)
        }

    def _homes(self, text: str) -> dict[tuple[str, str], list[str]]:
        """Return the terms that share the contribution of each n-gram that is not itself a term."""
        homes: dict[tuple[str, str], list[str]] = {}
        tagging = self.roles.tag(text) if self.roles else None
        words = text.lower().split()
        names = [word.strip(_PUNCTUATION) or word for word in words]
        for block in self.blocks:
            if block.kind == "characters":
                for word, name in zip(words, names, strict=True):
                    for ngram in block.ngrams(word):
                        homes.setdefault((block.kind, ngram), []).append(name)
            elif block.kind == "masked_words":
                for ngram in block.ngrams(text, tagging):
                    homes[block.kind, ngram] = [self._unmasked(ngram)]
            elif tagging is not None and block.reads_roles:
                for tags in block.tags(tagging):
                    ngram = block.joined(tag.name for tag in tags)
                    homes.setdefault((block.kind, ngram), []).append(self._readable(block, tags, text))
        return homes

    def _readable(self, block: Block, tags: tuple[Tag, ...], text: str) -> str:
        """Return an n-gram of roles by its titles and the text they were found in."""
        arrow = " … " if block.kind == "role_pairs" else " → "
        titles = arrow.join(self._title(tag.name) for tag in tags)
        # A bound of a quotation or of the sentence has no text of its own.
        found = arrow.join(text[tag.start : tag.end] or tag.name for tag in tags)
        return f"{titles} ({found})"

    def _title(self, name: str) -> str:
        """Return the name for people of a tag."""
        titles = {**_BOUNDS, **(self.roles.titles if self.roles else {})}
        return f"{titles.get(name[1:], name)} speaks" if name.startswith("@") else titles.get(name, name)

    def _unmasked(self, ngram: str) -> str:
        """Return an n-gram of words and masked actors with the titles of the actors' roles in brackets."""
        words = ngram.split(" ")
        return " ".join(f"[{self._title(word[1:-1])}]" if word.startswith("<") else word for word in words)

    @cached_property
    def _known_words(self) -> frozenset[str]:
        words = (ngrams for block, ngrams in zip(self.blocks, self.vocabulary, strict=True) if block.kind == "words")
        return frozenset().union(*map(known_words, words))

    def out_of_domain(self, texts: Sequence[str]) -> tuple[list[bool], bool]:
        """Tell whether sentences are unlike the training corpus: off topic, in another language, not prose.

        Parameters
        ----------
        texts : sequence of str
            The sentences of an article.

        Returns
        -------
        sentences : list of bool
        article : bool
            Of all of them together, which tells more surely than one alone.
        """
        sentences, [article] = self.read(texts, [len(texts)]).out_of_domain
        return sentences, article

    def _strange(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Count what the model has never seen; see `classifier.domain.Domain.counts`."""
        return np.zeros((len(texts), 4)) if self.domain is None else self.domain.counts(texts, self._known_words)

    def seen(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Tell which sentences the model was trained on, whatever their case and punctuation.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of bool of shape (n_texts,)
        """
        from classifier.fingerprints import fingerprints

        return np.isin(fingerprints(texts), self.trained_on)

    def save(self, path: str | Path) -> None:
        """Write the model directory, whole or not at all; see `classifier.persistence.save_model`."""
        from classifier.persistence import save_model

        save_model(self, path)


@dataclass(frozen=True)
class Reading:
    """Sentences of articles as a model reads them.

    Parameters
    ----------
    model : Model
    texts : sequence of str
        The sentences, article after article.
    sizes : sequence of int
        Sentences of each article.
    logits : ndarray of shape (n_texts, n_frames)
    strange : ndarray of shape (n_texts, 4)
        What the model has never seen; see `classifier.domain.Domain.counts`.
    around : Surroundings, optional
        What stood around each sentence; None where the model reads every sentence alone.
    """

    model: Model
    texts: Sequence[str]
    sizes: Sequence[int]
    logits: npt.NDArray[np.float64]
    strange: npt.NDArray[np.float64]
    around: Surroundings | None = None

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """The calibrated probability of each frame, shape (n_texts, n_frames)."""
        return probabilities(self.logits, self.model.task)

    @cached_property
    def out_of_domain(self) -> tuple[list[bool], list[bool]]:
        """Which sentences, and which articles, are unlike the training corpus; see `Model.out_of_domain`."""
        if self.model.domain is None:
            return [False] * len(self.texts), [False] * len(self.sizes)
        return self.model.domain.judged(self.strange, self.sizes)

    def intercepts(self, row: int) -> npt.NDArray[np.float64]:
        """Return what every frame's logit is before any term is added, for one sentence."""
        context = self.model.context
        if context is None or self.around is None or self.around.alone[row]:
            return self.model.intercepts
        result: npt.NDArray[np.float64] = context.weights(self.around)[row] * self.model.intercepts + context.intercepts
        return result

    def explain(self, row: int) -> dict[str, list[tuple[str, float]]]:
        """Return what every term of one sentence, and its article, adds to the logit of every frame.

        Parameters
        ----------
        row : int
            The sentence.

        Returns
        -------
        dict of str to list of (str, float)
            As `Model.explain` has it; with `intercepts` the sum is the logit.
        """
        terms, context = self.model.explain(self.texts[row]), self.model.context
        if context is None or self.around is None or self.around.alone[row]:
            return terms
        subjects, weights = self.model.codebook.subjects, context.weights(self.around)[row]
        return {
            name: sorted(
                [
                    *((term, float(weights[frame]) * value) for term, value in terms[name]),
                    *context.terms(self.around, row, frame, subjects),
                ],
                key=lambda term: -term[1],
            )
            for frame, name in enumerate(self.model.frames)
        }


def probabilities(logits: npt.NDArray[np.float64], task: Task) -> npt.NDArray[np.float64]:
    """Turn logits into probabilities: the logistic function (multilabel) or softmax (multiclass).

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
    task : {"multilabel", "multiclass"}

    Returns
    -------
    ndarray of shape (n_texts, n_frames)
    """
    if task == "multilabel":
        return 1.0 / (1.0 + np.exp(-np.clip(logits, -500.0, 500.0)))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result
