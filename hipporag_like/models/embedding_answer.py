"""Reads the vectors that an embeddings endpoint sends back; whatever are none raises."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.models.endpoint_faults import UnusableError


def read_vectors(body: dict[str, Any], count: int) -> NDArray[np.float32]:
    """Return the vectors of a body in the order of their ``index``, float32 ``(count, dim)``, of length 1.

    Raises
    ------
    UnusableError
        There are more or fewer, indexes missing or twice, of different lengths, zero, or not finite.
    """
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise UnusableError("its answer holds no vectors")
    if len(data) != count:
        raise UnusableError(f"it sent {len(data)} vectors for {count} texts")
    # Some servers leave the index out; then the order is that of the texts.
    numbers = [item.get("index", place) for place, item in enumerate(data)]
    by_index = {number: item for number, item in zip(numbers, data, strict=True) if isinstance(number, int)}
    if set(by_index) != set(range(count)):
        raise UnusableError("the numbers of its vectors are not those of the texts")
    vectors = [_vector(by_index[number].get("embedding")) for number in range(count)]
    if len({len(vector) for vector in vectors}) > 1:
        raise UnusableError("its vectors differ in length")
    return _unit(np.stack(vectors))


def _vector(said: object) -> NDArray[np.float64]:
    """Return one vector, from a list of numbers or from base64 of little-endian float32."""
    try:
        if isinstance(said, str):
            return np.frombuffer(base64.b64decode(said, validate=True), "<f4").astype(np.float64)
        if isinstance(said, list):
            return np.array([_number(value) for value in said], np.float64)
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise UnusableError("one of its vectors is none")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    return float(value)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    # The largest number first, so that no square overflows or vanishes.
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    if not np.isfinite(largest).all() or not (largest > 0).all():
        raise UnusableError("one of its vectors is zero or not finite")
    scaled = rows / largest
    unit: NDArray[np.float32] = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return unit
