"""What every reader promises."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from hipporag_like.config import ReadConfig
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.protocols import Reader
from hipporag_like.models.readers import READERS, load_reader
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


@pytest.fixture(params=sorted(READERS))
def reader(request: pytest.FixtureRequest) -> Reader:
    embedder = HashingEmbedder()
    return load_reader(replace(ReadConfig(), reader=request.param), lambda: embedder)


def test_is_a_reader_and_names_itself(reader: Reader) -> None:
    assert isinstance(reader, Reader)
    assert reader.name in READERS


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
    assert answer.found == bool(answer.citations)
    assert answer.found == (answer.text is not None)
    for citation in answer.citations:
        passage = passages[citation.passage_id]
        assert passage.text[citation.start : citation.end] == citation.quote != ""
        assert (citation.document_id, citation.title) == (passage.document_id, passage.title)


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
