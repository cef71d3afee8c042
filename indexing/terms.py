"""Technical terms mined from the corpus by statistics: in medicine, law, code or chat most entities are
written in small letters, and scripts without capitals have no other mark.

A candidate is an n-gram of content words inside one sentence. It is kept where it is repeated across
passages, sticks together (normalised pointwise mutual information of its two halves) and stands on its own
rather than as a piece of a longer term (C-value). Single words are kept where they are rare and bursty: a
word that comes back inside the passages that hold it is a topic, a word spread evenly is vocabulary.

References
----------
Frantzi, Ananiadou and Mima (2000), "Automatic recognition of multi-word terms: the C-value/NC-value
method", equation 2. Bouma (2009), "Normalized (pointwise) mutual information in collocation extraction".
Church and Gale (1995), "Poisson mixtures" (burstiness as occurrences per document holding the word).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.vocabulary import Tokens
from hipporag_like.text import STOPWORDS, is_unspaced

MAX_LENGTH = 4
# Measured on the four dev corpora: 0.35 keeps "heart attack", "head coach", and drops chance pairs such as
# "film released"; see docs/decisions/0004.
MIN_NPMI = 0.35
MIN_PASSAGES = 2
MIN_C_VALUE = 2.0
# A single word is a term where it occurs in at most this share of the passages (never fewer than 5 allowed)
# and comes back at least this often inside the passages that hold it.
MAX_SHARE = 0.005
MIN_BURST = 1.3
MIN_LETTERS = 4


class TokenStream:
    def __init__(self, t: Tokens) -> None:
        self.ids, self.passage, self.sentence = t.ids, t.passage, t.sentence
        words = t.words
        self.content = np.array(
            [w not in STOPWORDS and not w.isdigit() and (len(w) > 1 or is_unspaced(w)) for w in words], dtype=bool
        )
        self.letters = np.array([len(w) for w in words], dtype=np.int32)


def mine_terms(tokens: Tokens) -> list[tuple[int, ...]]:
    """Return the mined terms as tuples of word numbers, sorted."""
    stream, n_passages = TokenStream(tokens), tokens.n_passages
    if len(stream.ids) == 0:
        return []
    counts: dict[tuple[int, ...], int] = {}
    for length in range(2, MAX_LENGTH + 1):
        counts.update(_ngrams(stream, length))
    kept = _stand_alone(counts)
    return sorted(kept + [(int(w),) for w in _single_words(stream, n_passages)])


def _ngrams(stream: TokenStream, length: int) -> dict[tuple[int, ...], int]:
    """Return the repeated, cohesive n-grams of one length with their counts."""
    n = len(stream.ids) - length + 1
    if n <= 0:
        return {}
    grams = np.lib.stride_tricks.sliding_window_view(stream.ids, length)
    inside = stream.sentence[:n] == stream.sentence[length - 1 :]
    edges = stream.content[stream.ids[:n]] & stream.content[stream.ids[length - 1 :]]
    at = np.flatnonzero(inside & edges)
    if len(at) == 0:
        return {}
    codes = _codes(grams, at)
    _, first, inverse, count = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    passages = _passages_holding(inverse, stream.passage[at], len(first))
    good = (count >= MIN_PASSAGES) & (passages >= MIN_PASSAGES)
    rows = np.flatnonzero(good)
    if len(rows) == 0:
        return {}
    total = float(len(stream.ids))
    word_count = np.bincount(stream.ids, minlength=len(stream.content)).astype(np.float64)
    words = grams[at[first[rows]]]
    # The two halves are judged as independent words: the product of the rarest and the whole's other words
    # bounds the n-gram's chance from above by its two least frequent words.
    frequency = np.sort(word_count[words], axis=1)[:, :2] / total
    joint = count[rows] / total
    npmi = np.log(joint / frequency.prod(axis=1)) / -np.log(joint)
    cohesive = npmi >= MIN_NPMI
    chosen = zip(words[cohesive].tolist(), count[rows][cohesive].tolist(), strict=True)
    return {tuple(gram): int(c) for gram, c in chosen}


def _codes(grams: NDArray[np.int32], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return one 64-bit code an n-gram (a polynomial hash; equal n-grams have equal codes)."""
    codes = np.zeros(len(at), dtype=np.uint64)
    for column in range(grams.shape[1]):
        codes = codes * np.uint64(0x9E3779B97F4A7C15) + grams[at, column].astype(np.uint64) + np.uint64(1)
        codes ^= codes >> np.uint64(29)
    return codes


def _passages_holding(
    group: NDArray[np.int64], passage: NDArray[np.int32], n_groups: int
) -> NDArray[np.int64]:
    """Return in how many distinct passages each group occurs; ``passage`` is non-decreasing."""
    order = np.lexsort((passage, group))
    g, p = group[order], passage[order]
    new = np.ones(len(g), dtype=bool)
    new[1:] = (g[1:] != g[:-1]) | (p[1:] != p[:-1])
    return np.bincount(g[new], minlength=n_groups)


def _stand_alone(counts: dict[tuple[int, ...], int]) -> list[tuple[int, ...]]:
    """Return the n-grams whose C-value is high enough."""
    inside: dict[tuple[int, ...], list[int]] = {}
    for gram, count in counts.items():
        for length in range(2, len(gram)):
            for i in range(len(gram) - length + 1):
                part = gram[i : i + length]
                if part in counts:
                    inside.setdefault(part, []).append(count)
    kept = []
    for gram, count in counts.items():
        longer = inside.get(gram)
        own = count - (sum(longer) / len(longer) if longer else 0.0)
        if np.log2(len(gram)) * own >= MIN_C_VALUE:
            kept.append(gram)
    return kept


def _single_words(stream: TokenStream, n_passages: int) -> Sequence[int]:
    n_words = len(stream.content)
    count = np.bincount(stream.ids, minlength=n_words)
    passages = _passages_holding(stream.ids.astype(np.int64), stream.passage, n_words)
    rare = (passages >= MIN_PASSAGES) & (passages <= max(5.0, MAX_SHARE * n_passages))
    bursty = count >= MIN_BURST * passages
    good = rare & bursty & stream.content & (stream.letters >= MIN_LETTERS)
    return [int(w) for w in np.flatnonzero(good)]
