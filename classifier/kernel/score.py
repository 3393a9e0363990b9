"""Sentences of known words to logits: features are counted, weighed and summed, a block at a time.

What an archive waits for is memory and mispredicted branches in about equal parts: hence small tables, features that
are touched together side by side, and sums of conditions where one would write ``if``.
"""

from __future__ import annotations

import math

import numpy as np

from classifier.kernel.hashing import extend, find, sifted
from classifier.kernel.layout import (
    CHARACTERS,
    COLUMN,
    END,
    FIRST_NGRAM,
    FIRST_TOKEN,
    FOREIGN,
    HAS_TAGGER,
    KIND,
    LENGTH,
    LONGEST,
    MASKED_WORDS,
    PAIRED_TAGS,
    ROLES,
    ROOT,
    SHORTEST,
    STARTS_WITH_WORD,
    STOP_NGRAM,
    STOP_TOKEN,
    WIDTH,
    WORDS,
)
from classifier.kernel.tags import mask_words, read_items, tag
from classifier.system.compilation import compiled

U16, U64, I64, F64 = np.uint16, np.uint64, np.int64, np.float64


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
def collect(touched, n, counts, records, logarithms, weights, sums):
    """Add a block's TF-IDF, scaled to length one and times the coefficients, to the sums; clear its counts.

    A record holds what one look at a feature needs: its inverse document frequency and its coefficients for the
    first three frames. Further frames lie in further rows of four, read only by models that have them.
    """
    square = first = second = third = 0.0
    for i in range(I64(n)):
        feature = U64(touched[i])
        times = U64(counts[feature])
        counts[feature] = 0
        weight = F64(records[0, feature, 0])
        weight *= logarithms[times] if times < U64(len(logarithms)) else 1.0 + math.log(times)
        weights[i] = weight
        square += weight * weight
        first += weight * F64(records[0, feature, 1])
        second += weight * F64(records[0, feature, 2])
        third += weight * F64(records[0, feature, 3])
    if square == 0.0:
        return
    length = math.sqrt(square)
    sums[0] += first / length
    sums[1] += second / length
    sums[2] += third / length
    for group in range(1, len(records)):
        for lane in range(4):
            part = 0.0
            for i in range(I64(n)):
                part += weights[i] * F64(records[group, touched[i], lane])
            sums[4 * group - 1 + lane] += part / length


@compiled(nogil=True)
def score(words, ends, vocabulary, memory, automaton, scratch, out, named, strange, plain):
    """Score sentences whose words were learned: row i of `out` becomes the logits of sentence i, without intercepts.

    Parameters
    ----------
    words, ends
        What `learn` found.
    vocabulary : Vocabulary
    memory : Memory
        It holds the words.
    automaton : Automaton
    scratch : Scratch
        Its counts are zero before and after.
    out : ndarray of float64 of shape (n_sentences, 3 or 7 or 11 …)
        At least a column a frame.
    named : ndarray of bool of shape (n_sentences, n_subjects)
        Set to true for the subjects that a sentence names.
    strange : ndarray of float64 of shape (n_sentences, 4)
        Receives the counts of `classifier.model.novelty.Domain.counts`.
    plain : ndarray of uint8 of shape (n_sentences,)
        Set to 1 for sentences that the plain path must score.
    """
    settings, seeds, known = vocabulary.settings, vocabulary.seeds, vocabulary.known
    entries, tokens = memory.entries, memory.tokens
    counts, touched, sentence, grams = scratch.counts, scratch.touched, scratch.sentence, scratch.grams
    keys, places, matches, tags = scratch.keys, scratch.places, scratch.matches, scratch.tags
    word_table = (
        seeds[-2],
        vocabulary.sieve,
        vocabulary.tables,
        vocabulary.bases[-1],
        vocabulary.masks[-1],
        scratch.states,
        keys,
        places,
    )
    for row in range(len(ends) - 1):
        first, last, starts = ends[row, END], ends[row + 1, END], ends[row + 1, STARTS_WITH_WORD]
        n_tokens = unknown = foreign = length = 0
        for i in range(first, last):
            word = words[i]
            if entries[word, FIRST_NGRAM] < 0:
                plain[row] = 1
                break
            for j in range(entries[word, FIRST_TOKEN], entries[word, STOP_TOKEN]):
                entry = tokens[j, 1]
                sentence[n_tokens], grams[0, n_tokens] = tokens[j, 0], entry
                unknown += not known[entry]
                n_tokens += 1
            foreign += entries[word, FOREIGN]
            length += entries[word, LENGTH]
        strange[row, 0], strange[row, 1], strange[row, 2], strange[row, 3] = unknown, n_tokens, foreign, length
        n_matches = n_tags = 0
        if automaton.limits[HAS_TAGGER] and plain[row] == 0:
            read = read_items(words, first, last, starts, entries, memory.items, scratch.spoken, scratch.points)
            n_matches, n_tags = tag(scratch.spoken, scratch.points, read, automaton, matches, tags)
        if plain[row]:
            continue
        for i in range(n_matches):
            subject = automaton.subjects[matches.roles[i]]
            if subject >= 0:
                named[row, subject] = True
        look_up_words(sentence, n_tokens, len(grams), *word_table, grams)
        for block in range(len(settings)):
            kind, shortest, longest = settings[block, KIND], settings[block, SHORTEST], settings[block, LONGEST]
            column, width = U64(settings[block, COLUMN]), U64(settings[block, WIDTH])
            n = U64(0)
            if kind == CHARACTERS:
                for i in range(first, last):
                    n = count(
                        memory.ngrams,
                        entries[words[i], FIRST_NGRAM],
                        entries[words[i], STOP_NGRAM],
                        counts,
                        touched,
                        n,
                    )
            elif kind == WORDS:
                for words_each in range(shortest, longest + 1):
                    size = n_tokens - words_each + 1
                    n = count_entries(grams[words_each - 1], size, column, width, counts, touched, n)
            elif kind == MASKED_WORDS:
                size = mask_words(sentence, n_tokens, matches, n_matches, automaton, scratch.masked)
                size = look_up_masked(scratch.masked, size, shortest, longest, *word_table, grams, scratch.entries)
                n = count_entries(scratch.entries, size, column, width, counts, touched, n)
            elif kind == ROLES:
                n = count_tags(tags, n_tags, shortest, longest, automaton.trie, places, counts, touched)
            else:
                n = count_pairs(
                    tags,
                    n_tags,
                    automaton.links,
                    automaton.pairs,
                    automaton.limits[PAIRED_TAGS],
                    keys,
                    counts,
                    touched,
                )
            collect(touched, n, counts, vocabulary.records, vocabulary.logarithms, scratch.weights, out[row])
