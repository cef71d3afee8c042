"""The BERT encoder of :mod:`~.bert` with bfloat16 products, for processors that have them.

Sums, normalisations and the running state stay float32; what goes into a product is rounded to three digits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.models.bert import Bert, Dense
from hipporag_like.models.bf16_attention import attend
from hipporag_like.models.bf16_kernel import ROWS
from hipporag_like.models.bf16_layers import (
    Floats,
    Pairs,
    Weights,
    add_product,
    compiled,
    normalise,
    pack,
    project,
)


class Bf16Bert:
    """An encoder with the weights of another.

    Parameters
    ----------
    bert
        The float32 encoder. Copies of its matrices in bfloat16 take 21 MB.
    """

    def __init__(self, bert: Bert) -> None:
        layers = bert.layers
        self._bert = bert
        self._weights = Weights(
            _packed([layer.qkv for layer in layers]),
            np.stack([layer.qkv.bias for layer in layers]),
            _packed([layer.out for layer in layers]),
            np.stack([layer.out.bias for layer in layers]),
            np.stack([layer.out_norm.weight for layer in layers]),
            np.stack([layer.out_norm.bias for layer in layers]),
            _packed([layer.wide for layer in layers]),
            np.stack([layer.wide.bias for layer in layers]),
            _packed([layer.narrow for layer in layers]),
            np.stack([layer.narrow.bias for layer in layers]),
            np.stack([layer.narrow_norm.weight for layer in layers]),
            np.stack([layer.narrow_norm.bias for layer in layers]),
        )

    def mean_pooled(self, texts: list[list[int]]) -> Floats:
        """Return the mean of each text's last hidden rows, ``(len(texts), width)``; in any order."""
        bert = self._bert
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        pieces = np.fromiter((piece for text in texts for piece in text), np.int64, int(lengths.sum()))
        return _encode(
            pieces,
            lengths,
            bert.words,
            bert.places,
            bert.norm.weight,
            bert.norm.bias,
            bert.heads,
            self._weights,
        )


def _packed(parts: list[Dense]) -> Pairs:
    return np.stack([pack(part.weight) for part in parts])


@compiled
def _encode(
    pieces: NDArray[np.int64],
    lengths: NDArray[np.int64],
    words: Floats,
    places: Floats,
    scale: Floats,
    shift: Floats,
    heads: int,
    weights: Weights,
) -> Floats:
    tokens, width = len(pieces), words.shape[1]
    # Products take six rows at a time, and attention may start its last six at any row.
    rows = (tokens // ROWS + 2) * ROWS
    hidden = np.zeros((rows, width), np.float32)
    halves = np.zeros((rows, width), np.uint16)
    context = np.zeros((rows, width), np.uint16)
    qkv = np.empty((rows, 3 * width), np.uint16)
    wide = np.empty((rows, weights.wide_bias.shape[1]), np.uint16)
    row = 0
    for length in lengths:
        for place in range(length):
            for j in range(width):
                hidden[row, j] = words[pieces[row], j] + places[place, j]
            row += 1
    normalise(hidden, halves, 0, tokens, scale, shift)
    for layer in range(len(weights.qkv_bias)):
        project(halves, weights.qkv_matrix[layer], weights.qkv_bias[layer], qkv, False)
        attend(qkv, lengths, heads, context)
        add_product(hidden, context, weights.out_matrix[layer], weights.out_bias[layer])
        normalise(hidden, halves, 0, tokens, weights.out_scale[layer], weights.out_shift[layer])
        project(halves, weights.wide_matrix[layer], weights.wide_bias[layer], wide, True)
        add_product(hidden, wide, weights.narrow_matrix[layer], weights.narrow_bias[layer])
        normalise(hidden, halves, 0, tokens, weights.narrow_scale[layer], weights.narrow_shift[layer])
    means = np.zeros((len(lengths), width), np.float32)
    row = 0
    for text, length in enumerate(lengths):
        for _ in range(length):
            for j in range(width):
                means[text, j] += hidden[row, j]
            row += 1
        for j in range(width):
            means[text, j] /= np.float32(length)
    return means
