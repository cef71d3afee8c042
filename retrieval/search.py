"""The recipe: question -> seeds -> walk -> fused signals -> hits, with the trace of how.

Namespaces share nothing, so a query over several walks each graph by itself; their candidates are then fused
together, as if they came from one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import SearchConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.dense import nearest
from hipporag_like.retrieval.filters import allowed_passages, check_where
from hipporag_like.retrieval.fuse import (
    DEPTH,
    FACT_POWER,
    HYBRID_WEIGHTS,
    WEIGHTS,
    Signal,
    fuse,
    incoming_signal,
    mass_signal,
    passage_mass,
    ranked_signal,
)
from hipporag_like.retrieval.incoming import incoming
from hipporag_like.retrieval.lexical import bm25_scores, holding
from hipporag_like.retrieval.link import Linked, link
from hipporag_like.retrieval.onward import onward
from hipporag_like.retrieval.paths import best_path
from hipporag_like.retrieval.query import PATHS_SHOWN, Clock, Options, Query, Vector, why_empty
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.trust import plain_share
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk
from hipporag_like.types import Hit, PathStep, ScoredFact, Seed, Trace

# Share of an entity's mass that goes to its synonyms, where it has some. With edges from a cosine of 0.8 and a
# share of 0.15 recall@5 is 1 to 2 points lower on 2Wiki and MuSiQue than without any: names alike are often
# not the same. At 0.9 and 0.05 they cost nothing and tie spellings together.
SYNONYM_SHARE = 0.05
FACTS_SHOWN = 10
PAPERS = ("hipporag", "hipporag2")
# Passages whose incoming facts are looked up, best first by each signal: together about 100.
CANDIDATES = {"graph": 60, "onward": 40, "dense": 40, "bm25": 40}

Candidates = tuple[NDArray[np.int64], NDArray[np.float64]]
METHOD_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "graph": WEIGHTS,
    "hybrid": HYBRID_WEIGHTS,
    "dense": {"dense": 1.0},
    "bm25": {"bm25": 1.0},
}


@dataclass(frozen=True, slots=True)
class _Part:
    """What one namespace has to say: candidates with raw scores, by signal, and the walk behind them."""

    segment: Segment
    raw: Mapping[str, Candidates]
    linked: Linked | None = None
    walked: WalkResult | None = None


def search(segments: Sequence[Segment], query: Query, options: Options) -> Trace:
    """Return the hits of a question and how they came about.

    Parameters
    ----------
    segments
        The namespaces to search.
    query
        The question.
    options
        The rest.

    Returns
    -------
    Trace
        ``outcome`` is ``no_seeds`` where ``graph`` was asked for and nothing of the question is in the graph;
        ``hybrid`` has answered then.
    """
    if query.method in PAPERS and query.vector is not None:
        from hipporag_like.retrieval import papers

        return papers.search(segments, query, query.vector, options)
    clock = Clock()
    if query.where is not None:
        check_where(query.where)  # also where nothing is left to search
    masks = [allowed_passages(segment, query.where) for segment in segments]
    clock.lap("filter")
    method, note, outcome = query.method, "", "ok"
    parts = [_part(s, query, method, mask, options, clock) for s, mask in zip(segments, masks, strict=True)]
    if method == "graph" and not any(p.linked is not None and len(p.linked.entities) for p in parts):
        method, outcome = "hybrid", "no_seeds"
        note = "nothing in the question was found in the graph; hybrid (dense + BM25) answered instead"
    share = plain_share(segments, [part.linked for part in parts]) if method == "graph" else 0.0
    hits = _hits(parts, query, method, share, clock)
    if not hits:
        outcome, note = "empty", why_empty(segments, masks)
    return Trace(
        question=query.text,
        requested_method=query.method,
        method=method,
        outcome=outcome,  # type: ignore[arg-type]
        note=note,
        seeds=_seeds(parts),
        facts=_facts(parts, query),
        hits=hits,
        walk=_walk_numbers(parts, share),
        seconds=clock.seconds,
    )


def _part(
    segment: Segment,
    query: Query,
    method: str,
    mask: NDArray[np.bool_] | None,
    options: Options,
    clock: Clock,
) -> _Part:
    raw: dict[str, Candidates] = {}
    depth = max(DEPTH + 1, query.k)
    if method != "bm25" and query.vector is not None:
        best, cosines = nearest(segment.array("passage_vectors"), query.vector, depth, mask)
        order = np.argsort(best)
        raw["dense"] = best[order], cosines[order].astype(np.float64)
        clock.lap("dense")
    if method != "dense":
        scores = bm25_scores(segment, query.text, options.lexical)
        good = scores > 0 if mask is None else mask & (scores > 0)
        if not good.any():
            # In a corpus of a few passages each word is in half of them, and BM25's idf is not above 0.
            good = holding(segment, query.text) if mask is None else mask & holding(segment, query.text)
        best = np.sort(top_k(scores, depth, good))
        raw["bm25"] = best, scores[best]
        clock.lap("bm25")
    if method != "graph" or query.vector is None:
        return _Part(segment, raw)
    remember = None if options.keep_facts is None else partial(options.keep_facts, query.text)
    linked = link(segment, query.text, query.vector, lambda text: options.embed([text])[0], remember)
    clock.lap("link")
    walked, second = _walks(segment, linked, query.vector, options.search)
    raw["graph"] = _reached(segment, walked, mask, FACT_POWER)
    raw["onward"] = _reached(segment, second, mask, 0.0)
    clock.lap("walk")
    candidates = np.unique(np.concatenate([_best(raw[name], CANDIDATES[name]) for name in CANDIDATES]))
    about = incoming(segment, query.vector, linked.entities[linked.named], walked, candidates)
    raw["incoming"] = candidates, about
    clock.lap("incoming")
    return _Part(segment, raw, linked, walked)


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
    graph = WalkGraph(
        segment.entity_facts, segment.fact_entities, segment.synonyms, segment.array("fact_vectors")
    )
    options = WalkOptions(config.damping, config.tolerance, config.sharpness, SYNONYM_SHARE)
    walked = walk(graph, vector, linked.entities, linked.mass, options, config.engine)
    return walked, onward(segment, graph, vector, linked, walked, options, config.engine)


def _hits(parts: Sequence[_Part], query: Query, method: str, plain: float, clock: Clock) -> tuple[Hit, ...]:
    weights = {
        name: (1.0 - plain) * weight + plain * HYBRID_WEIGHTS.get(name, 0.0)
        for name, weight in METHOD_WEIGHTS[method].items()
    }
    offsets = np.cumsum([0] + [part.segment.n_passages for part in parts])
    signals = {name: _signal(name, parts, offsets) for name in weights}
    if method in ("dense", "bm25"):
        signals = {method: _plain(parts, offsets, method)}
    passages, shares = fuse(signals, weights)
    scores = shares.sum(axis=1)
    hits = []
    for rank, row in enumerate(top_k(scores, query.k).tolist(), start=1):
        owner = int(np.searchsorted(offsets, passages[row], side="right")) - 1
        part, number = parts[owner], int(passages[row] - offsets[owner])
        path: tuple[PathStep, ...] = ()
        if rank <= PATHS_SHOWN and method == "graph" and part.linked is not None and part.walked is not None:
            path = best_path(part.segment, query.text, part.linked, part.walked, number)
        named = dict(zip(signals, shares[row].tolist(), strict=True))
        hits.append(Hit(rank, float(scores[row]), part.segment.passage(number), named, path))
    clock.lap("fuse")
    return tuple(hits)


def _joined(parts: Sequence[_Part], offsets: NDArray[np.int64], name: str) -> Candidates:
    lists = [
        (part.raw[name], offset) for part, offset in zip(parts, offsets, strict=False) if name in part.raw
    ]
    if not lists:
        return np.zeros(0, np.int64), np.zeros(0)
    passages = np.concatenate([passages + offset for (passages, _), offset in lists])
    return passages, np.concatenate([values for (_, values), _ in lists])


def _signal(name: str, parts: Sequence[_Part], offsets: NDArray[np.int64]) -> Signal:
    passages, values = _joined(parts, offsets, name)
    if name in ("graph", "onward"):
        return mass_signal(passages, values)
    return incoming_signal(passages, values) if name == "incoming" else ranked_signal(passages, values)


def _plain(parts: Sequence[_Part], offsets: NDArray[np.int64], name: str) -> Signal:
    """Return raw similarities: a method of one signal shows its own scores, not relative ones."""
    return Signal(*_joined(parts, offsets, name))


def _seeds(parts: Sequence[_Part]) -> tuple[Seed, ...]:
    seeds = [seed for part in parts if part.linked is not None for seed in part.linked.seeds]
    return tuple(sorted(seeds, key=lambda seed: (-seed.weight, seed.entity)))


def _facts(parts: Sequence[_Part], query: Query) -> tuple[ScoredFact, ...]:
    found = []
    for part in parts:
        if part.walked is None or query.vector is None:
            continue
        for place in top_k(part.walked.fact_mass, FACTS_SHOWN).tolist():
            number = int(part.walked.facts[place])
            cosine = float(part.segment.array("fact_vectors")[number] @ query.vector)
            found.append(ScoredFact(part.segment.fact(number), float(part.walked.fact_mass[place]), cosine))
    return tuple(sorted(found, key=lambda f: (-f.score, f.fact.passage_id, f.fact.id))[:FACTS_SHOWN])


def _walk_numbers(parts: Sequence[_Part], plain: float) -> dict[str, float]:
    walks = [part.walked for part in parts if part.walked is not None]
    if not walks:
        return {}
    return {
        "pushes": float(sum(w.pushes for w in walks)),
        "touched": float(sum(len(w.entities) + len(w.facts) for w in walks)),
        "residual": max(w.residual for w in walks),
        "plain_share": plain,
    }
