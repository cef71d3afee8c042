"""Both kinds of facts: by hand, against numpy, and that they agree where they hold the same vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hipporag_like.indexing.fact_codes import encode, room_for_codes
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.quantise import rotated
from hipporag_like.indexing.scales import scales_of
from hipporag_like.retrieval.likeness import likenesses
from hipporag_like.retrieval.similarity import (
    CodedFacts,
    DenseFacts,
    FactVectors,
    fact_vectors_of,
    row_cosines,
)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def unit_rows(seed: int, n: int, dim: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)


def coded(vectors: np.ndarray) -> CodedFacts:
    codes = room_for_codes(*vectors.shape)
    encode(rotated(vectors), np.arange(len(vectors)), *codes)
    return CodedFacts(vectors.shape[1], *codes)


@pytest.mark.parametrize("dim", [8, 37, 100])
def test_codes_agree_with_the_vectors_they_stand_for(dim: int):
    facts = coded(unit_rows(dim, 60, dim))
    draw = np.random.default_rng(0)
    rows, asked = draw.integers(0, 60, 25), draw.standard_normal((3, dim)).astype(np.float32)
    dense = DenseFacts(facts.take(np.arange(60)))
    np.testing.assert_allclose(facts.cosines(rows, asked), dense.cosines(rows, asked), atol=1e-5)


@pytest.mark.parametrize("dim", [8, 37, 384])
def test_the_walk_sees_signs(dim: int):
    facts, question = coded(unit_rows(1, 40, dim)), unit_rows(2, 1, dim)[0]
    seen = likenesses(facts.arrays(), np.arange(40), facts.asked(question))
    signs = 2.0 * np.unpackbits(facts.signs, axis=1)[:, :dim] - 1
    np.testing.assert_allclose(seen, signs @ rotated(question[None])[0] * scales_of(facts.signs), atol=1e-5)
    dense = DenseFacts(unit_rows(1, 40, dim))
    exact = likenesses(dense.arrays(), np.arange(40), dense.asked(question))
    np.testing.assert_allclose(exact, dense.cosines(np.arange(40), question[None])[:, 0], atol=1e-6)


KINDS = ("single", "half", "codes")


def facts_of(kind: str, n_facts: int, dim: int) -> FactVectors:
    vectors = unit_rows(3, n_facts, dim)
    if kind == "codes":
        return coded(vectors)
    return DenseFacts(vectors.astype(np.float32 if kind == "single" else np.float16))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_the_same_wherever_it_stands(kind: str):
    facts = facts_of(kind, 200, 37)
    draw = np.random.default_rng(0)
    rows, asked = draw.integers(0, 200, 100), draw.standard_normal((5, 37)).astype(np.float32)
    found = facts.cosines(rows, asked)
    assert found.shape == (100, 5)
    assert found.dtype == np.float64
    for i, j in draw.integers(0, (100, 5), (40, 2)):
        assert facts.cosines(rows[i : i + 1], asked[j : j + 1])[0, 0] == found[i, j]
    order = draw.permutation(100)
    assert facts.cosines(rows[order], asked[::-1]).tobytes() == found[order][:, ::-1].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_no_facts_and_no_questions(kind: str):
    facts = facts_of(kind, 5, 4)
    assert facts.cosines(whole(), np.zeros((2, 4), np.float32)).shape == (0, 2)
    assert facts.cosines(whole(0, 1), np.zeros((0, 4), np.float32)).shape == (2, 0)
    assert facts.take(whole()).shape == (0, 4)
    assert facts.take(whole(1, 1, 3)).dtype == np.float32


@pytest.mark.parametrize(
    "value", [0.0, -0.0, 1.0, -1.0, 0.1, 65504.0, -65504.0, 2.0**-14, 2.0**-24, -3 * 2.0**-24]
)
def test_half_precision_is_read_exactly(value: float):
    """Normal numbers, the largest, and those below the least normal one."""
    stored = np.array([[value, 0.0]], np.float16)
    found = row_cosines(stored, whole(0), np.array([[1.0, 0.0]], np.float32))
    assert found[0, 0] == float(stored[0, 0])


def test_every_half_is_read_exactly():
    stored = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    stored = stored[np.isfinite(stored)][:, None]
    found = row_cosines(stored, np.arange(len(stored)), np.ones((1, 1), np.float32))
    np.testing.assert_array_equal(found[:, 0], stored[:, 0].astype(float))


class Stored:
    """A snapshot in memory."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays

    def array(self, group: str, name: str) -> np.ndarray:
        return self.arrays[name]

    def has(self, group: str, name: str) -> bool:
        return name in self.arrays

    def file_of(self, group: str, name: str) -> tuple[int, int]:
        return -1, 0


def test_the_arrays_say_which_kind_it_is(make_segment: Callable[..., Segment]):
    dense = fact_vectors_of(make_segment(1, [1], [(0, {0: 1}, [0.6, 0.8])]))
    assert isinstance(dense, DenseFacts)
    assert dense.take(whole(0)).tolist() == [[np.float32(0.6), np.float32(0.8)]]
    facts = coded(unit_rows(0, 1, 3))
    arrays = {
        "passage_vectors": np.zeros((0, 3), np.float32),
        "fact_signs": facts.signs,
        "fact_steps": facts.steps,
    }
    found = fact_vectors_of(Segment(Stored(arrays), "light"))  # type: ignore[arg-type]
    assert isinstance(found, CodedFacts)
    np.testing.assert_array_equal(found.take(whole(0)), facts.take(whole(0)))
