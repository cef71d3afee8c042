"""What has changed between a segment and the journal, document by document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Change:
    """The documents of the journal beside those of a segment.

    Attributes
    ----------
    ids
        Of the journal's documents, in order.
    row
        int64, (n,): the segment's row of each, -1 where it is new or another one now.
    gone
        int64: rows of the segment whose document is gone, or another one now; ascending.
    """

    ids: list[str]
    row: NDArray[np.int64]
    gone: NDArray[np.int64]

    @property
    def new(self) -> list[str]:
        """Ids of what the segment does not hold, in order."""
        return [self.ids[i] for i in np.flatnonzero(self.row < 0).tolist()]

    @property
    def held(self) -> list[str]:
        """Ids of what the segment holds too, in order."""
        return [self.ids[i] for i in np.flatnonzero(self.row >= 0).tolist()]

    @property
    def in_order(self) -> bool:
        """Whether what stays stands in the order that it has in the segment, as it must: it goes by content."""
        kept = self.row[self.row >= 0]
        return bool((np.diff(kept) > 0).all())


def compare(listing: Sequence[tuple[str, str]], held: Sequence[tuple[str, str]]) -> Change:
    """Return how the journal differs from a segment.

    Parameters
    ----------
    listing, held
        Id and stamp of each document, in the journal and in the segment.
    """
    number = {both: row for row, both in enumerate(held)}
    row = np.array([number.get(both, -1) for both in listing], dtype=np.int64)
    kept = np.zeros(len(held), dtype=bool)
    kept[row[row >= 0]] = True
    return Change([document_id for document_id, _ in listing], row, np.flatnonzero(~kept))
