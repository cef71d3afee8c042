"""The best path question -> entity -> fact -> ... -> passage, for one hit.

The path follows the walk backwards from the passage: each step goes to a node that sent mass here, and the
whole path is the one with the largest product of shares (a shortest path in -log share, found by Dijkstra's
algorithm on the part of the graph that the walk touched).
"""

from __future__ import annotations

import heapq

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


def best_path(
    inside: Inside, question: str, linked: Linked, walked: WalkResult, passage: int
) -> tuple[PathStep, ...]:
    """Return the path that carried most to a passage; empty where the walk did not reach it.

    Parameters
    ----------
    inside
        The namespace, and what may be seen of it; the path goes nowhere else.
    question, linked, walked
        The query.
    passage
        Number of a passage.
    """
    segment, mass = inside.segment, _Mass(inside, walked)
    start = mass.best_fact(passage)
    if start < 0:
        return ()
    seeds = dict(zip(linked.entities.tolist(), linked.mass.tolist(), strict=True))
    chain = _chain(segment, mass, start, seeds)
    if not chain:
        return ()
    title = segment.title(passage) or segment.passage_ids[passage]
    reached = PathStep("passage", title, mass.fact(start))
    return (PathStep("question", question, 1.0), *(_step(inside, mass, node) for node in chain), reached)


class _Mass:
    """The walk's mass by node; nodes are entities, then facts."""

    def __init__(self, inside: Inside, walked: WalkResult) -> None:
        self._inside = inside
        self._walked = walked

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
        columns, weights = _met(self._walked.facts, columns, weights)
        seen = self._inside.facts(columns)
        return columns[seen], weights[seen]

    def met_entities(self, columns: Columns, weights: Weights) -> tuple[Columns, Weights]:
        """Return the part of a row of entities that the walk reached and that may be seen."""
        columns, weights = _met(self._walked.entities, columns, weights)
        seen = self._inside.entities(columns)
        return columns[seen], weights[seen]

    def facts(self, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the mass of facts."""
        return _look_up(self._walked.facts, self._walked.fact_mass, numbers)

    def entities(self, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the mass of entities."""
        return _look_up(self._walked.entities, self._walked.entity_mass, numbers)


def _met(known: NDArray[np.int64], columns: Columns, weights: Weights) -> tuple[Columns, Weights]:
    """Return the columns that are known, and their weights; both ascend. A hub's row may be longer than the walk."""
    if len(columns) == 0:
        return columns, weights
    wanted = known.astype(columns.dtype)
    place = np.minimum(np.searchsorted(columns, wanted), len(columns) - 1)
    good = place[columns[place] == wanted]
    return columns[good], weights[good]


def _look_up(
    known: NDArray[np.int64], values: NDArray[np.float64], wanted: NDArray[np.int32]
) -> NDArray[np.float64]:
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    if len(known) == 0:
        return np.zeros(len(wanted))
    return np.where(known[place] == wanted, values[place], 0.0)


def _chain(segment: Segment, mass: _Mass, start: int, seeds: dict[int, float]) -> list[int]:
    """Return nodes from a seed entity to the fact ``start``; empty where none is found."""
    n_entities = segment.n_entities
    target = n_entities + start
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
        for sender, share in _senders(segment, mass, node, n_entities):
            if sender not in done and share > 0:
                heapq.heappush(queue, (cost - float(np.log(share)), sender, node))
        if node in seeds:
            # A seed got its mass from the question in this proportion.
            heapq.heappush(queue, (cost - float(np.log(seeds[node])), -2, node))
    if -2 not in came:
        return []
    chain = []
    node = came[-2]
    while node != -1:
        chain.append(node)
        node = came[node]
    return chain


def _senders(segment: Segment, mass: _Mass, node: int, n_entities: int) -> list[tuple[int, float]]:
    """Return the nodes that may have sent mass here, with a share that orders them."""
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
