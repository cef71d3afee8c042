"""Forward push, compiled: its work and memory depend on the seeds and the tolerance, not on the size of the graph.

Pushes are done in rounds, in the order in which nodes came to wait. See ``hipporag_like.retrieval.walk`` for what is
computed, and ``hipporag_like.retrieval.slots`` for where it is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.compiled import compiled
from hipporag_like.retrieval.likeness import likenesses
from hipporag_like.retrieval.similarity import FactArrays, FactVectors, fixed
from hipporag_like.retrieval.slots import (
    DEGREE,
    ESTIMATE,
    FACTOR,
    FIRST,
    LAST,
    MET,
    NODE,
    PUSHES,
    RESIDUAL,
    THRESHOLD,
    UNKNOWN,
    WORK,
    WRITTEN,
    Edges,
    Links,
    Reals,
    State,
    Wholes,
    divide,
    no_nodes,
    slot_of,
    write_down,
)

# Facts that may be looked at by force however coarse the tolerance: a millisecond's work.
LEAST_FORCED = 1000


class Shape(NamedTuple):
    """How to walk; see ``hipporag_like.retrieval.walk.WalkOptions``."""

    damping: float
    tolerance: float
    sharpness: float
    synonym_share: float


class Pushed(NamedTuple):
    """What became of the mass.

    Attributes
    ----------
    nodes
        int64, (n_met,): every node that met mass, in that order.
    estimate, residual
        float64, aligned: mass settled, and not spread.
    pushes, work
        Pushes done, and the neighbours that these sent mass to.
    """

    nodes: Wholes
    estimate: Reals
    residual: Reals
    pushes: int
    work: int


def push(
    graph: tuple[Rows, Rows, Rows],
    facts: FactVectors,
    question: NDArray[np.float32],
    seeds: Wholes,
    mass: Reals,
    shape: Shape,
) -> Pushed:
    """Spread mass from seeds.

    Parameters
    ----------
    graph
        Entity to facts, fact to entities, synonyms. Nodes are numbered entities first, then facts.
    facts, question
        What an entity prefers facts by.
    seeds, mass
        int64 and float64, (n_seeds,): distinct entities, and their mass, 1 in all.

    Returns
    -------
    Pushed
        Without synonyms ``work`` is at most ``1 / (tolerance * (1 - damping))``, and ``max(1 / tolerance,
        LEAST_FORCED)`` more where no seed had mass enough for its degree (:func:`_spread`).
    """
    links = Links(*(Edges(fixed(rows.indptr), fixed(rows.indices), fixed(rows.weights)) for rows in graph))
    forced = max(int(1.0 / shape.tolerance), LEAST_FORCED)
    shape = Shape(*map(float, shape))
    state, counters = _spread(
        links, facts.arrays(), fixed(question), fixed(seeds), fixed(mass), shape, forced
    )
    n, pushes, work = int(counters[MET]), int(counters[PUSHES]), int(counters[WORK])
    return Pushed(state.whole[:n, NODE], state.real[:n, ESTIMATE], state.real[:n, RESIDUAL], pushes, work)


@compiled
def _judge(
    state: State,
    links: Links,
    facts: FactArrays,
    question: NDArray[np.float32],
    shape: Shape,
    old: int,
    n: int,
) -> State:
    """Set the threshold of the slots from ``old`` to ``n``, and how much the question favours the facts among them."""
    ef, fe = links.to_facts.indptr, links.to_entities.indptr
    n_entities, new = len(ef) - 1, 0
    numbers, places = np.empty(n - old, dtype=np.int64), np.empty(n - old, dtype=np.int64)
    for slot in range(old, n):
        node = state.whole[slot, NODE]
        if node < n_entities:
            degree = ef[node + 1] - ef[node] + 1
        else:
            fact = node - n_entities
            degree = fe[fact + 1] - fe[fact]
            numbers[new], places[new] = fact, slot
            new += 1
        state.whole[slot, DEGREE] = degree
        state.real[slot, THRESHOLD] = shape.tolerance * degree
    likeness, words = likenesses(facts, numbers[:new], question, state.words)
    for i in range(new):
        state.real[places[i], FACTOR] = np.exp(shape.sharpness * likeness[i])
    real, whole, queue, keys, slots, neighbour, share, _ = state
    return State(real, whole, queue, keys, slots, neighbour, share, words)


@compiled
def _round(state: State, column: int, waiting: int, damping: float, counters: Wholes) -> int:
    """Push those that wait, whose neighbours are written down; return how many wait for the next round.

    A node comes to wait when its mass crosses its threshold, and a push leaves it nothing, so none waits twice.
    """
    real, whole, queue, neighbour, share = state.real, state.whole, state.queue, state.neighbour, state.share
    later = 0
    for i in range(waiting):
        slot = queue[i, column]
        first, last = whole[slot, FIRST], whole[slot, LAST]
        here = real[slot, RESIDUAL]
        real[slot, RESIDUAL] = 0.0
        real[slot, ESTIMATE] += (1.0 - damping) * here
        for j in range(first, last):
            to = neighbour[j]
            before, threshold = real[to, RESIDUAL], real[to, THRESHOLD]
            after = before + damping * here * share[j]
            real[to, RESIDUAL] = after
            if before <= threshold and after > threshold:
                queue[later, 1 - column] = to
                later += 1
        counters[PUSHES] += 1
        counters[WORK] += last - first
    return later


@compiled
def _starved(state: State, n_entities: int, n: int) -> int:
    """Return which slot, an entity with facts, has most mass for its degree; -1 where there is none."""
    best, most = -1, 0.0
    for slot in range(n):
        degree = state.whole[slot, DEGREE]
        ratio = state.real[slot, RESIDUAL] / degree
        unknown = state.whole[slot, FIRST] == UNKNOWN
        if unknown and state.whole[slot, NODE] < n_entities and degree > 1 and ratio > most:
            best, most = slot, ratio
    return best


@compiled
def _until_none_waits(
    state: State,
    links: Links,
    facts: FactArrays,
    question: NDArray[np.float32],
    shape: Shape,
    waiting: int,
    most: int,
    counters: Wholes,
) -> State:
    """Push in rounds, first the ``waiting`` slots in the queue's first column; of an entity ``most`` facts at most."""
    column, n_entities = 0, len(links.to_facts.indptr) - 1
    while waiting > 0:
        old, written = counters[MET], counters[WRITTEN]
        state = write_down(state, links, column, waiting, most, counters)
        state = _judge(state, links, facts, question, shape, old, counters[MET])
        divide(state, n_entities, column, waiting, written, shape.synonym_share)
        waiting = _round(state, column, waiting, shape.damping, counters)
        column = 1 - column
    return state


@compiled
def _spread(
    links: Links,
    facts: FactArrays,
    question: NDArray[np.float32],
    seeds: Wholes,
    mass: Reals,
    shape: Shape,
    forced: int,
) -> tuple[State, Wholes]:
    """Push until no node has more mass than its threshold, and return what is known and the counters.

    If that met no fact, the entity that has most mass for its degree is pushed nevertheless, and after it the others,
    until ``forced`` facts have been looked at; one that has more than are left sends its mass to some of them.
    """
    n_entities, waiting = len(links.to_facts.indptr) - 1, 0
    state, counters = no_nodes(len(seeds)), np.zeros(4, dtype=np.int64)
    for slot in range(len(seeds)):
        slot_of(seeds[slot], state, slot)
        state.real[slot, RESIDUAL] = mass[slot]
    counters[MET] = len(seeds)
    state = _judge(state, links, facts, question, shape, 0, len(seeds))
    for slot in range(len(seeds)):
        if mass[slot] > state.real[slot, THRESHOLD]:
            state.queue[waiting, 0] = slot
            waiting += 1
    state = _until_none_waits(state, links, facts, question, shape, waiting, forced, counters)
    n = counters[MET]
    if not (state.whole[:n, NODE] >= n_entities).any():
        slot = _starved(state, n_entities, n)
        while slot >= 0 and forced > 0:
            state.queue[0, 0] = slot
            state = _until_none_waits(state, links, facts, question, shape, 1, forced, counters)
            forced -= state.whole[slot, DEGREE] - 1
            slot = _starved(state, n_entities, n)
    return state, counters
