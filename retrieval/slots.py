"""The part of the graph that a walk has met, compiled: compact arrays that grow with it.

Nodes get a *slot* each, numbered as they are met; a hash table leads from node to slot. What is written down of a node,
its neighbours' slots and their weights, is read from the graph once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.compiled import compiled, inlined, word_place
from hipporag_like.retrieval.likeness import Words, no_words

ROOM = 1 << 12  # slots to begin with; a question of the dev sets meets 3,000 to 20,000 nodes
RESIDUAL, THRESHOLD, ESTIMATE, FACTOR = range(4)  # columns of a slot's real numbers
# Columns of its whole numbers: the node, its degree (of an entity one more), and where its neighbours are written down:
# facts or entities first, synonyms from SPLIT on.
NODE, DEGREE, FIRST, SPLIT, LAST = range(5)
UNKNOWN = -1  # in FIRST: not written down yet
MET, WRITTEN, PUSHES, WORK = range(4)  # counters: slots, neighbours written down, pushes, neighbours sent mass

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
    words
        Of the facts met, where facts are bags of words.
    """

    real: Reals
    whole: Wholes
    queue: Wholes
    keys: Wholes
    slots: Wholes
    neighbour: Wholes
    share: Reals
    words: Words


@compiled
def _table(whole: Wholes, n: int) -> tuple[Wholes, Wholes]:
    """Return a hash table of the first n slots, twice as long as ``whole``."""
    keys = np.full(2 * len(whole), -1, dtype=np.int64)
    slots = np.empty(2 * len(whole), dtype=np.int64)
    for slot in range(n):
        at = word_place(keys, whole[slot, NODE])
        keys[at], slots[at] = whole[slot, NODE], slot
    return keys, slots


@compiled
def no_nodes(least: int) -> State:
    """Return a state of no nodes with room for ``least`` at least."""
    room = ROOM
    while room < least:
        room *= 2
    whole, queue = np.zeros((room, 5), dtype=np.int64), np.zeros((room, 2), dtype=np.int64)
    keys, slots = _table(whole, 0)
    neighbour, share = np.zeros(4 * room, dtype=np.int64), np.zeros(4 * room)
    return State(np.zeros((room, 4)), whole, queue, keys, slots, neighbour, share, no_words())


@compiled
def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return an array of ``size`` rows that begins with another; the rest is 0."""
    grown = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown


@compiled
def _with_room(state: State, counters: Wholes, more: int) -> State:
    """Return the same state with room for so many more nodes and neighbours."""
    room, ends = len(state.whole), len(state.neighbour)
    while room < counters[MET] + more:
        room *= 2
    while ends < counters[WRITTEN] + more:
        ends *= 2
    real, whole, queue, keys, slots, neighbour, share, words = state
    if room > len(whole):
        real, whole, queue = _longer(real, room), _longer(whole, room), _longer(queue, room)
        keys, slots = _table(whole, counters[MET])
    if ends > len(neighbour):
        neighbour, share = _longer(neighbour, ends), _longer(share, ends)
    return State(real, whole, queue, keys, slots, neighbour, share, words)


@inlined
def slot_of(node: int, state: State, n: int) -> int:
    """Return the slot of a node; where it is new that is ``n``, the next one, which must have room."""
    at = word_place(state.keys, node)
    if state.keys[at] < 0:
        state.keys[at], state.slots[at] = node, n
        state.whole[n, NODE], state.whole[n, FIRST] = node, UNKNOWN
    return state.slots[at]  # type: ignore[no-any-return]


@compiled
def _meet(state: State, edges: Edges, row: int, offset: int, looked: int, counters: Wholes) -> None:
    """Write down the neighbours of a row, ``looked`` of them at equal distances; new ones get a slot."""
    first, count = edges.indptr[row], edges.indptr[row + 1] - edges.indptr[row]
    n, written = counters[MET], counters[WRITTEN]
    for j in range(looked):
        at = first + (j if looked == count else j * count // looked)
        slot = slot_of(offset + edges.indices[at], state, n)
        if slot == n:
            n += 1
        state.neighbour[written + j] = slot
        state.share[written + j] = edges.weights[at]
    counters[MET], counters[WRITTEN] = n, written + looked


@compiled
def write_down(state: State, links: Links, column: int, waiting: int, most: int, counters: Wholes) -> State:
    """Write down the neighbours of the waiting slots, of an entity ``most`` facts at most."""
    n_entities = len(links.to_facts.indptr) - 1
    for i in range(waiting):
        slot = state.queue[i, column]
        if state.whole[slot, FIRST] != UNKNOWN:
            continue
        node, looked, alike = state.whole[slot, NODE], state.whole[slot, DEGREE], 0
        if node < n_entities:
            looked = min(looked - 1, most)
            alike = links.synonyms.indptr[node + 1] - links.synonyms.indptr[node]
        state = _with_room(state, counters, looked + alike)
        state.whole[slot, FIRST] = counters[WRITTEN]
        if node < n_entities:
            _meet(state, links.to_facts, node, n_entities, looked, counters)
        else:
            _meet(state, links.to_entities, node - n_entities, 0, looked, counters)
        state.whole[slot, SPLIT] = counters[WRITTEN]
        if alike > 0:
            _meet(state, links.synonyms, node, 0, alike, counters)
        state.whole[slot, LAST] = counters[WRITTEN]
    return state


@inlined
def _scale(share: Reals, first: int, last: int, whole: float) -> None:
    """Bring shares to the sum ``whole``."""
    total = 0.0
    for j in range(first, last):
        total += share[j]
    for j in range(first, last):
        share[j] *= whole / total


@compiled
def divide(
    state: State, n_entities: int, column: int, waiting: int, written: int, synonym_share: float
) -> None:
    """Turn weights into shares of mass, for those waiting whose neighbours stand from ``written`` on."""
    for i in range(waiting):
        slot = state.queue[i, column]
        first, split, last = state.whole[slot, FIRST], state.whole[slot, SPLIT], state.whole[slot, LAST]
        if first < written:
            continue
        if state.whole[slot, NODE] < n_entities:
            for j in range(first, split):
                state.share[j] *= state.real[state.neighbour[j], FACTOR]
        part = 0.0 if split == last else (synonym_share if split > first else 1.0)
        _scale(state.share, first, split, 1.0 - part)
        _scale(state.share, split, last, part)
