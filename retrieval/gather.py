"""One namespace's part of a search: candidates with raw scores, by signal, and the walks behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import SearchConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.dense import nearest_in
from hipporag_like.retrieval.fuse import DEPTH, FACT_POWER, passage_mass
from hipporag_like.retrieval.incoming import incoming
from hipporag_like.retrieval.inside import Inside
from hipporag_like.retrieval.lexical import bm25_top
from hipporag_like.retrieval.link import Linked, link
from hipporag_like.retrieval.near_facts import NEAR_PASSAGES
from hipporag_like.retrieval.onward import onward
from hipporag_like.retrieval.query import Clock, Options, Query, Vector
from hipporag_like.retrieval.sets import distinct
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

# Share of an entity's mass that goes to its synonyms, where it has some. With edges from a cosine of 0.8 and a
# share of 0.15 recall@5 is 1 to 2 points lower on 2Wiki and MuSiQue than without any: names alike are often
# not the same. At 0.9 and 0.05 they cost nothing and tie spellings together.
SYNONYM_SHARE = 0.05
# Passages whose incoming facts are looked up, best first by each signal: together about 100.
CANDIDATES = {"graph": 60, "onward": 40, "dense": 40, "bm25": 40}

Candidates = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Walked:
    """What the question was linked to, the walk from there, and the walk from what that one found."""

    linked: Linked
    first: WalkResult
    second: WalkResult


@dataclass(frozen=True, slots=True)
class Part:
    """What one namespace has to say: candidates with raw scores, by signal; ``walked`` where the graph was asked."""

    segment: Segment
    inside: Inside
    raw: Mapping[str, Candidates]
    walked: Walked | None = None


def gather(
    segment: Segment,
    query: Query,
    method: str,
    mask: NDArray[np.bool_] | None,
    options: Options,
    clock: Clock,
) -> Part:
    """Return what one namespace has to say to a question.

    Parameters
    ----------
    segment
        The namespace.
    query, method, options
        The question; ``method`` may differ from the one it asks for.
    mask
        bool, (n_passages,): passages that may be found; None means all.
    clock
        Counts the seconds.
    """
    raw: dict[str, Candidates] = {}
    inside = Inside(segment, mask)
    depth = max(DEPTH + 1, query.k)
    if method != "bm25" and query.vector is not None:
        best, cosines = nearest_in(segment, "passage", query.vector, depth, mask)
        order = np.argsort(best)
        raw["dense"] = best[order], cosines[order].astype(np.float64)
        clock.lap("dense")
    if method != "dense":
        raw["bm25"] = bm25_top(segment, query.text, depth, options.lexical, mask)
        clock.lap("bm25")
    if method != "graph" or query.vector is None:
        return Part(segment, inside, raw)
    remember = None if options.keep_facts is None else partial(options.keep_facts, query.text)
    near = distinct(np.concatenate([_best(raw[name], NEAR_PASSAGES) for name in ("dense", "bm25")]))
    linked = link(
        segment, query.text, query.vector, lambda text: options.embed([text])[0], remember, near, inside
    )
    clock.lap("link")
    walked, second = _walks(segment, linked, query.vector, options.search)
    raw["graph"] = _reached(segment, walked, mask, FACT_POWER)
    raw["onward"] = _reached(segment, second, mask, 0.0)
    clock.lap("walk")
    candidates = distinct(np.concatenate([_best(raw[name], CANDIDATES[name]) for name in CANDIDATES]))
    about = incoming(segment, query.vector, linked.entities[linked.named], walked, candidates)
    raw["incoming"] = candidates, about
    clock.lap("incoming")
    return Part(segment, inside, raw, Walked(linked, walked, second))


def _reached(
    segment: Segment, walked: WalkResult, mask: NDArray[np.bool_] | None, power: float
) -> Candidates:
    passages, mass = passage_mass(
        walked.facts, walked.fact_mass, segment.array("fact_passage"), segment.array("passage_facts"), power
    )
    keep = slice(None) if mask is None else mask[passages]
    return passages[keep], mass[keep]


def _best(candidates: Candidates, k: int) -> NDArray[np.int64]:
    passages, values = candidates
    return passages[top_k(values, k)]


def _walks(
    segment: Segment, linked: Linked, vector: Vector, config: SearchConfig
) -> tuple[WalkResult, WalkResult]:
    """Return the walk from the question, and the one from what it found."""
    facts = fact_vectors_of(segment)
    graph = WalkGraph(segment.entity_facts, segment.fact_entities, segment.synonyms, facts)
    options = WalkOptions(config.damping, config.tolerance, config.sharpness, SYNONYM_SHARE)
    walked = walk(graph, vector, linked.entities, linked.mass, options, config.engine)
    return walked, onward(segment, graph, vector, linked, walked, options, config.engine)
