"""Strings and look-up tables as plain arrays: opened from a memory map without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.text import hash64

# Lone surrogates survive the round trip, as they do in hipporag_like.text's hashes.
_SURROGATES = "surrogatepass"
_TAKEN = 4096  # texts decoded at a time where all are read: a sixth of the time of one by one


def pack_strings(strings: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return ``strings`` as one run of bytes and its borders.

    Parameters
    ----------
    strings
        Any number of texts, n.

    Returns
    -------
    data : uint8, (total bytes,)
        UTF-8, one text after the other.
    offsets : int64, (n + 1,)
        Text ``i`` is ``data[offsets[i]:offsets[i + 1]]``.
    """
    encoded = [string.encode("utf-8", _SURROGATES) for string in strings]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


class StringTable:
    """Texts packed by :func:`pack_strings`; each is decoded when asked for.

    Parameters
    ----------
    data, offsets
        As returned by :func:`pack_strings`; memory-mapped arrays are fine.
    """

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        if len(offsets) == 0 or offsets[-1] != len(data):
            raise ValueError("offsets must end at the length of data")
        self._bytes = memoryview(np.asarray(data).data)
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _TAKEN):
            yield from self.take(np.arange(start, min(start + _TAKEN, len(self))))

    def __getitem__(self, row: int) -> str:
        """Return text ``row``; rows count from 0 and never from the end.

        Raises
        ------
        IndexError
            There is no such row.
        """
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a table of {len(self)} texts")
        start, end = self._offsets[row : row + 2].tolist()
        return str(self._bytes[start:end], "utf-8", _SURROGATES)

    def take(self, ids: Sequence[int] | NDArray[np.integer]) -> list[str]:
        """Return the texts of the rows ``ids``, in that order.

        Raises
        ------
        IndexError
            A row does not exist.
        """
        rows = np.asarray(ids, dtype=np.int64)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"a row is outside a table of {len(self)} texts")
        starts, ends = self._offsets[rows].tolist(), self._offsets[rows + 1].tolist()
        view = self._bytes
        return [str(view[a:b], "utf-8", _SURROGATES) for a, b in zip(starts, ends, strict=True)]


def key_hashes(keys: Sequence[str]) -> NDArray[np.uint64]:
    """Return ``text.hash64`` of each key; uint64, (n,)."""
    return np.fromiter(map(hash64, keys), np.uint64, len(keys))


def pack_keys(keys: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return the look-up arrays of ``keys``.

    Returns
    -------
    hashes : uint64, (n,)
        ``text.hash64`` of the keys, ascending.
    rows : int32, (n,)
        The place in ``keys`` of each hash; equal hashes keep the order of ``keys``.
    """
    hashes = key_hashes(keys)
    order = np.argsort(hashes, kind="stable")
    return hashes[order], order.astype(np.int32)


class KeyTable:
    """Text to row by binary search over hashes; the text itself is compared, so collisions do no harm.

    Parameters
    ----------
    hashes, rows
        As returned by :func:`pack_keys`.
    strings
        The keys by row.
    """

    def __init__(self, hashes: NDArray[np.uint64], rows: NDArray[np.int32], strings: StringTable) -> None:
        if not len(hashes) == len(rows) == len(strings):
            raise ValueError("hashes, rows and strings must have one length")
        self._hashes = hashes
        self._rows = rows
        self._strings = strings

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, key: str) -> int:
        """Return the row of ``key``, the first where it stands more than once; -1 where there is none."""
        return int(self.find_many([key])[0])

    def find_many(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """Return the row of each key, -1 where there is none.

        Returns
        -------
        int32, (len(keys),)
        """
        wanted = key_hashes(keys)
        found = np.full(len(keys), -1, dtype=np.int32)
        first = np.searchsorted(self._hashes, wanted, side="left")
        inside = np.flatnonzero(first < len(self._hashes))
        hits = inside[self._hashes[first[inside]] == wanted[inside]]
        for i in hits.tolist():
            found[i] = self._row(keys[i], wanted[i], int(first[i]))
        return found

    def _row(self, key: str, wanted: np.uint64, place: int) -> int:
        while place < len(self._hashes) and self._hashes[place] == wanted:
            row = int(self._rows[place])
            if self._strings[row] == key:
                return row
            place += 1
        return -1
