"""Ascending lists of rows by what they hold (words, trigrams): lists before and what is new, merged as they lie.

A change moves the numbers of rows and adds a few, and never changes their order, so that nothing is sorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.joint import Joint
from hipporag_like.indexing.ragged import Rows2, Starts, fixed, starts_of
from hipporag_like.indexing.reading import Reading

NO_COUNTS = np.zeros(0, np.uint16)


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows by what they hold.

    Attributes
    ----------
    starts
        int64, (n_lists + 1,): where each list starts.
    row
        int32: rows, ascending in a list.
    count
        uint16: how often the row holds it; nothing where that is not counted.
    """

    starts: Starts
    row: NDArray[np.int32]
    count: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Postings:
    """BM25's words: passages by word, and how many words each passage has; int32, (n_passages,)."""

    lists: Lists
    length: NDArray[np.int32]


def no_postings() -> Postings:
    """Return the postings of no passages."""
    no = np.zeros(0, np.int32)
    return Postings(Lists(np.zeros(1, np.int64), no, NO_COUNTS), no)


def merged_lists(
    old: Lists,
    new: Lists,
    number: NDArray[np.int32],
    source: NDArray[np.integer],
    counts: NDArray[np.int64],
) -> Lists:
    """Return lists of old and new rows.

    Parameters
    ----------
    old, new
        Lists of one numbering; of the old ones the last may be lacking. Rows of the old lists are numbered as they
        were, those of the new ones as they will be.
    number
        int32: what each old row will be, ascending; -1 where it is gone.
    source
        Which lists, in order; what is left out holds nothing.
    counts
        See :func:`merged_counts`.
    """
    from hipporag_like.indexing.list_kernels import merge_lists

    starts = starts_of(counts[source])
    row = np.empty(int(starts[-1]), np.int32)
    count = np.empty(len(row) if len(new.count) or len(old.count) else 0, np.uint16)
    before = fixed(old.starts), fixed(old.row), fixed(old.count), fixed(number)
    added = fixed(new.starts), fixed(new.row), fixed(new.count)
    merge_lists(*before, *added, fixed(source), fixed(starts), row, count)
    return Lists(starts, row, count)


def merged_counts(old: Lists, new: Lists, number: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many rows each list of old and new ones has; see :func:`merged_lists`."""
    from hipporag_like.indexing.list_kernels import count_kept

    counts: NDArray[np.int64] = np.diff(new.starts)
    counts[: len(old.starts) - 1] += count_kept(fixed(old.starts), fixed(old.row), fixed(number))
    return counts


def joined(
    table: Joint, old: Postings, new: Reading, passages: Rows2
) -> tuple[Postings, Rows2, NDArray[np.int32]]:
    """Return the postings of some old and all new passages; with ``Joint.settled`` of their words.

    Parameters
    ----------
    table
        Of the words.
    old, new
        What was before, and what was read now; the latter's passages keep their order.
    passages
        In their new order.
    """
    from hipporag_like.indexing.kernels import transpose

    number, at = passages.numbers(len(old.length), len(new.terms) - 1)
    starts, row, count = transpose(new.terms, table.joint[new.term], new.frequency, len(table))
    added = Lists(starts, at[row], count)
    counts = merged_counts(old.lists, added, number)
    words, word_number = table.settled(counts)
    running = starts_of(new.frequency)
    lengths = (running[new.terms[1:]] - running[new.terms[:-1]]).astype(np.int32)
    lists = merged_lists(old.lists, added, number, words.source, counts)
    return Postings(lists, passages.flat(old.length, lengths)), words, word_number
