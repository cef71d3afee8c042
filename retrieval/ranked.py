"""What the papers' two methods hand back, and how they bring numbers to a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.types import Seed

_BLOCK = 8192  # 12 MB of float32 at 384 numbers a row


@dataclass(frozen=True, slots=True)
class Linked:
    """A fact that was linked to the question: ``number`` in the graph of namespace ``part``."""

    part: int
    number: int
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking of all passages of all namespaces.

    Attributes
    ----------
    scores
        One float64 array a namespace, (n_passages,).
    masses
        One float64 array a namespace, (n_phrases,): where the walk went; empty where there was none.
    seeds
        Heaviest first.
    facts
        Best first.
    note
        Why the walk did not answer; empty where it did.
    """

    scores: Sequence[NDArray[np.float64]]
    masses: Sequence[NDArray[np.float64]] = ()
    seeds: tuple[Seed, ...] = ()
    facts: tuple[Linked, ...] = ()
    note: str = ""


def similarities(vectors: NDArray[np.floating], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inner product of each row with a vector, computed by the calling thread.

    A BLAS would start threads of its own; on two busy cores their waiting for each other makes 0.2 ms for 1,895
    rows of 384 numbers into 5 to 10 ms, more than all the rest of a query.

    Parameters
    ----------
    vectors
        float32 or float16, (n, dim); may be memory-mapped.
    vector
        float32, (dim,).
    """
    import faiss

    one = np.ascontiguousarray(vector)
    found = np.empty(len(vectors), dtype=np.float32)
    # Rows of float16 are made float32 a block at a time.
    step = len(vectors) if vectors.dtype == np.float32 else _BLOCK
    for start in range(0, len(vectors), max(step, 1)):
        rows = np.ascontiguousarray(vectors[start : start + step], dtype=np.float32)
        part = found[start : start + step]
        faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]  # its stubs leave it out
            faiss.swig_ptr(part), faiss.swig_ptr(one), faiss.swig_ptr(rows), rows.shape[1], len(rows)
        )
    return found


def min_max(parts: Sequence[NDArray[np.floating]]) -> list[NDArray[np.float64]]:
    """Return numbers of all namespaces between 0, the least of all, and 1, the greatest; 1 where all are equal."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return [np.zeros(0) for _ in parts]
    low = float(min(part.min() for part in filled))
    width = float(max(part.max() for part in filled)) - low
    if width <= 0.0:
        return [np.ones(len(part)) for part in parts]
    return [(part.astype(np.float64) - low) / width for part in parts]


def best_of(parts: Sequence[NDArray[np.floating]], k: int) -> list[tuple[int, int, float]]:
    """Return the ``k`` greatest numbers of all namespaces as (part, place, number), greatest first.

    Equal numbers come in the order of parts and places, so that the answer never depends on chance.
    """
    from hipporag_like.retrieval.topk import top_k

    found = [
        (part, int(place), float(values[place]))
        for part, values in enumerate(parts)
        for place in top_k(values, k).tolist()
    ]
    return sorted(found, key=lambda item: (-item[2], item[0], item[1]))[:k]
