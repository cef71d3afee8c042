"""Kills and full disks in a process of its own: what was there before is there after."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from hipporag_like.store.journal import Journal
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.snapshot import SnapshotWriter, open_snapshot
from hipporag_like.types import Document

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and limits")

KILL_IN_PUT = """
import os, signal, sys
from pathlib import Path
from hipporag_like.store import documents
from hipporag_like.store.journal import Journal
from hipporag_like.types import Document
real, calls = documents.document_hash, []
def hash_then_die(*arguments):
    calls.append(1)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
documents.document_hash = hash_then_die
journal = Journal.open(Path(sys.argv[1]))
for batch in range(3):
    rows = [(Document(f"{batch} {i} " + "word " * 200, f"{batch}-{i}"), [(0, 4)]) for i in range(1000)]
    journal.put_documents(rows, "c")
os.kill(os.getpid(), signal.SIGKILL)
"""

KILL_IN_PUBLISH = """
import os, signal, sys
from pathlib import Path
import numpy as np
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.snapshot import SnapshotWriter
folder, call, when, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
real, calls = getattr(os, call), []
def die(*arguments):
    calls.append(1)
    if len(calls) == count and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(*arguments)
    if len(calls) == count:
        os.kill(os.getpid(), signal.SIGKILL)
setattr(os, call, die)
with WriterLock(folder), SnapshotWriter(folder) as writer:
    for name in "ab":
        writer.write("g", name, np.full(1000, 2))
    writer.publish({"value": 2})
"""

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from hipporag_like.errors import StoreError
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import SnapshotWriter
from hipporag_like.types import Document
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
folder = Path(sys.argv[1])
try:
    if sys.argv[2] == "snapshot":
        with SnapshotWriter(folder) as writer:
            writer.write("g", "a", np.zeros(1 << 20, np.uint8))
            writer.publish({})
    else:
        with Journal.open(folder) as journal:
            journal.put_documents([(Document("word " * 1000, str(i)), []) for i in range(1000)], "c")
except StoreError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def index(tmp_path):
    """An index with one published snapshot."""
    with WriterLock(tmp_path), SnapshotWriter(tmp_path) as writer:
        writer.write("g", "a", np.full(1000, 1))
        writer.publish({"value": 1})
    return tmp_path


@pytest.mark.parametrize(("at", "batches"), [(1, 0), (1500, 1), (3000, 2), (9999, 3)])
def test_kill_while_documents_are_stored_loses_at_most_the_batch_in_flight(tmp_path, run_script, at, batches):
    assert run_script(KILL_IN_PUT, tmp_path, at).returncode == -signal.SIGKILL
    with Journal.open(tmp_path) as journal:
        assert journal.revision() == batches
        assert {d.id for d in journal.documents("default")} == {
            f"{b}-{i}" for b in range(batches) for i in range(1000)
        }
        journal.put_documents([(Document("text", "after"), [(0, 4)])], "c")
        assert journal.document_count("default") == batches * 1000 + 1


@pytest.mark.parametrize(
    ("call", "when", "count", "value"),
    [
        ("fsync", "before", 1, 1),  # the first array is cut or unsynced
        ("fsync", "after", 3, 1),  # the manifest is written, in the temporary folder
        ("rename", "before", 1, 1),
        ("rename", "after", 1, 1),  # the snapshot has its name, CURRENT is the old one
        ("replace", "before", 1, 1),
        ("replace", "after", 1, 2),
    ],
)
def test_kill_while_publishing_leaves_the_old_or_the_new_snapshot(
    index, run_script, call, when, count, value
):
    assert run_script(KILL_IN_PUBLISH, index, call, when, count).returncode == -signal.SIGKILL
    with open_snapshot(index) as snapshot:
        assert snapshot.manifest == {"value": value} and snapshot.verify() == []
        assert set(snapshot.array("g", "a").tolist()) == {value}
    with WriterLock(index), SnapshotWriter(index) as writer:
        writer.write("g", "a", np.full(1000, 3))
        number = writer.publish({"value": 3})
    assert open_snapshot(index).manifest == {"value": 3}
    left = sorted(p.name for p in (index / "snapshots").iterdir())
    assert len(left) == 2 and left[-1] == str(number) and not any(name.startswith(".") for name in left)


def test_full_disk_while_arrays_are_written(index, run_script):
    done = run_script(FULL_DISK, index, "snapshot")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("StoreError cannot write ") and "run the command again" in done.stdout
    with open_snapshot(index) as snapshot:
        assert snapshot.manifest == {"value": 1} and snapshot.verify() == []
    assert [p.name for p in (index / "snapshots").iterdir()] == ["1"]


def test_full_disk_while_documents_are_stored(index, run_script):
    with Journal.open(index) as journal:
        journal.put_documents([(Document("text", "before"), [(0, 4)])], "c")
    done = run_script(FULL_DISK, index, "journal")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("StoreError ") and str(index / "journal.db") in done.stdout
    assert "free" in done.stdout
    with Journal.open(index) as journal:
        assert [d.id for d in journal.documents("default")] == ["before"] and journal.revision() == 1
    assert open_snapshot(index).manifest == {"value": 1}
