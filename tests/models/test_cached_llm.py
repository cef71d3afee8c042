"""What was answered once costs nothing again, and every call is on the bill."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from hipporag_like.errors import EndpointDownError, LLMError, StoreError
from hipporag_like.models.cached_llm import CachedLLM, call_key
from hipporag_like.models.protocols import LLM, Message, Prompt, Reply
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.types import Usage

PROMPT = Prompt((Message("system", "s"), Message("user", "one two")), 100, "read", {"title": "t"}, "owner")
Answer = tuple[str, bool, int, int]


class Kept:
    """Answers in memory; full after ``room`` of them."""

    def __init__(self, room: int = 1000) -> None:
        self.answers: dict[tuple[str, str], tuple[str, Answer]] = {}
        self.room = room

    def get(self, fingerprint: str, key: str) -> Answer | None:
        found = self.answers.get((fingerprint, key))
        return None if found is None else found[1]

    def put(self, fingerprint: str, key: str, owner: str, answer: Answer) -> None:
        if len(self.answers) >= self.room:
            raise StoreError("the disk is full")
        self.answers[fingerprint, key] = (owner, answer)

    def forget(self, fingerprint: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.answers.pop((fingerprint, key), None)


def cached(
    answers: Any, kept: Kept | None = None, must_keep: bool = True
) -> tuple[CachedLLM, ScriptedLLM, Kept]:
    inner, kept = ScriptedLLM(answers, 500, width=3), kept or Kept()
    return CachedLLM(inner, kept, must_keep=must_keep), inner, kept


def test_the_second_time_is_free() -> None:
    llm, inner, kept = cached(["first", "second"])
    assert llm.complete(PROMPT) == Reply("first", False, Usage(calls=1, input_tokens=3, output_tokens=1))
    assert llm.complete(PROMPT) == Reply("first", False, Usage(cached=1))
    assert len(inner.prompts) == 1
    assert llm.spent == {"read": Usage(calls=1, cached=1, input_tokens=3, output_tokens=1)}
    assert kept.answers == {(inner.fingerprint, call_key(PROMPT)): ("owner", ("first", False, 3, 1))}


def test_a_failed_call_counts_for_what_it_cost() -> None:
    error = LLMError("nothing of use")
    error.spent = (2, 30, 0)
    llm, inner, _ = cached(["x"])
    inner.complete = Mock(side_effect=error)  # type: ignore[method-assign]
    with pytest.raises(LLMError):
        llm.complete(PROMPT)
    assert llm.spent == {"read": Usage(failed=1, retries=2, input_tokens=30)}


def test_it_is_the_model_it_stands_before() -> None:
    llm, inner, _ = cached(["x"])
    assert isinstance(llm, LLM)
    assert (llm.fingerprint, llm.width, llm.context) == (inner.fingerprint, 3, 500)
    assert llm.count("a b c") == 3


def test_a_cut_answer_stays_one() -> None:
    llm, _, _ = cached(["a b c d"])
    short = replace(PROMPT, max_tokens=2)
    assert llm.complete(short).cut
    assert llm.complete(short) == Reply("a b", True, Usage(cached=1))


def test_what_an_answer_depends_on_is_its_key() -> None:
    others = [
        replace(PROMPT, messages=PROMPT.messages[1:]),
        replace(PROMPT, messages=(Message("user", "s"), PROMPT.messages[1])),
        replace(PROMPT, messages=(Message("system", "ss"), Message("user", " one two"))),
        replace(PROMPT, max_tokens=99),
        replace(PROMPT, schema=None),
        replace(PROMPT, schema={"title": "u"}),
    ]
    assert len({call_key(p) for p in (PROMPT, *others)}) == 7
    assert call_key(replace(PROMPT, stage="thought", owner="")) == call_key(PROMPT)
    assert call_key(replace(PROMPT, schema=dict(title="t"))) == call_key(PROMPT)


def test_another_model_answers_for_itself() -> None:
    kept = Kept()
    cached(["x"], kept)[0].complete(PROMPT)
    llm, _, _ = cached(["y"], kept)
    assert llm.complete(PROMPT).text == "y"


def test_a_stream_is_kept_and_comes_back_in_one_piece() -> None:
    llm, inner, _ = cached(["a rather long answer"])
    *pieces, reply = llm.stream(PROMPT)
    assert "".join(map(str, pieces)) == "a rather long answer"
    assert isinstance(reply, Reply) and reply.usage.calls == 1
    assert list(llm.stream(PROMPT)) == ["a rather long answer", replace(reply, usage=Usage(cached=1))]
    assert llm.complete(PROMPT).usage == Usage(cached=1)
    assert len(inner.prompts) == 1


def test_a_stream_left_early_is_not_kept() -> None:
    llm, _, kept = cached(["a rather long answer", "again"])
    stream = llm.stream(PROMPT)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert kept.answers == {}
    assert llm.complete(PROMPT).text == "again"


@pytest.mark.parametrize("error", [LLMError("no"), EndpointDownError("down")])
def test_a_failed_call_is_counted_and_never_kept(error: LLMError) -> None:
    def fail(prompt: Prompt) -> str:
        raise error

    llm, _, kept = cached(fail)
    with pytest.raises(type(error)):
        llm.complete(PROMPT)
    with pytest.raises(type(error)):
        list(llm.stream(PROMPT))
    assert kept.answers == {}
    assert llm.spent == {"read": Usage(failed=2)}


def test_what_is_known_and_what_is_forgotten() -> None:
    llm, _, _ = cached(["x", "y"])
    assert llm.known(PROMPT) is None
    llm.complete(PROMPT)
    assert llm.known(PROMPT) == Reply("x", False, Usage(cached=1))
    assert llm.spent["read"].cached == 0  # to look is not to use
    llm.forget([PROMPT, replace(PROMPT, max_tokens=1)])
    assert llm.known(PROMPT) is None
    assert llm.complete(PROMPT).text == "y"


def test_an_answer_that_cannot_be_kept_stops_indexing_but_no_question() -> None:
    llm, _, _ = cached(["x"], Kept(room=0))
    with pytest.raises(StoreError, match="disk is full"):
        llm.complete(PROMPT)
    llm, _, _ = cached(["x"], Kept(room=0), must_keep=False)
    assert llm.complete(PROMPT).text == "x"
    assert llm.spent["read"].calls == 1


def test_the_bill_adds_up_by_stage_whatever_the_threads() -> None:
    llm, _, _ = cached(lambda prompt: prompt.messages[-1].content)

    def work(number: int) -> None:
        stage = "entities" if number % 2 else "triples"
        llm.complete(Prompt((Message("user", f"word {number}"),), 10, stage))
        llm.add(stage, Usage(retries=1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(200)))
    each = Usage(calls=100, input_tokens=200, output_tokens=200, retries=100)
    assert llm.spent == {"entities": each, "triples": each}
