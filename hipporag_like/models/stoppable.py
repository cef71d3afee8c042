"""A language model as one run sees it: what only waits is given up when the run ends early."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any

from hipporag_like.errors import LLMError
from hipporag_like.models.front import Front
from hipporag_like.models.protocols import LLM, Prompt, Reply, Stops
from hipporag_like.models.structured import Adds, Remembers
from hipporag_like.types import Usage

STOPPED = "the run was stopped before this passage was done"
# Seconds. What is over sooner is not worth a word.
PATIENCE = 0.2
# Seconds between two looks for calls that began to wait just after the last one.
LOOK_AGAIN = 0.5

# Python writes a warning to stderr where nobody configured logging, so that it is seen on a terminal.
_log = logging.getLogger(__name__)


class Stoppable(Front):
    """An ``LLM`` in front of another one, for the calls of one run.

    Parameters
    ----------
    llm
        The model; it gives up waiting calls at once where it is ``Stops``.
    """

    def __init__(self, llm: LLM) -> None:
        super().__init__(llm)
        self._over = threading.Event()

    def complete(self, prompt: Prompt) -> Reply:
        """Return the model's answer; after the end of the run, every call is an :class:`LLMError`."""
        self._check()
        return self._llm.complete(prompt)

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the model's answer; after the end of the run as :meth:`complete`."""
        self._check()
        yield from self._llm.stream(prompt)

    def forget(self, prompts: Sequence[Prompt]) -> None:
        """Drop the answers to prompts where the model keeps them."""
        if isinstance(self._llm, Remembers):
            self._llm.forget(prompts)

    def add(self, stage: str, usage: Usage) -> None:
        """Add to what a stage cost where the model counts that."""
        if isinstance(self._llm, Adds):
            self._llm.add(stage, usage)

    def finish(self, work: Collection[Future[Any]]) -> None:
        """End the run: no call begins any more; see :func:`finish`."""
        self._over.set()
        finish(work, self._stop)

    def _stop(self) -> int | None:
        return self._llm.stop() if isinstance(self._llm, Stops) else None

    def _check(self) -> None:
        if self._over.is_set():
            raise LLMError(STOPPED)


def finish(work: Collection[Future[Any]], stop: Callable[[], int | None]) -> None:
    """Begin nothing more, give up the calls that only wait, and wait for the answers to the others.

    Those are paid for and kept; how long they take is bounded by the model's time limit. What keeps a person
    waiting is said as a logged warning.

    Parameters
    ----------
    work
        What makes the calls.
    stop
        As of ``models.protocols.Stops``; not called where no work is under way, for others may use the model.
    """
    left = {future for future in work if not (future.cancel() or future.done())}
    if not left:
        return
    stop()
    left = wait(left, PATIENCE).not_done
    if left:
        known = stop()
        calls = sum(future.running() for future in left) if known is None else known
        noun = "call" if calls == 1 else "calls"
        _log.warning("stopping: finishing %d %s; Ctrl-C again to stop at once", calls, noun)
    while left:
        left = wait(left, LOOK_AGAIN).not_done
        stop()
