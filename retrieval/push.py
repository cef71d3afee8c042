"""Forward push, compiled: its work and memory depend on the seeds and the tolerance, not on the size of the graph.

Pushes are done in rounds, in the order in which nodes came to wait. See ``hipporag_like.retrieval.walk`` for what is
computed, and ``hipporag_like.retrieval.slots`` for where it is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled_freely
from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.compiled import prefetch
from hipporag_like.retrieval.likeness import ask_for, likeness_of
from hipporag_like.retrieval.similarity import FactArrays, FactVectors
from hipporag_like.retrieval.slots import (
    AHEAD,
    BEFORE,
    COLUMN,
    DEGREE,
    ESTIMATE,
    FACTOR,
    FIRST,
    JUDGED,
    LAST,
    MET,
    MOST,
    NODE,
    PUSHES,
    RESIDUAL,
    THRESHOLD,
    UNKNOWN,
    WAITING,
    WORK,
    WRITTEN,
    Links,
    Reals,
    State,
    Wholes,
    divide,
    edges_of,
    enter,
    no_nodes,
    with_room,
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
        Without synonyms ``work`` is at most ``1 / (AGAIN * tolerance * (1 - damping))``, and ``max(1 / tolerance,
        LEAST_FORCED)`` more where no seed has mass enough for its degree.

    Notes
    -----
    A node is pushed where its mass is more than ``tolerance`` times its degree, a seed as well as any other, and from
    then on where it is more than ``AGAIN`` of that. Where that
    meets no fact, the entity that has most mass for its degree is pushed nevertheless, and after it the others, until
    as many facts have been looked at as a node of all the mass may have; one that has more than are left sends its mass
    to some of them, at equal distances in the order of their numbers.
    """
    links = Links(*map(edges_of, graph))
    given = (links, facts.arrays(), facts.asked(question), Shape(*map(float, shape)))
    forced = max(int(1.0 / shape.tolerance), LEAST_FORCED)
    state = _run(_started(links, seeds, mass, shape.tolerance, forced), *given)
    n_entities, n_seeds = len(links.to_facts.indptr) - 1, int(state.counters[MET])
    if not (state.whole[:n_seeds, NODE] >= n_entities).any():
        while forced > 0 and (slot := _starved(state, n_entities, n_seeds)) >= 0:
            state.queue[0, 0] = slot
            state.counters[[COLUMN, WAITING, MOST]] = 0, 1, forced
            state = _run(state, *given)
            forced -= int(state.whole[slot, DEGREE]) - 1
    n, pushes, work = state.counters[[MET, PUSHES, WORK]].tolist()
    return Pushed(state.whole[:n, NODE], state.real[:n, ESTIMATE], state.real[:n, RESIDUAL], pushes, work)


def _started(links: Links, seeds: Wholes, mass: Reals, tolerance: float, most: int) -> State:
    """Return a state of seeds, those waiting that have mass enough."""
    n, indptr = len(seeds), links.to_facts.indptr
    state = no_nodes(n, len(indptr) + len(links.to_entities.indptr))
    degree = indptr[seeds + 1] - indptr[seeds] + 1
    state.whole[:n, NODE], state.whole[:n, DEGREE], state.whole[:n, FIRST] = seeds, degree, UNKNOWN
    state.real[:n, RESIDUAL], state.real[:n, THRESHOLD] = mass, tolerance * degree
    state.real[:n, ESTIMATE] = 0.0
    enter(state.table, state.whole, n)
    waiting = np.flatnonzero(mass > tolerance * degree)
    state.queue[: len(waiting), 0] = waiting
    state.counters[[MET, JUDGED, WAITING, MOST]] = n, n, len(waiting), most
    return state


def _run(state: State, links: Links, facts: FactArrays, question: NDArray[np.float32], shape: Shape) -> State:
    """Push until no node waits, with more room whenever it lacks."""
    while not _spread(state, links, facts, question, shape):
        state = with_room(state)
    return state


def _starved(state: State, n_entities: int, n: int) -> int:
    """Return which of the first n slots, an entity with facts, has most mass for its degree; -1 where none has any."""
    degree = state.whole[:n, DEGREE]
    wanted = (state.whole[:n, FIRST] == UNKNOWN) & (state.whole[:n, NODE] < n_entities) & (degree > 1)
    ratio = np.where(wanted, state.real[:n, RESIDUAL] / degree, 0.0)
    best = int(np.argmax(ratio))
    return best if ratio[best] > 0.0 else -1


# Of the tolerance, for a node that has been pushed before: what costs time is to meet nodes and to compare facts with
# the question, which comes with the first push. Of the 20 best passages 99.35 % are those of the exact walk instead of
# 98.65 %, in the same time (10,000 made-up passages, 100 questions); with 0.1 no more.
AGAIN = 0.2


@compiled_freely
def _judge(
    state: State, links: Links, facts: FactArrays, question: NDArray[np.float32], shape: Shape
) -> None:
    """Set the threshold of new slots, and how much the question favours facts."""
    ef, fe = links.to_facts.indptr, links.to_entities.indptr
    n_entities, counters = len(ef) - 1, state.counters
    for slot in range(counters[JUDGED], counters[MET]):
        later = state.whole[min(slot + AHEAD, counters[MET] - 1), NODE]
        if later < n_entities:
            prefetch(ef, later)
        else:
            prefetch(fe, later - n_entities)
            ask_for(facts, later - n_entities)
        node = state.whole[slot, NODE]
        if node < n_entities:
            degree = ef[node + 1] - ef[node] + 1
        else:
            fact = node - n_entities
            degree = fe[fact + 1] - fe[fact]
            likeness = likeness_of(facts, fact, question)
            state.real[slot, FACTOR] = np.exp(shape.sharpness * likeness)
        state.whole[slot, DEGREE] = degree
        state.real[slot, THRESHOLD] = shape.tolerance * degree
    counters[JUDGED] = counters[MET]


@compiled_freely
def _round(state: State, damping: float, again: float) -> None:
    """Push those that wait, whose neighbours are written down; after it those wait that came to in this round.

    A node comes to wait when its mass crosses its threshold, and a push leaves it nothing, so none waits twice. Its
    neighbours are known from then on, so that it is pushed for less mass the next time: ``again`` by its degree.
    """
    real, whole, queue, neighbour, share = state.real, state.whole, state.queue, state.neighbour, state.share
    column, later, sent = state.counters[COLUMN], 0, 0
    for i in range(state.counters[WAITING]):
        slot = queue[i, column]
        here = real[slot, RESIDUAL]
        real[slot, RESIDUAL] = 0.0
        real[slot, ESTIMATE] += (1.0 - damping) * here
        real[slot, THRESHOLD] = again * whole[slot, DEGREE]
        for j in range(whole[slot, FIRST], whole[slot, LAST]):
            to = neighbour[j]
            before, threshold = real[to, RESIDUAL], real[to, THRESHOLD]
            after = before + damping * here * share[j]
            real[to, RESIDUAL] = after
            queue[later, 1 - column] = to  # a branch here would be guessed wrongly too often
            later += before <= threshold and after > threshold
        sent += whole[slot, LAST] - whole[slot, FIRST]
    state.counters[PUSHES] += state.counters[WAITING]
    state.counters[WORK] += sent
    state.counters[COLUMN], state.counters[WAITING] = 1 - column, later


@compiled_freely
def _spread(
    state: State, links: Links, facts: FactArrays, question: NDArray[np.float32], shape: Shape
) -> bool:
    """Push until no node waits; False where room lacks: go on with more."""
    while state.counters[WAITING] > 0:
        if not write_down(state, links):
            return False
        _judge(state, links, facts, question, shape)
        divide(state, len(links.to_facts.indptr) - 1, shape.synonym_share)
        _round(state, shape.damping, AGAIN * shape.tolerance)
        state.counters[BEFORE] = state.counters[WRITTEN]
    return True
