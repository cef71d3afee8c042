"""What every reader promises."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from hipporag_like.config import LLMConfig, ReadConfig
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.protocols import LLM, Reader
from hipporag_like.models.readers import Helpers, load_reader
from hipporag_like.types import Hit, Passage, Trace

TEXTS = {
    "Toad Hall": "Toad Hall is a residential hall of Fenwick University. It was opened in 1974.",
    "Fenwick University": "Fenwick University is a research university located in Canberra. It has two campuses.",
    "": "   \n  ",
    "Zürich": "Zürich ist die größte Stadt der Schweiz. 東京は日本の首都です。 🙂",
}
QUESTIONS = [
    "In which city is the university of which Toad Hall is a hall?",
    "Which was opened first, Toad Hall or Fenwick University?",
    "Are Toad Hall and Fenwick University in the same city?",
    "?",
    "東京は何の首都ですか",
    "how",
    "or",
    "Which or?",
    "Who " * 300,
    "a lone \ud800 surrogate",
]


def hits_of(texts: dict[str, str]) -> tuple[Hit, ...]:
    return tuple(
        Hit(n + 1, 1.0 / (n + 1), Passage(f"d{n}#0", f"d{n}", text, 0, len(text), title))
        for n, (title, text) in enumerate(texts.items())
    )


def trace_of(question: str, texts: dict[str, str]) -> Trace:
    hits = hits_of(texts)
    return Trace(question, "graph", "graph", "ok" if hits else "empty", "", hits=hits)


def tiny_qa_model(folder: Path) -> Path:
    """Save a question-answering model made on the spot; skips the test where torch is not installed."""
    pytest.importorskip("torch", reason="the extra `local` is not installed")
    if "tiny_models" not in sys.modules:
        file = Path(__file__).parents[1] / "models" / "tiny_models.py"
        spec = importlib.util.spec_from_file_location("tiny_models", file)
        sys.modules["tiny_models"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["tiny_models"])
    return sys.modules["tiny_models"].tiny_qa_model(folder)


@pytest.fixture(scope="module", params=["extractive", "language model", "question-answering head"])
def reader_name(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "question-answering head":
        return f"transformers:{tiny_qa_model(tmp_path_factory.mktemp('qa'))}"
    if request.param == "language model":
        return f"scripted:{script(tmp_path_factory.mktemp('llm') / 'script.json')}"
    return str(request.param)


def script(path: Path) -> Path:
    """Write what a language model answers: one question with what holds and what does not, the others not at all."""
    answer = 'ANSWER: Canberra\n[2] "located in Canberra"\n[1] "located in Canberra"'
    rules = [{"stage": "read", "contains": f"Question: {QUESTIONS[0]}", "answer": answer}]
    path.write_text(json.dumps({"rules": rules, "default": "ANSWER: NOT IN PASSAGES"}))
    return path


def no_llm(*_: object) -> LLM:
    raise AssertionError("this reader needs no language model")


@pytest.fixture(scope="module")
def reader(reader_name: str) -> Reader:
    embedder = HashingEmbedder()
    helpers = Helpers(embedder=lambda: embedder, own=no_llm, kept=lambda llm: llm)
    return load_reader(ReadConfig(reader=reader_name), LLMConfig(), helpers)


def test_is_a_reader_and_names_itself(reader: Reader, reader_name: str) -> None:
    assert isinstance(reader, Reader)
    assert reader.name == reader_name


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_anything_with_a_frozen_value(reader: Reader, question: str) -> None:
    trace = trace_of(question, TEXTS)
    answer = reader.read(question, trace)
    assert answer.question == question
    assert answer.reader == reader.name
    assert answer.hits == trace.hits
    assert 0.0 <= answer.confidence <= 1.0
    with pytest.raises(FrozenInstanceError):
        answer.text = "x"  # type: ignore[misc]


@pytest.mark.parametrize("question", QUESTIONS)
def test_citations_are_verbatim_and_go_with_an_answer(reader: Reader, question: str) -> None:
    trace = trace_of(question, TEXTS)
    passages = {hit.passage.id: hit.passage for hit in trace.hits}
    answer = reader.read(question, trace)
    assert answer.found == (answer.text is not None)
    assert answer.found or not answer.citations
    assert answer.citations or answer.confidence < 0.1, "an answer that cites nothing is worth nothing"
    for citation in answer.citations:
        passage = passages[citation.passage_id]
        assert passage.text[citation.start : citation.end] == citation.quote != ""
        assert (citation.document_id, citation.title) == (passage.document_id, passage.title)


def test_an_answer_that_stands_there_is_found(reader: Reader, reader_name: str) -> None:
    if reader_name.startswith("transformers:"):
        pytest.skip("a model made on the spot knows nothing")
    answer = reader.read(QUESTIONS[0], trace_of(QUESTIONS[0], TEXTS))
    assert answer.text == "Canberra"
    assert "located in Canberra" in answer.citations[0].quote


def test_same_in_same_out(reader: Reader) -> None:
    for question in QUESTIONS:
        trace = trace_of(question, TEXTS)
        assert reader.read(question, trace) == reader.read(question, trace)


def test_no_hits_no_answer(reader: Reader) -> None:
    for question in QUESTIONS:
        answer = reader.read(question, trace_of(question, {}))
        assert not answer.found
        assert answer.citations == ()
        assert answer.confidence < 0.1


def test_hits_without_words_give_no_answer(reader: Reader) -> None:
    answer = reader.read("Who is there?", trace_of("Who is there?", {"": " \n ", "-": "..."}))
    assert not answer.found
