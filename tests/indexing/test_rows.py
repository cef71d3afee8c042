"""Sparse matrices by rows, and what they are in fewer bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.kernels import kinds_of
from hipporag_like.indexing.rows import Rows, narrow, rows_of

MOST = 256
WEIGHTS = st.lists(st.floats(2.0**-20, 2.0**20, width=32), min_size=0, max_size=400)


def matrix_of(weights: np.ndarray) -> Rows:
    columns = np.arange(len(weights), dtype=np.int32)
    return rows_of(
        np.repeat(np.arange(5), -(-len(weights) // 5))[: len(weights)].astype(np.int32), columns, weights, 5
    )


def test_kinds_by_hand():
    values, kinds = kinds_of(np.array([2.5, 1.0, 2.5, 4.0, 1.0], np.float32), MOST)
    assert (values.tolist(), kinds.tolist()) == ([1.0, 2.5, 4.0], [1, 0, 1, 2, 0])
    assert (values.dtype, kinds.dtype) == (np.float32, np.uint8)


@given(WEIGHTS)
@settings(deadline=None)
def test_kinds_stand_for_the_very_weights(given_weights: list[float]):
    weights = np.array(given_weights, np.float32)
    values, kinds = kinds_of(weights, MOST)
    distinct = np.unique(weights)
    if 0 < len(distinct) <= MOST:
        assert values.tobytes() == distinct.tobytes()
        assert values[kinds].tobytes() == weights.tobytes()
    else:
        assert (values.tobytes(), len(kinds)) == (weights.tobytes(), 0)


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 3000])
def test_a_narrow_matrix_is_the_same_one(n: int):
    rows = matrix_of(np.arange(1, n + 1, dtype=np.float32) / 7)
    found = narrow(rows)
    assert found.bits == ({1: 1, 255: 8, 256: 8}.get(n, 0))
    assert found.indices.tolist() == rows.indices.tolist()
    assert found.indptr.dtype == np.int32
    assert found.weights.tobytes() == rows.weights.tobytes()
    for i in range(5):
        for part, wanted in zip(found.row(i), rows.row(i), strict=True):
            assert part.tobytes() == wanted.tobytes()


def test_the_order_of_edges_does_not_change_the_kinds():
    weights = np.random.default_rng(0).choice(np.array([0.5, 1.25, 3.0], np.float32), 200)
    order = np.random.default_rng(1).permutation(200)
    values, kinds = kinds_of(weights, MOST)
    again, moved = kinds_of(weights[order], MOST)
    assert again.tobytes() == values.tobytes()
    assert moved.tolist() == kinds[order].tolist()


def test_more_edges_than_32_bits_count_are_counted_in_64():
    starts = np.array([0, 5, 1 << 31], np.int64)
    rows = Rows(starts, np.zeros(0, np.int32), np.zeros(0, np.float32))
    assert narrow(rows).indptr.dtype == np.int64
    assert narrow(Rows(starts - 1, rows.indices, rows.values)).indptr.dtype == np.int32


def test_columns_too_large_to_hold_a_kind_are_kept_as_they_are():
    for column, bits in (((1 << 30) - 1, 1), (1 << 30, 0)):
        rows = Rows(np.array([0, 2]), np.array([3, column], np.int32), np.array([2.0, 1.0], np.float32))
        found = narrow(rows)
        assert found.bits == bits
        assert (found.indices.tolist(), found.weights.tolist()) == ([3, column], [2.0, 1.0])
