"""The compiled scoring path: a model's tables for the kernel, and the memory it works in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.features import tagger
from classifier.features.ngrams import MAX_LENGTHS, PAIR, PAIRED_TAGS, Block
from classifier.features.tagger import Tagger
from classifier.kernel import layout
from classifier.kernel.hashing import (
    SIEVE,
    VALUE_BITS,
    fill_characters,
    fill_sieve,
    fill_words,
    hash_units,
    insert_step,
)
from classifier.kernel.layout import (
    COLUMN,
    FIRST_ITEM,
    FIRST_NGRAM,
    FOREIGN,
    KIND,
    LENGTH,
    LONGEST_WORD,
    MASKED_WORDS,
    N_ITEMS,
    OPENS,
    PREFIX_CLOSED,
    SHORTEST,
    STOP_ITEM,
    WIDTH,
    Automaton,
    Masked,
    Matches,
    Memory,
    Scratch,
    Spoken,
    Vocabulary,
)
from classifier.kernel.score import score
from classifier.kernel.words import learn

#: Bytes of sentences scored at a time.
CHUNK = 250_000

#: Bytes of a sentence at most; a longer one takes the plain path. So no n-gram is counted beyond 16 bits, and the
#: counts of all features stay in the near cache.
LONGEST = 65_000

#: Capacity of a memory of words: slots (a power of two), words, character n-grams, tokens, items of the tagger.
#: Beyond the first, each has room for what the words of several chunks hold.
SLOTS, WORDS, NGRAMS, TOKENS, ITEMS = 1 << 19, 1 << 18, 1 << 23, 1 << 20, 1 << 21

#: Rooms to work in that are kept for later callers; a burst of more threads makes more, which are given up again.
KEPT = 8

#: Counts whose ``1 + ln c`` is tabulated.
TABULATED = 256

_KINDS = {
    "words": layout.WORDS,
    "characters": layout.CHARACTERS,
    "roles": layout.ROLES,
    "role_pairs": layout.ROLE_PAIRS,
    "masked_words": layout.MASKED_WORDS,
}

_TOKEN = re.compile(r"\b\w\w+\b")


class _Room(NamedTuple):
    """What one caller at a time writes in."""

    memory: Memory
    scratch: Scratch


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
    Any number of threads may score at once, also after a fork: the tables are read-only, and the memory to work in is
    lent to one caller at a time. A memory that was being written when an exception came is thrown away.
    """

    def __init__(self, model: Tables) -> None:
        self.n_frames = model.coefficients.shape[1]
        self.tagger = model.tagger
        self._character_counts = model.character_counts
        self._longest = max(block.longest for block in model.blocks)
        self._vocabulary, features = _vocabulary(model)
        self._automaton = _automaton(model, features, self._vocabulary.seeds[-1])
        self._rooms: list[_Room] = []

    @property
    def records(self) -> npt.NDArray[np.float32]:
        """What the kernel reads of each feature; see `classifier.kernel.score.collect`."""
        records: npt.NDArray[np.float32] = self._vocabulary.records
        return records

    def score(self, texts: Sequence[str], n_threads: int = 1) -> Scored:
        """Score sentences.

        Parameters
        ----------
        texts : sequence of str
        n_threads : int
            Threads of its own that it uses; callers may be threads as well.

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
        cuts = [len(texts) * i // n_threads for i in range(n_threads + 1)]
        parts = [slice(cuts[i], cuts[i + 1]) for i in range(n_threads)]
        if n_threads == 1:
            self._score(texts, results, parts[0])
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                for result in [pool.submit(self._score, texts, results, part) for part in parts]:
                    result.result()
        logits, named, strange, plain = results
        return Scored(logits[:, : self.n_frames], named, strange, np.flatnonzero(plain))

    @contextmanager
    def _lent(self) -> Iterator[_Room]:
        """Lend a room to work in: one that somebody gave back, else a new one."""
        try:
            room = self._rooms.pop()  # one step of the interpreter: no two threads get the same
        except IndexError:
            room = _Room(_memory(), self._scratch())
        yield room
        # Not after an exception, which may have come between the writing of a word and of what it holds.
        if len(self._rooms) < KEPT:
            self._rooms.append(room)

    def _score(self, texts: Sequence[str], results: tuple[npt.NDArray[Any], ...], rows: slice) -> None:
        with self._lent() as room:
            for here, words, ends in self._read(texts, results[-1], rows, room.memory):
                out = [result[here] for result in results]
                score(words, ends, self._vocabulary, room.memory, self._automaton, room.scratch, *out)

    def _read(
        self, texts: Sequence[str], plain: npt.NDArray[np.uint8], rows: slice, memory: Memory
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
            units = np.empty(LONGEST_WORD + 2, dtype=np.int32)
            words = np.empty(int(part[-1] - part[0]) // 2 + len(part), dtype=np.int32)
            ends = np.zeros((len(part), 2), dtype=np.int64)
            n_fresh = learn(data, part, _spaces(), self._vocabulary, memory, units, fresh, words, ends)
            if n_fresh:
                self._learn_more(data, fresh[:n_fresh], memory)
            yield slice(rows.start + start, rows.start + stop), words, ends
            start = stop

    def _learn_more(self, data: npt.NDArray[np.uint8], fresh: npt.NDArray[np.int64], memory: Memory) -> None:
        """Write into the memory what the domain and the tagger of roles read in new words."""
        entries, items, used = memory.entries, memory.items, memory.used
        content = data.tobytes()
        short = fresh[fresh[:, 2] - fresh[:, 1] <= LONGEST_WORD]
        texts = [content[start:end].decode("utf-8", "surrogatepass") for _, start, end in short.tolist()]
        if self._character_counts is not None:
            entries[short[:, 0], FOREIGN : LENGTH + 1] = self._character_counts(texts)
        if self.tagger is None:
            return
        found: list[tuple[int, int, int, int]] = []
        at = first = int(used[N_ITEMS])
        for word, text in zip(short[:, 0].tolist(), texts, strict=True):
            read = word_items(text, self.tagger)
            if read is None:
                entries[word, FIRST_NGRAM] = -1
                continue
            entries[word, FIRST_ITEM], entries[word, STOP_ITEM] = at, at + len(read)
            at += len(read)
            found += read
        if found:
            items[first:at] = found
        used[N_ITEMS] = at

    def _scratch(self) -> Scratch:
        """Return room for counting in a sentence of any length; what short ones do not touch takes no memory."""
        n_tokens, n_features = LONGEST + 2, self.records.shape[1]
        n_tags = 2 * n_tokens + 3
        n_grams = n_tags * self._longest
        longest_words = max((row[layout.LONGEST] for row in self._settings_of_words()), default=1)
        return Scratch(
            counts=np.zeros(n_features, dtype=np.uint16),
            # Here and below one more: what is written last may not be kept.
            touched=np.empty(n_features + 2, dtype=np.int32),
            weights=np.empty(n_features + 2, dtype=np.float64),
            sentence=np.empty(n_tokens, dtype=np.uint64),
            states=np.empty(n_tags, dtype=np.uint64),
            keys=np.empty(n_grams + 1, dtype=np.uint64),
            places=np.empty(n_grams + 1, dtype=np.int32),
            grams=np.empty((longest_words, n_tokens), dtype=np.int32),
            entries=np.empty(n_grams + 1, dtype=np.int32),
            spoken=Spoken(*np.empty((4, n_tokens + 1), dtype=np.int32), *np.empty((2, n_tokens + 1), dtype=np.bool_)),
            points=np.empty((n_tokens, 2), dtype=np.int32),
            matches=Matches(*np.empty((3, n_tokens), dtype=np.int32)),
            tags=np.empty(n_tags, dtype=np.uint64),
            masked=Masked(np.empty(2 * n_tokens, dtype=np.uint64), *np.empty((2, 2 * n_tokens), dtype=np.int32)),
        )

    def _settings_of_words(self) -> Iterator[npt.NDArray[np.int64]]:
        return (row for row in self._vocabulary.settings if row[KIND] in (layout.WORDS, MASKED_WORDS))


def _vocabulary(model: Tables) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
    """Lay out a model's n-grams for the kernel; return with it the number of each feature there."""
    # Blocks of words share a table: what one of them looks up in it the others need, too.
    of_words = [i for i, block in enumerate(model.blocks) if block.kind in ("words", "masked_words")]
    entries = _entries(model, of_words)
    numbers, n_numbers = _numbered(model, of_words, entries)
    sizes = [len(ngrams) if block.kind == "characters" else 0 for block, ngrams in _blocks(model)]
    tables = [_table(size) for size in [*sizes, len(entries)]]
    bases = np.cumsum([0, *map(len, tables)])[:-1].astype(np.uint64)
    masks = np.array([len(table) - 1 for table in tables], dtype=np.uint64)
    table = np.concatenate(tables)
    seeds = _seeds(len(model.blocks) + 2)  # one per block, one for n-grams of words, the last for words
    collisions = fill_words(
        *_code_points(tuple(entries)), seeds[-1], seeds[-2], np.arange(len(entries)), table, bases[-1], masks[-1]
    )
    for i, (block, ngrams, own) in enumerate(_parts(model, numbers)):
        if block.kind == "characters":
            collisions += fill_characters(*_code_points(ngrams), seeds[i], own, table, bases[i], masks[i])
    if collisions:
        raise ValueError(f"{collisions} n-grams of the vocabulary share their hash with another one.")
    sieve = np.zeros(SIEVE, dtype=np.uint64)
    fill_sieve(sieve, table, bases[-1], np.uint64(len(table)))
    lower, classes = code_points()
    vocabulary = Vocabulary(
        lower=lower,
        classes=classes,
        settings=_settings(model, of_words),
        seeds=seeds,
        tables=table,
        bases=bases,
        masks=masks,
        records=_records(model.idf, model.coefficients, numbers, n_numbers),
        logarithms=np.array([0.0] + [1.0 + math.log(count) for count in range(1, TABULATED)]),
        known=_known(model, entries),
        sieve=sieve,
    )
    return vocabulary, numbers


def _blocks(model: Tables) -> Iterator[tuple[Block, tuple[str, ...]]]:
    return zip(model.blocks, model.vocabulary, strict=True)


def _parts(
    model: Tables, numbers: npt.NDArray[np.int32]
) -> Iterator[tuple[Block, tuple[str, ...], npt.NDArray[np.int32]]]:
    """Yield each block with its n-grams and their numbers."""
    first = 0
    for block, ngrams in _blocks(model):
        yield block, ngrams, numbers[first : first + len(ngrams)]
        first += len(ngrams)


def _settings(model: Tables, of_words: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return what the kernel must know of each block, a row each."""
    settings = np.zeros((len(model.blocks), 6), dtype=np.int64)
    for i, (block, ngrams) in enumerate(_blocks(model)):
        settings[i, KIND] = _KINDS[block.kind]
        settings[i, SHORTEST], settings[i, layout.LONGEST] = block.shortest, block.longest
        settings[i, WIDTH] = len(of_words)
        if i in of_words:
            settings[i, COLUMN] = of_words.index(i)
        elif block.kind == "characters":
            settings[i, PREFIX_CLOSED] = _is_prefix_closed(ngrams, block.shortest)
    return settings


def _known(model: Tables, entries: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """Return whether each entry of the table of word n-grams is a single word that a block of words has."""
    known = np.zeros(1 + len(entries), dtype=np.bool_)
    for block, ngrams in _blocks(model):
        if block.kind == "words":
            known[[entries[ngram] for ngram in ngrams if " " not in ngram]] = True
    return known


def word_items(word: str, roles: Tagger) -> list[tuple[int, int, int, int]] | None:
    """Return what the tagger of roles reads in a word between white space; see the kinds of items in the layout.

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
    items = [(at, layout.QUOTE, value, 0, 0) for at, value in _quotes(word)]
    items += [
        (tag.start, layout.PUNCTUATION, tagger.PUNCTUATION.index(tag.name), 0, 0) for tag in tagger.punctuation(word)
    ]
    end = 0
    for i, (start, stop) in enumerate(spans):
        if not (tagger.tight(word, end, start) if i else tagger.TIGHT.fullmatch(word, 0, start)):
            items.append((end, layout.GAP, 0, 0, 0))
        items.append((start, layout.TOKEN, roles.symbol(word[start:stop]), inside[i], after[i]))
        end = stop
    # White space follows the word, or nothing at all, which no term can reach across either way.
    if not (tagger.tight(f"{word} ", end, len(word) + 1) if spans else tagger.TIGHT.fullmatch(word)):
        items.append((end, layout.GAP, 0, 0, 0))
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
            OPENS * tagger.opens(mark, before, after)
            | layout.APOSTROPHE * (mark in "'’")
            | layout.SINGLE * (mark in "'‘")
            | layout.FIRST * (at == 0),
        )


def _automaton(model: Tables, numbers: npt.NDArray[np.int32], token_seed: np.uint64) -> Automaton:
    """Lay out the tagger, and the n-grams of tags that the model has, for the kernel."""
    roles = model.tagger
    steps = roles.step if roles else {}
    table = _table(len(steps))
    mask = np.uint64(len(table) - 1)
    first = np.full(1 + max((symbol for _, symbol in steps), default=0), -1, dtype=np.int32)
    for (state, symbol), following in steps.items():
        if state == 0:
            first[symbol] = following
        elif not insert_step(table, mask, state, symbol, following):
            raise ValueError("two steps of the automaton of roles share their hash.")
    tags = _tag_names(roles)
    pairs = np.full((len(tags), len(tags)), layout.HOLE, dtype=np.int32)
    trie = _trie([], [], 0)
    for block, ngrams, own in _parts(model, numbers):
        if block.kind == "roles":
            sequences = [tuple(tags[tag] for tag in ngram.split(" ")) for ngram in ngrams]
            if any(len(sequence) > block.longest for sequence in sequences):
                raise ValueError(f"an n-gram of roles has more than {block.longest} of them")
            trie = _trie(sequences, own, len(tags))
        elif block.kind == "role_pairs":
            for ngram, number in zip(ngrams, own, strict=True):
                before, after = ngram.split(PAIR)
                pairs[tags[before], tags[after]] = number
    names = list(roles.titles) if roles else []
    subjects = dict.fromkeys(names, -1)
    for number, members in enumerate(roles.subjects.values() if roles else ()):
        subjects |= dict.fromkeys(members, number)
    return Automaton(
        first=first,
        steps=table,
        mask=mask,
        accepted=np.array(roles.accepted if roles else [0], dtype=np.int64),
        actors=np.array([roles.kinds[name] == "actors" for name in names] if roles else [], dtype=np.bool_),
        masks=np.array([hash_units(np.array([*map(ord, f"<{name}>")]), token_seed) for name in names], dtype=np.uint64),
        pairs=pairs,
        trie=trie,
        limits=np.array([tagger.SPEAKER_WORDS, PAIRED_TAGS, roles is not None], dtype=np.int64),
        subjects=np.array([*subjects.values()], dtype=np.int64),
        links=np.array([roles is not None and roles.kinds.get(tag) == "links" for tag in tags], dtype=np.bool_),
    )


def _tag_names(roles: Tagger | None) -> dict[str, int]:
    """Return the number of each tag: roles, roles that speak, bounds of quotations and of the sentence, punctuation."""
    names = list(roles.titles) if roles else []
    speakers = [f"@{name}" for name in names]
    return {name: i for i, name in enumerate([*names, *speakers, "“", "”", "^", "$", *tagger.PUNCTUATION])}


def _trie(ngrams: Sequence[tuple[int, ...]], numbers: Iterable[int], n_tags: int) -> npt.NDArray[np.int32]:
    """Lay out n-grams of tags for `layout.count_tags`."""
    prefixes = sorted({ngram[:length] for ngram in ngrams for length in range(len(ngram))})
    rows = {prefix: layout.ROOT + i for i, prefix in enumerate(prefixes)}
    trie = np.zeros((layout.ROOT + len(rows), n_tags, 2), dtype=np.int32)
    for prefix in prefixes[1:]:
        trie[rows[prefix[:-1]], prefix[-1], 0] = rows[prefix]
    for ngram, number in zip(ngrams, numbers, strict=True):
        trie[rows[ngram[:-1]], ngram[-1], 1] = number
    return trie


def _table(n: int) -> npt.NDArray[np.uint64]:
    """Return an empty open-addressing table for n pairs, at most half full."""
    if n >= 1 << VALUE_BITS:
        raise ValueError(f"{n} n-grams of one kind are more than a table holds.")
    return np.zeros(1 << max(4, math.ceil(math.log2(2 * n + 1))), dtype=np.uint64)


def _entries(model: Tables, blocks: Sequence[int]) -> dict[str, int]:
    """Return the n-grams of some blocks together, the most frequent first, each with its number from 1."""
    starts = np.cumsum([0, *map(len, model.vocabulary)])
    ngrams = [ngram for i in blocks for ngram in model.vocabulary[i]]
    idf = np.concatenate([model.idf[starts[i] : starts[i + 1]] for i in blocks] or [model.idf[:0]])
    ordered = dict.fromkeys(ngrams[i] for i in np.argsort(idf, kind="stable").tolist())
    return {ngram: entry for entry, ngram in enumerate(ordered, start=1)}


def _seeds(n: int) -> npt.NDArray[np.uint64]:
    """Return where the hashes of each block start."""
    return np.random.default_rng(0).integers(1, 2**63, size=n, dtype=np.uint64)


def _numbered(model: Tables, of_words: Sequence[int], entries: Mapping[str, int]) -> tuple[npt.NDArray[np.int32], int]:
    """Return the number of each feature in the kernel, and one more than the last.

    The features that blocks of words have for an entry lie side by side, those of other blocks behind one another, the
    most frequent first: the few that most look-ups touch lie close together. 0 is `layout.HOLE`.
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


def _memory() -> Memory:
    return Memory(
        slots=np.zeros(SLOTS, dtype=np.uint64),
        entries=np.empty((WORDS, 8), dtype=np.int32),
        ngrams=np.empty(NGRAMS, dtype=np.int32),
        tokens=np.empty((TOKENS, 2), dtype=np.uint64),
        items=np.empty((ITEMS, 4), dtype=np.int32),
        used=np.zeros(4, dtype=np.int64),
    )


def _make_room(memory: Memory) -> None:
    """Forget all words where one more chunk might not find room."""
    # Of a chunk's bytes every other may be a word, each with up to two units more than bytes; a unit begins at most
    # `MAX_LENGTHS` n-grams of characters; items are at most two per byte and two per word.
    needed = np.array([CHUNK // 2 + 1, MAX_LENGTHS * 2 * CHUNK, CHUNK, 3 * CHUNK])
    capacity = [len(memory.entries), len(memory.ngrams), len(memory.tokens), len(memory.items)]
    if (memory.used + needed > capacity).any():
        memory.slots[:] = 0
        memory.used[:] = 0


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
        ``layout.SPECIAL`` where `str.lower` looks at the neighbours or gives more than one code point.
    classes : ndarray of uint8
        Whether ``\w`` matches the lower-case code point.
    """
    lower = np.empty(layout.TABLE_SIZE, dtype=np.int32)
    classes = np.zeros(layout.TABLE_SIZE, dtype=np.uint8)
    for unit in range(layout.TABLE_SIZE):
        character = chr(unit)
        small = character.lower()
        lower[unit] = ord(small) if len(small) == 1 and character != "Σ" else layout.SPECIAL
        classes[unit] = layout.WORD if character.isalnum() or character == "_" else layout.OTHER
    return lower, classes


@cache
def _spaces() -> npt.NDArray[np.uint8]:
    spaces = np.zeros(256, dtype=np.uint8)
    spaces[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = 1
    spaces[[0xC2, 0xE1, 0xE2, 0xE3]] = 2
    return spaces
