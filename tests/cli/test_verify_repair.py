"""``verify`` and ``repair``: sentences, exit codes, JSON, and what is saved of a damaged index."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipporag_like.config import Config
from hipporag_like.errors import IndexCorruptError, ModelError
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document

HASHING = Config.from_dict({"embed": {"model": "hashing"}})
DOCUMENTS = [Document(f"Anna{i} met Otto{i % 3} in Oslo.", f"d{i}", f"Title {i}") for i in range(60)]


def call(*words: str):
    from hipporag_like.cli.app import app

    return CliRunner().invoke(app, [str(w) for w in words], prog_name="hipporag-like")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    index = tmp_path_factory.mktemp("made") / "index"
    with HippoRAG(index, config=HASHING) as rag:
        rag.index(DOCUMENTS)
    return index


@pytest.fixture
def index(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "index"))


def spoil(path: Path, text: bytes) -> None:
    data = path.read_bytes()
    assert text in data
    path.write_bytes(data.replace(text, text.swapcase(), 1))


def test_a_sound_index(index):
    done = call("verify", "--index", index)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"{index} is sound\n")
    done = call("verify", "--index", index, "--json")
    assert json.loads(done.stdout) == {"index": str(index), "sound": True, "findings": []}
    done = call("repair", "--index", index)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"nothing to do: {index} is sound\n")


def test_no_index(tmp_path):
    for command in ("verify", "repair"):
        done = call(command, "--index", tmp_path / "none")
        assert done.exit_code == 2 and "make one with: hipporag-like index" in str(
            done.stderr or done.exception
        )


def test_a_damaged_array_is_named_and_made_again(index):
    path = index / "snapshots" / "1" / "g0" / "passage_text.npy"
    spoil(path, b"Anna7")
    (index / "snapshots" / ".tmp-9-9").mkdir()
    done = call("verify", "--index", index)
    assert done.exit_code == 1
    assert done.stdout == (
        f"{path} is damaged (its checksum does not fit its content); "
        f"repair it with: hipporag-like repair --index {index}\n"
    )
    (finding,) = json.loads(call("verify", "--index", index, "--json").stdout)["findings"]
    assert list(finding) == ["file", "what", "remedy"] and finding["file"] == str(path)
    done = call("repair", "--index", index, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["done"] == [
        "removed snapshots/.tmp-9-9, left by a run that was stopped",
        "made snapshot 2 again from the journal",
    ]
    assert HippoRAG(index).verify() == ()


def test_a_damaged_row_of_the_journal_is_named_and_the_rest_is_saved(index):
    spoil(index / "journal.db", b"Anna7 met Otto1 in Oslo.")
    done = call("verify", "--index", index)
    assert done.exit_code == 1
    assert "1 of the rows of documents are not what was written" in done.stdout
    done = call("repair", "--index", index)
    assert done.exit_code == 1  # something was lost, and is named
    assert "the damaged one is" in done.stdout and "lost: 1 documents of the journal" in done.stderr
    assert "d7 (default)" in done.stderr
    assert (index / "journal.db.damaged-1").exists()
    with HippoRAG(index) as rag:
        assert rag.verify() == ()
        assert rag.repair().done == ()
        assert rag.stats()["documents"] == 59
        report = rag.index(DOCUMENTS)
        assert (report.added, report.unchanged, report.failures) == (1, 59, ())


@pytest.mark.parametrize("start", [0, 3, 20, 40, 60])
def test_a_damaged_head_of_the_journal_loses_nothing(index, start):
    path = index / "journal.db"
    data = bytearray(path.read_bytes())
    for place in range(start, start + 4):
        data[place] ^= 0xFF
    path.write_bytes(data)
    with HippoRAG(index) as rag:
        assert rag.verify() or start == 60 or start == 40
        assert rag.repair().lost == ()
        assert rag.verify() == ()
        assert rag.stats()["documents"] == 60


def test_a_journal_of_another_index_is_refused(index, tmp_path):
    with HippoRAG(tmp_path / "other", config=HASHING) as rag:
        rag.index(DOCUMENTS[:5])
        rag.index(DOCUMENTS[5:6])
    shutil.copyfile(tmp_path / "other" / "journal.db", index / "journal.db")
    assert "the journal of another index" in call("verify", "--index", index).stdout
    for command in (["repair"], ["index", __file__.replace(".py", ".nothing")], ["delete", "d1"]):
        done = call(*command, "--index", index)
        assert done.exit_code != 0
    assert HippoRAG(index).retrieve("Anna7", 1)


def test_a_journal_that_lost_commits_is_told(index, tmp_path):
    shutil.copyfile(index / "journal.db", tmp_path / "older.db")
    with HippoRAG(index) as rag:
        rag.index([Document("Edda lit the lamp.", "edda")])
    shutil.copyfile(tmp_path / "older.db", index / "journal.db")
    assert "lost what was committed" in call("verify", "--index", index).stdout
    done = call("repair", "--index", index)
    assert done.exit_code == 1 and "index them again: edda (default)" in done.stderr
    assert HippoRAG(index).verify() == ()


def test_missing_vectors_need_the_embedder_and_that_is_said(index):
    raw = sqlite3.connect(index / "journal.db", isolation_level=None)
    raw.execute("DELETE FROM vectors WHERE rowid % 7 = 0")
    raw.close()
    (index / "CURRENT").write_bytes(b"?")
    spoil(index / "snapshots" / "1" / "g0" / "passage_text.npy", b"Anna7")
    rag = HippoRAG(index, config=HASHING)
    with pytest.raises(ModelError, match=r"lacks the vectors of \d+ texts .*repair --models"):
        rag.repair()
    assert rag.repair(models=True).done == ("made snapshot 2 again from the journal",)
    assert rag.verify() == ()


def test_current_is_pointed_to_the_sound_snapshot_again(index):
    (index / "CURRENT").unlink()
    done = call("query", "Anna7", "--index", index)
    assert done.exit_code != 0
    assert call("repair", "--index", index).stdout == "CURRENT names snapshot 1 again, which is sound\n"
    assert call("query", "Anna7", "--index", index, "-k", "1").exit_code == 0


@pytest.mark.parametrize("preset", ["full", "light"])
def test_an_index_that_grew_bit_by_bit_is_verified_and_repaired(tmp_path, preset):
    config = Config.from_dict({"embed": {"model": "hashing", "preset": preset}})
    index = tmp_path / "index"
    with HippoRAG(index, config=config) as rag:
        rag.index(DOCUMENTS[:50])
        rag.index(DOCUMENTS[50:])
        rag.delete(["d3"])
        assert rag.verify() == ()
        before = rag.retrieve("Anna7", 5)
    spoil(next((index / "snapshots" / "3").rglob("passage_text.npy")), b"Anna7")
    with HippoRAG(index) as rag:
        assert rag.repair().done == ("made snapshot 4 again from the journal",)
        assert rag.verify() == ()
        assert rag.retrieve("Anna7", 5) == before


def test_nothing_of_a_damaged_array_is_taken_over_by_repair(index, monkeypatch):
    from hipporag_like.store import reader

    path = index / "snapshots" / "1" / "g0" / "passage_text.npy"
    spoil(path, b"Anna7")
    monkeypatch.setattr(reader, "SMALL_BYTES", 100)  # so that opening does not notice it
    with HippoRAG(index, config=HASHING) as rag:
        with pytest.raises(IndexCorruptError, match="passage_text.*repair --index"):
            rag.index([Document("Edda lit the lamp.", "edda")])
        rag.repair(models=True)  # the new document was stored and not embedded
        assert rag.verify() == ()
        assert rag.stats()["documents"] == 61


def test_a_journal_whose_tables_are_not_named_any_more_loses_nothing(index):
    path = index / "journal.db"
    data = bytearray(path.read_bytes())
    data[100:160] = b"\xff" * 60
    path.write_bytes(data)
    with HippoRAG(index) as rag:
        assert rag.repair().lost == ()
        assert rag.verify() == () and rag.stats()["documents"] == 60


def test_a_table_that_cannot_be_read_at_all_ends(index, monkeypatch):
    from hipporag_like.store import salvage

    monkeypatch.setattr(salvage, "_TRIES", 500)
    raw = sqlite3.connect(index / "journal.db", isolation_level=None)
    (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'extractions'").fetchone()
    (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    with open(index / "journal.db", "r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with HippoRAG(index, config=HASHING) as rag:
        with pytest.raises(ModelError, match=r"lacks the extractions of .*repair --models"):
            rag.repair()
        assert rag.repair(models=True).lost == ()
        assert rag.verify() == () and rag.stats()["documents"] == 60
