"""Products of bfloat16 matrices for numba: instructions that numpy's BLAS does not use.

A processor with AVX512-BF16 multiplies pairs of bfloat16 numbers and adds up in float32 (Intel's intrinsics guide,
``_mm512_dpbf16_ps``), twice as many a cycle as of float32. The kernel keeps a tile of the result in registers over
the whole inner dimension, as Goto and van de Geijn 2008 lay out for matrix products in general.

A bfloat16 is a float32 without its lower 16 bits. Matrices are handed over as int32, two numbers each.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16  # float32 numbers in a register of 512 bits
ROWS = 6  # rows of a tile: with 4 registers a row, 24 of the 32 hold results and the rest is for operands

_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_PAIRS = ir.VectorType(_I32, LANES)
_INSTRUCTION = "llvm.x86.avx512bf16.dpbf16ps.512"


def has_bf16() -> bool:
    """Return whether this processor has the instruction and numba compiles for it."""
    if config.CPU_NAME is not None or config.CPU_FEATURES is not None:
        return "+avx512bf16" in (config.CPU_FEATURES or "")
    return bool(binding.get_host_cpu_features().get("avx512bf16", False))


@intrinsic  # type: ignore[untyped-decorator]
def tile_product(
    typing: Any,
    c: Any,
    c_at: Any,
    c_row: Any,
    a: Any,
    a_at: Any,
    a_row: Any,
    b: Any,
    b_at: Any,
    pairs: Any,
    width: Any,
) -> Any:
    """Write a tile ``(6, 16 * width)`` of the product of two bfloat16 matrices.

    Parameters
    ----------
    c, c_at, c_row
        float32 memory, where the tile starts in it and numbers from row to row.
    a, a_at, a_row
        Left matrix ``(6, 2 * pairs)``, two numbers an int32, where it starts and int32s from row to row.
    b, b_at
        Right matrix ``(2 * pairs, 16 * width)``: for each two rows, an int32 a column.
    pairs
        Half the inner dimension, at least 1.
    width
        Registers a row, a literal number up to 4.
    """
    if not isinstance(width, types.IntegerLiteral):
        return None
    columns = width.literal_value
    places = [types.int64] * 3
    signature = types.void(c, places[0], places[0], a, places[0], places[0], b, places[0], places[0], width)

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        memory = [context.make_array(sig.args[n])(context, builder, args[n]).data for n in (0, 3, 6)]
        result, left, right = memory
        _, c_start, c_step, _, a_start, a_step, _, b_start, count, _ = args
        dot = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_FLOATS, [_FLOATS, _PAIRS, _PAIRS]), _INSTRUCTION
        )
        zero, one = ir.Constant(_I64, 0), ir.Constant(_I64, 1)
        starts = [builder.add(a_start, builder.mul(a_step, ir.Constant(_I64, i))) for i in range(ROWS)]
        before, loop, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(_I64)
        sums = [builder.phi(_FLOATS) for _ in range(ROWS * columns)]
        base = builder.add(b_start, builder.mul(k, ir.Constant(_I64, LANES * columns)))
        loaded = [_load(builder, right, base, j * LANES) for j in range(columns)]
        next_sums = []
        for i in range(ROWS):
            pair = builder.load(builder.gep(left, [builder.add(starts[i], k)]))
            spread = _broadcast(builder, pair)
            next_sums += [
                builder.call(dot, [sums[i * columns + j], loaded[j], spread]) for j in range(columns)
            ]
        k_next = builder.add(k, one)
        for phi, first, then in zip(
            [k, *sums], [zero, *[ir.Constant(_FLOATS, None)] * len(sums)], [k_next, *next_sums], strict=True
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_signed("<", k_next, count), loop, after)
        builder.position_at_end(after)
        for i in range(ROWS):
            row = builder.add(c_start, builder.mul(c_step, ir.Constant(_I64, i)))
            for j in range(columns):
                at = builder.gep(result, [builder.add(row, ir.Constant(_I64, j * LANES))])
                builder.store(next_sums[i * columns + j], builder.bitcast(at, _FLOATS.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, build


@intrinsic  # type: ignore[untyped-decorator]
def to_bf16(typing: Any, number: Any) -> Any:
    """Return a float32 as bfloat16, rounded to nearest even, in a uint16."""

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _I32)
        odd = builder.and_(builder.lshr(bits, ir.Constant(_I32, 16)), ir.Constant(_I32, 1))
        rounded = builder.add(bits, builder.add(odd, ir.Constant(_I32, 0x7FFF)))
        return builder.trunc(builder.lshr(rounded, ir.Constant(_I32, 16)), _I16)

    return types.uint16(types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def two_to(typing: Any, exponent: Any) -> Any:
    """Return 2 to a whole exponent from -126 to 127, both float32."""

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = builder.fptosi(args[0], _I32)
        bits = builder.shl(builder.add(number, ir.Constant(_I32, 127)), ir.Constant(_I32, 23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.float32), build


def _load(builder: Any, memory: Any, base: Any, offset: int) -> Any:
    at = builder.gep(memory, [builder.add(base, ir.Constant(_I64, offset))])
    return builder.load(builder.bitcast(at, _PAIRS.as_pointer()), align=4)


def _broadcast(builder: Any, number: Any) -> Any:
    single = builder.insert_element(ir.Constant(_PAIRS, ir.Undefined), number, ir.Constant(_I32, 0))
    return builder.shuffle_vector(single, ir.Constant(_PAIRS, ir.Undefined), ir.Constant(_PAIRS, None))
