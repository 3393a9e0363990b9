"""The compiled kernel: UTF-8 sentences in, logits out, nothing in between; what else scoring asks of them as well.

A sentence is a run of words between white space, and everything the model counts within a word depends on that word
alone. So each distinct word is taken apart once: its character n-grams and its tokens are looked up in the
vocabulary and remembered under the hash of its bytes. A sentence is then the concatenation of what its words are
known to hold, counted in a scratch array and summed up in one pass over the features that were touched.

Numba compiles these functions on first use and keeps the result on disk. They hold no lock of the interpreter.
What a hash stands for is compared at no time. A table tells hashes apart by 40 bits besides the place where they are
looked for, so in an archive of a million distinct words two are confused with a probability of about one in a million,
and in a terabyte of text one n-gram may be taken for another. Within a vocabulary that is excluded when it is compiled.

What an archive waits for is memory and mispredicted branches in about equal parts: hence small tables, features that
are touched together side by side, and sums of conditions where one would write ``if``.
"""

from __future__ import annotations

import math

import numpy as np

from classifier.system.compilation import compiled

U8, U16, U64, I32, I64, F32, F64 = np.uint8, np.uint16, np.uint64, np.int32, np.int64, np.float32, np.float64

_MULTIPLIER = U64(0x9E3779B97F4A7C15)
_SHIFT = U64(29)
_EMPTY = U64(0)
_ONE = U64(1)
_LOW = U64(63)

#: Low bits of a slot of a table, which hold a value; the high bits are those of its key.
VALUE_BITS = 24
_VALUE = U64((1 << VALUE_BITS) - 1)

#: Rows of 64 bits of the sieve; the highest bits of a key choose the row, the next six the bit.
SIEVE = 1 << 15
_SIEVE_ROW, _SIEVE_BIT = U64(49), U64(43)

#: Classes of code points.
OTHER, WORD, SPACE = U8(0), U8(1), U8(2)

#: Code points below this have a class and a lower case in the tables; sentences with others take the plain path.
TABLE_SIZE = 0x20000

#: In the table of lower case: what it becomes depends on its neighbours, or is more than one code point.
SPECIAL = I32(-1)

#: Words of more bytes than this take the plain path.
LONGEST_WORD = 200

#: The feature that stands for all that are not in the vocabulary.
HOLE = U64(0)

#: The row of a trie that stands for the empty n-gram.
ROOT = 1

#: Kinds of blocks.
WORDS, CHARACTERS, ROLES, ROLE_PAIRS, MASKED_WORDS, VECTORS = range(6)

#: What a word holds for the tagger of roles, in order: a word of a term or none, something that no term reaches
#: across, a quotation mark, punctuation. See `classifier.features.tagger`.
TOKEN, GAP, QUOTE, PUNCTUATION = range(4)

#: Places in `classifier.features.tagger.PUNCTUATION` of the points that speakers stand before or after.
COLON, DASH = 1, 2

#: What a quotation mark can do: open, open or close as an apostrophe, be opened as a single one, stand first.
OPENS, APOSTROPHE, SINGLE, FIRST = 1, 2, 4, 8


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
        if found == _EMPTY:
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
    while tables[base + slot] != _EMPTY:
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
        if key != _EMPTY:
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
    return insert(table, _EMPTY, mask, extend(extend(_MULTIPLIER, U64(state)), U64(symbol)), following)


@compiled()
def hash_units(units, seed):
    """Return the hash of a sequence of code points, as that of a token."""
    state = seed
    for unit in units:
        state = extend(state, U64(unit))
    return state


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
def count_one(feature, counts, touched, n):
    """Count a feature and remember it if it is new to the sentence. Returns how many are remembered.

    There is no branch, which would be mispredicted whenever a feature repeats: what is not in the vocabulary is counted
    as `HOLE`, whose record is all zeros. Unsigned, for what is signed might be an index from the end.
    """
    touched[n] = feature
    n += U64(counts[feature] == 0)
    counts[feature] += U16(1)
    return n


@compiled()
def count(features, start, end, counts, touched, n):
    """Count features; remember those new to the sentence. Returns how many are remembered."""
    for i in range(U64(start), U64(end)):
        n = count_one(U64(features[i]), counts, touched, n)
    return n


@compiled()
def count_entries(entries, size, column, width, counts, touched, n):
    """Count the features that a block of words has for entries; remember those new to the sentence.

    Returns how many are remembered. The features of an entry lie together, `width` of them, a column each.
    """
    for i in range(size):
        n = count_one(U64(entries[i]) * width + column, counts, touched, n)
    return n


@compiled()
def count_tags(tags, n_tags, shortest, longest, trie, rows, counts, touched):
    """Count the n-grams of a sequence of tags, shorter ones first. Returns how many features are remembered.

    A row of the trie stands for an n-gram, the `ROOT` for the empty one; for each tag that may follow it holds the row
    of the longer n-gram and its feature. The row before the root is that of all n-grams which nothing continues: zeros,
    so that it leads to itself and to the `HOLE`. There is no branch, and one look at memory an n-gram.
    """
    n = U64(0)
    rows[:n_tags] = ROOT
    for length in range(1, longest + 1):
        for start in range(n_tags - length + 1):
            tag = tags[start + length - 1]
            row = I64(rows[start])
            rows[start] = trie[row, tag, 0]
            if length >= shortest:
                n = count_one(U64(trie[row, tag, 1]), counts, touched, n)
    return n


@compiled()
def count_pairs(tags, n_tags, links, pairs, most, room, counts, touched):
    """Count each ordered pair of tags that are no links once. Returns how many features are remembered."""
    n = U64(0)
    size = 0
    for i in range(n_tags):
        room[size] = tags[i]
        size += not links[tags[i]]
    size = min(size, most)
    for i in range(size):
        for j in range(i + 1, size):
            feature = U64(pairs[room[i], room[j]])
            touched[n] = feature
            n += U64(counts[feature] == 0)
            counts[feature] = 1
    return n


@compiled()
def look_up_words(sentence, n_tokens, longest, seed, sieve, tables, base, mask, states, keys, places, grams):
    """Find the n-grams of a sentence's words, but for single ones, which the memory holds.

    Row ``length - 1`` of `grams` receives the entry of the n-gram that begins at each word, 0 for none.
    """
    for start in range(n_tokens):
        states[start] = extend(seed, sentence[start])
    for length in range(2, longest + 1):
        row = grams[length - 1]
        n = 0
        for start in range(n_tokens - length + 1):
            states[start] = extend(states[start], sentence[start + length - 1])
            row[start] = 0
            keys[n], places[n] = states[start], start
            n += sifted(sieve, states[start])
        for i in range(n):
            row[places[i]] = find(tables, base, mask, keys[i]) + 1


@compiled()
def look_up_masked(masked, size, shortest, longest, seed, sieve, tables, base, mask, states, keys, places, grams, out):
    """Write the entries of the n-grams of a sentence's words with masks, shorter ones first; return their number.

    Those without a mask, most of them, were found before. An entry of 0 is none.
    """
    hashes, origins, runs = masked
    n = found = 0
    for start in range(size):
        states[start] = seed
    for length in range(1, longest + 1):
        for start in range(size - length + 1):
            states[start] = extend(states[start], hashes[start + length - 1])
            if length >= shortest:
                whole = runs[start + length - 1] >= length
                out[found] = grams[length - 1, origins[start]] if whole else 0
                keys[n], places[n] = states[start], found
                n += (not whole) & sifted(sieve, states[start])
                found += 1
    for i in range(n):
        out[places[i]] = find(tables, base, mask, keys[i]) + 1
    return found


@compiled()
def collect(touched, n, counts, records, logarithms, mean, weights, sums):
    """Add a block's TF-IDF, scaled to length one and times the coefficients, to the sums; clear its counts.

    Of a block of word vectors, a `mean`, counts are taken as they are, and scaled to a sum of one.

    A record holds what one look at a feature needs: its inverse document frequency and its coefficients for the
    first three frames. Further frames lie in further rows of four, read only by models that have them.
    """
    square = total = first = second = third = 0.0
    for i in range(I64(n)):
        feature = U64(touched[i])
        times = U64(counts[feature])
        counts[feature] = 0
        weight = F64(records[0, feature, 0])
        if mean:
            weight *= F64(times)
        else:
            weight *= logarithms[times] if times < U64(len(logarithms)) else 1.0 + math.log(times)
        weights[i] = weight
        square += weight * weight
        total += weight
        first += weight * F64(records[0, feature, 1])
        second += weight * F64(records[0, feature, 2])
        third += weight * F64(records[0, feature, 3])
    if square == 0.0:
        return
    length = total if mean else math.sqrt(square)
    sums[0] += first / length
    sums[1] += second / length
    sums[2] += third / length
    for group in range(1, len(records)):
        for lane in range(4):
            part = 0.0
            for i in range(I64(n)):
                part += weights[i] * F64(records[group, touched[i], lane])
            sums[4 * group - 1 + lane] += part / length


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
    """Append what a word holds to the memory and return its number; a word for the plain path holds -1."""
    lower, classes, settings, seeds, tables, bases, masks = vocabulary[:7]
    _, entries, ngrams, tokens, _, used = memory
    word = used[0]
    used[0] = word + 1
    entries[word, :] = 0
    n = decode(data, start, end, lower, units) if end - start <= LONGEST_WORD else -1
    if n < 0:
        entries[word, 0] = -1
        return word
    entries[word, 0] = used[1]
    for block in range(len(settings)):
        if settings[block, 0] == CHARACTERS:
            shortest, longest, closed = settings[block, 1], settings[block, 2], settings[block, 3] == 1
            place = tables, bases[block], masks[block]
            used[1] = character_features(units, n, shortest, longest, seeds[block], *place, closed, ngrams, used[1])
    entries[word, 1] = used[1]
    entries[word, 2] = used[2]
    used[2] = word_tokens(units, n, seeds[-1], classes, tokens, used[2])
    entries[word, 3] = used[2]
    for i in range(entries[word, 2], entries[word, 3]):
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
    vocabulary, memory : tuple
        See `score`.
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
    slots = memory[0]
    seeds = vocabulary[3]
    slot_mask = U64(len(slots) - 1)
    n = n_words = 0
    for row in range(len(bounds) - 1):
        position, end = bounds[row], bounds[row + 1]
        starts = False
        while True:
            start, position, key = next_word(data, position, end, spaces, seeds[-1])
            if start == end:
                break
            word = find(slots, _EMPTY, slot_mask, key)
            if word < 0:
                word = I64(take_apart(data, start, position, vocabulary, memory, units))
                insert(slots, _EMPTY, slot_mask, key, word)
                fresh[n, 0], fresh[n, 1], fresh[n, 2] = word, start, position
                n += 1
            starts |= start == bounds[row]
            words[n_words] = word
            n_words += 1
        ends[row + 1, 0], ends[row + 1, 1] = n_words, starts
    return n


@compiled()
def read_items(words, start, stop, begins_with_word, entries, items, spoken, points):
    """Read a sentence's words as the tagger of roles does.

    Parameters
    ----------
    words : numbers of words; the sentence's are those from `start` to `stop`.
    begins_with_word : whether no white space comes before them.
    spoken : receives the words of the tagger that terms have: symbol, which of the tagger's words it is, where its word
        tokens start and end, whether a term reaches it from the one before, whether it is quoted.
    points : receives the punctuation: before which of these words it stands, and what it is.

    Returns
    -------
    n, n_points, n_all, lead, tail : how many words and points, how many words the tagger sees, up to and from which one
        of these actors are speakers.
    """
    symbols, order, begins, ends, reached, quoted = spoken
    n = n_points = n_all = n_tokens = lead = spans = 0
    tail = -1
    reaches, opened, single, colon = False, False, False, False
    for i in range(start, stop):
        first = i == start and begins_with_word
        for j in range(entries[words[i], 4], entries[words[i], 5]):
            kind, value = items[j, 0], items[j, 1]
            if kind == TOKEN:
                symbols[n], order[n], reached[n], quoted[n] = value, n_all, reaches, opened
                begins[n], ends[n] = n_tokens, n_tokens + items[j, 2]
                n_tokens += items[j, 2] + items[j, 3]
                n_all += 1
                reaches = value > 0
                n += reaches
            elif kind == GAP:
                reaches = False
            elif kind == QUOTE:
                if not opened and value & OPENS:
                    opened, single = True, value & SINGLE != 0
                elif not opened and spans == 0 and not value & APOSTROPHE and not (first and value & FIRST):
                    quoted[:n] = True  # a closing mark without an opening one: quoted from the beginning
                    spans = 1
                elif opened and (value & APOSTROPHE != 0) == single and not value & OPENS:
                    opened = False
                    spans += 1
            else:
                points[n_points, 0], points[n_points, 1] = n, value
                n_points += 1
                if value == COLON and not colon:
                    colon, lead = True, n_all
                elif value == DASH:
                    tail = n_all
    return n, n_points, n_all, lead, tail


@compiled()
def append(tags, n_tags, name):
    """Append a tag unless it is the last one already; return how many there are."""
    tags[n_tags] = name
    return n_tags + (tags[n_tags - 1] != name)


@compiled()
def tag(spoken, points, read, roles, matches, tags):
    """Find the longest terms and the sequence of tags in what `read_items` read; return how many of each.

    A match is where its word tokens start and end, and its role. Tags are numbers: roles, roles that speak, the
    beginning and the end of a quotation and of the sentence, and punctuation.
    """
    symbols, order, begins, ends, reached, quoted = spoken
    n, n_points, n_all, lead, tail = read
    first_steps, steps, mask, accepted, actors = roles[:5]
    starts, stops, found = matches
    n_roles, speaker_words = len(actors), roles[8][0]
    if lead > speaker_words:
        lead = 0
    if tail < 0 or n_all - tail > speaker_words:
        tail = n_all + 1
    n_matches = position = point = 0
    punctuation = 2 * n_roles + 4
    tags[0] = 2 * n_roles + 2
    n_tags, in_quotes = 1, False
    while position < n:
        state = I64(first_steps[symbols[position]])
        role, best, end = 0, position, position
        while state >= 0:
            if accepted[state] > 0:
                best, role = end, accepted[state]
            end += 1
            if end == n or not reached[end]:
                break
            state = find(steps, _EMPTY, mask, extend(extend(_MULTIPLIER, U64(state)), U64(symbols[end])))
        if role > 0:
            role -= 1
            starts[n_matches], stops[n_matches], found[n_matches] = begins[position], ends[best], role
            n_matches += 1
            while point < n_points and points[point, 0] <= position:
                n_tags, point = append(tags, n_tags, U64(punctuation + points[point, 1])), point + 1
            if quoted[position] != in_quotes:
                in_quotes = quoted[position]
                tags[n_tags] = 2 * n_roles + (0 if in_quotes else 1)
                n_tags += 1
            speaks = actors[role] and (order[best] < lead or order[position] >= tail)
            n_tags = append(tags, n_tags, U64(role + (n_roles if speaks else 0)))
        position = best + 1
    for i in range(point, n_points):
        n_tags = append(tags, n_tags, U64(punctuation + points[i, 1]))
    if in_quotes:
        tags[n_tags] = 2 * n_roles + 1
        n_tags += 1
    tags[n_tags] = 2 * n_roles + 3
    return n_matches, n_tags + 1


@compiled()
def mask_words(words, n_words, matches, n_matches, roles, masked):
    """Write a sentence's words with each actor replaced by its role; return their number.

    `masked` receives the hash of each, which word it is, and how many in a row up to it are words that follow one
    another in the sentence, 0 for a mask.
    """
    actors, masks = roles[4], roles[5]
    hashes, origins, runs = masked
    starts, stops, found = matches
    size = word = 0
    for match in range(n_matches + 1):
        if match < n_matches and not actors[found[match]]:
            continue
        first, stop = word, starts[match] if match < n_matches else n_words
        while word < stop:
            hashes[size], origins[size], runs[size] = words[word], word, word - first + 1
            size += 1
            word += 1
        if match < n_matches:
            name = masks[found[match]]
            # An actor that follows itself is one mask.
            if size == 0 or runs[size - 1] > 0 or hashes[size - 1] != name:
                hashes[size], origins[size], runs[size] = name, 0, 0
                size += 1
            word = stops[match]
    return size


@compiled(nogil=True)
def score(words, ends, vocabulary, memory, roles, scratch, out, named, strange, plain):
    """Score sentences whose words were learned: row i of `out` becomes the logits of sentence i, without intercepts.

    Parameters
    ----------
    words, ends
        What `learn` found.
    vocabulary : tuple
        Tables of code points and n-grams, settings and seeds of the blocks, records of the features, logarithms,
        whether an entry of the table of word n-grams, which the blocks of words share, is a word that the model knows,
        and the sieve of the n-grams of words.
    memory : tuple
        Words taken apart so far: slots, entries, character n-grams, tokens with the entry of each in the table of word
        n-grams, items of the tagger, how much is used. An entry says where a word's n-grams, tokens and items start
        and end, and how many of its characters are foreign, and how many it has.
    roles : tuple
        The tagger's automaton, what its roles are, and its limits.
    scratch : tuple
        Arrays to work in; see `classifier.kernel.scorer`.
    out : ndarray of float64 of shape (n_sentences, 3 or 7 or 11 …)
        At least a column a frame.
    named : ndarray of bool of shape (n_sentences, n_subjects)
        Set to true for the subjects that a sentence names.
    strange : ndarray of float64 of shape (n_sentences, 4)
        Receives the counts of `classifier.model.novelty.Domain.counts`.
    plain : ndarray of uint8 of shape (n_sentences,)
        Set to 1 for sentences that the plain path must score.
    """
    _, _, settings, seeds, tables, bases, masks, records, logarithms, known, sieve = vocabulary
    _, entries, ngrams, tokens, items, _ = memory
    counts, touched, weights, sentence, states, keys, places, grams, found, spoken, points, matches, tags, masked = (
        scratch
    )
    subjects, limits = roles[9], roles[8]
    word_table = seeds[-2], sieve, tables, bases[-1], masks[-1], states, keys, places
    for row in range(len(ends) - 1):
        first, last, starts = ends[row, 0], ends[row + 1, 0], ends[row + 1, 1]
        n_tokens = unknown = foreign = length = 0
        for i in range(first, last):
            word = words[i]
            if entries[word, 0] < 0:
                plain[row] = 1
                break
            for j in range(entries[word, 2], entries[word, 3]):
                entry = tokens[j, 1]
                sentence[n_tokens], grams[0, n_tokens] = tokens[j, 0], entry
                unknown += not known[entry]
                n_tokens += 1
            foreign += entries[word, 6]
            length += entries[word, 7]
        strange[row, 0], strange[row, 1], strange[row, 2], strange[row, 3] = unknown, n_tokens, foreign, length
        n_matches = n_tags = 0
        if limits[2] and plain[row] == 0:
            read = read_items(words, first, last, starts, entries, items, spoken, points)
            n_matches, n_tags = tag(spoken, points, read, roles, matches, tags)
        if plain[row]:
            continue
        for i in range(n_matches):
            subject = subjects[matches[2][i]]
            if subject >= 0:
                named[row, subject] = True
        look_up_words(sentence, n_tokens, len(grams), *word_table, grams)
        for block in range(len(settings)):
            kind, shortest, longest = settings[block, 0], settings[block, 1], settings[block, 2]
            column, width = U64(settings[block, 3]), U64(settings[block, 4])
            n = U64(0)
            if kind == CHARACTERS:
                for i in range(first, last):
                    n = count(ngrams, entries[words[i], 0], entries[words[i], 1], counts, touched, n)
            elif kind in (WORDS, VECTORS):
                for words_each in range(shortest, longest + 1):
                    size = n_tokens - words_each + 1
                    n = count_entries(grams[words_each - 1], size, column, width, counts, touched, n)
            elif kind == MASKED_WORDS:
                size = mask_words(sentence, n_tokens, matches, n_matches, roles, masked)
                size = look_up_masked(masked, size, shortest, longest, *word_table, grams, found)
                n = count_entries(found, size, column, width, counts, touched, n)
            elif kind == ROLES:
                n = count_tags(tags, n_tags, shortest, longest, roles[7], places, counts, touched)
            else:
                n = count_pairs(tags, n_tags, roles[10], roles[6], limits[1], keys, counts, touched)
            collect(touched, n, counts, records, logarithms, kind == VECTORS, weights, out[row])
