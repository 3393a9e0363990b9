"""The compiled kernel: UTF-8 sentences in, logits out, nothing in between.

A sentence is a run of words between white space, and everything the model counts within a word depends on that word
alone. So each distinct word is taken apart once: its character n-grams and its tokens are looked up in the
vocabulary and remembered under the hash of its bytes. A sentence is then the concatenation of what its words are
known to hold, counted in a scratch array and summed up in one pass over the features that were touched.

Numba compiles these functions on first use and keeps the result on disk. They hold no lock of the interpreter.
Hashes have 64 bits; what they stand for is compared at no time, so two words of an archive of a million distinct
words are confused with a probability of about 3e-8. Within a vocabulary collisions are excluded when it is compiled.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

U8, U64, I32, I64, F32, F64 = np.uint8, np.uint64, np.int32, np.int64, np.float32, np.float64

_MULTIPLIER = U64(0x9E3779B97F4A7C15)
_SHIFT = U64(29)
_HIGH = U64(24)  # the home of a key comes from its high bits: the lowest one is always set
_EMPTY = U64(0)
_ONE = U64(1)

#: Classes of code points.
OTHER, WORD, SPACE = U8(0), U8(1), U8(2)

#: Code points below this have a class and a lower case in the tables; sentences with others take the plain path.
TABLE_SIZE = 0x20000

#: In the table of lower case: what it becomes depends on its neighbours, or is more than one code point.
SPECIAL = I32(-1)

#: Words of more bytes than this are taken apart anew each time.
LONGEST_REMEMBERED = 96


@njit(cache=True, inline="always")
def extend(state, unit):
    """Return the hash of a sequence extended by one unit: multiply, then fold the high bits down."""
    state = (state ^ unit) * _MULTIPLIER
    return state ^ (state >> _SHIFT)


@njit(cache=True, inline="always")
def find(table, mask, key):
    """Return what an open-addressing table of (key, value) pairs holds for a key, or -1."""
    slot = (key >> _HIGH) & mask
    while True:
        found = table[slot, 0]
        if found == key:
            return I64(table[slot, 1])
        if found == _EMPTY:
            return I64(-1)
        slot = (slot + _ONE) & mask


@njit(cache=True)
def insert(table, mask, key, value):
    """Put a pair into an open-addressing table; return False where the key was there already."""
    slot = (key >> _HIGH) & mask
    while table[slot, 0] != _EMPTY:
        if table[slot, 0] == key:
            return False
        slot = (slot + _ONE) & mask
    table[slot, 0] = key
    table[slot, 1] = U64(value)
    return True


@njit(cache=True)
def fill_characters(units, starts, seed, numbers, table, mask):
    """Put the character n-grams of a vocabulary into its table, each with its number.

    Returns the number of collisions.
    """
    collisions = 0
    for i in range(len(starts) - 1):
        state = seed
        for j in range(starts[i], starts[i + 1]):
            state = extend(state, U64(units[j]))
        if not insert(table, mask, state | _ONE, numbers[i]):
            collisions += 1
    return collisions


@njit(cache=True)
def fill_words(units, starts, seed, numbers, table, mask):
    """Put the word n-grams of a vocabulary, words joined by spaces, into its table, each with its number.

    Returns the number of collisions.
    """
    collisions = 0
    for i in range(len(starts) - 1):
        ngram, token = seed, seed
        for j in range(starts[i], starts[i + 1]):
            if units[j] == 32:
                ngram = extend(ngram, token)
                token = seed
            else:
                token = extend(token, U64(units[j]))
        if not insert(table, mask, extend(ngram, token) | _ONE, numbers[i]):
            collisions += 1
    return collisions


@njit(cache=True)
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


@njit(cache=True)
def character_features(units, n, shortest, longest, seed, table, mask, closed, out, at):
    """Write the features of the character n-grams of a padded word, by start and then by length; return the end."""
    for start in range(n):
        state = seed
        for length in range(1, min(longest, n - start) + 1):
            state = extend(state, U64(units[start + length - 1]))
            # A word shorter than the shortest n-gram counts once, whole.
            if length >= shortest or (start == 0 and length == n):
                feature = find(table, mask, state | _ONE)
                if feature >= 0:
                    out[at] = I32(feature)
                    at += 1
                elif closed and length >= shortest:
                    break  # no longer n-gram from here is in the vocabulary either
    return at


@njit(cache=True)
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
                out[at] = state
                at += 1
            state = seed
            length = 0
    return at


@njit(cache=True)
def count(features, start, end, counts, touched, n):
    """Count features; remember those new to the sentence. Returns how many are remembered."""
    for i in range(start, end):
        feature = features[i]
        if counts[feature] == 0:
            touched[n] = feature
            n += 1
        counts[feature] += 1
    return n


@njit(cache=True)
def token_features(tokens, n_tokens, shortest, longest, seed, table, mask, out):
    """Write the features of the word n-grams of a sentence, shorter ones first; return their number."""
    n = 0
    for length in range(shortest, longest + 1):
        for start in range(n_tokens - length + 1):
            state = seed
            for i in range(start, start + length):
                state = extend(state, tokens[i])
            feature = find(table, mask, state | _ONE)
            if feature >= 0:
                out[n] = I32(feature)
                n += 1
    return n


@njit(cache=True)
def collect(touched, n, counts, records, logarithms, weights, sums):
    """Add a block's TF-IDF, scaled to length one and times the coefficients, to the sums; clear its counts.

    A record holds what one look at a feature needs: its inverse document frequency and its coefficients for the
    first three frames. Further frames lie in further rows of four, read only by models that have them.
    """
    square = first = second = third = 0.0
    for i in range(n):
        feature = touched[i]
        times = counts[feature]
        counts[feature] = 0
        weight = F64(records[0, feature, 0])
        if times > 1:
            weight *= logarithms[times] if times < len(logarithms) else 1.0 + math.log(times)
        weights[i] = weight
        square += weight * weight
        first += weight * F64(records[0, feature, 1])
        second += weight * F64(records[0, feature, 2])
        third += weight * F64(records[0, feature, 3])
    if n == 0:
        return
    length = math.sqrt(square)
    sums[0] += first / length
    sums[1] += second / length
    sums[2] += third / length
    for group in range(1, len(records)):
        for lane in range(4):
            part = 0.0
            for i in range(n):
                part += weights[i] * F64(records[group, touched[i], lane])
            sums[4 * group - 1 + lane] += part / length


@njit(cache=True, inline="always")
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


@njit(cache=True, inline="always")
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


@njit(cache=True)
def take_apart(data, start, end, vocabulary, memory, units):
    """Append what a word holds to the memory; return its number, or -1 where it needs the plain path."""
    lower, classes, settings, seeds, table, mask, _, _ = vocabulary
    _, entries, ngrams, tokens, used = memory
    n = decode(data, start, end, lower, units)
    if n < 0:
        return -1
    word = used[0]
    entries[word, 0] = used[1]
    used[1] = character_features(
        units, n, settings[2], settings[3], seeds[1], table, mask, settings[4] == 1, ngrams, used[1]
    )
    entries[word, 1] = used[1]
    entries[word, 2] = used[2]
    used[2] = word_tokens(units, n, seeds[0], classes, tokens, used[2])
    entries[word, 3] = used[2]
    used[0] = word + 1
    return word


@njit(cache=True)
def recall(data, bounds, row, spaces, vocabulary, memory, scratch):
    """Find or take apart the words of a sentence, in order; return their number, or -1 for the plain path."""
    slots, entries, ngrams, tokens, used = memory
    _, _, _, words, _, units, _ = scratch
    _, _, settings, seeds, _, _, _, _ = vocabulary
    position, end = bounds[row], bounds[row + 1]
    size = end - position
    need = (settings[3] - settings[2] + 1) * (2 * size + 2)
    if need > len(ngrams) or size > len(tokens) or size > len(entries):
        return -1
    if used[0] + size > len(entries) or used[1] + need > len(ngrams) or used[2] + size > len(tokens):
        slots[:] = 0
        used[:] = 0
    slot_mask = U64(len(slots) - 1)
    n_words = 0
    while True:
        start, position, key = next_word(data, position, end, spaces, seeds[2])
        if start == end:
            return n_words
        key |= _ONE
        word = find(slots, slot_mask, key)
        if word < 0:
            word = take_apart(data, start, position, vocabulary, memory, units)
            if word < 0:
                return -1
            if position - start <= LONGEST_REMEMBERED:
                insert(slots, slot_mask, key, word)
        words[n_words] = word
        n_words += 1


@njit(cache=True, nogil=True)
def score(data, bounds, spaces, vocabulary, memory, scratch, out, plain):
    """Score sentences: row i of `out` becomes the logits of ``data[bounds[i]:bounds[i + 1]]``, without intercepts.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8 of all sentences, with at least three zero bytes behind them.
    bounds : ndarray of int64
        Where each sentence starts, and the end of the last.
    spaces : ndarray of uint8 of shape (256,)
        What a byte can start: 0 part of a word, 1 white space, 2 white space beyond ASCII.
    vocabulary : tuple
        See `classifier.compiled.Vocabulary`.
    memory : tuple
        Words taken apart so far: slots, entries, character n-grams, tokens, and how much of each is used.
    scratch : tuple
        Counts a feature, features touched and their weights, words and tokens of the sentence, code points of a
        word, word n-grams.
    out : ndarray of float64 of shape (n_sentences, 3 or 7 or 11 …)
        At least a column a frame.
    plain : ndarray of uint8 of shape (n_sentences,)
        Set to 1 for sentences that the plain path must score.
    """
    _, _, settings, seeds, table, mask, records, logarithms = vocabulary
    _, entries, ngrams, tokens, _ = memory
    counts, touched, weights, words, sentence, _, found = scratch
    for row in range(len(bounds) - 1):
        n_words = recall(data, bounds, row, spaces, vocabulary, memory, scratch)
        if n_words < 0:
            plain[row] = 1
            continue
        n_tokens = 0
        for i in range(n_words):
            for j in range(entries[words[i], 2], entries[words[i], 3]):
                sentence[n_tokens] = tokens[j]
                n_tokens += 1
        n = token_features(sentence, n_tokens, settings[0], settings[1], seeds[0], table, mask, found)
        n = count(found, 0, n, counts, touched, 0)
        collect(touched, n, counts, records, logarithms, weights, out[row])
        n = 0
        for i in range(n_words):
            n = count(ngrams, entries[words[i], 0], entries[words[i], 1], counts, touched, n)
        collect(touched, n, counts, records, logarithms, weights, out[row])
