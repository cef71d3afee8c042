"""What the benchmarks share: clocks, medians, and an embedder that remembers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import HippoRAGLikeError
from hipporag_like.models.protocols import Embedder, TextKind

_DIGITS = 6  # microseconds


class Remembering:
    """An embedder that embeds each text once, and adds up what that took.

    Parameters
    ----------
    embedder
        The one that works.

    Attributes
    ----------
    seconds
        Spent embedding so far.
    texts
        Embedded so far, in order.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}
        self.seconds = 0.0

    @property
    def texts(self) -> list[str]:
        """Every text embedded so far, once each."""
        return list(self._known)

    @property
    def fingerprint(self) -> str:
        """That of the embedder."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """That of the embedder."""
        return self._embedder.dim

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        """Return the unit vectors of ``texts``, float32 ``(len(texts), dim)``, from memory where it can."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            started = time.perf_counter()
            vectors = self._embedder.embed(new, kind)
            self.seconds += time.perf_counter() - started
            self._known.update(zip(new, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes, in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(values: Sequence[float]) -> float:
    """Return the median; the mean would count every disturbance of the machine."""
    return round(float(np.median(values)), _DIGITS)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the 50th and the 95th percentile."""
    return {f"p{at}": round(float(np.percentile(values, at)), _DIGITS) for at in (50, 95)}


def ratio(value: float, baseline: float) -> float:
    """Return how many times the baseline ``value`` is."""
    return round(value / baseline, 3)


def print_json(measure: Callable[[], Mapping[str, Any]]) -> None:
    """Write what ``measure`` returns to stdout; a mistake is one sentence on stderr and an exit code."""
    try:
        numbers = measure()
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error
    sys.stdout.write(json.dumps(numbers, indent=2) + "\n")
