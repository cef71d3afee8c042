"""Pairs of entities that are one thing under two names, by form and by embedding.

By form: a title with a parenthesis and the title without it. By embedding: nearest neighbours above a cosine
threshold, searched with FAISS (HippoRAG 2, Gutiérrez et al. 2025, section 3.1: synonym edges).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.corpus import Corpus, table
from hipporag_like.indexing.rows import Rows, rows_of

# Above this many entities all-pairs search costs more than embedding them did (52k x 52k x 384 is 10 s on two
# cores, their embedding 60 s); an inverted file then looks at the nearest cells only.
EXACT_LIMIT = 20_000
CELLS_PROBED = 8

Pairs = NDArray[np.int64]


def synonym_rows(vectors: NDArray[np.float32], corpus: Corpus, config: GraphConfig) -> Rows:
    """Return the synonyms of each entity, both ways.

    Parameters
    ----------
    vectors
        float32, (n_entities, dim), unit rows.
    corpus
        Keys and titles.
    config
        Threshold and neighbours; 0 neighbours leaves the embedding out.
    """
    keys = table(corpus.keys)
    numeric = np.array([any(map(str.isdigit, key)) for key in keys], dtype=bool)
    pairs, weights = synonym_pairs(vectors, numeric, aliases(corpus), config)
    ends = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int32)
    return rows_of(ends[:, 0], ends[:, 1], np.concatenate([weights, weights]), len(keys))


def aliases(corpus: Corpus) -> Pairs:
    """Return pairs of entities that are one by their form ("X (band)" and "X"); int64, (n, 2)."""
    starts, title = corpus.reading.titles, corpus.reading.title
    two = np.flatnonzero(np.diff(starts) == 2)
    first = starts[two]
    return np.unique(np.stack([title[first], title[first + 1]], axis=1).astype(np.int64), axis=0)


def synonym_pairs(
    vectors: NDArray[np.float32], numeric: NDArray[np.bool_], alias: Pairs, config: GraphConfig
) -> tuple[Pairs, NDArray[np.float32]]:
    """Return each pair of synonyms once, with its edge weight.

    Parameters
    ----------
    vectors
        float32, (n_entities, dim), unit rows.
    numeric
        bool, (n_entities,): with a digit. Dates and numbered things are near each other and never the same.
    alias
        int64, (n, 2): pairs by form.
    config
        Threshold and neighbours.

    Returns
    -------
    pairs : int64, (n, 2)
        Smaller number first, sorted.
    weights : float32, (n,)
        The cosine; 1 for aliases by form.
    """
    row, other, cosine = _neighbours(vectors, config)
    good = ~(numeric[row] | numeric[other])
    found = np.concatenate([np.stack([row[good], other[good]], axis=1), alias.reshape(-1, 2)])
    weight = np.concatenate([cosine[good], np.ones(len(alias), np.float32)])
    found.sort(axis=1)
    # The last of equal pairs counts, so that a pair by form weighs 1.
    code = found[:, 0] * max(len(numeric), 1) + found[:, 1]
    last = len(code) - 1 - np.unique(code[::-1], return_index=True)[1]
    return found[last], weight[last].astype(np.float32)


def _neighbours(
    vectors: NDArray[np.float32], config: GraphConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    n = len(vectors)
    if n < 2 or config.synonym_neighbours == 0:
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0, np.float32)
    k = min(config.synonym_neighbours + 1, n)
    similarity, other = nearest_neighbours(vectors, k)
    row = np.repeat(np.arange(n), k).reshape(n, k)
    good = (similarity >= config.synonym_threshold) & (other >= 0) & (other != row)
    good &= similarity > 0  # with a threshold of 0 too: an edge without weight leads nowhere
    return row[good], other[good], similarity[good]


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
