"""Who does what to whom: the tagger of `classifier.features.tagger` on words that were taken apart before."""

from __future__ import annotations

import numpy as np

from classifier.kernel.hashing import EMPTY, PAIR_SEED, extend, find
from classifier.kernel.layout import (
    APOSTROPHE,
    COLON,
    DASH,
    FIRST,
    FIRST_ITEM,
    GAP,
    OPENS,
    QUOTE,
    SINGLE,
    SPEAKER_WORDS,
    STOP_ITEM,
    TOKEN,
)
from classifier.system.compilation import compiled

U64, I64 = np.uint64, np.int64


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
        for j in range(entries[words[i], FIRST_ITEM], entries[words[i], STOP_ITEM]):
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
def tag(spoken, points, read, automaton, matches, tags):
    """Find the longest terms and the sequence of tags in what `read_items` read; return how many of each.

    A match is where its word tokens start and end, and its role. Tags are numbers: roles, roles that speak, the
    beginning and the end of a quotation and of the sentence, and punctuation.
    """
    symbols, order, begins, ends, reached, quoted = spoken
    n, n_points, n_all, lead, tail = read
    accepted, actors = automaton.accepted, automaton.actors
    n_roles, speaker_words = len(actors), automaton.limits[SPEAKER_WORDS]
    if lead > speaker_words:
        lead = 0
    if tail < 0 or n_all - tail > speaker_words:
        tail = n_all + 1
    n_matches = position = point = 0
    punctuation = 2 * n_roles + 4
    tags[0] = 2 * n_roles + 2
    n_tags, in_quotes = 1, False
    while position < n:
        state = I64(automaton.first[symbols[position]])
        role, best, end = 0, position, position
        while state >= 0:
            if accepted[state] > 0:
                best, role = end, accepted[state]
            end += 1
            if end == n or not reached[end]:
                break
            pair = extend(extend(PAIR_SEED, U64(state)), U64(symbols[end]))
            state = find(automaton.steps, EMPTY, automaton.mask, pair)
        if role > 0:
            role -= 1
            matches.starts[n_matches], matches.stops[n_matches] = begins[position], ends[best]
            matches.roles[n_matches] = role
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
def mask_words(words, n_words, matches, n_matches, automaton, masked):
    """Write a sentence's words with each actor replaced by its role; return their number.

    `masked` receives the hash of each, which word it is, and how many in a row up to it are words that follow one
    another in the sentence, 0 for a mask.
    """
    hashes, origins, runs = masked
    size = word = 0
    for match in range(n_matches + 1):
        if match < n_matches and not automaton.actors[matches.roles[match]]:
            continue
        first, stop = word, matches.starts[match] if match < n_matches else n_words
        while word < stop:
            hashes[size], origins[size], runs[size] = words[word], word, word - first + 1
            size += 1
            word += 1
        if match < n_matches:
            name = automaton.masks[matches.roles[match]]
            # An actor that follows itself is one mask.
            if size == 0 or runs[size - 1] > 0 or hashes[size - 1] != name:
                hashes[size], origins[size], runs[size] = name, 0, 0
                size += 1
            word = matches.stops[match]
    return size
