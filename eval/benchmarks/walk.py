"""How fast the walk is: ``python -m hipporag_like.eval.benchmarks.walk --passages 20000 200000``.

Prints JSON: milliseconds a question for push, power iteration and PRPACK on the same made-up graph with the
same seeds in the same process, and how many of the 20 best passages push and the references share. The ratios
are what to compare between machines. Engines take turns, so that a disturbance meets all; medians count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import SearchConfig
from hipporag_like.indexing.rows import rows_of
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

REFERENCES = ("power", "prpack")
TOP = 20
# The shape of an index made by the rules of 1,890 passages of MuSiQue, rounded: 3.4 facts a passage, 6.1
# entities a fact, 8.5 entities a passage, a synonym for 36 % of these. There the top 1 % of the entities have
# 14 % of the edges and the top 10 % have 43 %; squaring a uniform number gives 10 % and 32 %.
FACTS = 3
MENTIONS = 6
ENTITIES = 8
SYNONYM_SHARE = 0.36
SEEDS = 5

Question = tuple[NDArray[np.float32], NDArray[np.int64]]


def made_up_graph(n_passages: int, dim: int, seed: int = 0) -> WalkGraph:
    """Return a graph of facts and entities; fact f belongs to passage ``f // FACTS``."""
    draw = np.random.default_rng(seed)
    n_facts, n_entities = FACTS * n_passages, ENTITIES * n_passages
    fact = np.repeat(np.arange(n_facts, dtype=np.int32), MENTIONS)
    rank = (n_entities * draw.random(len(fact)) ** 2).astype(np.int64)
    entity = draw.permutation(n_entities)[rank].astype(np.int32)
    weight = np.ones(len(fact), dtype=np.float32)
    pairs = draw.integers(0, n_entities, (int(SYNONYM_SHARE * n_entities / 2), 2)).astype(np.int32)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    vectors = draw.standard_normal((n_facts, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return WalkGraph(
        entity_facts=rows_of(entity, fact, weight, n_entities),
        fact_entities=rows_of(fact, entity, weight, n_facts),
        synonyms=rows_of(ends[:, 0], ends[:, 1], np.full(len(ends), 0.9, np.float32), n_entities),
        fact_vectors=vectors,
    )


def made_up_questions(graph: WalkGraph, count: int, seed: int = 1) -> list[Question]:
    """Return question vectors near a fact, with entities of that fact and of others as seeds."""
    draw = np.random.default_rng(seed)
    questions = []
    for _ in range(count):
        facts = draw.integers(0, len(graph.fact_vectors), SEEDS)
        vector = graph.fact_vectors[facts[0]] + draw.standard_normal(graph.fact_vectors.shape[1]) / 20
        seeds = np.unique([int(graph.fact_entities.row(int(f))[0][0]) for f in facts]).astype(np.int64)
        questions.append(((vector / np.linalg.norm(vector)).astype(np.float32), seeds))
    return questions


def top_passages(result: WalkResult) -> set[int]:
    """Return the passages with most mass on their facts; ties go to the smaller number."""
    passage, place = np.unique(result.facts // FACTS, return_inverse=True)
    mass = np.bincount(place, weights=result.fact_mass)
    return set(passage[np.lexsort((passage, -mass))[:TOP]].tolist())


def measure(n_passages: int, n_questions: int, dim: int, references: Sequence[str]) -> dict[str, object]:
    """Return milliseconds of push and the references, shared top passages, and what push did."""
    graph, search = made_up_graph(n_passages, dim), SearchConfig()
    options = WalkOptions(search.damping, search.tolerance, search.sharpness, synonym_share=0.15)
    times: dict[str, list[float]] = {engine: [] for engine in ("push", *references)}
    shared: dict[str, list[int]] = {engine: [] for engine in references}
    pushes, residuals = [], []
    warm_up, *questions = made_up_questions(graph, n_questions + 1)
    _timed(graph, warm_up, options, "push")
    for question in questions:
        results = {}
        for engine in times:
            results[engine], seconds = _timed(graph, question, options, engine)
            times[engine].append(1000 * seconds)
        best = top_passages(results["push"])
        for engine in shared:
            shared[engine].append(len(best & top_passages(results[engine])))
        pushes.append(results["push"].pushes)
        residuals.append(results["push"].residual)
    return {
        "passages": n_passages,
        "nodes": (ENTITIES + FACTS) * n_passages,
        "edges": len(graph.entity_facts.indices),
        "questions": n_questions,
        **_compared(times),
        f"top_{TOP}_shared_least": {engine: min(values) for engine, values in shared.items()},
        f"top_{TOP}_shared_mean": {engine: statistics.mean(values) for engine, values in shared.items()},
        "pushes": round(statistics.median(pushes)),
        "residual": round(statistics.median(residuals), 6),
    }


def _compared(times: dict[str, list[float]]) -> dict[str, object]:
    middle = {engine: statistics.median(values) for engine, values in times.items()}
    slower = {
        engine: round(value / middle["push"], 1) for engine, value in middle.items() if engine != "push"
    }
    return {
        "milliseconds": {engine: round(value, 2) for engine, value in middle.items()},
        "times_slower_than_push": slower,
    }


def _timed(
    graph: WalkGraph, question: Question, options: WalkOptions, engine: str
) -> tuple[WalkResult, float]:
    vector, seeds = question
    mass = np.full(len(seeds), 1 / len(seeds))
    started = time.perf_counter()
    result = walk(graph, vector, seeds, mass, options, engine)
    return result, time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the walk.")
    parser.add_argument("--passages", type=int, nargs="+", default=[20_000], help="sizes of the graph")
    parser.add_argument("--questions", type=int, default=5, help="walks an engine")
    parser.add_argument("--dim", type=int, default=384, help="length of the vectors")
    parser.add_argument(
        "--references", nargs="*", default=REFERENCES, choices=REFERENCES, help="what to compare"
    )
    given = parser.parse_args()
    rows = [measure(size, given.questions, given.dim, given.references) for size in given.passages]
    sys.stdout.write(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
