"""Both kinds of facts: by hand, against numpy, and that they agree where they hold the same vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.index import Segment
from hipporag_like.retrieval.similarity import (
    DenseFacts,
    FactVectors,
    WordFacts,
    fact_vectors_of,
    row_cosines,
)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def bags(codes: list[list[int]], scale: list[float], words: list[list[int]]) -> WordFacts:
    """Return bags of words whose norms are what they should be."""
    vectors = np.array(codes, np.int8) * np.array(scale, np.float32)[:, None]
    sums = [vectors[bag].astype(float).sum(axis=0) if bag else np.zeros(1) for bag in words]
    return WordFacts(
        np.array(codes, np.int8),
        np.array(scale, np.float32),
        np.cumsum([0, *map(len, words)]),
        np.array([word for bag in words for word in bag], np.int32),
        np.array([np.linalg.norm(total) or 1.0 for total in sums], np.float32),
    )


def random_bags(seed: int, n_words: int, n_facts: int, dim: int) -> tuple[WordFacts, np.ndarray]:
    """Return bags, one of them empty, and their unit vectors by numpy."""
    draw = np.random.default_rng(seed)
    codes = draw.integers(-127, 128, (n_words, dim)).tolist()
    words = [draw.integers(0, n_words, size).tolist() for size in draw.integers(1, 9, n_facts)]
    words[draw.integers(n_facts)] = []
    facts = bags(codes, draw.uniform(0.001, 0.01, n_words).tolist(), words)
    table = facts.codes * facts.scale[:, None].astype(float)
    sums = np.stack([table[bag].sum(axis=0) for bag in words])
    return facts, sums / facts.norm[:, None]


def test_a_bag_by_hand():
    # Words (3, 0) / 3 and (0, 4) / 2, so (1, 0) and (0, 2). Fact 0 is both: (1, 2) / sqrt(5); fact 1 says the first
    # twice: (1, 0); fact 2 says nothing.
    facts = bags([[3, 0], [0, 4]], [1 / 3, 1 / 2], [[0, 1], [0, 0], []])
    asked = np.array([[1, 0], [0.6, 0.8]], np.float32)
    five = np.sqrt(5)
    np.testing.assert_allclose(
        facts.cosines(whole(1, 0, 2, 0), asked),
        [[1, 0.6], [1 / five, 2.2 / five], [0, 0], [1 / five, 2.2 / five]],
        atol=1e-6,
    )
    np.testing.assert_allclose(facts.take(whole(0, 2, 1)), [[1 / five, 2 / five], [0, 0], [1, 0]], atol=1e-6)
    assert len(facts) == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 40))
def test_bags_agree_with_the_vectors_they_stand_for(seed: int, n_words: int, n_facts: int):
    facts, vectors = random_bags(seed, n_words, n_facts, 8)
    dense = DenseFacts(vectors.astype(np.float32))
    draw = np.random.default_rng(seed)
    rows, asked = draw.integers(0, n_facts, 25), draw.standard_normal((3, 8)).astype(np.float32)
    np.testing.assert_allclose(facts.cosines(rows, asked), dense.cosines(rows, asked), atol=1e-5)
    np.testing.assert_allclose(facts.take(rows), dense.take(rows), atol=1e-6)
    np.testing.assert_allclose(facts.cosines(rows, asked), vectors[rows] @ asked.T.astype(float), atol=1e-5)


KINDS = ("single", "half", "words")


def facts_of(kind: str, n_facts: int, dim: int) -> FactVectors:
    bag, vectors = random_bags(3, 50, n_facts, dim)
    if kind == "words":
        return bag
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


def test_the_arrays_say_which_kind_it_is(make_segment: Callable[..., Segment]):
    dense = fact_vectors_of(make_segment(1, [1], [(0, {0: 1}, [0.6, 0.8])]))
    assert isinstance(dense, DenseFacts)
    assert dense.take(whole(0)).tolist() == [[np.float32(0.6), np.float32(0.8)]]
    bag = bags([[3, 0], [0, 4]], [1 / 3, 1 / 2], [[0, 1]])
    arrays = {
        "word_codes": bag.codes,
        "word_scale": bag.scale,
        "fact_words_indptr": bag.indptr,
        "fact_words_index": bag.words,
        "fact_norm": bag.norm,
    }
    found = fact_vectors_of(Segment(Stored(arrays), "light"))  # type: ignore[arg-type]
    assert isinstance(found, WordFacts)
    np.testing.assert_allclose(found.take(whole(0)), bag.take(whole(0)))
