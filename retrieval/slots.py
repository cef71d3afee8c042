"""The part of the graph that a walk has met, compiled: compact arrays that grow with it.

Nodes get a *slot* each, numbered as they are met; a hash table leads from node to slot. What is written down of a node,
its neighbours' slots and their weights, is read from the graph once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled, compiled_freely
from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.rows import Rows, RowStarts
from hipporag_like.retrieval.compiled import prefetch, word_place

# Slots to begin with, in a graph of as many nodes: a question of the dev sets meets 3,000 to 20,000.
ROOM = 1 << 14
RESIDUAL, THRESHOLD, ESTIMATE, FACTOR = range(4)  # columns of a slot's real numbers
# Columns of its whole numbers: the node, its degree (of an entity one more), and where its neighbours are written down:
# synonyms first, from SPLIT on facts or entities.
NODE, DEGREE, FIRST, SPLIT, LAST = range(5)
UNKNOWN = -1  # in FIRST: not written down yet
# Counters: slots, and those whose degree is known; neighbours written down, and those before this round; the queue's
# column of this round and how many wait there; facts of an entity that may be looked at; pushes, and neighbours sent
# mass; room that lacks, for nodes and neighbours.
MET, JUDGED, WRITTEN, BEFORE, COLUMN, WAITING, MOST, PUSHES, WORK, LACKED = range(10)

# Of what is read all over memory, so many nodes ahead are asked for.
AHEAD = 12

Reals = NDArray[np.float64]
Wholes = NDArray[np.int64]
Numbers = NDArray[np.int32]


class Edges(NamedTuple):
    """A sparse matrix by rows; see ``hipporag_like.indexing.rows.Rows``."""

    indptr: RowStarts
    edges: NDArray[np.int32]
    values: NDArray[np.float32]
    bits: int


def edges_of(rows: Rows) -> Edges:
    """Return a matrix as compiled code takes it."""
    return Edges(fixed(rows.indptr), fixed(rows.edges), fixed(rows.values), rows.bits)


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
        int64, (room + 1, 2): slots to push in this round and in the next; one column each, in turn.
    table
        int32, (2 * room, 2): a hash table of nodes and their slots; ``indexing.limits`` keeps node numbers that small.
    neighbour, share
        int32 and float64, (any,): the slots that nodes send mass to, written down one node after the other, and the
        weights, which become shares.
    counters
        int64: see ``MET``.
    """

    real: Reals
    whole: Wholes
    queue: Wholes
    table: Numbers
    neighbour: Numbers
    share: Reals
    counters: Wholes


def no_nodes(least: int, most: int) -> State:
    """Return a state of no nodes with room for ``least`` at least, in a graph of ``most``."""
    room = _doubled(1, max(least, min(ROOM, most)))
    real, whole, queue = np.empty((room, 4)), np.empty((room, 5), np.int64), np.empty((room + 1, 2), np.int64)
    neighbour, share = np.empty(2 * room, np.int32), np.empty(2 * room)
    return State(real, whole, queue, _free(room), neighbour, share, np.zeros(10, np.int64))


def with_room(state: State) -> State:
    """Return the same state with the room that it lacks by its counters."""
    more = int(state.counters[LACKED])
    state.counters[LACKED] = 0
    room = _doubled(len(state.whole), int(state.counters[MET]) + more)
    ends = _doubled(len(state.neighbour), int(state.counters[WRITTEN]) + more)
    state = state._replace(neighbour=_longer(state.neighbour, ends), share=_longer(state.share, ends))
    if room == len(state.whole):
        return state
    table = _free(room)
    enter(table, state.whole, state.counters[MET])
    real, whole, queue = _longer(state.real, room), _longer(state.whole, room), _longer(state.queue, room + 1)
    return state._replace(real=real, whole=whole, queue=queue, table=table)


def _doubled(size: int, least: int) -> int:
    while size < least:
        size *= 2
    return size


def _free(room: int) -> Numbers:
    """Return an empty hash table for ``room`` nodes; a node and its slot share a line of the cache."""
    return np.full((2 * room, 2), -1, np.int32)


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return an array of ``size`` rows that begins with another; the rest is not set."""
    if len(array) == size:
        return array
    longer = np.empty((size, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@compiled_freely
def enter(table: Numbers, whole: Wholes, n: int) -> None:
    """Enter the first n slots into an empty hash table."""
    for slot in range(n):
        at = word_place(table[:, 0], whole[slot, NODE])
        table[at, 0], table[at, 1] = whole[slot, NODE], slot


@compiled
def _ask_for(links: Links, node: int, n_entities: int) -> None:
    """Ask the memory for a node's neighbours."""
    if node < n_entities:
        first = links.to_facts.indptr[node]
        prefetch(links.synonyms.indptr, node)
        prefetch(links.to_facts.edges, first)
    else:
        first = links.to_entities.indptr[node - n_entities]
        prefetch(links.to_entities.edges, first)


@compiled_freely
def write_down(state: State, links: Links) -> bool:
    """Write down the neighbours of the waiting slots, of an entity ``MOST`` facts at most; False where room lacks.

    New neighbours get a slot. Of a row that is too long, places at equal distances are taken.
    """
    real, whole, queue, table = state.real, state.whole, state.queue, state.table
    neighbour, share, counters = state.neighbour, state.share, state.counters
    n_entities, n, written = len(links.to_facts.indptr) - 1, counters[MET], counters[WRITTEN]
    for i in range(counters[WAITING]):
        slot = queue[i, counters[COLUMN]]
        if i + AHEAD < counters[WAITING] and whole[queue[i + AHEAD, counters[COLUMN]], FIRST] == UNKNOWN:
            _ask_for(links, whole[queue[i + AHEAD, counters[COLUMN]], NODE], n_entities)
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
            mask = (1 << edges.bits) - 1
            for j in range(looked if kind == 0 else alike):
                at = first + (j * count // looked if kind == 0 and looked < count else j)
                other = offset + (edges.edges[at] >> edges.bits)
                place = word_place(table[:, 0], other)
                if table[place, 0] < 0:
                    table[place, 0], table[place, 1] = other, n
                    whole[n, NODE], whole[n, FIRST] = other, UNKNOWN
                    real[n, RESIDUAL], real[n, ESTIMATE] = 0.0, 0.0
                    n += 1
                neighbour[written] = table[place, 1]
                share[written] = edges.values[edges.edges[at] & mask if mask > 0 else at]
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
