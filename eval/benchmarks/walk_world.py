"""A made-up graph to walk over, of any size.

The graph: 5 facts a passage; a fact mentions its passage's subject and 1.4 entities more, by Zipf's law over as many
entities as there are in all, two a passage; facts are bags of 15 of 30,000 words, by Zipf's law as well. A question is
near a fact, and its seeds are the entities of that fact and of one more, weighted as ``retrieval.link`` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import rows_of
from hipporag_like.retrieval.similarity import CodedFacts
from hipporag_like.retrieval.walk import WalkGraph

FACTS, MENTIONS, ENTITIES = 5, 1.4, 2
WORDS, WORDS_A_FACT, DIM = 30_000, 15, 384
# Zipf's law as Mandelbrot has it for words: rank r is drawn in proportion to 1 / (r + 2.7).
SHIFT = 2.7
SYNONYMS = 0.1  # of the entities have one; in indexes of the dev sets 5 to 15 %

Question = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class World:
    """A graph and questions; fact f belongs to passage ``f // FACTS``."""

    passages: int
    graph: WalkGraph
    questions: list[Question]


def made_up_world(n_passages: int, n_questions: int, seed: int = 0) -> World:
    """Return a graph as described above, and questions about it."""
    draw = np.random.default_rng(seed)
    n_facts, n_entities = FACTS * n_passages, ENTITIES * n_passages
    name = draw.permutation(n_entities).astype(np.int32)
    fact = np.arange(n_facts, dtype=np.int32)
    others = np.repeat(fact, draw.poisson(MENTIONS, n_facts))
    entity = np.concatenate([fact // FACTS, name[_zipf(draw, n_entities, len(others))]])
    fact = np.concatenate([fact, others])
    weight = np.ones(len(fact), dtype=np.float32)
    pairs = draw.integers(0, n_entities, (int(SYNONYMS * n_entities / 2), 2)).astype(np.int32)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    graph = WalkGraph(
        entity_facts=rows_of(entity, fact, weight, n_entities),
        fact_entities=rows_of(fact, entity, weight, n_facts),
        synonyms=rows_of(ends[:, 0], ends[:, 1], np.full(len(ends), 0.9, np.float32), n_entities),
        facts=_bags(draw, n_facts),
    )
    return World(n_passages, graph, [_question(draw, graph, n_passages) for _ in range(n_questions)])


def _zipf(draw: np.random.Generator, n: int, count: int) -> NDArray[np.int64]:
    running = np.cumsum(1.0 / (np.arange(n) + SHIFT))
    found: NDArray[np.int64] = np.searchsorted(running, draw.random(count) * running[-1])
    return found


def _bags(draw: np.random.Generator, n_facts: int) -> CodedFacts:
    from hipporag_like.indexing.fact_codes import encode, room_for_codes

    words = (draw.standard_normal((WORDS, DIM)) / np.sqrt(DIM)).astype(np.float32)
    index = _zipf(draw, WORDS, n_facts * WORDS_A_FACT).reshape(n_facts, WORDS_A_FACT)
    codes = room_for_codes(n_facts, DIM)
    for first in range(0, n_facts, 20_000):
        part = index[first : first + 20_000]
        sums = sum((words[part[:, i]] for i in range(1, WORDS_A_FACT)), start=words[part[:, 0]])
        encode(sums, np.arange(first, first + len(part)), *codes)
    return CodedFacts(DIM, *codes)


def _question(draw: np.random.Generator, graph: WalkGraph, n_passages: int) -> Question:
    facts = draw.integers(0, len(graph.facts), 2)
    vector = graph.facts.take(facts[:1])[0] + draw.standard_normal(DIM) / np.sqrt(DIM) / 2
    seeds = np.unique(np.concatenate([graph.fact_entities.row(int(f))[0] for f in facts])).astype(np.int64)
    degree = graph.entity_facts.indptr[seeds + 1] - graph.entity_facts.indptr[seeds]
    mass = np.log1p(n_passages / degree) / np.sqrt(degree)
    return (vector / np.linalg.norm(vector)).astype(np.float32), seeds, mass / mass.sum()
