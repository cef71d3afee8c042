"""The best path question -> entity -> fact -> ... -> passage, for each of the best hits.

The path follows the walk backwards from the passage: each step goes to a node that sent mass here, and the
whole path is the one with the largest product of shares (a shortest path in -log share, found by Dijkstra's
algorithm on the part of the graph that the walk touched).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from hipporag_like.indexing.ragged import fixed
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.link import Linked
from hipporag_like.retrieval.walk import WalkResult
from hipporag_like.types import PathStep

Path = tuple[PathStep, ...]


def paths_to(
    passages: Sequence[int], inside: Inside, question: str, linked: Linked, walked: WalkResult
) -> list[Path]:
    """Return the path that carried most to each passage; empty where the walk did not reach it.

    Parameters
    ----------
    passages
        Passage numbers.
    inside
        The namespace, and what may be seen of it; a path goes nowhere else.
    question, linked, walked
        The query.
    """
    from hipporag_like.retrieval.senders import Reached, best_chains
    from hipporag_like.retrieval.slots import Links, edges_of

    segment = inside.segment
    entities, facts = inside.entities(walked.entities), inside.facts(walked.facts)
    reached = Reached(
        fixed(linked.entities),
        fixed(linked.mass),
        fixed(walked.entities[entities]),
        fixed(walked.entity_mass[entities]),
        fixed(walked.facts[facts]),
        fixed(walked.fact_mass[facts]),
    )
    graph = segment.entity_facts, segment.fact_entities, segment.synonyms
    links = Links(*map(edges_of, graph))
    wanted = fixed(np.array(passages, np.int64))
    starts, nodes, mass = best_chains(wanted, fixed(segment.array("passage_facts")), links, reached)
    chains = list(zip(nodes.tolist(), mass.tolist(), strict=True))
    return [
        _path(inside, question, passage, chains[first:last])
        for passage, (first, last) in zip(passages, pairwise(starts.tolist()), strict=True)
    ]


def _path(inside: Inside, question: str, passage: int, chain: Sequence[tuple[int, float]]) -> Path:
    if not chain:
        return ()
    title = inside.segment.title(passage) or inside.segment.passage_ids[passage]
    steps = (_step(inside, node, mass) for node, mass in chain)
    return (PathStep("question", question, 1.0), *steps, PathStep("passage", title, chain[-1][1]))


def _step(inside: Inside, node: int, mass: float) -> PathStep:
    segment = inside.segment
    if node >= segment.n_entities:
        return PathStep("fact", segment.fact_text(node - segment.n_entities), mass)
    return PathStep("entity", inside.name(node), mass)
