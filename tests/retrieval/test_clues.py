"""What a namespace knows about its candidates: by hand, and against a slow way to the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.clues import Clues, clues
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.walk import WalkResult

MakeSegment = Callable[..., Segment]
LEXICAL = LexicalConfig()


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def walk_to(entities: Mapping[int, float], facts: Mapping[int, float]) -> WalkResult:
    return WalkResult(
        whole(*sorted(entities)),
        np.array([entities[e] for e in sorted(entities)], dtype=np.float64),
        whole(*sorted(facts)),
        np.array([facts[f] for f in sorted(facts)], dtype=np.float64),
        1,
        0.0,
    )


@dataclass(frozen=True)
class World:
    """A namespace and a question about it, in plain lists."""

    question: str
    vectors: list[list[float]]  # of the question, then its windows
    passages: list[list[float]]  # vectors
    keys: list[str]
    entity_passages: list[int]
    facts: list[tuple[int, dict[int, float], list[float]]]
    titles: list[tuple[int, int]]
    words: dict[str, dict[int, int]]
    seeds: dict[int, tuple[float, bool]]  # mass, and whether the question names it
    first: WalkResult
    second: WalkResult
    candidates: list[int]

    def clues(self, make_segment: MakeSegment) -> Clues:
        segment = make_segment(
            len(self.passages),
            self.entity_passages,
            self.facts,
            self.titles,
            vectors=self.passages,
            keys=self.keys,
            postings=self.words,
        )
        linked = Linked(
            whole(*self.seeds),
            np.array([mass for mass, _ in self.seeds.values()], dtype=np.float64),
            np.array([named for _, named in self.seeds.values()], dtype=bool),
            (),
        )
        vectors = np.array(self.vectors, np.float32)
        walks = (self.first, self.second)
        return clues(segment, self.question, vectors, linked, walks, whole(*self.candidates), LEXICAL)


BY_HAND = World(
    question="Who is Ann Lee in Bergen?",
    vectors=[[1, 0], [0, 1]],
    passages=[[1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6]],
    keys=["ann lee", "film", "oslo"],
    entity_passages=[2, 1, 4],
    facts=[
        (0, {0: 1.0, 1: 1.0}, [1, 0]),
        (0, {0: 1.0}, [0, 1]),
        (1, {1: 1.0}, [0.6, 0.8]),
        (3, {0: 1.0, 2: 1.0}, [0.8, 0.6]),
    ],
    titles=[(0, 0), (1, 1)],
    words={"ann": {0: 9}, "bergen": {1: 2}},
    seeds={0: (0.75, True), 2: (0.25, False)},
    first=walk_to({0: 0.4, 1: 0.1}, {0: 0.2, 2: 0.1, 3: 0.3}),
    second=walk_to({1: 0.5}, {1: 0.25}),
    candidates=[0, 1, 2],
)


def test_by_hand(make_segment: MakeSegment):
    found = BY_HAND.clues(make_segment)
    # Passage 0 has two facts, passage 2 none.
    assert found.walk == pytest.approx(np.array([[0.2 / math.sqrt(2), 0.2, 0.2], [0.1] * 3, [0] * 3]))
    assert found.onward == pytest.approx(np.array([[0.25 / math.sqrt(2), 0.25, 0.25], [0] * 3, [0] * 3]))
    assert found.passage == pytest.approx(np.array([[1, 0], [0, 1], [0.6, 0.8]]))
    assert found.sentence[:2] == pytest.approx(np.array([[1, 1], [0.6, 0.8]]))
    assert found.sentence[2].tolist() == [-np.inf, -np.inf]
    # Facts 0, 1 and 2 are the candidates' own.
    assert found.moments == pytest.approx(np.array([[3, 3], [1.6, 1.8], [1.36, 1.64]]))
    # Ann and Lee are of a name that was found; what is left is Bergen: twice in a passage of 2 words of 11 / 4.
    bergen = math.log(3.5 / 1.5) * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 2 / (11 / 4)))
    assert found.rest == pytest.approx([0, bergen, 0])
    # Ann Lee, in 2 of 4 passages: ln 2 / ln 4. The film was reached with a quarter of the best mass, then as the best.
    assert found.subject == pytest.approx(np.array([[1, 0.75, 1, 0, 0.5], [0, 0, 0.25, 1, 1], [0] * 5]))
    # Fact 3, of no candidate, mentions Ann Lee; fact 0, of the candidate 0, mentions the film.
    assert found.candidate.tolist() == [0, 1]
    assert found.source.tolist() == [-1, 0]
    assert found.cosine == pytest.approx([0.8, 1.0])


def slowly(world: World) -> dict[str, list]:
    own = {c: [f for f in world.facts if f[0] == c] for c in world.candidates}

    def cosine(one: Sequence[float], other: Sequence[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    def masses(walked: WalkResult) -> list[list[float]]:
        reached = dict(zip(walked.facts.tolist(), walked.fact_mass.tolist(), strict=True))
        table = []
        for c in world.candidates:
            held = [m for number, m in reached.items() if world.facts[number][0] == c]
            table.append([sum(held) / math.sqrt(max(len(own[c]), 1)), sum(held), max(held, default=0.0)])
        return table

    def relative(walked: WalkResult, entity: int) -> float:
        reached = dict(zip(walked.entities.tolist(), walked.entity_mass.tolist(), strict=True))
        return reached.get(entity, 0.0) / max(reached.values(), default=1.0)

    n = len(world.passages)
    named = [e for e, (_, is_named) in world.seeds.items() if is_named]
    dropped = {word for e in named for word in world.keys[e].split()} | {"who", "is"}
    asked = [word for word in world.question.lower().rstrip("?").split() if word not in dropped]
    texts = [[w for w, held in world.words.items() for _ in range(held.get(c, 0))] for c in range(n)]
    scores = BM25Okapi(texts).get_scores(asked) if any(texts) else np.zeros(n)
    rest = scores[world.candidates].tolist()
    subject, pairs = [], []
    for place, c in enumerate(world.candidates):
        titles = [e for p, e in world.titles if p == c]
        columns = [
            [
                float(e in named),
                world.seeds.get(e, (0.0, False))[0],
                relative(world.first, e),
                relative(world.second, e),
                math.log(n / max(world.entity_passages[e], 1)) / math.log(max(n, 2)),
            ]
            for e in titles
        ]
        subject.append([max(0.0, *(row[i] for row in columns)) if columns else 0.0 for i in range(5)])
        for number, (owner, entities, vector) in enumerate(world.facts):
            looked_at = owner in world.candidates or number in world.first.facts
            for e in titles:
                if looked_at and owner != c and e in entities:
                    source = world.candidates.index(owner) if owner in world.candidates else -1
                    pairs.append((place, source, cosine(vector, world.vectors[0])))
    cosines = [[cosine(f[2], v) for c in world.candidates for f in own[c]] for v in world.vectors]
    return {
        "walk": masses(world.first),
        "onward": masses(world.second),
        "passage": [[cosine(world.passages[c], v) for v in world.vectors] for c in world.candidates],
        "sentence": [
            [max((cosine(f[2], v) for f in own[c]), default=-math.inf) for v in world.vectors]
            for c in world.candidates
        ],
        "moments": [
            [len(found) for found in cosines],
            [sum(found) for found in cosines],
            [sum(x * x for x in found) for found in cosines],
        ],
        "rest": rest,
        "subject": subject,
        "pairs": sorted(pairs),
    }


def made_world(seed: int, n_passages: int, n_entities: int, n_vectors: int) -> World:
    draw = np.random.default_rng(seed)

    def some(n: int, part: float) -> list[int]:
        return np.flatnonzero(draw.random(n) < part).tolist()

    def unit() -> list[float]:
        vector = draw.normal(size=2)
        return (vector / np.linalg.norm(vector)).tolist()

    def mass(numbers: list[int]) -> dict[int, float]:
        return {number: float(draw.random()) for number in numbers}

    owners = np.sort(draw.integers(0, n_passages, draw.integers(0, 12))).tolist()
    facts = [(owner, dict.fromkeys(some(n_entities, 0.4), 1.0), unit()) for owner in owners]
    names = ["ann", "bo li", "cy", "dee"]
    return World(
        question="who is ann or bo li and cy in fog" if seed % 5 else "who is",
        vectors=[unit() for _ in range(n_vectors)],
        passages=[unit() for _ in range(n_passages)],
        keys=names[:n_entities],
        entity_passages=draw.integers(0, n_passages + 1, n_entities).tolist(),
        facts=facts,
        titles=[(p, e) for p in some(n_passages, 0.7) for e in some(n_entities, 0.4)],
        words={
            word: held
            for word in ("ann", "li", "cy", "fog")
            if (held := {number: int(draw.integers(1, 4)) for number in some(n_passages, 0.5)})
        },
        seeds={e: (float(draw.random()), bool(draw.random() < 0.5)) for e in some(n_entities, 0.5)},
        first=walk_to(mass(some(n_entities, 0.6)), mass(some(len(facts), 0.6))),
        second=walk_to(mass(some(n_entities, 0.3)), mass(some(len(facts), 0.3))),
        candidates=some(n_passages, 0.7),
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3))
def test_the_slow_way_finds_the_same(
    make_segment: MakeSegment, seed: int, n_passages: int, n_entities: int, n_vectors: int
):
    world = made_world(seed, n_passages, n_entities, n_vectors)
    found, expected = world.clues(make_segment), slowly(world)
    for name in ("walk", "onward", "passage", "sentence", "moments", "rest", "subject"):
        values = getattr(found, name)
        assert values.dtype == np.float64
        np.testing.assert_allclose(
            values, np.reshape(expected[name], values.shape), rtol=1e-5, atol=1e-6, err_msg=name
        )
    pairs = sorted(zip(found.candidate.tolist(), found.source.tolist(), found.cosine.tolist(), strict=True))
    assert [pair[:2] for pair in pairs] == [pair[:2] for pair in expected["pairs"]]
    assert sorted(p[2] for p in pairs) == pytest.approx(sorted(p[2] for p in expected["pairs"]), abs=1e-6)


def test_the_question_and_its_windows_are_columns_that_do_not_touch(make_segment: MakeSegment):
    both = BY_HAND.clues(make_segment)
    alone = World(**{f.name: getattr(BY_HAND, f.name) for f in fields(World)} | {"vectors": [[1, 0]]})
    found = alone.clues(make_segment)
    for name in ("passage", "sentence"):
        np.testing.assert_array_equal(getattr(found, name)[:, 0], getattr(both, name)[:, 0])
    np.testing.assert_array_equal(found.moments[:, 0], both.moments[:, 0])
    np.testing.assert_array_equal(found.cosine, both.cosine)


def test_a_real_index_and_a_candidate_more_or_less(films: HippoRAG):
    from hipporag_like.retrieval.gather import gather
    from hipporag_like.retrieval.query import Clock, Options, Query

    segment = films._parts.index().segments["default"]
    question = "Where was the director of Jaws born?"
    vector = films._parts.vectors([question], "graph")[0]
    config = films.config
    options = Options(
        config.search, config.lexical, config.hipporag, films._parts._embed, None, lambda text: []
    )
    part = gather(segment, Query(question, vector, 5, "graph"), "graph", None, options, Clock())
    assert part.walked is not None and vector is not None
    walks = (part.walked.first, part.walked.second)

    def known(candidates: np.ndarray) -> Clues:
        return clues(segment, question, vector[None, :], part.walked.linked, walks, candidates, LEXICAL)

    every, some = known(np.arange(segment.n_passages)), known(np.arange(0, segment.n_passages, 2))
    for name in ("walk", "onward", "passage", "sentence", "rest", "subject"):
        np.testing.assert_array_equal(getattr(some, name), getattr(every, name)[::2])
    assert every.moments[0, 0] == segment.n_facts
    # "jaws" is the name in the question, "director" and "born" are left.
    texts = [segment.passage(n).text for n in range(segment.n_passages)]
    born = [("born" in text) or ("director" in text) for text in texts]
    assert (every.rest > 0).tolist() == born
    # What is masked away is a source of nothing, and its facts still speak where the walk came by.
    assert some.source.max() < len(some.passage)
