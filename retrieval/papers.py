"""The recipe of ``hipporag`` and ``hipporag2``: what they need, in what order, and hits out of their rankings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.texts import plain
from hipporag_like.retrieval import hipporag, hipporag2
from hipporag_like.retrieval.filters import allowed_passages, check_where
from hipporag_like.retrieval.phrase_graph import (
    PhraseGraph,
    Shown,
    fact_of,
    facts_of,
    phrase_graph_of,
    shown_of,
)
from hipporag_like.retrieval.query import PATHS_SHOWN, Clock, Options, Query, Vector, why_empty
from hipporag_like.retrieval.ranked import Linked, Ranked, best_of, similarities
from hipporag_like.types import Hit, PathStep, ScoredFact, Trace


def search(segments: Sequence[Segment], query: Query, vector: Vector, options: Options) -> Trace:
    """Return the hits of a question by one of the papers' methods.

    Parameters
    ----------
    segments
        The namespaces to search.
    query
        Its method is ``hipporag`` or ``hipporag2``.
    vector
        float32, (dim,), unit length: the question.
    options
        The rest.

    Returns
    -------
    Trace
        ``outcome`` is ``no_seeds``, and ``method`` is ``dense``, where the walk had nothing to start from.
    """
    clock = Clock()
    if query.where is not None:
        check_where(query.where)
    masks = [allowed_passages(segment, query.where) for segment in segments]
    clock.lap("filter")
    graphs = [phrase_graph_of(segment) for segment in segments]
    shown = None
    if any(mask is not None for mask in masks):
        shown = [shown_of(*own) for own in zip(segments, graphs, masks, strict=True)]
    clock.lap("graph")
    cosines = [similarities(segment.array("passage_vectors"), vector) for segment in segments]
    clock.lap("dense")
    if query.method == "hipporag":
        ranked = _by_entities(graphs, query, cosines, shown, options, clock)
    else:
        ranked = _by_facts(segments, graphs, query, vector, cosines, shown, options)
        clock.lap("walk")
    method = "dense" if ranked.note else query.method
    hits = _hits(segments, graphs, ranked, query, masks, shown, "dense" if ranked.note else "graph")
    clock.lap("hits")
    found = tuple(
        ScoredFact(fact_of(segments[f.part], f.number, masks[f.part]), f.score, f.similarity)
        for f in ranked.facts
    )
    return Trace(
        question=query.text,
        requested_method=query.method,
        method=method,
        outcome="empty" if not hits else "no_seeds" if ranked.note else "ok",
        note=ranked.note if hits else why_empty(segments, masks),
        seeds=ranked.seeds,
        facts=found,
        hits=hits,
        seconds=clock.seconds,
    )


def _by_entities(
    graphs: Sequence[PhraseGraph],
    query: Query,
    cosines: Sequence[NDArray[np.float32]],
    shown: Sequence[Shown] | None,
    options: Options,
    clock: Clock,
) -> Ranked:
    entities = list(dict.fromkeys(filter(None, map(plain, options.find_entities(query.text)))))
    clock.lap("entities")
    vectors = options.embed(entities) if entities else np.zeros((0, 1), np.float32)
    clock.lap("embed")
    engine = options.search.engine
    ranked = hipporag.rank(graphs, entities, vectors, cosines, options.hipporag, engine, shown)
    clock.lap("walk")
    return ranked


def _by_facts(
    segments: Sequence[Segment],
    graphs: Sequence[PhraseGraph],
    query: Query,
    vector: Vector,
    cosines: Sequence[NDArray[np.float32]],
    shown: Sequence[Shown] | None,
    options: Options,
) -> Ranked:
    keep = None
    if options.keep_facts is not None:
        ask = options.keep_facts

        def keep(facts: Sequence[Linked]) -> Sequence[int]:
            return ask(query.text, [fact_of(segments[f.part], f.number).text for f in facts])

    return hipporag2.rank(graphs, vector, cosines, options.hipporag, keep, options.search.engine, shown)


def _hits(
    segments: Sequence[Segment],
    graphs: Sequence[PhraseGraph],
    ranked: Ranked,
    query: Query,
    masks: Sequence[NDArray[np.bool_] | None],
    shown: Sequence[Shown] | None,
    signal: str,
) -> tuple[Hit, ...]:
    scores = [
        part if mask is None else np.where(mask, part, -np.inf)
        for part, mask in zip(ranked.scores, masks, strict=True)
    ]
    hits: list[Hit] = []
    for part, number, score in best_of(scores, query.k):
        if score == -np.inf:
            break
        path: tuple[PathStep, ...] = ()
        if ranked.masses and len(hits) < PATHS_SHOWN:
            name = graphs[part].names.__getitem__ if shown is None else shown[part].name
            path = _path(segments[part], graphs[part], ranked.masses[part], number, query.text, name)
        passage = segments[part].passage(number)
        hits.append(Hit(len(hits) + 1, score, passage, {signal: score}, path))
    return tuple(hits)


def _path(
    segment: Segment,
    graph: PhraseGraph,
    mass: NDArray[np.float64],
    passage: int,
    question: str,
    name: Callable[[int], str],
) -> tuple[PathStep, ...]:
    """Return the way over the passage's heaviest phrase; empty where the walk reached none."""
    phrases, _ = graph.mentions.row(passage)
    if len(phrases) == 0 or float(mass[phrases].max()) <= 0.0:
        return ()
    best = int(phrases[int(np.argmax(mass[phrases]))])
    weight = float(mass[best])
    fact = next(f for f in facts_of(segment, passage) if best in graph.fact_phrases.row(f)[0])
    return (
        PathStep("question", question, 1.0),
        PathStep("entity", name(best), weight),
        PathStep("fact", fact_of(segment, fact).text, weight),
        PathStep("passage", segment.title(passage) or segment.passage_ids[passage], weight),
    )
