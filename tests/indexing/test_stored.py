"""Rows that are read from the file of an array are those of the array."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.indexing.index import Index
from hipporag_like.indexing.stored import StoredRows, chosen
from hipporag_like.retrieval.dense import nearest
from hipporag_like.retrieval.similarity import row_cosines
from hipporag_like.store import reader
from hipporag_like.store.snapshot import Snapshot, SnapshotWriter, open_snapshot

needs_pread = pytest.mark.skipif(not reader.HAS_PREAD, reason="this system reads rows through the mapping")
DRAW = np.random.default_rng(0)
ARRAYS = {
    "half": DRAW.standard_normal((3000, 200)).astype(np.float16),
    "bytes": DRAW.integers(0, 256, (30_000, 52)).astype(np.uint8),
    "small": DRAW.standard_normal((30, 4)).astype(np.float32),
}


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """Its arrays beyond a megabyte count as large."""
    monkeypatch.setattr(reader, "LARGE_BYTES", 1 << 20)
    with SnapshotWriter(tmp_path) as writer:
        for name, array in ARRAYS.items():
            writer.write("g", name, array)
        writer.publish({})
    return open_snapshot(tmp_path)


def stored(snapshot: Snapshot, name: str) -> StoredRows:
    return Index(snapshot).segments["g"].stored(name)


def test_only_large_arrays_are_read_from_their_files(snapshot: Snapshot):
    assert [stored(snapshot, name).descriptor >= 0 for name in ARRAYS] == [reader.HAS_PREAD] * 2 + [False]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("kind", ["none", "one", "all", "runs", "any order", "twice"])
def test_rows_are_those_of_the_array(snapshot: Snapshot, name: str, kind: str):
    n = len(ARRAYS[name])
    rows = {
        "none": np.zeros(0, np.int64),
        "one": np.array([n - 1]),
        "all": np.arange(n),
        "runs": np.concatenate([np.arange(3, 9), np.arange(11, 12), np.arange(n - 5, n)]),
        "any order": np.random.default_rng(1).permutation(n)[:17],
        "twice": np.array([4, 4, 5, 5, 0]),
    }[kind]
    found = stored(snapshot, name).take(rows)
    assert (found.dtype, found.tobytes()) == (ARRAYS[name].dtype, ARRAYS[name][rows].tobytes())
    assert chosen(ARRAYS[name], rows).tobytes() == found.tobytes()


@needs_pread
def test_a_row_outside_is_no_row(snapshot: Snapshot):
    with pytest.raises(IndexError):
        stored(snapshot, "half").take(np.array([3000]))


@needs_pread
def test_what_cannot_be_read_comes_from_the_mapping(snapshot: Snapshot):
    table = stored(snapshot, "half")
    closed = StoredRows(table.array, os.open(os.devnull, os.O_RDONLY), table.offset)
    assert closed.take(np.array([7])).tobytes() == ARRAYS["half"][7].tobytes()
    os.close(closed.descriptor)


@needs_pread
def test_the_file_is_open_as_long_as_the_array(snapshot: Snapshot, tmp_path: Path):
    table = stored(snapshot, "half")
    (
        tmp_path / "snapshots" / "1" / "g0" / "half.npy"
    ).unlink()  # as a writer may, once the snapshot is closed
    snapshot.close()
    del snapshot
    gc.collect()
    assert table.take(np.array([5])).tobytes() == ARRAYS["half"][5].tobytes()


@needs_pread
def test_the_file_is_closed_with_the_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reader, "LARGE_BYTES", 1 << 20)
    with SnapshotWriter(tmp_path) as writer:
        writer.write("g", "half", ARRAYS["half"])
        writer.publish({})
    snapshot = open_snapshot(tmp_path)
    descriptor, _ = snapshot.file_of("g", "half")
    os.fstat(descriptor)
    del snapshot
    gc.collect()
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_without_more_descriptors_rows_come_from_the_mapping(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
):
    def none_left(descriptor: int) -> int:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(reader.os, "dup", none_left)
    assert snapshot.file_of("g", "half") == (-1, 0)
    assert stored(snapshot, "half").take(np.array([1])).tobytes() == ARRAYS["half"][1].tobytes()


def test_searches_find_the_same_to_the_bit(snapshot: Snapshot):
    table, rows = stored(snapshot, "half"), np.array([1, 2, 3, 700, 2999])
    asked = DRAW.standard_normal((3, 200)).astype(np.float32)
    assert row_cosines(table, rows, asked).tobytes() == row_cosines(ARRAYS["half"], rows, asked).tobytes()
    allowed = np.random.default_rng(2).random(3000) < 0.3
    for mask in (None, allowed):
        for part, wanted in zip(
            nearest(table, asked[0], 20, mask), nearest(ARRAYS["half"], asked[0], 20, mask), strict=True
        ):
            assert part.tobytes() == wanted.tobytes()
