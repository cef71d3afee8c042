"""Personalized PageRank over an undirected graph from a start that covers every passage.

A start as wide as HippoRAG 2's leaves nothing local to push. But an undirected walk is symmetric in disguise:
with S = D^-1/2 A D^-1/2 and x = D^1/2 y, PageRank ``x = (1 - d) r + d A D^-1 x`` is ``(I - d S) y = (1 - d) D^-1/2 r``.
The eigenvalues of ``I - d S`` lie between 1 - d and 1 + d, so Chebyshev iteration with these bounds gains
a factor of ``(1 - sqrt(1 - d^2)) / d`` each time: 0.27 for d = 0.5, where power iteration gains 0.5.

Sources: Page et al. (1999); Golub and Varga (1961) for the iteration; igraph's PRPACK is the oracle in tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import Rows

# Relative, in the norm of y. The 200th passage of a ranking has about 1e-4 of the first, so 1e-7 tells a thousandth of
# it. 1e-10 takes six rounds more and leaves the first 200 passages of all 100 questions of musique_train100 in place.
TOLERANCE = 1e-7
EXACT = 1e-10  # of power iteration, the reference; PRPACK's own


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
    # Numbers of 4 bytes where they suffice: a round of 86,454 edges reads 1.0 MB instead of 1.4 MB.
    places = np.int32 if len(weights) < np.iinfo(np.int32).max else np.int64
    parts = weights, graph.indices.astype(places), graph.indptr.astype(places)
    whole = sparse.csr_array(parts, shape=(size, size))
    adjacency = whole if n == size else whole[:n, :n]
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    root = np.sqrt(np.where(degree > 0, degree, 1.0))
    scale = sparse.diags_array(1.0 / root)
    return Diffusion(sparse.csr_array(scale @ adjacency @ scale), root)


def rounds_for(damping: float, tolerance: float = TOLERANCE) -> int:
    """Return how many iterations bring the error below ``tolerance`` of the first."""
    gain = (1.0 - math.sqrt(1.0 - damping * damping)) / damping
    return max(1, math.ceil(math.log(tolerance / 2.0) / math.log(gain)))


def spread(
    graphs: Sequence[Diffusion], resets: Sequence[NDArray[np.float64]], damping: float, engine: str
) -> list[NDArray[np.float64]]:
    """Return the PageRank of every node of several graphs, as of one graph with no edges between them.

    Parameters
    ----------
    graphs
        See :func:`prepare`.
    resets
        One float64 array a graph, (n,), not negative, not zero everywhere; scaled to sum to 1 in all.
    damping
        In (0, 1): the share that walks on.
    engine
        ``push`` is Chebyshev iteration here; ``power`` and ``prpack`` are the references.

    Returns
    -------
    list of float64, (n,)
        Sum to 1 in all. A walk that reaches a node without edges starts anew from ``resets``, which scales all
        other nodes alike, those of other graphs too.
    """
    total = float(sum(reset.sum() for reset in resets))
    found = [
        _unscaled(graph, reset / total, damping, engine) for graph, reset in zip(graphs, resets, strict=True)
    ]
    whole = float(sum(part.sum() for part in found))
    return [part / whole for part in found]


def _unscaled(
    graph: Diffusion, start: NDArray[np.float64], damping: float, engine: str
) -> NDArray[np.float64]:
    """Return the PageRank of walks that end at nodes without edges, instead of starting anew."""
    if not start.any():
        return np.zeros_like(start)
    if engine == "prpack":
        return _by_prpack(graph, start, damping)
    found = _by_power(graph, start, damping) if engine == "power" else _by_chebyshev(graph, start, damping)
    # Rounding may leave -1e-18 where nothing arrived.
    return np.maximum(found, 0.0)


def _by_chebyshev(graph: Diffusion, start: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    residual = (1.0 - damping) * start / graph.root
    found = np.zeros_like(residual)
    step, ratio = residual.copy(), damping
    for _ in range(rounds_for(damping)):
        found += step
        residual -= step
        moved = graph.matrix @ step
        moved *= damping
        residual += moved
        following = 1.0 / (2.0 / damping - ratio)
        step *= following * ratio
        step += (2.0 * following / damping) * residual
        ratio = following
    result: NDArray[np.float64] = found * graph.root
    return result


def _by_power(graph: Diffusion, start: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    left = (1.0 - damping) * start / graph.root
    found = np.zeros_like(left)
    for _ in range(math.ceil(math.log(EXACT) / math.log(damping))):
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
    # PRPACK scales to 1; of a walk that ends at nodes without edges, d of what they were given is lost.
    alone = np.diff(graph.matrix.indptr) == 0
    mass: NDArray[np.float64] = np.asarray(ranks) * (start.sum() - damping * start[alone].sum())
    return mass
