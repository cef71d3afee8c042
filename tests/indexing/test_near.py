"""Near pairs of vectors against all products, and one vector after the other against all at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.indexing import near
from hipporag_like.indexing.near import BLOCKS, codes_of, near_pairs

DIM = 48


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def kin(n: int, spread: float, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Unit vectors, some of them near others, one twice and one of zeros."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((max(n // 4, 1), dim))
    vectors = centres[draw.integers(0, len(centres), n)] + spread * draw.standard_normal((n, dim))
    if n > 3:
        vectors[1] = vectors[0]
        vectors[2] = 0.0
    return unit(vectors)


def found(
    vectors: np.ndarray, threshold: float, fresh: np.ndarray | None = None, rows: np.ndarray | None = None
) -> dict[tuple[int, int], float]:
    fresh = np.ones(len(vectors), bool) if fresh is None else fresh
    rows = np.arange(len(vectors)) if rows is None else rows
    pairs, cosines = near_pairs(vectors, codes_of(vectors), rows, fresh, threshold)
    assert (pairs.dtype, cosines.dtype) == (np.int32, np.float32)
    as_pairs = [tuple(pair) for pair in pairs.tolist()]
    assert all(i < j for i, j in as_pairs)
    assert len(set(as_pairs)) == len(as_pairs)
    return dict(zip(as_pairs, cosines.tolist(), strict=True))


def by_hand(vectors: np.ndarray, threshold: float) -> set[tuple[int, int]]:
    i, j = np.nonzero(np.triu(vectors.astype(np.float64) @ vectors.T.astype(np.float64) >= threshold, 1))
    return set(zip(i.tolist(), j.tolist(), strict=True))


@settings(max_examples=40, deadline=None)  # the first one compiles
@given(st.integers(0, 60), st.integers(0, 99), st.sampled_from([0.3, 0.7, 0.9]), st.sampled_from([0.1, 0.5]))
def test_few_vectors_are_all_compared(n: int, seed: int, threshold: float, spread: float):
    vectors = kin(n, spread, seed)
    pairs = found(vectors, threshold)
    assert by_hand(vectors, threshold + 1e-5) <= pairs.keys() <= by_hand(vectors, threshold - 1e-5)
    for (i, j), cosine in pairs.items():
        assert cosine == pytest.approx(float(vectors[i] @ vectors[j]), abs=1e-5)


def test_of_many_vectors_nearly_all_pairs_are_found_and_no_others(monkeypatch: pytest.MonkeyPatch):
    """1,000 pairs with a cosine of 0.9 in 384 numbers, as names have; another pair has one of about 0."""
    draw = np.random.default_rng(5)
    one = unit(draw.standard_normal((1000, 384)))
    side = draw.standard_normal((1000, 384))
    side = unit(side - (side * one).sum(axis=1, keepdims=True) * one)
    other = unit(0.9 * one + np.sqrt(1 - 0.81) * side)
    vectors = np.concatenate([one, other])
    monkeypatch.setattr(near, "EXACT", 100)
    pairs = found(vectors, 0.89)
    wanted = {(i, i + 1000) for i in range(1000)}
    assert by_hand(vectors, 0.89) == wanted
    assert pairs.keys() <= wanted
    assert len(pairs) > 0.97 * len(wanted)
    assert list(pairs.values()) == pytest.approx([0.9] * len(pairs), abs=1e-5)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_vectors_one_batch_after_the_other_are_vectors_at_once(
    monkeypatch: pytest.MonkeyPatch, exact: bool, seed: int
):
    vectors = kin(300, 0.3, seed)
    if not exact:
        monkeypatch.setattr(near, "EXACT", 10)
    whole = found(vectors, 0.7)
    assert len(whole) > 100
    draw = np.random.default_rng(seed)
    came = np.sort(draw.integers(0, 4, 300)[draw.permutation(300)])[draw.permutation(300)]
    grown: dict[tuple[int, int], float] = {}
    for batch in range(4):
        there = np.flatnonzero(came <= batch)
        more = found(vectors, 0.7, came == batch, there)
        assert not grown.keys() & more.keys()
        assert all(came[i] == batch or came[j] == batch for i, j in more)
        grown |= more
    assert grown == whole  # to the bit


@pytest.mark.parametrize("exact", [True, False])
def test_only_the_rows_asked_for_are_compared(monkeypatch: pytest.MonkeyPatch, exact: bool):
    vectors = kin(200, 0.2)
    if not exact:
        monkeypatch.setattr(near, "EXACT", 10)
    rows = np.arange(0, 200, 3)
    inside = set(rows.tolist())
    some = found(vectors, 0.7, rows=rows)
    assert some == {pair: c for pair, c in found(vectors, 0.7).items() if set(pair) <= inside}
    assert some
    assert found(vectors, 0.7, np.zeros(200, bool)) == {}


@pytest.mark.parametrize("exact", [True, False])
def test_vectors_of_zeros_are_near_nothing(monkeypatch: pytest.MonkeyPatch, exact: bool):
    if not exact:
        monkeypatch.setattr(near, "EXACT", 1)
    vectors = np.concatenate([np.zeros((4, DIM), np.float32), kin(3, 0.1)[:1].repeat(2, axis=0)])
    assert set(found(vectors, float(np.finfo(np.float32).tiny))) == {(4, 5)}


def test_codes_are_of_each_vector_alone():
    vectors = kin(50, 0.3)
    codes = codes_of(vectors)
    assert (codes.dtype, codes.shape) == (np.uint16, (50, BLOCKS))
    assert codes.max() < 1 << near.BITS
    order = np.random.default_rng(0).permutation(50)
    assert (codes_of(vectors[order]) == codes[order]).all()
    assert (codes_of(vectors[7:8]) == codes[7:8]).all()
    opposite = codes_of(-vectors[:1]) ^ codes[:1]  # every sign turns
    assert opposite.tolist() == [[(1 << near.BITS) - 1] * BLOCKS]


def test_crossing_the_limit_either_way_forgets_how_pairs_were_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_extractor: Any, arrays_of: Any
):
    """Below it no pair is missed, above it some are; an index that has grown must miss the same ones."""
    from hipporag_like.models.hashing import HashingEmbedder
    from hipporag_like.rag import HippoRAG
    from hipporag_like.types import Document

    letters = ["".join(chr(97 + int(d)) for d in f"{i:03}") for i in range(0, 1000, 9)]
    names = [f"Karoline Stenersen Bjerk{a} and Otto Lind met." for a in letters]
    documents = [Document(text, f"d{i:03}") for i, text in enumerate(names)]
    config = Config(embed=EmbedConfig(model="hashing", preset="full"))
    config = replace(config, graph=replace(config.graph, synonym_threshold=0.3, synonym_neighbours=100))

    def made(name: str) -> HippoRAG:
        return HippoRAG(
            tmp_path / name, config=config, embedder=HashingEmbedder(64), extractor=make_extractor()
        )

    monkeypatch.setattr(near, "EXACT", 90)
    grown, few, many = made("grown"), made("few"), made("many")
    few.index(documents[:80])
    many.index(documents)
    grown.index(documents[:80])
    grown.index(documents[80:])
    assert arrays_of(grown.path) == arrays_of(many.path)
    grown.delete([d.id for d in documents[80:]])
    assert arrays_of(grown.path) == arrays_of(few.path)
    monkeypatch.setattr(near, "EXACT", 10_000)
    exact = made("exact")
    exact.index(documents)
    # Or the test would see no difference.
    assert arrays_of(exact.path)["default", "near_pair"] != arrays_of(many.path)["default", "near_pair"]
