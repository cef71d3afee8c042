"""What the tables, the plots and the bars take from the results of ``scale``: None where a number is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Found = Mapping[str, Any]
Points = tuple[list[int], list[float]]

MB = 1e6
# From here on a curve is fitted: below, what a process costs before it does anything stands out.
FIT_FROM = 10_000


def number(found: Any, *path: str) -> float | None:
    """Return the number at a path of names; None where there is none, or the measurement failed."""
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def disk(size: Found) -> float | None:
    """Return the bytes of the snapshot and the journal together."""
    parts = size.get("build", {}).get("bytes")
    return float(sum(parts.values())) if parts else None


def snapshot_bytes(size: Found) -> float | None:
    """Return the bytes of the snapshot alone, which is what answers questions."""
    parts = size.get("build", {}).get("bytes")
    return float(sum(value for part, value in parts.items() if part != "journal")) if parts else None


def first(prefix: str) -> Callable[[Found], float | None]:
    """Return what reads the seconds of the change whose name begins so ("add 100", "update 10")."""

    def read(size: Found) -> float | None:
        changes = size.get("change", {})
        name = next((name for name in changes if name.startswith(prefix)), "")
        return number(changes, name, "seconds")

    return read


def at(*path: str) -> Callable[[Found], float | None]:
    """Return what reads the number at a path."""
    return lambda size: number(size, *path)


def points(found: Found, read: Callable[[Found], float | None]) -> Points:
    """Return the sizes at which there is a number, and the numbers."""
    sizes, values = [], []
    for size in sorted(found["sizes"], key=int):
        value = read(found["sizes"][size])
        if value is not None and value > 0:
            sizes.append(int(size))
            values.append(value)
    return sizes, values


@dataclass(frozen=True, slots=True)
class Curve:
    """``value = factor * passages ** power``, fitted to what was measured.

    Attributes
    ----------
    up_to
        The largest size among the points; beyond it the curve is an extrapolation.
    """

    factor: float
    power: float
    up_to: int

    def __call__(self, passages: float) -> float:
        """Return the value at a size."""
        return float(self.factor * passages**self.power)


def fitted(points_of: Points) -> Curve | None:
    """Return the least-squares line through the points on log axes; None for fewer than two of at least 10,000."""
    kept = [(size, value) for size, value in zip(*points_of, strict=True) if size >= FIT_FROM]
    if len(kept) < 2:
        return None
    sizes, values = np.log(np.array(kept, dtype=np.float64)).T
    power, constant = np.polyfit(sizes, values, 1)
    return Curve(float(np.exp(constant)), float(power), kept[-1][0])


def shown(value: float, digits: int = 3) -> str:
    """Return a number with so many digits that count, thousands apart."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{places}f}"


def labels(sizes: Sequence[int]) -> list[str]:
    """Return sizes as they are read."""
    return [f"{size:,}" for size in sizes]
