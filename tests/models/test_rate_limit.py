"""No minute, wherever it begins, holds more than allowed."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import EndpointDownError
from hipporag_like.models.backoff import asked_wait, backoff
from hipporag_like.models.circuit import RECOVERY, Circuit
from hipporag_like.models.rate_limit import RateLimit, Ticket


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        assert seconds > 0
        assert self.now < 10_000, "waits for ever"
        self.now += seconds


def limit(requests: int, tokens: int, clock: Clock) -> RateLimit:
    return RateLimit(requests, tokens, lambda: clock.now, clock.pause)


calls = st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150), st.floats(0, 80)), max_size=40)


@given(calls, st.integers(0, 5), st.integers(0, 100))
@settings(max_examples=200, deadline=None)
def test_no_minute_holds_more_than_allowed(calls, requests, tokens):
    clock = Clock()
    rate = limit(requests, tokens, clock)
    taken: list[tuple[float, int]] = []
    for wanted, used, pause in calls:
        ticket = rate.take(wanted)
        taken.append((clock.now, min(used, wanted)))
        clock.now += pause
        rate.settle(ticket, min(used, wanted))
    for start, _ in taken:
        minute = [count for at, count in taken if start <= at < start + 59.999]
        assert not requests or len(minute) <= requests
        # One call larger than the whole limit is let through by itself.
        assert not tokens or sum(minute) <= max(tokens, max(minute))


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30))
def test_no_wait_is_longer_than_needed(wanted):
    clock = Clock()
    rate = limit(0, 100, clock)
    tickets: list[Ticket] = []
    for tokens in wanted:
        tickets.append(rate.take(tokens))
    for place, ticket in enumerate(tickets):
        before = tickets[place - 1].at if place else 0.0
        if ticket.at > before:  # it waited: a moment earlier it did not fit
            held = sum(other.tokens for other in tickets[:place] if other.at > ticket.at - 60 - 1e-6)
            assert held + ticket.tokens > 100


def test_what_was_not_used_makes_room_at_once():
    clock = Clock()
    rate = limit(0, 100, clock)
    rate.settle(rate.take(90), 10)
    rate.take(90)
    assert clock.now == 0
    rate.take(1)
    assert clock.now == pytest.approx(60)


def test_what_was_used_beyond_the_estimate_counts():
    clock = Clock()
    rate = limit(0, 100, clock)
    rate.settle(rate.take(10), 100)
    rate.take(1)
    assert clock.now == pytest.approx(60)


def test_what_settles_late_counts_for_no_other_minute():
    clock = Clock()
    rate = limit(0, 100, clock)
    late = rate.take(50)
    clock.now = 61
    rate.take(1)
    rate.settle(late, 5000)
    rate.take(99)
    assert clock.now == 61


def test_what_settles_when_it_counts_no_more_leaves_the_sum_right():
    clock = Clock()
    rate = limit(0, 100, clock)
    late = rate.take(90)
    clock.now = 61
    rate.settle(late, 10)  # before anyone has looked at the clock
    rate.take(100)
    assert clock.now == 61
    rate.take(100)
    assert clock.now == pytest.approx(121)


def test_no_limit_never_waits():
    clock = Clock()
    rate = limit(0, 0, clock)
    for _ in range(1000):
        rate.take(10**9)
    assert clock.now == 0


def test_threads_share_the_limit():
    clock = Clock()
    rate = limit(10, 0, clock)
    tickets: list[Ticket] = []
    threads = [threading.Thread(target=lambda: tickets.append(rate.take(1))) for _ in range(35)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(round(ticket.at) for ticket in tickets) == [0] * 10 + [60] * 10 + [120] * 10 + [180] * 5


def test_who_gives_up_waiting_leaves_the_turn_to_others():
    clock = Clock()

    def give_up(seconds: float) -> None:
        clock.now += seconds
        raise EndpointDownError("down")

    rate = RateLimit(1, 0, lambda: clock.now, give_up)
    rate.take(1)
    for _ in range(2):
        with pytest.raises(EndpointDownError):
            rate.take(1)


def test_a_pause_ends_when_the_circuit_opens():
    circuit = Circuit(1)
    threading.Timer(0.05, circuit.trip, ["down for good"]).start()
    start = time.monotonic()
    with pytest.raises(EndpointDownError, match="down for good"):
        circuit.pause(60)
    assert time.monotonic() - start < 5
    circuit.trip("another reason")
    with pytest.raises(EndpointDownError, match="down for good"), circuit.slot():
        pass


def test_some_time_after_it_opened_one_more_failure_opens_it_again():
    clock = Clock()
    circuit = Circuit(1, clock=lambda: clock.now)
    circuit.trip("down")
    clock.now += RECOVERY - 1
    with pytest.raises(EndpointDownError, match="down"), circuit.slot():
        pass
    clock.now += 1
    with circuit.slot():
        circuit.check()
    assert circuit.failed("down again")
    with pytest.raises(EndpointDownError, match="down again"), circuit.slot():
        pass
    clock.now += RECOVERY
    with circuit.slot():
        circuit.alive()
    assert not circuit.failed("one of many")


def test_who_waits_for_a_slot_is_told():
    circuit = Circuit(1)
    told: list[str] = []

    def wait() -> None:
        try:
            with circuit.slot():
                told.append("got in")
        except EndpointDownError as error:
            told.append(str(error))

    with circuit.slot():
        thread = threading.Thread(target=wait)
        thread.start()
        circuit.trip("down")
        thread.join(5)
    assert told == ["down"]


@given(st.integers(1, 1000), st.floats(0, 1))
def test_backoff_stays_between_none_and_the_longest(attempt, chance):
    assert 0 <= backoff(attempt, chance) <= min(60.0, 2.0 ** min(attempt - 1, 10))


@given(st.text())
def test_any_header_is_a_wait_or_none(said):
    wait = asked_wait({"retry-after": said, "retry-after-ms": said[::-1]}, 0.0)
    assert wait is None or 0 <= wait < float("inf")
