"""Answers in a given form: what does not parse is shown to the model with the reason, a few times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from hipporag_like.errors import LLMError
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Message, Prompt
from hipporag_like.types import Usage

T = TypeVar("T")

CUT = "it was cut off because it is too long; give fewer items and shorter texts"
# Of a count of tokens: an estimate may be a fifth below the truth (models.protocols.LLM), and chat templates add some.
_COUNT_MARGIN = 1.25
_TURN_TOKENS = 8  # of a chat template, around each turn
_EMPTY = "(nothing)"  # servers refuse a turn without text


class AnswerError(ValueError):
    """An answer is not of the form asked for.

    Parameters
    ----------
    reason
        Goes back to the model.
    partial
        What could be made of the answer all the same; used where no better answer comes.
    """

    def __init__(self, reason: str, partial: Any = None) -> None:
        super().__init__(reason)
        self.partial = partial


@runtime_checkable
class Remembers(Protocol):
    """A model that keeps answers and adds up costs; ``models.cached_llm.CachedLLM`` is one."""

    def forget(self, prompts: Sequence[Prompt]) -> None:
        """Drop the answers to prompts."""
        ...


@runtime_checkable
class Adds(Protocol):
    """A model that adds up costs by stage."""

    def add(self, stage: str, usage: Usage) -> None:
        """Add to the costs of a stage."""
        ...


def ask(
    llm: LLM,
    prompt: Prompt,
    parse: Callable[[str], T],
    prompts: Prompts,
    attempts: int = 3,
    *,
    judges_cut: bool = False,
) -> T:
    """Return what ``parse`` makes of the model's answer; a bad answer is sent back with the reason.

    Parameters
    ----------
    llm
        The model.
    prompt
        What to ask.
    parse
        Turns an answer into a value, or raises :class:`AnswerError`.
    prompts
        Its ``repair`` is what the model is told about a bad answer.
    attempts
        Calls at most.
    judges_cut
        Whether ``parse`` can tell a whole answer from a part, say because it is JSON. Where it cannot, an answer
        that the model did not end by itself is a bad one; its value is used where no better one comes.

    Raises
    ------
    LLMError
        No answer could be used; the answers are forgotten, so that a later run asks anew. Or a call failed.
    EndpointDownError
        See ``models.protocols.LLM``.
    """
    asked: list[Prompt] = []
    partial: T | None = None
    while True:
        reply = llm.complete(prompt)
        asked.append(prompt)
        try:
            value = parse(reply.text)
            if judges_cut or not reply.cut:
                return value
            reason, part = CUT, value
        except AnswerError as error:
            reason, part = (CUT if reply.cut and error.partial is not None else str(error)), error.partial
        partial = part if part is not None else partial
        following = _repaired(llm, prompt, reply.text, prompts.fill("repair", error=reason))
        if len(asked) >= attempts or following is None:
            break
        _add(llm, prompt.stage, Usage(retries=1))
        prompt = following
    if partial is not None:
        return partial
    # Kept answers lead to this one by the same way again, so they only go where all was in vain.
    if isinstance(llm, Remembers):
        llm.forget(asked)
    _add(llm, prompt.stage, Usage(failed=1))
    # The answer is not quoted: it holds what the passages hold.
    raise LLMError(f"the model's answer cannot be used after {len(asked)} attempts: {reason}")


def room(llm: LLM, messages: Sequence[Message]) -> int:
    """Return how many tokens an answer to ``messages`` may surely have; below 1 where they fill the model."""
    return llm.context - math.ceil(_COUNT_MARGIN * tokens_of(llm, messages))


def tokens_of(llm: LLM, messages: Sequence[Message]) -> int:
    """Return how many tokens a prompt has, as the model counts them."""
    return sum(llm.count(message.content) + _TURN_TOKENS for message in messages)


def _repaired(llm: LLM, prompt: Prompt, answer: str, repair: tuple[Message, ...]) -> Prompt | None:
    """Return the prompt with the bad answer and what is wrong with it; None where that does not fit the model.

    Of a long answer only the start is shown.
    """
    space = room(llm, (*prompt.messages, Message("assistant", ""), *repair)) - prompt.max_tokens - 1
    tokens = math.ceil(_COUNT_MARGIN * llm.count(answer))
    if space < 1:
        return None
    if tokens > space:
        answer = answer[: len(answer) * space // tokens]
    bad = Message("assistant", answer.strip() or _EMPTY)
    return replace(prompt, messages=(*prompt.messages, bad, *repair))


def _add(llm: LLM, stage: str, usage: Usage) -> None:
    if isinstance(llm, Adds):
        llm.add(stage, usage)
