"""The walk against code of others on graphs too large for a hand: igraph's PRPACK and networkx."""

import networkx as nx
import numpy as np
import pytest

from hipporag_like.indexing.rows import rows_of
from hipporag_like.retrieval.similarity import DenseFacts
from hipporag_like.retrieval.transition import transition
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, walk

DIM = 16


def random_walk_graph(seed, n_passages=120, synonyms=True, hub=False):
    """Three mentions a fact, entities by a square law; a hub stands in every third fact."""
    draw = np.random.default_rng(seed)
    n_facts, n_entities = 4 * n_passages, 2 * n_passages
    fact = np.repeat(np.arange(n_facts, dtype=np.int32), 3)
    entity = (n_entities * draw.random(len(fact)) ** 2).astype(np.int32)
    if hub:
        fact = np.append(fact, np.arange(0, n_facts, 3, dtype=np.int32))
        entity = np.append(entity, np.zeros(len(fact) - len(entity), np.int32))
    weight = (1 + np.log(draw.integers(1, 4, len(fact)))).astype(np.float32)
    pairs = draw.integers(0, n_entities, (n_entities // 10 if synonyms else 0, 2)).astype(np.int32)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    vectors = draw.standard_normal((n_facts, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    graph = WalkGraph(
        rows_of(entity, fact, weight, n_entities),
        rows_of(fact, entity, weight, n_facts),
        rows_of(ends[:, 0], ends[:, 1], np.full(len(ends), 0.9, np.float32), n_entities),
        DenseFacts(vectors),
    )
    linked = np.flatnonzero(np.diff(graph.entity_facts.indptr))
    seeds = draw.choice(linked, 5, replace=False).astype(np.int64)
    mass = draw.random(5)
    return graph, vectors[int(draw.integers(n_facts))], seeds, mass / mass.sum()


def whole(result, graph):
    n_entities = len(graph.entity_facts.indptr) - 1
    masses = np.zeros(n_entities + len(graph.fact_entities.indptr) - 1)
    masses[result.entities] = result.entity_mass
    masses[result.facts + n_entities] = result.fact_mass
    return masses


CASES = [
    pytest.param(seed, sharpness, synonyms, hub, id=f"{seed}-b{sharpness:g}-syn{synonyms:d}-hub{hub:d}")
    for seed, (sharpness, synonyms, hub) in enumerate(
        [(0.0, False, False), (0.0, True, False), (5.0, False, False), (5.0, True, False), (5.0, True, True)]
    )
]


@pytest.mark.parametrize(("seed", "sharpness", "synonyms", "hub"), CASES)
def test_engines_and_networkx_agree(seed, sharpness, synonyms, hub):
    graph, question, seeds, mass = random_walk_graph(seed, synonyms=synonyms, hub=hub)
    how = WalkOptions(0.85, 1e-9, sharpness, 0.15)
    matrix = transition(graph, question, how)
    start = {node: 0.0 for node in range(matrix.shape[0])} | dict(
        zip(seeds.tolist(), mass.tolist(), strict=True)
    )
    ranks = nx.pagerank(
        nx.from_scipy_sparse_array(matrix, create_using=nx.DiGraph),
        alpha=how.damping,
        personalization=start,
        tol=1e-14,
        max_iter=1000,
    )
    theirs = np.array([ranks[node] for node in range(matrix.shape[0])])
    for engine in ("push", "power", "prpack"):
        result = walk(graph, question, seeds, mass, how, engine)
        # float32 dot products, exponentiated: 1e-6 of each step's share, so of the mass.
        assert np.abs(whole(result, graph) - theirs).sum() < result.residual + 5e-6, engine


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7])
def test_the_residual_bounds_the_error(tolerance):
    graph, question, seeds, mass = random_walk_graph(7, hub=True)
    how = WalkOptions(0.85, tolerance, 0.0, 0.15)
    result = walk(graph, question, seeds, mass, how)
    reference = walk(graph, question, seeds, mass, how, "power")
    assert np.abs(whole(result, graph) - whole(reference, graph)).sum() == pytest.approx(
        result.residual, rel=1e-6, abs=1e-9
    )


def test_a_smaller_tolerance_costs_more_and_leaves_less():
    graph, question, seeds, mass = random_walk_graph(8)
    results = [
        walk(graph, question, seeds, mass, WalkOptions(0.85, tolerance, 4.0, 0.15))
        for tolerance in (1e-3, 1e-4, 1e-5, 1e-6)
    ]
    assert np.all(np.diff([r.pushes for r in results]) > 0)
    assert np.all(np.diff([r.residual for r in results]) < 0)


def test_the_top_facts_are_those_of_the_reference():
    graph, question, seeds, mass = random_walk_graph(9, n_passages=400, hub=True)
    how = WalkOptions(0.85, 1e-6, 4.0, 0.15)
    tops = []
    for engine in ("push", "prpack"):
        result = walk(graph, question, seeds, mass, how, engine)
        tops.append(result.facts[np.lexsort((result.facts, -result.fact_mass))][:20].tolist())
    assert tops[0] == tops[1]
