"""Vectors without weights: words and letter trigrams hashed into buckets (Weinberger et al. 2009).

It knows spelling, not meaning. For tests, and for machines where no model may be installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ConfigError
from hipporag_like.models.protocols import TextKind
from hipporag_like.text import hash64, words

# Length of a word's trigrams together, against 1 for the word: enough to draw "directed" to "director" (they
# share five of eight trigrams, cosine 0.1), little enough that an equal word always counts for more.
TRIGRAM_SHARE = 0.5


class HashingEmbedder:
    """Signed feature hashing of word tokens and letter trigrams.

    Parameters
    ----------
    dim
        Buckets, at least 8.

    Raises
    ------
    ConfigError
        ``dim`` is too small.
    """

    def __init__(self, dim: int = 256) -> None:
        if dim < 8:
            raise ConfigError(f"dim of the hashing embedder must be at least 8, got {dim}")
        self._dim = dim

    @property
    def fingerprint(self) -> str:
        """The method's version and the number of buckets."""
        return f"hashing-1:{self._dim}"

    @property
    def dim(self) -> int:
        """Number of buckets."""
        return self._dim

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text, float32 ``(len(texts), dim)``; questions and passages alike.

        A text without words gets the first axis.
        """
        seen: dict[str, NDArray[np.float64]] = {}
        rows = np.zeros((len(texts), self._dim))
        for row, text in zip(rows, texts, strict=True):
            for word in words(text):
                if word not in seen:
                    seen[word] = self._word_vector(word)
                row += seen[word]
        norms = np.linalg.norm(rows, axis=1)
        rows[norms == 0, 0] = norms[norms == 0] = 1.0
        unit: NDArray[np.float32] = (rows / norms[:, None]).astype(np.float32)
        return unit

    def _word_vector(self, word: str) -> NDArray[np.float64]:
        vector = np.zeros(self._dim)
        trigrams = list(_trigrams(word))
        for feature, weight in [(word, 1.0), *((t, TRIGRAM_SHARE / len(trigrams) ** 0.5) for t in trigrams)]:
            code = hash64(feature)
            # The lowest bit is the sign, the others the bucket: independent of each other.
            vector[(code >> 1) % self._dim] += weight if code & 1 else -weight
        return vector


def _trigrams(word: str) -> Iterator[str]:
    edged = f"<{word}>"
    for start in range(len(edged) - 2):
        yield edged[start : start + 3]
