"""Attention of one text, compiled: scores, softmax and mixture of six tokens at a time, never all scores at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.models.bf16_kernel import LANES, ROWS, tile_product, to_bf16
from hipporag_like.models.bf16_layers import KEYS, NARROW, Floats, Pairs, Scalar, compiled, exp

Halves = NDArray[np.uint16]
HEAD_PAIRS = LANES  # a head of 32 numbers


@compiled
def _pack_keys(qkv: Pairs, first: int, length: int, offset: int, keys: Pairs) -> None:
    """Turn the keys of a head so that a product reads them as a right matrix; any number after the last token."""
    for token in range(length):
        at = (token // KEYS) * HEAD_PAIRS * KEYS + token % KEYS
        own = qkv[first + token, offset : offset + HEAD_PAIRS]
        for pair in range(HEAD_PAIRS):
            keys[at + pair * KEYS] = own[pair]


@compiled
def _pack_values(qkv: Halves, first: int, length: int, offset: int, values: Pairs) -> None:
    """Lay the values of two tokens each side by side; zeros after the last token."""
    for pair in range(length // 2):
        even, odd = first + 2 * pair, first + 2 * pair + 1
        _interleave(
            qkv[even, offset : offset + KEYS], qkv[odd, offset : offset + KEYS], values[pair * KEYS :]
        )
    done = length // 2
    if length % 2:
        for place in range(KEYS):
            values[done * KEYS + place] = qkv[first + length - 1, offset + place]
        done += 1
    values[done * KEYS : -(-length // KEYS) * KEYS * KEYS // 2] = 0


@compiled
def _interleave(even: Halves, odd: Halves, pairs: Pairs) -> None:
    for place in range(len(even)):
        pairs[place] = np.int32(even[place]) | (np.int32(odd[place]) << np.int32(16))


@compiled
def _softmax(scores: Floats, length: int, weights: Halves) -> Scalar:
    """Write exp(score - largest) in bfloat16 and return their sum; next to nothing after ``length``."""
    scores[length:] = -np.float32(np.inf)
    largest = scores[0]
    for j in range(len(scores)):
        largest = max(largest, scores[j])
    total = np.float32(0)
    for j in range(len(scores)):
        value = exp(scores[j] - largest)
        total += value
        weights[j] = to_bf16(value)
    return total


@compiled
def attend(qkv: Halves, lengths: NDArray[np.int64], heads: int, context: Halves) -> None:
    """Write the attention of each text to ``context``.

    Parameters
    ----------
    qkv
        bfloat16 ``(rows, 3 * width)``: query, key and value of all heads, texts end to end; at least six rows
        more than tokens.
    lengths
        Tokens of each text.
    heads
        How many; each is 32 numbers long.
    context
        bfloat16 ``(rows, width)``, written.
    """
    longest = -(-lengths.max() // KEYS) * KEYS
    # Zeros, since what is left over must be numbers.
    keys = np.zeros(longest * HEAD_PAIRS, np.int32)
    values = np.empty(longest // 2 * KEYS, np.int32)
    scores, mixed = np.empty(ROWS * longest, np.float32), np.empty(ROWS * KEYS, np.float32)
    weights = np.empty(ROWS * longest, np.uint16)
    totals = np.empty(ROWS, np.float32)
    pairs = qkv.view(np.int32)
    flat, row_pairs = pairs.ravel(), pairs.shape[1]
    first = 0
    for length in lengths:
        padded = -(-length // KEYS) * KEYS
        for head in range(heads):
            _pack_keys(pairs, first, length, (heads + head) * HEAD_PAIRS, keys)
            _pack_values(qkv, first, length, (2 * heads + head) * KEYS, values)
            for row in range(0, length, ROWS):
                query = (first + row) * row_pairs + head * HEAD_PAIRS
                for at in range(0, padded, KEYS):
                    tile_product(
                        scores, at, padded, flat, query, row_pairs, keys, at * HEAD_PAIRS, HEAD_PAIRS, NARROW
                    )
                for i in range(ROWS):
                    own = slice(i * padded, (i + 1) * padded)
                    totals[i] = _softmax(scores[own], length, weights[own])
                tile_product(
                    mixed, 0, KEYS, weights.view(np.int32), 0, padded // 2, values, 0, padded // 2, NARROW
                )
                for i in range(min(ROWS, length - row)):
                    share = np.float32(1) / totals[i]
                    target = context[first + row + i, head * KEYS : (head + 1) * KEYS]
                    for j in range(KEYS):
                        target[j] = to_bf16(mixed[i * KEYS + j] * share)
        first += length
