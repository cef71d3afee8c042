"""How like a question a fact is, compiled into the walk, which asks for one after the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled_freely, inlined
from hipporag_like.retrieval.compiled import float_of_half, word_place
from hipporag_like.retrieval.similarity import HALF, SINGLE, FactArrays

ROOM = 1 << 13  # places for words to begin with; a walk over bags of words meets some thousand words


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


def no_words(room: int = ROOM) -> Words:
    """Return a table without words."""
    return Words(np.full(room, -1, dtype=np.int32), np.empty(room, dtype=np.float32), np.zeros(1, np.int64))


def with_room(words: Words, more: int) -> Words:
    """Return the same words in a table with room for so many more."""
    room = len(words.keys)
    while room < 2 * (int(words.held[0]) + more):
        room *= 2
    wider = no_words(room)
    _copy(words, wider)
    return wider


@compiled_freely
def _copy(words: Words, wider: Words) -> None:
    for i in range(len(words.keys)):
        if words.keys[i] >= 0:
            at = word_place(wider.keys, words.keys[i])
            wider.keys[at], wider.likeness[at] = words.keys[i], words.likeness[i]
    wider.held[0] = words.held[0]


@inlined
def likeness_of(facts: FactArrays, fact: int, question: NDArray[np.float32], words: Words) -> Any:
    """Return the inner product of a fact and a question; ``words`` must have room for those of the fact."""
    dot = np.float32(0.0)
    if facts.kind == SINGLE:
        for d in range(len(question)):
            dot += facts.single[fact, d] * question[d]
        return dot
    if facts.kind == HALF:
        for d in range(len(question)):
            dot += float_of_half(facts.half[fact, d]) * question[d]
        return dot
    total = 0.0
    for j in range(facts.indptr[fact], facts.indptr[fact + 1]):
        word = facts.words[j]
        at = word_place(words.keys, word)
        if words.keys[at] < 0:
            words.keys[at] = word
            words.held[0] += 1
            dot = np.float32(0.0)
            for d in range(len(question)):
                dot += np.float32(facts.codes[word, d]) * question[d]
            words.likeness[at] = dot * facts.scale[word]
        total += words.likeness[at]
    return total / facts.norm[fact] if facts.norm[fact] > 0.0 else 0.0
