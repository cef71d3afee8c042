"""Codes of facts: what they stand for, how far estimates are off, and that company changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.fact_codes import STEP, decode, encode, room_for_codes, vectors_of
from hipporag_like.indexing.quantise import code_bytes, rotated, unrotated
from hipporag_like.indexing.scales import SCALE_BYTES, scales_of


def coded(turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes = room_for_codes(*turned.shape)
    encode(turned.astype(np.float32), np.arange(len(turned)), *codes)
    return codes


def levels(codes: tuple[np.ndarray, ...], row: int, dim: int) -> list[int]:
    found = np.empty(8 * (codes[0].shape[1] - SCALE_BYTES), np.float32)
    decode(codes[0], codes[1], row, found)
    return found[:dim].astype(int).tolist()


def test_levels_by_hand():
    # The length is 2, so a step is 2 * STEP / sqrt(4) = STEP: half a step, and 1.4 / 0.586 = 2.4 steps.
    rest = np.sqrt((4 - 0.5 * STEP**2) / 2)
    row = np.array([[0.5 * STEP, -0.5 * STEP, rest, -rest]])
    codes = coded(row)
    assert levels(codes, 0, 4) == [1, -1, 5, -5]
    assert np.unpackbits(codes[0][0])[:4].tolist() == [1, 0, 1, 0]
    unit = row[0] / 2
    assert scales_of(codes[0])[0] == pytest.approx(1 / np.abs(unit).sum())
    assert scales_of(codes[1])[0] == pytest.approx(1 / (unit @ [1, -1, 5, -5]))


def test_each_step_has_a_level():
    steps = np.array([0.0, 1.01, 2.01, 3.01, -0.99, -1.99, -2.99, -3.01])
    # What else is in the row makes a step 1.
    rest = np.sqrt((1000 / STEP**2 - (steps**2).sum()) / 992)
    codes = coded(np.concatenate([steps, np.full(992, rest)])[None, :])
    assert levels(codes, 0, 8) == [1, 3, 5, 7, -1, -3, -5, -7]


def test_a_vector_of_zeros_says_nothing():
    codes = coded(np.zeros((1, 8)))
    assert not any(part.any() for part in codes)
    assert vectors_of(*codes, 8).tolist() == np.zeros((1, 8)).tolist()


@pytest.mark.parametrize("dim", [37, 64, 384])
def test_estimates_are_right_on_average_and_near(dim: int):
    draw = np.random.default_rng(dim)
    vectors, asked = draw.standard_normal((2, 4000, dim))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    asked = 0.5 * vectors + asked / np.linalg.norm(asked, axis=1)[:, None]
    asked /= np.linalg.norm(asked, axis=1)[:, None]
    exact = (vectors * asked).sum(axis=1)
    signs, steps = coded(rotated(vectors))
    assert (signs.shape[1], steps.shape[1]) == (code_bytes(dim) + 4, 2 * code_bytes(dim) + 4)
    found = vectors_of(signs, steps, dim)
    by_levels = (found * asked).sum(axis=1) - exact
    ones = 2.0 * np.unpackbits(signs, axis=1)[:, :dim] - 1
    by_signs = (ones * rotated(asked)).sum(axis=1) * scales_of(signs) - exact
    # Of a random direction: sqrt(pi / 2 - 1) and, for eight levels, sqrt(0.0374 / (1 - 0.0374)) in sqrt(dim).
    for error, width in ((by_signs, 0.756), (by_levels, 0.197)):
        assert abs(error.mean()) < 4 * width / np.sqrt(dim * 4000)
        assert error.std() == pytest.approx(np.sqrt(1 - exact.mean() ** 2) * width / np.sqrt(dim), rel=0.15)


@settings(deadline=None)
@given(st.integers(1, 100), st.integers(0, 10**6))
def test_turning_back_undoes_turning(dim: int, seed: int):
    vectors = np.random.default_rng(seed).standard_normal((3, dim)).astype(np.float32)
    np.testing.assert_allclose(unrotated(rotated(vectors)), vectors, atol=1e-5)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=25)
def test_a_code_is_the_same_to_the_bit_alone_and_in_company(seed: int):
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((9, 50)).astype(np.float32)
    together = coded(rows)
    for i in range(9):
        for part, whole in zip(coded(rows[i : i + 1]), together, strict=True):
            assert part[0].tobytes() == whole[i].tobytes()


def test_what_was_there_is_written_over():
    rows = np.random.default_rng(0).standard_normal((1, 70)).astype(np.float32)
    codes = room_for_codes(1, 70)
    for part in codes:
        part[:] = 255
    encode(rows, np.array([0]), *codes)
    for part, fresh in zip(codes, coded(rows), strict=True):
        assert part.tobytes() == fresh.tobytes()
