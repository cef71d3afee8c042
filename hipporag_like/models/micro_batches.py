"""Calls of several threads answered together: whoever comes first does the work of all that wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar, cast

from hipporag_like.errors import LLMError

Job = TypeVar("Job")
Result = TypeVar("Result")

# How long the first caller waits for others when none is left to come. The callers of one batch are released
# together and are back within a few ms, after writing their answers down; a batch takes seconds.
GATHER_S = 0.02
STOPPED = "the run was stopped before this prompt's turn came"


@dataclass(eq=False)
class _Ticket(Generic[Job, Result]):
    job: Job
    outcome: Result | LLMError | None = None


class MicroBatches(Generic[Job, Result]):
    """Gathers jobs of several threads into batches; one batch is worked on at a time.

    Parameters
    ----------
    size
        Jobs in a batch at most.
    fits
        Whether jobs can be worked on together; one alone always is.
    work
        Jobs to results, in order; an ``LLMError`` that it returns is raised by the call that handed in the job.
    """

    def __init__(
        self,
        size: int,
        fits: Callable[[Sequence[Job]], bool],
        work: Callable[[Sequence[Job]], Sequence[Result | LLMError]],
    ) -> None:
        self._size = size
        self._fits = fits
        self._work = work
        self._queue: list[_Ticket[Job, Result]] = []
        self._busy = False
        self._working = 0
        self._changed = threading.Condition()  # guards all three, told of every change

    def run(self, job: Job) -> Result:
        """Return the result of a job, after working on a batch or waiting for another thread that does.

        Raises
        ------
        LLMError
            Of this job, or it was stopped; the others of its batch have their own outcomes.
        """
        ticket: _Ticket[Job, Result] = _Ticket(job)
        with self._changed:
            self._queue.append(ticket)
            self._changed.notify_all()
        try:
            while self._my_turn(ticket):
                self._lead()
        finally:
            self._forget(ticket)
        if isinstance(ticket.outcome, LLMError):
            raise ticket.outcome
        return cast("Result", ticket.outcome)

    def stop(self) -> int:
        """Give up all jobs that wait; return how many are worked on. A job that comes later is done as ever."""
        with self._changed:
            for ticket in self._queue:
                ticket.outcome = LLMError(STOPPED)
            self._queue.clear()
            self._changed.notify_all()
            return self._working

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the model for something else than a batch."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)
            self._busy = True
        try:
            yield
        finally:
            self._release(())

    def _my_turn(self, ticket: _Ticket[Job, Result]) -> bool:
        """Wait for the outcome of a job; return whether its caller holds the model and has to see to it instead."""
        with self._changed:
            self._changed.wait_for(lambda: ticket.outcome is not None or not self._busy)
            if ticket.outcome is None:
                self._busy = True
                return True
            return False

    def _lead(self) -> None:
        batch: list[_Ticket[Job, Result]] = []
        try:
            batch = self._take()
            outcomes = self._work([ticket.job for ticket in batch]) if batch else []
            for ticket, outcome in zip(batch, outcomes, strict=True):
                ticket.outcome = outcome
        finally:
            # Where this thread is interrupted, say from the keyboard, the others do the work themselves.
            self._release([ticket for ticket in batch if ticket.outcome is None])

    def _release(self, left: Sequence[_Ticket[Job, Result]]) -> None:
        with self._changed:
            self._queue[:0] = left
            self._busy = False
            self._working = 0
            self._changed.notify_all()

    def _take(self) -> list[_Ticket[Job, Result]]:
        """Take the job that waited longest out of the queue, and those after it that fit."""
        with self._changed:
            self._gather()
            batch = self._queue[:1]
            for ticket in self._queue[1:]:
                if len(batch) < self._size and self._fits([*(t.job for t in batch), ticket.job]):
                    batch.append(ticket)
            self._queue = [ticket for ticket in self._queue if ticket not in batch]
            self._working = len(batch)
        return batch

    def _gather(self) -> None:
        """Wait until a batch is full or nobody has come for a while."""
        waiting = 0
        while waiting < len(self._queue) < self._size:
            waiting = len(self._queue)
            self._changed.wait_for(partial(self._longer, waiting), GATHER_S)

    def _longer(self, length: int) -> bool:
        return len(self._queue) > length

    def _forget(self, ticket: _Ticket[Job, Result]) -> None:
        """Leave no job behind of a caller that was interrupted."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
