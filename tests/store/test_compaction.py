"""What deletions free goes back to the disk once it is more than half of the journal."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.store.connection import PAGE_BYTES
from hipporag_like.store.journal import Journal
from hipporag_like.types import Document

COUNT = 40
TEXT = "Anna met Otto in Oslo. " * 1500  # two pages and more a document


@pytest.fixture
def journal(tmp_path: Path):
    with Journal.open(tmp_path / "index") as opened:
        opened.put_documents([(Document(TEXT, f"d{i}"), [(0, 20)]) for i in range(COUNT)], "whole")
        hashes = [f"{i:032x}" for i in range(COUNT)]
        opened.put_vectors("some", hashes, np.full((COUNT, 8), 0.25, np.float32))
        yield opened


def delete(journal: Journal, count: int) -> None:
    journal.delete_documents([("default", f"d{i}") for i in range(count)])


def size(journal: Journal) -> int:
    return journal.path.stat().st_size


def unused(path: Path) -> int:
    raw = sqlite3.connect(path)
    (pages,) = raw.execute("PRAGMA freelist_count").fetchone()
    raw.close()
    return int(pages) * PAGE_BYTES


def test_half_a_journal_of_dead_space_is_given_back(journal: Journal):
    revision, name = journal.revision() + 1, journal.identity()
    delete(journal, COUNT - 4)
    whole = size(journal)
    assert whole > COUNT * len(TEXT) and unused(journal.path) > whole / 2
    assert journal.compact()
    assert size(journal) < whole / 2 and unused(journal.path) == 0
    log = journal.path.with_name("journal.db-wal")
    assert not log.exists() or log.stat().st_size == 0
    assert {d.id: d.text for d in journal.documents("default")} == {f"d{i}": TEXT for i in range(36, 40)}
    assert (journal.revision(), journal.identity()) == (revision, name)
    found, matrix = journal.vectors("some", [f"{COUNT - 1:032x}"], 8)
    assert found.all() and (matrix == 0.25).all()
    assert not journal.compact()  # nothing left to do


def test_less_than_half_stays_for_what_comes(journal: Journal):
    delete(journal, COUNT // 3)
    whole = size(journal)
    assert not journal.compact() and size(journal) == whole and unused(journal.path) > 0


def test_readers_go_on_reading_and_see_all_of_it(journal: Journal):
    raw = sqlite3.connect(journal.path, isolation_level=None)
    raw.execute("BEGIN")
    assert raw.execute("SELECT count(*) FROM documents").fetchone() == (COUNT,)
    delete(journal, COUNT - 4)
    assert journal.compact()
    # What the reader began to read is still there.
    assert raw.execute("SELECT count(*), sum(length(text)) FROM documents").fetchone() == (
        COUNT,
        COUNT * len(TEXT),
    )
    raw.execute("COMMIT")
    assert raw.execute("SELECT count(*) FROM documents").fetchone() == (4,)
    raw.close()
    journal.close()  # the last one out writes the log back
    assert unused(journal.path) == 0 and size(journal) < COUNT * len(TEXT) / 2


def test_without_room_for_a_copy_nothing_is_done(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    delete(journal, COUNT - 4)
    whole = size(journal)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(PAGE_BYTES))
    assert not journal.compact() and size(journal) == whole
    monkeypatch.undo()
    assert journal.compact()
