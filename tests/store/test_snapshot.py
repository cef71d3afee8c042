"""Snapshots: round trips, what is kept and removed, and every kind of damage."""

from __future__ import annotations

import errno
import json
import mmap
import os
import stat
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hipporag_like.errors import IndexCorruptError, IndexFormatError, IndexNotFoundError, StoreError
from hipporag_like.store import reader
from hipporag_like.store import writer as writing
from hipporag_like.store.snapshot import FORMAT, SnapshotWriter, open_snapshot
from hipporag_like.store.stamp import boot

LARGE = np.arange(400_000, dtype=np.int32)  # 1.6 MB: mapped, and not read when opened
SMALL = np.arange(6, dtype=np.float32).reshape(2, 3)


def publish_one(folder, value=1, large=LARGE):
    with SnapshotWriter(folder) as writer:
        writer.write("default", "small", SMALL * value)
        writer.write("default", "large", large)
        return writer.publish({"value": value})


def array_path(folder, number, name, group=0):
    return folder / "snapshots" / str(number) / f"g{group}" / f"{name}.npy"


def names_in(folder):
    return sorted(p.name for p in (folder / "snapshots").iterdir())


def test_what_is_published_comes_back(tmp_path):
    assert publish_one(tmp_path / "index") == 1
    with open_snapshot(tmp_path / "index") as snapshot:
        assert snapshot.number == 1 and snapshot.manifest == {"value": 1} and snapshot.groups == ("default",)
        assert np.array_equal(snapshot.array("default", "small"), SMALL)
        large = snapshot.array("default", "large")
        assert np.array_equal(large, LARGE) and type(large) is np.ndarray
        assert isinstance(large.base, mmap.mmap) and snapshot.array("default", "large") is large
        assert (
            snapshot.has("default", "small")
            and not snapshot.has("default", "x")
            and not snapshot.has("x", "small")
        )
        assert snapshot.nbytes("default") == sum(
            p.stat().st_size for p in (tmp_path / "index").glob("**/*.npy")
        )
        for name in ("small", "large"):
            with pytest.raises(ValueError, match="read-only"):
                snapshot.array("default", name)[:] = 0
        with pytest.raises(KeyError):
            snapshot.array("default", "x")
        assert snapshot.verify() == []


STORABLE = st.one_of(
    npst.integer_dtypes(), npst.floating_dtypes(), npst.boolean_dtypes(), npst.byte_string_dtypes()
)


@settings(max_examples=30, deadline=None)  # each publishes a snapshot
@given(npst.arrays(STORABLE, npst.array_shapes(min_dims=0, min_side=0, max_dims=3)), st.booleans())
def test_any_array_comes_back(tmp_path_factory, array, transposed):
    folder = tmp_path_factory.mktemp("any")
    array = array.T if transposed else array
    with SnapshotWriter(folder) as writer:
        writer.write("g", "a", array)
        writer.publish({})
    with open_snapshot(folder) as snapshot:
        got = snapshot.array("g", "a")
        assert got.dtype == array.dtype and got.shape == array.shape and got.tobytes() == array.tobytes()
        assert np.load(array_path(folder, 1, "a"), allow_pickle=False).tobytes() == array.tobytes()


def test_group_names_never_become_paths(tmp_path):
    names = ["../../up", "a/b", "", "naïve\n名", "g0"]
    with SnapshotWriter(tmp_path / "index") as writer:
        for i, name in enumerate(names):
            writer.write(name, "a", np.array([i]))
        writer.publish({})
    with open_snapshot(tmp_path / "index") as snapshot:
        assert snapshot.groups == tuple(names)
        assert [int(snapshot.array(name, "a")[0]) for name in names] == list(range(5))
    assert sorted(p.name for p in (tmp_path / "index/snapshots/1").iterdir()) == [
        f"g{i}" for i in range(5)
    ] + ["manifest.json"]


def test_mistakes_of_the_program(tmp_path):
    with SnapshotWriter(tmp_path) as writer:
        for name in ("../x", "A", "", "a.b"):
            with pytest.raises(ValueError, match="array name"):
                writer.write("g", name, SMALL)
        with pytest.raises(ValueError, match="objects"):
            writer.write("g", "a", np.array([{}]))
        writer.write("g", "a", SMALL)
        with pytest.raises(ValueError, match="before"):
            writer.write("g", "a", SMALL)
        writer.publish({})
        with pytest.raises(RuntimeError, match="once"):
            writer.publish({})
        with pytest.raises(RuntimeError, match="once"):
            writer.write("g", "b", SMALL)
    with pytest.raises(RuntimeError, match="inside"):
        SnapshotWriter(tmp_path).write("g", "a", SMALL)


@settings(max_examples=30, deadline=None)  # each publishes a snapshot
@given(
    npst.arrays(STORABLE, npst.array_shapes(min_dims=1, min_side=0, max_dims=3, max_side=6)),
    st.lists(st.integers(0, 6), max_size=3),
)
def test_blocks_of_rows_are_written_as_the_whole_is(tmp_path_factory, array, cuts):
    folder = tmp_path_factory.mktemp("blocks")
    with SnapshotWriter(folder) as writer:
        writer.write("g", "whole", array)
        writer.write_blocks("g", "parts", array.dtype, array.shape, iter(np.split(array, sorted(cuts))))
        writer.publish({})
    assert array_path(folder, 1, "parts").read_bytes() == array_path(folder, 1, "whole").read_bytes()
    with open_snapshot(folder) as snapshot:
        assert snapshot.verify() == []
        entries = {name: entry for name, (_, entry) in snapshot.entries("g").items()}
        assert entries["parts"] == entries["whole"]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([SMALL[:1]], "do not make up"),
        ([SMALL, SMALL[:1]], "do not make up"),
        ([], "do not make up"),
        ([SMALL.astype(np.float64)], "float64"),
        ([np.asfortranarray(SMALL)], "contiguous"),
        ([SMALL.reshape(3, 2)], "shape"),
        ([SMALL.reshape(6)], "shape"),
    ],
)
def test_blocks_that_do_not_make_up_the_array_are_refused(tmp_path, blocks, message):
    publish_one(tmp_path)
    with SnapshotWriter(tmp_path) as writer, pytest.raises(ValueError, match=message):
        writer.write_blocks("g", "a", SMALL.dtype, SMALL.shape, iter(blocks))
    assert open_snapshot(tmp_path).number == 1 and names_in(tmp_path) == ["1"]


def test_an_array_that_fails_beside_other_work_fails_the_publication(tmp_path, monkeypatch):
    """What was published before stays, and nothing of the failed one is left."""
    publish_one(tmp_path)
    real = writing._save

    def full(path, *rest):
        if path.stem == "b":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *rest)

    monkeypatch.setattr(writing, "_save", full)
    with pytest.raises(StoreError, match=r"cannot write .*b\.npy .*free some disk space"):
        with SnapshotWriter(tmp_path) as writer:
            for name in "abc":
                writer.write("g", name, SMALL)
            writer.publish({"value": 2})
    assert open_snapshot(tmp_path).manifest == {"value": 1} and names_in(tmp_path) == ["1"]


def test_what_waits_to_be_written_is_bounded(tmp_path, monkeypatch):
    """No more than one array beyond the limit is held while the disk is slow; blocks are written as they come."""
    monkeypatch.setattr(writing, "WAITING_BYTES", 3 * SMALL.nbytes)
    real, started, free = writing._save, [], threading.Event()

    def slow(path, *rest):
        started.append(path.stem)
        assert free.wait(30)
        return real(path, *rest)

    monkeypatch.setattr(writing, "_save", slow)
    with SnapshotWriter(tmp_path) as writer:
        for i in range(3):
            writer.write("g", f"a{i}", SMALL)
        assert sum(nbytes for _, nbytes in writer._waiting) == 3 * SMALL.nbytes  # none had to wait
        threading.Timer(0.05, free.set).start()
        writer.write("g", "a3", SMALL)
        assert free.is_set()  # the fourth waited until the first was on the disk
        writer.publish({})
    with open_snapshot(tmp_path) as snapshot:
        assert list(snapshot.entries("g")) == ["a0", "a1", "a2", "a3"] and snapshot.verify() == []


def test_two_snapshots_are_kept(tmp_path):
    assert [publish_one(tmp_path, value) for value in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert names_in(tmp_path) == ["3", "4"]
    assert open_snapshot(tmp_path).manifest == {"value": 4}


def test_reader_keeps_what_it_opened_until_closed(tmp_path):
    publish_one(tmp_path, 1)
    held = open_snapshot(tmp_path)
    for value in (2, 3, 4):
        publish_one(tmp_path, value)
    assert names_in(tmp_path) == ["1", "3", "4"]
    assert np.array_equal(held.array("default", "small"), SMALL)  # first touched now
    large = held.array("default", "large")
    held.close()
    publish_one(tmp_path, 5)
    assert names_in(tmp_path) == ["4", "5"]
    assert np.array_equal(large, LARGE)


def test_forgotten_reader_lets_go(tmp_path):
    publish_one(tmp_path, 1)
    open_snapshot(tmp_path)
    for value in (2, 3):
        publish_one(tmp_path, value)
    assert names_in(tmp_path) == ["2", "3"]


@pytest.mark.parametrize("links", [True, False])
def test_reused_groups_are_the_same(tmp_path, monkeypatch, links):
    publish_one(tmp_path)
    if not links:

        def no_links(source, target):
            raise OSError(errno.EXDEV, "other device")

        monkeypatch.setattr(os, "link", no_links)
    with open_snapshot(tmp_path) as old, SnapshotWriter(tmp_path) as writer:
        writer.write("new", "a", SMALL)
        writer.reuse("default", old)
        with pytest.raises(ValueError, match="before"):
            writer.reuse("default", old)
        writer.publish({})
        old_file, new_file = array_path(tmp_path, 1, "large"), array_path(tmp_path, 2, "large", group=1)
        assert os.path.samefile(old_file, new_file) == links
        assert stat.S_IMODE(new_file.stat().st_mode) == 0o600
    publish_one(tmp_path, 3)
    publish_one(tmp_path, 4)
    monkeypatch.undo()
    with SnapshotWriter(tmp_path) as writer:
        writer.reuse("default", open_snapshot(tmp_path))
        writer.publish({})
    snapshot = open_snapshot(tmp_path)
    assert np.array_equal(snapshot.array("default", "large"), LARGE) and snapshot.verify() == []


def test_leaving_without_publishing_leaves_nothing(tmp_path):
    publish_one(tmp_path)
    with pytest.raises(KeyError), SnapshotWriter(tmp_path) as writer:
        writer.write("g", "a", SMALL)
        raise KeyError
    with SnapshotWriter(tmp_path) as writer:
        writer.write("g", "a", SMALL)
    assert names_in(tmp_path) == ["1"] and open_snapshot(tmp_path).number == 1


def test_everything_is_on_disk_before_it_is_named(tmp_path, monkeypatch):
    events = []
    for call in ("fsync", "rename", "replace"):
        real = getattr(os, call)

        def spy(*arguments, call=call, real=real):
            name = os.readlink(f"/proc/self/fd/{arguments[0]}") if call == "fsync" else arguments[-1]
            events.append((call, os.path.basename(name)))
            return real(*arguments)

        monkeypatch.setattr(os, call, spy)
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc to name descriptors")
    publish_one(tmp_path)
    temporary = events[4][1]
    assert temporary.startswith(".tmp-")
    # Arrays are written by several threads, in any order.
    assert sorted(events[:2]) == [("fsync", "large.npy"), ("fsync", "small.npy")]
    assert events[2:] == [
        ("fsync", "manifest.json"),
        ("fsync", "g0"),
        ("fsync", temporary),
        ("rename", "1"),
        ("fsync", "snapshots"),
        *([("replace", "checked.json")] if boot() else []),
        ("fsync", "CURRENT.tmp"),
        ("replace", "CURRENT"),
        ("fsync", tmp_path.name),
    ]


@pytest.mark.parametrize("call", ["rename", "replace"])
def test_full_disk_at_the_last_step_keeps_what_was_published(tmp_path, monkeypatch, call):
    publish_one(tmp_path, 1)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match="free some disk space"):
            publish_one(tmp_path, 2)
    assert names_in(tmp_path) == ["1"] and open_snapshot(tmp_path).manifest == {"value": 1}
    assert publish_one(tmp_path, 3) == 2


def test_permissions(tmp_path):
    before = os.umask(0)
    try:
        publish_one(tmp_path / "index")
    finally:
        os.umask(before)
    for path in [tmp_path / "index", *(tmp_path / "index").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_index(tmp_path):
    where = tmp_path / "none"
    with pytest.raises(IndexNotFoundError) as caught:
        open_snapshot(where)
    assert (
        str(caught.value) == f"no index at {where}; make one with: hipporag-like index SOURCE --index {where}"
    )
    with pytest.raises(IndexNotFoundError, match="nothing was published in"):
        open_snapshot(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="use another folder"):
        open_snapshot(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"two", b"-1", b"1\x00", "१".encode(), b"1 1", b"9" * 4000])
def test_current_is_garbage_and_a_publication_mends_it(tmp_path, content):
    publish_one(tmp_path)
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(
        IndexCorruptError, match=r"CURRENT is damaged .*rebuild it with: hipporag-like repair"
    ):
        open_snapshot(tmp_path)
    assert publish_one(tmp_path) == 2 and open_snapshot(tmp_path).number == 2


def test_current_names_what_is_not_there(tmp_path):
    publish_one(tmp_path)
    (tmp_path / "CURRENT").write_bytes(b"7\n")
    with pytest.raises(IndexCorruptError, match=r"7.manifest\.json is damaged \(it is missing\)"):
        open_snapshot(tmp_path)
    assert publish_one(tmp_path) == 8


@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize("change", [-1, 1, None])
def test_array_of_another_size_or_missing(tmp_path, name, change):
    publish_one(tmp_path)
    path = array_path(tmp_path, 1, name)
    if change is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:change] if change < 0 else path.read_bytes() + b"x")
    with pytest.raises(IndexCorruptError, match=rf"{name}\.npy is damaged .*rebuild it with"):
        open_snapshot(tmp_path)


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_altered_small_file_is_noticed_when_opened(tmp_path):
    publish_one(tmp_path)
    flip(array_path(tmp_path, 1, "small"), -1)
    with pytest.raises(IndexCorruptError, match=r"small\.npy is damaged \(its checksum"):
        open_snapshot(tmp_path)


def test_altered_large_file_is_noticed_by_verify(tmp_path):
    publish_one(tmp_path)
    path = array_path(tmp_path, 1, "large")
    flip(path, -1)
    assert open_snapshot(tmp_path).verify() == [str(path)]
    snapshot = open_snapshot(tmp_path)
    path.unlink()
    assert snapshot.verify() == [str(path)]
    with pytest.raises(IndexCorruptError, match=r"large\.npy is damaged"):
        snapshot.array("default", "large")


@pytest.mark.parametrize(
    "other",
    [LARGE.astype(np.uint32), LARGE.reshape(2, -1), np.zeros(200_000, np.int64)],
    ids=["type", "shape", "both"],
)
def test_large_file_swapped_for_one_of_its_size(tmp_path, other):
    publish_one(tmp_path)
    path = array_path(tmp_path, 1, "large")
    size = path.stat().st_size
    np.save(path, other)
    assert path.stat().st_size == size
    with pytest.raises(IndexCorruptError, match=r"large\.npy is damaged \(its checksum"):
        open_snapshot(tmp_path).array("default", "large")


def test_altered_header_of_a_large_file_never_gives_another_array(published):
    path, refused = array_path(published, 1, "large"), 0
    for position in range(128):
        flip(path, position)
        try:
            assert np.array_equal(open_snapshot(published).array("default", "large"), LARGE)
        except IndexCorruptError:
            refused += 1
        flip(path, position)
    assert refused > 50  # the rest is padding


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    publish_one(folder)
    return folder


def test_altered_bytes_of_the_manifest_are_noticed(published):
    path = published / "snapshots/1/manifest.json"
    for position in range(0, path.stat().st_size, 3):
        flip(path, position)
        with pytest.raises((IndexCorruptError, IndexFormatError), match=r"manifest\.json"):
            open_snapshot(published)
        flip(path, position)
    assert open_snapshot(published).number == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"format": 1}', b"\xff\xfe", None])
def test_manifest_is_garbage_or_missing(tmp_path, content):
    publish_one(tmp_path)
    path = tmp_path / "snapshots/1/manifest.json"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(IndexCorruptError, match=r"manifest\.json is damaged .*rebuild it with"):
        open_snapshot(tmp_path)


def test_manifest_of_another_snapshot(tmp_path):
    publish_one(tmp_path)
    publish_one(tmp_path)
    (tmp_path / "snapshots/2/manifest.json").write_bytes(
        (tmp_path / "snapshots/1/manifest.json").read_bytes()
    )
    with pytest.raises(IndexCorruptError, match="it belongs to snapshot 1"):
        open_snapshot(tmp_path)


def test_newer_format(tmp_path):
    publish_one(tmp_path)
    path = tmp_path / "snapshots/1/manifest.json"
    body = json.loads(path.read_bytes())
    assert body["format"] == FORMAT
    path.write_text(json.dumps({"format": FORMAT + 8, "whatever": []}))
    with pytest.raises(
        IndexFormatError, match=f"has format {FORMAT + 8} and this version reads up to {FORMAT}; upgrade"
    ):
        open_snapshot(tmp_path)


def test_snapshot_removed_while_it_is_being_opened(tmp_path, monkeypatch):
    publish_one(tmp_path, 1)
    publish_one(tmp_path, 2)
    publish_one(tmp_path, 3)
    real, asked = reader.read_current, []
    stale = reader.Current(1, "")

    def stale_once(folder):
        asked.append(folder)
        return stale if len(asked) == 1 else real(folder)

    monkeypatch.setattr(reader, "read_current", stale_once)
    assert open_snapshot(tmp_path).number == 3 and len(asked) == 2
