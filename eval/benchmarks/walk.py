"""How fast the walk is: ``python -m hipporag_like.eval.benchmarks.walk --passages 10000 100000 --json walk.json``.

Prints JSON, and ratios are what to compare between machines: milliseconds a question for push at each size of a made-up
graph, for igraph's PRPACK and power iteration on the same graph, question and seeds, and how many of the 20 passages
of most mass push and the exact solution share. Push takes turns between the sizes, so that a disturbance meets all;
medians count. PRPACK and power iteration are given their transitions ready: ``seconds`` is what they take to solve.

The graph is that of ``eval.benchmarks.walk_world``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import SearchConfig
from hipporag_like.eval.benchmarks.walk_world import DIM, FACTS, World, made_up_world
from hipporag_like.retrieval.gather import SYNONYM_SHARE
from hipporag_like.retrieval.transition import prpack, transition
from hipporag_like.retrieval.walk import WalkGraph, WalkOptions, WalkResult, walk

SIZES = (10_000, 100_000)
TOP = 20
# Tolerance of the push that stands for the exact solution where power iteration would take hours.
EXACT = 1e-8


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
        "edges": len(graph.entity_facts.edges),
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
