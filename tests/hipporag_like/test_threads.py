"""One HippoRAG in several threads: parts made once, equal hits, and no snapshot pulled away from under a search."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.errors import UsageError
from hipporag_like.indexing import export, inspect
from hipporag_like.models import embedders, threads
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.protocols import TextKind
from hipporag_like.once import once
from hipporag_like.rag import QUESTIONS_AT_ONCE, HippoRAG
from hipporag_like.types import Document, Hit

HASHING = Config(embed=EmbedConfig("hashing"))
THREADS = 8
PATIENCE_S = 30
NAMES = ("Anna Berg", "Otto Lind", "Ida Holm", "Per Dahl", "Eva Moe", "Ole Vik", "Liv Ness", "Jon Aas")
DOCS = [
    Document(f"{name} lives in Town{at}. {name} met {NAMES[at - 1]} in Oslo.", f"d{at}", name)
    for at, name in enumerate(NAMES)
]
QUESTIONS = [f"Whom did the person that {name} met meet?" for name in NAMES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("threads") / "index"
    with HippoRAG(path, config=HASHING) as rag:
        assert rag.index(DOCS).failures == ()
    return path


def seen(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.passage.id, hit.score) for hit in hits]


class Halting(HashingEmbedder):
    """Stops inside a question's embedding until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go_on = threading.Event(), threading.Event()

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> np.ndarray:
        if kind == "query":
            self.inside.set()
            assert self.go_on.wait(PATIENCE_S)
        return super().embed(texts, kind)


class Slow:
    def __init__(self) -> None:
        self._making = threading.RLock()
        self.made = 0

    @once
    def value(self) -> object:
        """Something."""
        self.made += 1
        threading.Event().wait(0.05)
        return object()

    @once
    def twice(self) -> list[object]:
        return [self.value, self.value]


def test_a_value_is_made_once_and_may_use_another() -> None:
    slow, start = Slow(), threading.Barrier(THREADS)

    def look(number: int) -> object:
        start.wait(PATIENCE_S)
        return slow.value if number % 2 else slow.twice[0]

    with ThreadPoolExecutor(THREADS) as pool:
        assert len({id(found) for found in pool.map(look, range(THREADS))}) == 1
    assert slow.made == 1
    assert Slow.value.__doc__ == "Something."


@pytest.mark.parametrize("method", ["graph", "hipporag", "hipporag2", "dense", "bm25", "hybrid"])
def test_eight_threads_share_one_object(folder: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[HashingEmbedder] = []

    def load(_: EmbedConfig) -> HashingEmbedder:
        threading.Event().wait(0.05)
        loaded.append(HashingEmbedder())
        return loaded[-1]

    with HippoRAG(folder) as rag:
        expected = [seen(rag.retrieve(question, method=method)) for question in QUESTIONS]
    monkeypatch.setitem(embedders.EMBEDDERS, "hashing", load)
    with HippoRAG(folder) as rag, ThreadPoolExecutor(THREADS) as pool:
        start = threading.Barrier(THREADS)

        def ask(shift: int) -> list[list[tuple[str, float]]]:
            start.wait(PATIENCE_S)
            order = [*range(shift, len(QUESTIONS)), *range(shift)]
            found = {at: seen(rag.retrieve(QUESTIONS[at], method=method)) for at in order}
            return [found[at] for at in range(len(QUESTIONS))]

        for found in pool.map(ask, range(THREADS)):
            assert found == expected
    assert len(loaded) == (0 if method == "bm25" else 1)


@pytest.mark.parametrize("method", ["graph", "hipporag2", "dense", "bm25"])
def test_many_are_answered_as_one_by_one(folder: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with HippoRAG(folder) as rag:
        expected = [seen(rag.retrieve(question, method=method)) for question in QUESTIONS]
        for cores in (1, 3):
            monkeypatch.setattr(threads, "cores", lambda cores=cores: cores)
            assert [seen(hits) for hits in rag.retrieve_many(QUESTIONS * 2, method=method)] == expected * 2


def test_more_questions_than_are_embedded_together(folder: Path) -> None:
    many = [f"Where does {name} live?" for name in NAMES] * (QUESTIONS_AT_ONCE // len(NAMES)) + QUESTIONS
    with HippoRAG(folder) as rag:
        found = rag.retrieve_many(many, method="dense")
        assert [seen(hits) for hits in found[-len(NAMES) :]] == [
            seen(rag.retrieve(question, method="dense")) for question in QUESTIONS
        ]
    assert len(found) == QUESTIONS_AT_ONCE + len(NAMES)


def test_an_error_of_one_of_many_reaches_the_caller(folder: Path) -> None:
    with HippoRAG(folder) as rag, pytest.raises(UsageError, match="gte"):
        rag.retrieve_many(QUESTIONS, where={"year": {"around": 2000}})


def test_a_search_keeps_its_snapshot_while_another_thread_publishes(folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder, tmp_path / "index"))
    with HippoRAG(folder) as rag:
        expected = seen(rag.retrieve(QUESTIONS[0]))
    embedder = Halting()
    with HippoRAG(folder, embedder=embedder) as rag, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(rag.retrieve, QUESTIONS[0])
        assert embedder.inside.wait(PATIENCE_S)
        for number in range(3):  # old snapshots are removed when they are two behind
            rag.index([Document(f"Note {number}.", f"note{number}", f"Note {number}")])
        rag.delete([document.id for document in DOCS if document.id])
        embedder.go_on.set()
        assert seen(asked.result(PATIENCE_S)) == expected
        assert {hit.passage.document_id for hit in rag.retrieve(QUESTIONS[0])} <= {"note0", "note1", "note2"}
        rag.index([Document("Note 4.", "note4", "Note 4")])
        kept = sorted(int(path.name) for path in (folder / "snapshots").iterdir())
    assert kept[0] > 1  # the snapshot that was searched was let go of


def test_closing_beside_searches_harms_none(folder: Path) -> None:
    with HippoRAG(folder) as rag, ThreadPoolExecutor(4) as pool:
        expected = [seen(rag.retrieve(question)) for question in QUESTIONS]
        running = [pool.submit(lambda at=at: seen(rag.retrieve(QUESTIONS[at]))) for at in [*range(8)] * 5]
        while not all(future.done() for future in running):
            rag.close()
        assert [future.result() for future in running] == expected * 5


@pytest.mark.parametrize("what", ["export", "stats", "to_networkx", "to_igraph"])
def test_what_is_written_out_keeps_its_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Another thread closes, and a writer publishes and removes, before the first array is read."""
    index = tmp_path / "index"
    with HippoRAG(index, config=HASHING) as rag:
        rag.index(DOCS[:3])
    shared = HippoRAG(index, read_only=True)
    module = inspect if what == "stats" else export
    plain = getattr(module, what)

    def late(*given: Any) -> Any:
        with HippoRAG(index, config=HASHING) as writer:
            shared.close()
            writer.index(DOCS[3:4])
            writer.delete(["d0"])  # with which older snapshots go
        return plain(*given)

    monkeypatch.setattr(module, what, late)
    arguments = ("json", tmp_path / "graph.json") if what == "export" else ()
    made = getattr(shared, what)(*arguments)
    assert made["documents"] == 3 if what == "stats" else made
    shared.close()
    assert [path.name for path in (index / "snapshots").iterdir() if path.name == "1"] == ["1"]
    with HippoRAG(index, config=HASHING) as rag:
        rag.delete(["d1"])
    assert not (index / "snapshots" / "1").exists()  # and lets go of it
