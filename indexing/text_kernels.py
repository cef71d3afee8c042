"""Compiled loops over texts as bytes: found in a sorted table, taken apart into words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled, inlined

Numbers = NDArray[np.int64]


@inlined
def _before(
    data: NDArray[np.uint8], start: int, end: int, other: NDArray[np.uint8], other_start: int, other_end: int
) -> int:
    """Return a number below, at or above 0: how two runs of bytes are ordered."""
    shorter = min(end - start, other_end - other_start)
    for i in range(shorter):
        difference = np.int64(data[start + i]) - np.int64(other[other_start + i])
        if difference != 0:
            return int(difference)
    return (end - start) - (other_end - other_start)


def find_sorted(
    starts: Numbers, data: NDArray[np.uint8], wanted_starts: Numbers, wanted: NDArray[np.uint8]
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return where each wanted run of bytes stands among sorted ones, or would, and whether it does."""
    n = len(wanted_starts) - 1
    place, found = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_)
    for i in range(n):
        low, high = 0, len(starts) - 1
        found[i] = False
        while low < high:
            middle = (low + high) // 2
            order = _before(
                data, starts[middle], starts[middle + 1], wanted, wanted_starts[i], wanted_starts[i + 1]
            )
            if order < 0:
                low = middle + 1
            else:
                high = middle
                if order == 0:
                    found[i] = True
        place[i] = low
    return place, found


@inlined
def _word_slot(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    words: NDArray[np.uint8],
    word_starts: Numbers,
    slots: NDArray[np.int32],
) -> int:
    """Return the slot of a word in a hash table, or the empty one where it belongs; FNV-1a over its bytes."""
    code = np.uint64(0xCBF29CE484222325)
    for i in range(start, end):
        code = (code ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    code ^= code >> np.uint64(32)
    slot = np.int64(code & np.uint64(len(slots) - 1))
    while slots[slot] >= 0:
        word = slots[slot]
        if word_starts[word + 1] - word_starts[word] == end - start:
            same = True
            for i in range(end - start):
                if words[word_starts[word] + i] != data[start + i]:
                    same = False
                    break
            if same:
                break
        slot = (slot + 1) & (len(slots) - 1)
    return int(slot)


def word_slots(starts: Numbers, data: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return a hash table of words; see :func:`grams_within`."""
    size = 16
    while size < 2 * len(starts):
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    for word in range(len(starts) - 1):
        slots[_word_slot(data, starts[word], starts[word + 1], data, starts, slots)] = word
    return slots


def grams_within(
    starts: Numbers,
    data: NDArray[np.uint8],
    kind: NDArray[np.int8],
    word_starts: Numbers,
    words: NDArray[np.uint8],
    slots: NDArray[np.int32],
    empty: NDArray[np.bool_],
    free: NDArray[np.bool_],
) -> tuple[Numbers, NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the texts, words parted by single spaces, that some words are enough for.

    Parameters
    ----------
    starts, data
        Texts.
    kind
        int8, (n,): 0 for a text that is not wanted, 1 for a name, 2 for a term.
    word_starts, words, slots
        The words, and their hash table.
    empty, free
        bool, (n_words,): function words, which are no name by themselves; and those that need no capital.

    Returns
    -------
    starts, words, text : int64 (n + 1,), int32, int32 (n,)
        The words of each, and which text it is.
    any_case : bool, (n,)
        Whether it is found in any case: a term, or a single word that needs no capital.
    """
    found = np.empty(len(data) // 2 + len(starts), dtype=np.int32)
    bounds, text = np.zeros(len(starts), dtype=np.int64), np.empty(len(starts), dtype=np.int32)
    any_case = np.empty(len(starts), dtype=np.bool_)
    count, at = 0, 0
    for i in range(len(starts) - 1):
        if kind[i] == 0:
            continue
        length, begin, named = 0, starts[i], kind[i] == 2
        while begin <= starts[i + 1]:
            end = begin
            while end < starts[i + 1] and data[end] != 32:
                end += 1
            word = slots[_word_slot(data, begin, end, words, word_starts, slots)]
            if word < 0:
                length = 0
                break
            found[at + length] = word
            named |= not empty[word]
            length += 1
            begin = end + 1
        if length > 0 and named:
            any_case[count] = kind[i] == 2 or (length == 1 and free[found[at]])
            text[count] = i
            at += length
            count += 1
            bounds[count] = at
    return bounds[: count + 1].copy(), found[:at].copy(), text[:count].copy(), any_case[:count].copy()


find_sorted = compiled(find_sorted)
word_slots = compiled(word_slots)
grams_within = compiled(grams_within)
