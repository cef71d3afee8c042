"""The recipe: question -> seeds -> walk -> fused signals -> hits, with the trace of how.

Namespaces share nothing, so a query over several walks each graph by itself; their candidates are then fused
together, as if they came from one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.filters import allowed_passages, check_where
from hipporag_like.retrieval.gather import Part, gather
from hipporag_like.retrieval.paths import Path, paths_to
from hipporag_like.retrieval.query import PATHS_SHOWN, Clock, Options, Query, why_empty
from hipporag_like.retrieval.rank import Ranking, rank
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.topk import top_k
from hipporag_like.types import Hit, ScoredFact, Seed, Trace

FACTS_SHOWN = 10
PAPERS = ("hipporag", "hipporag2")


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
    parts = [gather(s, query, method, mask, options, clock) for s, mask in zip(segments, masks, strict=True)]
    if method == "graph" and not any(map(_linked, parts)):
        method, outcome = "hybrid", "no_seeds"
        note = "nothing in the question was found in the graph; hybrid (dense + BM25) answered instead"
    ranking = rank(parts, query, method, options)
    hits = _hits(ranking, parts, query, method)
    clock.lap("fuse")
    if not hits:
        outcome, note = "empty", why_empty(segments, masks)
    return Trace(
        question=query.text,
        requested_method=query.method,
        method=method,
        outcome=outcome,  # type: ignore[arg-type]
        note=note,
        seeds=_seeds(parts),
        facts=_facts(parts, query) if query.told else (),
        hits=hits,
        walk=_walk_numbers(parts, ranking.plain),
        seconds=clock.seconds,
    )


def _linked(part: Part) -> bool:
    return part.walked is not None and len(part.walked.linked.entities) > 0


def _hits(ranking: Ranking, parts: Sequence[Part], query: Query, method: str) -> tuple[Hit, ...]:
    scores = ranking.shares.sum(axis=1)
    rows = top_k(scores, query.k)
    owners = np.searchsorted(ranking.offsets, ranking.passages[rows], side="right") - 1
    numbers = (ranking.passages[rows] - ranking.offsets[owners]).tolist()
    found = list(zip(owners.tolist(), numbers, strict=True))
    paths = _paths(found[:PATHS_SHOWN], parts, query) if method == "graph" else {}
    return tuple(
        Hit(
            rank=place,
            score=score,
            passage=parts[owner].segment.passage(number),
            signals=dict(zip(ranking.names, shares, strict=True)),
            path=paths.get((owner, number), ()),
            reasons=ranking.reasons.get(row, {}),
        )
        for place, ((owner, number), row, score, shares) in enumerate(
            zip(found, rows.tolist(), scores[rows].tolist(), ranking.shares[rows].tolist(), strict=True),
            start=1,
        )
    )


def _paths(
    found: Sequence[tuple[int, int]], parts: Sequence[Part], query: Query
) -> dict[tuple[int, int], Path]:
    """Return the paths to passages, which are given and named by their part and their number in it."""
    paths: dict[tuple[int, int], Path] = {}
    for owner, part in enumerate(parts):
        numbers = [number for other, number in found if other == owner]
        if numbers and part.walked is not None:
            ways = paths_to(numbers, part.inside, query.text, part.walked.linked, part.walked.first)
            paths.update(zip([(owner, number) for number in numbers], ways, strict=True))
    return paths


def _seeds(parts: Sequence[Part]) -> tuple[Seed, ...]:
    seeds = [seed for part in parts if part.walked for seed in part.walked.linked.seeds]
    return tuple(sorted(seeds, key=lambda seed: (-seed.weight, seed.entity)))


def _facts(parts: Sequence[Part], query: Query) -> tuple[ScoredFact, ...]:
    found: list[ScoredFact] = []
    for part in parts:
        if part.walked is None or query.vector is None:
            continue
        seen = part.inside.facts(part.walked.first.facts)
        facts, masses = part.walked.first.facts[seen], part.walked.first.fact_mass[seen]
        best = top_k(masses, FACTS_SHOWN)
        cosines = fact_vectors_of(part.segment).cosines(facts[best], query.vector[None, :])[:, 0]
        scored = zip(facts[best].tolist(), masses[best].tolist(), cosines.tolist(), strict=True)
        found += [ScoredFact(part.inside.fact(number), mass, cosine) for number, mass, cosine in scored]
    return tuple(sorted(found, key=lambda f: (-f.score, f.fact.passage_id, f.fact.id))[:FACTS_SHOWN])


def _walk_numbers(parts: Sequence[Part], plain: float) -> dict[str, float]:
    walks = [part.walked.first for part in parts if part.walked is not None]
    if not walks:
        return {}
    bounds = {"residual": max(w.residual for w in walks), "plain_share": plain}
    if any(part.inside.passages is not None for part in parts):
        return bounds  # the counts tell of what the filter hides
    return {
        "pushes": float(sum(w.pushes for w in walks)),
        "touched": float(sum(len(w.entities) + len(w.facts) for w in walks)),
        **bounds,
    }
