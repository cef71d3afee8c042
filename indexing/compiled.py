"""How loops are compiled whose numbers must come out the same everywhere; needs numba, which takes 0.3 s to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return a function compiled at its first call, and kept on disk; it adds in the order that is written."""
    return cast(F, njit(cache=True, nogil=True)(function))
