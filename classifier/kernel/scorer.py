"""The compiled scoring path: a model's tables for the kernel, and the memory it works in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.features import tagger
from classifier.features.ngrams import PAIR, PAIRED_TAGS, Block
from classifier.features.tagger import Tagger
from classifier.kernel import kernels

#: Bytes of sentences scored at a time.
CHUNK = 250_000

#: Bytes of a sentence at most; a longer one takes the plain path. So no n-gram is counted beyond 16 bits, and the
#: counts of all features stay in the near cache.
LONGEST = 65_000

#: Capacity of a memory of words: slots (a power of two), words, character n-grams, tokens, items of the tagger.
#: Beyond the first, each has room for what the words of several chunks hold.
SLOTS, WORDS, NGRAMS, TOKENS, ITEMS = 1 << 19, 1 << 18, 1 << 23, 1 << 20, 1 << 21

#: Counts whose ``1 + ln c`` is tabulated.
TABULATED = 256

_KINDS = {
    "words": kernels.WORDS,
    "characters": kernels.CHARACTERS,
    "roles": kernels.ROLES,
    "role_pairs": kernels.ROLE_PAIRS,
    "masked_words": kernels.MASKED_WORDS,
    "vectors": kernels.VECTORS,
}

_TOKEN = re.compile(r"\b\w\w+\b")


class Scored(NamedTuple):
    """What the compiled path gives for sentences.

    Parameters
    ----------
    logits : ndarray of shape (n_texts, n_frames)
        Without intercepts.
    named : ndarray of bool of shape (n_texts, n_subjects)
        Which of the codebook's subjects each names.
    strange : ndarray of shape (n_texts, 4)
        The counts of `classifier.model.novelty.Domain.counts`.
    plain : ndarray of int
        Rows that were not scored and must take the plain path: sentences with code points whose lower case depends on
        their neighbours or that lie beyond the first two planes of Unicode, with words of enormous length, with words
        that the tokens of two blocks divide differently, or of more than `LONGEST` bytes.
    """

    logits: npt.NDArray[np.float64]
    named: npt.NDArray[np.bool_]
    strange: npt.NDArray[np.float64]
    plain: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tables:
    """What a model's sentences are scored by: its blocks, their n-grams and what those weigh.

    Parameters
    ----------
    blocks : tuple of Block
    vocabulary : tuple of tuple of str
        The n-grams of each block, in the order of the features.
    idf : ndarray of shape (n_features,)
        Inverse document frequencies, blocks one after the other.
    coefficients : ndarray of shape (n_features, n_frames)
    tagger : Tagger, optional
        None where no block reads roles.
    character_counts : callable, optional
        What a text has of foreign characters, and of all but white space, for a sequence of texts.
    """

    blocks: tuple[Block, ...]
    vocabulary: tuple[tuple[str, ...], ...]
    idf: npt.NDArray[np.float32]
    coefficients: npt.NDArray[np.float32]
    tagger: Tagger | None = None
    character_counts: Callable[[Sequence[str]], npt.NDArray[np.float64]] | None = None


class CompiledScorer:
    """Scores many sentences fast: the same numbers as the model's plain path, bit by bit.

    Parameters
    ----------
    model : Tables

    Raises
    ------
    ValueError
        If two n-grams of the vocabulary have the same hash, or there are more than a table holds.

    Notes
    -----
    The tables are read-only and shared by all threads; each thread has a memory of its own.
    """

    def __init__(self, model: Tables) -> None:
        self.n_frames = model.coefficients.shape[1]
        self.tagger = model.tagger
        self._character_counts = model.character_counts
        # Blocks of words share a table: what one of them looks up in it the others need, too.
        of_words = [i for i, block in enumerate(model.blocks) if block.kind in ("words", "masked_words", "vectors")]
        entries = _entries(model, of_words)
        numbers, n_numbers = _numbered(model, of_words, entries)
        tables = [
            _table(len(ngrams) if block.kind == "characters" else 0)
            for block, ngrams in zip(model.blocks, model.vocabulary, strict=True)
        ]
        tables.append(_table(len(entries)))
        bases = np.cumsum([0, *map(len, tables)])[:-1].astype(np.uint64)
        masks = np.array([len(table) - 1 for table in tables], dtype=np.uint64)
        table = np.concatenate(tables)
        settings = np.zeros((len(model.blocks), 5), dtype=np.int64)
        seeds = _seeds(len(model.blocks) + 2)  # one a block, one for n-grams of words, the last for words
        names = _tag_names(model.tagger)
        pairs = np.full((len(names), len(names)), kernels.HOLE, dtype=np.int32)
        trie = _trie([], [], 0)
        collisions = kernels.fill_words(
            *_code_points(tuple(entries)), seeds[-1], seeds[-2], np.arange(len(entries)), table, bases[-1], masks[-1]
        )
        known = np.zeros(1 + len(entries), dtype=np.bool_)
        first = 0
        for i, (block, ngrams) in enumerate(zip(model.blocks, model.vocabulary, strict=True)):
            own = numbers[first : first + len(ngrams)]
            first += len(ngrams)
            place = table, bases[i], masks[i]
            settings[i] = _KINDS[block.kind], block.shortest, block.longest, 0, len(of_words)
            if i in of_words:
                settings[i, 3] = of_words.index(i)
                if block.kind == "words":
                    known[[entries[ngram] for ngram in ngrams if " " not in ngram]] = True
            elif block.kind == "characters":
                settings[i, 3] = _is_prefix_closed(ngrams, block.shortest)
                collisions += kernels.fill_characters(*_code_points(ngrams), seeds[i], own, *place)
            elif block.kind == "roles":
                tags = [tuple(names[tag] for tag in ngram.split(" ")) for ngram in ngrams]
                trie = _trie(tags, own, len(names))
            else:
                for ngram, number in zip(ngrams, own, strict=True):
                    before, after = ngram.split(PAIR)
                    pairs[names[before], names[after]] = number
        if collisions:
            raise ValueError(f"{collisions} n-grams of the vocabulary share their hash with another one.")
        logarithms = np.array([0.0] + [1.0 + math.log(count) for count in range(1, TABULATED)])
        self.records = _records(model.idf, model.coefficients, numbers, n_numbers)
        self.longest = max(block.longest for block in model.blocks)
        self.longest_words = max([model.blocks[i].longest for i in of_words], default=1)
        sieve = np.zeros(kernels.SIEVE, dtype=np.uint64)
        kernels.fill_sieve(sieve, table, bases[-1], np.uint64(len(table)))
        of_features = self.records, logarithms, known, sieve
        self._vocabulary = (*code_points(), settings, seeds, table, bases, masks, *of_features)
        self._automaton = _automaton(model.tagger, seeds[-1], pairs, trie)
        self._rooms: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []

    def score(self, texts: Sequence[str], n_threads: int = 1) -> Scored:
        """Score sentences.

        Parameters
        ----------
        texts : sequence of str
        n_threads : int

        Returns
        -------
        Scored
        """
        # What the kernel writes, the last whether a row must take the plain path.
        results = (
            np.zeros((len(texts), 4 * len(self.records) - 1)),
            np.zeros((len(texts), len(self.tagger.subjects) if self.tagger else 0), dtype=bool),
            np.zeros((len(texts), 4)),
            np.zeros(len(texts), dtype=np.uint8),
        )
        while len(self._rooms) < n_threads:
            self._rooms.append((_memory(), self._scratch()))
        cuts = [len(texts) * i // n_threads for i in range(n_threads + 1)]
        parts = [(slice(cuts[i], cuts[i + 1]), *self._rooms[i]) for i in range(n_threads)]
        if n_threads == 1:
            self._score(texts, results, *parts[0])
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                for result in [pool.submit(self._score, texts, results, *part) for part in parts]:
                    result.result()
        logits, named, strange, plain = results
        return Scored(logits[:, : self.n_frames], named, strange, np.flatnonzero(plain))

    def _score(
        self,
        texts: Sequence[str],
        results: tuple[npt.NDArray[Any], ...],
        rows: slice,
        memory: tuple[Any, ...],
        scratch: tuple[Any, ...],
    ) -> None:
        for here, words, ends in self._read(texts, results[-1], rows, memory):
            out = [result[here] for result in results]
            kernels.score(words, ends, self._vocabulary, memory, self._automaton, scratch, *out)

    def _read(
        self, texts: Sequence[str], plain: npt.NDArray[np.uint8], rows: slice, memory: tuple[Any, ...]
    ) -> Iterator[tuple[slice, npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
        """Yield chunk by chunk which rows it holds, the numbers of their words and where each row's words end."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts[rows]]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        for row in np.flatnonzero(lengths > LONGEST):
            plain[rows.start + row] = 1
            encoded[row], lengths[row] = b"", 0
        bounds = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum(lengths, out=bounds[1:])
        data = np.frombuffer(b"".join([*encoded, b"\0\0\0"]), dtype=np.uint8)
        fresh = np.empty((CHUNK, 3), dtype=np.int64)
        start = 0
        while start < len(encoded):
            stop = int(np.searchsorted(bounds, bounds[start] + CHUNK, side="right")) - 1
            part = bounds[start : stop + 1]
            _make_room(memory)
            units = np.empty(kernels.LONGEST_WORD + 2, dtype=np.int32)
            words = np.empty(int(part[-1] - part[0]) // 2 + len(part), dtype=np.int32)
            ends = np.zeros((len(part), 2), dtype=np.int64)
            n_fresh = kernels.learn(data, part, _spaces(), self._vocabulary, memory, units, fresh, words, ends)
            if n_fresh:
                self._learn_more(data, fresh[:n_fresh], memory)
            yield slice(rows.start + start, rows.start + stop), words, ends
            start = stop

    def _learn_more(self, data: npt.NDArray[np.uint8], fresh: npt.NDArray[np.int64], memory: tuple[Any, ...]) -> None:
        """Write into the memory what the domain and the tagger of roles read in new words."""
        _, entries, _, _, items, used = memory
        content = data.tobytes()
        short = fresh[fresh[:, 2] - fresh[:, 1] <= kernels.LONGEST_WORD]
        texts = [content[start:end].decode("utf-8", "surrogatepass") for _, start, end in short.tolist()]
        if self._character_counts is not None:
            entries[short[:, 0], 6:8] = self._character_counts(texts)
        if self.tagger is None:
            return
        found: list[tuple[int, int, int, int]] = []
        at = first = int(used[3])
        for word, text in zip(short[:, 0].tolist(), texts, strict=True):
            read = word_items(text, self.tagger)
            if read is None:
                entries[word, 0] = -1
                continue
            entries[word, 4], entries[word, 5] = at, at + len(read)
            at += len(read)
            found += read
        if found:
            items[first:at] = found
        used[3] = at

    def _scratch(self) -> tuple[Any, ...]:
        """Return room for counting in a sentence of any length; what short ones do not touch takes no memory."""
        size, n_features = LONGEST + 2, self.records.shape[1]
        n_found = (2 * size + 3) * self.longest
        return (
            np.zeros(n_features, dtype=np.uint16),
            np.empty(n_features + 2, dtype=np.int32),  # here and below one more: what is written may not be kept
            np.empty(n_features + 2, dtype=np.float64),
            np.empty(size, dtype=np.uint64),
            np.empty(2 * size + 3, dtype=np.uint64),
            np.empty(n_found + 1, dtype=np.uint64),
            np.empty(n_found + 1, dtype=np.int32),
            np.empty((self.longest_words, size), dtype=np.int32),
            np.empty(n_found + 1, dtype=np.int32),
            (*np.empty((4, size + 1), dtype=np.int32), *np.empty((2, size + 1), dtype=np.bool_)),
            np.empty((size, 2), dtype=np.int32),
            tuple(np.empty((3, size), dtype=np.int32)),
            np.empty(2 * size + 3, dtype=np.uint64),
            (np.empty(2 * size, dtype=np.uint64), *np.empty((2, 2 * size), dtype=np.int32)),
        )


def word_items(word: str, roles: Tagger) -> list[tuple[int, int, int, int]] | None:
    """Return what the tagger of roles reads in a word between white space; see the kinds of items in the kernels.

    Parameters
    ----------
    word : str
    roles : Tagger

    Returns
    -------
    list of (int, int, int, int) or None
        Kind and value of each item in order, how many word tokens it holds and how many follow it before the next
        of the tagger's words; None where a word token is divided.
    """
    spans = list(tagger.words(word))
    inside = [len(_TOKEN.findall(word[start:end].lower())) for start, end in spans]
    ends = [start for start, _ in spans[1:]] + [len(word)]
    after = [len(_TOKEN.findall(word[span[1] : end].lower())) for span, end in zip(spans, ends, strict=False)]
    if sum(inside) + sum(after) != len(_TOKEN.findall(word.lower())):
        return None
    items = [(at, kernels.QUOTE, value, 0, 0) for at, value in _quotes(word)]
    items += [
        (tag.start, kernels.PUNCTUATION, tagger.PUNCTUATION.index(tag.name), 0, 0) for tag in tagger.punctuation(word)
    ]
    end = 0
    for i, (start, stop) in enumerate(spans):
        if not (tagger.tight(word, end, start) if i else tagger.TIGHT.fullmatch(word, 0, start)):
            items.append((end, kernels.GAP, 0, 0, 0))
        items.append((start, kernels.TOKEN, roles.symbol(word[start:stop]), inside[i], after[i]))
        end = stop
    # White space follows the word, or nothing at all, which no term can reach across either way.
    if not (tagger.tight(f"{word} ", end, len(word) + 1) if spans else tagger.TIGHT.fullmatch(word)):
        items.append((end, kernels.GAP, 0, 0, 0))
    return [item[1:] for item in sorted(items, key=lambda item: item[0])]


def _quotes(word: str) -> Iterator[tuple[int, int]]:
    """Yield where quotation marks stand in a word and what they can do."""
    for match in tagger.QUOTE.finditer(word):
        at, mark = match.span()[0], match.group()
        before, after = word[at - 1 : at] if at else "", word[at + 1 : at + 2]
        if mark in "'’‘" and before.isalnum() and after.isalnum():
            continue
        yield (
            at,
            kernels.OPENS * tagger.opens(mark, before, after)
            | kernels.APOSTROPHE * (mark in "'’")
            | kernels.SINGLE * (mark in "'‘")
            | kernels.FIRST * (at == 0),
        )


def _automaton(
    roles: Tagger | None,
    token_seed: np.uint64,
    pairs: npt.NDArray[np.int32],
    trie: npt.NDArray[np.int32],
) -> tuple[Any, ...]:
    """Lay out the tagger for the kernel."""
    steps = roles.step if roles else {}
    table = _table(len(steps))
    mask = np.uint64(len(table) - 1)
    first = np.full(1 + max((symbol for _, symbol in steps), default=0), -1, dtype=np.int32)
    for (state, symbol), following in steps.items():
        if state == 0:
            first[symbol] = following
        elif not kernels.insert_step(table, mask, state, symbol, following):
            raise ValueError("two steps of the automaton of roles share their hash.")
    names = list(roles.titles) if roles else []
    masks = [kernels.hash_units(np.array([*map(ord, f"<{name}>")]), token_seed) for name in names]
    subjects = dict.fromkeys(names, -1)
    for number, members in enumerate(roles.subjects.values() if roles else ()):
        subjects |= dict.fromkeys(members, number)
    return (
        first,
        table,
        mask,
        np.array(roles.accepted if roles else [0], dtype=np.int64),
        np.array([roles.kinds[name] == "actors" for name in names] if roles else [], dtype=np.bool_),
        np.array(masks, dtype=np.uint64),
        pairs,
        trie,
        np.array([tagger.SPEAKER_WORDS, PAIRED_TAGS, roles is not None], dtype=np.int64),
        np.array([*subjects.values()], dtype=np.int64),
        np.array([roles is not None and roles.kinds.get(tag) == "links" for tag in _tag_names(roles)], dtype=np.bool_),
    )


def _tag_names(roles: Tagger | None) -> dict[str, int]:
    """Return the number of each tag: roles, roles that speak, bounds of quotations and of the sentence, punctuation."""
    names = list(roles.titles) if roles else []
    speakers = [f"@{name}" for name in names]
    return {name: i for i, name in enumerate([*names, *speakers, "“", "”", "^", "$", *tagger.PUNCTUATION])}


def _trie(ngrams: Sequence[tuple[int, ...]], numbers: Iterable[int], n_tags: int) -> npt.NDArray[np.int32]:
    """Lay out n-grams of tags for `kernels.count_tags`."""
    prefixes = sorted({ngram[:length] for ngram in ngrams for length in range(len(ngram))})
    rows = {prefix: kernels.ROOT + i for i, prefix in enumerate(prefixes)}
    trie = np.zeros((kernels.ROOT + len(rows), n_tags, 2), dtype=np.int32)
    for prefix in prefixes[1:]:
        trie[rows[prefix[:-1]], prefix[-1], 0] = rows[prefix]
    for ngram, number in zip(ngrams, numbers, strict=True):
        trie[rows[ngram[:-1]], ngram[-1], 1] = number
    return trie


def _table(n: int) -> npt.NDArray[np.uint64]:
    """Return an empty open-addressing table for n pairs, at most half full."""
    if n >= 1 << kernels.VALUE_BITS:
        raise ValueError(f"{n} n-grams of one kind are more than a table holds.")
    return np.zeros(1 << max(4, math.ceil(math.log2(2 * n + 1))), dtype=np.uint64)


def _entries(model: Tables, blocks: Sequence[int]) -> dict[str, int]:
    """Return the n-grams of some blocks together, the most frequent first, each with its number from 1."""
    starts = np.cumsum([0, *map(len, model.vocabulary)])
    ngrams = [ngram for i in blocks for ngram in model.vocabulary[i]]
    # A table of word vectors holds mostly words that a text does not; they come last.
    parts = [model.idf[starts[i] : starts[i + 1]] + (1e6 if model.blocks[i].kind == "vectors" else 0) for i in blocks]
    idf = np.concatenate(parts or [model.idf[:0]])
    ordered = dict.fromkeys(ngrams[i] for i in np.argsort(idf, kind="stable").tolist())
    return {ngram: entry for entry, ngram in enumerate(ordered, start=1)}


def _seeds(n: int) -> npt.NDArray[np.uint64]:
    """Return where the hashes of each block start."""
    return np.random.default_rng(0).integers(1, 2**63, size=n, dtype=np.uint64)


def _numbered(model: Tables, of_words: Sequence[int], entries: Mapping[str, int]) -> tuple[npt.NDArray[np.int32], int]:
    """Return the number of each feature in the kernel, and one more than the last.

    The features that blocks of words have for an entry lie side by side, those of other blocks behind one another, the
    most frequent first: the few that most look-ups touch lie close together. 0 is `kernels.HOLE`.
    """
    numbers = np.empty(len(model.idf), dtype=np.int32)
    width = len(of_words)
    first, n = 0, max(1, width * (1 + len(entries)))
    for i, ngrams in enumerate(model.vocabulary):
        own = numbers[first : first + len(ngrams)]
        if i in of_words:
            own[:] = [entries[ngram] * width + of_words.index(i) for ngram in ngrams]
        else:
            own[np.argsort(model.idf[first : first + len(ngrams)], kind="stable")] = np.arange(n, n + len(ngrams))
            n += len(ngrams)
        first += len(ngrams)
    return numbers, n


def _records(
    idf: npt.NDArray[np.float32],
    coefficients: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int32],
    n_numbers: int,
) -> npt.NDArray[np.float32]:
    """Lay out what the kernel reads of a feature: rows of four, the first with its inverse document frequency.

    A number that no feature has is all zeros and adds nothing.
    """
    columns = np.column_stack([idf, coefficients])
    records = np.zeros((-(-columns.shape[1] // 4), n_numbers, 4), dtype=np.float32)
    for group in range(len(records)):
        part = columns[:, 4 * group : 4 * group + 4]
        records[group, numbers, : part.shape[1]] = part
    return records


def _memory() -> tuple[Any, ...]:
    return (
        np.zeros(SLOTS, dtype=np.uint64),
        np.empty((WORDS, 8), dtype=np.int32),
        np.empty(NGRAMS, dtype=np.int32),
        np.empty((TOKENS, 2), dtype=np.uint64),
        np.empty((ITEMS, 4), dtype=np.int32),
        np.zeros(4, dtype=np.int64),
    )


def _make_room(memory: tuple[Any, ...]) -> None:
    """Forget all words where one more chunk might not find room."""
    slots, entries, ngrams, tokens, items, used = memory
    # Of a chunk's bytes every other may be a word, each with up to two units more than bytes; n-grams have at most
    # eight lengths in any sensible setting, items are at most two a byte and two a word.
    needed = np.array([CHUNK // 2 + 1, 8 * 2 * CHUNK, CHUNK, 3 * CHUNK])
    if (used + needed > [len(entries), len(ngrams), len(tokens), len(items)]).any():
        slots[:] = 0
        used[:] = 0


def _code_points(ngrams: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    units = np.frombuffer("".join(ngrams).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return units, _starts([len(ngram) for ngram in ngrams])


def _starts(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _is_prefix_closed(ngrams: Sequence[str], shortest: int) -> bool:
    known = set(ngrams)
    return all(len(ngram) <= shortest or ngram[:-1] in known for ngram in ngrams)


@cache
def code_points() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    r"""Return the lower case and the class of every code point the kernel knows.

    Returns
    -------
    lower : ndarray of int32
        ``kernels.SPECIAL`` where `str.lower` looks at the neighbours or gives more than one code point.
    classes : ndarray of uint8
        Whether ``\w`` matches the lower-case code point.
    """
    lower = np.empty(kernels.TABLE_SIZE, dtype=np.int32)
    classes = np.zeros(kernels.TABLE_SIZE, dtype=np.uint8)
    for unit in range(kernels.TABLE_SIZE):
        character = chr(unit)
        small = character.lower()
        lower[unit] = ord(small) if len(small) == 1 and character != "Σ" else kernels.SPECIAL
        classes[unit] = kernels.WORD if character.isalnum() or character == "_" else kernels.OTHER
    return lower, classes


@cache
def _spaces() -> npt.NDArray[np.uint8]:
    spaces = np.zeros(256, dtype=np.uint8)
    spaces[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = 1
    spaces[[0xC2, 0xE1, 0xE2, 0xE3]] = 2
    return spaces
