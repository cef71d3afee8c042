"""Personalized PageRank over an undirected graph from a start that covers every passage.

A start as wide as HippoRAG 2's leaves nothing local to push. But an undirected walk is symmetric in disguise:
with S = D^-1/2 A D^-1/2 and x = D^1/2 y, PageRank ``x = (1 - d) r + d A D^-1 x`` is ``(I - d S) y = (1 - d) D^-1/2 r``.
The eigenvalues of ``I - d S`` lie between 1 - d and 1 + d, so Chebyshev iteration with these bounds gains
a factor of ``(1 - sqrt(1 - d^2)) / d`` each time: 0.27 for d = 0.5, where power iteration gains 0.5.

Sources: Page et al. (1999); Golub and Varga (1961) for the iteration; igraph's PRPACK is the oracle in tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import Rows

TOLERANCE = 1e-9  # relative, in the norm of y; the 200th passage of a ranking has about 1e-4 of the first


@dataclass(frozen=True, slots=True)
class Diffusion:
    """An undirected graph made ready to spread.

    Attributes
    ----------
    matrix
        scipy.sparse.csr_array, (n, n), float64: ``D^-1/2 A D^-1/2``.
    root
        float64, (n,): ``D^1/2``; 1 for nodes without edges, which keep what they are given.
    """

    matrix: Any
    root: NDArray[np.float64]


def prepare(graph: Rows, n: int) -> Diffusion:
    """Return the graph of the first ``n`` nodes, ready to spread.

    Parameters
    ----------
    graph
        Symmetric; edges to nodes beyond ``n`` are left out.
    """
    from scipy import sparse

    size = len(graph.indptr) - 1
    weights = np.asarray(graph.weights, dtype=np.float64)
    whole = sparse.csr_array((weights, graph.indices, graph.indptr), shape=(size, size))
    adjacency = whole if n == size else whole[:n, :n]
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    root = np.sqrt(np.where(degree > 0, degree, 1.0))
    scale = sparse.diags_array(1.0 / root)
    return Diffusion(sparse.csr_array(scale @ adjacency @ scale), root)


def rounds_for(damping: float, tolerance: float = TOLERANCE) -> int:
    """Return how many iterations bring the error below ``tolerance`` of the first."""
    gain = (1.0 - math.sqrt(1.0 - damping * damping)) / damping
    return max(1, math.ceil(math.log(tolerance / 2.0) / math.log(gain)))


def spread(graph: Diffusion, reset: NDArray[np.float64], damping: float, engine: str) -> NDArray[np.float64]:
    """Return the PageRank of every node.

    Parameters
    ----------
    graph
        See :func:`prepare`.
    reset
        float64, (n,), not negative, not all zero; scaled to sum to 1.
    damping
        In (0, 1): the share that walks on.
    engine
        ``push`` is Chebyshev iteration here; ``power`` and ``prpack`` are the references.

    Returns
    -------
    float64, (n,)
        Sums to 1. Nodes without edges start anew from ``reset``, which scales all others alike.
    """
    start = reset / reset.sum()
    if engine == "prpack":
        return _by_prpack(graph, start, damping)
    found = _by_power(graph, start, damping) if engine == "power" else _by_chebyshev(graph, start, damping)
    # Rounding may leave -1e-18 where nothing arrived.
    found = np.maximum(found, 0.0)
    scaled: NDArray[np.float64] = found / found.sum()
    return scaled


def _by_chebyshev(graph: Diffusion, start: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    residual = (1.0 - damping) * start / graph.root
    found = np.zeros_like(residual)
    step, ratio = residual.copy(), damping
    for _ in range(rounds_for(damping)):
        found += step
        residual = residual - step + damping * (graph.matrix @ step)
        following = 1.0 / (2.0 / damping - ratio)
        step = following * ratio * step + (2.0 * following / damping) * residual
        ratio = following
    result: NDArray[np.float64] = found * graph.root
    return result


def _by_power(graph: Diffusion, start: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    left = (1.0 - damping) * start / graph.root
    found = np.zeros_like(left)
    for _ in range(math.ceil(math.log(TOLERANCE) / math.log(damping))):
        found += left
        left = damping * (graph.matrix @ left)
    result: NDArray[np.float64] = found * graph.root
    return result


def _by_prpack(graph: Diffusion, start: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    import igraph
    from scipy import sparse

    upper = sparse.triu(graph.matrix, k=1).tocoo()
    weights = upper.data * graph.root[upper.row] * graph.root[upper.col]
    ranks = igraph.Graph(n=len(start), edges=np.stack([upper.row, upper.col], axis=1)).personalized_pagerank(
        reset=start.tolist(),
        damping=damping,
        directed=False,
        weights=weights.tolist(),
        implementation="prpack",
    )
    return np.asarray(ranks)
