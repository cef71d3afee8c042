"""Personalized PageRank over entities and facts, conditioned on the question.

The walk leaves an entity for fact f with probability proportional to ``w(e, f) * exp(b * cos(question, f))``,
and a fact for one of its entities in proportion to ``w(e, f)``; an entity with synonyms sends a fixed share
to them. With damping d and seeds s the walk's mass is ``p = (1 - d) * sum_k d^k (P^T)^k s``.

Three engines compute it. ``push`` is the product: its cost depends on the seeds and the tolerance, not on the
size of the graph. ``power`` (sparse products) and ``prpack`` (igraph) are references.

References
----------
Andersen, Chung and Lang (2006), "Local graph partitioning using PageRank vectors", section 3 (forward push).
Haveliwala (2002), "Topic-sensitive PageRank". Gutiérrez et al. (2024), "HippoRAG", section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ConfigError
from hipporag_like.indexing.rows import Rows
from hipporag_like.retrieval.similarity import FactVectors


@dataclass(frozen=True, slots=True)
class WalkGraph:
    """What a walk needs; the arrays may be memory-mapped.

    Attributes
    ----------
    entity_facts, fact_entities, synonyms
        See ``hipporag_like.indexing.graph.Graph``.
    facts
        How like a question each fact is.
    """

    entity_facts: Rows
    fact_entities: Rows
    synonyms: Rows
    facts: FactVectors


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """How to walk; see :func:`walk`."""

    damping: float
    tolerance: float
    sharpness: float
    synonym_share: float


@dataclass(frozen=True, slots=True)
class WalkResult:
    """Where the mass went.

    Attributes
    ----------
    entities, facts
        int64, ascending: the nodes with mass.
    entity_mass, fact_mass
        float64, aligned; all masses together are at most 1.
    pushes
        Pushes done (iterations, for the reference engines).
    residual
        Mass not spread: exactly the L1 distance to the true PageRank vector.
    """

    entities: NDArray[np.int64]
    entity_mass: NDArray[np.float64]
    facts: NDArray[np.int64]
    fact_mass: NDArray[np.float64]
    pushes: int
    residual: float


def walk(
    graph: WalkGraph,
    question: NDArray[np.float32],
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    options: WalkOptions,
    engine: str = "push",
) -> WalkResult:
    """Return the question-conditioned Personalized PageRank of the seeds.

    Parameters
    ----------
    graph
        Entities and facts.
    question
        float32, (dim,), unit length.
    seeds, mass
        int64 and float64, (n_seeds,): entity numbers and their share of the walk's start; ``mass`` sums
        to 1.
    options
        ``damping`` in (0, 1). ``tolerance`` t: a node is pushed while its unspread mass exceeds t times its
        degree (for entities one more), so the mass left over is at most ``t * sum of degrees of touched
        nodes``; without synonyms, with equal weights and b = 0, each node errs by at most 2 t times its
        degree (Andersen, Chung and Lang, lemma 2). What is really left is returned as ``residual``; it equals the
        L1 error, because the missing part is a sum of PageRank vectors of total mass ``residual``.
        ``sharpness`` is b above.
    engine
        ``push``, ``power`` or ``prpack``; the last two run to 1e-10 and ignore ``tolerance``.
    """
    if len(seeds) == 0:
        none, zero = np.zeros(0, np.int64), np.zeros(0)
        return WalkResult(none, zero, none, zero, 0, 0.0)
    if engine == "push":
        return _by_push(graph, question, seeds, mass, options)
    if engine == "power":
        return _by_power(graph, question, seeds, mass, options)
    if engine == "prpack":
        return _by_prpack(graph, question, seeds, mass, options)
    raise ConfigError(f"search.engine must be push, power or prpack, got {engine!r}")


def _by_push(
    graph: WalkGraph,
    question: NDArray[np.float32],
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    options: WalkOptions,
) -> WalkResult:
    from hipporag_like.retrieval.push import Shape, push

    seeds, place = np.unique(seeds, return_inverse=True)
    found = push(
        (graph.entity_facts, graph.fact_entities, graph.synonyms),
        graph.facts,
        question,
        seeds.astype(np.int64),
        np.bincount(place, weights=mass).astype(np.float64),
        Shape(options.damping, options.tolerance, options.sharpness, options.synonym_share),
    )
    n_entities = len(graph.entity_facts.indptr) - 1
    estimate, left = found.estimate, float(found.residual.sum())
    # What waits at a node settles there in part, wherever it goes next. Where the tolerance let no fact pass mass on,
    # what facts hold is theirs all the same: a question that has seeds gets an answer.
    facts = found.nodes >= n_entities
    settling = estimate > 0 if estimate[facts].any() else (estimate > 0) | facts
    settled = np.where(settling, (1.0 - options.damping) * found.residual, 0.0)
    estimate, left = estimate + settled, left - float(settled.sum())
    good = np.flatnonzero(estimate > 0)
    order = good[np.argsort(found.nodes[good])]
    return _result(found.nodes[order], estimate[order], n_entities, found.pushes, left)


def _result(
    nodes: NDArray[np.int64], mass: NDArray[np.float64], n_entities: int, pushes: int, residual: float
) -> WalkResult:
    """Return what ascending nodes with mass are as entities and facts."""
    split = np.searchsorted(nodes, n_entities)
    return WalkResult(nodes[:split], mass[:split], nodes[split:] - n_entities, mass[split:], pushes, residual)


def _by_power(
    graph: WalkGraph,
    question: NDArray[np.float32],
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    options: WalkOptions,
) -> WalkResult:
    from hipporag_like.retrieval.transition import transition

    backwards = transition(graph, question, options).T.tocsr()
    spread = np.zeros(backwards.shape[0])
    np.add.at(spread, seeds, mass)
    estimate, rounds = np.zeros_like(spread), 0
    while spread.sum() > 1e-10:
        estimate += (1 - options.damping) * spread
        spread = options.damping * (backwards @ spread)
        rounds += 1
    nodes = np.flatnonzero(estimate)
    n_entities = len(graph.entity_facts.indptr) - 1
    return _result(nodes, estimate[nodes], n_entities, rounds, float(spread.sum()))


def _by_prpack(
    graph: WalkGraph,
    question: NDArray[np.float32],
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    options: WalkOptions,
) -> WalkResult:
    from hipporag_like.retrieval.transition import prpack

    solve = prpack(graph, question, options)
    estimate = np.asarray(solve(seeds, mass))[: len(graph.entity_facts.indptr) + len(graph.facts) - 1]
    nodes = np.flatnonzero(estimate > 0)
    return _result(nodes, estimate[nodes], len(graph.entity_facts.indptr) - 1, 1, 0.0)
