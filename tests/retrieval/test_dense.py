"""The nearest vectors: exact where few may be returned, by codes and re-scored where many may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.quantise import sign_codes
from hipporag_like.retrieval import dense
from hipporag_like.retrieval.dense import nearest, nearest_in
from hipporag_like.retrieval.ranked import similarities


def unit_rows(n: int, dim: int, seed: int = 0) -> np.ndarray:
    """Rows about some hundred centres, as texts are about some hundred subjects."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((max(n // 100, 1), dim))
    rows = centres[draw.integers(0, len(centres), n)] + draw.standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def exactly(vectors: np.ndarray, vector: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[int]:
    cosines = vectors.astype(np.float32) @ vector
    rows = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    return rows[np.lexsort((rows, -cosines[rows]))][:k].tolist()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make passes so small that thousands of rows are many."""
    monkeypatch.setattr(dense, "NEAR_CODES", 800)
    monkeypatch.setattr(dense, "RESCORED", 200)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("dim", [100, 384])
def test_codes_find_nearly_all_of_the_best(few: None, dtype: type, dim: int):
    stored = unit_rows(8000, dim).astype(dtype)
    codes = sign_codes(stored)
    questions = unit_rows(40, dim, 1) + unit_rows(8000, dim)[:40]
    hits = 0
    for question in questions / np.linalg.norm(questions, axis=1, keepdims=True):
        rows, cosines = nearest(stored, question, 20, None, codes)
        hits += len(set(rows.tolist()) & set(exactly(stored, question, 20)))
        np.testing.assert_allclose(cosines, stored[rows].astype(np.float32) @ question, atol=1e-6)
        assert (np.diff(cosines) <= 0).all()
    assert hits / (20 * len(questions)) >= 0.98


def test_sparse_vectors_are_found_as_well(few: None):
    """The hashing embedder's vectors are mostly zeros, whose signs would say nothing without the rotation."""
    draw = np.random.default_rng(2)
    vectors = draw.standard_normal((6000, 256)) * (draw.random((6000, 256)) < 0.08)
    vectors = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    codes, hits = sign_codes(vectors), 0
    for row in range(40):
        question = vectors[row] + vectors[row + 1]
        question /= np.linalg.norm(question)
        hits += len(set(nearest(vectors, question, 2, None, codes)[0].tolist()) & {row, row + 1})
    assert hits >= 0.98 * 80


def test_the_mask_comes_before_the_cut(few: None):
    """3000 rows nearest to the question may not be found: cut first, and nothing would be left."""
    vectors, question = unit_rows(6000, 64), unit_rows(1, 64, 7)[0]
    vectors[:3000] = 0.2 * vectors[:3000] + question
    vectors[3000:3050] = 0.7 * vectors[3000:3050] + 0.7 * question
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.random.default_rng(3).permutation(6000)
    allowed = order >= 3000
    rows, _ = nearest(vectors[order], question, 50, allowed, sign_codes(vectors[order]))
    assert sorted(order[rows].tolist()) == list(range(3000, 3050))


def test_a_small_mask_is_exact(few: None):
    vectors = unit_rows(6000, 8)
    codes = sign_codes(vectors)
    allowed = np.arange(6000) % 9 == 4
    for question in vectors[:20]:
        rows, _ = nearest(vectors, question, 25, allowed, codes)
        assert rows.tolist() == exactly(vectors, question, 25, allowed)


def test_equal_rows_come_in_order_even_where_the_first_pass_cuts_them(few: None):
    vectors = np.repeat(unit_rows(2, 32), 3000, axis=0)
    vectors = np.ascontiguousarray(vectors[np.argsort(np.arange(6000) % 3000, kind="stable")])
    rows, cosines = nearest(vectors, vectors[1], 30, None, sign_codes(vectors))
    assert rows.tolist() == list(range(1, 60, 2))
    assert len(set(cosines.tolist())) == 1


def test_many_wanted_rows_are_all_there(few: None):
    vectors = unit_rows(3000, 64)
    rows, _ = nearest(vectors, vectors[0], 1000, None, sign_codes(vectors))
    assert rows.tolist() == exactly(vectors, vectors[0], 1000)  # ten times as many would be re-scored: exact
    rows, _ = nearest(vectors, vectors[0], 250, None, sign_codes(vectors))
    assert len(rows) == len(set(rows.tolist())) == 250


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 60),
    st.sampled_from([1, 2, 5, 64, 70]),
    st.integers(1, 12),
    st.sampled_from([np.float32, np.float16]),
    st.data(),
)
def test_whatever_comes_back_is_allowed_sorted_and_scored_right(
    seed: int, n: int, dim: int, k: int, dtype: type, data: st.DataObject
):
    drawn = data.draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n))
    allowed = None if drawn is None else np.array(drawn, dtype=bool)
    vectors, question = unit_rows(n, dim, seed).astype(dtype), unit_rows(1, dim, seed + 1)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "NEAR_CODES", 4)
        patch.setattr(dense, "RESCORED", 3)
        patch.setattr(dense, "RESCORED_EACH", 1)
        rows, cosines = nearest(vectors, question, k, allowed, sign_codes(vectors))
    possible = n if allowed is None else int(allowed.sum())
    assert len(rows) == len(set(rows.tolist())) == min(k, possible)
    assert allowed is None or allowed[rows].all()
    np.testing.assert_allclose(cosines, vectors[rows].astype(np.float32) @ question, atol=1e-5)
    assert all(
        a > b or (a == b and i < j) for a, b, i, j in zip(cosines, cosines[1:], rows, rows[1:], strict=False)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_exact_search_in_blocks(dtype: type, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dense, "_BLOCK", 64)
    vectors = unit_rows(500, 24).astype(dtype)
    vectors[400] = vectors[3]
    allowed = np.arange(500) % 3 != 1
    for mask in (None, allowed, np.zeros(500, dtype=bool)):
        rows, _ = nearest(vectors, vectors[3].astype(np.float32), 90, mask)
        assert rows.tolist() == exactly(vectors, vectors[3].astype(np.float32), 90, mask)


def test_papers_take_float16_rows_too(monkeypatch: pytest.MonkeyPatch):
    from hipporag_like.retrieval import ranked

    monkeypatch.setattr(ranked, "_BLOCK", 7)
    vectors, question = unit_rows(30, 16), unit_rows(1, 16, 1)[0]
    halves = vectors.astype(np.float16)
    np.testing.assert_allclose(similarities(vectors, question), vectors @ question, atol=1e-6)
    np.testing.assert_allclose(
        similarities(halves, question), halves.astype(np.float32) @ question, atol=1e-6
    )
    assert len(similarities(halves[:0], question)) == 0


def test_a_segment_above_the_limit_is_searched_by_its_codes(
    make_segment: Callable[..., Segment], monkeypatch: pytest.MonkeyPatch
):
    vectors = unit_rows(50, 16)
    segment: Any = make_segment(50, [], vectors=vectors.tolist())
    with pytest.raises(KeyError):
        monkeypatch.setattr(dense, "EXACT_LIMIT", 49)
        nearest_in(segment, "passage", vectors[0], 3)
    monkeypatch.setattr(dense, "EXACT_LIMIT", 50)
    assert nearest_in(segment, "passage", vectors[0], 3)[0].tolist() == exactly(vectors, vectors[0], 3)


def test_an_index_above_the_limit_holds_halves_and_codes_and_answers_alike(
    monkeypatch: pytest.MonkeyPatch, make_rag: Callable[..., Any], film_list: list[Any]
):
    from hipporag_like.indexing import assemble

    small = make_rag(film_list)
    question = "Where was the director of Jaws born?"
    expected = {m: small.retrieve(question, 5, method=m) for m in ("graph", "dense", "bm25", "hipporag2")}
    for module in (assemble, dense):
        monkeypatch.setattr(module, "EXACT_LIMIT", 3)
    monkeypatch.setattr(dense, "NEAR_CODES", 5)
    large = make_rag(film_list)
    segment = large._parts.index().segments["default"]
    assert segment.array("passage_vectors").dtype == np.float16
    assert segment.array("fact_vectors").dtype == np.float32
    for kind in ("passage", "fact", "entity"):
        codes = segment.array(f"{kind}_codes")
        np.testing.assert_array_equal(codes, sign_codes(segment.array(f"{kind}_vectors")))
    for method, hits in expected.items():
        found = large.retrieve(question, 5, method=method)
        assert [h.passage.id for h in found] == [h.passage.id for h in hits], method
        assert [h.score for h in found] == pytest.approx([h.score for h in hits], abs=2e-3)
