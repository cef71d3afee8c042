"""Incoming facts: by hand, and against a slow way to the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval import incoming as module
from hipporag_like.retrieval.incoming import NAMED, NEVER, UNKNOWN, incoming
from hipporag_like.retrieval.walk import WalkResult

MakeSegment = Callable[..., Segment]
QUESTION = np.array([1, 0], np.float32)


def fact(passage: int, entities: Iterable[int], cosine: float) -> tuple[int, dict[int, float], list[float]]:
    """Return a fact with a cosine to the question."""
    return passage, dict.fromkeys(entities, 1.0), [cosine, float(np.sqrt(1 - cosine**2))]


def walk_over(*mass: tuple[int, float]) -> WalkResult:
    facts = np.array([number for number, _ in mass], np.int64)
    none = np.zeros(0, np.int64)
    return WalkResult(none, np.zeros(0), facts, np.array([m for _, m in mass]), 1, 0.0)


def found_by(
    segment: Segment, candidates: Sequence[int], walked: WalkResult, seeds: Sequence[int] = ()
) -> np.ndarray:
    return incoming(
        segment, QUESTION, np.array(seeds, np.int64), walked, np.array(candidates, dtype=np.int64)
    )


# Passage 0 is about entity 0, passage 1 about entity 1; passage 2, without a title, mentions both.
THREE = (
    fact(0, [0], 0.9),
    fact(0, [0, 1], 0.2),
    fact(1, [1], 0.8),
    fact(2, [0, 1], 0.5),
    fact(2, [0], 0.6),
)


@pytest.fixture
def three(make_segment: MakeSegment) -> Segment:
    return make_segment(3, [2, 3], THREE, [(0, 0), (1, 1)])


def test_the_best_fact_elsewhere_counts(three: Segment):
    found = found_by(three, [0, 1, 2], walk_over())
    # Not 0.9 and 0.8, which the passages say of themselves.
    assert found == pytest.approx([0.6, 0.5, UNKNOWN], nan_ok=True)
    assert found.dtype == np.float64


def test_facts_of_the_walk_count_besides_those_of_the_candidates(three: Segment):
    assert found_by(three, [0], walk_over()).tolist() == [NEVER]
    assert found_by(three, [0], walk_over((3, 0.1))) == pytest.approx([0.5])
    assert found_by(three, [0], walk_over((3, 0.1), (4, 0.1))) == pytest.approx([0.6])
    assert found_by(three, [0], walk_over((0, 0.1), (2, 0.1))).tolist() == [NEVER]


def test_of_the_walk_the_heaviest_facts_are_looked_at(three: Segment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FACTS", 1)
    assert found_by(three, [0], walk_over((3, 0.2), (4, 0.1))) == pytest.approx([0.5])
    assert found_by(three, [0], walk_over((3, 0.1), (4, 0.2))) == pytest.approx([0.6])
    assert found_by(three, [0], walk_over((3, 0.1), (4, 0.1))) == pytest.approx([0.5])  # the first of equals


def test_a_subject_that_the_question_names(three: Segment):
    assert found_by(three, [0, 1, 2], walk_over(), [0]) == pytest.approx([NAMED, 0.5, UNKNOWN], nan_ok=True)
    assert found_by(three, [0], walk_over(), [0]).tolist() == [NAMED]  # also where no fact mentions it
    assert found_by(three, [0], walk_over(), [1]).tolist() == [NEVER]


def test_a_passage_of_two_titles_has_the_better_one(make_segment: MakeSegment):
    # Passage 1 is "Alien (film)": entities 0 and 1.
    facts = [fact(0, [0], 0.3), fact(0, [1], -0.4), fact(1, [0, 1], 0.9)]
    segment = make_segment(2, [2, 2, 1], facts, [(1, 0), (1, 1)])
    assert found_by(segment, [0, 1], walk_over()) == pytest.approx([UNKNOWN, 0.3], nan_ok=True)
    for named in ([0], [1], [0, 1]):
        assert found_by(segment, [1], walk_over(), named).tolist() == [NAMED]


def test_two_passages_of_one_title_speak_of_each_other(make_segment: MakeSegment):
    facts = [fact(0, [0], 0.3), fact(1, [0], -0.4)]
    segment = make_segment(2, [2], facts, [(0, 0), (1, 0)])
    assert found_by(segment, [0, 1], walk_over()) == pytest.approx([-0.4, 0.3])


def test_candidates_without_titles_without_facts_and_none(make_segment: MakeSegment):
    segment = make_segment(4, [1], [fact(1, [0], 0.3)], [(3, 0)])
    assert found_by(segment, [0, 1, 3], walk_over()) == pytest.approx([UNKNOWN, UNKNOWN, 0.3], nan_ok=True)
    assert found_by(segment, [3], walk_over()).tolist() == [NEVER]
    assert np.isnan(found_by(segment, [0, 2], walk_over())).all()
    assert found_by(segment, [], walk_over((0, 1.0))).shape == (0,)


def slowly(
    facts: Sequence[tuple[int, dict[int, float], list[float]]],
    titles: Sequence[tuple[int, int]],
    candidates: Sequence[int],
    walked: WalkResult,
    seeds: Sequence[int],
    most: int,
) -> list[float]:
    by_mass = sorted(zip(-walked.fact_mass, walked.facts.tolist(), strict=True))
    looked_at = {number for _, number in by_mass[:most]}
    looked_at |= {number for number, (passage, _, _) in enumerate(facts) if passage in candidates}
    found = []
    for candidate in candidates:
        subjects = {entity for passage, entity in titles if passage == candidate}
        cosines = [
            facts[number][2][0]
            for number in looked_at
            if facts[number][0] != candidate and subjects & set(facts[number][1])
        ]
        if not subjects:
            found.append(UNKNOWN)
        elif subjects & set(seeds):
            found.append(NAMED)
        else:
            found.append(max(cosines, default=NEVER))
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))
def test_the_slow_way_finds_the_same(
    make_segment: MakeSegment, seed: int, n_passages: int, n_entities: int, most: int
):
    draw = np.random.default_rng(seed)

    def some(n: int, part: float) -> list[int]:
        return np.flatnonzero(draw.random(n) < part).tolist()

    owners = np.sort(draw.integers(0, n_passages, draw.integers(0, 12))).tolist()
    facts = [fact(owner, some(n_entities, 0.4), float(draw.uniform(-1, 1))) for owner in owners]
    titles = [(passage, entity) for passage in some(n_passages, 0.7) for entity in some(n_entities, 0.4)]
    segment = make_segment(n_passages, [1] * n_entities, facts, titles)
    reached = some(len(facts), 0.5)
    walked = walk_over(*((number, float(draw.integers(1, 4))) for number in reached))
    candidates, seeds = some(n_passages, 0.6), some(n_entities, 0.15)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FACTS", most)
        found = found_by(segment, candidates, walked, seeds)
    expected = slowly(facts, titles, candidates, walked, seeds, most)
    assert found == pytest.approx(expected, abs=1e-6, nan_ok=True)
