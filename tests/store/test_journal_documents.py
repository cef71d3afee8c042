"""Documents and passages in the journal."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    InputError,
    StoreError,
)
from hipporag_like.store import connection as connection_module
from hipporag_like.store.journal import Journal, document_hash
from hipporag_like.types import Document, Passage

HALVES = [(0, 5), (6, 10)]
SETTINGS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "secure_delete": 1,
    "foreign_keys": 1,
    "page_size": 16384,
}


def doc(document_id, text="alpha beta", **rest):
    return Document(text=text, id=document_id, **rest)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "index") as opened:
        yield opened


def test_passages_are_slices_with_the_title_and_metadata_of_their_document(journal):
    metadata = {"year": 1999, "tags": ["ü", None]}
    journal.put_documents([(doc("a", title="T", metadata=metadata), HALVES)], "c")
    assert list(journal.passages("default")) == [
        Passage("a#0", "a", "alpha", 0, 5, "T", metadata),
        Passage("a#1", "a", "beta", 6, 10, "T", metadata),
    ]
    assert list(journal.documents("default")) == [doc("a", title="T", metadata=metadata)]


def test_namespaces_are_apart(journal):
    journal.put_documents(
        [(doc("a"), HALVES), (doc("a", "other text", namespace="n"), [(0, 5)]), (doc("b"), [])], "c"
    )
    assert [p.id for p in journal.passages("n")] == ["n/a#0"]
    assert [p.text for p in journal.passages("n")] == ["other"]
    assert journal.namespaces() == {"default": 2, "n": 1}
    assert journal.namespaces_of("a") == ["default", "n"] and journal.namespaces_of("x") == []
    assert (journal.document_count("default"), journal.document_count("x")) == (2, 0)
    assert list(journal.passages("x")) == []


def test_putting_again_replaces_the_document_and_its_passages(journal):
    journal.put_documents([(doc("a"), HALVES)], "c")
    journal.put_documents([(doc("a", "gamma"), [(0, 5)])], "c")
    assert [p.text for p in journal.passages("default")] == ["gamma"]
    assert journal.document_count("default") == 1


def test_hashes_tell_what_changed(journal):
    stored = doc("a", title="T", metadata={"x": 1, "y": 2})
    journal.put_documents([(stored, HALVES)], "c")
    found = journal.document_hashes([("default", "a"), ("default", "b"), ("n", "a")])
    assert found == {("default", "a"): document_hash(stored, "c")}
    assert document_hash(stored, "c") == document_hash(doc("a", title="T", metadata={"y": 2, "x": 1}), "c")
    changed = [
        document_hash(stored, "other chunks"),
        document_hash(doc("a", "alpha Beta", title="T", metadata={"x": 1, "y": 2}), "c"),
        document_hash(doc("a", title="U", metadata={"x": 1, "y": 2}), "c"),
        document_hash(doc("a", title="T", metadata={"x": 1, "y": 3}), "c"),
    ]
    assert len({document_hash(stored, "c"), *changed}) == 5


def test_more_documents_than_one_statement_takes(journal):
    rows = [(doc(f"d{i}", f"text {i}"), [(0, 4)]) for i in range(2500)]
    journal.put_documents(rows, "c")
    keys = [("default", f"d{i}") for i in range(2500)]
    assert set(journal.document_hashes([*keys, ("default", "none")])) == set(keys)
    assert journal.delete_documents([*keys[:2000], ("default", "none"), ("n", "d2400")]) == 2000
    assert journal.document_count("default") == 500


HISTORY = st.lists(
    st.tuples(st.sampled_from("pd"), st.sampled_from("abcd"), st.text("xyz ", min_size=1, max_size=6)),
    max_size=12,
)


@settings(max_examples=10, deadline=None)  # each writes two databases
@given(HISTORY)
def test_order_tells_nothing_of_history(history):
    state = {}
    with tempfile.TemporaryDirectory() as scratch:
        with Journal.open(Path(scratch) / "lived") as lived:
            for action, document_id, text in history:
                if action == "p":
                    state[document_id] = text
                    lived.put_documents([(doc(document_id, text), [(0, 1), (0, len(text))])], "c")
                else:
                    assert lived.delete_documents([("default", document_id)]) == (document_id in state)
                    state.pop(document_id, None)
            passages, documents = list(lived.passages("default")), list(lived.documents("default"))
        with Journal.open(Path(scratch) / "fresh") as fresh:
            rows = [
                (doc(i, text), [(0, 1), (0, len(text))]) for i, text in sorted(state.items(), reverse=True)
            ]
            fresh.put_documents(rows, "c")
            assert list(fresh.passages("default")) == passages
            assert list(fresh.documents("default")) == documents
    assert [p.text for p in passages] == [t for d in documents for t in (d.text[:1], d.text)]
    assert {d.id: d.text for d in documents} == state


def test_revision_counts_changes_only(journal):
    assert journal.revision() == 0
    journal.put_documents([(doc("a"), HALVES)], "c")
    journal.put_documents([], "c")
    assert journal.revision() == 1
    assert journal.delete_documents([("default", "b")]) == journal.delete_documents([]) == 0
    journal.set_meta("k", "v")
    assert journal.revision() == 1
    journal.delete_documents([("default", "a")])
    assert journal.revision() == 2


def test_meta_survives_and_cannot_reach_the_journals_own_values(tmp_path):
    with Journal.open(tmp_path) as journal:
        assert journal.get_meta("format") is None
        journal.set_meta("format", "mine")
        journal.set_meta("format", "mine again")
    with Journal.open_readonly(tmp_path) as journal:
        assert journal.get_meta("format") == "mine again" and journal.get_meta("other") is None


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (doc("b", "lone \ud800"), "cannot be stored"),
        (doc("b", metadata={"x": float("nan")}), "metadata of document 'b'"),
        (doc("b", metadata={"x": object()}), "metadata of document 'b'"),
        (doc("b", metadata={"x": "\udfff"}), "cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_of_the_batch_is_kept(journal, bad, sentence):
    with pytest.raises(InputError, match=sentence):
        journal.put_documents([(doc("a"), HALVES), (bad, [(0, 1)])], "c")
    assert journal.namespaces() == {} and journal.revision() == 0


@pytest.mark.parametrize("span", [(0, 11), (-1, 2), (3, 2)])
def test_span_outside_the_text_is_a_mistake(journal, span):
    with pytest.raises(ValueError, match="outside the text"):
        journal.put_documents([(doc("a"), [span])], "c")


def test_deleted_text_is_gone_from_the_disk(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.put_documents([(doc("a", "the secret word is xyzzyplugh"), [(0, 3)])], "c")
        files = [p for p in tmp_path.iterdir() if p.is_file()]
        assert any(b"xyzzyplugh" in p.read_bytes() for p in files)
        journal.delete_documents([("default", "a")])
        assert not any(b"xyzzyplugh" in p.read_bytes() for p in tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_only_the_user_may_read(tmp_path):
    before = os.umask(0)
    try:
        with Journal.open(tmp_path / "index") as journal:
            journal.put_documents([(doc("a"), HALVES)], "c")
            names = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "index").iterdir()}
    finally:
        os.umask(before)
    assert names == dict.fromkeys(["journal.db", "journal.db-wal", "journal.db-shm"], 0o600)
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o700


def test_readonly_sees_what_is_committed_and_cannot_write(tmp_path):
    with Journal.open(tmp_path) as journal, Journal.open_readonly(tmp_path) as reader:
        journal.put_documents([(doc("a"), HALVES)], "c")
        assert reader.document_count("default") == 1
        with pytest.raises(StoreError, match="read-only"):
            reader.set_meta("k", "v")
        journal.put_documents([(doc("b"), HALVES)], "c")
        assert reader.document_count("default") == 2


def test_readonly_works_in_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    with Journal.open(tmp_path) as journal:
        journal.put_documents([(doc("a"), HALVES)], "c")
    monkeypatch.setattr(connection_module.os, "access", lambda path, mode: False)
    with Journal.open_readonly(tmp_path) as journal:
        assert journal.document_count("default") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["journal.db"]


@pytest.mark.parametrize("leftover", [None, b""])
def test_readonly_without_a_journal(tmp_path, leftover):
    if leftover is not None:
        (tmp_path / "journal.db").write_bytes(leftover)
    with pytest.raises(IndexNotFoundError, match="make one with: hipporag-like index SOURCE"):
        Journal.open_readonly(tmp_path)


def test_kill_between_making_the_file_and_its_tables_is_mended(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"")
    with Journal.open(tmp_path) as journal:
        assert journal.revision() == 0


@pytest.mark.parametrize("opener", [Journal.open, Journal.open_readonly])
def test_newer_format(tmp_path, opener):
    Journal.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    raw.close()
    with pytest.raises(IndexFormatError, match="has format 99 and this version reads up to 3; upgrade"):
        opener(tmp_path)


@pytest.mark.parametrize("opener", [Journal.open, Journal.open_readonly])
def test_damaged_file(tmp_path, opener):
    Journal.open(tmp_path).close()
    (tmp_path / "journal.db").write_bytes(b"this is no database " * 400)
    with pytest.raises(IndexCorruptError, match=r"journal\.db is damaged .*with: hipporag-like repair"):
        opener(tmp_path)


def test_cut_file(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.put_documents([(doc(str(i), "word " * 300), [(0, 4)]) for i in range(200)], "c")
    path = tmp_path / "journal.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(IndexCorruptError, match="is damaged"), Journal.open(tmp_path) as journal:
        list(journal.passages("default"))


def test_somebody_elses_database(tmp_path):
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("CREATE TABLE bookmarks (url)")
    raw.close()
    with pytest.raises(IndexCorruptError, match="is damaged"):
        Journal.open(tmp_path)


def test_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "index").write_text("")
    with pytest.raises(StoreError, match="use another folder"):
        Journal.open(tmp_path / "index")


def test_other_process_in_the_middle_of_a_write(tmp_path, monkeypatch):
    monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.01)
    with Journal.open(tmp_path) as journal:
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLockedError, match="wait for it or stop it"):
            journal.set_meta("k", "v")
        other.close()
        journal.set_meta("k", "v")


def test_closed_journal_is_a_mistake_of_the_program(tmp_path):
    journal = Journal.open(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(sqlite3.ProgrammingError):
        journal.revision()


def test_commits_are_durable_and_keys_enforced(journal):
    settings_now = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS]
    assert settings_now == list(SETTINGS.values())


@pytest.mark.parametrize("ids", [None, ["a", "b"]])
def test_stored_documents_are_compared_with_their_checksum(tmp_path, ids):
    with Journal.open(tmp_path) as journal:
        journal.put_documents([(Document("one", "a"), [(0, 3)]), (Document("two", "b"), [(0, 3)])], "c")
        assert len(list(journal.stored("default", ids))) == 2
        journal._connection.execute("UPDATE documents SET text = 'twe' WHERE id = 'b'")
        with pytest.raises(IndexCorruptError, match="a row of documents does not fit its checksum"):
            list(journal.stored("default", ids))


def test_a_document_that_is_listed_and_not_there_is_told(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.put_documents([(Document("one", "a"), [(0, 3)])], "c")
        with pytest.raises(IndexCorruptError, match="1 documents of 'default' cannot be found"):
            list(journal.stored("default", ["a", "b"]))
