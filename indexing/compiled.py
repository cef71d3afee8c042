"""How loops are compiled, here and in ``retrieval``; needs numba, which takes 0.2 s to load."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

from hipporag_like.text import content_hash

F = TypeVar("F", bound=Callable[..., Any])


class _Kept(FunctionCache):  # type: ignore[misc]
    """Compiled code on disk, loaded without the compiler and known by all that went into it.

    Numba makes its compiler ready (0.35 s) before it loads what needs none, and takes code for that of today if the
    file of its function is unchanged, whatever the functions and tuples of other files are now that are part of it.
    What is known here is compared before anything of the file is unpickled, and what is out of date is overwritten.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._version = self._cache_file._version, _ingredients(function, set())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # memory, all that loaded code calls
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def _ingredients(function: Callable[..., Any], seen: set[Callable[..., Any]]) -> str:
    """Return all that compiled code of a function depends on: its own, functions called, constants and tuples."""
    seen.add(function)
    code, known = function.__code__, function.__globals__
    parts = [code.co_code.hex(), repr([c for c in code.co_consts if not isinstance(c, CodeType)])]
    for value in known.values():
        if isinstance(value, type) and hasattr(value, "_fields"):
            parts.append(repr(value._fields))
    for value in map(known.get, code.co_names):
        called = getattr(value, "py_func", None)
        if called is not None and called not in seen:
            parts.append(_ingredients(called, seen))
        elif isinstance(value, (int, float, np.generic)):
            parts.append(repr(value))
    return content_hash(*parts)


def _compiled(function: F, **options: Any) -> F:
    compiled = njit(nogil=True, cache=True, **options)(function)
    if _is_known(compiled._cache):
        compiled._cache = _Kept(function)
    return cast(F, compiled)


def _is_known(cache: Any) -> bool:
    """Return whether numba's cache has inside what it has in 0.60 and 0.68; another one is used as it is."""
    names = "_load_overload", "_guard_against_spurious_io_errors"
    file = getattr(cache, "_cache_file", None)
    return (
        all(hasattr(cache, name) for name in names)
        and hasattr(file, "_version")
        and hasattr(rtsys, "initialize")
    )


def compiled(function: F) -> F:
    """Return a function compiled at its first call, and kept on disk; it adds in the order that is written."""
    return _compiled(function)


def compiled_freely(function: F) -> F:
    """Return the same, but sums may be taken in another order, so that a dot product uses vector units.

    The order is the same wherever a row stands. Nothing else of fast-math is on.
    """
    return _compiled(function, fastmath={"reassoc", "contract"})


def inlined(function: F) -> F:
    """Return a function that is compiled into each that calls it."""
    return _compiled(function, inline="always")
