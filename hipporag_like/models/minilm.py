"""all-MiniLM-L6-v2 in numpy: the default embedder, with no torch to install or to import.

The model is six BERT layers (Devlin et al. 2019), mean pooling and a unit norm (Reimers and Gurevych
2019). Texts are packed end to end, sorted by length: the dense layers see one long matrix, attention sees
runs of equally long texts, so nothing is padded and nothing is masked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ModelError
from hipporag_like.models.protocols import TextKind
from hipporag_like.models.weights import OFFICIAL_SHA256, WEIGHTS, find_weights

Floats = NDArray[np.float32]
Tensors = Mapping[str, Floats]

# The shape of the model: its config.json.
DIM = 384
LAYERS = 6
HEADS = 12
HEAD_DIM = DIM // HEADS
LAYER_NORM_EPS = 1e-12
VOCABULARY = 30522
CLS, SEP = 101, 102
WINDOW = 256  # word pieces with [CLS] and [SEP]: sentence_bert_config.json, what the model was tuned for
OVERLAP = 32  # word pieces two windows share, about a sentence, so that none is only seen cut in two
# Rows of the wide layer worked on at a time: 64 x 1536 floats are 384 KiB, a third of a core's L2 cache.
GELU_ROWS = 64


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer's weights; matrices are (in, out). The query part carries the factor 1/sqrt(head)."""

    qkv: Floats
    qkv_bias: Floats
    out: Floats
    out_bias: Floats
    out_norm: tuple[Floats, Floats]
    wide: Floats
    wide_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    narrow_norm: tuple[Floats, Floats]


class MiniLM:
    """The default embedder.

    Parameters
    ----------
    path
        Folder with the model's files; ``None`` looks for them (:func:`~.weights.find_weights`).
    batch_tokens
        Word pieces a forward pass; one text is never split for it.

    Raises
    ------
    ModelError
        The weights are missing, altered or unusable.
    """

    def __init__(self, path: str | Path | None = None, batch_tokens: int = 4096) -> None:
        from tokenizers import Tokenizer

        folder = find_weights(path)
        tensors = map_safetensors(folder / WEIGHTS)
        self._words = tensors["embeddings.word_embeddings.weight"]
        self._places = (
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = (tensors["embeddings.LayerNorm.weight"], tensors["embeddings.LayerNorm.bias"])
        self._layers = [_layer(tensors, number) for number in range(LAYERS)]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if self._tokenizer.get_vocab_size() != VOCABULARY:
            raise ModelError(f"{folder / 'tokenizer.json'} is not this model's; install the model again.")
        self._batch_tokens = batch_tokens

    @property
    def fingerprint(self) -> str:
        """Weights, pooling and windows."""
        return f"minilm-l6-v2:{OFFICIAL_SHA256[:12]}:mean:w{WINDOW}o{OVERLAP}"

    @property
    def dim(self) -> int:
        """384."""
        return DIM

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Floats:
        """Return one unit vector a text, float32 ``(len(texts), 384)``; questions and passages alike.

        A text of more than 256 word pieces is cut into equally long overlapping windows and its vector is
        the direction of their mean. Safe to call from several threads.
        """
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not distinct:
            return np.zeros((0, DIM), np.float32)
        windows: list[list[int]] = []
        owners: list[int] = []
        for owner, pieces in enumerate(self._pieces(list(distinct))):
            cut = _cut(pieces)
            windows.extend(cut)
            owners.extend([owner] * len(cut))
        sums = np.zeros((len(distinct), DIM), np.float32)
        np.add.at(sums, owners, self._embed_windows(windows))
        return _unit(sums)[[distinct[text] for text in texts]]

    def _pieces(self, texts: list[str]) -> Iterator[list[int]]:
        # A lone surrogate has no UTF-8 form; the tokenizer would refuse the whole call.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        for encoding in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False):
            yield encoding.ids

    def _embed_windows(self, windows: list[list[int]]) -> Floats:
        order = sorted(range(len(windows)), key=lambda row: len(windows[row]))
        vectors = np.empty((len(windows), DIM), np.float32)
        for batch in _batches(order, windows, self._batch_tokens):
            vectors[batch] = self._forward([windows[row] for row in batch])
        return vectors

    def _forward(self, batch: list[list[int]]) -> Floats:
        """Return the unit vectors of windows sorted by length."""
        runs = [(length, len(list(same))) for length, same in groupby(map(len, batch))]
        ids = np.fromiter((piece for window in batch for piece in window), np.int64)
        places = np.concatenate([np.tile(self._places[:length], (count, 1)) for length, count in runs])
        places += self._words[ids]
        hidden = _layer_norm(places, self._norm)
        for layer in self._layers:
            hidden = _apply(layer, hidden, runs)
        pooled = [block.mean(axis=1) for block in _split(hidden, runs)]
        return _unit(np.concatenate(pooled))


def map_safetensors(path: Path) -> dict[str, Floats]:
    """Return the float32 tensors of a safetensors file as views of the mapped file, none of it copied.

    The library's own numpy reader copies every tensor: 0.17 to 0.27 s for this file, against 1 ms.
    The format: an unsigned 64-bit header length, a JSON header, the data
    (https://github.com/huggingface/safetensors#format).
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


def _layer(tensors: Tensors, number: int) -> _Layer:
    def dense(name: str) -> tuple[Floats, Floats]:
        key = f"encoder.layer.{number}.{name}"
        return tensors[f"{key}.weight"].T, tensors[f"{key}.bias"]

    def norm(name: str) -> tuple[Floats, Floats]:
        key = f"encoder.layer.{number}.{name}.LayerNorm"
        return tensors[f"{key}.weight"], tensors[f"{key}.bias"]

    query, key, value = (dense(f"attention.self.{part}") for part in ("query", "key", "value"))
    scale = np.float32(1 / math.sqrt(HEAD_DIM))
    return _Layer(
        np.concatenate([query[0] * scale, key[0], value[0]], axis=1),
        np.concatenate([query[1] * scale, key[1], value[1]]),
        *dense("attention.output.dense"),
        norm("attention.output"),
        *dense("intermediate.dense"),
        *dense("output.dense"),
        norm("output"),
    )


def _apply(layer: _Layer, hidden: Floats, runs: list[tuple[int, int]]) -> Floats:
    qkv = hidden @ layer.qkv
    qkv += layer.qkv_bias
    context = np.empty_like(hidden)
    for source, target in zip(_split(qkv, runs), _split(context, runs), strict=True):
        _attend(source, target)
    attended = context @ layer.out
    attended += layer.out_bias
    attended += hidden
    attended = _layer_norm(attended, layer.out_norm)
    wide = attended @ layer.wide
    wide += layer.wide_bias
    gelu_(wide)
    result = wide @ layer.narrow
    result += layer.narrow_bias
    result += attended
    return _layer_norm(result, layer.narrow_norm)


def _attend(qkv: Floats, out: Floats) -> None:
    """Softmax attention over equally long texts: ``(count, length, 3 * 384)`` to ``(count, length, 384)``."""
    count, length, _ = qkv.shape
    query, key, value = qkv.reshape(count, length, 3, HEADS, HEAD_DIM).transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2)
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    heads = scores @ value
    heads /= scores.sum(axis=-1, keepdims=True)
    out.reshape(count, length, HEADS, HEAD_DIM)[...] = heads.swapaxes(1, 2)


def gelu_(x: Floats) -> None:
    """Replace ``x`` by x * Phi(x), the exact GELU (Hendrycks and Gimpel 2016)."""
    from scipy.special import erf

    for start in range(0, len(x), GELU_ROWS):
        block = x[start : start + GELU_ROWS]
        gate = erf(block * np.float32(math.sqrt(0.5)))
        gate += 1
        gate *= 0.5
        block *= gate


def _layer_norm(x: Floats, norm: tuple[Floats, Floats]) -> Floats:
    """Normalise the rows of ``x`` in place and return it."""
    weight, bias = norm
    x -= x.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", x, x)[:, None] / np.float32(x.shape[1])
    x /= np.sqrt(variance + np.float32(LAYER_NORM_EPS))
    x *= weight
    x += bias
    return x


def _unit(rows: Floats) -> Floats:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _cut(pieces: list[int]) -> list[list[int]]:
    """Return equally long overlapping windows with [CLS] and [SEP], as few as fit."""
    room = WINDOW - 2
    count = max(1, math.ceil((len(pieces) - OVERLAP) / (room - OVERLAP))) if len(pieces) > room else 1
    length = math.ceil((len(pieces) + (count - 1) * OVERLAP) / count)
    starts = [number * (len(pieces) - length) // max(1, count - 1) for number in range(count)]
    return [[CLS, *pieces[start : start + length], SEP] for start in starts]


def _batches(order: list[int], windows: list[list[int]], batch_tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for row in order:
        if batch and tokens + len(windows[row]) > batch_tokens:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += len(windows[row])
    if batch:
        yield batch


def _split(rows: NDArray[np.float32], runs: list[tuple[int, int]]) -> Iterator[Floats]:
    """Yield each run of equally long texts of the packed ``rows`` as a view ``(count, length, width)``."""
    start = 0
    for length, count in runs:
        stop = start + length * count
        yield rows[start:stop].reshape(count, length, rows.shape[1])
        start = stop
