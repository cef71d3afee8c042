"""Entity keys by their letter trigrams, so that a misspelt name can be found without reading all names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hipporag_like.text import hash64

# Buckets of the trigram hash: names in any script give a few 10,000 distinct trigrams, so few share one.
BUCKETS = 1 << 16


def trigrams(key: str) -> list[int]:
    """Return the distinct trigram buckets of a key, ascending; blanks mark its ends."""
    padded = f" {key} "
    grams = {padded[i : i + 3] for i in range(max(len(padded) - 2, 1))}
    return sorted({_bucket(gram) for gram in grams})


@lru_cache(maxsize=1 << 17)
def _bucket(gram: str) -> int:
    return hash64(gram) % BUCKETS


def trigram_postings(keys: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return which keys hold each trigram.

    Returns
    -------
    indptr : int64, (BUCKETS + 1,)
        Where each bucket's keys start.
    entity : int32, (n_postings,)
        Rows of ``keys``, ascending within a bucket.
    size : int32, (len(keys),)
        Distinct trigrams of each key.
    """
    cache: dict[str, int] = {}
    grams: list[int] = []
    sizes = np.zeros(len(keys), dtype=np.int32)
    for row, key in enumerate(keys):
        padded = f" {key} "
        found = set()
        for i in range(max(len(padded) - 2, 1)):
            gram = padded[i : i + 3]
            bucket = cache.get(gram)
            if bucket is None:
                bucket = cache[gram] = hash64(gram) % BUCKETS
            found.add(bucket)
        sizes[row] = len(found)
        grams.extend(found)
    bucket_of = np.array(grams, dtype=np.int64)
    owner = np.repeat(np.arange(len(keys), dtype=np.int32), sizes)
    order = np.lexsort((owner, bucket_of))
    indptr = np.searchsorted(bucket_of[order], np.arange(BUCKETS + 1)).astype(np.int64)
    return indptr, owner[order], sizes
