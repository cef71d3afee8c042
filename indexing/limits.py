"""What an index can number: rows are numbered in 32 bits, so that more of them are refused, never wrapped around."""

from __future__ import annotations

from collections.abc import Mapping

from hipporag_like.errors import UsageError

# int32 numbers 2**31 rows; a spelling's number is doubled, its last bit says where it stood (indexing/names.py).
MOST_ROWS = 2**30 - 1


def check_rows(counts: Mapping[str, int]) -> None:
    """Refuse a namespace of more rows than can be numbered.

    Parameters
    ----------
    counts
        How many there are, by what they are.

    Raises
    ------
    UsageError
        There are too many.
    """
    for name, count in counts.items():
        if count > MOST_ROWS:
            raise UsageError(
                f"a namespace holds at most {MOST_ROWS:,} {name}, and these documents make {count:,}; "
                "divide them into several namespaces"
            )
