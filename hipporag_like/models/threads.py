"""Work shared out over threads of ours, while the BLAS library under numpy keeps to one thread each.

A BLAS with its own threads makes them wait for each other at the end of every product; on a machine that
is busy otherwise each wait can last a time slice: attention's small products took 114 ms a call instead
of 1.8 ms. Threads of ours meet once, at the end of the work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()
_holders = 0
_restore = ExitStack()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_threads(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return ``[work(item) for item in items]``, computed by ``threads`` threads with one BLAS thread each.

    Where there is one item or one thread, the calling thread does the work.
    """
    with single_blas_thread():
        if threads <= 1 or len(items) <= 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(threads, len(items))) as pool:
            return list(pool.map(work, items))


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; of several holders at a time the last one out restores the old number.

    The number belongs to the whole process, so each holder for itself could restore another's 1.
    """
    global _holders
    with _lock:
        if _holders == 0:
            _restore.enter_context(_limit())
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _restore.close()


def _limit() -> AbstractContextManager[object]:
    limits: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limits


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """Return the libraries with threads of their own; looking for them takes 1.5 ms, so they are found once."""
    import numpy  # noqa: F401  whose BLAS is the one to hold, so it has to be there by now
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
