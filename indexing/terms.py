"""Technical terms mined from the corpus by statistics.

In medicine, law, code or chat most entities are written in small letters, and scripts without capitals have
no other mark.

A candidate is an n-gram of content words without a mark or a capital inside. It is kept where it is repeated
across passages, sticks together (normalised pointwise mutual information of its words), has more than one
neighbour on either side, and stands on its own rather than as a piece of a longer term (C-value). Single
words are kept where they are rare but not unique. How many of them are used depends on how much the names
say already.

References
----------
Frantzi, Ananiadou and Mima (2000), "Automatic recognition of multi-word terms: the C-value/NC-value
method", equation 2. Bouma (2009), "Normalized (pointwise) mutual information in collocation extraction".
Jin and Tanaka-Ishii (2006), "Unsupervised segmentation of Chinese text by use of branching entropy".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.vocabulary import Tokens, word_passages
from hipporag_like.indexing.word_roles import Roles, word_roles

MAX_LENGTH = 4
MAX_LENGTH_UNSPACED = 6  # characters, in scripts written without spaces
MIN_NPMI = 0.35
MIN_PASSAGES = 2
# A piece of a longer term is dropped where the longer one makes up this share of its occurrences.
PIECE_SHARE = 0.6
WORD_PIECE_SHARE = 0.9  # single words are dropped later: "kidney" links more texts than "kidney disease"
# A single word is a term where it occurs in at most this share of the passages (never fewer than 5 allowed).
MAX_SHARE = 0.005
MIN_LETTERS = 4
# With this many names a sentence no terms are used, with none all, in between a proportional share, strongest
# first. Measured with the fused score, recall@5: on the HotpotQA and MuSiQue dev sets (3.4 and 3.2 names a
# sentence) using all terms costs 0.0 and 4.2; on the same sets stripped of capitals and titles it gains 16.0
# and 17.2.
NAMES_SUFFICE = 2.0


def mine_terms(tokens: Tokens, n_names: int) -> list[tuple[int, ...]]:
    """Return the mined terms as tuples of word numbers, sorted.

    Parameters
    ----------
    tokens
        The corpus.
    n_names
        Places where names were found; they decide how many terms are used.
    """
    share = share_of_terms(n_names, int(tokens.passage_sentences[-1]))
    if len(tokens.ids) == 0 or share <= 0:
        return []
    roles = word_roles(tokens)
    counts: dict[tuple[int, ...], int] = {}
    longest = MAX_LENGTH_UNSPACED if roles.unspaced[tokens.ids].any() else MAX_LENGTH
    for length in range(2, longest + 1):
        counts.update(_ngrams(tokens, roles, length))
    own = _own_counts(counts | _single_words(tokens, roles))
    scored = sorted((-np.log2(1 + len(gram)) * count, gram) for gram, count in own.items())
    used = np.cumsum([own[gram] for _, gram in scored])
    return sorted(
        gram
        for (_, gram), places in zip(scored, used.tolist(), strict=True)
        if places - own[gram] < share * used[-1]
    )


def share_of_terms(n_names: int, n_sentences: int) -> float:
    """Return which share of the terms is used; none where it is not above 0."""
    return 1.0 - n_names / max(1.0, NAMES_SUFFICE * n_sentences)


def _ngrams(tokens: Tokens, roles: Roles, length: int) -> dict[tuple[int, ...], int]:
    """Return the repeated, cohesive n-grams of one length with their counts."""
    at = _candidates(tokens, roles, length)
    if len(at) == 0:
        return {}
    grams = np.lib.stride_tricks.sliding_window_view(tokens.ids, length)
    _, first, group, count = np.unique(
        _codes(grams, at), return_index=True, return_inverse=True, return_counts=True
    )
    n = len(first)
    spread = _distinct(group, tokens.passage[at], n) >= MIN_PASSAGES
    # Something that always has the same neighbour is a piece of something longer.
    free = _distinct(group, _neighbours(tokens, roles, at - 1, 1), n) > 1
    free &= _distinct(group, _neighbours(tokens, roles, at + length, 0), n) > 1
    rows = np.flatnonzero((count >= MIN_PASSAGES) & spread & free)
    if len(rows) == 0:
        return {}
    words = grams[at[first[rows]]]
    total = float(len(tokens.ids))
    word_count = np.bincount(tokens.ids, minlength=len(tokens.words)).astype(np.float64)
    # The chance of the n-gram is bounded from above by that of its two rarest words.
    chance = np.sort(word_count[words], axis=1)[:, :2].prod(axis=1) / total**2
    joint = count[rows] / total
    cohesive = np.log(joint / chance) / -np.log(joint) >= MIN_NPMI
    return {
        tuple(gram): int(c)
        for gram, c in zip(words[cohesive].tolist(), count[rows][cohesive].tolist(), strict=True)
    }


def _candidates(tokens: Tokens, roles: Roles, length: int) -> NDArray[np.int64]:
    """Return where an n-gram of the length may be a term."""
    n = len(tokens.ids) - length + 1
    if n <= 0:
        return np.zeros(0, dtype=np.int64)
    ids = tokens.ids
    small = ~tokens.capital | tokens.opens
    good = roles.edge[ids[:n]] & roles.edge[ids[length - 1 :]] & small[:n]
    for step in range(1, length):
        good &= tokens.joined[step : n + step] & small[step : n + step]
        good &= roles.unspaced[ids[step : n + step]] == roles.unspaced[ids[:n]]
        if length > MAX_LENGTH:
            good &= roles.unspaced[ids[:n]]
        if step < length - 1:
            good &= roles.inner[ids[step : n + step]]
    return np.flatnonzero(good)


def _neighbours(tokens: Tokens, roles: Roles, at: NDArray[np.int64], edge: int) -> NDArray[np.int64]:
    """Return the content word at each place; a border or function word is a neighbour of its own."""
    inside = (at >= 0) & (at < len(tokens.ids))
    place = np.where(inside, at, 0)
    joint = np.minimum(place + edge, len(tokens.ids) - 1)
    own = -1 - np.arange(len(at), dtype=np.int64)
    word = tokens.ids[place]
    return np.where(inside & tokens.joined[joint] & roles.content[word], word.astype(np.int64), own)


def _codes(grams: NDArray[np.int32], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return one 64-bit code an n-gram (a polynomial hash; equal n-grams have equal codes)."""
    codes = np.zeros(len(at), dtype=np.uint64)
    for column in range(grams.shape[1]):
        codes = codes * np.uint64(0x9E3779B97F4A7C15) + grams[at, column].astype(np.uint64) + np.uint64(1)
        codes ^= codes >> np.uint64(29)
    return codes


def _distinct(group: NDArray[np.int64], value: NDArray[np.integer], n_groups: int) -> NDArray[np.int64]:
    """Return how many distinct values each group has."""
    order = np.lexsort((value, group))
    g, v = group[order], value[order]
    new = np.ones(len(g), dtype=bool)
    new[1:] = (g[1:] != g[:-1]) | (v[1:] != v[:-1])
    return np.bincount(g[new], minlength=n_groups)


def _own_counts(counts: dict[tuple[int, ...], int]) -> dict[tuple[int, ...], float]:
    """Return the n-grams that are more than pieces of longer ones, with their own occurrences."""
    longer: dict[tuple[int, ...], list[int]] = {}
    for gram, count in counts.items():
        for length in range(1, len(gram)):
            for i in range(len(gram) - length + 1):
                part = gram[i : i + length]
                if part in counts:
                    longer.setdefault(part, []).append(count)
    own: dict[tuple[int, ...], float] = {}
    for gram, count in counts.items():
        around = longer.get(gram, [])
        rest = count - (sum(around) / len(around) if around else 0.0)
        share, least = (PIECE_SHARE, MIN_PASSAGES) if len(gram) > 1 else (WORD_PIECE_SHARE, 0)
        if max(around, default=0) < share * count and rest >= least:
            own[gram] = rest
    return own


def _single_words(tokens: Tokens, roles: Roles) -> dict[tuple[int, ...], int]:
    count = np.bincount(tokens.ids, minlength=len(tokens.words))
    passages = word_passages(tokens)
    rare = (passages >= MIN_PASSAGES) & (passages <= max(5.0, MAX_SHARE * tokens.n_passages))
    letters = np.array([len(w) for w in tokens.words], dtype=np.int64)
    small = tokens.small_count > tokens.capital_count
    good = rare & roles.edge & small & (letters >= MIN_LETTERS) & ~roles.unspaced
    return {(int(word),): int(count[word]) for word in np.flatnonzero(good)}
