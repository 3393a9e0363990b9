"""What a sentence is read through: n-grams of words, characters and roles, in blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.features.tagger import Tag, Tagger, Tagging

if TYPE_CHECKING:
    import numpy.typing as npt
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


#: Lengths of n-grams that a block may have, and the longest n-gram: what the compiled path has room for.
MAX_LENGTHS, MAX_LENGTH = 8, 20


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
        if not all(type(value) is int for value in (self.shortest, self.longest, self.min_df)):
            raise ValueError(f"lengths and min_df must be whole numbers, got {self.shortest!r}, {self.longest!r}.")
        if not 1 <= self.shortest <= self.longest <= MAX_LENGTH or self.longest - self.shortest >= MAX_LENGTHS:
            raise ValueError(
                f"n-grams must have 1 to {MAX_LENGTH} units and at most {MAX_LENGTHS} lengths, "
                f"got {self.shortest} to {self.longest}."
            )
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

    def analyzer(self, roles: Tagger | None = None) -> RoleAnalyzer | str:
        """Return the ``analyzer`` of the scikit-learn vectorizer whose numbers are the block's.

        Parameters
        ----------
        roles : Tagger, optional
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
        roles: Tagger | None = None,
    ) -> TfidfVectorizer:
        """Return the scikit-learn vectorizer whose numbers are the block's.

        Parameters
        ----------
        vocabulary : sequence of str, optional
            The n-grams of a fitted block, in the order of the features.
        idf : array-like of shape (n_ngrams,), optional
            Their inverse document frequencies.
        roles : Tagger, optional
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
    roles : Tagger
    """

    block: Block
    roles: Tagger

    def __call__(self, text: str) -> Iterable[str]:
        """Return the n-grams of a sentence, with repetitions."""
        return self.block.ngrams(text, self.roles.tag(text))
