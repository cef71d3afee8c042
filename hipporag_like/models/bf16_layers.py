"""The steps of a BERT layer, compiled: bfloat16 products with everything between them done while it is in the cache.

Rows of all texts of a batch lie end to end. What happens to a row never depends on the others, nor on where
it lies, so a text's vector is the same to the bit in any company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hipporag_like.models.bf16_kernel import LANES, ROWS, tile_product, to_bf16, two_to

Floats = NDArray[np.float32]
Pairs = NDArray[np.int32]
Scalar = Any  # a float32 inside compiled code
F = TypeVar("F", bound=Callable[..., Any])

PANEL = 4 * LANES  # columns of a product worked on together
BLOCK = 16 * ROWS  # rows worked on together: 24 KB a tile of results; 48 to 960 measured within 5 %
KEYS = 2 * LANES  # tokens that attention looks at together; also the length of a head
NARROW = 2  # registers a row of those
LOG2_E = np.float32(1.4426950408889634)
LN_2_HIGH, LN_2_LOW = (
    np.float32(0.693359375),
    np.float32(-2.12194440e-4),
)  # add up to ln 2 (Cody and Waite 1980)
FLOOR = np.float32(-87)  # exp of less is no normal float32
EPSILON = np.float32(1e-12)  # config.json of the model
EDGE = np.float32(5.75)  # bert.GELU_EDGE


class Weights(NamedTuple):
    """All layers of the encoder; ``*_matrix`` are packed by :func:`pack`, one row a layer."""

    qkv_matrix: Pairs
    qkv_bias: Floats
    out_matrix: Pairs
    out_bias: Floats
    out_scale: Floats
    out_shift: Floats
    wide_matrix: Pairs
    wide_bias: Floats
    narrow_matrix: Pairs
    narrow_bias: Floats
    narrow_scale: Floats
    narrow_shift: Floats


def compiled(function: F) -> F:
    """Compile. Sums taken in any order and divisions that do not look for zeros let loops use whole registers."""
    compiler = njit(
        cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"}
    )
    return cast(F, compiler(function))


def pack(matrix: Floats) -> Pairs:
    """Return a weight ``(in, out)`` in bfloat16, in the order that the products read it in."""
    rows, columns = matrix.shape
    bits = np.ascontiguousarray(matrix, np.float32).view(np.uint32)
    halves = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    panels = halves.reshape(rows // 2, 2, columns // PANEL, PANEL).transpose(2, 0, 3, 1)
    return np.ascontiguousarray(panels).view(np.int32).ravel()


@compiled
def exp(x: Scalar) -> Scalar:
    """Return exp(x) to within 2 units of the last place: Taylor series to x^7 for |x| < ln 2 / 2."""
    x = max(x, FLOOR)
    whole = np.float32(np.floor(x * LOG2_E + np.float32(0.5)))
    x = x - whole * LN_2_HIGH - whole * LN_2_LOW
    power = np.float32(1 / 5040) * x + np.float32(1 / 720)
    power = power * x + np.float32(1 / 120)
    power = power * x + np.float32(1 / 24)
    power = power * x + np.float32(1 / 6)
    power = power * x + np.float32(0.5)
    power = power * x + np.float32(1)
    power = power * x + np.float32(1)
    return power * two_to(whole)


@compiled
def gelu(x: Scalar) -> Scalar:
    """Return x * Phi(x); coefficients and their error as in bert.GELU_LOGIT."""
    gate = min(max(x, -EDGE), EDGE)
    square = gate * gate
    total = np.float32(-3.61123208e-9) * square + np.float32(2.66892787e-7)
    total = total * square + np.float32(-7.93821844e-6)
    total = total * square + np.float32(1.10480314e-4)
    total = total * square + np.float32(6.62599961e-5)
    total = total * square + np.float32(-7.2668567e-2)
    total = total * square + np.float32(-1.59576843)
    return x / (np.float32(1) + exp(gate * total))


@compiled
def _panel(tile: Floats, left: Pairs, first: int, last: int, pairs: int, matrix: Pairs, panel: int) -> None:
    """Write rows ``first`` to ``last`` times one panel of a matrix, rows of 64 numbers."""
    for row in range(first, last, ROWS):
        tile_product(
            tile,
            (row - first) * PANEL,
            PANEL,
            left,
            row * pairs,
            pairs,
            matrix,
            panel * pairs * PANEL,
            pairs,
            4,
        )


@compiled
def normalise(
    hidden: Floats, halves: NDArray[np.uint16], first: int, last: int, scale: Floats, shift: Floats
) -> None:
    """Normalise rows of ``hidden`` in place and write them to ``halves`` in bfloat16."""
    width = hidden.shape[1]
    for row in range(first, last):
        line, half = hidden[row], halves[row]
        mean = np.float32(0)
        for j in range(width):
            mean += line[j]
        mean /= np.float32(width)
        variance = np.float32(0)
        for j in range(width):
            variance += (line[j] - mean) * (line[j] - mean)
        factor = np.float32(1) / np.sqrt(variance / np.float32(width) + EPSILON)
        for j in range(width):
            line[j] = (line[j] - mean) * factor * scale[j] + shift[j]
            half[j] = to_bf16(line[j])


@compiled
def project(
    halves: NDArray[np.uint16], matrix: Pairs, bias: Floats, out: NDArray[np.uint16], bend: bool
) -> None:
    """Write ``halves @ matrix + bias`` to ``out``, through the GELU if ``bend``."""
    rows = len(halves)
    left, pairs = halves.view(np.int32).ravel(), halves.shape[1] // 2
    tile = np.empty(BLOCK * PANEL, np.float32)
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        for panel in range(len(bias) // PANEL):
            at = panel * PANEL
            _panel(tile, left, first, last, pairs, matrix, panel)
            for row in range(first, last):
                line, target = (
                    tile[(row - first) * PANEL : (row - first + 1) * PANEL],
                    out[row, at : at + PANEL],
                )
                own = bias[at : at + PANEL]
                if bend:
                    for j in range(len(own)):
                        target[j] = to_bf16(gelu(line[j] + own[j]))
                else:
                    for j in range(len(own)):
                        target[j] = to_bf16(line[j] + own[j])


@compiled
def add_product(hidden: Floats, halves: NDArray[np.uint16], matrix: Pairs, bias: Floats) -> None:
    """Add ``halves @ matrix + bias`` to ``hidden``."""
    rows = len(halves)
    left, pairs = halves.view(np.int32).ravel(), halves.shape[1] // 2
    tile = np.empty(BLOCK * PANEL, np.float32)
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        for panel in range(len(bias) // PANEL):
            at = panel * PANEL
            _panel(tile, left, first, last, pairs, matrix, panel)
            for row in range(first, last):
                line, target = (
                    tile[(row - first) * PANEL : (row - first + 1) * PANEL],
                    hidden[row, at : at + PANEL],
                )
                own = bias[at : at + PANEL]
                for j in range(PANEL):
                    target[j] += line[j] + own[j]
