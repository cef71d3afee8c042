"""Attributes that are made at their first use, once, whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  used as a decorator, as cached_property is
    """``functools.cached_property`` for objects that several threads share.

    From Python 3.12 on, ``cached_property`` lets two threads make the value twice. One lock an object, its
    ``_making``, and not one an attribute: attributes use each other, and two locks could be taken in either order.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> once[Value]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> Value: ...

    def __get__(self, owner: Any, kind: type) -> Value | once[Value]:
        if owner is None:
            return self
        with owner._making:
            kept = owner.__dict__
            if self._name not in kept:
                kept[self._name] = self._make(owner)
            value: Value = kept[self._name]
            return value
