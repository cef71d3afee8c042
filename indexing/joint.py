"""Two tables of texts becoming one, and what is numbered by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.numbers import places
from hipporag_like.indexing.packed import Strings, strings_of
from hipporag_like.indexing.ragged import Rows2


class Joint:
    """The old table, sorted, and what is new.

    Parameters
    ----------
    old
        The old table.
    texts, used
        What was found now, and the numbers of those texts that are meant.

    Attributes
    ----------
    joint
        int32, (len(texts),): numbers among the old texts and, after them, the new ones; of what is not meant 0.
    extra
        The new ones, sorted.
    """

    def __init__(self, old: Strings, texts: Sequence[str], used: NDArray[np.integer]) -> None:
        self._n_old = len(old[0]) - 1
        wanted = sorted((texts[number], number) for number in used.tolist())
        place, held = places(old, [text for text, _ in wanted])
        self.extra = strings_of(
            [text for (text, _), known in zip(wanted, held.tolist(), strict=True) if not known]
        )
        self._before = place[~held]
        place[~held] = self._n_old + np.arange(len(self._before))
        self.joint = np.zeros(len(texts), dtype=np.int32)
        self.joint[[number for _, number in wanted]] = place

    def __len__(self) -> int:
        """Return how many texts there are, old and new."""
        return self._n_old + len(self._before)

    def settled(self, counts: NDArray[np.integer]) -> tuple[Rows2, NDArray[np.int32]]:
        """Return the rows of what is in use, in order of text, and the final number of each joint number, or -1.

        Parameters
        ----------
        counts
            By joint number: how often it is in use.
        """
        order = np.arange(self._n_old, dtype=np.int64)
        order = np.insert(order, self._before, np.arange(self._n_old, len(self)))
        order = order[(counts > 0)[order]]
        number = np.full(len(self), -1, dtype=np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        return Rows2(order), number

    def counts(self, ids: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return how often each joint number is among some."""
        return np.bincount(ids, minlength=len(self))
