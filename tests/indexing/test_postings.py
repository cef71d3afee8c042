"""Ascending lists merged as they lie, against lists made anew."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.postings import NO_COUNTS, Lists, merged_counts, merged_lists
from hipporag_like.indexing.ragged import Rows2, starts_of

N_LISTS = 5
quick = settings(max_examples=60, deadline=None)
HELD = st.dictionaries(st.integers(0, N_LISTS - 1), st.integers(1, 9))  # what a row holds, and how often


def lists_of(rows: list[tuple[int, dict[int, int]]], n_lists: int, counted: bool) -> Lists:
    found = [sorted((row, held[i]) for row, held in rows if i in held) for i in range(n_lists)]
    starts = starts_of(np.array([len(f) for f in found], dtype=np.int64))
    row = np.array([r for f in found for r, _ in f], dtype=np.int32)
    count = np.array([c for f in found for _, c in f], dtype=np.uint16)
    return Lists(starts, row, count if counted else NO_COUNTS)


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[dict[int, int]], list[dict[int, int]], list[int]]:
    """Old rows, new rows, and which there are in the end: some old ones and all new ones, each in their order."""
    old, new = draw(st.lists(HELD, max_size=6)), draw(st.lists(HELD, max_size=4))
    kept = [row for row in range(len(old)) if draw(st.booleans())]
    later = list(range(len(old), len(old) + len(new)))
    from_old = draw(st.permutations([True] * len(kept) + [False] * len(later)))
    return old, new, [(kept if mine else later).pop(0) for mine in from_old]


@quick
@given(changes(), st.booleans(), st.integers(0, N_LISTS))
def test_lists_of_a_change_are_those_made_anew(
    change: tuple[list[dict[int, int]], list[dict[int, int]], list[int]], counted: bool, n_old: int
):
    old, new, source = change
    old = [{i: n for i, n in held.items() if i < n_old} for held in old]  # the last lists are new
    number, at = Rows2(np.array(source, np.int64)).numbers(len(old), len(new))
    assert [source[n] for n in number.tolist() if n >= 0] == [row for row in range(len(old)) if row in source]
    before = lists_of(list(enumerate(old)), n_old, counted)
    added = lists_of(list(zip(at.tolist(), new, strict=True)), N_LISTS, counted)
    wanted = lists_of(list(enumerate((old + new)[row] for row in source)), N_LISTS, counted)
    held = np.flatnonzero(np.diff(wanted.starts))
    counts = merged_counts(before, added, number)
    found = merged_lists(before, added, number, np.arange(N_LISTS), counts)
    for one, other in ((found.starts, wanted.starts), (found.row, wanted.row), (found.count, wanted.count)):
        assert one.tolist() == other.tolist()
        assert one.dtype == other.dtype
    some = merged_lists(before, added, number, held, counts)  # without lists that hold nothing any more
    assert some.row.tolist() == wanted.row.tolist()
    assert np.diff(some.starts).tolist() == np.diff(wanted.starts)[held].tolist()
    stay = lists_of([(row, old[row]) for row in source if row < len(old)], n_old, counted)
    nothing = Lists(np.zeros(N_LISTS + 1, np.int64), added.row[:0], added.count[:0])
    kept = np.diff(stay.starts).tolist() + [0] * (N_LISTS - n_old)
    assert merged_counts(before, nothing, number).tolist() == kept


def test_rows_read_again_are_those_of_before():
    chosen = Rows2(np.array([0, 5, 2, 4, 6, 3]))  # 4 old rows; of new ones 0, 1 and 2
    again = chosen.retaken(4, np.array([1]), np.array([1]))
    assert again.source.tolist() == [0, 1, 2, 4, 6, 3]
    assert chosen.source.tolist() == [0, 5, 2, 4, 6, 3]
    nothing = np.zeros(0, np.int64)
    assert Rows2(np.arange(3)).retaken(4, nothing, nothing).source.tolist() == [0, 1, 2]
