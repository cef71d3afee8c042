"""Pairs of entities that are one thing under two names, by form and by embedding.

By form: a title with a parenthesis and the title without it. By embedding: nearest neighbours above a cosine
threshold, searched with FAISS (HippoRAG 2, Gutiérrez et al. 2025, section 3.1: synonym edges).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.entities import Analysis

# Above this many entities all-pairs search costs more than embedding them did (52k x 52k x 384 is 10 s on two
# cores, their embedding 60 s); an inverted file then looks at the nearest cells only.
EXACT_LIMIT = 20_000
CELLS_PROBED = 8


def synonym_pairs(
    vectors: NDArray[np.float32], analysis: Analysis, config: GraphConfig
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each pair of synonyms once, with its edge weight.

    Parameters
    ----------
    vectors
        float32, (n_entities, dim), unit rows.
    analysis
        Names and aliases.
    config
        Threshold and neighbours; 0 neighbours leaves the embedding out.

    Returns
    -------
    pairs : int32, (n, 2)
        Smaller number first, sorted.
    weights : float32, (n,)
        The cosine; 1 for aliases by form.
    """
    found: dict[tuple[int, int], float] = {}
    numeric = np.array([any(c.isdigit() for c in key) for key in analysis.keys], dtype=bool)
    for a, b, cosine in _neighbours(vectors, config):
        # Dates and numbered things are near each other and never the same.
        if not (numeric[a] or numeric[b]):
            found[min(a, b), max(a, b)] = cosine
    for a, b in analysis.alias.tolist():
        found[min(a, b), max(a, b)] = 1.0
    ordered = sorted(found)
    pairs = np.array(ordered, dtype=np.int32).reshape(-1, 2)
    return pairs, np.array([found[p] for p in ordered], dtype=np.float32)


def _neighbours(vectors: NDArray[np.float32], config: GraphConfig) -> list[tuple[int, int, float]]:
    n = len(vectors)
    if n < 2 or config.synonym_neighbours == 0:
        return []
    k = min(config.synonym_neighbours + 1, n)
    similarity, other = nearest_neighbours(vectors, k)
    row = np.repeat(np.arange(n), k).reshape(n, k)
    good = (similarity >= config.synonym_threshold) & (other >= 0) & (other != row)
    good &= similarity > 0  # with a threshold of 0 too: an edge without weight leads nowhere
    return list(zip(row[good].tolist(), other[good].tolist(), similarity[good].tolist(), strict=True))


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
