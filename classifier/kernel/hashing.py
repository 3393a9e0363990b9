"""Hashes of sequences, and the tables that they are looked up in.

Text is never compared with text: an n-gram is known by a hash of 64 bits, built up one unit at a time, and a table
gives the number that belongs to a hash. A table tells hashes apart by 40 bits besides the place where they are looked
for. So in an archive of a million distinct words two are confused with a probability of about one in a million, and in
a terabyte of text one n-gram may be taken for another. Within a vocabulary that is excluded when its tables are filled.
"""

from __future__ import annotations

import numpy as np

from classifier.system.compilation import compiled

U64, I64 = np.uint64, np.int64

# The multiplier is 2**64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4): it spreads the
# bits of neighbouring numbers over the whole word. The shift brings the high bits, which changed most, back to the low
# ones, which choose the place in a table.
_MULTIPLIER = U64(0x9E3779B97F4A7C15)
_SHIFT = U64(29)
_ONE = U64(1)
_LOW = U64(63)

#: A slot that nothing is in; also where a table begins that is an array of its own.
EMPTY = U64(0)

#: Where the hash of a pair of numbers starts.
PAIR_SEED = _MULTIPLIER

#: Low bits of a slot of a table, which hold a value; the high bits are those of its key.
VALUE_BITS = 24
_VALUE = U64((1 << VALUE_BITS) - 1)

#: Rows of 64 bits of the sieve; the highest bits of a key choose the row, the next six the bit.
SIEVE = 1 << 15
_SIEVE_ROW, _SIEVE_BIT = U64(49), U64(43)


@compiled(inline="always")
def extend(state, unit):
    """Return the hash of a sequence extended by one unit: multiply, then fold the high bits down."""
    state = (state ^ unit) * _MULTIPLIER
    return state ^ (state >> _SHIFT)


@compiled(inline="always")
def find(tables, base, mask, key):
    """Return the value that an open-addressing table holds for a key, or -1.

    The table begins at slot `base` of `tables` and has ``mask + 1`` of them, a power of two. The low bits of a key are
    its home, so a slot needs only the high ones, and has room for the value in eight bytes.
    """
    slot = key & mask
    while True:
        found = tables[base + slot]
        if found == EMPTY:
            return I64(-1)
        if found ^ key <= _VALUE:
            return I64(found & _VALUE) - 1
        slot = (slot + _ONE) & mask


@compiled(inline="always")
def sifted(sieve, key):
    """Return 1 where a key may be in a table, 0 where it is in none; the sieve stays in the near cache."""
    return (sieve[key >> _SIEVE_ROW] >> ((key >> _SIEVE_BIT) & _LOW)) & _ONE


@compiled()
def insert(tables, base, mask, key, value):
    """Put a key's value into an open-addressing table; return False where the key was there already."""
    slot = key & mask
    while tables[base + slot] != EMPTY:
        if tables[base + slot] ^ key <= _VALUE:
            return False
        slot = (slot + _ONE) & mask
    tables[base + slot] = (key & ~_VALUE) | U64(value + 1)
    return True


@compiled()
def fill_sieve(sieve, tables, first, last):
    """Let the sieve pass the keys of slots `first` to `last` of the tables; it looks at nothing but their high bits."""
    for slot in range(first, last):
        key = tables[slot]
        if key != EMPTY:
            sieve[key >> _SIEVE_ROW] |= _ONE << ((key >> _SIEVE_BIT) & _LOW)


@compiled()
def fill_characters(units, starts, seed, numbers, tables, base, mask):
    """Put the character n-grams of a vocabulary into its table, each with its number.

    Returns the number of collisions.
    """
    collisions = 0
    for i in range(len(starts) - 1):
        state = seed
        for j in range(starts[i], starts[i + 1]):
            state = extend(state, U64(units[j]))
        if not insert(tables, base, mask, state, numbers[i]):
            collisions += 1
    return collisions


@compiled()
def fill_words(units, starts, token_seed, seed, numbers, tables, base, mask):
    """Put the word n-grams of a vocabulary, words joined by spaces, into its table, each with its number.

    Returns the number of collisions.
    """
    collisions = 0
    for i in range(len(starts) - 1):
        ngram, token = seed, token_seed
        for j in range(starts[i], starts[i + 1]):
            if units[j] == 32:
                ngram = extend(ngram, token)
                token = token_seed
            else:
                token = extend(token, U64(units[j]))
        if not insert(tables, base, mask, extend(ngram, token), numbers[i]):
            collisions += 1
    return collisions


@compiled()
def insert_step(table, mask, state, symbol, following):
    """Put a step of the automaton of roles into its table; return False where its hash was there already."""
    return insert(table, EMPTY, mask, extend(extend(PAIR_SEED, U64(state)), U64(symbol)), following)


@compiled()
def hash_units(units, seed):
    """Return the hash of a sequence of code points, as that of a token."""
    state = seed
    for unit in units:
        state = extend(state, U64(unit))
    return state
