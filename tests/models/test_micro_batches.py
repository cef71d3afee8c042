"""Batches of several threads' calls: every call gets its own outcome, whoever did the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from hipporag_like.errors import LLMError
from hipporag_like.models.micro_batches import MicroBatches


class Worker:
    """Squares numbers, and writes down how it was used."""

    def __init__(self, pause: float = 0.01) -> None:
        self.batches: list[list[int]] = []
        self.pause = pause
        self.busy = threading.Lock()

    def __call__(self, jobs: Sequence[int]) -> list[int | LLMError]:
        assert self.busy.acquire(blocking=False), "two batches at a time"
        self.batches.append(list(jobs))
        time.sleep(self.pause)
        self.busy.release()
        return [LLMError(f"no {job}") if job < 0 else job * job for job in jobs]


def always(_: Sequence[int]) -> bool:
    return True


def together(batches: MicroBatches[int, int], jobs: Sequence[int], threads: int = 8) -> list[int | str]:
    def outcome(job: int) -> int | str:
        try:
            return batches.run(job)
        except LLMError as error:
            return str(error)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(outcome, jobs))


def test_every_call_gets_its_own_outcome() -> None:
    worker = Worker()
    jobs = [3, -1, 4, 1, -5, 9, 2, 6, 5, 3, 5, 8, -9, 7]
    expected = [f"no {job}" if job < 0 else job * job for job in jobs]
    assert together(MicroBatches(4, always, worker), jobs) == expected
    assert sorted(job for batch in worker.batches for job in batch) == sorted(jobs)


def test_batches_are_full_and_never_too_large() -> None:
    worker = Worker()
    together(MicroBatches(4, always, worker), range(64), threads=4)
    sizes = [len(batch) for batch in worker.batches]
    assert max(sizes) == 4
    # Of 16 full batches; a thread that the machine held up for long may miss one.
    assert len(sizes) <= 24


def test_a_size_of_one_waits_for_nobody() -> None:
    worker = Worker(pause=0.0)
    batches = MicroBatches(1, always, worker)
    assert [batches.run(job) for job in range(3)] == [0, 1, 4]
    assert worker.batches == [[0], [1], [2]]


def test_what_does_not_fit_is_worked_on_later() -> None:
    worker = Worker()
    batches = MicroBatches(8, lambda jobs: sum(jobs) <= 10, worker)
    jobs = [9, 9, 1, 1, 30, 2, 3, 4]
    assert together(batches, jobs) == [job * job for job in jobs]
    assert all(sum(batch) <= 10 or len(batch) == 1 for batch in worker.batches)


def test_an_interrupted_leader_leaves_the_others_their_turn() -> None:
    worker = Worker()
    first = threading.Event()

    def work(jobs: Sequence[int]) -> list[int | LLMError]:
        if not first.is_set():
            first.set()
            raise KeyboardInterrupt
        return worker(jobs)

    batches: MicroBatches[int, int] = MicroBatches(4, always, work)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(batches.run, job) for job in (1, 2, 3, 4)]
        errors = [future.exception(timeout=20) for future in futures]
    interrupted = [job for job, error in zip((1, 2, 3, 4), errors, strict=True) if error is not None]
    assert [type(error) for error in errors if error is not None] == [KeyboardInterrupt]
    # The job of the caller that is gone is not worked on for nobody.
    assert sorted(job for batch in worker.batches for job in batch) == sorted({1, 2, 3, 4} - set(interrupted))


def test_an_error_does_not_stay() -> None:
    batches = MicroBatches(2, always, Worker(0.0))
    with pytest.raises(LLMError, match="no -3"):
        batches.run(-3)
    assert batches.run(3) == 9


def test_stopping_gives_up_what_waits_and_leaves_what_is_worked_on() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(jobs: Sequence[int]) -> list[int | LLMError]:
        begun.set()
        assert go_on.wait(10)
        return [job * job for job in jobs]

    batches: MicroBatches[int, int] = MicroBatches(1, always, work)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batches.run, 3)
        assert begun.wait(10)
        others = [pool.submit(batches.run, job) for job in (4, 5)]
        while len(batches._queue) < 2:
            time.sleep(0.001)
        assert batches.stop() == 1
        for other in others:
            with pytest.raises(LLMError, match="stopped"):
                other.result(10)
        go_on.set()
        assert first.result(10) == 9
        assert pool.submit(batches.run, 6).result(10) == 36
    assert batches.stop() == 0
