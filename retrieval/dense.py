"""The nearest vectors to one vector, over memory-mapped rows: exact, or a first pass over sign codes re-scored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import EXACT_LIMIT
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import fixed
from hipporag_like.indexing.stored import StoredRows, Table, chosen
from hipporag_like.retrieval.sieve import promising
from hipporag_like.retrieval.topk import top_k

Found = tuple[NDArray[np.int64], NDArray[np.float32]]

# Of a million rows the nearest by Hamming distance, then the best of these by estimate, whose vectors are read:
# with 20,000 and 1500 of 384 numbers all of the best 20 and 99.7 % of the best 100 are found, with 10,000 and 1000 99.9
# and 99 % (eval/benchmarks/dense.py). Shorter vectors have shorter codes, which say less: more of them are read.
NEAR_CODES, RESCORED, FULL_DIM = 20_000, 1500, 384
# Rows a wanted row that are read at the least, where many are wanted.
RESCORED_EACH = 10
# Rows of float16, or chosen ones, are made float32 so many at a time: 12 MB at 384 numbers.
_BLOCK = 8192


def nearest_in(
    segment: Segment,
    kind: str,
    vector: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Return what :func:`nearest` does, for the vectors of a segment's passages, facts or entities.

    Parameters
    ----------
    segment
        The index; it holds codes where there are more than ``EXACT_LIMIT`` vectors.
    kind
        ``passage``, ``fact`` or ``entity``.
    vector, k, allowed
        See :func:`nearest`.
    """
    vectors = segment.stored(f"{kind}_vectors")
    codes = segment.stored(f"{kind}_codes") if len(vectors) > EXACT_LIMIT else None
    if codes is None and allowed is None and kind != "entity":
        rows = promising(segment, kind, vector, k)
        if rows is not None:
            return _exact(vectors, vector, k, rows)
    return nearest(vectors, vector, k, allowed, codes)


def nearest(
    vectors: Table,
    vector: NDArray[np.float32],
    k: int,
    allowed: NDArray[np.bool_] | None = None,
    codes: Table | None = None,
) -> Found:
    """Return the rows most similar to ``vector`` and their cosines, best first.

    Parameters
    ----------
    vectors
        float32 or float16, (n, dim), unit rows; may be memory-mapped, or stored rows.
    vector
        float32, (dim,), unit length.
    k
        At most so many.
    allowed
        bool, (n,): rows that may be returned; None means all.
    codes
        uint8, (n, code_bytes(dim)): sign codes of the rows. With codes the search is approximate where more than
        ``NEAR_CODES`` rows may be returned (more of short vectors); the cosines are exact. None means exact.

    Returns
    -------
    rows : int64, (at most k,)
        Equal cosines in ascending order of row.
    cosines : float32, aligned
    """
    many = len(vectors) if allowed is None else int(np.count_nonzero(allowed))
    if codes is None or many <= _depths(len(vector), k)[0]:
        return _exact(vectors, vector, k, None if allowed is None else np.flatnonzero(allowed))
    return _exact(vectors, vector, k, _candidates(codes, vector, k, allowed))


def _candidates(
    codes: Table, vector: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Return the rows whose codes promise most, ascending."""
    from hipporag_like.indexing.quantise import rotated
    from hipporag_like.retrieval.hamming import favoured, nearest_codes, planes

    table = codes if isinstance(codes, StoredRows) else StoredRows(codes)
    words = fixed(table.array.view(np.uint64))
    mask = np.zeros(0, dtype=bool) if allowed is None else allowed
    turned = rotated(vector[None, :])[0]
    question = np.zeros(64 * words.shape[1], dtype=np.uint8)
    question[: len(turned)] = turned > 0
    wanted, rescored = _depths(len(vector), k)
    asked = np.packbits(question).view(np.uint64)
    rows, near = nearest_codes((table.descriptor, table.offset), words, asked, fixed(mask), wanted)
    scores = favoured(near, planes(turned, words.shape[1]))
    return np.sort(rows[top_k(scores, rescored)])


def _depths(dim: int, k: int) -> tuple[int, int]:
    """Return how many rows the first pass keeps, and how many of these are read."""
    short = max(1.0, FULL_DIM / dim)
    rescored = max(int(RESCORED * short), RESCORED_EACH * k)
    return max(int(NEAR_CODES * short), rescored), rescored


def _exact(table: Table, vector: NDArray[np.float32], k: int, rows: NDArray[np.int64] | None) -> Found:
    """Return the nearest of some rows, ascending, or of all."""
    vectors = table.array if isinstance(table, StoredRows) else table
    n = len(vectors) if rows is None else len(rows)
    # Rows as they are stored are searched where they lie; others are copied, a block at a time.
    block = n if rows is None and vectors.dtype == np.float32 else _BLOCK
    k = min(k, n)
    if k == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    import faiss

    numbers, cosines = [], []
    with _one_thread():
        for start in range(0, n, block):
            part = slice(start, start + block)
            taken = vectors[part] if rows is None else chosen(table, rows[part])
            searched = np.ascontiguousarray(taken, dtype=np.float32)
            scores, places = faiss.knn(
                vector[None, :], searched, min(k, len(searched)), metric=faiss.METRIC_INNER_PRODUCT
            )
            found = places[0].astype(np.int64) + start
            numbers.append(found if rows is None else rows[found])
            cosines.append(scores[0])
    number, cosine = np.concatenate(numbers), np.concatenate(cosines)
    order = np.lexsort((number, -cosine))[:k]
    return number[order], cosine[order]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep FAISS to the calling thread: starting a team costs more than one question's search.

    Over 22k vectors of 384 numbers on two busy cores: 4.6 ms with one thread, 20.9 ms with two.
    """
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
