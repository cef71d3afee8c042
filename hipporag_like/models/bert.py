"""A BERT encoder's forward pass in numpy over packed texts.

Texts sorted by length are laid end to end: the dense layers see one long matrix, attention sees runs of
equally long texts, so nothing is padded and nothing is masked. The architecture is Devlin et al. 2019.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tensors = Mapping[str, Floats]
Runs = list[tuple[int, int]]  # (length, how many texts of it), lengths ascending

LAYER_NORM_EPS = 1e-12  # config.json of the model
# Scores worked on at a time: 2^17 floats are 512 KiB, half a core's L2 cache; 7 to 12 % faster attention
# at 107 and 256 word pieces than all texts of a run at once, 2^15 and 2^19 no different.
SCORES = 1 << 17
# Rows of the wide layer worked on at a time: three blocks of 64 x 1536 floats, about a core's L2 cache;
# 16 to 128 rows measured within a tenth of each other.
GELU_ROWS = 64
# -log(Phi(x) / (1 - Phi(x))) / x in powers of x^2, the highest first. Minimax fit of x * Phi(x) on
# [-GELU_EDGE, GELU_EDGE] by Lawson's reweighting of least squares: largest error 7e-8. Outside, the
# value of Phi at the edge is right to within 5e-9.
GELU_EDGE = np.float32(5.75)
GELU_LOGIT = np.array(
    [-3.61123208e-9, 2.66892787e-7, -7.93821844e-6, 1.10480314e-4, 6.62599961e-5, -7.2668567e-2, -1.59576843],
    np.float32,
)


@dataclass(frozen=True, slots=True)
class Norm:
    """Weight and bias of a layer normalisation."""

    weight: Floats
    bias: Floats

    def apply_(self, x: Floats) -> Floats:
        """Normalise the rows of ``x`` in place and return it."""
        x -= x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x)[:, None] / np.float32(x.shape[1])
        x /= np.sqrt(variance + np.float32(LAYER_NORM_EPS))
        x *= self.weight
        x += self.bias
        return x


@dataclass(frozen=True, slots=True)
class Dense:
    """A matrix ``(in, out)`` and a bias ``(out,)``."""

    weight: Floats
    bias: Floats

    def apply(self, x: Floats) -> Floats:
        """Return ``x @ weight + bias``."""
        result: Floats = x @ self.weight
        result += self.bias
        return result


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer. ``qkv`` gives query, key and value at once, the query over sqrt(head length)."""

    qkv: Dense
    out: Dense
    out_norm: Norm
    wide: Dense
    narrow: Dense
    narrow_norm: Norm

    def apply(self, hidden: Floats, runs: Runs, heads: int) -> Floats:
        """Return the layer's output ``(tokens, width)``."""
        qkv = self.qkv.apply(hidden)
        context = np.empty_like(hidden)
        for source, target in zip(split_runs(qkv, runs), split_runs(context, runs), strict=True):
            count, length, _ = source.shape
            step = max(1, SCORES // (heads * length * length))
            for first in range(0, count, step):
                attend(source[first : first + step], target[first : first + step], heads)
        attended = self.out.apply(context)
        attended += hidden
        self.out_norm.apply_(attended)
        wide = self.wide.apply(attended)
        gelu_(wide)
        result = self.narrow.apply(wide)
        result += attended
        return self.narrow_norm.apply_(result)


class Bert:
    """The encoder.

    Parameters
    ----------
    tensors
        By the names of a Hugging Face ``BertModel`` checkpoint.
    layers, heads
        How many of each.
    """

    def __init__(self, tensors: Tensors, layers: int, heads: int) -> None:
        self.heads = heads
        self.words = tensors["embeddings.word_embeddings.weight"]
        types = tensors["embeddings.token_type_embeddings.weight"]
        self.places = tensors["embeddings.position_embeddings.weight"] + types[0]
        self.norm = _norm(tensors, "embeddings")
        self.layers = [_layer(tensors, f"encoder.layer.{number}", heads) for number in range(layers)]

    def mean_pooled(self, texts: list[list[int]]) -> Floats:
        """Return the mean of each text's last hidden rows, ``(len(texts), width)``.

        ``texts`` are word piece numbers, sorted by length.
        """
        runs = [(length, len(list(same))) for length, same in groupby(map(len, texts))]
        hidden = np.concatenate([np.tile(self.places[:length], (count, 1)) for length, count in runs])
        hidden += self.words[np.fromiter((piece for text in texts for piece in text), np.int64)]
        self.norm.apply_(hidden)
        for layer in self.layers:
            hidden = layer.apply(hidden, runs, self.heads)
        return np.concatenate([block.mean(axis=1) for block in split_runs(hidden, runs)])


def attend(qkv: Floats, out: Floats, heads: int) -> None:
    """Softmax attention over equally long texts: ``(count, length, 3 * width)`` to ``(.., .., width)``."""
    count, length, width = out.shape
    parts = qkv.reshape(count, length, 3, heads, width // heads)
    query, key, value = parts.transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2)
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    mixed = out.reshape(count, length, heads, width // heads).swapaxes(1, 2)
    np.matmul(scores, value, out=mixed)
    mixed /= scores.sum(axis=-1, keepdims=True)


def gelu_(x: Floats) -> None:
    """Replace ``x`` by x * Phi(x), the exact GELU (Hendrycks and Gimpel 2016), to within 1e-6.

    Phi(x) = 1 / (1 + exp(-x R(x^2))), R a polynomial: a tenth of the time of ``scipy.special.erf``, which
    also takes 0.2 s to import.
    """
    for start in range(0, len(x), GELU_ROWS):
        block = x[start : start + GELU_ROWS]
        gate = np.clip(block, -GELU_EDGE, GELU_EDGE)
        square = gate * gate
        total = square * GELU_LOGIT[0]
        for coefficient in GELU_LOGIT[1:-1]:
            total += coefficient
            total *= square
        total += GELU_LOGIT[-1]
        gate *= total
        np.exp(gate, out=gate)
        gate += 1
        block /= gate


def split_runs(rows: Floats, runs: Runs) -> Iterator[Floats]:
    """Yield each run of equally long texts of the packed ``rows`` as a view ``(count, length, width)``."""
    start = 0
    for length, count in runs:
        stop = start + length * count
        yield rows[start:stop].reshape(count, length, rows.shape[1])
        start = stop


def map_safetensors(path: Path) -> dict[str, Floats]:
    """Return the float32 tensors of a safetensors file as views of the mapped file, none of it copied.

    The safetensors library's numpy reader copies: 170 to 270 ms for 90 MB, against 1 ms. The format: an
    unsigned 64-bit header length, a JSON header, the data (https://github.com/huggingface/safetensors).
    """
    raw = np.memmap(path, np.uint8, "r")
    start = 8 + int(raw[:8].view("<u8")[0])
    tensors: dict[str, Floats] = {}
    for name, entry in json.loads(raw[8:start].tobytes()).items():
        if entry.get("dtype") == "F32":
            low, high = entry["data_offsets"]
            data = np.asarray(raw[start + low : start + high])
            tensors[name] = data.view(np.float32).reshape(entry["shape"])
    return tensors


def _norm(tensors: Tensors, name: str) -> Norm:
    return Norm(tensors[f"{name}.LayerNorm.weight"], tensors[f"{name}.LayerNorm.bias"])


def _dense(tensors: Tensors, name: str) -> Dense:
    return Dense(_by_rows(tensors[f"{name}.weight"].T), tensors[f"{name}.bias"])


def _by_rows(weight: Floats) -> Floats:
    """Return a weight in the order that a product with few rows reads it in.

    The file has weights the other way round; reading them so takes 16 ms a question of 20 word pieces instead of 10.
    The copies take 42 MB and 20 ms once.
    """
    return np.ascontiguousarray(weight)


def _layer(tensors: Tensors, name: str, heads: int) -> Layer:
    own = f"{name}.attention.self"
    query, key, value = (_dense(tensors, f"{own}.{part}") for part in ("query", "key", "value"))
    scale = np.float32(1 / math.sqrt(query.weight.shape[1] // heads))
    return Layer(
        qkv=Dense(
            _by_rows(np.concatenate([query.weight * scale, key.weight, value.weight], axis=1)),
            np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        out=_dense(tensors, f"{name}.attention.output.dense"),
        out_norm=_norm(tensors, f"{name}.attention.output"),
        wide=_dense(tensors, f"{name}.intermediate.dense"),
        narrow=_dense(tensors, f"{name}.output.dense"),
        narrow_norm=_norm(tensors, f"{name}.output"),
    )
