"""How many calls an endpoint takes at once, and the switch that ends them all when it is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hipporag_like.errors import EndpointDownError, LLMError

# Calls failing one after the other, each after its own retries, before the endpoint counts as down. One is bad
# luck; five took five times the retries' minute, or the whole width of calls at once.
FAILURES = 5
# Seconds after which a new call may try again, so that a program that lives on finds a server that came back.
RECOVERY = 10.0
STOPPED = "the run was stopped before this call was sent"


class Circuit:
    """Slots for calls, and whether any more make sense; safe to use from several threads.

    Parameters
    ----------
    width
        Calls at once.
    failures
        Failed calls in a row that open the circuit.
    clock
        Seconds that never go back.
    """

    def __init__(
        self, width: int, failures: int = FAILURES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = width
        self._most = failures
        self._clock = clock
        self._opened = 0.0
        self._row = 0
        self._down = ""
        self._stops = 0
        self._sent = 0
        self._call = threading.local()  # of each thread: how often was stopped before its call began
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots, waiting for it; raises as :meth:`check`, as soon as there is a reason to."""
        with self._changed:
            self._recover()
            self._call.stops = self._stops
            self._changed.wait_for(lambda: self._ended() or self._free > 0)
            self._check()
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait; raises as :meth:`check`, as soon as there is a reason to."""
        with self._changed:
            self._changed.wait_for(self._ended, timeout=seconds)
            self._check()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Count a request as sent, which :meth:`stop` leaves alone; raises as :meth:`check`."""
        with self._changed:
            self._check()
            self._sent += 1
        try:
            yield
        finally:
            with self._changed:
                self._sent -= 1

    def stop(self) -> int:
        """Give up all calls that wait for anything but an answer; return how many wait for one.

        A call that begins later is made as ever.
        """
        with self._changed:
            self._stops += 1
            self._changed.notify_all()
            return self._sent

    def check(self) -> None:
        """See whether the call of this thread makes sense.

        Raises
        ------
        EndpointDownError
            The circuit is open.
        LLMError
            The call was stopped.
        """
        with self._changed:
            self._check()

    def alive(self) -> None:
        """Take note of an answer: the calls that failed before it are no row."""
        with self._changed:
            self._row = 0

    def failed(self, sentence: str) -> bool:
        """Take note of a call that failed for good; return whether it was one too many, which opens the circuit."""
        with self._changed:
            self._row += 1
            if self._row < self._most:
                return False
        self.trip(sentence)
        return True

    def trip(self, sentence: str) -> None:
        """Open the circuit: all calls, waiting ones too, fail with ``sentence``; the first one counts."""
        with self._changed:
            if not self._down:
                self._down, self._opened = sentence, self._clock()
            self._changed.notify_all()

    def _recover(self) -> None:
        """Close the circuit some time after it opened; one more failure opens it again."""
        if self._down and self._clock() - self._opened >= RECOVERY:
            self._down, self._row = "", self._most - 1

    def _ended(self) -> bool:
        return bool(self._down) or self._stopped()

    def _stopped(self) -> bool:
        return bool(getattr(self._call, "stops", self._stops) != self._stops)

    def _check(self) -> None:
        if self._down:
            raise EndpointDownError(self._down)
        if self._stopped():
            raise LLMError(STOPPED)
