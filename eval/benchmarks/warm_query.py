"""How long a question takes when all is loaded: ``python -m hipporag_like.eval.benchmarks.warm_query``.

Prints JSON: for each method the 50th and 95th percentile of the seconds a retrieval takes beyond embedding,
and the median of each stage. Embedding is measured apart: a first, uncounted pass over the questions embeds
all that the methods ask for and keeps the vectors, so the second pass finds them ready.

``walk_engines`` compares the engines of ``graph`` and ``hipporag2`` inside the same retrieval on a few questions:
``push`` (the default), ``power`` (sparse products) and igraph's ``prpack``, the engine of HippoRAG; ``ratio`` is
prpack's median over push's, of the walk stage alone. In ``hipporag2`` that stage also scores the facts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hipporag_like.config import METHODS, WALK_ENGINES, Config, EmbedConfig
from hipporag_like.errors import ConfigError
from hipporag_like.eval.benchmarks.timing import Remembering, median, print_json, ratio, seconds_of, spread
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.indexing.notes import config_of
from hipporag_like.models.embedders import load_embedder
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Trace

K = 5
QUESTIONS = 100
BASELINE_QUESTIONS = 10  # prpack solves the whole graph for each
WALKERS = ("graph", "hipporag2")
_STAGE_OF_WALK = "walk"


def measure(
    dataset: Path,
    index: Path | None = None,
    methods: Sequence[str] = METHODS,
    limit: int = QUESTIONS,
    model: str | None = None,
) -> dict[str, Any]:
    """Return seconds of each method and walk engine.

    Parameters
    ----------
    dataset
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    index
        The data set's index, made where it is missing; None makes one in a temporary folder.
    methods
        Out of ``hipporag_like.config.METHODS``.
    limit
        Questions asked, from the first.
    model
        The embedder; None: the index's own, or the default for a new one.

    Raises
    ------
    ConfigError
        A limit below 1.
    InputError
        No data set.
    """
    if limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}")
    data = load_dataset(dataset)
    questions = [question.question for question in data.questions[:limit]]
    with ExitStack() as stack:
        folder = index or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-")))
        config = config_of(folder)
        if model is not None:
            config = replace(config, embed=EmbedConfig(model=model))
        embedder = load_embedder(config.embed)
        kept = Remembering(embedder)
        rag = HippoRAG(folder, config=config, embedder=kept)
        rag.index([document for document in data.documents if document.text.strip()])
        embedding = [seconds_of(partial(embedder.embed, [text], "query")) for text in questions]
        report = {
            "dataset": data.name,
            "questions": len(questions),
            "passages": int(rag.stats()["passages"]),
            "embedder": config.embed.model,
            "embed_question_seconds": spread(embedding),
            "methods": {method: _method(rag, kept, questions, method) for method in methods},
            "walk_engines": {
                method: _engines(folder, config, kept, questions[:BASELINE_QUESTIONS], method)
                for method in WALKERS
                if method in methods
            },
        }
    return report


def _method(rag: HippoRAG, kept: Remembering, questions: Sequence[str], method: str) -> dict[str, Any]:
    """Return the times of one method, all vectors being known."""
    known = len(kept.texts)
    _ask(rag, questions, method)
    embedded = len(kept.texts) - known
    times, traces = _ask(rag, questions, method)
    return {"seconds": spread(times), "stages": _stages(traces), "texts_embedded": embedded}


def _ask(rag: HippoRAG, questions: Sequence[str], method: str) -> tuple[list[float], list[Trace]]:
    times: list[float] = []
    traces: list[Trace] = []
    for text in questions:
        started = time.perf_counter()
        traces.append(rag.explain(text, K, method=method))
        times.append(time.perf_counter() - started)
    return times, traces


def _stages(traces: Sequence[Trace]) -> dict[str, float]:
    names = dict.fromkeys(name for trace in traces for name in trace.seconds)
    return {name: median([trace.seconds.get(name, 0.0) for trace in traces]) for name in names}


def _engines(
    folder: Path, config: Config, kept: Remembering, questions: Sequence[str], method: str
) -> dict[str, Any]:
    """Return the median of the walk stage by engine; the engines take turns on each question."""
    rags = {
        engine: HippoRAG(
            folder, config=replace(config, search=replace(config.search, engine=engine)), embedder=kept
        )
        for engine in WALK_ENGINES
    }
    seconds: dict[str, list[float]] = {engine: [] for engine in rags}
    for counted in (False, True):
        for question in questions:
            for engine, rag in rags.items():
                trace = rag.explain(question, K, method=method)
                if counted:
                    seconds[engine].append(trace.seconds.get(_STAGE_OF_WALK, 0.0))
    medians = {engine: median(values) for engine, values in seconds.items()}
    return {
        "questions": len(questions),
        "walk_seconds": medians,
        "ratio": ratio(medians["prpack"], medians["push"]) if medians["push"] else None,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time of a query beyond embedding it.")
    parser.add_argument("dataset", type=Path, help="a data set with questions")
    parser.add_argument("--index", type=Path, help="its index; a temporary one if not given")
    parser.add_argument("--method", action="append", choices=METHODS, help="repeat it; all if not given")
    parser.add_argument("--limit", type=int, default=QUESTIONS, help="questions asked")
    parser.add_argument("--embedder", help="the index's own, or the default, if not given")
    options = parser.parse_args()
    methods = options.method or METHODS
    print_json(partial(measure, options.dataset, options.index, methods, options.limit, options.embedder))


if __name__ == "__main__":
    main()
