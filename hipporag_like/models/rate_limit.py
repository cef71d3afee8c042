"""Requests and tokens a minute, kept by all threads together.

A sliding window: in no minute, wherever it begins, is more taken than allowed. A bucket that starts full and is
refilled meanwhile would let through twice as much in its first minute.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0  # seconds
LOOK_AGAIN = 1.0  # seconds; what settles meanwhile may have made room


@dataclass(slots=True)
class Ticket:
    """One request: when it was let through, what it counts for, and whether it still does."""

    at: float
    tokens: int
    counts: bool = True


class RateLimit:
    """Lets requests through as their numbers allow; safe to use from several threads.

    Parameters
    ----------
    requests, tokens
        Allowed a minute; 0 is no limit.
    clock
        Seconds that never go back.
    pause
        Waits so many seconds; may raise to give up.
    """

    def __init__(
        self, requests: int, tokens: int, clock: Callable[[], float], pause: Callable[[float], None]
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()  # of the tickets
        self._turn = (
            threading.Lock()
        )  # one waits at a time, so that small requests do not overtake a large one
        self._tickets: deque[Ticket] = deque()
        self._sum = 0

    def take(self, tokens: int) -> Ticket:
        """Wait until a request of about ``tokens`` is allowed; one larger than the limit needs a whole minute."""
        if not self._requests and not self._tokens:
            return Ticket(self._clock(), tokens, counts=False)
        counted = min(tokens, self._tokens) if self._tokens else tokens
        with self._turn:
            while True:
                ticket, wait = self._try(counted)
                if ticket is not None:
                    return ticket
                self._pause(min(wait, LOOK_AGAIN))

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Replace the estimate of a request by what it came to."""
        with self._lock:
            if ticket.counts:
                self._sum += tokens - ticket.tokens
                ticket.tokens = tokens

    def _try(self, tokens: int) -> tuple[Ticket | None, float]:
        with self._lock:
            now = self._clock()
            while self._tickets and self._tickets[0].at + MINUTE <= now:
                old = self._tickets.popleft()
                old.counts = False
                self._sum -= old.tokens
            wait = max(self._wait_for_requests(now), self._wait_for_tokens(now, tokens))
            if wait > 0:
                return None, wait
            ticket = Ticket(now, tokens)
            self._tickets.append(ticket)
            self._sum += tokens
            return ticket, 0.0

    def _wait_for_requests(self, now: float) -> float:
        if not self._requests or len(self._tickets) < self._requests:
            return 0.0
        return self._tickets[len(self._tickets) - self._requests].at + MINUTE - now

    def _wait_for_tokens(self, now: float, tokens: int) -> float:
        excess = self._sum + tokens - self._tokens
        if not self._tokens or excess <= 0:
            return 0.0
        last = now
        for ticket in self._tickets:
            last = ticket.at
            excess -= ticket.tokens
            if excess <= 0:
                break
        return last + MINUTE - now
