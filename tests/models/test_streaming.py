"""Answers piece by piece: the words of the answer and nothing else, then the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import LLMError
from hipporag_like.models.llm_reader import LLMReader
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import Prompt, Reply
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.models.streaming import NOT_FOUND, AnswerStream, finished, streamed
from hipporag_like.types import Answer, Hit, Passage, Trace, Usage

PROMPTS = Prompts.load()
TEXT = "Fenwick University is located in Canberra. It has two campuses, one of which is in the hills."
TRACE = Trace(
    "Where?", "graph", "graph", "ok", "", hits=(Hit(1, 1.0, Passage("a#0", "a", TEXT, 0, len(TEXT), "F")),)
)
LONG = (
    "ANSWER: Fenwick University has two campuses [1], one of which is in the hills, and it lies in Canberra. "
    'That is all.\n[1] "located in Canberra"\n[1] "one of which is in the hills"\n[4] "made up"'
)
LONG_TEXT = (
    "Fenwick University has two campuses, one of which is in the hills, and it lies in Canberra. That is all."
)


class Pieces(ScriptedLLM):
    """Streams a reply in pieces of given sizes, and tells how far it got."""

    def __init__(self, reply: str, sizes: list[int], breaks_after: int | None = None) -> None:
        super().__init__([reply])
        self._reply, self._sizes, self._breaks = reply, sizes, breaks_after
        self.sent = 0

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        turn = 0
        while self.sent < len(self._reply):
            if self._breaks is not None and turn == self._breaks:
                raise LLMError("the connection was cut")
            size = self._sizes[turn % len(self._sizes)]
            piece = self._reply[self.sent : self.sent + size]
            self.sent, turn = self.sent + size, turn + 1
            yield piece
        yield Reply(self._reply, usage=Usage(calls=1, output_tokens=9))


def stream_of(llm: ScriptedLLM) -> AnswerStream:
    return LLMReader(llm, PROMPTS, "scripted:x", 400).stream("Where?", TRACE)


def test_words_come_while_the_model_still_speaks() -> None:
    llm = Pieces(LONG, [4])
    stream = stream_of(llm)
    # The first words wait until they cannot become "not in passages"; this answer begins with an F.
    assert "Fenwick".startswith(next(stream))
    assert llm.sent <= 16
    assert "".join(stream).endswith("That is all.")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_pieces_are_the_answer_without_prefix_marks_and_citations(sizes: list[int]) -> None:
    stream = stream_of(Pieces(LONG, sizes))
    pieces = list(stream)
    assert "".join(pieces) == LONG_TEXT and "" not in pieces
    answer = stream.answer
    assert answer.text == LONG_TEXT
    assert [c.quote for c in answer.citations] == ["located in Canberra", "one of which is in the hills"]
    assert (answer.dropped_citations, answer.usage["read"].output_tokens) == (1, 9)


@pytest.mark.parametrize(
    "reply",
    [LONG, "ANSWER: Yes.", "Canberra [1]", "ANSWER: NOT IN PASSAGES", '{"answer": "Canberra", "citations": [1]}',
     "ANSWER: Not at all.", "<think>hm</think>\nANSWER: no", "ANSWER: Canberra\n\n[1] \"located in Canberra\""],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_streaming_and_reading_give_the_same_answer(reply: str, size: int) -> None:
    read = LLMReader(ScriptedLLM([reply]), PROMPTS, "scripted:x", 400).read("Where?", TRACE)
    stream = stream_of(Pieces(reply, [size]))
    assert "".join(stream) == (NOT_FOUND if read.text is None else read.text)
    streamed_answer = stream.answer
    assert (streamed_answer.text, streamed_answer.citations) == (read.text, read.citations)


def test_the_answer_can_be_had_without_iterating_or_half_way() -> None:
    assert stream_of(Pieces(LONG, [7])).answer.text == LONG_TEXT
    stream = stream_of(Pieces(LONG, [7]))
    next(stream)
    assert stream.answer.text == LONG_TEXT
    assert list(stream) == []


def test_a_reply_without_answer_is_asked_for_again_before_anything_is_shown() -> None:
    stream = LLMReader(ScriptedLLM(["ANSWER:", "ANSWER: Canberra"]), PROMPTS, "scripted:x", 64).stream(
        "Where?", TRACE
    )
    assert list(stream) == ["Canberra"]
    assert stream.answer.usage["read"].retries == 1


def test_a_cut_stream_raises_and_goes_on_raising() -> None:
    stream = stream_of(Pieces(LONG, [30], breaks_after=2))
    with pytest.raises(LLMError, match="was cut"):
        list(stream)
    with pytest.raises(LLMError, match="was cut"):
        _ = stream.answer


def test_parts_that_end_without_answer_are_an_error() -> None:
    with pytest.raises(LLMError, match="broke off"):
        _ = AnswerStream(iter(["x"])).answer


class Plain:
    name = "plain"

    def __init__(self, text: str | None) -> None:
        self._text = text

    def read(self, question: str, trace: Trace) -> Answer:
        return Answer(question, self._text, (), 0.5, self.name, trace.hits)


@pytest.mark.parametrize("text", ["Canberra", None])
def test_any_reader_streams_in_one_piece(text: str | None) -> None:
    stream = streamed(Plain(text), "Where?", TRACE)
    assert list(stream) == [text or NOT_FOUND]
    assert stream.answer == Plain(text).read("Where?", TRACE)
    assert list(finished(stream.answer)) == [text or NOT_FOUND]


def test_a_reader_that_streams_is_let_stream() -> None:
    reader = LLMReader(ScriptedLLM([LONG]), PROMPTS, "scripted:x", 400)
    assert len(list(streamed(reader, "Where?", TRACE))) > 3


def test_the_answer_may_be_added_to_at_its_end() -> None:
    stream = stream_of(Pieces(LONG, [7])).then(lambda answer: replace(answer, reader="other"))
    assert "".join(stream) == LONG_TEXT
    assert stream.answer.reader == "other"
    stream = stream_of(Pieces("ANSWER: NOT IN PASSAGES", [7])).then(
        lambda answer: replace(answer, reader="other")
    )
    assert (list(stream), stream.answer.reader) == ([NOT_FOUND], "other")
    stream = stream_of(Pieces(LONG, [30], breaks_after=2)).then(lambda answer: answer)
    with pytest.raises(LLMError, match="was cut"):
        _ = stream.answer
