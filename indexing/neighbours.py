"""The nearest rows of each row of a matrix, for the papers' graph: exact, or approximate where rows are many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Above this many rows all-pairs search costs more than embedding them did (52k x 52k x 384 is 10 s on two
# cores, their embedding 60 s); an inverted file then looks at the nearest cells only.
EXACT_LIMIT = 20_000
CELLS_PROBED = 8


def nearest_neighbours(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the inner products and row numbers of each row's ``k`` nearest rows, itself among them.

    Parameters
    ----------
    vectors
        float32, (n, dim).
    k
        At most n.

    Returns
    -------
    similarity, row : float32 and int64, (n, k)
        Best first; -1 where an approximate search, above ``EXACT_LIMIT`` rows, found fewer.
    """
    import faiss

    vectors = np.ascontiguousarray(vectors)
    found: tuple[NDArray[np.float32], NDArray[np.int64]]
    if len(vectors) <= EXACT_LIMIT:
        found = faiss.knn(vectors, vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        return found
    dim = vectors.shape[1]
    cells = int(4 * np.sqrt(len(vectors)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter = 1, 8  # fixed, so that two builds are the same
    index.cp.min_points_per_centroid = 1  # below 39, as up to 24,000 entities, it would print a warning
    index.train(vectors)
    index.add(vectors)
    index.nprobe = CELLS_PROBED
    found = index.search(vectors, k)
    return found
