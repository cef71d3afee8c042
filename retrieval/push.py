"""Forward push, compiled. Only arrays come in and go out; see ``hipporag_like.retrieval.walk``."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, inline="always")  # type: ignore[misc]
def _meet(node, amount, threshold, residual, seen, touched, waiting, ring, counters):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
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


# Reassociation and contraction let the dot product use vector units; nothing else of fast-math is on.
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})  # type: ignore[misc]
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
    n_entities = len(ef_indptr) - 1
    n_facts = len(fe_indptr) - 1
    n = n_entities + n_facts
    # Zeroed memory is mapped by the system page by page on first touch, so the size of the graph is free.
    estimate = np.zeros(n)
    residual = np.zeros(n)
    factor = np.zeros(n_facts)
    total = np.zeros(n_entities)
    waiting = np.zeros(n, dtype=np.bool_)
    seen = np.zeros(n, dtype=np.bool_)
    touched = np.empty(n, dtype=np.int64)
    ring = np.empty(n, dtype=np.int64)
    counters = np.zeros(3, dtype=np.int64)
    for i in range(len(seeds)):
        _meet(seeds[i], mass[i], 0.0, residual, seen, touched, waiting, ring, counters)
    pushes = 0
    dim = len(question)
    while counters[2] > 0:
        node = ring[counters[1]]
        counters[1] = (counters[1] + 1) % n
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
                degree = ef_indptr[other + 1] - ef_indptr[other] + 1
                amount = damping * here * fe_weight[j] / weight_sum
                _meet(other, amount, tolerance * degree, residual, seen, touched, waiting, ring, counters)
            continue
        first, last = ef_indptr[node], ef_indptr[node + 1]
        if total[node] == 0.0:
            for j in range(first, last):
                fact = ef_fact[j]
                if factor[fact] == 0.0:
                    dot = np.float32(0.0)
                    for c in range(dim):
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
                degree = ef_indptr[other + 1] - ef_indptr[other] + 1
                amount = damping * here * share * syn_weight[j] / weight_sum
                _meet(other, amount, tolerance * degree, residual, seen, touched, waiting, ring, counters)
        for j in range(first, last):
            fact = np.int64(ef_fact[j])
            degree = fe_indptr[fact + 1] - fe_indptr[fact]
            amount = damping * here * (1.0 - share) * ef_weight[j] * factor[fact] / total[node]
            _meet(
                n_entities + fact, amount, tolerance * degree, residual, seen, touched, waiting, ring, counters
            )
    met = touched[: counters[0]].copy()
    return estimate, met, pushes, residual[met].sum()
