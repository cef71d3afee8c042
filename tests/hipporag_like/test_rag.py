"""The one object a user holds: what it refuses, what it loads, what it keeps open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipporag_like.config import Config, EmbedConfig, ReadConfig, SearchConfig
from hipporag_like.errors import (
    ConfigError,
    HippoRAGLikeError,
    IndexMismatchError,
    IndexNotFoundError,
    InputError,
    UsageError,
)
from hipporag_like.models import embedders
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Answer, Document, Trace

HASHING = Config(embed=EmbedConfig("hashing"))
DOCS = (
    Document("Anna Berg lives in Oslo. She met Otto Lind.", "anna", "Anna Berg", {"year": 1990}),
    Document("Otto Lind is a painter from Bergen.", "otto", "Otto Lind"),
    Document("Oslo is the capital of Norway.", "oslo", "Oslo", namespace="places"),
    Document("Otto is a name.", "otto", namespace="places"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rag") / "index"
    with HippoRAG(path, config=HASHING) as rag:
        assert rag.index(DOCS).failures == ()
    return path


@pytest.fixture
def rag(folder: Path) -> Iterator[HippoRAG]:
    with HippoRAG(folder) as opened:
        yield opened


class TitleReader:
    """Answers with the title of the best passage."""

    name = "title"

    def read(self, question: str, trace: Trace) -> Answer:
        return Answer(question, trace.hits[0].passage.title, (), 1.0, self.name, trace.hits)


class NeverEmbedder:
    """An embedder that must not be called."""

    fingerprint = HashingEmbedder().fingerprint
    dim = HashingEmbedder().dim

    def embed(self, texts: Any, kind: str = "passage") -> Any:
        raise AssertionError(f"embedded {texts}")


# Bad arguments


@pytest.mark.parametrize("call", ["retrieve", "explain", "ask"])
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("Anna?", 0), {}, ConfigError, "k must be a whole number of at least 1, got 0"),
        (("Anna?", -3), {}, ConfigError, "k must be"),
        (("Anna?", "x"), {}, ConfigError, "k must be a whole number of at least 1, got 'x'"),
        (("Anna?", 2.5), {}, ConfigError, "k must be"),
        (("Anna?", True), {}, ConfigError, "k must be"),
        (("",), {}, UsageError, "the question is empty"),
        ((" \n\t",), {}, UsageError, "the question is empty"),
        ((None,), {}, UsageError, "the question is empty"),
        ((["Anna?"],), {}, UsageError, "the question is empty"),
        (
            ("Anna?",),
            {"method": "magic"},
            ConfigError,
            "method must be one of graph, hipporag, hipporag2, ",
        ),
        (("Anna?",), {"where": "year"}, UsageError, "where must be a mapping"),
        (("Anna?",), {"where": []}, UsageError, "where must be a mapping"),
        (("Anna?",), {"where": {"year": {"above": 1}}}, UsageError, "unknown comparison 'above'"),
        (("Anna?",), {"namespace": "nowhere"}, UsageError, "there is no namespace 'nowhere' in the index"),
    ],
)
def test_bad_arguments_are_one_sentence(
    rag: HippoRAG, call: str, arguments: Any, options: Any, error: type[HippoRAGLikeError], message: str
):
    with pytest.raises(error, match=message) as caught:
        getattr(rag, call)(*arguments, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("one question",), {}, "retrieve_many takes a list of questions, got a single one; use retrieve"),
        ((["fine?", " "],), {}, "the question is empty"),
        ((["fine?", 3],), {}, "the question is empty"),
        ((["fine?"], 0), {}, "k must be"),
        ((["fine?"],), {"where": "x"}, "where must be a mapping"),
        ((["fine?"],), {"namespace": "nowhere"}, "no namespace"),
    ],
)
def test_bad_arguments_of_many(rag: HippoRAG, arguments: Any, options: Any, message: str):
    with pytest.raises(UsageError, match=message):
        rag.retrieve_many(*arguments, **options)


@pytest.mark.parametrize("documents", ["a text", Document("a text", "a")])
def test_a_single_document_is_refused(tmp_path: Path, documents: Any):
    with pytest.raises(InputError, match="takes a list of documents"):
        HippoRAG(tmp_path / "index", config=HASHING).index(documents)


def test_where_is_checked_even_where_nothing_is_left(tmp_path: Path):
    rag = HippoRAG(tmp_path / "index", config=HASHING)
    rag.index([DOCS[0]])
    rag.delete(["anna"])
    with pytest.raises(UsageError, match="unknown comparison"):
        rag.retrieve("Anna?", where={"x": {"near": 1}})
    assert rag.retrieve("Anna?", where={"x": 1}) == []


# Opening


def test_nothing_indexed_yet(tmp_path: Path):
    rag = HippoRAG(tmp_path / "none")
    for call in (
        lambda: rag.retrieve("Anna?"),
        lambda: rag.explain("Anna?"),
        lambda: rag.retrieve_many(["Anna?"]),
        lambda: rag.delete(["a"]),
        lambda: rag.stats(),
        lambda: HippoRAG(tmp_path / "none", read_only=True),
    ):
        with pytest.raises(IndexNotFoundError, match="index"):
            call()
    assert not (tmp_path / "none").exists()
    assert rag.config == Config()


def test_read_only_refuses_to_write(folder: Path):
    rag = HippoRAG(folder, read_only=True)
    for write in (lambda: rag.index(DOCS), lambda: rag.delete(["anna"])):
        with pytest.raises(UsageError, match="opened read-only"):
            write()
    assert rag.retrieve("Anna Berg", 1, namespace="default")[0].passage.document_id == "anna"


def test_opening_and_bm25_load_no_embedder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def never(*config: object) -> Any:
        raise AssertionError("no model was needed")

    monkeypatch.setattr(embedders, "load_embedder", never)
    rag = HippoRAG(folder, read_only=True)
    assert rag.config.embed.model == "hashing"
    assert rag.stats()
    assert rag.retrieve("painter", method="bm25")[0].passage.document_id == "otto"
    with pytest.raises(AssertionError, match="no model was needed"):
        rag.retrieve("painter", method="dense")


def test_heavy_packages_wait_for_the_first_question(folder: Path):
    script = """
import json, sys
from hipporag_like import HippoRAG
heavy = ("numba", "faiss", "spacy", "scipy", "igraph", "networkx", "rank_bm25", "torch", "tokenizers")
rag = HippoRAG(sys.argv[1], read_only=True)
rag.config
opened = [name for name in heavy if name in sys.modules]
rag.retrieve("Anna Berg", method="bm25")
words = [name for name in heavy if name in sys.modules]
rag.retrieve("Anna Berg")
asked = [name for name in heavy if name in sys.modules]
print(json.dumps([opened, words, asked]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ,
    )
    assert (done.returncode, done.stderr) == (0, "")
    opened, words, asked = json.loads(done.stdout)
    assert (opened, words) == ([], [])
    assert {"numba", "faiss"} <= set(asked)
    assert {"spacy", "igraph", "torch"}.isdisjoint(asked)


def test_another_embedder_than_the_index_was_made_with(folder: Path):
    rag = HippoRAG(folder, embedder=HashingEmbedder(64))
    for method in ("graph", "dense", "hybrid"):
        with pytest.raises(
            IndexMismatchError, match="made with the embedder hashing-1:256, not hashing-1:64"
        ):
            rag.retrieve("Anna Berg", method=method)
    with pytest.raises(IndexMismatchError):
        rag.retrieve_many(["Anna Berg"])
    assert rag.retrieve("Anna Berg", method="bm25")


def test_an_embedder_that_gives_doubles_is_fine(folder: Path):
    class Doubles(HashingEmbedder):
        def embed(self, texts: Any, kind: Any = "passage") -> Any:
            return super().embed(texts, kind).astype(np.float64)

    def shape(rag: HippoRAG) -> list[tuple[str, float]]:
        return [(h.passage.id, h.score) for h in rag.retrieve("Where is Anna Berk?")]

    assert shape(HippoRAG(folder, embedder=Doubles())) == shape(HippoRAG(folder))


def test_an_object_stands_in_for_the_configured_model(folder: Path):
    class Falsy(TitleReader):
        def __len__(self) -> int:
            return 0

    rag = HippoRAG(folder, embedder=NeverEmbedder(), reader=Falsy())
    assert rag.ask("painter Bergen", method="bm25").text == "Otto Lind"
    assert rag.embedder.__class__ is NeverEmbedder


def test_given_options_win_over_those_of_the_index(folder: Path):
    config = Config(embed=EmbedConfig("hashing"), search=SearchConfig(k=1, method="bm25"))
    assert len(HippoRAG(folder, config=config).retrieve("Otto Oslo painter")) == 1
    assert len(HippoRAG(folder).retrieve("Otto Oslo painter")) == 4
    assert len(HippoRAG(folder, config=config).retrieve("Otto Oslo painter", 3)) == 3


def test_ask_reads_as_many_passages_as_told(folder: Path):
    config = Config(embed=EmbedConfig("hashing"), read=ReadConfig(passages=2))
    rag = HippoRAG(folder, config=config, reader=TitleReader())
    assert len(rag.ask("Otto Oslo").hits) == 2
    assert len(rag.ask("Otto Oslo", 3).hits) == 3


def test_reading_goes_on_while_another_object_writes(tmp_path: Path):
    reader = HippoRAG(tmp_path / "index", config=HASHING)
    reader.index(DOCS[:1])
    assert len(reader.retrieve("Anna Otto", 9)) == 1
    HippoRAG(tmp_path / "index").index(DOCS[:2])
    assert len(reader.retrieve("Anna Otto", 9)) == 1  # the snapshot it opened
    reader.close()
    assert len(reader.retrieve("Anna Otto", 9)) == 2


def test_its_own_writes_are_seen_at_once(tmp_path: Path):
    rag = HippoRAG(tmp_path / "index", config=HASHING)
    rag.index(DOCS[:1])
    assert len(rag.retrieve("Anna Otto", 9)) == 1
    rag.index(DOCS[:2])
    assert len(rag.retrieve("Anna Otto", 9)) == 2
    rag.delete(["anna"])
    assert [h.passage.document_id for h in rag.retrieve("Anna Otto", 9)] == ["otto"]


# Deleting


def test_delete_by_id_and_namespace(tmp_path: Path):
    rag = HippoRAG(tmp_path / "index", config=HASHING)
    rag.index(DOCS)
    with pytest.raises(
        UsageError, match="document 'otto' is in the namespaces default, places; say which one"
    ):
        rag.delete(["otto"])
    assert rag.delete(["otto"], namespace="places").deleted == 1
    report = rag.delete(["otto", "otto", "nobody"])
    assert (report.deleted, [f.source for f in report.failures]) == (1, ["nobody"])
    assert rag.delete("oslo").deleted == 1
    assert [h.passage.document_id for h in rag.retrieve("Otto Oslo Anna", 9)] == ["anna"]


def test_repr_and_context(folder: Path):
    with HippoRAG(folder) as rag:
        assert repr(rag) == f"HippoRAG({str(folder)!r})"
        rag.retrieve("Anna Berg")
        assert rag._parts._opened._index is not None
    assert rag._parts._opened._index is None
