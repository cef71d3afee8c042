"""The measurements of scale: values in, JSON values out, each meant for a process of its own."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.benchmarks.timing import Remembering, seconds_of, spread
from hipporag_like.rag import HippoRAG
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.types import Document, IndexReport, Trace

METHODS = ("graph", "hybrid", "dense", "bm25")
DEPTHS = (5, 10)
NEW_DOCUMENTS = 100
CHANGED_DOCUMENTS = 10
# Which part of an index an array belongs to; the first that fits, all others are the graph.
KINDS = {
    "bm25": re.compile(r"posting_|term_|passage_length"),
    "passage vectors": re.compile(r"passage_(vectors|codes)"),
    "fact vectors": re.compile(r"fact_(vectors|codes|signs|steps)"),
    "entity vectors": re.compile(r"entity_(vectors|codes)"),
    "text": re.compile(r"passage_|document_|metadata|field_|column_"),
}
GRAPH = "graph"


def fill(index: str, passages: int, dataset: str = "") -> dict[str, Any]:
    """Write the journal that an index is built from: made-up passages, or a data set embedded by the model."""
    source = Source(index, passages, dataset)
    if not dataset:
        from hipporag_like.eval.benchmarks.fill import fill_journal

        return fill_journal(Path(index), passages)
    kept = Remembering(source.embedder())
    with HippoRAG(index, embedder=kept) as rag:
        seconds, report = _timed_index(rag, source.documents())
    shares = {"all": round(seconds, 3), "inside_embedder": round(kept.seconds, 3), **report.seconds}
    return {"passages": report.passages, "embedded": report.embedded, "seconds": shares}


def build(index: str, passages: int, dataset: str = "") -> dict[str, Any]:
    """Build an index from its journal and publish it; nothing is extracted or embedded that the journal holds."""
    source = Source(index, passages, dataset)
    kept = Remembering(source.embedder())
    with HippoRAG(index, embedder=kept) as rag:
        seconds, report = _timed_index(rag, [])
    return {
        "seconds": round(seconds - kept.seconds, 3),
        "seconds_inside_embedder": round(kept.seconds, 3),
        "stages": dict(report.seconds),
        "embedded": report.embedded,
        "extracted": report.extracted,
        "passages": report.passages,
        "entities": report.entities,
        "facts": report.facts,
        "bytes": bytes_on_disk(Path(index)),
    }


def _timed_index(rag: HippoRAG, documents: Sequence[Document]) -> tuple[float, IndexReport]:
    started = time.perf_counter()
    report = rag.index(documents)
    return time.perf_counter() - started, report


def bytes_on_disk(index: Path) -> dict[str, int]:
    """Return the bytes of the journal and of each part of the published snapshot."""
    found = {"journal": sum(file.stat().st_size for file in index.glob(f"{JOURNAL_NAME}*"))}
    with open_snapshot(index) as snapshot:
        for group in snapshot.groups:
            for name, (_, entry) in snapshot.entries(group).items():
                kind = next((kind for kind, names in KINDS.items() if names.match(name)), GRAPH)
                found[kind] = found.get(kind, 0) + entry.nbytes
    return found


def warm(index: str, passages: int, dataset: str = "", limit: int = 200, keep: str = "") -> dict[str, Any]:
    """Ask every question by each method, all vectors being known, and compare what is found with the gold.

    Parameters
    ----------
    index, passages, dataset
        The source.
    limit
        Questions, from the first.
    keep
        A file for the vectors that the first question needs; empty for none. See ``scale_first``.
    """
    source = Source(index, passages, dataset)
    questions = source.questions()[:limit]
    kept = Remembering(source.embedder())
    with HippoRAG(index, embedder=kept, read_only=True) as rag:
        if keep:
            _keep(rag, kept, questions[0].question, Path(keep))
        found = {}
        for method in METHODS:
            for question in questions:
                rag.explain(question.question, max(DEPTHS), method=method)
            times, traces = _ask(rag, [question.question for question in questions], method)
            found[method] = {
                "seconds": spread(times),
                "stages": _stages(traces),
                **_recall(traces, [question.supporting for question in questions]),
            }
    return {"questions": len(questions), "methods": found}


def _keep(rag: HippoRAG, kept: Remembering, question: str, file: Path) -> None:
    rag.explain(question, max(DEPTHS), method="graph")
    texts = kept.texts
    np.savez(file, texts=np.array(texts), vectors=kept.embed(texts), question=np.array(question))


def _ask(rag: HippoRAG, questions: Sequence[str], method: str) -> tuple[list[float], list[Trace]]:
    times, traces = [], []
    for text in questions:
        started = time.perf_counter()
        traces.append(rag.explain(text, max(DEPTHS), method=method))
        times.append(time.perf_counter() - started)
    return times, traces


def _stages(traces: Sequence[Trace]) -> dict[str, dict[str, float]]:
    names = dict.fromkeys(name for trace in traces for name in trace.seconds)
    return {name: spread([trace.seconds.get(name, 0.0) for trace in traces]) for name in names}


def _recall(traces: Sequence[Trace], gold: Sequence[Sequence[str]]) -> dict[str, float]:
    found = {}
    for depth in DEPTHS:
        shares = [
            len({hit.passage.document_id for hit in trace.hits[:depth]} & set(wanted)) / len(wanted)
            for trace, wanted in zip(traces, gold, strict=True)
            if wanted
        ]
        found[f"recall@{depth}"] = round(100 * float(np.mean(shares)), 1)
    return found


def change(index: str, passages: int, dataset: str = "", scratch: str = "") -> dict[str, Any]:
    """Add, update and delete documents, from the call to the published snapshot.

    Parameters
    ----------
    index, passages, dataset
        The source. A made-up index is changed itself; of a data set's index a copy is.
    scratch
        Where the copy goes.
    """
    source = Source(index, passages, dataset)
    kept = Remembering(source.embedder())
    folder = index
    if dataset:
        folder = str(shutil.copytree(index, scratch, dirs_exist_ok=True))
    count = CHANGED_DOCUMENTS if dataset else NEW_DOCUMENTS
    *new, other = source.new_documents(count + 1)
    updated = [replace(document, text=f"{document.text} It was read again.") for document in new]
    names = [document.id for document in new[:CHANGED_DOCUMENTS]]
    with HippoRAG(folder, embedder=kept) as rag:
        if dataset:
            rag.delete([document.id for document in [*new, other]])
        steps = {
            # What a process loads once, and files that nobody read before, are in this one and not in the others.
            "first, 1": partial(rag.index, [other]),
            f"add {count}": partial(rag.index, new),
            f"update {len(names)}": partial(rag.index, updated[:CHANGED_DOCUMENTS]),
            f"delete {len(names)}": partial(rag.delete, names),
        }
        return {name: _step(step, kept) for name, step in steps.items()}


def _step(step: partial[IndexReport], kept: Remembering) -> Mapping[str, Any]:
    before = kept.seconds
    reports: list[IndexReport] = []
    seconds = seconds_of(lambda: reports.append(step()))
    inside = kept.seconds - before
    return {
        "seconds": round(seconds - inside, 3),
        "seconds_inside_embedder": round(inside, 3),
        "stages": dict(reports[0].seconds),
    }


def embedding(dataset: str, limit: int = 300, rounds: int = 2) -> dict[str, Any]:
    """Embed passages in bulk with the default embedder, and with sentence-transformers where it is installed."""
    from hipporag_like.eval.benchmarks import embedding as benchmark

    texts = [document.text for document in Source("", dataset=dataset).documents()[:limit]]
    return dict(benchmark.measure(texts, rounds))
