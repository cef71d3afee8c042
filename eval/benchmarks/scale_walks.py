"""The walk and what others use for it, on the same graph and seeds: igraph's prpack and scipy's sparse products."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LexicalConfig, SearchConfig
from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.benchmarks.timing import median, ratio, spread
from hipporag_like.eval.benchmarks.walk import EXACT
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.retrieval.dense import nearest_in
from hipporag_like.retrieval.fuse import FACT_POWER, passage_mass
from hipporag_like.retrieval.gather import SYNONYM_SHARE
from hipporag_like.retrieval.lexical import bm25_top
from hipporag_like.retrieval.link import link
from hipporag_like.retrieval.near_facts import NEAR_PASSAGES
from hipporag_like.retrieval.similarity import fact_vectors_of
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.transition import transition
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk
from hipporag_like.store.snapshot import open_snapshot

TOP = 20
LEAST = 3  # questions, however long they take
_POWER_ERROR = 1e-6  # what may be left to spread; prpack goes on to 1e-10 and cannot be told otherwise

Solve = Callable[[], NDArray[np.float64]]


@dataclass(frozen=True)
class _Start:
    """Where the walk of a question begins."""

    vector: NDArray[np.float32]
    entities: NDArray[np.int64]
    mass: NDArray[np.float64]


def walks(
    index: str,
    passages: int,
    dataset: str = "",
    limit: int = 200,
    budget: float = 20.0,
    reference_limit: int = 20,
) -> dict[str, Any]:
    """Walk from the seeds of each question with push, and from some of them with the reference engines.

    The references are timed on what they need at least: the matrix of the question is made before, and for prpack
    the graph stands in memory. prpack's time includes handing over weights, as every query of its users does. The
    best passages are also compared with those of a push that goes on until next to nothing is left to spread (see
    ``walk.EXACT``), for which there is time on far more questions than for prpack.

    Parameters
    ----------
    index, passages, dataset
        The source.
    limit
        Questions, from the first.
    budget, reference_limit
        Seconds and questions for the references, and as many seconds for the comparison; at least three questions
        each.
    """
    source, search = Source(index, passages, dataset), SearchConfig()
    options = WalkOptions(search.damping, search.tolerance, search.sharpness, SYNONYM_SHARE)
    with open_snapshot(Path(index)) as snapshot:
        segment = Index(snapshot).segments[snapshot.groups[0]]
        graph = WalkGraph(
            segment.entity_facts, segment.fact_entities, segment.synonyms, fact_vectors_of(segment)
        )
        starts = _starts(segment, source, limit)
        pushed = [_pushed(graph, start, options) for start in [starts[0], *starts]][1:]
        best = [_best(segment, result) for result, _ in pushed]
        seconds = {"push": [took for _, took in pushed]}
        longer = replace(options, tolerance=EXACT)
        exact = [
            _shared(best[place], _best(segment, _pushed(graph, starts[place], longer)[0]))
            for place in _while_there_is_time(len(starts), budget)
        ]
        shared: dict[str, list[float]] = {"prpack": [], "power": []}
        prpack = _Prpack()
        for place in _while_there_is_time(min(reference_limit, len(starts)), budget):
            matrix = transition(graph, starts[place].vector, options)
            solves = {
                "prpack": prpack.solve(matrix, starts[place], options.damping),
                "power": _power(matrix, starts[place], options.damping),
            }
            for engine, solve in solves.items():
                started = time.perf_counter()
                ranks = solve()
                seconds.setdefault(engine, []).append(time.perf_counter() - started)
                theirs = _best(segment, _as_result(ranks, segment.n_entities))
                shared[engine].append(_shared(best[place], theirs))
        return {
            "questions": len(starts),
            "exact_questions": len(exact),
            "reference_questions": len(seconds["prpack"]),
            "nodes": segment.n_entities + segment.n_facts,
            "edges": len(graph.entity_facts.edges) + len(graph.synonyms.edges),
            "pushes": round(median([result.pushes for result, _ in pushed])),
            "seconds": {engine: spread(values) for engine, values in seconds.items()},
            "times_slower_than_push": {
                engine: ratio(median(seconds[engine]), median(seconds["push"])) for engine in shared
            },
            f"top_{TOP}_shared_mean": {
                engine: round(float(np.mean(values)), 4)
                for engine, values in {"exact": exact, **shared}.items()
            },
        }


def _starts(segment: Segment, source: Source, limit: int) -> list[_Start]:
    embedder = source.embedder()
    questions = [question.question for question in source.questions()[:limit]]
    found = []
    for question, vector in zip(questions, embedder.embed(questions, "query"), strict=True):
        near = np.union1d(
            nearest_in(segment, "passage", vector, NEAR_PASSAGES)[0],
            bm25_top(segment, question, NEAR_PASSAGES, LexicalConfig())[0],
        )
        linked = link(segment, question, vector, lambda text: embedder.embed([text], "query")[0], None, near)
        found.append(_Start(vector, linked.entities, linked.mass))
    return found


def _while_there_is_time(count: int, seconds: float) -> Iterator[int]:
    until = time.perf_counter() + seconds
    for place in range(count):
        if place >= LEAST and time.perf_counter() > until:
            return
        yield place


def _pushed(graph: WalkGraph, start: _Start, options: WalkOptions) -> tuple[WalkResult, float]:
    started = time.perf_counter()
    result = walk(graph, start.vector, start.entities, start.mass, options)
    return result, time.perf_counter() - started


def _best(segment: Segment, walked: WalkResult) -> set[int]:
    owners, sizes = segment.array("fact_passage"), segment.array("passage_facts")
    passages, mass = passage_mass(walked.facts, walked.fact_mass, owners, sizes, FACT_POWER)
    return set(passages[top_k(mass, TOP)].tolist())


def _shared(ours: set[int], theirs: set[int]) -> float:
    return len(ours & theirs) / max(1, len(theirs))


def _as_result(ranks: NDArray[np.float64], n_entities: int) -> WalkResult:
    nodes = np.flatnonzero(ranks > 0)
    split = int(np.searchsorted(nodes, n_entities))
    entities, facts = nodes[:split], nodes[split:]
    return WalkResult(entities, ranks[entities], facts - n_entities, ranks[facts], 1, 0.0)


class _Prpack:
    """igraph's graph, made once: questions change the weights only."""

    def __init__(self) -> None:
        self._graph: Any = None

    def solve(self, matrix: Any, start: _Start, damping: float) -> Solve:
        """Return the work of one question; one more node takes in the walks that end, which prpack starts anew."""
        import igraph

        n = matrix.shape[0]
        ends = np.append(np.flatnonzero(np.diff(matrix.indptr) == 0), n)
        rows = np.concatenate([np.repeat(np.arange(n), np.diff(matrix.indptr)), ends])
        if self._graph is None:
            columns = np.concatenate([matrix.indices, np.full(len(ends), n)])
            self._graph = igraph.Graph(n=n + 1, edges=np.stack([rows, columns], axis=1), directed=True)
        weights = np.concatenate([matrix.data, np.ones(len(ends))]).tolist()
        reset = _reset(n + 1, start).tolist()

        def work() -> NDArray[np.float64]:
            ranks = self._graph.personalized_pagerank(
                reset=reset, damping=damping, weights=weights, implementation="prpack"
            )
            return np.asarray(ranks)[:n]

        return work


def _power(matrix: Any, start: _Start, damping: float) -> Solve:
    backwards = matrix.T.tocsr()
    reset = _reset(matrix.shape[0], start)

    def work() -> NDArray[np.float64]:
        spread, estimate = reset.copy(), np.zeros_like(reset)
        while spread.sum() > _POWER_ERROR:
            estimate += (1 - damping) * spread
            spread = damping * (backwards @ spread)
        return estimate

    return work


def _reset(n: int, start: _Start) -> NDArray[np.float64]:
    reset = np.zeros(n)
    np.add.at(reset, start.entities, start.mass)
    return reset
