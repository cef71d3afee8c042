"""Large arrays are read once to be checked; whatever alters them afterwards is noticed."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from hipporag_like.errors import IndexCorruptError
from hipporag_like.store import reader, stamp
from hipporag_like.store.snapshot import SnapshotWriter, open_snapshot, remove_old_snapshots

LARGE = np.arange(400_000, dtype=np.int32)
pytestmark = pytest.mark.skipif(not stamp.boot(), reason="only Linux tells whether it was restarted")


@pytest.fixture
def index(tmp_path):
    with SnapshotWriter(tmp_path) as writer:
        writer.write("g", "large", LARGE)
        writer.publish({})
    return tmp_path


@pytest.fixture
def checks(monkeypatch):
    """The paths whose checksum was computed."""
    seen, real = [], reader.crc32_of
    monkeypatch.setattr(reader, "crc32_of", lambda path: seen.append(path) or real(path))
    return seen


def path_of(index, number=1):
    return index / "snapshots" / str(number) / "g0" / "large.npy"


def read(index):
    with open_snapshot(index) as snapshot:
        return snapshot.array("g", "large")


def test_what_was_just_written_is_not_read_again(index, checks):
    assert np.array_equal(read(index), LARGE)
    assert checks == []


@pytest.mark.parametrize("keep_times", [False, True])
def test_an_altered_file_is_noticed_whatever_its_time_says(index, keep_times):
    path = path_of(index)
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(1_000_000)
        file.write(b"\xff")
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(IndexCorruptError, match=r"large\.npy is damaged .* repair --index"):
            read(index)


def test_a_copied_index_is_checked_once(index, checks):
    path = path_of(index)
    path.write_bytes(path.read_bytes())
    time.sleep(0.03)  # or the file may change again within the same tick of the clock
    read(index), read(index)
    assert checks == [path]


def test_a_file_that_changed_a_moment_ago_is_not_taken_as_known(index, checks, monkeypatch):
    path = path_of(index)
    monkeypatch.setattr(stamp, "_TICK_NS", 3_600_000_000_000)
    path.write_bytes(path.read_bytes())
    read(index), read(index)
    assert checks == [path, path]


def test_all_is_checked_again_after_a_restart(index, checks, monkeypatch):
    monkeypatch.setattr(stamp, "boot", lambda: "another")
    read(index), read(index)
    assert checks == [path_of(index)]


def test_a_clock_set_back_costs_checks_and_no_more(index, checks, monkeypatch):
    monkeypatch.setattr(stamp.time, "time_ns", lambda: 0)
    path = path_of(index)
    path.write_bytes(path.read_bytes())
    read(index), read(index)
    assert checks == [path, path]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"boot": 1}', b'{"boot": "B", "files": [1]}', b"\xff"]
)
def test_a_damaged_record_only_costs_a_check(index, checks, content):
    record = index / "snapshots" / "1" / stamp.STAMP_NAME
    record.write_bytes(content.replace(b"B", stamp.boot().encode()))
    assert np.array_equal(read(index), LARGE)
    assert checks == [path_of(index)]


def test_a_group_that_is_taken_over_stays_known(index, checks):
    with open_snapshot(index) as old, SnapshotWriter(index) as writer:
        writer.reuse("g", old)
        writer.publish({})
    read(index)
    assert checks == []
    assert list(json.loads((index / "snapshots" / "2" / stamp.STAMP_NAME).read_bytes())["files"]) == [
        "g0/large.npy"
    ]


def test_a_damaged_group_that_is_taken_over_stays_damaged(index):
    path = path_of(index)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with open_snapshot(index) as old, SnapshotWriter(index) as writer:
        writer.reuse("g", old)
        writer.publish({})
    with pytest.raises(IndexCorruptError, match="large"):
        read(index)


def test_a_folder_that_cannot_be_written_is_read(index, checks, monkeypatch):
    path = path_of(index)
    path.write_bytes(path.read_bytes())

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(stamp, "create_private", refuse)
    time.sleep(0.03)
    read(index), read(index)
    assert checks == [path, path]


@pytest.fixture
def shared(index):
    """Three publications of the same group."""
    for _ in range(2):
        with open_snapshot(index) as old, SnapshotWriter(index) as writer:
            writer.reuse("g", old)
            writer.publish({})
    return index


def test_no_reader_compares_what_other_snapshots_share(shared, checks):
    reading = open_snapshot(shared)
    assert not (shared / "snapshots" / "1").exists()
    with open_snapshot(shared) as old, SnapshotWriter(shared) as writer:
        writer.reuse("g", old)
        writer.publish({})
    assert np.array_equal(reading.array("g", "large"), LARGE)  # was given a third name, and lost the first
    reading.close()
    read(shared)
    remove_old_snapshots(shared)
    assert [p.name for p in (shared / "snapshots").iterdir()] == ["4"]
    read(shared)
    assert checks == []


def test_a_reader_that_looked_before_learns_what_a_writer_noted(shared, checks):
    with open_snapshot(shared) as reading:
        assert reading.is_checked("g", "large")  # from here on it knows the record as it was
        with open_snapshot(shared) as old, SnapshotWriter(shared) as writer:
            writer.reuse("g", old)
            writer.publish({})
        reading.array("g", "large")
    assert checks == []


def test_a_run_that_publishes_nothing_costs_no_check(index, checks):
    with open_snapshot(index) as old, SnapshotWriter(index) as writer:
        writer.reuse("g", old)
    read(index)
    assert checks == []


def test_an_altered_file_is_noticed_whatever_names_it_gets(shared):
    path = path_of(shared, 3)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with open_snapshot(shared) as old, SnapshotWriter(shared) as writer:
        writer.reuse("g", old)
        writer.publish({})
    remove_old_snapshots(shared)
    with pytest.raises(IndexCorruptError, match="large"):
        read(shared)


def test_what_is_written_in_blocks_and_by_threads_is_known_when_it_is_published(tmp_path, checks):
    with SnapshotWriter(tmp_path) as writer:
        writer.write("g", "large", LARGE)
        writer.write_blocks("g", "blocks", LARGE.dtype, LARGE.shape, iter([LARGE[:7], LARGE[7:]]))
        writer.publish({})
    with open_snapshot(tmp_path) as snapshot:
        assert np.array_equal(snapshot.array("g", "blocks"), snapshot.array("g", "large"))
    assert checks == []
