"""A language model whose answers are kept: what was answered once costs nothing again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from hipporag_like.errors import LLMError, StoreError
from hipporag_like.models.front import Front
from hipporag_like.models.protocols import LLM, Prompt, Reply, Stops
from hipporag_like.text import content_hash
from hipporag_like.types import Usage

Kept = tuple[str, bool, int, int]


class Calls(Protocol):
    """Where answers are kept; ``store.calls.CallTable`` is one."""

    def get(self, fingerprint: str, key: str) -> Kept | None:
        """Return text, whether it was cut, tokens in and tokens out, or None."""
        ...

    def put(self, fingerprint: str, key: str, owner: str, answer: Kept) -> None:
        """Keep an answer."""
        ...

    def forget(self, fingerprint: str, keys: Sequence[str]) -> None:
        """Drop answers."""
        ...


class CachedLLM(Front):
    """An ``LLM`` in front of another one, which also adds up what calls cost, by stage.

    Parameters
    ----------
    llm
        The model.
    calls
        Where answers are kept.
    must_keep
        Whether an answer that cannot be kept stops the run with a :class:`StoreError`. True to index; when a
        question is asked, a paid answer is worth more than its place in the cache.
    """

    def __init__(self, llm: LLM, calls: Calls, *, must_keep: bool) -> None:
        super().__init__(llm)
        self._calls = calls
        self._must_keep = must_keep
        self._spent: dict[str, Usage] = {}
        self._lock = threading.Lock()

    @property
    def spent(self) -> Mapping[str, Usage]:
        """What all calls made through this object cost, by stage."""
        with self._lock:
            return dict(self._spent)

    def complete(self, prompt: Prompt) -> Reply:
        """Return the kept answer, or the model's; see ``models.protocols.LLM``."""
        kept = self.known(prompt)
        if kept is not None:
            return self._count(prompt, kept)
        try:
            reply = self._llm.complete(prompt)
        except LLMError as error:
            self.add(prompt.stage, Usage(0, 0, 1, *error.spent))
            raise
        self._keep(prompt, reply)
        return self._count(prompt, reply)

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the kept answer as one piece, or the model's piece by piece; see ``models.protocols.LLM``."""
        kept = self.known(prompt)
        if kept is not None:
            yield kept.text
            yield self._count(prompt, kept)
            return
        try:
            for piece in self._llm.stream(prompt):
                if isinstance(piece, Reply):
                    self._keep(prompt, piece)
                    self._count(prompt, piece)
                yield piece
        except LLMError as error:
            self.add(prompt.stage, Usage(0, 0, 1, *error.spent))
            raise

    def stop(self) -> int | None:
        """Tell the model to give up calls that only wait; see ``models.protocols.Stops``."""
        return self._llm.stop() if isinstance(self._llm, Stops) else None

    def known(self, prompt: Prompt) -> Reply | None:
        """Return the kept answer to a prompt, or None; calls nothing."""
        found = self._calls.get(self.fingerprint, call_key(prompt))
        return None if found is None else Reply(found[0], found[1], Usage(cached=1))

    def forget(self, prompts: Sequence[Prompt]) -> None:
        """Drop the answers to prompts, because they turned out to be of no use."""
        self._calls.forget(self.fingerprint, [call_key(prompt) for prompt in prompts])

    def _keep(self, prompt: Prompt, reply: Reply) -> None:
        answer = (reply.text, reply.cut, reply.usage.input_tokens, reply.usage.output_tokens)
        try:
            self._calls.put(self.fingerprint, call_key(prompt), prompt.owner, answer)
        except StoreError:
            if self._must_keep:
                raise

    def _count(self, prompt: Prompt, reply: Reply) -> Reply:
        self.add(prompt.stage, reply.usage)
        return reply

    def add(self, stage: str, usage: Usage) -> None:
        """Add to what a stage cost."""
        with self._lock:
            self._spent[stage] = self._spent.get(stage, Usage()) + usage


def call_key(prompt: Prompt) -> str:
    """Return 32 hexadecimal digits of what the answer to a prompt depends on, the model left out."""
    turns = [part for m in prompt.messages for part in (m.role, m.content)]
    schema = "" if prompt.schema is None else json.dumps(prompt.schema, sort_keys=True)
    return content_hash(str(prompt.max_tokens), schema, *turns)
