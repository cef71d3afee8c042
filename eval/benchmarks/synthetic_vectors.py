"""Vectors without a model: a text is the sum of its words' random directions, plus a little of its own.

Good enough to rank by shared words, names above all, and imperfect as real embedders are: a text that shares no
word with the question is as far from it as any. Fast, so that a million passages can be searched by vectors without
days of embedding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.synthetic_words import mixed
from hipporag_like.models.protocols import TextKind
from hipporag_like.text import STOPWORDS, hash64

DIM = 384  # that of the default embedder
NAME_WEIGHT = 1.3  # of a capitalised word, against 1: embedders, too, hold on to names
FUNCTION_WEIGHT = 0.1
# Length of what is a text's own, against its words' 1: two texts of the same words come out at a cosine of 0.92, as
# paraphrases do with the default embedder.
OWN_SHARE = 0.3
_WORD = re.compile(r"[^\W_]+")
_AT_ONCE = 2048  # texts; their own parts take 6 MB


class SyntheticEmbedder:
    """Sum of hashed word vectors; implements :class:`hipporag_like.models.protocols.Embedder`.

    Examples
    --------
    >>> rows = SyntheticEmbedder().embed(["Ada met Charles", "Charles met Ada", "a grey stone"])
    >>> bool(rows[0] @ rows[1] > 0.8 > 0.4 > rows[0] @ rows[2])
    True
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._table = np.zeros((1024, DIM), dtype=np.float32)

    @property
    def fingerprint(self) -> str:
        """The method's version and the length of a vector."""
        return f"synthetic-1:{DIM}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return DIM

    @property
    def surfaces(self) -> list[str]:
        """Every word met so far, as it was written."""
        return list(self._rows)

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return one unit vector a text, float32 ``(len(texts), dim)``; questions and passages alike."""
        vectors = np.empty((len(texts), DIM), dtype=np.float32)
        for at in range(0, len(texts), _AT_ONCE):
            part = texts[at : at + _AT_ONCE]
            found = [_WORD.findall(text) for text in part]
            flat = [word for words in found for word in words]
            self._learn(set(flat).difference(self._rows))
            rows = np.fromiter(map(self._rows.__getitem__, flat), dtype=np.int64, count=len(flat))
            indptr = np.concatenate([[0], np.cumsum([len(words) for words in found])])
            keys = np.array([hash64(text) for text in part], dtype=np.uint64)
            _kernel()(self._table, rows, indptr, keys, vectors[at : at + len(part)])
        return vectors

    def _learn(self, new: set[str]) -> None:
        """Add words to the table; a word's row depends on nothing but the word."""
        words = sorted(new)
        while len(self._rows) + len(words) > len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        for at in range(0, len(words), _AT_ONCE):
            part = words[at : at + _AT_ONCE]
            first = len(self._rows)
            rows = gaussians(np.array([hash64(word.lower()) for word in part], dtype=np.uint64), 1)
            weights = np.array([_weight(word) for word in part], dtype=np.float32)
            self._table[first : first + len(part)] = rows * weights[:, None]
            self._rows.update(zip(part, range(first, first + len(part)), strict=True))


def _weight(word: str) -> float:
    if word.lower() in STOPWORDS:
        return FUNCTION_WEIGHT
    return NAME_WEIGHT if word[0].isupper() else 1.0


@lru_cache(maxsize=1)
def _kernel() -> Callable[..., None]:
    """Return the compiled loop; numba is not imported before it is needed."""
    from hipporag_like.indexing.compiled import compiled

    return compiled(_sum_words)


def _sum_words(
    table: NDArray[np.float32],
    rows: NDArray[np.int64],
    indptr: NDArray[np.int64],
    keys: NDArray[np.uint64],
    out: NDArray[np.float32],
) -> None:
    """Write the unit vector of each text into ``out``: its words' sum, scaled to 1, and its own direction."""
    dim = table.shape[1]
    total = np.empty(dim, dtype=np.float32)
    for text in range(len(keys)):
        total[:] = 0.0
        for place in range(indptr[text], indptr[text + 1]):
            row = rows[place]
            for i in range(dim):
                total[i] += table[row, i]
        square = np.float32(0.0)  # a loop: numba's own sums bring SciPy along, which takes 0.15 s to load
        for i in range(dim):
            square += total[i] * total[i]
        if square > 0.0:
            total /= np.sqrt(square)
        square = np.float32(0.0)
        for i in range(dim):
            z = keys[text] + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
            mask = np.uint64(0xFFFF)
            sum4 = (z & mask) + ((z >> np.uint64(16)) & mask) + ((z >> np.uint64(32)) & mask)
            uniform = np.float32(sum4 + (z >> np.uint64(48))) / np.float32(65536.0) - np.float32(2.0)
            total[i] += np.float32(OWN_SHARE * (3.0 / DIM) ** 0.5) * uniform
            square += total[i] * total[i]
        out[text] = total / np.sqrt(square)


def gaussians(keys: NDArray[np.uint64], salt: int) -> NDArray[np.float32]:
    """Return one random vector of expected length 1 for each key, float32 ``(len(keys), DIM)``.

    The sum of four uniform numbers of 16 bits stands for a normal one; the directions are as even.
    """
    places = np.arange(DIM, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = mixed(keys[:, None] + places, salt)
    parts = bits.view(np.uint16).reshape(len(keys), DIM, 4)
    total = parts.sum(axis=2, dtype=np.int64).astype(np.float32)
    centred = total / 2**16 - 2  # mean 0, variance 4 / 12
    scaled: NDArray[np.float32] = (centred * np.float32((3 / DIM) ** 0.5)).astype(np.float32)
    return scaled
