"""Work done in a second thread while the first goes on: what is compiled or numpy's does not hold up Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Begin(Protocol):
    """Takes up work, one piece after the other."""

    def __call__(self, work: Callable[[], T]) -> Callable[[], T]:
        """Return what waits for the work and gives its value, or raises what it raised; to be called once."""


@contextmanager
def beside() -> Iterator[Begin]:
    """Yield what begins work in a second thread; the block ends when all that was begun has, or was not yet."""
    pool = ThreadPoolExecutor(1, "beside")

    def begin(work: Callable[[], T]) -> Callable[[], T]:
        begun = [pool.submit(work)]
        return lambda: begun.pop().result()  # what was given is kept by nobody here

    try:
        yield begin
    finally:
        pool.shutdown(cancel_futures=True)
