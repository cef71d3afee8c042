"""The rows of the tables of docs/scaling.md: what they are called, and how each number is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hipporag_like.eval.benchmarks.scale_read import Found, at, disk, first, number, snapshot_bytes

MB, GB = 1e6, 1e9

# Name, how the number is read, and by what it is divided to be shown.
Row = tuple[str, Callable[[Found], "float | None"], float]


def _embedding(dataset: Found) -> float | None:
    return number(dataset, "embedding", "systems", "minilm", "passages_per_second")


BUILD: Sequence[Row] = (
    ("build, s", at("build", "seconds"), 1),
    ("its peak memory, MB", at("build", "process", "peak_mb"), 1),
    ("snapshot, MB", snapshot_bytes, MB),
    ("snapshot and journal, MB", disk, MB),
    ("open and first query, files in memory, s", at("first", "seconds"), 1),
    ("open and first query, files on disk, s", at("first_cold", "seconds"), 1),
    ("memory that it brings in, MB", at("first", "growth_mb"), 1),
    ("first change of a process: add 1 passage, s", first("first"), 1),
    ("then add 100 passages, s", first("add"), 1),
    ("update 10, s", first("update"), 1),
    ("delete 10, s", first("delete"), 1),
)
ENGINES: Sequence[Row] = (
    ("walk: push, ms", at("walks", "seconds", "push", "p50"), 1e-3),
    ("igraph prpack, times that", at("walks", "times_slower_than_push", "prpack"), 1),
    ("scipy power iteration, times that", at("walks", "times_slower_than_push", "power"), 1),
    ("top 20 in common with prpack", at("walks", "top_20_shared_mean", "prpack"), 1),
    ("top 20 in common with the exact solution", at("walks", "top_20_shared_mean", "exact"), 1),
    ("BM25, ms", at("lexical", "seconds", "ours", "p50"), 1e-3),
    ("rank-bm25, times that", at("lexical", "times_slower_than_ours"), 1),
    ("dense stage, ms", at("warm", "methods", "dense", "stages", "dense", "p50"), 1e-3),
    ("numpy over all vectors, ms", at("dense", "seconds", "numpy", "p50"), 1e-3),
    ("HippoRAG 2, stand-in, one query, ms", at("standin", "seconds", "p50"), 1e-3),
)
FITTED: Sequence[Row] = (
    ("build, hours", at("build", "seconds"), 3600),
    ("its peak memory, GB", at("build", "process", "peak_mb"), 1e3),
    ("snapshot, GB", snapshot_bytes, GB),
    ("journal and snapshot, GB", disk, GB),
    ("first query's memory, MB", at("first", "growth_mb"), 1),
    ("`graph` query, ms", at("warm", "methods", "graph", "seconds", "p50"), 1e-3),
    ("of it dense, ms", at("warm", "methods", "graph", "stages", "dense", "p50"), 1e-3),
    ("of it BM25, ms", at("warm", "methods", "graph", "stages", "bm25", "p50"), 1e-3),
    ("of it the walks, ms", at("warm", "methods", "graph", "stages", "walk", "p50"), 1e-3),
    ("add 100 passages, s", first("add"), 1),
)
DATASET: Sequence[Row] = (
    ("passages", at("build", "passages"), 1),
    ("build beyond embedding, s", at("build", "seconds"), 1),
    ("its peak memory, MB", at("build", "process", "peak_mb"), 1),
    ("snapshot, MB", snapshot_bytes, MB),
    ("`graph` query beyond embedding, ms", at("warm", "methods", "graph", "seconds", "p50"), 1e-3),
    ("open and first query, s", at("first", "seconds"), 1),
    ("first change of a process: add 1 document, beyond embedding, s", first("first"), 1),
    ("then add 10, s", first("add"), 1),
    ("update 10, s", first("update"), 1),
    ("delete 10, s", first("delete"), 1),
    ("embedding, passages a second", _embedding, 1),
)
