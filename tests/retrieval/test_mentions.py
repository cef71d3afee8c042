"""Who is mentioned by which fact: by hand, and against two loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.mentions import mentions, own_facts, ranges, subjects

MakeSegment = Callable[..., Segment]


def fact_of(passage: int, *entities: int) -> tuple[int, dict[int, float], list[float]]:
    return passage, dict.fromkeys(entities, 1.0), [1.0, 0.0]


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


# Passage 0 is about entity 0; passage 1, "Alien (film)", about 1 and 2; passage 2 has no title.
FACTS = (fact_of(0, 0), fact_of(0, 0, 1), fact_of(1, 1, 2), fact_of(2, 0, 3), fact_of(2, 2, 1))
TITLES = ((0, 0), (1, 1), (1, 2))


@pytest.fixture
def world(make_segment: MakeSegment) -> Segment:
    return make_segment(4, [2, 2, 2, 1], FACTS, TITLES)


def test_subjects_by_hand(world: Segment):
    about = subjects(world, whole(0, 1, 2))
    assert about.candidate.tolist() == [0, 1, 1]
    assert about.entity.tolist() == [0, 1, 2]
    # Places count in the candidates, not in the passages.
    assert subjects(world, whole(1)).candidate.tolist() == [0, 0]
    assert len(subjects(world, whole(2, 3)).entity) == 0
    assert about.candidate.dtype == about.entity.dtype == np.int64


def test_mentions_by_hand(world: Segment):
    candidates, facts = whole(0, 1, 2), whole(0, 1, 2, 3, 4)
    said = mentions(world, candidates, subjects(world, candidates), facts)
    # Of 0, its own facts 0 and 1 do not count, 3 does. Of 1, fact 1 by entity 1, fact 4 by both of its titles.
    assert list(zip(said.candidate.tolist(), said.fact.tolist(), strict=True)) == [
        (0, 3),
        (1, 1),
        (1, 4),
        (1, 4),
    ]


def test_only_the_facts_looked_at(world: Segment):
    candidates = whole(0, 1)
    said = mentions(world, candidates, subjects(world, candidates), whole(2, 4))
    # Fact 4 stands at place 1 of those looked at.
    assert (said.candidate.tolist(), said.fact.tolist()) == ([1, 1], [1, 1])


def test_nothing_of_nothing(world: Segment):
    for candidates, facts in ((whole(), whole(0, 3)), (whole(0), whole()), (whole(2, 3), whole(0, 3))):
        said = mentions(world, candidates, subjects(world, candidates), facts)
        assert len(said.candidate) == len(said.fact) == 0


def test_own_facts_by_hand(world: Segment):
    facts, owner = own_facts(world, whole(0, 2, 3))
    assert (facts.tolist(), owner.tolist()) == ([0, 1, 3, 4], [0, 0, 1, 1])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4))))
def test_ranges(parts: Sequence[tuple[int, int]]):
    first = np.array([start for start, _ in parts], np.int64)
    counts = np.array([count for _, count in parts], np.int64)
    assert ranges(first, counts).tolist() == [start + i for start, count in parts for i in range(count)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6), st.integers(1, 5))
def test_two_loops_find_the_same(make_segment: MakeSegment, seed: int, n_passages: int, n_entities: int):
    draw = np.random.default_rng(seed)

    def some(n: int, part: float) -> list[int]:
        return np.flatnonzero(draw.random(n) < part).tolist()

    owners = np.sort(draw.integers(0, n_passages, draw.integers(0, 14))).tolist()
    facts = [fact_of(owner, *some(n_entities, 0.4)) for owner in owners]
    titles = [(passage, entity) for passage in some(n_passages, 0.7) for entity in some(n_entities, 0.4)]
    segment = make_segment(n_passages, [1] * n_entities, facts, titles)
    candidates, looked_at = whole(*some(n_passages, 0.6)), whole(*some(len(facts), 0.7))
    about = subjects(segment, candidates)
    said = mentions(segment, candidates, about, looked_at)
    expected = [
        (i, j)
        for i, candidate in enumerate(candidates.tolist())
        for j, number in enumerate(looked_at.tolist())
        for entity in facts[number][1]
        if (candidate, entity) in titles and facts[number][0] != candidate
    ]
    assert sorted(zip(said.candidate.tolist(), said.fact.tolist(), strict=True)) == sorted(expected)
    own, owner = own_facts(segment, candidates)
    assert list(zip(own.tolist(), owner.tolist(), strict=True)) == [
        (number, i)
        for i, candidate in enumerate(candidates.tolist())
        for number, (passage, _, _) in enumerate(facts)
        if passage == candidate
    ]
