"""Bytes let through all that may be nearest: the same rows and cosines as a comparison with every row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval import dense, sieve
from hipporag_like.retrieval.dense import nearest, nearest_in


def rows_and_question(seed: int, n: int, dim: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((n, dim))
    if kind == "alike":  # within what a byte cannot tell
        rows = rows[:1] + 1e-3 * rows
    elif kind == "twins":
        rows = rows[draw.integers(0, max(n // 4, 1), n)]
    elif kind == "steep":  # a few numbers are all of it
        rows *= 10.0 ** -np.arange(dim)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    question = rows[draw.integers(n)] + 0.3 * draw.standard_normal(dim)
    return rows.astype(np.float32), (question / np.linalg.norm(question)).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(1, 300),
    st.sampled_from([1, 7, 64, 100]),
    st.sampled_from(["any", "alike", "twins", "steep"]),
    st.sampled_from([np.float32, np.float16]),
    st.integers(1, 40),
)
def test_none_of_the_nearest_is_left_out(seed: int, n: int, dim: int, kind: str, dtype: type, k: int):
    rows, question = rows_and_question(seed, n, dim, kind)
    stored = rows.astype(dtype)
    let_through = sieve.sift(sieve.sieve_of(stored), question, k)
    assert (np.diff(let_through) > 0).all()
    wanted, cosines = nearest(stored, question, k)
    found, again = dense._exact(stored, question, k, let_through)
    assert found.tolist() == wanted.tolist()
    assert again.tobytes() == cosines.tobytes()


def test_the_bound_holds_for_every_row():
    rows, question = rows_and_question(3, 500, 100, "any")
    made = sieve.sieve_of(rows)
    stands_for = made.codes.astype(np.float64) * made.scale[:, None]
    assert (np.linalg.norm(rows - stands_for, axis=1) <= made.error).all()
    assert np.linalg.norm(stands_for, axis=1).max() == pytest.approx(made.longest, rel=1e-9)
    assert np.abs(made.codes.astype(int)).max() == 127


def test_few_are_let_through():
    rows, question = rows_and_question(5, 6000, 384, "any")
    assert len(sieve.sift(sieve.sieve_of(rows), question, 5)) < 60


def test_a_row_of_zeros_is_no_hindrance():
    rows, question = rows_and_question(1, 50, 16, "any")
    rows[7] = 0.0
    assert set(nearest(rows, question, 5)[0].tolist()) <= set(
        sieve.sift(sieve.sieve_of(rows), question, 5).tolist()
    )


def test_the_second_question_has_bytes(make_segment: Callable[..., Segment], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sieve, "LEAST_ROWS", 10)
    rows, question = rows_and_question(2, 400, 32, "any")
    segment = make_segment(400, [], [], [], vectors=rows.tolist())
    found = []
    for _ in range(3):
        assert segment not in sieve._SIEVES or found
        found.append([part.tolist() for part in nearest_in(segment, "passage", question, 5)])
    assert isinstance(sieve._SIEVES[segment]["passage"], sieve.Sieve)
    assert found[0] == found[1] == found[2]
    few = sieve.promising(segment, "passage", question, 5)
    assert few is not None and len(few) < 100
    assert sieve.promising(segment, "passage", question, 400) is None  # all are wanted
    monkeypatch.setattr(sieve, "LEAST_ROWS", 401)
    assert sieve.promising(segment, "passage", question, 5) is None
