"""Sign codes: a rotation that changes no angle, and bits that depend on nothing but the row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.quantise import code_bytes, rotated, sign_codes

DIMS = st.sampled_from([1, 2, 3, 7, 8, 12, 63, 64, 65, 100, 384])


def random_rows(n: int, dim: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), DIMS)
def test_the_rotation_keeps_inner_products(seed: int, dim: int):
    rows = random_rows(9, dim, seed)
    turned = rotated(rows)
    np.testing.assert_allclose(turned @ turned.T, rows @ rows.T, atol=2e-6)
    assert turned.dtype == np.float32


def test_the_rotation_spreads_a_vector_over_all_numbers():
    """A number alone becomes many of one size, so that its sign reaches many bits."""
    turned = rotated(np.eye(384, dtype=np.float32))
    assert (np.abs(turned) > 0.01).sum(axis=1).min() > 250
    assert np.abs(turned).max() < 0.25
    # Without the rotation the codes of all these were one bit apart.
    bits = np.unpackbits(sign_codes(np.eye(384, dtype=np.float32)), axis=1).astype(int)
    apart = (bits[:, None, :] != bits[None, :, :]).sum(axis=2)[np.triu_indices(384, 1)]
    assert apart.min() > 100


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), DIMS, st.integers(0, 12))
def test_a_code_depends_on_its_row_alone(seed: int, dim: int, cut: int):
    rows = random_rows(12, dim, seed)
    codes = sign_codes(rows)
    assert (codes.dtype, codes.shape) == (np.uint8, (12, code_bytes(dim)))
    np.testing.assert_array_equal(np.vstack([sign_codes(rows[:cut]), sign_codes(rows[cut:])]), codes)
    np.testing.assert_array_equal(sign_codes(rows[::-1]), codes[::-1])
    bits = np.unpackbits(codes, axis=1)
    np.testing.assert_array_equal(bits[:, :dim], rotated(rows) > 0)
    assert not bits[:, dim:].any()


def test_blocks_meet_without_a_seam():
    rows = random_rows(20_000, 16)
    codes = sign_codes(rows)
    for row in (0, 8191, 8192, 16_383, 16_384, 19_999):
        np.testing.assert_array_equal(codes[row], sign_codes(rows[row : row + 1])[0])


def test_float16_rows_have_the_codes_of_what_is_stored():
    rows = random_rows(50, 48).astype(np.float16)
    np.testing.assert_array_equal(sign_codes(rows), sign_codes(rows.astype(np.float32)))
    assert rows.dtype == np.float16


def test_the_rotation_never_changes():
    """Codes are kept on disk: another rotation would make all indexes wrong without a word."""
    row = (np.arange(20, dtype=np.float32) - 9.25)[None, :]
    assert sign_codes(row).tobytes().hex() == "857ff00000000000"


@pytest.mark.parametrize(("dim", "expected"), [(1, 8), (64, 8), (65, 16), (384, 48), (1536, 192)])
def test_codes_fill_whole_words(dim: int, expected: int):
    assert code_bytes(dim) == expected
    assert sign_codes(np.zeros((0, dim), np.float32)).shape == (0, expected)
