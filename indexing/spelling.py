"""Entity keys by their letter trigrams, so that a misspelt name can be found without reading all names."""

from __future__ import annotations

from functools import lru_cache

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
