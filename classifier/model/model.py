"""The model: one linear function a frame, on the TF-IDF of a sentence, and one more of what its article tells."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classifier.codebook import Codebook, Task
from classifier.errors import InputError
from classifier.features.legible import legible
from classifier.features.ngrams import Block
from classifier.features.tagger import Tag, Tagger
from classifier.model.context import Context, Surroundings
from classifier.model.fingerprints import fingerprints
from classifier.model.novelty import Domain, known_words

if TYPE_CHECKING:
    from classifier.kernel.scorer import CompiledScorer

#: Characters scored before the compiled path takes over; starting it costs as much as scoring these takes.
SWITCH = 150_000

_PUNCTUATION = "".join(c for c in map(chr, range(0x2100)) if not c.isalnum() and not c.isspace())

#: Names for people of the tags where a sentence or a quotation begins and ends.
_BOUNDS = {"^": "begin", "$": "end", "“": "quotation begins", "”": "quotation ends"}


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


@dataclass(slots=True)
class _Use:
    """What a model keeps between calls; no result depends on it.

    Parameters
    ----------
    characters : int
        Scored so far. Threads may count past one another; what is lost only delays the compiled path.
    scorer : CompiledScorer, optional
        Made when the compiled path takes over.
    """

    characters: int = 0
    scorer: CompiledScorer | None = None


_making = threading.Lock()


def _made_anew() -> None:
    """Give a forked process a lock of its own: in the parent a thread may have held it."""
    global _making
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_made_anew)


@dataclass(frozen=True, repr=False)
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
    thresholds_alone : ndarray of shape (n_frames,), optional
        The probabilities from which a sentence read alone is labeled, where they are others than `thresholds`.
    metrics : mapping
        Out-of-fold figures, as ``metrics.json`` holds them.
    provenance : mapping
        Corpus, its SHA-256, versions, date and seed.
    domain : Domain, optional
        What the training corpus looks like; without it no text is called out of domain.
    trained_on : ndarray of uint64
        Fingerprints of the training sentences, sorted; see `classifier.model.fingerprints`.

    Notes
    -----
    A model may be used from any number of threads at once, under `asyncio.to_thread` and after a fork: each sentence
    gets the numbers that one thread alone would give it.
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
    thresholds_alone: npt.NDArray[np.float64] | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    domain: Domain | None = None
    trained_on: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def __repr__(self) -> str:
        return f"<Model {self.name!r}: {', '.join(self.frames)}; {len(self.idf):,} features>"

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
    def tagger(self) -> Tagger | None:
        """The tagger of the codebook's roles; None where no block reads them."""
        return Tagger(self.codebook.roles) if any(block.reads_roles for block in self.blocks) else None

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
            Euclidean length of the weights, or their sum for a block of word vectors; values are weights divided by it.
        """
        tagging = self.tagger.tag(text) if self.tagger else None
        for block, numbers in zip(self.blocks, self._features, strict=True):
            counts: dict[int, int] = {}
            for ngram in block.ngrams(text, tagging):
                feature = numbers.get(ngram)
                if feature is not None:
                    counts[feature] = counts.get(feature, 0) + 1
            if counts:
                features = np.fromiter(counts, dtype=np.intp, count=len(counts))
                weights = self.idf[features].astype(np.float64)
                if block.kind == "vectors":  # a mean over words, not a direction
                    weights *= np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
                    yield features, weights, float(np.add.accumulate(weights)[-1])
                    continue
                for i, count in enumerate(counts.values()):
                    if count > 1:
                        weights[i] *= 1.0 + math.log(count)
                yield features, weights, math.sqrt(np.add.accumulate(weights * weights)[-1])

    def logits(self, texts: Sequence[str], n_threads: int = 1) -> npt.NDArray[np.float64]:
        """Return the calibrated log-odds (multiclass: log-probabilities up to a constant) of each frame, read alone.

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
        logits, _, _ = self._score(texts, n_threads)
        return logits

    def _score(
        self, texts: Sequence[str], n_threads: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Return the logits of sentences, the subjects each names, and its counts of what is strange to the corpus."""
        texts = list(map(legible, texts))
        self._use.characters += sum(map(len, texts))
        if self._use.characters < SWITCH:
            logits, named, strange = self._plain(texts)
        else:
            logits, named, strange, left = self._compiled.score(texts, n_threads)
            logits[left], named[left], strange[left] = self._plain([texts[row] for row in left])
        return logits + self.intercepts, named, strange

    def _plain(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Return by the plain path what `CompiledScorer.score` does."""
        subjects = self.tagger.subjects if self.tagger else ()
        named = self.tagger.named(texts) if self.tagger else []
        strange = self.domain.counts(texts, self._known_words) if self.domain else np.zeros((len(texts), 4))
        return self.plain_logits(texts), np.array(named, dtype=bool).reshape(len(texts), len(subjects)), strange

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

        Raises
        ------
        InputError
            If `texts` is one string, or `sizes` do not add up to its length.

        Examples
        --------
        >>> import classifier
        >>> model = classifier.load_model()
        >>> model.read(["Moscow promised Minsk a new loan.", "It rained."], [2]).probabilities.shape
        (2, 3)
        """
        if isinstance(texts, str):
            raise InputError("read takes a list of sentences, not one string; put it in brackets.")
        if sum(sizes) != len(texts):
            raise InputError(
                f"{len(texts)} sentences in articles of {sum(sizes)}; the sizes must add up to the sentences."
            )
        logits, named, strange = self._score(texts, n_threads)
        if self.context is None:
            return Reading(self, texts, sizes, logits, strange)
        around = Surroundings.of(logits, named, sizes)
        return Reading(self, texts, sizes, self.context.logits(logits, around), strange, around)

    def compile(self) -> None:
        """Take the compiled path from the first sentence on: for those who know that much is to come."""
        self._use.characters = max(self._use.characters, SWITCH)

    @cached_property
    def _use(self) -> _Use:
        return _Use()

    @property
    def _compiled(self) -> CompiledScorer:
        if self._use.scorer is None:
            with _making:  # threads that come at once wait for the one that makes it
                if self._use.scorer is None:
                    self._use.scorer = self.compiled_scorer()
        return self._use.scorer

    def compiled_scorer(self) -> CompiledScorer:
        """Return a compiled scorer of this model's tables, with memory of its own.

        Returns
        -------
        CompiledScorer
        """
        from classifier.kernel.scorer import CompiledScorer, Tables

        counts = self.domain.character_counts if self.domain else None
        try:
            return CompiledScorer(
                Tables(self.blocks, self.vocabulary, self.idf, self.coefficients, self.tagger, counts)
            )
        except (LookupError, ValueError) as error:  # n-grams of roles that the codebook does not have, for example
            raise InputError(f"{self.name}: the model's vocabulary is damaged ({error}); train it again.") from None

    def plain_logits(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the logits without intercepts. This is the specification of the compiled path.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of shape (n_texts, n_frames)
        """
        logits = np.zeros((len(texts), len(self.frames)))
        for row, text in enumerate(texts):
            for features, weights, length in self.tfidf(text):
                # Accumulated, not summed: numpy sums in an order of its own.
                parts = np.add.accumulate(weights[:, None] * self.coefficients[features].astype(np.float64))
                logits[row] += parts[-1] / length
        return logits

    def predict_proba(self, texts: Sequence[str], n_threads: int = 1) -> npt.NDArray[np.float64]:
        """Return the calibrated probability of each frame, every sentence read alone.

        Parameters
        ----------
        texts : sequence of str
            Sentences; those of an article say more together, see `read`.
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
        """Return the frames of each sentence, read alone.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of tuple of str
            Names in the codebook's order; an empty tuple for no frame.
        """
        return self.labels(self.predict_proba(texts), self.thresholds_alone)

    def alone(self) -> Model:
        """Return the model as one that reads every sentence alone.

        Returns
        -------
        Model
        """
        thresholds = self.thresholds if self.thresholds_alone is None else self.thresholds_alone
        return replace(self, context=None, thresholds=thresholds, thresholds_alone=None)

    def labels(
        self, probabilities: npt.NDArray[np.float64], thresholds: npt.NDArray[np.float64] | None = None
    ) -> list[tuple[str, ...]]:
        """Turn probabilities into frames.

        Parameters
        ----------
        probabilities : ndarray of shape (n_texts, n_frames)
        thresholds : ndarray of shape (n_frames,) or (n_texts, n_frames), optional
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
        """Return what every n-gram of a sentence, read alone, adds to the logit of every frame.

        Parameters
        ----------
        text : str

        Returns
        -------
        dict of str to list of Contribution
            For each frame the largest first. Together with the frame's intercept they sum to its logit.
        """
        result: dict[str, list[Contribution]] = {frame: [] for frame in self.frames}
        for kind, ngrams, values in self._values(legible(text)):
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
        """Return what every term of a sentence, read alone, adds to the logit of every frame, in terms a person reads.

        Parameters
        ----------
        text : str

        Returns
        -------
        dict of str to list of (str, float)
            For each frame the largest first. The contribution of a character n-gram is shared equally by the words
            it occurs in and added to theirs, so the sum is still exact: with the frame's intercept, the logit. Tagger
            are shown by their titles with the text they were found in, "West → condemns → Belarus (EU → condemned →
            Minsk)"; where they occur more than once, each occurrence has its share.
        """
        text = legible(text)
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
        tagging = self.tagger.tag(text) if self.tagger else None
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
        titles = {**_BOUNDS, **(self.tagger.titles if self.tagger else {})}
        return f"{titles.get(name[1:], name)} speaks" if name.startswith("@") else titles.get(name, name)

    def _unmasked(self, ngram: str) -> str:
        """Return an n-gram of words and masked actors with the titles of the actors' roles in brackets."""
        words = ngram.split(" ")
        return " ".join(f"[{self._title(word[1:-1])}]" if word.startswith("<") else word for word in words)

    @cached_property
    def _known_words(self) -> frozenset[str]:
        words = (ngrams for block, ngrams in zip(self.blocks, self.vocabulary, strict=True) if block.kind == "words")
        return frozenset().union(*map(known_words, words))

    def seen(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Tell which sentences the model was trained on, whatever their case and punctuation.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of bool of shape (n_texts,)
        """
        return np.isin(fingerprints(texts), self.trained_on)


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
        What the model has never seen; see `classifier.model.novelty.Domain.counts`.
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

    def labels(self, thresholds: npt.NDArray[np.float64] | None = None) -> list[tuple[str, ...]]:
        """Return the frames of each sentence.

        Parameters
        ----------
        thresholds : ndarray of shape (n_frames,), optional
            Instead of the model's own, which are others for an article of one sentence, read alone.

        Returns
        -------
        list of tuple of str
        """
        own = self.model.thresholds_alone
        if thresholds is not None or own is None or self.model.task == "multiclass":
            return self.model.labels(self.probabilities, thresholds)
        alone = np.repeat(np.array(self.sizes, dtype=np.intp) == 1, self.sizes)
        return self.model.labels(self.probabilities, np.where(alone[:, None], own, self.model.thresholds))

    @cached_property
    def out_of_domain(self) -> tuple[list[bool], list[bool]]:
        """Which sentences, and which articles, are unlike the training corpus: off topic, foreign, no prose."""
        if self.model.domain is None:
            return [False] * len(self.texts), [False] * len(self.sizes)
        return self.model.domain.judged(self.strange, self.sizes)

    @cached_property
    def _weights(self) -> npt.NDArray[np.float64] | None:
        """What the terms of each sentence are multiplied by; None where sentences are read alone."""
        return None if self.around is None or self.model.context is None else self.model.context.weights(self.around)

    def intercepts(self, row: int) -> npt.NDArray[np.float64]:
        """Return what every frame's logit is before any term is added.

        Parameters
        ----------
        row : int
            The sentence.

        Returns
        -------
        ndarray of shape (n_frames,)
        """
        context = self._context_of(row)
        if context is None or self._weights is None:
            return self.model.intercepts
        result: npt.NDArray[np.float64] = self._weights[row] * self.model.intercepts + context.intercepts
        return result

    def _context_of(self, row: int) -> Context | None:
        return None if self.around is None or self.around.alone[row] else self.model.context

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
        terms, context = self.model.explain(self.texts[row]), self._context_of(row)
        if context is None or self.around is None or self._weights is None:
            return terms
        subjects, weights = tuple(self.model.codebook.subjects), self._weights[row]
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
