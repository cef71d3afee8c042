"""The second walk: where it starts and what is left of the question, by hand; and where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval import onward as module
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.onward import onward
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

MakeSegment = Callable[..., Segment]
OPTIONS = WalkOptions(damping=0.5, tolerance=1e-12, sharpness=4.0, synonym_share=0.05)
X, Y, Z = np.eye(3, dtype=np.float32)


def unit(*values: float) -> np.ndarray:
    vector = np.array(values)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def graph_of_segment(segment: Segment) -> WalkGraph:
    return WalkGraph(segment.entity_facts, segment.fact_entities, segment.synonyms, fact_vectors_of(segment))


def link_to(*mass: tuple[int, float]) -> Linked:
    entities = np.array([entity for entity, _ in mass], np.int64)
    return Linked(entities, np.array([m for _, m in mass]), np.ones(len(mass), bool), ())


def walked_to(*mass: tuple[int, float]) -> WalkResult:
    facts = np.array([fact for fact, _ in mass], np.int64)
    none = np.zeros(0, np.int64)
    return WalkResult(none, np.zeros(0), facts, np.array([m for _, m in mass]), 1, 0.0)


@dataclass
class Start:
    """What the second walk is started with."""

    question: np.ndarray
    mass: dict[int, float]
    options: WalkOptions
    engine: str


def start_of(segment: Segment, question: np.ndarray, linked: Linked, walked: WalkResult) -> list[Start]:
    """Return the start of the second walk; nothing where none is made."""
    starts: list[Start] = []

    def note(
        graph: WalkGraph,
        question: np.ndarray,
        seeds: np.ndarray,
        mass: np.ndarray,
        options: WalkOptions,
        engine: str = "push",
    ) -> WalkResult:
        assert seeds.dtype == np.int64
        assert (np.diff(seeds) > 0).all()
        starts.append(Start(question, dict(zip(seeds.tolist(), mass, strict=True)), options, engine))
        return walk(graph, question, seeds, mass, options, engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "walk", note)
        result = onward(segment, graph_of_segment(segment), question, linked, walked, OPTIONS)
    if not starts:
        assert nothing(result)
    return starts


def nothing(result: WalkResult) -> bool:
    return (
        result.entities.tolist() == result.facts.tolist() == []
        and len(result.entity_mass) == len(result.fact_mass) == 0
        and (result.pushes, result.residual) == (0, 0.0)
    )


def test_a_second_hop_by_hand(make_segment: MakeSegment):
    # The question names the film (0). Its fact names the director (1), of whom f1 tells the birth, which the
    # question asks for beside the direction of f0, and f2 something like f0.
    segment = make_segment(
        2, [1, 2, 1], [(0, {0: 1, 1: 1}, X), (1, {1: 1, 2: 1}, Y), (1, {1: 1, 2: 1}, X)], [(1, 1)]
    )
    question, linked = unit(4, 3, 0), link_to((0, 1.0))
    graph = graph_of_segment(segment)
    first = walk(graph, question, linked.entities, linked.mass, OPTIONS)
    assert first.facts[np.argmax(first.fact_mass)] == 0
    second = onward(segment, graph, question, linked, walked_to((0, 0.3)), OPTIONS)
    by_hand = walk(
        graph,
        Y,
        np.array([1], np.int64),
        np.array([1.0]),
        WalkOptions(0.5, 1e-12, 6.0, OPTIONS.synonym_share),
    )
    np.testing.assert_array_equal(second.facts, by_hand.facts)
    np.testing.assert_allclose(second.fact_mass, by_hand.fact_mass, rtol=1e-6)
    np.testing.assert_allclose(second.entity_mass, by_hand.entity_mass, rtol=1e-6)
    mass = dict(zip(second.facts.tolist(), second.fact_mass, strict=True))
    # From the director, the birth is e^6 times as likely as either fact of the other direction.
    assert mass[1] > 50 * mass[2]
    first_mass = dict(zip(first.facts.tolist(), first.fact_mass, strict=True))
    assert first_mass[1] < first_mass[2]


def test_the_start_by_hand(make_segment: MakeSegment):
    # Cosines 0 and ln(2)/4 count as 1 and e^(4 ln(2)/4) = 2, masses as 2 and 1: half and half.
    # f0 gives 1/4 of its half to 1, f1 halves of its half to 1 and 2; of 4 passages entity 1 is in 1, 2 in 4:
    #   1: (1/8 + 1/4) ln 5      2: 1/4 ln 2 / 2
    cosine = np.log(2) / 4
    found = [0.0, cosine, np.sqrt(1 - cosine**2)]
    segment = make_segment(4, [1, 1, 4], [(0, {0: 3, 1: 1}, X), (1, {1: 1, 2: 1}, found)])
    [start] = start_of(segment, Y, link_to((0, 1.0)), walked_to((0, 0.2), (1, 0.1)))
    one, two = 3 / 8 * np.log(5), np.log(2) / 8
    assert start.mass == pytest.approx({1: one / (one + two), 2: two / (one + two)})
    assert start.options == WalkOptions(0.5, 1e-12, 6.0, 0.05)
    # What is left: y less its part along the mean of both facts.
    mean = (X + np.array(found)) / 2
    rest = Y - (Y @ mean) / (mean @ mean) * mean
    assert start.question == pytest.approx(rest / np.linalg.norm(rest), abs=1e-6)
    assert start.question.dtype == np.float32


def test_the_three_heaviest_seeds_do_not_start_again(make_segment: MakeSegment):
    segment = make_segment(5, [1, 1, 1, 1, 1], [(0, dict.fromkeys(range(5), 1), X)])
    linked = link_to((0, 0.3), (1, 0.1), (2, 0.2), (3, 0.4))
    [start] = start_of(segment, Y, linked, walked_to((0, 1.0)))
    assert start.mass == pytest.approx({1: 0.5, 4: 0.5})
    assert start_of(segment, Y, link_to(*((e, 0.2) for e in range(5))), walked_to((0, 1.0)))[0].mass == (
        pytest.approx({3: 0.5, 4: 0.5})  # of equal ones, those first by number are left out
    )


def test_six_facts_count_as_found(make_segment: MakeSegment):
    segment = make_segment(8, [1] * 8, [(i, {i: 1}, X) for i in range(8)])
    masses = [(0, 0.1), (1, 0.2), (2, 0.1), (3, 0.05), (4, 0.1), (5, 0.1), (6, 0.1), (7, 0.1)]
    [start] = start_of(segment, Y, link_to((3, 1.0)), walked_to(*masses))
    # Facts 0, 1, 2, 4, 5 and 6: the heaviest, and of equal ones the first.
    assert start.mass == pytest.approx({0: 1 / 7, 1: 2 / 7, 2: 1 / 7, 4: 1 / 7, 5: 1 / 7, 6: 1 / 7})


def test_the_engine_is_that_of_the_first_walk(make_segment: MakeSegment):
    segment = make_segment(2, [1, 2, 1], [(0, {0: 1, 1: 1}, X), (1, {1: 1, 2: 1}, Y)])
    graph, arguments = graph_of_segment(segment), (unit(1, 1, 0), link_to((0, 1.0)), walked_to((0, 1.0)))
    push = onward(segment, graph, *arguments, OPTIONS)
    solved = onward(segment, graph, *arguments, OPTIONS, "prpack")
    assert push.pushes > 1 == solved.pushes  # PRPACK counts its one solution
    np.testing.assert_allclose(solved.fact_mass, push.fact_mass, atol=1e-9)


def test_nothing_found_is_no_start(make_segment: MakeSegment):
    segment = make_segment(1, [1], [(0, {0: 1}, X)])
    assert start_of(segment, unit(1, 1, 0), link_to((0, 1.0)), walked_to()) == []


def test_nothing_but_what_the_question_names_is_no_start(make_segment: MakeSegment):
    segment = make_segment(1, [1, 1], [(0, {0: 1, 1: 1}, X)])
    linked = link_to((0, 0.5), (1, 0.5))
    assert start_of(segment, unit(1, 1, 0), linked, walked_to((0, 1.0))) == []


@pytest.mark.parametrize("vector", [unit(0.3, -0.5, 0.2), unit(1, 1e-4, 0), X])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_question_that_is_a_fact_leaves_nothing_to_ask(
    make_segment: MakeSegment, vector: np.ndarray, sign: int
):
    segment = make_segment(1, [1, 1], [(0, {0: 1, 1: 1}, sign * vector)])
    assert start_of(segment, vector, link_to((0, 1.0)), walked_to((0, 1.0))) == []


def test_a_question_that_is_nearly_a_fact_leaves_only_rounding_to_ask(make_segment: MakeSegment):
    def left(distance: float) -> list[Start]:
        segment = make_segment(1, [1, 1], [(0, {0: 1, 1: 1}, unit(1, distance, 0))])
        return start_of(segment, X, link_to((0, 1.0)), walked_to((0, 1.0)))

    assert left(5e-4) == []  # of unit vectors in single precision, 1e-3 apart is the same
    [start] = left(2e-3)
    assert start.question == pytest.approx([0, -1, 0], abs=0.01)


def test_facts_that_cancel_out_have_no_direction(make_segment: MakeSegment):
    segment = make_segment(2, [1, 1], [(0, {0: 1, 1: 1}, X), (1, {0: 1, 1: 1}, -X)])
    assert start_of(segment, Y, link_to((0, 1.0)), walked_to((0, 0.5), (1, 0.5))) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 6))
def test_the_rest_is_orthogonal_to_what_was_found(
    make_segment: MakeSegment, seed: int, n_facts: int, n_entities: int
):
    draw = np.random.default_rng(seed)

    def vector() -> Sequence[float]:
        return unit(*draw.normal(size=4)).tolist()

    facts = []
    for passage in range(n_facts):
        entities = draw.choice(n_entities, draw.integers(1, n_entities + 1), replace=False)
        facts.append((passage, {int(e): float(draw.uniform(0.5, 2)) for e in entities}, vector()))
    segment = make_segment(n_facts, [1] * n_entities, facts)
    question, masses = unit(*draw.normal(size=4)), draw.uniform(0.01, 1, n_facts)
    starts = start_of(segment, question, link_to((0, 1.0)), walked_to(*enumerate(masses.tolist())))
    vectors = segment.array("fact_vectors").astype(float)
    best = sorted(range(n_facts), key=lambda f: (-masses[f], f))[:6]
    others = {e for f in best for e in facts[f][1]} - {0}
    assert bool(starts) == bool(others)
    for start in starts:
        weight = masses[best] * np.exp(4 * (vectors[best] @ question))
        found = weight @ vectors[best]
        assert start.question @ found / np.linalg.norm(found) == pytest.approx(0, abs=1e-4)
        assert np.linalg.norm(start.question) == pytest.approx(1, abs=1e-5)
        # It points where the question does, and nowhere else than the question and the facts.
        assert start.question @ question > 0
        together = np.linalg.lstsq(np.stack([question, found]).T, start.question, rcond=None)[0]
        assert together @ np.stack([question, found]) == pytest.approx(start.question, abs=1e-4)
        assert set(start.mass) == others
        assert sum(start.mass.values()) == pytest.approx(1)
        assert min(start.mass.values()) > 0
