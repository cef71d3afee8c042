"""How loops are compiled, here and in ``retrieval``; needs numba, which takes 0.3 s to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled at its first call, and kept on disk; it adds in the order that is written."""
    return cast(F, njit(cache=True, nogil=True)(function))


def compiled_freely(function: F) -> F:
    """Return the same, but sums may be taken in another order, so that a dot product uses vector units.

    The order is the same wherever a row stands. Nothing else of fast-math is on.
    """
    return cast(F, njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function))


def inlined(function: F) -> F:
    """Return a function that is compiled into each that calls it."""
    return cast(F, njit(cache=True, nogil=True, inline="always")(function))
