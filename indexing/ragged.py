"""Rows of different lengths end to end, and how rows of two such arrays become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Starts = NDArray[np.int64]


def starts_of(lengths: NDArray[np.integer]) -> Starts:
    """Return where each of consecutive rows starts, and where the last one ends."""
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


@dataclass(frozen=True, slots=True)
class Rows2:
    """Which rows of an old and of a new table make up a third one.

    Attributes
    ----------
    source
        int64, (n,): row numbers, those of the new table after all of the old one.
    """

    source: NDArray[np.int64]

    def lengths(self, old: Starts, new: Starts) -> NDArray[np.int64]:
        """Return the length of each row of the result."""
        return np.concatenate([np.diff(old), np.diff(new)])[self.source]

    def ragged(
        self, old: tuple[Starts, NDArray[Any]], new: tuple[Starts, NDArray[Any]]
    ) -> tuple[Starts, NDArray[Any]]:
        """Return the rows of two ragged arrays, by where each starts and what they hold."""
        from hipporag_like.indexing.kernels import pick

        starts = starts_of(self.lengths(old[0], new[0]))
        data = np.asarray(new[1])
        out = np.empty((int(starts[-1]), *data.shape[1:]), dtype=data.dtype)
        held = np.asarray(old[1]) if len(old[1]) else np.zeros((0, *data.shape[1:]), data.dtype)
        bits = bits_of(held.astype(data.dtype, copy=False)), bits_of(data)
        numbers = fixed(old[0]), fixed(new[0]), fixed(self.source), fixed(starts)
        pick(numbers[0], bits[0], numbers[1], bits[1], *numbers[2:], out.view(bits[1].dtype))
        return starts, out

    def flat(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        """Return the rows of two plain arrays."""
        out = np.empty((len(self.source), *new.shape[1:]), dtype=new.dtype)
        from_new = self.source >= len(old)
        out[from_new] = new[self.source[from_new] - len(old)]
        out[~from_new] = old[self.source[~from_new]]
        return out

    def inner(self, old: Starts, new: Starts) -> Rows2:
        """Return the same choice of the things that the rows hold."""
        n_old = int(old[-1])
        first = np.concatenate([old[:-1], new[:-1] + n_old])[self.source]
        lengths = self.lengths(old, new)
        total = int(lengths.sum())
        offset = np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return Rows2(np.repeat(first, lengths) + offset)

    def numbers(self, n_old: int, n_new: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return what each row of the old and of the new table is numbered in the result; -1 for none."""
        number = np.full(n_old + n_new, -1, dtype=np.int32)
        number[self.source] = np.arange(len(self.source), dtype=np.int32)
        return number[:n_old], number[n_old:]

    def retaken(self, n_old: int, before: NDArray[np.int64], now: NDArray[np.int64]) -> Rows2:
        """Return the same choice, with rows ``before`` of the old table instead of rows ``now`` of the new one."""
        source, new = self.source.copy(), np.flatnonzero(self.source >= n_old)
        place = np.arange(n_old, int(source[new].max(initial=n_old - 1)) + 1)
        place[now] = before
        source[new] = place[source[new] - n_old]
        return Rows2(source)


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view without gaps: code is compiled, and loaded, anew for what may be written to."""
    flags = array.flags
    if flags.c_contiguous and not flags.writeable and type(array) is np.ndarray and array.ndim:
        return array
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


def bits_of(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same as unsigned numbers: what is only moved is moved alike whatever it means."""
    view = fixed(array)
    return view.view(f"u{view.itemsize}")


def stacked(parts: Sequence[NDArray[Any]], starts: bool) -> NDArray[Any]:
    """Return arrays end to end; ``starts`` go on counting."""
    if not starts:
        return np.concatenate(parts)
    return starts_of(np.concatenate([np.diff(part) for part in parts]))
