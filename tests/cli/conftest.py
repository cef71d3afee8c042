"""A library that answers at once: the command line is tested against it, not against an index."""

import sys
import types as python_types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hipporag_like.config import Config
from hipporag_like.errors import IndexNotFoundError
from hipporag_like.indexing.estimate import Estimate
from hipporag_like.models.streaming import AnswerStream
from hipporag_like.types import (
    Answer,
    Citation,
    Fact,
    Failure,
    Hit,
    IndexReport,
    Passage,
    PathStep,
    ScoredFact,
    Seed,
    Trace,
)

JAWS = Passage(
    id="films-1#0",
    document_id="films-1",
    text="Jaws is a 1975 American thriller. It was directed by Steven Spielberg, based on the novel by Peter "
    "Benchley. Roy Scheider plays the police chief of a seaside town who hunts a great white shark with "
    "a marine biologist and a professional hunter; it opened in June and changed how films are released.",
    start=0,
    end=289,
    title="Jaws",
    metadata={"year": 1975},
)
SPIELBERG = Passage(
    id="people-7#0",
    document_id="people-7",
    text="Steven Allan Spielberg is a filmmaker. He was born in Cincinnati, Ohio, in 1946. "
    "He grew up in Arizona.",
    start=0,
    end=103,
    title="Steven Spielberg",
)
HITS = (
    Hit(
        rank=1,
        score=0.912,
        passage=SPIELBERG,
        signals={"graph": 0.61, "dense": 0.202, "bm25": 0.1},
        path=(
            PathStep("question", "Where was the director of Jaws born?"),
            PathStep("entity", "jaws", 0.4),
            PathStep(
                "fact", "It was directed by Steven Spielberg, based on the novel by Peter Benchley.", 0.2
            ),
            PathStep("entity", "steven spielberg", 0.1),
            PathStep("passage", "Steven Spielberg", 0.3),
        ),
    ),
    Hit(rank=2, score=0.4, passage=JAWS, signals={"graph": 0.5, "dense": -0.15, "bm25": 0.05}),
)
CITATION = Citation(
    document_id="people-7",
    passage_id="people-7#0",
    quote="born in Cincinnati, Ohio",
    start=46,
    end=70,
    title="Steven Spielberg",
)
QUESTION = "Where was the director of Jaws born?"
TRACE = Trace(
    question=QUESTION,
    requested_method="graph",
    method="graph",
    outcome="ok",
    note="",
    seeds=(Seed("jaws", 0.8, "ngram", "Jaws"), Seed("film director", 0.2, "embedding", "director")),
    facts=(
        ScoredFact(
            Fact(
                3,
                "It was directed by Steven Spielberg, based on the novel by Peter Benchley.",
                "films-1#0",
                ("jaws",),
            ),
            0.0412,
            0.71,
        ),
    ),
    hits=HITS,
    walk={"pushes": 812.0, "touched": 93.0, "residual": 1e-6},
    seconds={"link": 0.004, "walk": 0.011, "fuse": 0.002},
)


class FakeRAG:
    """Stands in for ``HippoRAG``; records what it was asked."""

    calls: list[tuple[str, dict[str, Any]]] = []
    report = IndexReport(added=2, passages=2, entities=9, facts=5, seconds={"extract": 0.5, "embed": 1.25})
    answer = Answer(QUESTION, "Cincinnati, Ohio", (CITATION,), 0.83, "extractive", HITS)
    trace = TRACE
    estimated = Estimate(documents=2, passages=3, known=1)
    error: BaseException | None = None

    def __init__(
        self, path: Path, *, config: Any = None, embedder: Any = None, read_only: bool = False
    ) -> None:
        if self.error is not None:
            raise self.error
        if read_only and not Path(path).exists():
            raise IndexNotFoundError(f"there is no index at {path}; make one with: hipporag-like index")
        self.config = config or Config()
        self._note("open", path=path, config=config, read_only=read_only)

    def _note(self, name: str, **arguments: Any) -> None:
        self.calls.append((name, arguments))

    def index(self, documents: Any, *, track: Any = None, failures: Sequence[Failure] = ()) -> IndexReport:
        documents = list(documents)
        self._note("index", documents=documents, failures=failures)
        return self.report

    def estimate(self, documents: Any) -> Estimate:
        self._note("estimate", documents=list(documents))
        return self.estimated

    def delete(self, ids: Sequence[str], *, namespace: str | None = None) -> IndexReport:
        self._note("delete", ids=ids, namespace=namespace)
        return self.report

    def retrieve_many(self, questions: Sequence[str], k: int = 5, **options: Any) -> list[list[Hit]]:
        self._note("retrieve_many", questions=questions, k=k, **options)
        return [list(HITS[:k]) for _ in questions]

    def ask(self, question: str, k: int = 5, **options: Any) -> Answer:
        self._note("ask", question=question, k=k, **options)
        return self.answer

    def stream(self, question: str, k: int = 5, **options: Any) -> AnswerStream:
        self._note("stream", question=question, k=k, **options)
        text = self.answer.text or ""
        return AnswerStream(iter([*(text[at : at + 4] for at in range(0, len(text), 4)), self.answer]))

    def explain(self, question: str, k: int = 5, **options: Any) -> Trace:
        self._note("explain", question=question, k=k, **options)
        return self.trace

    def stats(self, **_: Any) -> dict[str, Any]:
        return {
            "documents": 1200,
            "embedder": "hashing",
            "ready": True,
            "namespaces": {"default": {"passages": 3}},
        }

    def export(self, format: str, out: Path, *, namespace: str | None = None) -> dict[str, int]:
        self._note("export", format=format, out=out, namespace=namespace)
        return {"nodes": 12, "edges": 3400}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeRAG]:
    module = python_types.ModuleType("hipporag_like.rag")
    fresh = type("FreshRAG", (FakeRAG,), {"calls": []})
    module.HippoRAG = fresh
    monkeypatch.setitem(sys.modules, "hipporag_like.rag", module)
    return fresh


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


@pytest.fixture
def cli():
    """Run a command line in this process: ``cli("query", "q", "--index", d)``."""
    from hipporag_like.cli.app import app

    def call(*arguments: object, stdin: str | bytes | None = None, **env: str):
        clean = {"COLUMNS": "80", "HIPPORAG_LIKE_DEBUG": None, "HIPPORAG_LIKE_INDEX": None}
        runner = CliRunner(env={**clean, **env})
        return runner.invoke(app, [str(a) for a in arguments], input=stdin, prog_name="hipporag-like")

    return call
