"""The best path question -> entity -> fact -> ... -> passage, for one hit.

The path follows the walk backwards from the passage: each step goes to a node that sent mass here, and the
whole path is the one with the largest product of shares (a shortest path in -log share, found by Dijkstra's
algorithm on the part of the graph that the walk touched).
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.walk import WalkResult
from hipporag_like.types import PathStep

Wholes = NDArray[np.int64]
Reals = NDArray[np.float64]
Row = tuple[NDArray[np.int32], NDArray[np.float32]]

MAX_EXPANSIONS = 256  # nodes looked at before a passage is given no path; a path has a handful
MAX_SENDERS = 16  # best senders followed from one node


class Paths:
    """The best paths to the hits of one question; what they have in common is looked up once.

    Parameters
    ----------
    inside
        The namespace, and what may be seen of it; a path goes nowhere else.
    question, linked, walked
        The query.
    """

    def __init__(self, inside: Inside, question: str, linked: Linked, walked: WalkResult) -> None:
        self._inside = inside
        self._question = question
        self._mass = _Mass(inside, walked)
        self._seeds = dict(zip(linked.entities.tolist(), linked.mass.tolist(), strict=True))
        self._senders: dict[int, list[tuple[int, float]]] = {}

    def to(self, passage: int) -> tuple[PathStep, ...]:
        """Return the path that carried most to a passage; empty where the walk did not reach it."""
        inside, mass = self._inside, self._mass
        start = mass.best_fact(passage)
        chain = [] if start < 0 else self._chain(start)
        if not chain:
            return ()
        title = inside.segment.title(passage) or inside.segment.passage_ids[passage]
        reached = PathStep("passage", title, mass.fact(start))
        steps = (_step(inside, mass, node) for node in chain)
        return (PathStep("question", self._question, 1.0), *steps, reached)

    def _chain(self, start: int) -> list[int]:
        """Return nodes from a seed entity to the fact ``start``; empty where none is found."""
        target = self._inside.segment.n_entities + start
        came: dict[int, int] = {}
        done: set[int] = set()
        queue: list[tuple[float, int, int]] = [(0.0, target, -1)]
        while queue and len(done) < MAX_EXPANSIONS:
            cost, node, towards = heapq.heappop(queue)
            if node in done:
                continue
            done.add(node)
            came[node] = towards
            if node == -2:
                break
            for sender, share in self._sent_by(node):
                if sender not in done:
                    heapq.heappush(queue, (cost - math.log(share), sender, node))
            if node in self._seeds:
                # A seed got its mass from the question in this proportion.
                heapq.heappush(queue, (cost - math.log(self._seeds[node]), -2, node))
        if -2 not in came:
            return []
        chain = []
        node = came[-2]
        while node != -1:
            chain.append(node)
            node = came[node]
        return chain

    def _sent_by(self, node: int) -> list[tuple[int, float]]:
        found = self._senders.get(node)
        if found is None:
            found = self._senders[node] = self._mass.senders(node)
        return found


class _Mass:
    """The walk's mass by node, where it may be seen; nodes are entities, then facts."""

    def __init__(self, inside: Inside, walked: WalkResult) -> None:
        segment, seen = inside.segment, inside.facts(walked.facts)
        graph = segment.entity_facts, segment.fact_entities, segment.synonyms
        self._inside = inside
        self._to_facts, self._to_entities, self._synonyms = map(_fixed_rows, graph)
        self._entities, self._entity_mass = fixed(walked.entities), fixed(walked.entity_mass)
        self._facts, self._fact_mass = fixed(walked.facts[seen]), fixed(walked.fact_mass[seen])

    def best_fact(self, passage: int) -> int:
        """Return the passage's fact with most mass, -1 where the walk reached none."""
        first, last = self._inside.segment.array("passage_facts")[passage : passage + 2].tolist()
        lo, hi = np.searchsorted(self._facts, [first, last]).tolist()
        return int(self._facts[lo + int(np.argmax(self._fact_mass[lo:hi]))]) if lo < hi else -1

    def fact(self, number: int) -> float:
        """Return the mass of one fact that has some."""
        return float(self._fact_mass[np.searchsorted(self._facts, number)])

    def entity(self, number: int) -> float:
        """Return the mass of one entity that has some."""
        return float(self._entity_mass[np.searchsorted(self._entities, number)])

    def senders(self, node: int) -> list[tuple[int, float]]:
        """Return the nodes that may have sent mass here, with a share that orders them."""
        n_entities, known = self._inside.segment.n_entities, (self._entities, self._entity_mass)
        if node >= n_entities:
            return _pairs(self._seen(self._to_entities, node - n_entities), known, self._to_facts)
        row, synonyms = _fixed_row(self._to_facts, node), self._seen(self._synonyms, node)
        facts = _pairs(row, (self._facts, self._fact_mass), self._to_entities)
        return [(n_entities + fact, share) for fact, share in facts] + _pairs(synonyms, known, _WHOLE)

    def _seen(self, rows: Rows, i: int) -> Row:
        """Return a row of entities, without those that may not be seen."""
        row = _fixed_row(rows, i)
        if self._inside.passages is None:
            return row
        seen = self._inside.entities(row[0])
        return fixed(row[0][seen]), fixed(row[1][seen])


def _fixed_rows(rows: Rows) -> Rows:
    return Rows(fixed(rows.indptr), fixed(rows.edges), fixed(rows.values), rows.bits)


def _fixed_row(rows: Rows, i: int) -> Row:
    columns, weights = rows.row(i)
    return fixed(columns), fixed(weights)


# Of nodes that send all their mass along each edge.
_WHOLE = _fixed_rows(Rows(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32)))


def _pairs(row: Row, known: tuple[Wholes, Reals], own: Rows) -> list[tuple[int, float]]:
    """Return the best senders of a row; see ``retrieval.senders``."""
    from hipporag_like.retrieval.senders import best_senders

    numbers, shares = best_senders(*row, *known, own.indptr, own.edges, own.values, own.bits, MAX_SENDERS)
    return list(zip(numbers.tolist(), shares.tolist(), strict=True))


def _step(inside: Inside, mass: _Mass, node: int) -> PathStep:
    segment = inside.segment
    if node >= segment.n_entities:
        number = node - segment.n_entities
        return PathStep("fact", segment.fact_text(number), mass.fact(number))
    return PathStep("entity", inside.name(node), mass.entity(node))
