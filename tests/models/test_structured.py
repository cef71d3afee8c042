"""Bad answers go back to the model with the reason, a few times; what stays bad is an error, never empty."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hipporag_like.errors import EndpointDownError, LLMError
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import Message, Prompt, Reply
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.models.structured import CUT, AnswerError, ask, room
from hipporag_like.types import Usage

PROMPTS = Prompts.load()
PROMPT = Prompt((Message("user", "Give a number."),), 50, "read")


def number(text: str) -> int:
    if not text.strip().isdigit():
        raise AnswerError("it is no number", len(text) if text.startswith("~") else None)
    return int(text)


class Keeper:
    """A model that notes what it is told to forget and to add."""

    width = 1

    def __init__(self, llm: ScriptedLLM) -> None:
        self.llm = llm
        self.context = llm.context
        self.fingerprint = llm.fingerprint
        self.count = llm.count
        self.complete = llm.complete
        self.stream = llm.stream
        self.forgotten: list[Prompt] = []
        self.added: list[tuple[str, Usage]] = []

    def forget(self, prompts: Sequence[Prompt]) -> None:
        self.forgotten += prompts

    def add(self, stage: str, usage: Usage) -> None:
        self.added.append((stage, usage))


def test_a_good_answer_costs_one_call() -> None:
    llm = Keeper(ScriptedLLM(["42"]))
    assert ask(llm, PROMPT, number, PROMPTS) == 42
    assert llm.llm.prompts == [PROMPT]
    assert llm.forgotten == llm.added == []


def test_a_bad_answer_is_shown_with_the_reason() -> None:
    llm = Keeper(ScriptedLLM(["many", " ", "7"]))
    assert ask(llm, PROMPT, number, PROMPTS) == 7
    _, second, third = llm.llm.prompts
    (repair,) = PROMPTS.fill("repair", error="it is no number")
    assert second.messages == (*PROMPT.messages, Message("assistant", "many"), repair)
    assert third.messages == (*second.messages, Message("assistant", "(nothing)"), repair)
    assert (second.stage, second.max_tokens, second.owner) == ("read", 50, "")
    # The bad answers lead to the good one by the way they came, so the cache keeps them.
    assert llm.forgotten == []
    assert llm.added == [("read", Usage(retries=1))] * 2


def test_after_the_last_attempt_the_answers_are_forgotten() -> None:
    llm = Keeper(ScriptedLLM(["a", "b", "x" * 500, "4"]))
    with pytest.raises(LLMError, match="cannot be used after 3 attempts: it is no number$"):
        ask(llm, PROMPT, number, PROMPTS)
    assert llm.forgotten == llm.llm.prompts
    assert len(llm.forgotten) == 3
    assert llm.added[-1] == ("read", Usage(failed=1))


def test_a_cut_answer_is_asked_for_again() -> None:
    short = Prompt(PROMPT.messages, 2, "read")
    llm = ScriptedLLM(["1 2 3", "5"])
    assert ask(llm, short, lambda text: int(text.split()[0]), PROMPTS) == 5
    assert CUT in llm.prompts[1].messages[-1].content


def test_a_cut_answer_is_used_where_no_better_one_comes() -> None:
    short = Prompt(PROMPT.messages, 2, "read")
    llm = Keeper(ScriptedLLM(["1 2 3", "4 5 6", "7 8 9"]))
    assert ask(llm, short, lambda text: int(text.split()[0]), PROMPTS) == 7
    assert llm.forgotten == []
    llm = Keeper(ScriptedLLM(["1 2 3", "x", "y"]))
    assert (
        ask(llm, short, lambda text: int(text.split()[0]) if text[0] == "1" else number(text), PROMPTS) == 1
    )


def test_a_form_that_tells_its_own_end_is_not_asked_for_again() -> None:
    short = Prompt(PROMPT.messages, 2, "read")
    llm = ScriptedLLM(["1 2 3"])
    assert ask(llm, short, lambda text: int(text[0]), PROMPTS, judges_cut=True) == 1


def test_part_of_a_bad_answer_is_used_where_no_better_one_comes() -> None:
    assert ask(ScriptedLLM(["~~", "~~~~", "x"]), PROMPT, number, PROMPTS) == 4
    assert ask(ScriptedLLM(["~~", "~~~~", "9"]), PROMPT, number, PROMPTS) == 9


def test_a_failed_call_is_no_bad_answer() -> None:
    def down(prompt: Prompt) -> str:
        raise EndpointDownError("gone")

    with pytest.raises(EndpointDownError, match="gone"):
        ask(ScriptedLLM(down), PROMPT, number, PROMPTS)
    llm = Keeper(ScriptedLLM(["x"]))
    with pytest.raises(LLMError, match="asked once more"):
        ask(llm, PROMPT, number, PROMPTS)
    assert llm.forgotten == []


def test_a_long_bad_answer_is_shown_as_far_as_it_fits() -> None:
    llm = ScriptedLLM(["x " * 500, "3"], context=200, cut=False)
    assert ask(llm, PROMPT, number, PROMPTS) == 3
    shown = llm.prompts[1].messages[1].content
    assert 10 < llm.count(shown) < 100
    assert room(llm, llm.prompts[1].messages) >= PROMPT.max_tokens


def test_where_a_repair_does_not_fit_there_is_none() -> None:
    llm = ScriptedLLM(["x"], context=60)
    with pytest.raises(LLMError, match="after 1 attempts"):
        ask(llm, PROMPT, number, PROMPTS)


def test_room_leaves_a_margin_for_estimates() -> None:
    llm = ScriptedLLM([], context=100)
    assert (
        room(llm, [Message("user", "w " * 32)]) == 100 - 50
    )  # 32 words and 8 around the turn, and a quarter
    assert room(llm, [Message("user", "w " * 400)]) < 1


def test_replies_are_values() -> None:
    assert Reply("a") == Reply("a", False, Usage())
