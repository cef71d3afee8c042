"""What others use for words and vectors, on the same index and questions: rank-bm25, and numpy over all vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import Config
from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.benchmarks.timing import median, ratio, spread
from hipporag_like.indexing.index import Index
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.retrieval.lexical import bm25_top
from hipporag_like.store.snapshot import open_snapshot

DEPTH = 100  # passages asked for; about what a search asks each of them for
# rank-bm25 keeps a Python dictionary a passage: 100,000 passages of 100 words take 2 GB.
RANK_BM25_LIMIT = 100_000


def lexical(index: str, passages: int, dataset: str = "", limit: int = 20) -> dict[str, Any]:
    """Score questions with our postings and with rank-bm25; the latter only where it fits."""
    source, config = Source(index, passages, dataset), Config().lexical
    questions = [question.question for question in source.questions()[:limit]]
    with open_snapshot(Path(index)) as snapshot:
        segment = Index(snapshot).segments[snapshot.groups[0]]
        mine = _timed([partial(bm25_top, segment, q, DEPTH, config) for q in questions])
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
    k = min(DEPTH, len(matrix))
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
