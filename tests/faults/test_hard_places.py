"""No room, no permission, a busy file, a clock that jumps: a sentence, nothing lost, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hipporag_like.config import Config
from hipporag_like.errors import IndexLockedError, StoreError
from hipporag_like.rag import HippoRAG
from hipporag_like.store import connection
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.types import Document

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX limits and mounts")
HASHING = Config.from_dict({"embed": {"model": "hashing"}})
FIRST = [Document(f"Anna{i} met Otto{i % 3} in Oslo.", f"d{i}", f"Title {i}") for i in range(4)]
MORE = [Document(f"Berta{i} met Otto{i % 3} in Bergen.", f"e{i}", f"Title {i}") for i in range(40)]

# Indexes more documents while no file may grow beyond a size, and prints the error.
LIMITED = """
import resource, signal, sys
sys.path.insert(0, sys.argv[3])
from test_hard_places import HASHING, MORE
from hipporag_like.errors import StoreError
from hipporag_like.rag import HippoRAG
size = int(sys.argv[2])
rag = HippoRAG(sys.argv[1], config=HASHING)
rag.retrieve("Who met Otto?", 1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if size:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    rag.index(MORE)
    print("indexed")
except StoreError as error:
    print(type(error).__name__, error)
"""


def add_more(index: Path, size: int = 0) -> str:
    command = [sys.executable, "-c", LIMITED, str(index), str(size), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(folder: Path) -> Path:
    with HippoRAG(folder / "index", config=HASHING) as rag:
        rag.index(FIRST)
    return folder / "index"


def hits(index: Path) -> list[tuple[str, float]]:
    with HippoRAG(index, read_only=True) as rag:
        return [(h.passage.id, h.score) for h in rag.retrieve("Who met Otto2 in Bergen?", 5)]


def arrays(index: Path) -> dict[str, bytes]:
    with open_snapshot(index) as snapshot:
        return {name: path.read_bytes() for name, (path, _) in snapshot.entries("default").items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    index = make(tmp_path_factory.mktemp("whole"))
    with HippoRAG(index, config=HASHING) as rag:
        rag.index(MORE)
    return arrays(index)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1 << 12, 1 << 17, 3 << 17])
def test_a_file_size_limit(tmp_path, whole, size):
    index = make(tmp_path)
    before = hits(index)
    said = add_more(index, size)
    assert said.startswith("StoreError cannot ") or "full" in said
    assert str(index) in said and "run the command again" in said or "limits" in said
    assert hits(index) == before and HippoRAG(index).verify() == ()
    assert add_more(index) == "indexed\n"
    assert arrays(index) == whole and HippoRAG(index).verify() == ()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MiB; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


@pytest.mark.slow
def test_a_full_disk(small_disk, whole):
    index = make(small_disk)
    before = hits(index)
    for room in (0, 100_000, 400_000, 700_000):
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"\0" * (shutil.disk_usage(small_disk).free - room))
        said = add_more(index)
        assert said.startswith("StoreError ") and ("free" in said) and str(index) in said, said
        assert hits(index) == before
        ballast.unlink()
        assert HippoRAG(index).verify() == ()
    assert add_more(index) == "indexed\n"
    assert arrays(index) == whole


@pytest.mark.slow
def test_a_file_system_that_is_read_only(small_disk, whole):
    index = make(small_disk)
    before = hits(index)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    try:
        assert hits(index) == before
        assert HippoRAG(index).verify() == ()
        for act in (lambda rag: rag.index(MORE), lambda rag: rag.delete(["d1"]), lambda rag: rag.repair()):
            with (
                HippoRAG(index, config=HASHING) as rag,
                pytest.raises(StoreError, match="use a folder you can write"),
            ):
                act(rag)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True, capture_output=True)
    assert add_more(index) == "indexed\n"
    assert arrays(index) == whole


def test_a_journal_that_another_program_holds(tmp_path, monkeypatch):
    index = make(tmp_path)
    before = hits(index)
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    raw = sqlite3.connect(index / "journal.db", isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    with (
        HippoRAG(index, config=HASHING) as rag,
        pytest.raises(IndexLockedError, match="wait for it or stop it"),
    ):
        rag.index(MORE[:2])
    assert hits(index) == before
    raw.rollback()
    raw.close()
    with HippoRAG(index, config=HASHING) as rag:
        assert rag.index(MORE[:2]).added == 2
        assert rag.verify() == ()


def test_a_clock_that_jumps(tmp_path, monkeypatch):
    index, calm = make(tmp_path), make(tmp_path / "calm")
    with HippoRAG(calm, config=HASHING) as rag:
        rag.index(MORE)
        rag.delete(["d1"])
    calls = {"n": 0}

    def jumping() -> float:
        calls["n"] += 1
        return (0.0, 4e9, 1e9, -5.0)[calls["n"] % 4] + calls["n"]

    with monkeypatch.context() as patch:
        for name in ("time", "monotonic", "perf_counter"):
            patch.setattr(time, name, jumping)
        patch.setattr(time, "time_ns", lambda: int(jumping() * 1e9))
        with HippoRAG(index, config=HASHING) as rag:
            rag.index(MORE)
            rag.delete(["d1"])
            assert rag.verify() == ()
            found = hits(index)
    assert calls["n"] > 10
    assert arrays(index) == arrays(calm) and found == hits(calm)
