"""Numbers of a report as text: the one place where decimals are chosen, so that all its forms agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

NONE = "–"
ALPHA = 0.05  # Fisher's convention: what is called "beyond chance"
FRACTIONS = ("mrr", "map", "ndcg")  # from 0 to 1; all other metrics are percent

# The metrics that a reader is shown first, of those that an experiment has.
MAIN = ("recall@5", "all_recall@5", "ndcg@10", "em", "f1", "span_iou")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether ``value`` is a number that can be shown; ``NaN`` and booleans are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def decimals(metric: str) -> int:
    """Return how many decimals of a metric are shown: a tenth of a percent, or of its fraction."""
    return 3 if metric.startswith(FRACTIONS) else 1


def score(metric: str, value: Any) -> str:
    """Return the value of a metric."""
    return f"{value:.{decimals(metric)}f}" if is_number(value) else NONE


def difference(metric: str, value: Any) -> str:
    """Return the difference of two values of a metric, with its sign; zero has none."""
    if not is_number(value):
        return NONE
    text = f"{value:+.{decimals(metric)}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def interval(metric: str, pair: Any, signed: bool = False) -> str:
    """Return an interval, or ``""`` where there is none."""
    if not pair or not all(is_number(end) for end in pair):
        return ""
    show = difference if signed else score
    return f"{show(metric, pair[0])} to {show(metric, pair[1])}"


def p_value(value: Any) -> str:
    """Return a probability; three decimals are more than 10,000 samples can tell."""
    if not is_number(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def seconds(value: Any) -> str:
    """Return a duration with three digits."""
    if not is_number(value):
        return NONE
    if value >= 120:
        return f"{value / 60:.1f} min"
    short, unit = (value * 1000, "ms") if value < 0.9995 else (value, "s")
    return f"{short:#.3g}".rstrip(".") + f" {unit}"


def size(count: Any) -> str:
    """Return bytes in MB (10**6)."""
    return megabytes(count / 1e6) if is_number(count) else NONE


def megabytes(value: Any) -> str:
    """Return megabytes."""
    return f"{value:,.0f} MB" if is_number(value) else NONE


def whole(value: Any) -> str:
    """Return a count."""
    return f"{value:,.0f}" if is_number(value) else NONE


def money(value: Any) -> str:
    """Return a price in the currency that the experiment was run with."""
    if not is_number(value):
        return NONE
    return f"{value:,.4f}" if value else "0"


def best(metric: str, values: Iterable[Any]) -> str:
    """Return the highest value as shown, or ``""`` where nothing stands out: fewer than two, or all shown alike."""
    known = [value for value in values if is_number(value)]
    return score(metric, max(known)) if len({score(metric, value) for value in known}) > 1 else ""


def named(counts: Mapping[str, Any]) -> str:
    """Return names with their counts, such as ``bridge: 40, comparison: 10``."""
    return ", ".join(f"{name}: {whole(count)}" for name, count in counts.items()) or NONE


def verdict(comparison: Mapping[str, Any] | None) -> str:
    """Return ``"better"`` or ``"worse"`` where a difference is beyond chance after correction, else ``""``."""
    row = comparison or {}
    gap, p = row.get("difference"), row.get("p_corrected")
    if gap is None or p is None or not (is_number(gap) and is_number(p)) or p >= ALPHA or gap == 0:
        return ""
    return "better" if gap > 0 else "worse"
