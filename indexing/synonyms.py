"""Entities that are one thing under two names, by form and by embedding.

By form: a title with a parenthesis and the title without it. By embedding: nearest neighbours above a cosine
threshold (HippoRAG 2, Gutiérrez et al. 2025, section 3.1: synonym edges).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.corpus import Corpus
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.near import codes_of, is_exact, near_pairs
from hipporag_like.indexing.packed import Strings, table
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.rows import Rows, rows_of

Pairs = NDArray[np.int32]
Cosines = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Near:
    """Entities whose names are near each other.

    Attributes
    ----------
    codes
        uint16, (n_entities, 32): see ``indexing.near``.
    pairs, cosines
        int32 (n, 2), smaller number first, sorted; float32, (n,).
    """

    codes: NDArray[np.uint16]
    pairs: Pairs
    cosines: Cosines


def no_names() -> Near:
    """Return what stands for near names where names are not embedded."""
    return Near(np.zeros((0, 0), np.uint16), np.zeros((0, 2), np.int32), np.zeros(0, np.float32))


def near_names(
    vectors: NDArray[np.float32],
    keys: Strings,
    segment: Segment | None,
    rows: Rows2,
    kept: NDArray[np.bool_],
    config: GraphConfig,
) -> Near:
    """Return all pairs of entities with near names; dates and numbered things, near and never the same, have none.

    Parameters
    ----------
    vectors
        float32, (n_entities, dim), unit rows.
    keys
        Of the entities.
    segment, rows, kept
        The segment before, which of its entities each one is, and which still have their vector: only the pairs of
        the others are looked for.
    config
        Threshold and neighbours; 0 neighbours leaves the embedding out.
    """
    codes = np.zeros((len(vectors), 0), np.uint16)
    pairs, cosines = np.zeros((0, 2), np.int32), np.zeros(0, np.float32)
    if config.synonym_neighbours == 0:
        return Near(codes, pairs, cosines)
    fresh = ~kept
    if segment is None:
        codes = codes_of(vectors)
    else:
        old = segment.array("near_code")
        codes = np.empty((len(vectors), old.shape[1]), np.uint16)
        codes[kept] = old[rows.source[kept]]
        codes[fresh] = codes_of(vectors[fresh])
        number = np.full(segment.n_entities, -1, np.int32)
        number[rows.source[kept]] = np.flatnonzero(kept)
        pairs, cosines = number[segment.array("near_pair")], segment.array("near_cosine")
        still = (pairs >= 0).all(axis=1)
        if is_exact(segment.n_entities) != is_exact(len(vectors)):
            fresh, still = np.ones(len(vectors), dtype=bool), np.zeros(len(pairs), dtype=bool)
        pairs, cosines = pairs[still], cosines[still]
    names = np.array([not any(map(str.isdigit, key)) for key in table(keys)], dtype=bool)
    least = max(
        config.synonym_threshold, float(np.finfo(np.float32).tiny)
    )  # an edge without weight leads nowhere
    found, values = near_pairs(vectors, codes, np.flatnonzero(names), fresh, least)
    pairs, cosines = np.concatenate([pairs, found]), np.concatenate([cosines, values])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return Near(codes, pairs[order], cosines[order])


def synonym_rows(near: Near, corpus: Corpus, config: GraphConfig) -> Rows:
    """Return the synonyms of each entity, both ways.

    A pair by embedding counts where one of the two is among the other's nearest; a pair by form weighs 1.

    Parameters
    ----------
    near
        Pairs by embedding.
    corpus
        Titles.
    config
        How many neighbours an entity has.
    """
    alias = aliases(corpus)
    n = len(corpus.keys[0]) - 1
    pairs, weights = nearest_pairs(near, config.synonym_neighbours)
    both = np.concatenate([pairs.astype(np.int64), alias])
    weight = np.concatenate([weights, np.ones(len(alias), np.float32)])
    # Of equal pairs the last one counts.
    code = both[:, 0] * max(n, 1) + both[:, 1]
    last = len(code) - 1 - np.unique(code[::-1], return_index=True)[1]
    pairs, weight = both[last].astype(np.int32), weight[last]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    return rows_of(ends[:, 0], ends[:, 1], np.concatenate([weight, weight]), n)


def nearest_pairs(near: Near, neighbours: int) -> tuple[Pairs, Cosines]:
    """Return the pairs where one of the two is among the ``neighbours`` nearest of the other; ties by number."""
    n = len(near.pairs)
    row = np.concatenate([near.pairs[:, 0], near.pairs[:, 1]])
    other = np.concatenate([near.pairs[:, 1], near.pairs[:, 0]])
    cosine = np.concatenate([near.cosines, near.cosines])
    order = np.lexsort((other, -cosine, row))
    first = np.searchsorted(row[order], row[order], side="left")
    kept = order[np.arange(2 * n) - first < neighbours]
    chosen = np.unique(kept % n) if n else kept
    return near.pairs[chosen], near.cosines[chosen]


def aliases(corpus: Corpus) -> NDArray[np.int64]:
    """Return pairs of entities that are one by their form ("X (band)" and "X"); int64, (n, 2), sorted."""
    starts, title = corpus.reading.titles, corpus.reading.title
    first = starts[:-1][np.diff(starts) == 2]
    return np.unique(np.stack([title[first], title[first + 1]], axis=1).astype(np.int64), axis=0)
