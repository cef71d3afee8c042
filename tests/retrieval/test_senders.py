"""Chains of senders against a heap and dictionaries, on random graphs; and rows that are much longer than a walk."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.rows import Rows, narrow, rows_of
from hipporag_like.retrieval.senders import MAX_SENDERS, Reached, best_chains, best_senders
from hipporag_like.retrieval.slots import Edges, Links, edges_of

Graph = tuple[Rows, Rows, Rows]
Mass = dict[int, float]


def arrays_of(mass: Mass) -> tuple[np.ndarray, np.ndarray]:
    keys = sorted(mass)
    return fixed(np.array(keys, np.int64)), fixed(np.array([mass[key] for key in keys], np.float64))


def some_mass(draw: np.random.Generator, n: int, part: float) -> Mass:
    return {int(i): float(draw.random()) + 0.01 for i in np.flatnonzero(draw.random(n) < part)}


def some_graph(draw: np.random.Generator, n_entities: int, n_facts: int) -> Graph:
    held = np.argwhere(draw.random((n_facts, n_entities)) < 0.4).astype(np.int32)
    weight = draw.choice([0.5, 1.0, 2.0], len(held)).astype(np.float32)
    fact, entity = held[:, 0], held[:, 1]
    alike = np.argwhere(np.triu(draw.random((n_entities, n_entities)) < 0.1, 1)).astype(np.int32)
    one, other = np.concatenate([alike, alike[:, ::-1]]).T
    return (
        rows_of(entity, fact, weight, n_entities),
        rows_of(fact, entity, weight, n_facts),
        rows_of(one, other, np.ones(len(one), np.float32), n_entities),
    )


def senders(graph: Graph, node: int, entities: Mass, facts: Mass) -> list[tuple[int, float]]:
    to_facts, to_entities, synonyms = graph
    n = len(to_facts.indptr) - 1

    def kind(row: tuple[np.ndarray, np.ndarray], known: Mass, own: Rows | None) -> list[tuple[int, float]]:
        found = []
        for column, weight in zip(row[0].tolist(), row[1].tolist(), strict=True):
            if column in known:
                whole = 1.0 if own is None else float(sum(own.row(column)[1].tolist()))
                found.append((column, known[column] * weight / whole))
        return sorted(found, key=lambda pair: -pair[1])[:MAX_SENDERS]

    if node >= n:
        return kind(to_entities.row(node - n), entities, to_facts)
    by_fact = kind(to_facts.row(node), facts, to_entities)
    return [(n + fact, share) for fact, share in by_fact] + kind(synonyms.row(node), entities, None)


def slow_chain(graph: Graph, target: int, seeds: Mass, entities: Mass, facts: Mass) -> list[int]:
    came: dict[int, int] = {}
    queue = [(0.0, target, -1)]
    while queue:
        cost, node, towards = heapq.heappop(queue)
        if node in came:
            continue
        came[node] = towards
        if node == -2:
            break
        for sender, share in senders(graph, node, entities, facts):
            if sender not in came:
                heapq.heappush(queue, (cost - math.log(share), sender, node))
        if node in seeds:
            heapq.heappush(queue, (cost - math.log(seeds[node]), -2, node))
    chain, node = [], came.get(-2, -1)
    while node != -1:
        chain.append(node)
        node = came[node]
    return chain


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 8), st.integers(1, 12))
def test_chains_are_those_of_a_heap(seed: int, n_entities: int, n_facts: int):
    draw = np.random.default_rng(seed)
    graph = some_graph(draw, n_entities, n_facts)
    seeds, entities = some_mass(draw, n_entities, 0.4), some_mass(draw, n_entities, 0.7)
    facts = some_mass(draw, n_facts, 0.7)
    # Two facts a passage, the last one's perhaps one.
    passage_facts = np.minimum(2 * np.arange((n_facts + 1) // 2 + 1), n_facts).astype(np.int64)
    passages = draw.permutation(len(passage_facts) - 1).astype(np.int64)
    links = Links(*map(edges_of, map(narrow, graph) if seed % 2 else graph))
    reached = Reached(*arrays_of(seeds), *arrays_of(entities), *arrays_of(facts))
    starts, nodes, mass = best_chains(fixed(passages), fixed(passage_facts), links, reached)
    for i, passage in enumerate(passages.tolist()):
        own = [f for f in range(*passage_facts[passage : passage + 2].tolist()) if f in facts]
        best = max(own, key=lambda f: (facts[f], -f), default=None)
        expected = [] if best is None else slow_chain(graph, n_entities + best, seeds, entities, facts)
        part = slice(starts[i], starts[i + 1])
        assert nodes[part].tolist() == expected
        if any(node < n_entities and node not in entities for node in expected):
            continue  # no walk starts from an entity that it leaves without mass
        assert mass[part].tolist() == [
            entities[node] if node < n_entities else facts[node - n_entities] for node in expected
        ]


@pytest.mark.parametrize(("columns", "known"), [(5000, 40), (40, 5000), (300, 300)])
def test_best_senders_of_long_rows_and_long_walks(columns: int, known: int):
    draw = np.random.default_rng(columns)
    row = np.sort(draw.choice(10_000, columns, replace=False)).astype(np.int32)
    weight = draw.choice([0.5, 1.0], columns).astype(np.float32)
    edges = Edges(fixed(np.array([0, columns])), fixed(row), fixed(weight), 0)
    mass = {int(i): float(draw.choice([0.1, 0.2, 0.4])) for i in draw.choice(10_000, known, replace=False)}
    found, sent = best_senders(edges, 0, *arrays_of(mass), edges, False)
    all_sent = [(c, mass[c] * w) for c, w in zip(row.tolist(), weight.tolist(), strict=True) if c in mass]
    expected = sorted(all_sent, key=lambda pair: -pair[1])[:MAX_SENDERS]
    assert list(zip(found.tolist(), sent.tolist(), strict=True)) == expected
