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

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.mentions import ranges
from hipporag_like.retrieval.walk import WalkResult
from hipporag_like.types import PathStep

Columns = NDArray[np.int32]
Weights = NDArray[np.float32]

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
                if sender not in done and share > 0:
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
            found = self._senders[node] = _senders(self._inside.segment, self._mass, node)
        return found


class _Mass:
    """The walk's mass by node; nodes are entities, then facts."""

    def __init__(self, inside: Inside, walked: WalkResult) -> None:
        self._inside = inside
        self._walked = walked
        self._facts, self._entities = walked.facts.astype(np.int32), walked.entities.astype(np.int32)

    def best_fact(self, passage: int) -> int:
        """Return the passage's fact with most mass, -1 where the walk reached none."""
        first, last = self._inside.segment.array("passage_facts")[passage : passage + 2].tolist()
        lo, hi = np.searchsorted(self._walked.facts, [first, last]).tolist()
        if lo == hi:
            return -1
        return int(self._walked.facts[lo + int(np.argmax(self._walked.fact_mass[lo:hi]))])

    def fact(self, number: int) -> float:
        """Return the mass of one fact."""
        return float(_look_up(self._walked.facts, self._walked.fact_mass, np.array([number]))[0])

    def met_facts(self, columns: Columns, weights: Weights) -> tuple[Columns, Weights]:
        """Return the part of an entity's row that the walk reached and that may be seen."""
        columns, weights = _met(self._facts, columns, weights)
        seen = self._inside.facts(columns)
        return columns[seen], weights[seen]

    def met_entities(self, columns: Columns, weights: Weights) -> tuple[Columns, Weights]:
        """Return the part of a row of entities that the walk reached and that may be seen."""
        columns, weights = _met(self._entities, columns, weights)
        seen = self._inside.entities(columns)
        return columns[seen], weights[seen]

    def facts(self, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the mass of facts."""
        return _look_up(self._walked.facts, self._walked.fact_mass, numbers)

    def entities(self, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the mass of entities."""
        return _look_up(self._walked.entities, self._walked.entity_mass, numbers)


def _met(known: Columns, columns: Columns, weights: Weights) -> tuple[Columns, Weights]:
    """Return the columns that are known, and their weights; both ascend. The shorter is looked up in the longer."""
    if len(columns) == 0 or len(known) == 0:
        return columns[:0], weights[:0]
    if len(columns) < len(known):
        good = known[np.minimum(np.searchsorted(known, columns), len(known) - 1)] == columns
        return columns[good], weights[good]
    place = np.minimum(np.searchsorted(columns, known), len(columns) - 1)
    met = place[columns[place] == known]
    return columns[met], weights[met]


def _look_up(
    known: NDArray[np.int64], values: NDArray[np.float64], wanted: NDArray[np.int32]
) -> NDArray[np.float64]:
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    if len(known) == 0:
        return np.zeros(len(wanted))
    return np.where(known[place] == wanted, values[place], 0.0)


def _senders(segment: Segment, mass: _Mass, node: int) -> list[tuple[int, float]]:
    """Return the nodes that may have sent mass here, with a share that orders them."""
    n_entities = segment.n_entities
    if node >= n_entities:
        columns, weights = mass.met_entities(*segment.fact_entities.row(node - n_entities))
        sent = mass.entities(columns) * weights / _totals(segment.entity_facts, columns)
        return _largest(columns, sent, 0)
    columns, weights = mass.met_facts(*segment.entity_facts.row(node))
    sent = mass.facts(columns) * weights / _totals(segment.fact_entities, columns)
    other, similarity = mass.met_entities(*segment.synonyms.row(node))
    return _largest(columns, sent, n_entities) + _largest(other, mass.entities(other) * similarity, 0)


def _totals(rows: Rows, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the sums of a few rows' weights; none of them is empty."""
    first = rows.indptr[numbers]
    counts = rows.indptr[numbers.astype(np.int64) + 1] - first
    weights = rows.weights[ranges(first, counts)].astype(np.float64)
    totals: NDArray[np.float64] = (
        np.add.reduceat(weights, np.cumsum(counts) - counts) if len(counts) else weights
    )
    return totals


def _largest(columns: NDArray[np.int32], sent: NDArray[np.float64], offset: int) -> list[tuple[int, float]]:
    best = np.argsort(-sent, kind="stable")[:MAX_SENDERS]
    return [(offset + int(columns[i]), float(sent[i])) for i in best if sent[i] > 0]


def _step(inside: Inside, mass: _Mass, node: int) -> PathStep:
    segment = inside.segment
    if node >= segment.n_entities:
        number = node - segment.n_entities
        return PathStep("fact", segment.fact_text(number), mass.fact(number))
    weight = float(mass.entities(np.array([node], dtype=np.int32))[0])
    return PathStep("entity", inside.name(node), weight)
