"""Compiled loops of indexing; only arrays come in and go out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled, inlined
from hipporag_like.indexing.ragged import bits_of, fixed

Numbers = NDArray[np.int64]

# Multiplier of the running hash of a gram: 2^64 over the golden ratio (Knuth, TAOCP 3, section 6.4).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def pick(
    old_starts: Numbers,
    old: NDArray[Any],
    new_starts: Numbers,
    new: NDArray[Any],
    source: Numbers,
    starts: Numbers,
    out: NDArray[Any],
) -> None:
    """Fill ``out`` with the rows ``source`` of two ragged arrays, the new one's numbered after the old one's."""
    n_old = len(old_starts) - 1
    for i in range(len(source)):
        row, place = source[i], starts[i]
        if row < n_old:
            for j in range(old_starts[row], old_starts[row + 1]):
                out[place] = old[j]
                place += 1
        else:
            for j in range(new_starts[row - n_old], new_starts[row - n_old + 1]):
                out[place] = new[j]
                place += 1


def transpose(
    starts: Numbers, column: NDArray[np.int32], value: NDArray[Any], n_columns: int
) -> tuple[Numbers, NDArray[np.int32], NDArray[Any]]:
    """Return a ragged matrix by columns: where each starts, its rows ascending, and their values."""
    found = _transpose(fixed(starts), fixed(column), bits_of(value), n_columns)
    return found[0], found[1], found[2].view(value.dtype)


def _transpose(
    starts: Numbers, column: NDArray[np.int32], value: NDArray[Any], n_columns: int
) -> tuple[Numbers, NDArray[np.int32], NDArray[Any]]:
    by_column = np.zeros(n_columns + 1, dtype=np.int64)
    for j in range(len(column)):
        by_column[column[j] + 1] += 1
    for c in range(n_columns):
        by_column[c + 1] += by_column[c]
    place = by_column[:-1].copy()
    rows, values = np.empty(len(column), dtype=np.int32), np.empty_like(value)
    for row in range(len(starts) - 1):
        for j in range(starts[row], starts[row + 1]):
            at = place[column[j]]
            place[column[j]] = at + 1
            rows[at] = row
            values[at] = value[j]
    return by_column, rows, values


def kinds_of(weights: NDArray[np.float32], most: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the distinct weights, ascending, and which of them each one is; all weights and nothing where too many.

    Parameters
    ----------
    weights
        float32, (n,), positive.
    most
        Kinds, at most 256.
    """
    bits, kinds = _kinds_of(bits_of(weights), most)
    if len(bits) == 0:
        return weights, kinds[:0]
    values = bits.view(np.float32)
    rank = np.empty(len(values), np.uint8)
    rank[np.argsort(values)] = np.arange(len(values))
    return np.sort(values), rank[kinds]


def _kinds_of(bits: NDArray[np.uint32], most: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the distinct numbers in order of appearance, none where there are too many, and which each one is."""
    table, found, n = np.full(4 * most, -1, np.int64), np.empty(most, np.uint32), 0
    kinds = np.empty(len(bits), np.uint8)
    for i in range(len(bits)):
        at = np.int64((np.uint64(bits[i]) * _GOLDEN) >> np.uint64(32)) % len(table)
        while table[at] >= 0 and found[table[at]] != bits[i]:
            at = (at + 1) % len(table)
        if table[at] < 0:
            if n == most:
                return found[:0], kinds
            table[at], found[n] = n, bits[i]
            n += 1
        kinds[i] = table[at]
    return found[:n], kinds


def merge_edges(
    starts: Numbers,
    entity: NDArray[np.int32],
    weight: NDArray[np.float32],
    title_starts: Numbers,
    title: NDArray[np.int32],
    owner: NDArray[np.int32],
    title_weight: np.float32,
) -> tuple[Numbers, NDArray[np.int32], NDArray[np.float32]]:
    """Return each fact's mentions and its passage's titles as one row of edges, entities ascending and once each.

    The mentions of a fact and the titles of a passage ascend and hold nothing twice.
    """
    n_facts = len(starts) - 1
    bounds = np.zeros(n_facts + 1, dtype=np.int64)
    most = len(entity)
    for fact in range(n_facts):
        most += title_starts[owner[fact] + 1] - title_starts[owner[fact]]
    entities, weights = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.float32)
    at = 0
    for fact in range(n_facts):
        i, last = starts[fact], starts[fact + 1]
        j, end = title_starts[owner[fact]], title_starts[owner[fact] + 1]
        while i < last or j < end:
            if j >= end or (i < last and entity[i] < title[j]):
                here, value = entity[i], np.float64(weight[i])
                i += 1
            elif i >= last or title[j] < entity[i]:
                here, value = title[j], np.float64(title_weight)
                j += 1
            else:
                here, value = entity[i], np.float64(weight[i]) + np.float64(title_weight)
                i += 1
                j += 1
            if value > 0.0:
                entities[at], weights[at] = here, np.float32(value)
                at += 1
        bounds[fact + 1] = at
    return bounds, entities[:at].copy(), weights[:at].copy()


def count_passages(
    passage_facts: Numbers,
    starts: Numbers,
    entity: NDArray[np.int32],
    title_starts: Numbers,
    title: NDArray[np.int32],
    n_entities: int,
) -> NDArray[np.int32]:
    """Return in how many passages each entity is mentioned or names the title."""
    counts = np.zeros(n_entities, dtype=np.int32)
    seen = np.full(n_entities, -1, dtype=np.int32)
    for passage in range(len(passage_facts) - 1):
        for j in range(starts[passage_facts[passage]], starts[passage_facts[passage + 1]]):
            if seen[entity[j]] != passage:
                seen[entity[j]] = passage
                counts[entity[j]] += 1
        for j in range(title_starts[passage], title_starts[passage + 1]):
            if seen[title[j]] != passage:
                seen[title[j]] = passage
                counts[title[j]] += 1
    return counts


@inlined
def _mixed(code: np.uint64, word: np.int32) -> np.uint64:
    code = code * _GOLDEN + np.uint64(word) + np.uint64(1)
    return code ^ (code >> _SHIFT)


def gram_table(
    starts: Numbers, words: NDArray[np.int32], n_words: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64]]:
    """Return a hash table of grams (runs of words), and by first word the longest gram and which lengths there are.

    Returns
    -------
    slots : int32, (a power of two,)
        Number of a gram, -1 where empty; equal grams are entered once, the last one.
    longest : int32, (n_words,)
        0 for a word that no gram starts with.
    lengths : uint64, (n_words,)
        Bit n for a gram of n words, bit 63 for all of 63 and more.
    """
    n = len(starts) - 1
    size = 16
    while size < 2 * n:
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    longest, lengths = np.zeros(n_words, dtype=np.int32), np.zeros(n_words, dtype=np.uint64)
    for gram in range(n):
        first, length = starts[gram], starts[gram + 1] - starts[gram]
        code = np.uint64(0)
        for j in range(first, first + length):
            code = _mixed(code, words[j])
        slot = np.int64(code & np.uint64(size - 1))
        while slots[slot] >= 0:
            other = slots[slot]
            same = starts[other + 1] - starts[other] == length
            if same:
                for j in range(length):
                    if words[starts[other] + j] != words[first + j]:
                        same = False
                        break
            if same:
                break
            slot = (slot + 1) & (size - 1)
        slots[slot] = gram
        longest[words[first]] = max(longest[words[first]], length)
        lengths[words[first]] |= np.uint64(1) << np.uint64(min(length, 63))
    return slots, longest, lengths


def find_grams(  # noqa: C901 - one loop over tokens; a call for each would cost more than its body
    ids: NDArray[np.int32],
    sentence: NDArray[np.int32],
    capital: NDArray[np.bool_],
    starts: Numbers,
    words: NDArray[np.int32],
    slots: NDArray[np.int32],
    longest: NDArray[np.int32],
    lengths: NDArray[np.uint64],
    any_case: NDArray[np.bool_],
) -> tuple[Numbers, Numbers, NDArray[np.int32]]:
    """Return first token, last token and number of each gram found: longest first, none overlapping another.

    A gram lies within a sentence; one of a single word needs a capital unless ``any_case`` of its gram.
    """
    size = len(slots)
    codes = np.empty(len(ids) + 1, dtype=np.uint64)
    first, last = np.empty(len(ids), dtype=np.int64), np.empty(len(ids), dtype=np.int64)
    found = np.empty(len(ids), dtype=np.int32)
    count, at = 0, 0
    while at < len(ids):
        most = min(int(longest[ids[at]]), len(ids) - at)
        code = np.uint64(0)
        reach = 0
        while reach < most and sentence[at + reach] == sentence[at]:
            code = _mixed(code, ids[at + reach])
            reach += 1
            codes[reach] = code
        step = 1
        for length in range(reach, 0, -1):
            if not (lengths[ids[at]] >> np.uint64(min(length, 63))) & np.uint64(1):
                continue
            slot = np.int64(codes[length] & np.uint64(size - 1))
            hit = -1
            while slots[slot] >= 0:
                gram = slots[slot]
                if starts[gram + 1] - starts[gram] == length:
                    same = True
                    for j in range(length):
                        if words[starts[gram] + j] != ids[at + j]:
                            same = False
                            break
                    if same:
                        hit = gram
                        break
                slot = (slot + 1) & (size - 1)
            if hit >= 0 and (length > 1 or any_case[hit] or capital[at]):
                first[count], last[count], found[count] = at, at + length - 1, hit
                count += 1
                step = length
                break
        at += step
    return first[:count].copy(), last[:count].copy(), found[:count].copy()


def sort_rows(starts: Numbers, column: NDArray[np.int32], value: NDArray[Any]) -> None:
    """Sort each row of a ragged matrix by column, in place; rows are short."""
    for row in range(len(starts) - 1):
        for i in range(starts[row] + 1, starts[row + 1]):
            here, what = column[i], value[i]
            j = i
            while j > starts[row] and column[j - 1] > here:
                column[j], value[j] = column[j - 1], value[j - 1]
                j -= 1
            column[j], value[j] = here, what


def same_rows(
    starts: Numbers, data: NDArray[np.uint8], other_starts: Numbers, other: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Return which rows of two ragged arrays of bytes are equal."""
    same = np.empty(len(starts) - 1, dtype=np.bool_)
    for row in range(len(starts) - 1):
        length = starts[row + 1] - starts[row]
        same[row] = length == other_starts[row + 1] - other_starts[row]
        if same[row]:
            for j in range(length):
                if data[starts[row] + j] != other[other_starts[row] + j]:
                    same[row] = False
                    break
    return same


pick = compiled(pick)
_kinds_of = compiled(_kinds_of)
same_rows = compiled(same_rows)
sort_rows = compiled(sort_rows)
_transpose = compiled(_transpose)
merge_edges = compiled(merge_edges)
count_passages = compiled(count_passages)
gram_table = compiled(gram_table)
find_grams = compiled(find_grams)
