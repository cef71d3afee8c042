"""What a warm query costs under each fusion, everything included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hipporag_like.config import FUSIONS, Config, SearchConfig
from hipporag_like.eval.questions import Dataset
from hipporag_like.models.protocols import Embedder
from hipporag_like.rag import HippoRAG

QUESTIONS = 100


def seconds_per_query(dataset: Dataset, folder: Path, embedder: Embedder) -> dict[str, Any]:
    """Return milliseconds a query by fusion, median and 95th percentile, embedding the question included.

    Fusions take turns, question by question, so that a disturbance meets all.

    Parameters
    ----------
    dataset, folder, embedder
        The questions; an index of the documents; what it was made with.
    """
    rags = {
        fusion: HippoRAG(folder, embedder=embedder, config=Config(search=SearchConfig(fusion=fusion)))
        for fusion in FUSIONS
    }
    questions = [question.question for question in dataset.questions[:QUESTIONS]]
    for rag in rags.values():
        rag.retrieve(questions[0], 20)  # loads files and compiles
    taken: dict[str, list[float]] = {fusion: [] for fusion in rags}
    for question in questions:
        for fusion, rag in rags.items():
            start = time.perf_counter()
            rag.retrieve(question, 20)
            taken[fusion].append(1000 * (time.perf_counter() - start))
    return {fusion: _summary(values) for fusion, values in taken.items()}


def _summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
    }
