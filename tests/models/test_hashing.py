"""Feature hashing: deterministic, spelling-aware, never a zero vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import ConfigError
from hipporag_like.models.hashing import HashingEmbedder


def test_a_vector_worked_by_hand() -> None:
    # BLAKE2b puts "b" in bucket 2 with a minus, and its only trigram "<b>" in bucket 1 with a plus; the
    # trigram weighs half as much. The same in every process and release: stored vectors rely on it.
    expected = np.array([0, 1, -2, 0, 0, 0, 0, 0]) / np.sqrt(5)
    np.testing.assert_allclose(HashingEmbedder(8).embed(["B"])[0], expected, atol=1e-7)


def test_more_shared_words_are_nearer() -> None:
    query, same, half, none = HashingEmbedder(1024).embed(
        [
            "the river crosses the city",
            "The city: the river crosses",
            "the river dried",
            "quantum chromodynamics",
        ]
    )
    assert query @ same == pytest.approx(1, abs=1e-6)
    assert query @ same > query @ half > query @ none


def test_shared_spelling_is_nearer_than_none() -> None:
    director, directed, painter = HashingEmbedder(1024).embed(["director", "directed", "painter"])
    assert director @ directed > director @ painter + 0.05


def test_texts_without_words_share_one_fixed_vector() -> None:
    rows = HashingEmbedder(16).embed(["", "  \n", "!?"])
    np.testing.assert_array_equal(rows, np.eye(16, dtype=np.float32)[[0, 0, 0]])


def test_kinds_are_alike() -> None:
    embedder = HashingEmbedder()
    np.testing.assert_array_equal(
        embedder.embed(["one text"], "query"), embedder.embed(["one text"], "passage")
    )


def test_dimensions_are_part_of_the_fingerprint_and_bounded() -> None:
    assert HashingEmbedder(64).fingerprint != HashingEmbedder(128).fingerprint
    with pytest.raises(ConfigError, match="at least 8"):
        HashingEmbedder(4)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_texts_give_unit_rows(texts: list[str]) -> None:
    rows = HashingEmbedder(32).embed(texts)
    assert rows.shape == (len(texts), 32)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
