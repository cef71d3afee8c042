"""How long to wait before a call is sent again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# Seconds. With five retries 31 at most, 15 on average: a server's restart, or half of a minute's limit.
BASE = 1.0
LONGEST = 60.0
MAX_RETRY_AFTER = 300.0  # seconds a server may ask for; an hour's or a day's quota is no matter of waiting


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, so that tests need neither.

    Attributes
    ----------
    clock
        Seconds that never go back.
    wall
        Seconds since 1970, UTC.
    chance
        A number from 0 to 1.
    sleep
        Waits so many seconds; ``None`` waits in a way that a closing circuit ends.
    """

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] | None = None


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait after the attempt of that number, from 1: exponential, with full jitter.

    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return chance * min(LONGEST, BASE * 2.0 ** (attempt - 1))


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a server asks to wait, or None.

    Parameters
    ----------
    headers
        Of the answer, looked up without regard to case. ``retry-after-ms`` (milliseconds, the more exact) goes before
        ``retry-after``: seconds or a date (RFC 9110, 10.2.3). What is neither counts as not given.
    now
        Seconds since 1970.
    """
    exact = _seconds(headers.get("retry-after-ms", ""))
    if exact is not None:
        return exact / 1000
    said = headers.get("retry-after", "")
    seconds = _seconds(said)
    return seconds if seconds is not None else _until(said, now)


def _seconds(said: str) -> float | None:
    try:
        seconds = float(said)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _until(said: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
