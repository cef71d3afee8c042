"""P-values of many comparisons, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

from hipporag_like.errors import UsageError


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values as Holm (1979) corrects them; the chance of any false alarm among all stays at the level.

    Parameters
    ----------
    p_values
        Of comparisons that are looked at together, each in [0, 1]; none at all is fine.

    Returns
    -------
    list of float
        In the same order, in [0, 1]. A comparison is significant at level ``a`` where its value is at most ``a``.

    Raises
    ------
    UsageError
        A value that is no probability.
    """
    wrong = [p for p in p_values if not 0.0 <= p <= 1.0]  # nan as well
    if wrong:
        raise UsageError(f"a p-value is a number from 0 to 1, got {wrong[0]}")
    corrected = [0.0] * len(p_values)
    highest = 0.0
    # The smallest is multiplied by their number, the next by one less, and none may fall below the one before.
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
