"""Where to cut a text that is longer than a model's window."""

from __future__ import annotations

import math


def window_spans(length: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """Return half-open spans that cover ``range(length)``: as few as fit ``room``, equally long, overlapping.

    Equally long, so that the mean over windows needs no weights and no window is a mere tail.

    Parameters
    ----------
    length
        Word pieces of the text.
    room
        Word pieces a window holds; more than ``overlap``.
    overlap
        Word pieces that neighbours share at least, give or take the rounding of their starts by one.
    """
    if length <= room:
        return [(0, length)]
    count = math.ceil((length - overlap) / (room - overlap))
    size = math.ceil((length + (count - 1) * overlap) / count)
    starts = (number * (length - size) // (count - 1) for number in range(count))
    return [(start, start + size) for start in starts]
