"""What lies where in the arrays that the compiled functions share: names for the parts of tuples and for columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

#: Code points below this have a class and a lower case in the tables; sentences with others take the plain path.
TABLE_SIZE = 0x20000

#: Classes of code points.
OTHER, WORD = np.uint8(0), np.uint8(1)

#: In the table of lower case: what it becomes depends on its neighbours, or is more than one code point.
SPECIAL = np.int32(-1)

#: Words of more bytes than this take the plain path.
LONGEST_WORD = 200

#: The feature that stands for all that are not in the vocabulary.
HOLE = np.uint64(0)

#: The row of a trie that stands for the empty n-gram.
ROOT = 1

#: Kinds of blocks.
WORDS, CHARACTERS, ROLES, ROLE_PAIRS, MASKED_WORDS = range(5)

#: Columns of the settings of a block: its kind, the lengths of its n-grams, whether every prefix of an n-gram of
#: characters is an n-gram too (so that a search may stop early), and for blocks of words the place of its feature among
#: those of an entry, and how many features an entry has.
KIND, SHORTEST, LONGEST, PREFIX_CLOSED, COLUMN, WIDTH = range(6)

#: Columns of a word's entry in the memory: where its character n-grams, its tokens and its items for the tagger start
#: and stop, how many of its characters are foreign to the corpus, and how many it has.
FIRST_NGRAM, STOP_NGRAM, FIRST_TOKEN, STOP_TOKEN, FIRST_ITEM, STOP_ITEM, FOREIGN, LENGTH = range(8)

#: Places in `Memory.used`: how many words, n-grams, tokens and items the memory holds.
N_WORDS, N_NGRAMS, N_TOKENS, N_ITEMS = range(4)

#: Columns of the ends of sentences: where a sentence's words end, and whether it begins with one and not with a space.
END, STARTS_WITH_WORD = range(2)

#: What a word holds for the tagger, in order: a word of a term or none, something that no term reaches across, a
#: quotation mark, punctuation. See `classifier.features.tagger`.
TOKEN, GAP, QUOTE, PUNCTUATION = range(4)

#: Places in `classifier.features.tagger.PUNCTUATION` of the points that speakers stand before or after.
COLON, DASH = 1, 2

#: What a quotation mark can do: open, open or close as an apostrophe, be opened as a single one, stand first.
OPENS, APOSTROPHE, SINGLE, FIRST = 1, 2, 4, 8


class Vocabulary(NamedTuple):
    """What a model's n-grams are looked up in; read by all threads, written by none.

    Parameters
    ----------
    lower, classes : ndarray
        The lower case and the class of each code point below `TABLE_SIZE`.
    settings : ndarray of int64 of shape (n_blocks, 6)
        A row per block; see `KIND` and what follows it.
    seeds : ndarray of uint64 of shape (n_blocks + 2,)
        Where the hashes of each block start, then those of n-grams of words, then those of words.
    tables : ndarray of uint64
        The tables of all blocks, one behind the other, and that of the n-grams of words.
    bases, masks : ndarray of uint64 of shape (n_blocks + 1,)
        Where each table begins, and its size less one.
    records : ndarray of float32 of shape (n_groups, n_features, 4)
        What one look at a feature needs; see `classifier.kernel.score.collect`.
    logarithms : ndarray of float64
        ``1 + ln(count)`` for small counts.
    known : ndarray of bool
        Whether an entry of the table of word n-grams is a single word that the model knows.
    sieve : ndarray of uint64
        Passes the hashes of all n-grams of words, and few others.
    """

    lower: Any
    classes: Any
    settings: Any
    seeds: Any
    tables: Any
    bases: Any
    masks: Any
    records: Any
    logarithms: Any
    known: Any
    sieve: Any


class Memory(NamedTuple):
    """Words taken apart so far; lent to one thread at a time.

    Parameters
    ----------
    slots : ndarray of uint64
        A table from the hash of a word's bytes to its number.
    entries : ndarray of int32 of shape (n, 8)
        A row per word; see `FIRST_NGRAM` and what follows it. A word for the plain path has -1 in the first column.
    ngrams : ndarray of int32
        Features of character n-grams, word after word.
    tokens : ndarray of uint64 of shape (n, 2)
        Hashes of tokens, and their entries in the table of word n-grams.
    items : ndarray of int32 of shape (n, 4)
        What the tagger reads: kind, value, word tokens in it, word tokens after it.
    used : ndarray of int64 of shape (4,)
        How much of each is in use.
    """

    slots: Any
    entries: Any
    ngrams: Any
    tokens: Any
    items: Any
    used: Any


class Spoken(NamedTuple):
    """The words of a sentence that terms of the tagger have, an array each.

    Parameters
    ----------
    symbols, order : ndarray of int32
        The symbol of each, and which of all the tagger's words it is.
    begins, ends : ndarray of int32
        Where its word tokens start and end.
    reached, quoted : ndarray of bool
        Whether a term reaches it from the word before, and whether it stands in a quotation.
    """

    symbols: Any
    order: Any
    begins: Any
    ends: Any
    reached: Any
    quoted: Any


class Matches(NamedTuple):
    """Terms found in a sentence: where the word tokens of each start and stop, and its role."""

    starts: Any
    stops: Any
    roles: Any


class Masked(NamedTuple):
    """A sentence's words with actors replaced by their roles, an array each.

    Parameters
    ----------
    hashes : ndarray of uint64
    origins : ndarray of int32
        Which word of the sentence each is.
    runs : ndarray of int32
        How many in a row up to it are words that follow one another in the sentence; 0 for a mask.
    """

    hashes: Any
    origins: Any
    runs: Any


class Scratch(NamedTuple):
    """Room to work in, lent to one thread at a time; between sentences all `counts` are zero.

    Parameters
    ----------
    counts : ndarray of uint16
        How often each feature occurs in the sentence.
    touched, weights : ndarray
        The features that occur, and their TF-IDF before scaling.
    sentence, states, keys : ndarray of uint64
        The hashes of the sentence's tokens, those of n-grams under construction, and those that passed the sieve.
    places : ndarray of int32
        Where the n-grams of `keys` belong.
    grams : ndarray of int32 of shape (longest, n)
        The entry of the n-gram of each length that begins at each word.
    entries : ndarray of int32
        Entries of the n-grams of words with masks.
    spoken, points, matches, tags, masked
        What the tagger reads and finds.
    """

    counts: Any
    touched: Any
    weights: Any
    sentence: Any
    states: Any
    keys: Any
    places: Any
    grams: Any
    entries: Any
    spoken: Any
    points: Any
    matches: Any
    tags: Any
    masked: Any


class Automaton(NamedTuple):
    """The tagger as the kernel reads it; without one `n_roles` is zero and nothing else is looked at.

    Parameters
    ----------
    first : ndarray of int32
        The state that each symbol leads to from the start.
    steps : ndarray of uint64
        A table from state and symbol to the next state.
    mask : uint64
        Its size less one.
    accepted : ndarray of int64
        The role that a state completes, from 1; 0 for none.
    actors : ndarray of bool of shape (n_roles,)
        Which roles are actors.
    masks : ndarray of uint64 of shape (n_roles,)
        The hash of the name that replaces an actor among words.
    pairs : ndarray of int32 of shape (n_tags, n_tags)
        The feature of each ordered pair of tags.
    trie : ndarray of int32
        The n-grams of tags; see `classifier.kernel.score.count_tags`.
    limits : ndarray of int64 of shape (3,)
        Words between which an actor speaks, tags that are paired, and whether there is a tagger.
    subjects : ndarray of int64 of shape (n_roles,)
        The subject that each role is a name of; -1 for none.
    links : ndarray of bool of shape (n_tags,)
        Which tags are links, which are not paired.
    """

    first: Any
    steps: Any
    mask: Any
    accepted: Any
    actors: Any
    masks: Any
    pairs: Any
    trie: Any
    limits: Any
    subjects: Any
    links: Any


#: Places in `Automaton.limits`.
SPEAKER_WORDS, PAIRED_TAGS, HAS_TAGGER = range(3)
