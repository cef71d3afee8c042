"""Forward push, compiled. Only arrays come in and go out; see ``hipporag_like.retrieval.walk``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled at its first call, and kept on disk."""
    # Reassociation and contraction let the dot product use vector units; nothing else of fast-math is on.
    return cast(F, njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function))


def _inlined(function: F) -> F:
    return cast(F, njit(cache=True, nogil=True, inline="always")(function))


def push(
    ef_indptr: NDArray[np.int64],
    ef_fact: NDArray[np.int32],
    ef_weight: NDArray[np.float32],
    fe_indptr: NDArray[np.int64],
    fe_entity: NDArray[np.int32],
    fe_weight: NDArray[np.float32],
    syn_indptr: NDArray[np.int64],
    syn_entity: NDArray[np.int32],
    syn_weight: NDArray[np.float32],
    fact_vectors: NDArray[np.float32],
    question: NDArray[np.float32],
    sharpness: float,
    synonym_share: float,
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    damping: float,
    tolerance: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int, float]:
    """Spread ``mass`` from ``seeds`` over entities (0..n_entities-1) and facts (n_entities..).

    Returns
    -------
    estimate, touched, pushes, residual
        ``estimate`` float64 (n_entities + n_facts,), zero where untouched; ``touched`` int64, the nodes
        that met mass, in that order; pushes done; mass left unspread.
    """
    n_entities, n_facts = len(ef_indptr) - 1, len(fe_indptr) - 1
    n = n_entities + n_facts
    # Made here, because numpy takes zeroed memory from the system page by page on first touch, so that the
    # size of the graph is free; compiled code would write every zero (45 ms for 10 million, measured).
    estimate, residual = np.zeros(n), np.zeros(n)
    factor, total = np.zeros(n_facts), np.zeros(n_entities)
    waiting, seen = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    touched, ring = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    met, pushes = _spread(
        ef_indptr,
        ef_fact,
        ef_weight,
        fe_indptr,
        fe_entity,
        fe_weight,
        syn_indptr,
        syn_entity,
        syn_weight,
        fact_vectors,
        question,
        float(sharpness),
        float(synonym_share),
        seeds,
        mass,
        float(damping),
        float(tolerance),
        estimate,
        residual,
        factor,
        total,
        waiting,
        seen,
        touched,
        ring,
    )
    return estimate, touched[:met], int(pushes), float(residual[touched[:met]].sum())


@_inlined
def _meet(
    node: int | np.int64,
    amount: float,
    threshold: float,
    residual: NDArray[np.float64],
    seen: NDArray[np.bool_],
    touched: NDArray[np.int64],
    waiting: NDArray[np.bool_],
    ring: NDArray[np.int64],
    counters: NDArray[np.int64],
) -> None:
    """Add ``amount`` to a node's residual and queue it where that is worth a push.

    ``counters`` holds the number of touched nodes, the head of the ring and its length.
    """
    residual[node] += amount
    if not seen[node]:
        seen[node] = True
        touched[counters[0]] = node
        counters[0] += 1
    if not waiting[node] and residual[node] > threshold:
        waiting[node] = True
        ring[(counters[1] + counters[2]) % len(ring)] = node
        counters[2] += 1


# One function, because a compiled call counts references to the dozen arrays it is handed: cut into three,
# with a call a push, it takes 1.6 times as long (measured).
@compiled
def _spread(  # noqa: C901
    ef_indptr: NDArray[np.int64],
    ef_fact: NDArray[np.int32],
    ef_weight: NDArray[np.float32],
    fe_indptr: NDArray[np.int64],
    fe_entity: NDArray[np.int32],
    fe_weight: NDArray[np.float32],
    syn_indptr: NDArray[np.int64],
    syn_entity: NDArray[np.int32],
    syn_weight: NDArray[np.float32],
    fact_vectors: NDArray[np.float32],
    question: NDArray[np.float32],
    sharpness: float,
    synonym_share: float,
    seeds: NDArray[np.int64],
    mass: NDArray[np.float64],
    damping: float,
    tolerance: float,
    estimate: NDArray[np.float64],
    residual: NDArray[np.float64],
    factor: NDArray[np.float64],
    total: NDArray[np.float64],
    waiting: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    touched: NDArray[np.int64],
    ring: NDArray[np.int64],
) -> tuple[int, int]:
    """Push until nothing waits; return how many nodes were touched and how many pushes were done.

    ``factor`` keeps ``exp(sharpness * cosine)`` of the facts met so far, ``total`` the sum of an entity's
    weights times these; ``waiting`` marks the nodes in ``ring``, a queue that never holds one twice.
    """
    n_entities, pushes = len(total), 0
    counters = np.zeros(3, dtype=np.int64)
    for i in range(len(seeds)):
        _meet(seeds[i], mass[i], 0.0, residual, seen, touched, waiting, ring, counters)
    while counters[2] > 0:
        node = ring[counters[1]]
        counters[1] = (counters[1] + 1) % len(ring)
        counters[2] -= 1
        waiting[node] = False
        here = residual[node]
        residual[node] = 0.0
        estimate[node] += (1.0 - damping) * here
        pushes += 1
        if node >= n_entities:
            fact = node - n_entities
            first, last = fe_indptr[fact], fe_indptr[fact + 1]
            weight_sum = 0.0
            for j in range(first, last):
                weight_sum += fe_weight[j]
            for j in range(first, last):
                other = np.int64(fe_entity[j])
                threshold = tolerance * (ef_indptr[other + 1] - ef_indptr[other] + 1)
                amount = damping * here * fe_weight[j] / weight_sum
                _meet(other, amount, threshold, residual, seen, touched, waiting, ring, counters)
            continue
        first, last = ef_indptr[node], ef_indptr[node + 1]
        if total[node] == 0.0:
            for j in range(first, last):
                fact = ef_fact[j]
                if factor[fact] == 0.0:
                    dot = np.float32(0.0)
                    for c in range(len(question)):
                        dot += fact_vectors[fact, c] * question[c]
                    factor[fact] = np.exp(sharpness * dot)
                total[node] += ef_weight[j] * factor[fact]
        syn_first, syn_last = syn_indptr[node], syn_indptr[node + 1]
        share = 0.0
        if syn_last > syn_first:
            share = synonym_share if last > first else 1.0
            weight_sum = 0.0
            for j in range(syn_first, syn_last):
                weight_sum += syn_weight[j]
            for j in range(syn_first, syn_last):
                other = np.int64(syn_entity[j])
                threshold = tolerance * (ef_indptr[other + 1] - ef_indptr[other] + 1)
                amount = damping * here * share * syn_weight[j] / weight_sum
                _meet(other, amount, threshold, residual, seen, touched, waiting, ring, counters)
        for j in range(first, last):
            other = np.int64(ef_fact[j])
            threshold = tolerance * (fe_indptr[other + 1] - fe_indptr[other])
            amount = damping * here * (1.0 - share) * ef_weight[j] * factor[other] / total[node]
            _meet(n_entities + other, amount, threshold, residual, seen, touched, waiting, ring, counters)
    return counters[0], pushes
