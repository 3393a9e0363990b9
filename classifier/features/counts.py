"""N-grams of a corpus counted once, for every fold of its training."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from classifier.features.ngrams import Block, character_ngrams
from classifier.features.tagger import Tagger, Tagging

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy import sparse


class CountMatrix:
    """The n-grams of a corpus, counted once for all folds.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    blocks : sequence of Block
        Those whose n-grams are counted. ``min_df`` is left to `classifier.features.tfidf.Tfidf.fit`.
    roles : Tagger, optional
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

    def __init__(self, texts: Sequence[str], blocks: Sequence[Block], roles: Tagger | None = None) -> None:
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
