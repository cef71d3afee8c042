"""Deleting a document deletes what was made of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.indexing import build
from hipporag_like.indexing.live import prune
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.rag import HippoRAG
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Passage, Triple

DOCS = (
    Document("Anna Berg lives in Oslo. She met Otto.", "anna", "Anna Berg"),
    Document("Secret Agent lives in Hiding Place. Zebra Code is known.", "secret", "Secret Agent"),
    Document("Anna Berg knows Secret Agent.", "both"),
    Document("A heron. It waits.", "plain", namespace="n"),
)


def rows(folder: Path, table: str, column: str) -> set[Any]:
    connection = sqlite3.connect(folder / "journal.db")
    try:
        return {value for (value,) in connection.execute(f"SELECT {column} FROM {table}")}
    finally:
        connection.close()


def kept(folder: Path) -> tuple[set[Any], set[Any]]:
    return rows(folder, "vectors", "hash"), rows(folder, "extractions", "key")


def test_vectors_and_extractions_of_deleted_documents_go(tmp_path: Path, embedder: Any, extractor: Any):
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index(DOCS)
    everything = kept(rag.path)
    rag.delete(["secret"])
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index([d for d in DOCS if d.id != "secret"])
    assert kept(rag.path) == kept(fresh.path)
    assert kept(rag.path)[0] < everything[0]
    assert kept(rag.path)[1] < everything[1]


def test_nothing_of_a_deleted_text_is_left_on_disk(tmp_path: Path, embedder: Any, extractor: Any):
    with HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor) as rag:
        rag.index(DOCS)
        assert any(b"Zebra Code" in file.read_bytes() for file in rag.path.rglob("*") if file.is_file())
        rag.delete(["secret"])
    rag.index(
        [Document("Another one.", "new")]
    )  # the snapshot before the last goes with the next publication
    for file in rag.path.rglob("*"):
        assert not file.is_file() or b"Zebra Code" not in file.read_bytes(), file


def test_what_lives_is_not_embedded_again(tmp_path: Path, embedder: Any, extractor: Any):
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index(DOCS)
    rag.delete(["secret"])
    embedder.texts.clear()
    extractor.passages.clear()
    rag.index([Document("Zed.", "zed")])
    assert extractor.passages == ["Zed."]
    assert sorted(embedder.texts) == ["Zed", "Zed."]


def test_the_leftovers_of_updates_go_too(tmp_path: Path, embedder: Any, extractor: Any):
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index(DOCS)
    rag.index([Document("Anna Berg moved to Bodo.", "anna", "Anna Berg")])
    rag.delete(["plain"])
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index([Document("Anna Berg moved to Bodo.", "anna", "Anna Berg"), *DOCS[1:3]])
    assert kept(rag.path) == kept(fresh.path)


def test_prune_of_a_clean_journal_deletes_nothing(tmp_path: Path, embedder: Any, extractor: Any):
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index(DOCS)
    with Journal.open(rag.path) as journal:
        assert prune(rag.path, journal, extractor) == (0, 0)


def test_triples_are_embedded_as_they_are_pruned(tmp_path: Path, embedder: Any, extractor: Any):
    from hipporag_like.types import Extraction, Triple

    def extract(passages: Any) -> Any:
        for passage in passages:
            yield Extraction(
                ((0, len(passage.text)),), triples=(Triple("Anna", "lives in", passage.text[-5:]),)
            )

    extractor.extract = extract
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index(DOCS)
    with Journal.open(rag.path) as journal:
        assert prune(rag.path, journal, extractor) == (0, 0)


class Paraphrasing:
    """Says in words of its own what "A met B" means; every other sentence is no fact."""

    fingerprint = "paraphrasing:1"

    def key(self, passage: Passage) -> str:
        return content_hash(passage.title, passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        for passage in passages:
            found = re.findall(r"(\w+) met (\w+)", passage.text)
            triples = tuple(Triple(a, "made the acquaintance of", b) for a, b in found)
            yield Extraction(tuple(sentence_spans(passage.text)), (), (), triples)


MET = (
    Document("Anna met Otto. It was raining.", "first", "Oslo"),
    Document("Indeed Anna met Otto! They waited.", "second", "Oslo"),
    Document("Zebra met Otto. It was raining cats.", "secret", "Oslo"),
)


@pytest.mark.parametrize("look_at_all", [0, 2000])
@pytest.mark.parametrize("preset", ["full", "light"])
@pytest.mark.parametrize("gone", [["secret"], ["first"], ["second", "secret"]])
def test_the_journal_keeps_what_is_in_use_and_no_more(
    tmp_path: Path,
    embedder: Any,
    monkeypatch: pytest.MonkeyPatch,
    look_at_all: int,
    preset: str,
    gone: list[str],
):
    """Words that stand in no fact, phrases, and triples in other words than their passage's."""
    monkeypatch.setattr(build, "LOOK_AT_ALL", look_at_all)  # by which small indexes go the way of large ones
    config = Config(embed=EmbedConfig(preset=preset))
    given = {"config": config, "embedder": embedder, "extractor": Paraphrasing()}
    with HippoRAG(tmp_path / "index", **given) as rag, HippoRAG(tmp_path / "fresh", **given) as fresh:
        rag.index(MET)
        rag.delete(gone)
        fresh.index([d for d in MET if d.id not in gone])
        assert kept(rag.path) == kept(fresh.path)


@pytest.mark.parametrize("look_at_all", [0, 2000])
def test_the_same_text_under_another_title_keeps_its_extraction(
    tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch, look_at_all: int
):
    monkeypatch.setattr(build, "LOOK_AT_ALL", look_at_all)
    rules = RulesExtractor()  # which looks at the text only
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=rules)
    twins = [
        Document(text, f"{title} {text}", title)
        for title in ("Oslo", "Bergen")
        for text in ("Otto sang.", "The Who")
    ]
    rag.index([*twins, Document("Anna sang.", "anna")])
    rag.delete([d.id for d in twins if d.title == "Oslo"])
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=rules)
    fresh.index([*twins[2:], Document("Anna sang.", "anna")])
    assert kept(rag.path) == kept(fresh.path)


def test_a_text_that_is_also_a_name_is_kept_for_it(
    tmp_path: Path, embedder: Any, extractor: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build, "LOOK_AT_ALL", 0)
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    others = [Document("We saw Zebra Code here.", "a"), Document("Zebra", "b")]
    rag.index([*others, Document("Zebra Code", "gone"), Document("We saw Zebra here.", "gone too")])
    rag.delete(["gone", "gone too"])
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index(others)
    assert kept(rag.path) == kept(fresh.path)


def test_a_spelling_that_showed_an_entity_once_goes_too(
    tmp_path: Path, embedder: Any, extractor: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build, "LOOK_AT_ALL", 0)
    rag = HippoRAG(tmp_path / "index", embedder=embedder, extractor=extractor)
    rag.index([Document("We saw Zebra CODE here.", "secret")])
    others = [Document(f"We saw Zebra Code there, {i} times.", f"d{i}") for i in range(3)]
    rag.index(others)  # from now on it is shown as "Zebra Code"
    rag.delete(["secret"])
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index(others)
    assert kept(rag.path) == kept(fresh.path)
