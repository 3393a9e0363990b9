"""Words between white space, taken apart once each and remembered under the hash of their bytes.

A sentence is a run of such words, and everything that blocks of words and of characters count within one depends on
that word alone: its character n-grams and its tokens. News uses the same words again and again, so most of the work of
scoring is a look-up in this memory.
"""

from __future__ import annotations

import numpy as np

from classifier.kernel.hashing import EMPTY, extend, find, insert
from classifier.kernel.layout import (
    CHARACTERS,
    END,
    FIRST_NGRAM,
    FIRST_TOKEN,
    KIND,
    LONGEST,
    LONGEST_WORD,
    N_NGRAMS,
    N_TOKENS,
    N_WORDS,
    PREFIX_CLOSED,
    SHORTEST,
    SPECIAL,
    STARTS_WITH_WORD,
    STOP_NGRAM,
    STOP_TOKEN,
    TABLE_SIZE,
    WORD,
)
from classifier.system.compilation import compiled

U64, I32, I64 = np.uint64, np.int32, np.int64


@compiled()
def decode(data, start, end, lower, units):
    """Decode the UTF-8 of one word into lower-case code points with a space on each side.

    Returns their number, or -1 where a code point needs the plain path.
    """
    units[0] = 32
    n = 1
    i = start
    while i < end:
        byte = I32(data[i])
        if byte < 0x80:
            unit, i = byte, i + 1
        elif byte < 0xE0:
            unit, i = (byte & 0x1F) << 6 | I32(data[i + 1]) & 0x3F, i + 2
        elif byte < 0xF0:
            unit, i = (byte & 0x0F) << 12 | (I32(data[i + 1]) & 0x3F) << 6 | I32(data[i + 2]) & 0x3F, i + 3
        else:
            unit = (byte & 0x07) << 18 | (I32(data[i + 1]) & 0x3F) << 12
            unit |= (I32(data[i + 2]) & 0x3F) << 6 | I32(data[i + 3]) & 0x3F
            i += 4
        if unit >= TABLE_SIZE or lower[unit] == SPECIAL:
            return -1
        units[n] = lower[unit]
        n += 1
    units[n] = 32
    return n + 1


@compiled()
def character_features(units, n, shortest, longest, seed, tables, base, mask, closed, out, at):
    """Write the features of the character n-grams of a padded word, by start and then by length; return the end."""
    for start in range(n):
        state = seed
        for length in range(1, min(longest, n - start) + 1):
            state = extend(state, U64(units[start + length - 1]))
            # A word shorter than the shortest n-gram counts once, whole.
            if length >= shortest or (start == 0 and length == n):
                feature = find(tables, base, mask, state)
                if feature >= 0:
                    out[at] = I32(feature)
                    at += 1
                elif closed and length >= shortest:
                    break  # no longer n-gram from here is in the vocabulary either
    return at


@compiled()
def word_tokens(units, n, seed, classes, out, at):
    """Write the hashes of the tokens of a word, runs of two or more word characters; return the end."""
    length = 0
    state = seed
    for i in range(n):
        if classes[units[i]] == WORD:
            state = extend(state, U64(units[i]))
            length += 1
        else:
            if length >= 2:
                out[at, 0] = state
                at += 1
            state = seed
            length = 0
    return at


@compiled(inline="always")
def wide_space(data, i):
    """Return the bytes of the white space beyond ASCII that starts here, or 0."""
    first, second, third = data[i], data[i + 1], data[i + 2]
    if first == 0xC2:
        return 2 if second == 0x85 or second == 0xA0 else 0
    if first == 0xE2 and second == 0x80:
        return 3 if third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
    if first == 0xE2:
        return 3 if second == 0x81 and third == 0x9F else 0
    if first == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    return 3 if second == 0x80 and third == 0x80 else 0  # E3


@compiled(inline="always")
def next_word(data, position, end, spaces, seed):
    """Return where the next word starts and ends, and the hash of its bytes; start equals `end` where there is none."""
    while position < end:
        kind = spaces[data[position]]
        if kind == 0:
            break
        width = 1 if kind == 1 else wide_space(data, position)
        if width == 0:
            break
        position += width
    start = position
    key = seed
    while position < end:
        byte = data[position]
        kind = spaces[byte]
        if kind != 0 and (kind == 1 or wide_space(data, position) > 0):
            break
        key = extend(key, U64(byte))
        position += 1
    return start, position, key


@compiled()
def take_apart(data, start, end, vocabulary, memory, units):
    """Append what a word holds to the memory and return its number.

    A word for the plain path (too long, or with code points that need their neighbours) gets -1 for its n-grams.
    """
    settings, seeds, tables, bases, masks = (
        vocabulary.settings,
        vocabulary.seeds,
        vocabulary.tables,
        vocabulary.bases,
        vocabulary.masks,
    )
    entries, tokens, used = memory.entries, memory.tokens, memory.used
    word = used[N_WORDS]
    used[N_WORDS] = word + 1
    entries[word, :] = 0
    n = decode(data, start, end, vocabulary.lower, units) if end - start <= LONGEST_WORD else -1
    if n < 0:
        entries[word, FIRST_NGRAM] = -1
        return word
    entries[word, FIRST_NGRAM] = used[N_NGRAMS]
    for block in range(len(settings)):
        if settings[block, KIND] == CHARACTERS:
            shortest, longest = settings[block, SHORTEST], settings[block, LONGEST]
            closed = settings[block, PREFIX_CLOSED] == 1
            place = tables, bases[block], masks[block]
            used[N_NGRAMS] = character_features(
                units, n, shortest, longest, seeds[block], *place, closed, memory.ngrams, used[N_NGRAMS]
            )
    entries[word, STOP_NGRAM] = used[N_NGRAMS]
    # The tokens' hashes start alike in all blocks of words, which share the last table; so each is looked up once.
    entries[word, FIRST_TOKEN] = used[N_TOKENS]
    used[N_TOKENS] = word_tokens(units, n, seeds[-1], vocabulary.classes, tokens, used[N_TOKENS])
    entries[word, STOP_TOKEN] = used[N_TOKENS]
    for i in range(entries[word, FIRST_TOKEN], entries[word, STOP_TOKEN]):
        tokens[i, 1] = U64(find(tables, bases[-1], masks[-1], extend(seeds[-2], tokens[i, 0])) + 1)
    return word


@compiled(nogil=True)
def learn(data, bounds, spaces, vocabulary, memory, units, fresh, words, ends):
    """Find the words of sentences in the memory; take apart those that it does not hold.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8 of all sentences, with at least three zero bytes behind them.
    bounds : ndarray of int64
        Where each sentence starts, and the end of the last.
    spaces : ndarray of uint8 of shape (256,)
        What a byte can start: 0 part of a word, 1 white space, 2 white space beyond ASCII.
    vocabulary : Vocabulary
    memory : Memory
    units : ndarray of int32
        Room for the code points of a word.
    fresh : ndarray of int64 of shape (n, 3)
        Receives number, start and end of each new word.
    words : ndarray of int32
        Receives the numbers of the words, sentence after sentence.
    ends : ndarray of int64 of shape (n_sentences + 1, 2)
        Receives where a sentence's words end, and whether it begins with one and not with white space.

    Returns
    -------
    int
        How many are new.
    """
    slots, seeds = memory.slots, vocabulary.seeds
    slot_mask = U64(len(slots) - 1)
    n = n_words = 0
    for row in range(len(bounds) - 1):
        position, end = bounds[row], bounds[row + 1]
        starts = False
        while True:
            start, position, key = next_word(data, position, end, spaces, seeds[-1])
            if start == end:
                break
            word = find(slots, EMPTY, slot_mask, key)
            if word < 0:
                word = I64(take_apart(data, start, position, vocabulary, memory, units))
                insert(slots, EMPTY, slot_mask, key, word)
                fresh[n, 0], fresh[n, 1], fresh[n, 2] = word, start, position
                n += 1
            starts |= start == bounds[row]
            words[n_words] = word
            n_words += 1
        ends[row + 1, END], ends[row + 1, STARTS_WITH_WORD] = n_words, starts
    return n
