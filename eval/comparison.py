"""Two methods on the same questions: how far apart, and is it more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipporag_like.errors import UsageError
from hipporag_like.eval.significance import bootstrap_interval, randomisation_test


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two methods on the same questions; ``difference`` is a minus b, in the units of the metric.

    Attributes
    ----------
    p_value
        Two-sided, by random swaps within pairs.
    low, high
        95% bootstrap interval of the difference.
    """

    metric: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    p_value: float
    low: float
    high: float


def compare(
    details_a: Sequence[Mapping[str, Any]],
    details_b: Sequence[Mapping[str, Any]],
    metric: str,
    *,
    seed: int = 0,
) -> Comparison:
    """Return how two methods differ on the questions that both have a score for.

    Parameters
    ----------
    details_a, details_b
        The ``details`` of two systems over the same questions, in the same order.
    metric
        A score's name, such as ``"recall@5"`` or ``"f1"``.

    Raises
    ------
    UsageError
        Different questions, an unknown metric, or no question with that score.
    """
    if [row["id"] for row in details_a] != [row["id"] for row in details_b]:
        raise UsageError(
            "the two runs are over different questions; evaluate both with the same data set and limit"
        )
    pairs = [(a.get(metric), b.get(metric)) for a, b in zip(details_a, details_b, strict=True)]
    known = [(a, b) for a, b in pairs if isinstance(a, (int, float)) and isinstance(b, (int, float))]
    if not known:
        raise UsageError(f"no question has the score {metric!r}; em and f1 need read=True")
    a, b = [x for x, _ in known], [y for _, y in known]
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    low, high = bootstrap_interval(a, b, seed=seed)
    p_value = randomisation_test(a, b, seed=seed)
    return Comparison(metric, len(known), mean_a, mean_b, mean_a - mean_b, p_value, low, high)
