"""The engines that others use, on the same index and questions: igraph's prpack, scipy, rank-bm25, numpy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config, SearchConfig
from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.benchmarks.timing import median, ratio, spread
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.retrieval.fuse import FACT_POWER, passage_mass
from hipporag_like.retrieval.gather import SYNONYM_SHARE
from hipporag_like.retrieval.lexical import bm25_scores
from hipporag_like.retrieval.link import link
from hipporag_like.retrieval.topk import top_k
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, transition, walk
from hipporag_like.store.snapshot import open_snapshot

TOP = 20
DENSE_TOP = 100
LEAST = 3  # questions, however long they take
_POWER_ERROR = 1e-6  # what is left to spread; prpack stops at 1e-10 and cannot be told otherwise
# rank-bm25 keeps a Python dictionary a passage: 100,000 passages of 100 words take 2 GB.
RANK_BM25_LIMIT = 100_000

Solve = Callable[[], NDArray[np.float64]]


def graph_of(segment: Segment) -> WalkGraph:
    """Return the graph that a search walks."""
    vectors = segment.array("fact_vectors")
    return WalkGraph(segment.entity_facts, segment.fact_entities, segment.synonyms, vectors)


def walks(
    index: str,
    passages: int,
    dataset: str = "",
    limit: int = 200,
    budget: float = 20.0,
    reference_limit: int = 20,
) -> dict[str, Any]:
    """Walk from the seeds of each question with push, and as long as there is time with the reference engines.

    The references are timed on what they need at least: the matrix of the question is made before, and for prpack
    the graph stands in memory. prpack's time includes handing over weights, as every query of its users does.

    Parameters
    ----------
    index, passages, dataset
        The source.
    limit
        Questions, from the first.
    budget, reference_limit
        Seconds and questions for the references; at least three questions in any case.
    """
    source = Source(index, passages, dataset)
    embedder, search = source.embedder(), SearchConfig()
    options = WalkOptions(search.damping, search.tolerance, search.sharpness, SYNONYM_SHARE)
    questions = [question.question for question in source.questions()[:limit]]
    vectors = embedder.embed(questions, "query")
    seconds: dict[str, list[float]] = {"push": [], "prpack": [], "power": []}
    shared: dict[str, list[float]] = {"prpack": [], "power": []}
    with open_snapshot(Path(index)) as snapshot:
        segment = Index(snapshot).segments[snapshot.groups[0]]
        graph, prpack = graph_of(segment), _Prpack()
        until = time.perf_counter() + budget
        for number, (question, vector) in enumerate(zip(questions, vectors, strict=True)):
            linked = link(segment, question, vector, lambda text: embedder.embed([text], "query")[0])
            if number == 0:
                walk(graph, vector, linked.entities, linked.mass, options)
            started = time.perf_counter()
            pushed = walk(graph, vector, linked.entities, linked.mass, options)
            seconds["push"].append(time.perf_counter() - started)
            if number >= min(reference_limit, LEAST if time.perf_counter() > until else limit):
                continue
            best = _best(segment, pushed)
            matrix = transition(graph, vector, options)
            reset = np.zeros(matrix.shape[0])
            np.add.at(reset, linked.entities, linked.mass)
            solves: dict[str, Solve] = {
                "prpack": prpack.solve(matrix, reset, options.damping),
                "power": _power(matrix, reset, options.damping),
            }
            for engine, solve in solves.items():
                started = time.perf_counter()
                ranks = solve()
                seconds[engine].append(time.perf_counter() - started)
                theirs = _best(segment, _as_result(ranks, segment.n_entities))
                shared[engine].append(len(best & theirs) / max(1, len(theirs)))
    return {
        "questions": len(questions),
        "reference_questions": len(seconds["prpack"]),
        "nodes": segment.n_entities + segment.n_facts,
        "edges": len(graph.entity_facts.indices) + len(graph.synonyms.indices),
        "seconds": {engine: spread(values) for engine, values in seconds.items()},
        "times_slower_than_push": {
            engine: ratio(median(seconds[engine]), median(seconds["push"])) for engine in shared
        },
        f"top_{TOP}_shared_mean": {engine: round(float(np.mean(v)), 4) for engine, v in shared.items()},
    }


def _best(segment: Segment, walked: WalkResult) -> set[int]:
    owners, sizes = segment.array("fact_passage"), segment.array("passage_facts")
    passages, mass = passage_mass(walked.facts, walked.fact_mass, owners, sizes, FACT_POWER)
    return set(passages[top_k(mass, TOP)].tolist())


def _as_result(ranks: NDArray[np.float64], n_entities: int) -> WalkResult:
    nodes = np.flatnonzero(ranks > 0)
    split = int(np.searchsorted(nodes, n_entities))
    entities, facts = nodes[:split], nodes[split:]
    return WalkResult(entities, ranks[entities], facts - n_entities, ranks[facts], 1, 0.0)


class _Prpack:
    """igraph's graph, made once: questions change the weights only."""

    def __init__(self) -> None:
        self._graph: Any = None

    def solve(self, matrix: Any, reset: NDArray[np.float64], damping: float) -> Solve:
        """Return the work of one question; the last node takes in the walks that end."""
        import igraph

        n = matrix.shape[0]
        ends = np.append(np.flatnonzero(np.diff(matrix.indptr) == 0), n)
        if self._graph is None:
            rows = np.concatenate([np.repeat(np.arange(n), np.diff(matrix.indptr)), ends])
            columns = np.concatenate([matrix.indices, np.full(len(ends), n)])
            edges = np.stack([rows, columns], axis=1)
            self._graph = igraph.Graph(n=n + 1, edges=edges, directed=True)
        weights = np.concatenate([matrix.data, np.ones(len(ends))]).tolist()
        start = [*reset.tolist(), 0.0]

        def work() -> NDArray[np.float64]:
            ranks = self._graph.personalized_pagerank(
                reset=start, damping=damping, weights=weights, implementation="prpack"
            )
            return np.asarray(ranks)[:n]

        return work


def _power(matrix: Any, reset: NDArray[np.float64], damping: float) -> Solve:
    backwards = matrix.T.tocsr()

    def work() -> NDArray[np.float64]:
        spread, estimate = reset.copy(), np.zeros_like(reset)
        while spread.sum() > _POWER_ERROR:
            estimate += (1 - damping) * spread
            spread = damping * (backwards @ spread)
        return estimate

    return work


def lexical(index: str, passages: int, dataset: str = "", limit: int = 20) -> dict[str, Any]:
    """Score questions with our postings and with rank-bm25; the latter only where it fits."""
    source, config = Source(index, passages, dataset), Config().lexical
    questions = [question.question for question in source.questions()[:limit]]
    with open_snapshot(Path(index)) as snapshot:
        segment = Index(snapshot).segments[snapshot.groups[0]]
        mine = _timed([partial(bm25_scores, segment, q, config) for q in questions])
        found: dict[str, Any] = {"questions": len(questions), "seconds": {"ours": spread(mine)}}
        if segment.n_passages > RANK_BM25_LIMIT:
            return found
        from rank_bm25 import BM25Okapi

        texts = [lexical_tokens(passage_text(segment.passage(i))) for i in range(segment.n_passages)]
        reference = BM25Okapi(texts, k1=config.k1, b=config.b, epsilon=config.epsilon)
        theirs = _timed([partial(_rank_bm25, reference, q) for q in questions])
    found["seconds"]["rank_bm25"] = spread(theirs)
    found["times_slower_than_ours"] = ratio(median(theirs), median(mine))
    return found


def dense(index: str, passages: int, dataset: str = "", limit: int = 50) -> dict[str, Any]:
    """Find the nearest passages by one product with all vectors in numpy; the time and the rows.

    The vectors are in memory as float32, whatever the index keeps.
    """
    source = Source(index, passages, dataset)
    questions = [question.question for question in source.questions()[:limit]]
    queries = source.embedder().embed(questions, "query")
    with open_snapshot(Path(index)) as snapshot:
        stored = snapshot.array(snapshot.groups[0], "passage_vectors")
        matrix = np.empty(stored.shape, dtype=np.float32)
        for at in range(0, len(stored), 1 << 16):  # in pieces: a copy of all would double the memory
            matrix[at : at + (1 << 16)] = stored[at : at + (1 << 16)]
    k = min(DENSE_TOP, len(matrix))
    seconds = _timed([partial(_nearest, matrix, v, k) for v in queries])
    return {"questions": len(questions), "seconds": {"numpy": spread(seconds)}}


def _rank_bm25(reference: Any, question: str) -> Any:
    return reference.get_scores(lexical_tokens(question))


def _nearest(matrix: NDArray[np.float32], vector: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    return np.argpartition(-(matrix @ vector), k - 1)[:k]


def _timed(works: Sequence[Callable[[], Any]]) -> list[float]:
    """Return the seconds of each, after one that does not count."""
    works[0]()
    seconds = []
    for work in works:
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds
