"""Passages as a language model is shown them: numbered, told apart by a mark, and as many as its window holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hipporag_like.errors import ConfigError
from hipporag_like.models.protocols import LLM, Message
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import content_hash, squeeze
from hipporag_like.types import Passage

_MARK_DIGITS = 8  # short for the reader; that no passage holds the mark is made sure of, not left to chance
# A count of tokens may be an estimate a fifth below the truth (models.protocols.LLM), and a request beyond the
# window fails as a whole.
_MARGIN = 1.25
_TURN_TOKENS = 8  # what a chat template puts around a turn: 3 to 8 in those of Llama, Qwen, Mistral and GPT


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits, and the passages in it; the last passage may have lost its last sentences."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...]


def numbered(passages: Sequence[Passage]) -> str:
    """Return passages as one text: each under a line ``[number] mark title``.

    The mark is a hash of the passages that stands in none of them, so that no passage can open another one.
    """
    parts = [part for p in passages for part in (p.title, p.text)]
    mark = _mark(parts)
    lines = [f"Each passage begins with its number and the mark {mark}; a line without it begins none."]
    for place, passage in enumerate(passages, start=1):
        lines.append(f"\n[{place}] {mark} {squeeze(passage.title)}".rstrip() + f"\n{passage.text.strip()}")
    return "\n".join(lines)


def _mark(parts: Sequence[str]) -> str:
    number, mark = 0, content_hash("passage", "0", *parts)[:_MARK_DIGITS]
    while any(mark in part for part in parts):
        number += 1
        mark = content_hash("passage", str(number), *parts)[:_MARK_DIGITS]
    return mark


def fit(
    llm: LLM,
    fill: Callable[[str], tuple[Message, ...]],
    passages: Sequence[Passage],
    answer_tokens: int,
    spare: int = 0,
) -> Fitted:
    """Return a prompt with as many passages as the model's window holds beside it and the answer.

    The last passages are left out first, as a whole. Where not even the first fits, its first sentences are
    kept, as many as fit; no sentence is ever cut.

    Parameters
    ----------
    llm
        Counts tokens and knows its window.
    fill
        From the numbered passages to the prompt.
    passages
        At least one, best first.
    answer_tokens
        Room for the answer.
    spare
        Tokens to keep free besides.

    Raises
    ------
    ConfigError
        Not even one sentence fits.
    """
    room = llm.context - answer_tokens - spare

    def filled(shown: Sequence[Passage]) -> Fitted | None:
        messages = fill(numbered(shown))
        tokens = sum(llm.count(m.content) + _TURN_TOKENS for m in messages)
        return Fitted(messages, tuple(shown)) if tokens * _MARGIN <= room else None

    best = _most(lambda n: filled(passages[:n]), len(passages))
    if best is None:
        top = passages[0]
        spans = sentence_spans(top.text)
        best = _most(lambda n: filled([_shortened(top, spans[n - 1][1])]), len(spans))
    if best is None:
        raise ConfigError(
            f"the question, the instructions and one sentence of a passage do not fit the model's window of "
            f"{llm.context} tokens beside {answer_tokens} for the answer; raise llm.context_tokens to what the "
            "model takes, lower read.answer_tokens, or ask a shorter question"
        )
    return best


def _shortened(passage: Passage, length: int) -> Passage:
    return replace(passage, text=passage.text[:length], end=passage.start + length)


def _most(attempt: Callable[[int], Fitted | None], most: int) -> Fitted | None:
    """Return what the largest number from 1 to ``most`` gives that gives something, by halving."""
    best, low, high = None, 1, most
    number = most  # all of them, as a rule
    while low <= high:
        found = attempt(number)
        if found is None:
            high = number - 1
        else:
            best, low = found, number + 1
        number = (low + high + 1) // 2
    return best
