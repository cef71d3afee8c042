"""The first pass over codes: the nearest rows by sorting, whatever the order and wherever the codes lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.retrieval import hamming
from hipporag_like.retrieval.hamming import BLOCK, nearest_codes
from hipporag_like.store.reader import HAS_PREAD

ALL = np.zeros(0, dtype=bool)


def by_sorting(codes: np.ndarray, question: np.ndarray, allowed: np.ndarray, wanted: int) -> list[int]:
    distance = np.unpackbits((codes ^ question).view(np.uint8), axis=1).sum(axis=1)
    rows = np.flatnonzero(allowed) if len(allowed) else np.arange(len(codes))
    return sorted(rows[np.argsort(distance[rows], kind="stable")][:wanted].tolist())


def codes_of(kind: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(n)
    codes = draw.integers(0, 1 << 63, (n, 2)).astype(np.uint64)
    question = draw.integers(0, 1 << 63, 2).astype(np.uint64)
    if kind == "equal":
        codes[:] = codes[0]
    elif kind == "few distances":
        codes[:, 1] = 0
        codes[:, 0] = draw.integers(0, 4, n)
    elif kind in ("farthest first", "nearest first"):
        order = np.argsort(np.unpackbits((codes ^ question).view(np.uint8), axis=1).sum(axis=1))
        codes = codes[order[::-1] if kind == "farthest first" else order]
    return np.ascontiguousarray(codes), question


@pytest.mark.parametrize("kind", ["random", "equal", "few distances", "farthest first", "nearest first"])
@pytest.mark.parametrize("wanted", [1, 500, 60_000])
def test_the_nearest_are_those_by_sorting(kind: str, wanted: int):
    codes, question = codes_of(kind, 5 * BLOCK + 7)
    for allowed in (ALL, np.random.default_rng(0).random(len(codes)) < 0.5):
        rows, near = nearest_codes((-1, 0), codes, question, allowed, wanted)
        assert rows.tolist() == by_sorting(codes, question, allowed, wanted)
        assert near.tobytes() == codes[rows].tobytes()


@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1])
def test_any_number_of_rows(n: int):
    codes, question = codes_of("random", n)
    rows, near = nearest_codes((-1, 0), codes, question, ALL, 10)
    assert rows.tolist() == by_sorting(codes, question, ALL, 10)
    assert near.shape == (len(rows), 2)


@pytest.mark.skipif(not HAS_PREAD, reason="this system reads rows through the mapping")
def test_codes_of_a_file_are_read_from_it(tmp_path: Path):
    codes, question = codes_of("random", 3 * BLOCK + 5)
    (tmp_path / "codes").write_bytes(b"before" + codes.tobytes())
    nowhere = np.zeros_like(codes)
    descriptor = os.open(tmp_path / "codes", os.O_RDONLY)
    try:
        rows, near = nearest_codes((descriptor, 6), nowhere, question, ALL, 300)
    finally:
        os.close(descriptor)
    assert rows.tolist() == by_sorting(codes, question, ALL, 300)
    assert near.tobytes() == codes[rows].tobytes()


@pytest.mark.skipif(not HAS_PREAD, reason="this system reads rows through the mapping")
def test_what_a_file_lacks_is_looked_at_where_it_is_mapped(tmp_path: Path):
    codes, question = codes_of("random", 2 * hamming.BLOCK)
    (tmp_path / "codes").write_bytes(codes[: BLOCK + 3].tobytes())
    descriptor = os.open(tmp_path / "codes", os.O_RDONLY)
    try:
        rows, _ = nearest_codes((descriptor, 0), codes, question, ALL, 300)
    finally:
        os.close(descriptor)
    assert rows.tolist() == by_sorting(codes, question, ALL, 300)
