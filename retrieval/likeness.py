"""How like a question facts are, compiled for the walk, which asks for a few more at each step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.compiled import compiled, float_of_half, word_place
from hipporag_like.retrieval.similarity import HALF, SINGLE, FactArrays

ROOM = 1 << 10  # words kept to begin with; a walk over bags of words meets some thousand


class Words(NamedTuple):
    """The words met so far, a hash table.

    Attributes
    ----------
    keys
        int32, (a power of two,): the word, -1 where free.
    likeness
        float32, aligned: its inner product with the question.
    held
        int64, (1,): how many words there are.
    """

    keys: NDArray[np.int32]
    likeness: NDArray[np.float32]
    held: NDArray[np.int64]


@compiled
def no_words() -> Words:
    """Return a table without words."""
    return Words(np.full(ROOM, -1, dtype=np.int32), np.empty(ROOM, dtype=np.float32), np.zeros(1, np.int64))


@compiled
def _wider(words: Words) -> Words:
    """Return the same words in a table twice as long."""
    keys = np.full(2 * len(words.keys), -1, dtype=np.int32)
    likeness = np.empty(len(keys), dtype=np.float32)
    for i in range(len(words.keys)):
        if words.keys[i] >= 0:
            at = word_place(keys, words.keys[i])
            keys[at], likeness[at] = words.keys[i], words.likeness[i]
    return Words(keys, likeness, words.held)


@compiled
def likenesses(
    facts: FactArrays, numbers: NDArray[np.int64], question: NDArray[np.float32], words: Words
) -> tuple[NDArray[np.float64], Words]:
    """Return the inner products of facts with a question, and the words known after that."""
    found = np.empty(len(numbers))
    if facts.kind == SINGLE:
        for i in range(len(numbers)):
            dot = np.float32(0.0)
            for d in range(len(question)):
                dot += facts.single[numbers[i], d] * question[d]
            found[i] = dot
        return found, words
    if facts.kind == HALF:
        for i in range(len(numbers)):
            dot = np.float32(0.0)
            for d in range(len(question)):
                dot += float_of_half(facts.half[numbers[i], d]) * question[d]
            found[i] = dot
        return found, words
    for i in range(len(numbers)):
        first, last = facts.indptr[numbers[i]], facts.indptr[numbers[i] + 1]
        while 2 * (words.held[0] + last - first) > len(words.keys):
            words = _wider(words)
        total = 0.0
        for j in range(first, last):
            at = word_place(words.keys, facts.index[j])
            if words.keys[at] < 0:
                words.keys[at] = facts.index[j]
                words.held[0] += 1
                dot = np.float32(0.0)
                for d in range(len(question)):
                    dot += np.float32(facts.codes[facts.index[j], d]) * question[d]
                words.likeness[at] = dot * facts.scale[facts.index[j]]
            total += words.likeness[at]
        norm = facts.norm[numbers[i]]
        found[i] = total / norm if norm > 0.0 else 0.0
    return found, words
