"""What the learned fusion needs compiled: rows down decision trees, and cosines of chosen rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.retrieval.push import compiled


def descend(
    table: NDArray[np.float32],
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    leaf: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return each row's sum of leaves; see ``hipporag_like.retrieval.trees.Trees``."""
    total = np.zeros(len(table))
    for row in range(len(table)):
        for root in roots:
            node = root
            while node >= 0:
                if table[row, feature[node]] <= threshold[node]:
                    node = left[node]
                else:
                    node = right[node]
            total[row] += leaf[-node - 1]
    return total


def cosines_of(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return inner products of chosen rows with each asked vector; float64, (n_rows, n_asked).

    Each pair is summed in the same order wherever its row stands, which a BLAS does not promise: the order of a
    corpus must not change a score.
    """
    found = np.empty((len(rows), len(asked)))
    for i in range(len(rows)):
        vector = vectors[rows[i]]
        for j in range(len(asked)):
            total = np.float32(0.0)
            for d in range(vectors.shape[1]):
                total += vector[d] * asked[j, d]
            found[i, j] = total
    return found


descend = compiled(descend)
cosines_of = compiled(cosines_of)
