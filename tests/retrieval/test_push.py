"""The push itself: what it costs, hubs, growth, and that all kinds of facts walk alike."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.fact_codes import encode, room_for_codes
from hipporag_like.indexing.quantise import rotated, unrotated
from hipporag_like.indexing.rows import Rows, rows_of
from hipporag_like.indexing.scales import scales_of
from hipporag_like.retrieval import slots
from hipporag_like.retrieval.push import LEAST_FORCED, Pushed, Shape, push
from hipporag_like.retrieval.similarity import CodedFacts, DenseFacts, FactVectors
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

DAMPING = 0.85
QUESTION = np.array([0.6, 0.8], np.float32)


def graph_of_mentions(
    entity: np.ndarray, fact: np.ndarray, sizes: tuple[int, int], facts: FactVectors
) -> WalkGraph:
    """Return a graph without synonyms; all mentions weigh 1."""
    entity, fact = entity.astype(np.int32), fact.astype(np.int32)
    ones, none = np.ones(len(fact), np.float32), np.zeros(0, np.int32)
    return WalkGraph(
        rows_of(entity, fact, ones, sizes[0]),
        rows_of(fact, entity, ones, sizes[1]),
        rows_of(none, none, none.astype(np.float32), sizes[0]),
        facts,
    )


def flat(n_facts: int) -> DenseFacts:
    return DenseFacts(np.zeros((n_facts, 2), np.float32))


def star(n_facts: int, facts: FactVectors | None = None) -> WalkGraph:
    """Return entity 0 in every fact, and entity f + 1 in fact f alone."""
    number = np.arange(n_facts)
    ends = np.concatenate([np.zeros(n_facts, np.int64), number + 1])
    return graph_of_mentions(
        ends, np.concatenate([number, number]), (n_facts + 1, n_facts), facts or flat(n_facts)
    )


def pushed(graph: WalkGraph, seeds: dict[int, float], tolerance: float, sharpness: float = 0.0) -> Pushed:
    rows: tuple[Rows, Rows, Rows] = (graph.entity_facts, graph.fact_entities, graph.synonyms)
    numbers, mass = np.array(sorted(seeds), np.int64), np.array([seeds[s] for s in sorted(seeds)])
    return push(rows, graph.facts, QUESTION, numbers, mass, Shape(DAMPING, tolerance, sharpness, 0.05))


def walked(graph: WalkGraph, seeds: dict[int, float], tolerance: float, engine: str = "push") -> WalkResult:
    options = WalkOptions(DAMPING, tolerance, 4.0, 0.05)
    numbers, mass = np.array(sorted(seeds), np.int64), np.array([seeds[s] for s in sorted(seeds)])
    return walk(graph, QUESTION, numbers, mass, options, engine)


def test_a_push_by_hand():
    # A seed in one fact with one other entity; all have a degree of 2, so that 0.8 is needed for a first push, and
    # 0.16 from then on. The seed keeps 0.15 and sends 0.85 to the fact, which keeps 0.1275 and sends 0.36125 to each.
    # The seed keeps 0.0541875 and sends 0.3070625; the fact keeps 0.046059375 and sends 0.1305015625 to each.
    graph = graph_of_mentions(np.array([0, 1]), np.array([0, 0]), (2, 1), flat(1))
    found = pushed(graph, {0: 1.0}, 0.4)
    assert found.nodes.tolist() == [0, 2, 1]
    np.testing.assert_allclose(found.estimate, [0.2041875, 0.173559375, 0.0])
    np.testing.assert_allclose(found.residual, [0.1305015625, 0.0, 0.4917515625])
    assert (found.pushes, found.work) == (4, 6)


def test_a_seed_is_held_to_its_degree_like_any_node():
    """Entity 0 is in 300 facts and has half of the mass, entity 1 is in one and has the other half."""
    graph = star(300)
    found = pushed(graph, {0: 0.5, 1: 0.5}, 0.01)
    mass = dict(zip(found.nodes.tolist(), found.estimate.tolist(), strict=True))
    assert mass[0] == 0.0  # 0.5 and what comes back, up to 0.01 * 301
    assert mass[1] > 0.0
    assert len(found.nodes) == 3  # both seeds and the fact they share


@pytest.mark.parametrize("degree", [5_000, 40_000])
def test_a_hub_on_the_way_costs_nothing(degree: int):
    graph = star(degree)
    found = pushed(graph, {7: 1.0}, 1e-3)
    assert found.work < 50
    assert len(found.nodes) == 3


def test_a_hub_alone_is_looked_at_in_part():
    """The only seed, in more facts than a node of all the mass may have: 1000 of them get all that it sends."""
    graph = star(40_000)
    found = pushed(graph, {0: 1.0}, 1e-3)
    facts = found.nodes[found.nodes > 40_000] - 40_001
    assert len(facts) == LEAST_FORCED
    assert np.all(np.diff(np.sort(facts)) == 40)
    assert found.estimate[0] == pytest.approx(0.15)
    result = walked(graph, {0: 1.0}, 1e-3)
    assert len(result.facts) == LEAST_FORCED  # none passes its threshold, and all count
    assert result.fact_mass == pytest.approx(np.full(LEAST_FORCED, 0.15 * 0.85 / LEAST_FORCED))
    everything = result.fact_mass.sum() + result.entity_mass.sum() + result.residual
    assert everything == pytest.approx(1.0)


def test_seeds_too_small_for_their_degree_are_pushed_best_first():
    # 20 entities in 50 facts each, 1/20 of the mass each: at a tolerance of 0.01 none has the 0.51 that it takes.
    entity = np.repeat(np.arange(20), 50)
    graph = graph_of_mentions(entity, np.arange(1000), (20, 1000), flat(1000))
    found = pushed(graph, dict.fromkeys(range(20), 0.05), 0.01)
    assert found.pushes == 20
    assert found.work == 1000
    result = walked(graph, dict.fromkeys(range(20), 0.05), 0.01)
    assert len(result.facts) == 1000
    true = walked(graph, dict.fromkeys(range(20), 0.05), 0.01, "power")
    errors = (
        np.abs(true.fact_mass - result.fact_mass).sum() + np.abs(true.entity_mass - result.entity_mass).sum()
    )
    assert errors == pytest.approx(result.residual)


def test_forced_pushes_end_when_enough_was_looked_at():
    entity = np.repeat(np.arange(20), 90)
    graph = graph_of_mentions(entity, np.arange(1800), (20, 1800), flat(1800))
    found = pushed(graph, dict.fromkeys(range(20), 0.05), 0.01)
    assert found.pushes == 12
    assert found.work == 1000  # eleven times 90, and ten facts of the twelfth


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-2, 1e-3, 1e-4]), st.booleans())
def test_the_work_is_bounded_by_the_tolerance(seed: int, tolerance: float, hub: bool):
    draw = np.random.default_rng(seed)
    n_entities, n_facts = int(draw.integers(2, 400)), int(draw.integers(1, 800))
    fact = np.repeat(np.arange(n_facts), 3)
    entity = (n_entities * draw.random(len(fact)) ** 3).astype(int)
    if hub:
        entity[::3] = 0
    vectors = draw.standard_normal((n_facts, 2)).astype(np.float32)
    graph = graph_of_mentions(entity, fact, (n_entities, n_facts), DenseFacts(vectors))
    seeds = draw.choice(np.unique(entity), 2).tolist()
    found = pushed(graph, {s: 1 / len(set(seeds)) for s in seeds}, tolerance, 2.0)
    bound = 1 / (tolerance * (1 - DAMPING))
    assert found.work <= bound + max(1 / tolerance, LEAST_FORCED)
    forced = np.all(1 / len(set(seeds)) <= tolerance * (np.bincount(entity)[seeds] + 1))
    assert found.work <= bound or forced
    assert found.estimate.sum() + found.residual.sum() <= 1 + 1e-9
    assert np.any(found.nodes >= n_entities)


def test_a_large_graph_takes_no_more_memory_than_a_small_one():
    """A walk near its seed: the same over 10,000 facts and over a million."""
    peaks = []
    for n_facts in (10_000, 1_000_000):
        graph = star(n_facts)
        walked(graph, {7: 1.0}, 1e-2)
        tracemalloc.start()
        walked(graph, {7: 1.0}, 1e-2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 10_000
    assert peaks[1] < 3_000_000


def encoded(n_facts: int, seed: int) -> tuple[DenseFacts, DenseFacts, CodedFacts]:
    """Return facts by their vectors in single and in half precision, and by codes."""
    vectors = np.random.default_rng(seed).standard_normal((n_facts, 2)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    codes = room_for_codes(n_facts, 2)
    encode(rotated(vectors), np.arange(n_facts), *codes)
    return DenseFacts(vectors), DenseFacts(vectors.astype(np.float16)), CodedFacts(2, *codes)


def test_all_kinds_of_facts_walk_alike(monkeypatch: pytest.MonkeyPatch):
    """The nodes do not fit into the slots that a walk begins with; codes are as good as the vectors they stand for."""
    monkeypatch.setattr(slots, "ROOM", 1 << 12)
    draw = np.random.default_rng(1)
    fact, entity = np.repeat(np.arange(6000), 3), draw.integers(0, 900, 18_000)
    single, half, codes = encoded(6000, 2)
    signs = 2 * np.unpackbits(codes.signs, axis=1)[:, :2] - np.float32(1)
    seen = DenseFacts(unrotated(signs * scales_of(codes.signs)[:, None]))
    masses = []
    for facts in (single, half, seen, codes):
        result = walked(graph_of_mentions(entity, fact, (900, 6000), facts), {3: 0.7, 8: 0.3}, 1e-8)
        assert len(result.facts) > slots.ROOM
        assert result.residual < 1e-3
        masses.append(np.zeros(6000))
        masses[-1][result.facts] = result.fact_mass
    assert np.abs(masses[1] - masses[0]).sum() < 2e-3
    assert np.abs(masses[3] - masses[2]).sum() < 1e-3


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_every_kind_agrees_with_the_references(kind: int):
    draw = np.random.default_rng(4)
    fact, entity = np.repeat(np.arange(300), 3), draw.integers(0, 90, 900)
    graph = graph_of_mentions(entity, fact, (90, 300), encoded(300, 5)[kind])
    found, *references = (walked(graph, {3: 0.7, 8: 0.3}, 1e-9, e) for e in ("push", "power", "prpack"))
    for true in references:
        np.testing.assert_allclose(found.fact_mass, true.fact_mass, atol=1e-6)
        np.testing.assert_allclose(found.entity_mass, true.entity_mass, atol=1e-6)


def test_room_is_made_without_changing_a_result(monkeypatch: pytest.MonkeyPatch):
    draw = np.random.default_rng(6)
    fact, entity = np.repeat(np.arange(2000), 3), draw.integers(0, 500, 6000)
    graph = graph_of_mentions(entity, fact, (500, 2000), encoded(2000, 7)[0])
    wide = pushed(graph, {3: 0.7, 8: 0.3}, 1e-6, 4.0)
    monkeypatch.setattr(slots, "ROOM", 2)
    narrow = pushed(graph, {3: 0.7, 8: 0.3}, 1e-6, 4.0)
    for name in ("nodes", "estimate", "residual"):
        assert getattr(narrow, name).tobytes() == getattr(wide, name).tobytes()
    assert (narrow.pushes, narrow.work) == (wide.pushes, wide.work)
