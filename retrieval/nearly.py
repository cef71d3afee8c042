"""A name that is no entity's, to the entity it probably means: one spelt nearly so, or one near in meaning."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.spelling import trigrams
from hipporag_like.retrieval.dense import nearest_in

MIN_DICE = 0.6  # shared trigrams a misspelt name must keep before it is compared letter by letter
# Entities read for a misspelt name, at most, beyond the list of its rarest trigram. Of 200 names with one letter wrong
# among 1.3 million made-up ones 199 are found, as without a limit: in 2 ms each, 8 at the 95th percentile.
MOST_READ = 100_000
MIN_RATIO = 0.84  # one letter in six wrong, the usual reach of spelling correction
MIN_ENTITY_COSINE = 0.75

Embed = Callable[[str], NDArray[np.float32]]


def by_spelling(segment: Segment, key: str) -> tuple[int, float]:
    """Return the entity whose key is most like ``key`` letter by letter, and how much, to 1; -1 where none is."""
    rows, dice = _alike(segment, trigrams(key))
    best, best_ratio = -1, MIN_RATIO
    for i in np.argsort(-dice, kind="stable")[:20].tolist():
        ratio = difflib.SequenceMatcher(None, key, segment.entity_key_strings[int(rows[i])]).ratio()
        if ratio > best_ratio:
            best, best_ratio = int(rows[i]), ratio
    return best, best_ratio


def _alike(segment: Segment, grams: list[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the entities that share at least ``MIN_DICE`` of their trigrams with a name's, ascending, and the share.

    Who shares s of g trigrams with at least s of its own has ``2 s >= MIN_DICE (g + s)``, so it is missing from few
    of the g lists, and stands in one of the rarest. Only these are read; in the others a few entities are looked up.
    """
    indptr, entity, size = (segment.array(f"trigram_{name}") for name in ("indptr", "entity", "size"))
    lists = sorted((entity[indptr[g] : indptr[g + 1]] for g in grams), key=len)
    least = math.ceil(MIN_DICE * len(lists) / (2 - MIN_DICE) - 1e-9)
    lengths = np.cumsum([len(part) for part in lists])
    read = max(1, min(len(lists) - least + 1, int(np.searchsorted(lengths, MOST_READ, side="right"))))
    rows, shared = np.unique(np.concatenate(lists[:read]), return_counts=True)
    for left, part in zip(range(len(lists) - read, -1, -1), [*lists[read:], None], strict=True):
        can = 2 * (shared + left) >= MIN_DICE * (size[rows] + len(lists))
        rows, shared = rows[can], shared[can]
        if part is not None and len(part):
            place = np.minimum(np.searchsorted(part, rows), len(part) - 1)
            shared += part[place] == rows
    return rows.astype(np.int64), 2 * shared / (size[rows] + len(lists))


def by_meaning(segment: Segment, name: str, embed: Embed) -> tuple[int, float]:
    """Return the entity whose vector is nearest, and its cosine; -1 where none is near, or there are no vectors."""
    if segment.is_light:
        return -1, 0.0
    rows, cosines = nearest_in(segment, "entity", embed(name), 1)
    if len(rows) == 0 or cosines[0] < MIN_ENTITY_COSINE:
        return -1, 0.0
    return int(rows[0]), float(cosines[0])
