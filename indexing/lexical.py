"""BM25's postings: which passages hold a word, and how often. Scores are worked out when asked, from these.

No number here depends on how many passages there are, so that adding some leaves the others' numbers alone.

References
----------
Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNT_MAX = np.iinfo(np.uint16).max
# Up to so many rows numpy sorts in less time (0.2 s) than the compiled sort takes to be loaded (0.4 s, with numba).
_SORTED_BY_NUMPY = 1_000_000

Sorted = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16]]


@dataclass(frozen=True, slots=True)
class Postings:
    """Where each word is found.

    Attributes
    ----------
    terms
        The vocabulary, sorted.
    indptr
        int64, (n_terms + 1,): where each term's postings start.
    passage
        int32, (n_postings,): passages holding the term, ascending within a term.
    count
        uint16, (n_postings,): how often it stands there; 65,535 for more.
    length
        int32, (n_passages,): words of each passage.
    """

    terms: list[str]
    indptr: NDArray[np.int64]
    passage: NDArray[np.int32]
    count: NDArray[np.uint16]
    length: NDArray[np.int32]


def build_postings(tokens: Iterable[Iterable[str]]) -> Postings:
    """Return the postings of a corpus.

    Parameters
    ----------
    tokens
        The folded words of each passage, in passage order; read once.
    """
    number: dict[str, int] = {}
    terms, counts, widths, lengths = [], [], [], []
    for passage in tokens:
        held = Counter(passage)
        rows = np.fromiter((number.setdefault(word, len(number)) for word in held), np.int32, len(held))
        count = np.fromiter(held.values(), np.int64, len(held))
        terms.append(rows)
        counts.append(np.minimum(count, COUNT_MAX).astype(np.uint16))
        widths.append(len(rows))
        lengths.append(int(count.sum()))
    # Words are numbered as they come; the vocabulary is sorted at the end.
    words = sorted(number)
    place = np.empty(len(words), dtype=np.int32)
    place[[number[word] for word in words]] = np.arange(len(words), dtype=np.int32)
    rows = np.concatenate([np.zeros(0, np.int32), *terms])
    count16 = np.concatenate([np.zeros(0, np.uint16), *counts])
    starts = np.cumsum([0, *widths]).astype(np.int64)
    indptr, owner, count16 = postings_of(starts, place[rows], count16, len(words))
    return Postings(words, indptr, owner, count16, np.array(lengths, dtype=np.int32))


def postings_of(
    indptr: NDArray[np.int64], term: NDArray[np.int32], count: NDArray[np.uint16], n_terms: int
) -> Sorted:
    """Return rows of passages as rows of terms: a counting sort, with no memory beyond the result and n_terms.

    Parameters
    ----------
    indptr
        int64, (n_passages + 1,): where each passage's terms start.
    term, count
        int32 and uint16, (n_postings,): the distinct terms of each passage, in any order, and how often they stand
        there; may be memory-mapped.
    n_terms
        Size of the vocabulary.

    Returns
    -------
    posting_indptr : int64, (n_terms + 1,)
    posting_passage : int32, (n_postings,)
        Ascending within a term.
    posting_count : uint16, (n_postings,)
    """
    if len(term) > _SORTED_BY_NUMPY:
        from hipporag_like.indexing.kernels import transpose

        return transpose(indptr, term, count, n_terms)
    starts = np.zeros(n_terms + 1, dtype=np.int64)
    np.cumsum(np.bincount(term, minlength=n_terms), out=starts[1:])
    order = np.argsort(term, kind="stable")
    owner = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return starts, owner[order], count[order]
