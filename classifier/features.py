"""N-grams of a sentence, their counts and their TF-IDF: exactly scikit-learn's numbers.

A model reads a sentence through *blocks*. Each block is what one ``TfidfVectorizer(sublinear_tf=True)`` computes
with the block's analyzer: n-grams are counted, a count c weighs ``1 + ln c``, times the n-gram's inverse document
frequency, and the block's vector is scaled to length one. The blocks are concatenated.

Blocks of words and characters read the text alone. The others read its roles (`classifier.roles`): n-grams of the
sequence of tags, ordered pairs of tags at any distance, words with the actors replaced by their roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classifier.roles import Roles, Tag, Tagging

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

_TOKEN = re.compile(r"\b\w\w+\b")


def word_ngrams(text: str, shortest: int, longest: int) -> list[str]:
    """Return the word n-grams of a text.

    Parameters
    ----------
    text : str
        One sentence.
    shortest, longest : int
        Words an n-gram.

    Returns
    -------
    list of str
        As ``CountVectorizer(analyzer="word")`` gives them: lower case, words of two or more letters, digits or
        underscores, joined by one space; shorter n-grams first.

    Examples
    --------
    >>> word_ngrams("Minsk, a city", 1, 2)
    ['minsk', 'city', 'minsk city']
    """
    words = _TOKEN.findall(text.lower())
    return [" ".join(words[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)]


def character_ngrams(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield the character n-grams within the words of a text.

    Parameters
    ----------
    text : str
        One sentence.
    shortest, longest : int
        Characters (code points) an n-gram.

    Yields
    ------
    str
        As ``CountVectorizer(analyzer="char_wb")`` gives them, by start: lower case; every run of characters between
        white space is padded with one space on each side, and one shorter than n counts once, whole.

    Examples
    --------
    >>> list(character_ngrams("EU", 2, 5))
    [' e', ' eu', ' eu ', 'eu', 'eu ', 'u ']
    """
    for word in text.lower().split():
        padded = f" {word} "
        if len(padded) < shortest:
            yield padded
            continue
        for start in range(len(padded) - shortest + 1):
            for end in range(start + shortest, min(start + longest, len(padded)) + 1):
                yield padded[start:end]


#: Tags of a sentence that are paired; their pairs grow with the square of this.
PAIRED_TAGS = 100


def role_ngrams(tagging: Tagging, shortest: int, longest: int) -> list[tuple[Tag, ...]]:
    """Return the n-grams of a sentence's sequence of roles.

    Parameters
    ----------
    tagging : Tagging
    shortest, longest : int
        Tags an n-gram.

    Returns
    -------
    list of tuple of Tag
        Shorter n-grams first.
    """
    tags = tagging.sequence()
    return [tuple(tags[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(tags) - n + 1)]


def role_pairs(tagging: Tagging) -> list[tuple[Tag, ...]]:
    """Return each ordered pair of a sentence's first `PAIRED_TAGS` tags that are no links, at any distance, once.

    Parameters
    ----------
    tagging : Tagging

    Returns
    -------
    list of tuple of (Tag, Tag)
        Of pairs with the same names, the first.
    """
    tags = [tag for tag in tagging.sequence() if not tag.link][:PAIRED_TAGS]
    pairs: dict[tuple[str, str], tuple[Tag, ...]] = {}
    for i, first in enumerate(tags):
        for second in tags[i + 1 :]:
            pairs.setdefault((first.name, second.name), (first, second))
    return list(pairs.values())


def masked_ngrams(text: str, tagging: Tagging, shortest: int, longest: int) -> list[str]:
    """Return the word n-grams of a text whose actors are replaced by their roles.

    Parameters
    ----------
    text : str
        One sentence.
    tagging : Tagging
        Its roles.
    shortest, longest : int
        Words an n-gram.

    Returns
    -------
    list of str
        An actor is one word, ``<role>``; actors of the same role in a row are one.
    """
    words: list[str] = []
    start = 0
    for match in tagging.matches:
        if match.kind == "actors":
            words += _TOKEN.findall(text[start : match.start].lower())
            mask = f"<{match.role}>"
            if not words or words[-1] != mask:
                words.append(mask)
            start = match.end
    words += _TOKEN.findall(text[start:].lower())
    return [" ".join(words[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)]


#: The kinds of blocks that read the text alone, and what scikit-learn calls their analyzers.
_ANALYZERS: dict[str, tuple[Callable[[str, int, int], Iterable[str]], str]] = {
    "words": (word_ngrams, "word"),
    "characters": (character_ngrams, "char_wb"),
}

#: The kinds of blocks that read the roles.
ROLE_KINDS = ("roles", "role_pairs", "masked_words")

#: Between the tags of a pair, which may stand far apart; those of an n-gram are joined by a space.
PAIR = "…"


@dataclass(frozen=True, slots=True)
class Block:
    """One TF-IDF block.

    Parameters
    ----------
    kind : {"words", "characters", "roles", "role_pairs", "masked_words"}
        What its n-grams are made of.
    shortest, longest : int
        Units an n-gram, both included; a pair has two.
    min_df : int
        Sentences of the training corpus an n-gram must occur in to be kept.
    """

    kind: str
    shortest: int
    longest: int
    min_df: int = 1

    def __post_init__(self) -> None:
        if self.kind not in _ANALYZERS and self.kind not in ROLE_KINDS:
            raise ValueError(f"kind must be one of {[*_ANALYZERS, *ROLE_KINDS]}, got {self.kind!r}.")
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(f"n-grams must have 1 or more units, got {self.shortest} to {self.longest}.")
        if self.kind == "role_pairs" and (self.shortest, self.longest) != (2, 2):
            raise ValueError(f"a pair has 2 units, got {self.shortest} to {self.longest}.")
        if self.min_df < 1:
            raise ValueError(f"min_df must be 1 or more, got {self.min_df}.")

    def __str__(self) -> str:
        return f"{self.kind} {self.shortest}-{self.longest}, min_df {self.min_df}"

    @property
    def reads_roles(self) -> bool:
        """Whether the block needs a sentence's roles."""
        return self.kind in ROLE_KINDS

    def ngrams(self, text: str, tagging: Tagging | None = None) -> Iterable[str]:
        """Return the n-grams of a sentence, with repetitions.

        Parameters
        ----------
        text : str
            One sentence.
        tagging : Tagging, optional
            Its roles, shared by the blocks that read them.
        """
        if not self.reads_roles:
            return _ANALYZERS[self.kind][0](text, self.shortest, self.longest)
        if tagging is None:
            raise ValueError(f"a block of kind {self.kind!r} needs the roles of the sentence.")
        if self.kind == "masked_words":
            return masked_ngrams(text, tagging, self.shortest, self.longest)
        return [self.joined(tag.name for tag in tags) for tags in self.tags(tagging)]

    def tags(self, tagging: Tagging) -> list[tuple[Tag, ...]]:
        """Return the n-grams of a block of kind ``roles`` or ``role_pairs`` as tags, which say where they stand."""
        if self.kind == "role_pairs":
            return role_pairs(tagging)
        return role_ngrams(tagging, self.shortest, self.longest)

    def joined(self, names: Iterable[str]) -> str:
        """Return the names of tags as one n-gram."""
        return (PAIR if self.kind == "role_pairs" else " ").join(names)

    def analyzer(self, roles: Roles | None = None) -> RoleAnalyzer | str:
        """Return the ``analyzer`` of the scikit-learn vectorizer whose numbers are the block's.

        Parameters
        ----------
        roles : Roles, optional
            The tagger, for blocks that read roles.
        """
        if not self.reads_roles:
            return _ANALYZERS[self.kind][1]
        if roles is None:
            raise ValueError(f"a block of kind {self.kind!r} needs the roles of a codebook.")
        return RoleAnalyzer(self, roles)

    def vectorizer(
        self,
        vocabulary: Sequence[str] | None = None,
        idf: npt.ArrayLike | None = None,
        roles: Roles | None = None,
    ) -> TfidfVectorizer:
        """Return the scikit-learn vectorizer whose numbers are the block's.

        Parameters
        ----------
        vocabulary : sequence of str, optional
            The n-grams of a fitted block, in the order of the features.
        idf : array-like of shape (n_ngrams,), optional
            Their inverse document frequencies.
        roles : Roles, optional
            The tagger, for blocks that read roles.

        Returns
        -------
        sklearn.feature_extraction.text.TfidfVectorizer
            Fitted where `vocabulary` and `idf` are given.
        """
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        # An analyzer of ours knows its own n-grams; scikit-learn warns of a range that it would not use.
        ngram_range = (1, 1) if self.reads_roles else (self.shortest, self.longest)
        vectorizer = TfidfVectorizer(
            analyzer=self.analyzer(roles),
            ngram_range=ngram_range,
            min_df=self.min_df,
            sublinear_tf=True,
            dtype=np.float64,
            vocabulary=None if vocabulary is None else {ngram: i for i, ngram in enumerate(vocabulary)},
        )
        if idf is not None:
            vectorizer.idf_ = np.asarray(idf, dtype=np.float64)
        return vectorizer


@dataclass(frozen=True, slots=True)
class RoleAnalyzer:
    """The analyzer of a block that reads roles, for scikit-learn's vectorizers: a text in, its n-grams out.

    Parameters
    ----------
    block : Block
    roles : Roles
    """

    block: Block
    roles: Roles

    def __call__(self, text: str) -> Iterable[str]:
        """Return the n-grams of a sentence, with repetitions."""
        return self.block.ngrams(text, self.roles.tag(text))


class CountMatrix:
    """The n-grams of a corpus, counted once for all folds.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    blocks : sequence of Block
        Those whose n-grams are counted. ``min_df`` is left to `fit`.
    roles : Roles, optional
        The tagger, for blocks that read roles; each text is tagged once.

    Attributes
    ----------
    blocks : tuple of Block
    ngrams : tuple of ndarray of str
        Every n-gram of each block, sorted.
    starts : ndarray of int of shape (n_blocks + 1,)
        The first column of each block, and the number of columns.
    counts : scipy.sparse.csr_array
        How often each n-gram occurs in each sentence, shape (n_texts, n_ngrams), blocks side by side.
    named : ndarray of bool of shape (n_texts, n_subjects)
        Which of the codebook's subjects each sentence names; no columns where no block reads roles.
    """

    def __init__(self, texts: Sequence[str], blocks: Sequence[Block], roles: Roles | None = None) -> None:
        import numpy as np
        from scipy import sparse

        self.blocks = tuple(blocks)
        taggings = None
        if any(block.reads_roles for block in self.blocks):
            if roles is None:
                raise ValueError("blocks that read roles need the roles of a codebook.")
            taggings = [roles.tag(text) for text in texts]
        subjects = roles.subjects.values() if roles is not None and taggings is not None else ()
        self.named = np.zeros((len(texts), len(subjects)), dtype=bool)
        for row, tagging in enumerate(taggings or ()):
            self.named[row] = tagging.names(subjects)
        names = [tuple(tag.name for tag in tagging.sequence()) for tagging in taggings or ()]
        counted = [_count_block(block, texts, taggings or (), names) for block in self.blocks]
        self.ngrams = tuple(ngrams for ngrams, _ in counted)
        self.starts = np.cumsum([0, *map(len, self.ngrams)])
        self.counts = sparse.hstack([counts for _, counts in counted], format="csr")
        #: What each count weighs.
        self.weights = 1 + np.log(self.counts.data.astype(np.float64))

    def fit(self, rows: npt.NDArray[np.intp]) -> Tfidf:
        """Choose vocabulary and inverse document frequencies as ``TfidfVectorizer.fit`` would on these rows.

        Parameters
        ----------
        rows : ndarray of int
            The training sentences.

        Returns
        -------
        Tfidf
        """
        import numpy as np

        from classifier.selection import document_frequencies

        df = document_frequencies(self.counts.indptr, self.counts.indices, rows, self.counts.shape[1])
        columns, idf = [], []
        for block, first, last in zip(self.blocks, self.starts, self.starts[1:], strict=False):
            kept = np.flatnonzero(df[first:last] >= block.min_df)
            columns.append(kept)
            idf.append(np.log((1 + len(rows)) / (1 + df[first:last][kept])) + 1)
        return Tfidf(self, tuple(columns), tuple(idf))


def _count_block(
    block: Block, texts: Sequence[str], taggings: Sequence[Tagging], names: Sequence[tuple[str, ...]]
) -> tuple[npt.NDArray[np.object_], sparse.csr_array]:
    """Count the n-grams of one block; what many sentences share is taken apart once."""
    if block.kind == "characters":
        words = (text.lower().split() for text in texts)
        return _count_parts(words, lambda word: character_ngrams(word, block.shortest, block.longest))
    if not block.reads_roles:
        return _count(block.ngrams(text) for text in texts)
    if block.kind == "masked_words":
        return _count(block.ngrams(text, tagging) for text, tagging in zip(texts, taggings, strict=True))
    # The n-grams of tags are those of their names, wherever the tags stand.
    of = dict(zip(names, taggings, strict=True))
    return _count_parts(([sequence] for sequence in names), lambda sequence: block.ngrams("", of[sequence]))


def _count_parts(
    documents: Iterable[Iterable[Hashable]], ngrams: Callable[[Any], Iterable[str]]
) -> tuple[npt.NDArray[np.object_], sparse.csr_array]:
    """Count the n-grams of documents made of parts, where every n-gram lies within a part."""
    parts, occurrences = _tally(documents)
    found, counts = _count(map(ngrams, parts))
    counts = (occurrences @ counts).tocsr()
    counts.sort_indices()
    return found, counts


def _count(documents: Iterable[Iterable[str]]) -> tuple[npt.NDArray[np.object_], sparse.csr_array]:
    """Count n-grams as ``CountVectorizer`` does: columns in the order of the sorted n-grams."""
    import numpy as np

    columns, counts = _tally(documents)
    found = sorted(columns)
    return np.array(found, dtype=object), counts[:, [columns[ngram] for ngram in found]].sorted_indices()


def _tally(documents: Iterable[Iterable[Hashable]]) -> tuple[dict[Any, int], sparse.csr_array]:
    """Give things numbers in the order in which they first occur, and count them a document."""
    import numpy as np
    from scipy import sparse

    columns: dict[Hashable, int] = {}
    indices: list[int] = []
    ends = [0]
    for document in documents:
        indices += [columns.setdefault(thing, len(columns)) for thing in document]
        ends.append(len(indices))
    counts = sparse.csr_array(
        (np.ones(len(indices), dtype=np.int64), np.array(indices, dtype=np.int32), np.array(ends, dtype=np.int32)),
        shape=(len(ends) - 1, len(columns)),
    )
    counts.sum_duplicates()
    return columns, counts


@dataclass(frozen=True, slots=True)
class Tfidf:
    """A vocabulary and its inverse document frequencies, chosen from a `CountMatrix`.

    Parameters
    ----------
    source : CountMatrix
    columns : tuple of ndarray of int
        The n-grams kept, a block.
    idf : tuple of ndarray of float
        Their inverse document frequencies, ``ln((1 + n) / (1 + df)) + 1``.
    """

    source: CountMatrix
    columns: tuple[npt.NDArray[np.intp], ...]
    idf: tuple[npt.NDArray[np.float64], ...]

    def transform(self, rows: npt.NDArray[np.intp]) -> sparse.csr_array:
        """Return the TF-IDF features of these rows, shape (n_rows, n_features), blocks side by side."""
        import numpy as np
        from scipy import sparse

        from classifier.selection import select

        source = self.source
        idf = np.concatenate(self.idf)
        features = np.full(source.counts.shape[1], -1, dtype=np.int32)
        kept = [first + columns for first, columns in zip(source.starts, self.columns, strict=False)]
        features[np.concatenate(kept)] = np.arange(len(idf), dtype=np.int32)
        counts = source.counts
        parts = select(counts.indptr, counts.indices, source.weights, rows, source.starts, features, idf)
        return sparse.csr_array(parts, shape=(len(rows), len(idf)))

    def vocabulary(self) -> tuple[tuple[str, ...], ...]:
        """Return the n-grams kept, a block, in the order of the features."""
        return tuple(tuple(ngrams[kept]) for ngrams, kept in zip(self.source.ngrams, self.columns, strict=True))
