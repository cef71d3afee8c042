"""Answers of language models in the journal: kept at once, by many threads, and deleted with what they are about."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from hipporag_like.errors import IndexCorruptError, IndexFormatError
from hipporag_like.store import connection
from hipporag_like.store.calls import CallTable
from hipporag_like.store.codec import encode_extraction
from hipporag_like.store.connection import FORMAT
from hipporag_like.store.documents import _row
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction

ANSWER = ("the \u201canswer\u201d\n\x00 \U0001f600", False, 12, 3)
KEY = content_hash("key")


@pytest.fixture
def folder(tmp_path):
    Journal.open(tmp_path).close()
    return tmp_path


def test_answers_come_back_by_model_and_call(folder):
    with CallTable(folder) as table:
        assert table.get("m", KEY) is None
        table.put("m", KEY, "owner", ANSWER)
        table.put("n", KEY, "owner", ("other", True, 0, 0))
    with CallTable(folder) as table:
        assert table.get("m", KEY) == ANSWER
        assert table.get("n", KEY) == ("other", True, 0, 0)
        assert table.get("o", KEY) is table.get("m", content_hash("x")) is None
        table.put("m", KEY, "owner", ("newer", False, 1, 1))
        assert table.get("m", KEY) == ("newer", False, 1, 1)


def test_another_connection_sees_an_answer_at_once(folder):
    with CallTable(folder) as one, CallTable(folder) as two, Journal.open_readonly(folder) as journal:
        one.put("m", KEY, "", ANSWER)
        assert two.get("m", KEY) == journal.call("m", KEY) == ANSWER


def test_the_revision_stays(folder):
    with CallTable(folder) as table, Journal.open(folder) as journal:
        before = journal.revision()
        table.put("m", KEY, "", ANSWER)
        table.forget("m", [KEY])
        assert journal.revision() == before


def test_answers_are_forgotten_by_call(folder):
    keys = [content_hash(str(i)) for i in range(2000)]
    with CallTable(folder) as table:
        for key in keys[:30]:
            table.put("m", key, "", ANSWER)
        table.put("n", keys[0], "", ANSWER)
        table.forget("m", keys[:29] + keys[40:])
        assert [table.get("m", key) is not None for key in keys[:31]] == [False] * 29 + [True, False]
        assert table.get("n", keys[0]) == ANSWER
        table.forget("unknown", keys)
        table.forget("m", [])


def test_without_a_journal_nothing_is_kept_and_none_is_made(tmp_path):
    with CallTable(tmp_path / "none") as table:
        table.put("m", KEY, "", ANSWER)
        table.forget("m", [KEY])
        assert table.get("m", KEY) is None
    assert not (tmp_path / "none").exists()


def test_a_closed_table_opens_again(folder):
    table = CallTable(folder)
    table.put("m", KEY, "", ANSWER)
    table.close()
    table.close()
    assert table.get("m", KEY) == ANSWER
    table.close()


def test_threads_and_an_indexing_writer_share_the_journal(folder):
    with CallTable(folder) as table, Journal.open(folder) as journal:

        def work(number):
            key = content_hash(str(number))
            table.put("m", key, "", (str(number), False, number, 0))
            return table.get("m", key)

        with ThreadPoolExecutor(6) as pool:
            found = pool.map(work, range(120))
            for number in range(40):
                journal.put_extractions("f", [(str(number), Extraction())])
            assert list(found) == [(str(i), False, i, 0) for i in range(120)]
        assert len(journal.extractions("f", [str(i) for i in range(40)])) == 40


def test_prune_deletes_the_calls_of_deleted_passages_and_of_questions(folder):
    with CallTable(folder) as table, Journal.open(folder) as journal:
        for name, owner in (("a", "live"), ("b", "dead"), ("c", "")):
            table.put("m", content_hash(name), owner, ANSWER)
        journal.put_extractions("f", [("live", Extraction()), ("dead", Extraction())])
        journal.prune(["live"], [])
        left = [table.get("m", content_hash(name)) is not None for name in "abc"]
        assert left == [True, False, False]
        assert set(journal.extractions("f", ["live", "dead"])) == {"live"}


def test_what_is_pruned_is_gone_from_the_file(folder):
    secret = "Rosebud-7319"
    with CallTable(folder) as table, Journal.open(folder) as journal:
        table.put("m", KEY, "dead", (secret, False, 1, 1))
        journal.put_extractions("f", [("dead", Extraction(names=("x",)))])
        journal.prune([], [])
    held = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert secret.encode() not in held


def test_a_damaged_answer_is_named(folder):
    with CallTable(folder) as table:
        table.put("m", KEY, "", ANSWER)
    raw = sqlite3.connect(folder / "journal.db", isolation_level=None)
    for payload in ("[1", '["a", true]', "5"):
        raw.execute("UPDATE calls SET payload = ?", (payload,))
        with CallTable(folder) as table, pytest.raises(IndexCorruptError, match=r"journal\.db is damaged"):
            table.get("m", KEY)
    raw.close()


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A journal as version 0.1 wrote it, format 1: without a table for calls and without checksums."""
    with monkeypatch.context() as patch:
        patch.setattr(connection, "FORMAT", 1)
        Journal.open(tmp_path).close()
    document, spans = Document("Ada met Otto.", "d"), [(0, 13)]
    raw = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    raw.execute(
        "INSERT INTO documents VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", _row(document, spans, "chunks")[:-1]
    )
    raw.execute("INSERT INTO fingerprints VALUES (1, 'f')")
    payload = encode_extraction(Extraction(names=("Ada",)))
    raw.execute("INSERT INTO extractions VALUES (1, 'k', 'ok', ?)", (payload,))
    raw.execute("UPDATE meta SET value = 2 WHERE key = 'revision'")
    raw.close()
    return tmp_path, 2


def number_of(folder):
    raw = sqlite3.connect(folder / "journal.db")
    (number,) = raw.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    raw.close()
    return number


def test_an_older_journal_can_be_read_as_it_is(old):
    folder, revision = old
    with Journal.open_readonly(folder) as journal:
        assert [d.id for d in journal.documents("default")] == ["d"]
        assert journal.revision() == revision
    assert number_of(folder) == 1


def test_an_older_journal_is_brought_up_to_date_when_written(old):
    folder, revision = old
    with CallTable(folder) as table:
        table.put("m", KEY, "k", ANSWER)
        assert table.get("m", KEY) == ANSWER
    assert number_of(folder) == FORMAT
    with Journal.open(folder) as journal:
        assert [d.id for d in journal.documents("default")] == ["d"]
        assert journal.extractions("f", ["k"])["k"].names == ("Ada",)
        assert journal.revision() == revision
        journal.prune(["k"], [])
        assert journal.call("m", KEY) == ANSWER


def test_several_processes_may_bring_it_up_to_date_at_once(old):
    folder, _ = old
    with ThreadPoolExecutor(4) as pool:
        for journal in pool.map(lambda _: Journal.open(folder), range(4)):
            journal.close()
    assert number_of(folder) == FORMAT


def test_a_newer_journal_is_refused(old):
    folder, _ = old
    raw = sqlite3.connect(folder / "journal.db", isolation_level=None)
    raw.execute("UPDATE meta SET value = ? WHERE key = 'format'", (FORMAT + 1,))
    raw.close()
    with pytest.raises(IndexFormatError, match="upgrade"), CallTable(folder) as table:
        table.get("m", KEY)
