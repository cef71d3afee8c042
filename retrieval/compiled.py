"""The small functions that are compiled into others."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import inlined


@inlined
def float_of_half(bits: Any) -> Any:
    """Return the float32 of a finite float16 that is given by its bits.

    Shifted to where float32 keeps them, exponent and mantissa are the number times 2^-112, also below the least
    normal number. A compiler makes vectors of this; it has no numba float16 to do so with.
    """
    number = np.uint32(bits)
    moved = ((number & np.uint32(0x8000)) << np.uint32(16)) | ((number & np.uint32(0x7FFF)) << np.uint32(13))
    return np.uint32(moved).view(np.float32) * np.float32(2.0**112)


@inlined
def word_place(table: NDArray[Any], key: Any) -> Any:
    """Return where ``key`` stands in a table by open addressing, or the free place (-1) where it belongs.

    Parameters
    ----------
    table
        Whole numbers, -1 where free; a power of two long, and never full.
    key
        At least 0.
    """
    # Fibonacci hashing (Knuth, volume 3, section 6.4): the high half of a product with 2^64 over the golden ratio.
    at = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (len(table) - 1)
    while table[at] != key and table[at] >= 0:
        at = (at + 1) & (len(table) - 1)
    return at


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing: Any, array: Any, row: Any) -> Any:
    """Ask for the beginning of a row of an array, so that it is near when it is read; no row is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = builder.extract_value(held.strides, 0)
        start = builder.ptrtoint(held.data, stride.type)
        place = builder.add(start, builder.mul(arguments[1], stride))
        pointer = builder.inttoptr(place, ir.IntType(8).as_pointer())
        whole = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, whole, whole, whole])
        call = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(call, [pointer, whole(0), whole(3), whole(1)])  # to read, all levels, data
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
