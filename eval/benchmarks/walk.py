"""How fast the walk is: ``python -m hipporag_like.eval.benchmarks.walk --passages 10000 100000 --json walk.json``.

Prints JSON, and ratios are what to compare between machines: milliseconds a question for push at each size of a made-up
graph, for igraph's PRPACK and power iteration on the same graph, question and seeds, and how many of the 20 passages of
most mass push and the exact solution share. Push takes turns between the sizes, so that a disturbance meets all; medians
count. PRPACK and power iteration are each given their transitions ready: ``seconds`` is what they take to solve.

The graph: 5 facts a passage; a fact mentions its passage's subject and 1.4 entities more, by Zipf's law over as many
entities as there are in all, two a passage; facts are bags of 15 of 30,000 words, by Zipf's law as well. A question is
near a fact, and its seeds are the entities of that fact and of one more, weighted as ``retrieval.link`` does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import SearchConfig
from hipporag_like.indexing.rows import rows_of
from hipporag_like.retrieval.gather import SYNONYM_SHARE
from hipporag_like.retrieval.similarity import WordFacts
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, prpack, transition, walk

SIZES = (10_000, 100_000)
TOP = 20
FACTS, MENTIONS, ENTITIES = 5, 1.4, 2
WORDS, WORDS_A_FACT, DIM = 30_000, 15, 384
# Zipf's law as Mandelbrot has it for words: rank r is drawn in proportion to 1 / (r + 2.7).
SHIFT = 2.7
SYNONYMS = 0.1  # of the entities have one; in indexes of the dev sets 5 to 15 %
EXACT = (
    1e-8  # tolerance of the push that stands for the exact solution where power iteration would take hours
)

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
    return np.searchsorted(running, draw.random(count) * running[-1])


def _bags(draw: np.random.Generator, n_facts: int) -> WordFacts:
    from hipporag_like.retrieval.descend import bag_sums

    codes = np.clip(np.round(40 * draw.standard_normal((WORDS, DIM))), -127, 127).astype(np.int8)
    scale = np.full(WORDS, 1 / np.sqrt(DIM) / 40, dtype=np.float32)
    index = _zipf(draw, WORDS, n_facts * WORDS_A_FACT).astype(np.int32)
    indptr = WORDS_A_FACT * np.arange(n_facts + 1, dtype=np.int64)
    vectors, norm = codes * scale[:, None].astype(np.float64), np.empty(n_facts, dtype=np.float32)
    for first in range(0, n_facts, 20_000):
        starts = indptr[first : first + 20_001]
        words = index[starts[0] : starts[-1]].astype(np.int64)
        norm[first : first + 20_000] = np.linalg.norm(bag_sums(vectors, words, starts - starts[0]), axis=1)
    return WordFacts(codes, scale, indptr, index, norm)


def _question(draw: np.random.Generator, graph: WalkGraph, n_passages: int) -> Question:
    facts = draw.integers(0, len(graph.facts), 2)
    vector = graph.facts.take(facts[:1])[0] + draw.standard_normal(DIM) / np.sqrt(DIM) / 2
    seeds = np.unique(np.concatenate([graph.fact_entities.row(int(f))[0] for f in facts])).astype(np.int64)
    degree = graph.entity_facts.indptr[seeds + 1] - graph.entity_facts.indptr[seeds]
    mass = np.log1p(n_passages / degree) / np.sqrt(degree)
    return (vector / np.linalg.norm(vector)).astype(np.float32), seeds, mass / mass.sum()


def top_passages(result: WalkResult) -> set[int]:
    """Return the passages with most mass on their facts; ties go to the smaller number."""
    passage, place = np.unique(result.facts // FACTS, return_inverse=True)
    mass = np.bincount(place, weights=result.fact_mass)
    return set(passage[np.lexsort((passage, -mass))[:TOP]].tolist())


def measure(
    sizes: Sequence[int] = SIZES,
    questions: int = 200,
    compared: int = 200,
    solved: int = 3,
    exact: str = "push",
) -> dict[str, Any]:
    """Return what push and the references take at each size, and how far their best passages agree.

    Parameters
    ----------
    sizes
        Passages of each graph; all are in memory at once, 1 GB for a million.
    questions
        Walks of push at each size.
    compared
        How many of them are compared with the exact solution.
    solved
        How many of them the references solve; PRPACK needs 7 GB and minutes for a million passages.
    exact
        ``power``, or ``push`` at a tolerance of ``EXACT``, whose residual is reported: its distance to the truth.
    """
    options = _options()
    worlds = [made_up_world(size, questions + 1) for size in sizes]
    seconds: list[list[float]] = [[] for _ in worlds]
    results: list[list[WalkResult]] = [[] for _ in worlds]
    for number in range(questions + 1):
        for world, times, found in zip(worlds, seconds, results, strict=True):
            result, took = _timed(world, number, options)
            if number:  # the first loads, and compiles
                times.append(took)
                found.append(result)
    rows = [
        {
            **_described(world, times, found),
            "exact": _agreement(world, found[:compared], options, exact),
            "references": _references(world, statistics.median(times), found, options, solved),
        }
        for world, times, found in zip(worlds, seconds, results, strict=True)
    ]
    middle = [statistics.median(times) for times in seconds]
    return {
        "questions": questions,
        "top": TOP,
        "dim": DIM,
        "tolerance": options.tolerance,
        "sharpness": options.sharpness,
        "sizes": rows,
        "growth": round(middle[-1] / middle[0], 2),
        "passages_grow": round(sizes[-1] / sizes[0], 2),
    }


def _options(tolerance: float | None = None) -> WalkOptions:
    search = SearchConfig()
    return WalkOptions(search.damping, tolerance or search.tolerance, search.sharpness, SYNONYM_SHARE)


def _timed(world: World, number: int, options: WalkOptions) -> tuple[WalkResult, float]:
    vector, seeds, mass = world.questions[number]
    started = time.perf_counter()
    result = walk(world.graph, vector, seeds, mass, options)
    return result, time.perf_counter() - started


def _described(world: World, times: list[float], found: list[WalkResult]) -> dict[str, Any]:
    graph = world.graph
    return {
        "passages": world.passages,
        "nodes": len(graph.facts) + len(graph.entity_facts.indptr) - 1,
        "edges": len(graph.entity_facts.indices),
        "largest_degree": int(np.diff(graph.entity_facts.indptr).max()),
        "milliseconds": {
            "p50": round(1000 * statistics.median(times), 3),
            "p95": round(1000 * float(np.percentile(times, 95)), 3),
        },
        "pushes": round(statistics.median(result.pushes for result in found)),
        "residual": round(statistics.median(result.residual for result in found), 4),
    }


def _agreement(world: World, found: list[WalkResult], options: WalkOptions, exact: str) -> dict[str, Any]:
    """Return the share of the best passages that push finds among the exact best."""
    shared, residual = [], 0.0
    finer = options if exact == "power" else _options(EXACT)
    for number, result in enumerate(found, start=1):
        true = walk(world.graph, *world.questions[number], finer, exact)
        shared.append(len(top_passages(result) & top_passages(true)) / TOP)
        residual = max(residual, true.residual)
    return {
        "by": exact,
        "compared": len(shared),
        "residual_most": float(f"{residual:.2g}"),
        "overlap_mean": round(statistics.mean(shared), 4),
        "overlap_least": min(shared),
    }


def _references(
    world: World, push: float, found: list[WalkResult], options: WalkOptions, solved: int
) -> dict[str, Any]:
    """Return the seconds of the references, with the transitions made ready, and their ratio to ``push``."""
    makers = {"power": _power, "prpack": prpack}
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    shared: dict[str, list[float]] = {name: [] for name in makers}
    n_entities = len(world.graph.entity_facts.indptr) - 1
    for number in range(1, min(solved, len(found)) + 1):
        vector, seeds, mass = world.questions[number]
        for name, make in makers.items():
            solve = make(world.graph, vector, options)
            started = time.perf_counter()
            ranks = solve(seeds, mass)
            seconds[name].append(time.perf_counter() - started)
            masses = np.asarray(ranks)[n_entities : n_entities + len(world.graph.facts)]
            facts = np.flatnonzero(masses)
            none = np.zeros(0, np.int64)
            true = WalkResult(none, np.zeros(0), facts, masses[facts], 1, 0.0)
            shared[name].append(len(top_passages(found[number - 1]) & top_passages(true)) / TOP)
            del solve, ranks
    return {
        name: {
            "solved": len(times),
            "seconds": round(statistics.median(times), 3),
            "times_slower_than_push": round(statistics.median(times) / push, 1),
            "overlap_mean": round(statistics.mean(shared[name]), 4),
        }
        for name, times in seconds.items()
        if times
    }


def _power(
    graph: WalkGraph, question: NDArray[np.float32], options: WalkOptions
) -> Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]]:
    backwards = transition(graph, question, options).T.tocsr()

    def solve(seeds: NDArray[np.int64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        spread = np.zeros(backwards.shape[0])
        np.add.at(spread, seeds, mass)
        estimate = np.zeros_like(spread)
        while spread.sum() > EXACT:
            estimate += (1 - options.damping) * spread
            spread = options.damping * (backwards @ spread)
        return estimate

    return solve


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the walk.")
    parser.add_argument("--passages", type=int, nargs="+", default=list(SIZES), help="sizes of the graph")
    parser.add_argument("--questions", type=int, default=200, help="walks at each size")
    parser.add_argument("--compared", type=int, default=200, help="walks that are held to the exact solution")
    parser.add_argument("--solved", type=int, default=3, help="walks that the references solve")
    parser.add_argument(
        "--exact", choices=("push", "power"), default="push", help="what the best are held to"
    )
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    given = parser.parse_args()
    if min(given.questions, given.compared, *given.passages) < 1 or given.solved < 0:
        parser.error("sizes, questions and compared must be at least 1, and solved at least 0")
    found = measure(given.passages, given.questions, given.compared, given.solved, given.exact)
    text = json.dumps(found, indent=2) + "\n"
    if given.json is not None:
        given.json.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
