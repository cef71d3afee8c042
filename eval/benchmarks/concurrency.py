"""Retrieval by several at once: ``python -m hipporag_like.eval.benchmarks.concurrency --dataset D --index I``.

Prints JSON: questions a second of one thread, of ``retrieve_many``, of two threads and of two processes that map the
same snapshot, with the questions' vectors ready, so that no model runs; and what a process that writes does to a
process that reads meanwhile. The writer works on a copy of the index and adds a passage at a time; the reader opens
each new snapshot as soon as it is published. One figure is without meaning on a busy machine: compare the ratios.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.timing import Remembering, median, print_json, ratio, seconds_of
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.models.protocols import TextKind
from hipporag_like.rag import HippoRAG
from hipporag_like.store.reader import current_number
from hipporag_like.types import Document

K = 5
WORKERS = 2  # the bar's cores
ROUNDS = 3
PUBLICATIONS = 3
PATIENCE_S = 300.0  # a writer that takes longer for one passage has failed


@dataclass(frozen=True)
class Ready:
    """An embedder that has all its answers already, and can be sent to another process.

    Attributes
    ----------
    fingerprint, dim
        Of the embedder that gave them.
    known
        Unit vectors by text.
    """

    fingerprint: str
    dim: int
    known: dict[str, NDArray[np.float32]]

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return the vectors of texts known before; a text that is not is a KeyError."""
        return np.stack([self.known[text] for text in texts])


def measure(dataset: Path, index: Path, method: str = "graph", limit: int = 100) -> dict[str, Any]:
    """Return questions a second of each way to ask, and the longest waits with and without a writer.

    Parameters
    ----------
    dataset
        See :func:`hipporag_like.eval.datasets.load_dataset`.
    index
        Its index; it is not written to.
    method
        One of ``hipporag_like.config.METHODS``.
    limit
        Questions asked, from the first.

    Raises
    ------
    IndexNotFoundError
        There is no index.
    """
    questions = [question.question for question in load_dataset(dataset).questions[:limit]]
    with HippoRAG(index, read_only=True) as rag:
        kept = Remembering(rag.embedder)
        with HippoRAG(index, embedder=kept, read_only=True) as first:
            expected = _ids(first, questions, method)
        ready = Ready(kept.fingerprint, kept.dim, {text: kept.embed([text])[0] for text in kept.texts})
    return {
        "method": method,
        "questions": len(questions),
        "threads_and_processes": WORKERS,
        "questions_per_second": _throughput(index, ready, questions, method, expected),
        "writer": _beside_a_writer(index, ready, questions, method),
    }


def _ids(rag: HippoRAG, questions: Sequence[str], method: str) -> list[list[str]]:
    return [[hit.passage.id for hit in rag.retrieve(q, K, method=method)] for q in questions]


def _throughput(
    index: Path, ready: Ready, questions: list[str], method: str, expected: list[list[str]]
) -> dict[str, Any]:
    shares = [questions[number::WORKERS] for number in range(WORKERS)]
    with HippoRAG(index, embedder=ready, read_only=True) as rag, ThreadPoolExecutor(WORKERS) as pool:

        def one() -> list[list[str]]:
            return _ids(rag, questions, method)

        def many() -> list[list[str]]:
            found = rag.retrieve_many(questions, K, method=method)
            return [[hit.passage.id for hit in hits] for hits in found]

        def threads() -> list[list[str]]:
            parts = list(pool.map(lambda share: _ids(rag, share, method), shares))
            return [parts[at % WORKERS][at // WORKERS] for at in range(len(questions))]

        ways: dict[str, Callable[[], list[list[str]]]] = {
            "one_thread": one,
            "retrieve_many": many,
            "threads": threads,
        }
        seconds: dict[str, list[float]] = {name: [] for name in [*ways, "processes"]}
        same = all(way() == expected for way in ways.values())
        for _ in range(ROUNDS):
            for name, way in ways.items():
                seconds[name].append(seconds_of(way))
            seconds["processes"].append(_processes(index, ready, shares, method))
    speed = {name: len(questions) / median(times) for name, times in seconds.items()}
    return {
        **{name: round(value, 1) for name, value in speed.items()},
        "times_one_thread": {name: ratio(value, speed["one_thread"]) for name, value in speed.items()},
        "same_hits": same,
    }


def _processes(index: Path, ready: Ready, shares: Sequence[list[str]], method: str) -> float:
    """Return the seconds that processes take which start asking together, each its share."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(shares) + 1)
    done = context.Barrier(len(shares) + 1)
    workers = [
        context.Process(target=_ask_all, args=(index, ready, share, method, start, done)) for share in shares
    ]
    for worker in workers:
        worker.start()
    start.wait(PATIENCE_S)
    seconds = seconds_of(lambda: done.wait(PATIENCE_S))
    for worker in workers:
        worker.join()
    return seconds


def _ask_all(
    index: Path, ready: Ready, questions: list[str], method: str, start: Barrier, done: Barrier
) -> None:
    with HippoRAG(index, embedder=ready, read_only=True) as rag:
        _ids(
            rag, questions, method
        )  # what is compiled and mapped at the first question is no matter of speed
        start.wait(PATIENCE_S)
        _ids(rag, questions, method)
        done.wait(PATIENCE_S)


def _beside_a_writer(index: Path, ready: Ready, questions: list[str], method: str) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="hipporag-like-") as folder:
        copy = Path(folder) / "index"
        shutil.copytree(index, copy)
        with HippoRAG(copy, embedder=ready, read_only=True) as rag:
            _ids(rag, questions, method)
            alone = _latencies(rag, questions, method, 1)
            before = current_number(copy)
            stop = context.Event()
            writer = context.Process(target=_write, args=(copy, stop))
            writer.start()
            beside: list[float] = []
            opened: list[float] = []
            seen = before
            deadline = time.monotonic() + PATIENCE_S
            while seen < before + PUBLICATIONS and time.monotonic() < deadline:
                beside += _latencies(rag, questions, method, 1)
                latest = current_number(copy)
                if latest != seen:
                    seen = latest
                    rag.close()
                    opened.append(seconds_of(lambda: rag.retrieve(questions[0], K, method=method)))
            stop.set()
            writer.join(PATIENCE_S)
    return {
        "published": seen - before,
        "longest_alone_s": round(max(alone), 4),
        "longest_beside_s": round(max(beside), 4),
        "median_alone_s": median(alone),
        "median_beside_s": median(beside),
        "first_after_publication_s": median(opened) if opened else None,
    }


def _latencies(rag: HippoRAG, questions: Sequence[str], method: str, rounds: int) -> list[float]:
    return [
        seconds_of(lambda question=question: rag.retrieve(question, K, method=method))  # type: ignore[misc]
        for _ in range(rounds)
        for question in questions
    ]


def _write(index: Path, stop: Event) -> None:
    with HippoRAG(index) as rag:
        for number in range(PUBLICATIONS):
            if stop.is_set():
                return
            text = f"Note {number} of the benchmark says that Ada Lovelace wrote to Charles Babbage."
            rag.index([Document(id=f"benchmark-{number}", title=f"Note {number}", text=text)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Retrieval by several threads and processes.")
    parser.add_argument("--dataset", type=Path, required=True, help="folder of a data set, for its questions")
    parser.add_argument("--index", type=Path, required=True, help="its index")
    parser.add_argument("--method", default="graph")
    parser.add_argument("--limit", type=int, default=100, help="questions asked")
    options = parser.parse_args()
    print_json(lambda: measure(options.dataset, options.index, options.method, options.limit))


if __name__ == "__main__":
    main()
