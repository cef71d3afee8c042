"""Texts to numbers, in order of appearance; those of a sorted table come first and are looked up when asked for.

The names of a million passages as a Python dictionary take seconds to make; a change asks for some thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.ragged import Rows2, Starts, fixed
from hipporag_like.store.tables import StringTable, pack_strings

Strings = tuple[Starts, NDArray[np.uint8]]


class Numbers(dict[str, int]):
    """Strings to numbers in order of appearance: looking up a new one numbers it.

    Attributes
    ----------
    texts
        The strings by number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: Sequence[str] = []

    def __missing__(self, key: str) -> int:
        number = self[key] = len(self.texts)
        self.texts.append(key)  # type: ignore[attr-defined]
        return number

    def rows_of(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each text, -1 where it has none."""
        return np.array([self.get(text, -1) for text in texts], dtype=np.int64)

    def expect(self, texts: Iterable[str]) -> None:
        """Take notice of texts that will be asked for one by one."""

    def chosen(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the texts of some numbers."""
        return [self.texts[row] for row in rows.tolist()]

    def shared(self, other: Numbers, chosen: NDArray[np.bool_]) -> tuple[list[str], NDArray[np.int64]]:
        """Return those of the chosen texts of another one that are here, too, and their numbers here."""
        texts = other.chosen(np.flatnonzero(chosen))
        rows = self.rows_of(texts)
        return [text for text, row in zip(texts, rows.tolist(), strict=True) if row >= 0], rows[rows >= 0]

    def parts(self, n: int) -> list[Strings]:
        """Return the first ``n`` texts as bytes, in parts that follow each other."""
        return [_packed(self.texts[:n])]


class TableNumbers(Numbers):
    """The texts of a sorted table and those that come later; what is looked up is remembered.

    Parameters
    ----------
    starts, data
        The table, see ``store.tables.pack_strings``; sorted, each text once.
    """

    def __init__(self, starts: Starts, data: NDArray[np.uint8]) -> None:
        super().__init__()
        self.table: Strings = starts, data
        self.texts = _Texts(StringTable(data, starts))
        self._absent: set[str] = set()

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key, -1) >= 0

    def __missing__(self, key: str) -> int:
        if key not in self._absent:
            self._look_up([key])
            found = super().get(key)
            if found is not None:
                return found
        self._absent.discard(key)
        return super().__missing__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the number of a text, or ``default``; nothing is numbered."""
        found = super().get(key)
        if found is None and key not in self._absent:
            self._look_up([key])
            found = super().get(key)
        return default if found is None else found

    def rows_of(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each text, -1 where it has none."""
        self.expect(texts)
        known = super().get
        return np.array([known(text, -1) for text in texts], dtype=np.int64)

    def expect(self, texts: Iterable[str]) -> None:
        """Look texts up together, which takes a tenth of the time."""
        known, absent = super().get, self._absent
        self._look_up([text for text in texts if known(text) is None and text not in absent])

    def chosen(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the texts of some numbers."""
        n_table = len(self.table[0]) - 1
        held = iter(StringTable(self.table[1], self.table[0]).take(rows[rows < n_table]))
        return [next(held) if row < n_table else self.texts[row] for row in rows.tolist()]

    def shared(self, other: Numbers, chosen: NDArray[np.bool_]) -> tuple[list[str], NDArray[np.int64]]:
        """Return those of the chosen texts of another one that are here, too, and their numbers here.

        Two tables are compared as bytes; what came later is looked up in the other one.
        """
        if not isinstance(other, TableNumbers):
            return super().shared(other, chosen)
        n_table, n_other = len(self.table[0]) - 1, len(other.table[0]) - 1
        first = np.flatnonzero(chosen[:n_other])
        place, found = _find(
            self.table, Rows2(first).ragged(other.table, (np.zeros(1, np.int64), other.table[1][:0]))
        )
        later = other.chosen(n_other + np.flatnonzero(chosen[n_other:]))
        more = self.texts[n_table:]
        rows = other.rows_of(more)
        later += [
            text for text, row in zip(more, rows.tolist(), strict=True) if 0 <= row < n_other and chosen[row]
        ]
        rows = self.rows_of(later)
        texts = [text for text, row in zip(later, rows.tolist(), strict=True) if row >= 0]
        return other.chosen(first[found]) + texts, np.concatenate([place[found], rows[rows >= 0]])

    def parts(self, n: int) -> list[Strings]:
        """Return the first ``n`` texts as bytes, in parts that follow each other; ``n`` includes the table."""
        n_table = len(self.table[0]) - 1
        return [self.table, _packed(self.texts[n_table:n])]

    def _look_up(self, texts: Sequence[str]) -> None:
        place, found = places(self.table, texts)
        for text, row, hit in zip(texts, place.tolist(), found.tolist(), strict=True):
            if hit:
                self[text] = row
            else:
                self._absent.add(text)


class _Texts(Sequence[str]):
    """The texts of a table, and more after them."""

    def __init__(self, table: StringTable) -> None:
        self._table = table
        self._n = len(table)
        self._more: list[str] = []

    def __len__(self) -> int:
        return self._n + len(self._more)

    def __iter__(self) -> Iterator[str]:
        yield from self._table
        yield from self._more

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            first, last, _ = row.indices(len(self))
            held = self._table.take(np.arange(first, min(last, self._n))) if first < self._n else []
            return held + self._more[max(first - self._n, 0) : max(last - self._n, 0)]
        return self._table[row] if row < self._n else self._more[row - self._n]

    def append(self, text: str) -> None:
        """Add a text."""
        self._more.append(text)


def places(table: Strings, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each text its place in a sorted table, and whether it stands there.

    Python sorts texts by their characters, the table's bytes are in the same order.
    """
    return _find(table, _packed(texts))


def _find(table: Strings, wanted: Strings) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    from hipporag_like.indexing.text_kernels import find_sorted

    n = len(wanted[0]) - 1
    if n == 0 or len(table[0]) == 1:
        return np.zeros(n, np.int64), np.zeros(n, dtype=bool)
    found: tuple[NDArray[np.int64], NDArray[np.bool_]] = find_sorted(
        fixed(table[0]), fixed(table[1]), fixed(wanted[0]), fixed(wanted[1])
    )
    return found


def _packed(texts: Sequence[str]) -> Strings:
    data, starts = pack_strings(texts)
    return starts, data
