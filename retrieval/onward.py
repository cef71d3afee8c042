"""The second walk: from the best facts of the first, with what they explain taken off the question.

A question of two hops says two things. The first walk finds the fact that answers one of them; to the rest of the
question that fact's entities are what the named entities were to the whole. So the walk starts anew from them, and
follows facts by their similarity to the question without the direction of the facts found.

Related: MDR (Xiong et al. 2021) asks again with the passage found; pseudo-relevance feedback (Rocchio 1971) moves the
question towards what was found, this moves it away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.link import Linked, entities_of
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

FACTS = 6  # of the first walk that count as found
# A fact counts by its mass times exp(4 cosine), as the walk prefers facts (SearchConfig.sharpness).
FACT_SHARPNESS = 4.0
SHARPNESS = 6.0  # what is left of a question is shorter and its cosines are smaller
NAMED = 3  # the heaviest seeds of the first walk do not start the second


def onward(
    segment: Segment,
    graph: WalkGraph,
    question: NDArray[np.float32],
    linked: Linked,
    walked: WalkResult,
    options: WalkOptions,
    engine: str = "push",
) -> WalkResult:
    """Return the second walk; empty where the first found nothing to go on from.

    Parameters
    ----------
    segment, graph
        The index.
    question
        float32, (dim,), unit length.
    linked, walked
        The first walk's seeds and result.
    options
        Those of the first walk; the sharpness is this one's own.
    engine
        That of the first walk.
    """
    best = top_k(walked.fact_mass, FACTS)
    if len(best) == 0:
        return _nothing()
    facts = walked.facts[best]
    vectors = graph.facts.take(facts)
    share = walked.fact_mass[best] * np.exp(FACT_SHARPNESS * (vectors @ question).astype(np.float64))
    share /= share.sum()
    seeds, mass = _seeds(segment, linked, facts, share)
    rest = _rest(question, share.astype(np.float32) @ vectors)
    if len(seeds) == 0 or rest is None:
        return _nothing()
    sharper = WalkOptions(options.damping, options.tolerance, SHARPNESS, options.synonym_share)
    return walk(graph, rest, seeds, mass, sharper, engine)


def _rest(question: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the question without the direction of what was found; None where nothing is left of it."""
    length = float(np.linalg.norm(found))
    if length < 1e-6:
        return None
    found = found / length
    rest = question - float(question @ found) * found
    left = float(np.linalg.norm(rest))
    return None if left < 1e-3 else np.ascontiguousarray(rest / left, dtype=np.float32)


def _seeds(
    segment: Segment, linked: Linked, facts: NDArray[np.int64], share: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the entities of facts, by the facts' shares and node specificity, the question's own left out."""
    known = set(linked.entities[np.argsort(-linked.mass, kind="stable")[:NAMED]].tolist())
    weight: dict[int, float] = {}
    total = [float(segment.fact_entities.row(fact)[1].sum()) for fact in facts.tolist()]
    for place, entity, edge, rare in entities_of(segment, facts, share):
        if entity not in known:
            weight[entity] = weight.get(entity, 0.0) + edge / total[place] * rare
    seeds = np.array(sorted(weight), dtype=np.int64)
    mass = np.array([weight[entity] for entity in seeds.tolist()])
    return seeds, mass / mass.sum() if len(mass) else mass


def _nothing() -> WalkResult:
    none, zero = np.zeros(0, np.int64), np.zeros(0)
    return WalkResult(none, zero, none, zero, 0, 0.0)
