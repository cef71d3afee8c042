"""The part of the graph that a walk has met, compiled: compact arrays that grow with it.

Nodes get a *slot* each, numbered as they are met; a hash table leads from node to slot. What is written down of a node,
its neighbours' slots and their weights, is read from the graph once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled_freely
from hipporag_like.retrieval.compiled import word_place

ROOM = 1 << 12  # slots to begin with; a question of the dev sets meets 3,000 to 20,000 nodes
RESIDUAL, THRESHOLD, ESTIMATE, FACTOR = range(4)  # columns of a slot's real numbers
# Columns of its whole numbers: the node, its degree (of an entity one more), and where its neighbours are written down:
# synonyms first, from SPLIT on facts or entities.
NODE, DEGREE, FIRST, SPLIT, LAST = range(5)
UNKNOWN = -1  # in FIRST: not written down yet
# Counters: slots, and those whose degree is known; neighbours written down, and those before this round; the queue's
# column of this round and how many wait there; facts of an entity that may be looked at; pushes, and neighbours sent
# mass; room that lacks, for nodes and neighbours.
MET, JUDGED, WRITTEN, BEFORE, COLUMN, WAITING, MOST, PUSHES, WORK, LACKED = range(10)

Reals = NDArray[np.float64]
Wholes = NDArray[np.int64]


class Edges(NamedTuple):
    """A sparse matrix by rows; see ``hipporag_like.indexing.rows.Rows``."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float32]


class Links(NamedTuple):
    """The whole graph. Nodes are numbered entities first, then facts."""

    to_facts: Edges
    to_entities: Edges
    synonyms: Edges


class State(NamedTuple):
    """What is known of the nodes met so far, by slot.

    Attributes
    ----------
    real, whole
        float64, (room, 4), and int64, (room, 5).
    queue
        int64, (room, 2): slots to push in this round and in the next; one column each, in turn.
    keys, slots
        int64, (2 * room,): a hash table from node to slot.
    neighbour, share
        int64 and float64, (any,): the slots that nodes send mass to, written down one node after the other, and the
        weights, which become shares.
    counters
        int64: see ``MET``.
    """

    real: Reals
    whole: Wholes
    queue: Wholes
    keys: Wholes
    slots: Wholes
    neighbour: Wholes
    share: Reals
    counters: Wholes


def no_nodes(least: int) -> State:
    """Return a state of no nodes with room for ``least`` at least."""
    room = _doubled(ROOM, least)
    keys, slots = np.full(2 * room, -1, np.int64), np.empty(2 * room, np.int64)
    real, whole, queue = np.zeros((room, 4)), np.empty((room, 5), np.int64), np.empty((room, 2), np.int64)
    neighbour, share = np.empty(4 * room, np.int64), np.empty(4 * room)
    return State(real, whole, queue, keys, slots, neighbour, share, np.zeros(10, np.int64))


def with_room(state: State) -> State:
    """Return the same state with the room that it lacks by its counters."""
    more = int(state.counters[LACKED])
    state.counters[LACKED] = 0
    room = _doubled(len(state.whole), int(state.counters[MET]) + more)
    ends = _doubled(len(state.neighbour), int(state.counters[WRITTEN]) + more)
    state = state._replace(neighbour=_longer(state.neighbour, ends), share=_longer(state.share, ends))
    if room == len(state.whole):
        return state
    keys, slots = np.full(2 * room, -1, np.int64), np.empty(2 * room, np.int64)
    enter(keys, slots, state.whole, state.counters[MET])
    real, whole, queue = (_longer(array, room) for array in (state.real, state.whole, state.queue))
    return state._replace(real=real, whole=whole, queue=queue, keys=keys, slots=slots)


def _doubled(size: int, least: int) -> int:
    while size < least:
        size *= 2
    return size


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return an array of ``size`` rows that begins with another; the rest is 0."""
    if len(array) == size:
        return array
    return np.concatenate([array, np.zeros((size - len(array), *array.shape[1:]), array.dtype)])


@compiled_freely
def enter(keys: Wholes, slots: Wholes, whole: Wholes, n: int) -> None:
    """Enter the first n slots into an empty hash table."""
    for slot in range(n):
        at = word_place(keys, whole[slot, NODE])
        keys[at], slots[at] = whole[slot, NODE], slot


@compiled_freely
def write_down(state: State, links: Links) -> bool:
    """Write down the neighbours of the waiting slots, of an entity ``MOST`` facts at most; False where room lacks.

    New neighbours get a slot. Of a row that is too long, places at equal distances are taken.
    """
    whole, queue, keys, slots = state.whole, state.queue, state.keys, state.slots
    neighbour, share, counters = state.neighbour, state.share, state.counters
    n_entities, n, written = len(links.to_facts.indptr) - 1, counters[MET], counters[WRITTEN]
    for i in range(counters[WAITING]):
        slot = queue[i, counters[COLUMN]]
        if whole[slot, FIRST] != UNKNOWN:
            continue
        node, looked, alike, kinds = whole[slot, NODE], whole[slot, DEGREE], 0, 1
        if node < n_entities:
            looked, kinds = min(looked - 1, counters[MOST]), 2
            alike = links.synonyms.indptr[node + 1] - links.synonyms.indptr[node]
        counters[MET], counters[WRITTEN] = n, written
        if n + looked + alike > len(whole) or written + looked + alike > len(neighbour):
            counters[LACKED] = looked + alike
            return False
        whole[slot, FIRST], whole[slot, SPLIT] = written, written + alike
        for kind in range(kinds - 1, -1, -1):
            edges = links.synonyms if kind == 1 else (links.to_facts if kinds == 2 else links.to_entities)
            row, offset = node, n_entities if kinds == 2 and kind == 0 else 0
            if kinds == 1:
                row -= n_entities
            first, count = edges.indptr[row], edges.indptr[row + 1] - edges.indptr[row]
            for j in range(looked if kind == 0 else alike):
                at = first + (j * count // looked if kind == 0 and looked < count else j)
                other = offset + edges.indices[at]
                place = word_place(keys, other)
                if keys[place] < 0:
                    keys[place], slots[place] = other, n
                    whole[n, NODE], whole[n, FIRST] = other, UNKNOWN
                    n += 1
                neighbour[written], share[written] = slots[place], edges.weights[at]
                written += 1
        whole[slot, LAST] = written
    counters[MET], counters[WRITTEN] = n, written
    return True


@compiled_freely
def divide(state: State, n_entities: int, synonym_share: float) -> None:
    """Turn weights into shares of mass, for those waiting whose neighbours were written down in this round."""
    share = state.share
    for i in range(state.counters[WAITING]):
        slot = state.queue[i, state.counters[COLUMN]]
        first, split, last = state.whole[slot, FIRST], state.whole[slot, SPLIT], state.whole[slot, LAST]
        if first < state.counters[BEFORE]:
            continue
        part = 0.0 if split == first else (synonym_share if last > split else 1.0)
        total = 0.0
        for j in range(split, last):
            if state.whole[slot, NODE] < n_entities:
                share[j] *= state.real[state.neighbour[j], FACTOR]
            total += share[j]
        for j in range(split, last):
            share[j] *= (1.0 - part) / total
        total = 0.0
        for j in range(first, split):
            total += share[j]
        for j in range(first, split):
            share[j] *= part / total
