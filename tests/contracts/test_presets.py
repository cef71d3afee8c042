"""What a search promises whatever was embedded: every preset, through the whole of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hipporag_like.config import Config, EmbedConfig, SearchConfig
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document

DOCS = (
    Document("Jaws is a 1975 thriller film. It was directed by Steven Spielberg.", "jaws", "Jaws"),
    Document(
        "Steven Spielberg is a director. He was born in Cincinnati in 1946.", "spielberg", "Steven Spielberg"
    ),
    Document("Cincinnati is a city in Ohio. The Ohio River flows past it.", "cincinnati", "Cincinnati"),
    Document("Alien is a horror film directed by Ridley Scott.", "alien", "Alien (film)"),
    Document("Ridley Scott is an English director. He was born in South Shields.", "scott", "Ridley Scott"),
    Document("South Shields is a coastal town at the mouth of the Tyne.", "shields", "South Shields"),
    Document("It is. They were.", "empty"),
)
QUESTION = "Where was the director of Jaws born?"


def made(folder: Path, preset: str, fusion: str = "full", engine: str = "push") -> HippoRAG:
    config = Config(
        embed=EmbedConfig("hashing", preset=preset), search=SearchConfig(fusion=fusion, engine=engine)
    )
    return HippoRAG(folder, config=config)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module", params=["light", "full"])
def preset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, preset: str) -> Path:
    path = tmp_path_factory.mktemp(preset)
    made(path, preset).index(DOCS)
    return path


@pytest.mark.parametrize("fusion", ["full", "fast", "weights"])
def test_two_hops_are_found(folder: Path, preset: str, fusion: str):
    trace = made(folder, preset, fusion).explain(QUESTION, 2)
    assert trace.method == "graph"
    assert {hit.passage.document_id for hit in trace.hits} == {"jaws", "spielberg"}
    assert all(hit.path for hit in trace.hits)
    assert "ngram" in {seed.source for seed in trace.seeds}


def test_facts_say_how_like_the_question_they_are(folder: Path, preset: str):
    trace = made(folder, preset).explain("Steven Spielberg was born in Cincinnati in 1946.", 5)
    cosines = {fact.fact.text: fact.similarity for fact in trace.facts}
    assert all(-1.0001 <= cosine <= 1.0001 for cosine in cosines.values())
    assert max(cosines, key=cosines.__getitem__) == "He was born in Cincinnati in 1946."


@pytest.mark.parametrize("engine", ["power", "prpack"])
def test_engines_agree(folder: Path, preset: str, engine: str):
    ours = made(folder, preset).explain(QUESTION, 7)
    theirs = made(folder, preset, engine=engine).explain(QUESTION, 7)
    assert [h.passage.id for h in ours.hits] == [h.passage.id for h in theirs.hits]
    assert [h.score for h in ours.hits] == pytest.approx([h.score for h in theirs.hits], abs=0.02)


def test_hits_do_not_tell_how_the_index_came_to_be(folder: Path, preset: str, tmp_path: Path):
    grown = made(tmp_path / "grown", preset)
    other = Document("Zebras live in Kenya. Steven Spielberg filmed them.", "zebra", "Zebra")
    for part in (DOCS[4:], [other], DOCS[:4]):
        grown.index(part)
    grown.delete(["zebra"])
    expected = made(folder, preset)
    for question in (QUESTION, "Who directed Alien?", "a coastal town", "Steven Speilberg"):
        assert grown.retrieve(question, 7) == expected.retrieve(question, 7)


def test_a_question_about_nothing_known_is_answered(folder: Path, preset: str):
    trace = made(folder, preset).explain("Qwrtz Zxcvb?", 3)
    assert trace.outcome in ("ok", "no_seeds", "empty")
