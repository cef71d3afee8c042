"""Indexes that older versions made, kept for ever: each opens, answers as it did then, and can be added to.

How they were made is in ``tests/fixtures/indexes/README.md``.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipporag_like.config import Config
from hipporag_like.errors import IndexLockedError, IndexOutdatedError, ModelError, UsageError
from hipporag_like.rag import HippoRAG
from hipporag_like.store import connection, manifest
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.types import Document

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "indexes"
NAMES = ("journal1", "journal2", "journal2_triples", "journal3")
NEW = Document("Edda Voss lit the lamp of Tolmarre in 1901.", "edda", "Edda Voss")
# Scores of `graph` are written down anew when its walk or its trees are changed on purpose (last: trees fitted in a
# crowd, too); the passages that answer never changed their places, others did then. Of the oldest these are untouched.
STEADY = {"journal1": ("dense", "bm25", "hybrid")}


def unpack(name: str, where: Path) -> Path:
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        archive.extractall(where, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return where / "index"


def formats_of(index: Path) -> tuple[int, int]:
    number = (index / "CURRENT").read_text().split()[0]
    published = json.loads((index / "snapshots" / number / "manifest.json").read_bytes())["format"]
    raw = sqlite3.connect(index / "journal.db")
    (journal,) = raw.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    raw.close()
    return published, journal


def assert_as_recorded(rag: HippoRAG, name: str) -> None:
    expected = json.loads((FIXTURES / f"{name}.expected.json").read_text())
    seen = 0
    for key, hits in expected.items():
        method, _, question = key.partition(": ")
        if method in STEADY.get(name, (method,)):
            found = [(h.passage.id, h.score) for h in rag.retrieve(question, 5, method=method)]
            assert [i for i, _ in found] == [i for i, _ in hits], key
            assert [s for _, s in found] == pytest.approx([s for _, s in hits], abs=1e-6), key
            seen += 1
    assert seen >= 15


@pytest.mark.parametrize("name", NAMES)
def test_an_old_index_answers_as_it_did_and_can_be_added_to(tmp_path, name):
    index = unpack(name, tmp_path)
    with HippoRAG(index) as rag:
        assert_as_recorded(rag, name)
        assert formats_of(index) == (manifest.FORMAT, connection.FORMAT)
        assert rag.verify() == ()
        # Its file of triples, or its rules, may be of yesterday; today's go on from there.
        config = Config.from_dict({"embed": {"model": "hashing"}})
    with HippoRAG(index, config=config) as rag:
        report = rag.index([NEW])
        assert (report.added, report.failures) == (1, ())
        assert rag.retrieve("Who lit the lamp of Tolmarre?", 1)[0].passage.document_id == "edda"
        assert rag.verify() == ()
    assert open_snapshot(index).manifest["namespaces"]["default"]["documents"] == 7


def test_the_command_line_says_so_once(tmp_path):
    from hipporag_like.cli.app import app

    index = unpack("journal2", tmp_path)
    command = ["query", "lambda calculus", "--index", str(index), "-k", "1"]
    first, second = (CliRunner().invoke(app, command, prog_name="hipporag-like") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout and "Alonzo Church" in first.stdout
    assert first.stderr.count("\n") == 1 and "rebuilt the snapshot" in first.stderr
    assert second.stderr == ""


def test_no_model_is_called(tmp_path, monkeypatch):
    from hipporag_like.indexing.upgrade import upgrade
    from hipporag_like.models import hashing, rules

    def called(*arguments):
        raise AssertionError("a model was called")

    monkeypatch.setattr(hashing.HashingEmbedder, "embed", called)
    monkeypatch.setattr(rules.RulesExtractor, "extract", called)
    for name in NAMES:
        index = unpack(name, tmp_path / name)
        assert f"has format {3 if name == 'journal3' else 1} " in upgrade(index)
        assert upgrade(index) == ""


@pytest.fixture
def present(tmp_path) -> Path:
    """An index of the format of this version."""
    index = unpack("journal2", tmp_path)
    HippoRAG(index).retrieve("lambda calculus")
    return index


def test_raising_the_number_is_all_that_a_new_format_needs(present, monkeypatch):
    monkeypatch.setattr(manifest, "FORMAT", manifest.FORMAT + 1)
    with pytest.raises(IndexOutdatedError, match=f"repair --index {present}"):
        HippoRAG(present, read_only=True)
    with HippoRAG(present) as rag:
        assert_as_recorded(rag, "journal2")
        assert rag.verify() == ()
    assert formats_of(present)[0] == manifest.FORMAT
    HippoRAG(present, read_only=True).close()


def test_writing_to_an_old_index_upgrades_it_too(present, monkeypatch):
    monkeypatch.setattr(manifest, "FORMAT", manifest.FORMAT + 1)
    with HippoRAG(present) as rag:
        assert rag.index([NEW]).added == 1
        assert rag.delete(["edda"]).deleted == 1
        assert_as_recorded(rag, "journal2")


def test_an_old_index_that_cannot_be_upgraded(present, monkeypatch):
    monkeypatch.setattr(manifest, "FORMAT", manifest.FORMAT + 1)
    before = sorted(p.name for p in present.rglob("*"))
    with WriterLock(present), pytest.raises(IndexLockedError, match="wait for it or stop it"):
        HippoRAG(present).retrieve("lambda calculus")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(IndexOutdatedError, match=f"cannot be written; .* repair --index {present}"):
        HippoRAG(present).retrieve("lambda calculus")
    assert sorted(p.name for p in present.rglob("*")) == before


def test_repair_needs_a_writable_index(present):
    with pytest.raises(UsageError, match="read-only"):
        HippoRAG(present, read_only=True).repair()


def test_models_make_what_an_old_index_lacks(tmp_path):
    """What is embedded may have changed since; the models are those of the index, whose options stand in it."""
    index = unpack("journal2", tmp_path)
    raw = sqlite3.connect(index / "journal.db")
    with raw:
        raw.execute("DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors LIMIT 3)")
    raw.close()
    with pytest.raises(ModelError, match=r"lacks the vectors .* repair --models"):
        HippoRAG(index).retrieve("Who lit the lamp?")
    with HippoRAG(index) as rag:
        rag.repair(models=True)
    with HippoRAG(index) as rag:
        assert rag.verify() == ()
        assert_as_recorded(rag, "journal2")
