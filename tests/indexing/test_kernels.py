"""Compiled loops, and rows of different lengths, against plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hipporag_like.indexing import kernels
from hipporag_like.indexing.ragged import Rows2, starts_of

ROWS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)
# The first example of each test loads or compiles its loop.
quick = settings(max_examples=60, deadline=None)


def ragged(rows: list[list[int]], dtype: Any = np.int32) -> tuple[np.ndarray, np.ndarray]:
    return starts_of(np.array([len(r) for r in rows], np.int64)), np.array(
        [x for r in rows for x in r], dtype
    )


def plain(starts: np.ndarray, data: np.ndarray) -> list[list[Any]]:
    return [data[a:b].tolist() for a, b in zip(starts, starts[1:], strict=False)]


# Rows of two tables


@st.composite
def two_tables(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]], list[int]]:
    old, new = draw(ROWS), draw(ROWS)
    rows = st.integers(0, max(len(old) + len(new) - 1, 0))
    return old, new, draw(st.lists(rows, max_size=12)) if old or new else []


@quick
@given(two_tables(), st.sampled_from([np.int32, np.uint8, np.float32, np.uint64]))
@example(([], [], []), np.int32)
@example(([[]], [], [0, 0]), np.uint8)
def test_rows_of_two_tables(tables: tuple[list[list[int]], list[list[int]], list[int]], dtype: Any):
    old, new, source = tables
    chosen = Rows2(np.array(source, np.int64))
    wanted = [(old + new)[row] for row in source]
    one, other = ragged(old, dtype), ragged(new, dtype)
    starts, data = chosen.ragged(one, other)
    assert plain(starts, data) == wanted
    assert (starts.dtype, data.dtype) == (np.int64, dtype)
    assert chosen.lengths(one[0], other[0]).tolist() == [len(row) for row in wanted]
    # What the rows hold, chosen one by one: the same.
    inner = chosen.inner(one[0], other[0])
    assert inner.flat(one[1], other[1]).tolist() == data.tolist()
    heads = chosen.flat(np.arange(len(old), dtype=dtype), len(old) + np.arange(len(new)).astype(dtype))
    assert heads.tolist() == source


def test_rows_of_rows_keep_their_width():
    old, new = np.arange(6.0).reshape(3, 2), 10 + np.arange(4.0).reshape(2, 2)
    chosen = Rows2(np.array([4, 0, 0]))
    assert chosen.flat(old, new).tolist() == [[12, 13], [0, 1], [0, 1]]
    starts, data = chosen.ragged((np.array([0, 1, 1, 3]), old), (np.array([0, 0, 2]), new))
    assert (starts.tolist(), data.tolist()) == ([0, 2, 3, 4], [[10, 11], [12, 13], [0, 1], [0, 1]])


@quick
@given(ROWS)
def test_starts_say_where_rows_begin(rows: list[list[int]]):
    starts, data = ragged(rows)
    assert plain(starts, data) == rows
    assert (starts[0], starts[-1]) == (0, len(data))


# Matrices


@quick
@given(ROWS)
def test_a_matrix_by_columns(rows: list[list[int]]):
    starts, column = ragged(rows)
    value = np.arange(len(column)).astype(np.uint16)
    found = kernels.transpose(starts, column, value, 10)
    values = iter(value.tolist())
    entries = [(c, r, next(values)) for r, row in enumerate(rows) for c in row]
    wanted = [[(r, v) for c, r, v in entries if c == column] for column in range(10)]
    by_row, by_value = plain(found[0], found[1]), plain(found[0], found[2])
    assert [list(zip(*pair, strict=True)) for pair in zip(by_row, by_value, strict=True)] == wanted
    assert found[2].dtype == np.uint16


@quick
@given(
    st.lists(
        st.sets(st.integers(0, 99), max_size=8).flatmap(lambda s: st.permutations(sorted(s))), max_size=6
    )
)
def test_rows_are_sorted_with_their_values(rows: list[list[int]]):
    starts, column = ragged(rows)
    value = (1000 - column).astype(np.uint16)
    kernels.sort_rows(starts, column, value)
    assert plain(starts, column) == [sorted(row) for row in rows]
    assert value.tolist() == (1000 - column).tolist()


@st.composite
def matrices(draw: st.DrawFn) -> tuple[list[dict[int, float]], list[set[int]], list[int], float]:
    n_passages = draw(st.integers(1, 4))
    owner = sorted(draw(st.lists(st.integers(0, n_passages - 1), max_size=8)))
    weights = st.sampled_from([0.0, 0.5, 1.0, 2.25])
    facts = [draw(st.dictionaries(st.integers(0, 5), weights, max_size=5)) for _ in owner]
    titles = [draw(st.sets(st.integers(0, 5), max_size=2)) for _ in range(n_passages)]
    return facts, titles, owner, draw(st.sampled_from([0.0, 4.0]))


@quick
@given(matrices())
def test_mentions_and_titles_are_merged_into_edges(
    matrix: tuple[list[dict[int, float]], list[set[int]], list[int], float],
):
    facts, titles, owner, title_weight = matrix
    starts, entity = ragged([sorted(f) for f in facts])
    weight = np.array([f[e] for f in facts for e in sorted(f)], np.float32)
    title_starts, title = ragged([sorted(t) for t in titles])
    found = kernels.merge_edges(
        starts, entity, weight, title_starts, title, np.array(owner, np.int32), np.float32(title_weight)
    )
    wanted = []
    for fact, passage in zip(facts, owner, strict=True):
        both = {
            e: fact.get(e, 0.0) + title_weight * (e in titles[passage]) for e in fact.keys() | titles[passage]
        }
        wanted.append({e: w for e, w in both.items() if w > 0})
    assert plain(found[0], found[1]) == [sorted(row) for row in wanted]
    assert plain(found[0], found[2]) == [[row[e] for e in sorted(row)] for row in wanted]
    assert [part.dtype for part in found] == [np.int64, np.int32, np.float32]
    passage_facts = starts_of(np.bincount(np.array(owner, np.int64), minlength=len(titles)))
    seen = kernels.count_passages(passage_facts, starts, entity, title_starts, title, 6)
    holding = [
        t.union(*(f for f, o in zip(facts, owner, strict=True) if o == p)) for p, t in enumerate(titles)
    ]
    assert seen.tolist() == [sum(e in held for held in holding) for e in range(6)]


@quick
@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=8))
def test_rows_of_bytes_are_compared(pairs: list[tuple[bytes, bytes]]):
    one, other = (ragged([list(p[side]) for p in pairs], np.uint8) for side in (0, 1))
    assert kernels.same_rows(*one, *other).tolist() == [a == b for a, b in pairs]


# Runs of words found again

N_WORDS = 5


def found_by_hand(
    tokens: list[tuple[int, int, bool]], grams: list[list[int]], any_case: list[bool]
) -> list[tuple[int, int, int]]:
    number = {tuple(gram): i for i, gram in enumerate(grams)}  # of equal ones the last
    found, at = [], 0
    while at < len(tokens):
        step = 1
        for length in range(max(map(len, grams), default=0), 0, -1):
            run = tokens[at : at + length]
            gram = number.get(tuple(word for word, _, _ in run), -1)
            if len(run) < length or gram < 0 or run[0][1] != run[-1][1]:
                continue
            if length > 1 or any_case[gram] or run[0][2]:
                found.append((at, at + length - 1, gram))
                step = length
                break
        at += step
    return found


def found(
    tokens: list[tuple[int, int, bool]], grams: list[list[int]], any_case: list[bool], n_words: int = N_WORDS
) -> list[tuple[int, int, int]]:
    starts, words = ragged(grams)
    table = kernels.gram_table(starts, words, n_words)
    ids, sentence, capital = (
        np.array([token[k] for token in tokens], dtype)
        for k, dtype in enumerate((np.int32, np.int32, np.bool_))
    )
    spans = kernels.find_grams(ids, sentence, capital, starts, words, *table, np.array(any_case, bool))
    return list(zip(*(part.tolist() for part in spans), strict=True))


@st.composite
def running_texts(draw: st.DrawFn) -> tuple[list[tuple[int, int, bool]], list[list[int]], list[bool]]:
    words = st.integers(0, N_WORDS - 1)
    # So many that the table, at most half full, has grams at each other's places.
    grams = draw(st.lists(st.lists(words, min_size=1, max_size=4), max_size=40))
    lengths = draw(st.lists(st.integers(1, 12), max_size=5))
    tokens = [(draw(words), s, draw(st.booleans())) for s, n in enumerate(lengths) for _ in range(n)]
    return tokens, grams, [draw(st.booleans()) for _ in grams]


@settings(max_examples=200, deadline=None)
@given(running_texts())
def test_grams_are_found_as_by_hand(
    text: tuple[list[tuple[int, int, bool]], list[list[int]], list[bool]],
):
    assert found(*text) == found_by_hand(*text)


def test_all_grams_of_a_crowded_table_are_found():
    """4,096 grams of one word and of two, each a sentence: many share a place, some one at the table's end."""
    n = 64
    grams = [[i] for i in range(n)] + [[i, j] for i in range(n) for j in range(63)]
    starts, words = ragged(grams)
    slots, longest, _ = kernels.gram_table(starts, words, n)
    assert len(slots) == 2 * len(grams) == 8192
    assert sorted(slots[slots >= 0].tolist()) == list(range(len(grams)))
    assert longest.tolist() == [2] * n
    tokens = [(word, number, True) for number, gram in enumerate(grams) for word in gram]
    assert [gram for _, _, gram in found(tokens, grams, [False] * len(grams), n)] == list(range(len(grams)))
    assert found([(1, 0, True), (63, 0, True)], grams, [False] * len(grams), n) == [(0, 0, 1), (1, 1, 63)]


@pytest.mark.parametrize("lengths", [(62, 63), (63, 64), (64, 70), (62, 63, 64, 65, 130)])
def test_grams_of_more_than_63_words(lengths: tuple[int, ...]):
    """All of 63 words and more share a bit; a text may hold one of them and not the others."""
    line = [i * i % 7 % N_WORDS for i in range(130)]
    grams = [line[:n] for n in lengths]
    for n in range(55, 131):
        tokens = [(word, 0, False) for word in line[:n]]
        wanted = found_by_hand(tokens, grams, [False] * len(grams))
        assert found(tokens, grams, [False] * len(grams)) == wanted
        assert bool(wanted) == (n >= lengths[0])


def test_no_grams_and_no_words():
    assert found([], [], []) == found([(0, 0, True)], [], []) == found([], [[0, 1]], [True]) == []
