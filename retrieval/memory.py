"""Recognition memory: a language model says which of the facts found bear on the question.

HippoRAG 2 (Gutiérrez et al. 2025), section 3.2. There, what the model writes is matched to the nearest fact however
far it is; here facts have numbers, and a number that none has counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hipporag_like.models.json_answers import json_object, numbers
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Prompt
from hipporag_like.models.structured import ask
from hipporag_like.text import squeeze

STAGE = "filter"
# Four numbers in JSON take 12; the rest is for models that think first and have to be let finish, some hundred
# tokens as a rule. It is a limit and no cost: what is not written is not paid for.
ANSWER_TOKENS = 512
CONTEXT_SHARE = 4  # of a small window an answer gets a quarter, for the facts have to fit as well
FACT_LENGTH = 600  # characters; a fact may be a sentence, and the longest "sentence" is a table
SCHEMA = {
    "title": "facts",
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"type": "integer"}}},
    "required": ["facts"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """Facts that bear on a question.

    Attributes
    ----------
    kept
        Their places in the list, from 0, ascending.
    ignored
        Numbers in the model's answer that no fact has, or that were more than allowed.
    """

    kept: tuple[int, ...]
    ignored: int


def keep_facts(llm: LLM, prompts: Prompts, question: str, facts: Sequence[str], most: int = 4) -> list[int]:
    """Return which facts bear on the question; see :func:`recognise`."""
    return list(recognise(llm, prompts, question, facts, most).kept)


def recognise(llm: LLM, prompts: Prompts, question: str, facts: Sequence[str], most: int = 4) -> Recognised:
    """Return which facts bear on the question, and how much of the model's answer was of no use.

    Parameters
    ----------
    llm, prompts
        Who is asked, and how (prompt ``filter``).
    question
        In words.
    facts
        In words, best first; none is no call.
    most
        So many at most; of more, those that the model names first.

    Raises
    ------
    LLMError
        No answer could be used. Whether to go on without the filter is for who called to decide.
    EndpointDownError
        Every call would fail.
    """
    if not facts:
        return Recognised((), 0)
    lines = "\n".join(f"{n}. {squeeze(fact)[:FACT_LENGTH]}" for n, fact in enumerate(facts, start=1))
    tokens = min(ANSWER_TOKENS, llm.context // CONTEXT_SHARE)
    prompt = Prompt(prompts.fill("filter", question=question, facts=lines), tokens, STAGE, SCHEMA)
    named = ask(llm, prompt, lambda text: numbers(json_object(text), "facts"), prompts)
    real = [number - 1 for number in named.kept if 1 <= number <= len(facts)][:most]
    return Recognised(tuple(sorted(real)), len(named.kept) - len(real) + named.dropped)
