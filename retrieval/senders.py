"""Who sent a node its mass, and the chains of such nodes from a seed to a fact; compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.retrieval.maxscore import search
from hipporag_like.retrieval.slots import Edges, Links

Wholes = NDArray[np.int64]
Reals = NDArray[np.float64]

MAX_EXPANSIONS = 256  # nodes looked at before a passage is given no path; a path has a handful
MAX_SENDERS = 16  # best senders followed from one node
_QUESTION = -2  # comes after the seeds
# Senders by fact and by synonym, and the question, of each node that is looked at.
_ROOM = MAX_EXPANSIONS * (2 * MAX_SENDERS + 1) + 1


class Reached(NamedTuple):
    """Where a walk started and went, as far as it may be seen; all numbers ascend.

    Attributes
    ----------
    seeds, seed_mass, entities, entity_mass, facts, fact_mass
        int64 and float64.
    """

    seeds: Wholes
    seed_mass: Reals
    entities: Wholes
    entity_mass: Reals
    facts: Wholes
    fact_mass: Reals


class Waiting(NamedTuple):
    """What is to be looked at: cost so far, node, and the node after it, (room,) each."""

    cost: Reals
    node: Wholes
    after: Wholes


@compiled
def best_chains(
    passages: Wholes, passage_facts: Wholes, links: Links, reached: Reached
) -> tuple[Wholes, Wholes, Reals]:
    """Return the best chain from a seed to each passage's best fact.

    Parameters
    ----------
    passages, passage_facts
        int64, (n,), and where each passage's facts start.
    links, reached
        The graph; nodes are numbered entities first, then facts. What a walk found in it.

    Returns
    -------
    starts : int64, (n + 1,)
        Where each passage's chain starts in the other two; empty where the walk did not reach it.
    nodes, mass : int64 and float64
    """
    n_entities = len(links.to_facts.indptr) - 1
    starts = np.zeros(len(passages) + 1, np.int64)
    nodes = np.empty(len(passages) * MAX_EXPANSIONS, np.int64)
    waiting = Waiting(np.empty(_ROOM), np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int64))
    for i in range(len(passages)):
        last, best = starts[i], -1
        at = np.searchsorted(reached.facts, passage_facts[passages[i]])
        while at < len(reached.facts) and reached.facts[at] < passage_facts[passages[i] + 1]:
            if best < 0 or reached.fact_mass[at] > reached.fact_mass[best]:
                best = at
            at += 1
        if best >= 0:
            last += _chain(n_entities + reached.facts[best], links, reached, waiting, nodes[starts[i] :])
        starts[i + 1] = last
    mass = np.empty(starts[-1])
    for j in range(len(mass)):
        if nodes[j] < n_entities:
            mass[j] = reached.entity_mass[np.searchsorted(reached.entities, nodes[j])]
        else:
            mass[j] = reached.fact_mass[np.searchsorted(reached.facts, nodes[j] - n_entities)]
    return starts, nodes[: starts[-1]], mass


@compiled
def _chain(target: int, links: Links, reached: Reached, waiting: Waiting, nodes: Wholes) -> int:
    """Write the nodes from a seed to ``target``; return how many, 0 where none is found.

    Dijkstra's algorithm; of equal costs the node of the lowest number, then that which leads to the lowest.
    """
    cost, node, after = waiting
    done, came, n, n_waiting = np.empty(MAX_EXPANSIONS, np.int64), np.empty(MAX_EXPANSIONS, np.int64), 0, 1
    cost[0], node[0], after[0] = 0.0, target, -1
    while n_waiting > 0 and n < MAX_EXPANSIONS:
        at = _first(waiting, n_waiting)
        here, this, then = cost[at], node[at], after[at]
        n_waiting -= 1
        cost[at], node[at], after[at] = cost[n_waiting], node[n_waiting], after[n_waiting]
        if _place(done, n, this) >= 0:
            continue
        done[n], came[n] = this, then
        n += 1
        if this == _QUESTION:
            return _written(done, came, n, nodes)
        for kind in range(2):
            senders, share = _senders(this, kind, links, reached)
            for j in range(len(senders)):
                if _place(done, n, senders[j]) < 0:
                    cost[n_waiting], node[n_waiting] = here - np.log(share[j]), senders[j]
                    after[n_waiting] = this
                    n_waiting += 1
        seed = np.searchsorted(reached.seeds, this)
        if seed < len(reached.seeds) and reached.seeds[seed] == this:
            # A seed got its mass from the question in this proportion.
            cost[n_waiting], node[n_waiting] = here - np.log(reached.seed_mass[seed]), _QUESTION
            after[n_waiting] = this
            n_waiting += 1
    return 0


@compiled
def _first(waiting: Waiting, n: int) -> int:
    cost, node, after = waiting
    best = 0
    for i in range(1, n):
        if cost[i] < cost[best] or (
            cost[i] == cost[best] and (node[i], after[i]) < (node[best], after[best])
        ):
            best = i
    return best


@compiled
def _place(done: Wholes, n: int, node: int) -> int:
    for i in range(n):
        if done[i] == node:
            return i
    return -1


@compiled
def _written(done: Wholes, came: Wholes, n: int, nodes: Wholes) -> int:
    length, node = 0, came[n - 1]
    while node != -1:
        nodes[length] = node
        length += 1
        node = came[_place(done, n, node)]
    return length


@compiled
def _senders(node: int, kind: int, links: Links, reached: Reached) -> tuple[Wholes, Reals]:
    """Return the nodes that may have sent mass here, with a share that orders them.

    Of an entity facts are of the first kind, synonyms of the second; of a fact all are entities.
    """
    n_entities = len(links.to_facts.indptr) - 1
    if node >= n_entities:
        if kind == 1:
            return np.empty(0, np.int64), np.empty(0)
        fact = node - n_entities
        return best_senders(
            links.to_entities, fact, reached.entities, reached.entity_mass, links.to_facts, True
        )
    if kind == 1:
        return best_senders(
            links.synonyms, node, reached.entities, reached.entity_mass, links.synonyms, False
        )
    facts, share = best_senders(
        links.to_facts, node, reached.facts, reached.fact_mass, links.to_entities, True
    )
    return facts + n_entities, share


@compiled
def best_senders(
    edges: Edges, row: int, known: Wholes, mass: Reals, own: Edges, divided: bool
) -> tuple[Wholes, Reals]:
    """Return the columns of a node's row that sent it most mass, most first; of equal ones the first.

    Parameters
    ----------
    edges, row
        The row.
    known, mass
        int64, ascending, and float64, (m,): the columns that the walk reached, and their mass.
    own, divided
        Each column's own row, by whose weights it divides its mass, if it does.

    Returns
    -------
    columns : int64
    sent : float64, positive
    """
    best, sent, found, at = np.empty(MAX_SENDERS, np.int64), np.empty(MAX_SENDERS), 0, 0
    j, last, bits, mask = (
        int(edges.indptr[row]),
        edges.indptr[row + 1],
        edges.bits,
        (1 << edges.bits) - 1,
    )
    own_mask = (1 << own.bits) - 1
    while j < last and at < len(known):
        column = np.int64(edges.edges[j]) >> bits
        if known[at] < column:
            at = search(known, at, len(known), column)
            continue
        if known[at] > column:
            j = search(edges.edges, j, last, known[at] << bits)
            continue
        here = mass[at] * np.float64(edges.values[edges.edges[j] & mask if mask > 0 else j])
        j += 1
        if divided:
            total = 0.0
            for edge in range(own.indptr[column], own.indptr[column + 1]):
                total += np.float64(own.values[own.edges[edge] & own_mask if own_mask > 0 else edge])
            here /= total
        if here <= 0.0 or (found == MAX_SENDERS and here <= sent[MAX_SENDERS - 1]):
            continue
        found = min(found + 1, MAX_SENDERS)
        place = found - 1
        while place > 0 and sent[place - 1] < here:
            best[place], sent[place] = best[place - 1], sent[place - 1]
            place -= 1
        best[place], sent[place] = column, here
    return best[:found], sent[:found]
