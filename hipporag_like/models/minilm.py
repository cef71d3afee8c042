"""all-MiniLM-L6-v2 in numpy: the default embedder, with no torch to install or to import.

Six BERT layers, mean pooling and a unit norm (Reimers and Gurevych 2019); within 1e-6 of what
sentence-transformers gives for a text that fits the model's window.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hipporag_like.errors import ModelError
from hipporag_like.models.bert import Bert, Floats, map_safetensors
from hipporag_like.models.protocols import TextKind
from hipporag_like.models.threads import cores, map_threads
from hipporag_like.models.weights import INSTALL, OFFICIAL_SHA256, WEIGHTS, find_weights
from hipporag_like.models.windows import window_spans

if TYPE_CHECKING:
    from hipporag_like.models.bf16_bert import Bf16Bert

DType = Literal["auto", "float32", "bfloat16"]

# The shape of the model: its config.json and tokenizer.json.
DIM = 384
LAYERS = 6
HEADS = 12
VOCABULARY = 30522
CLS, SEP = 101, 102
WINDOW = 256  # word pieces with [CLS] and [SEP]: sentence_bert_config.json, what the model was tuned for
OVERLAP = 32  # word pieces two windows share, about a sentence, so that few are only seen cut in two
MIN_BATCH_TOKENS = 256  # less than this a batch costs more in starting products than a free core gains


class MiniLM:
    """The default embedder.

    Parameters
    ----------
    path
        Folder with the model's files; ``None`` looks for them (:func:`~.weights.find_weights`).
    batch_tokens
        Word pieces a forward pass at most; a window of a text is never split for it. 512 to 4096 measured
        within 5 % of each other.
    dtype
        Number format of passages' products: ``bfloat16`` where the processor multiplies it (AVX512-BF16),
        ``float32``, or ``auto``, which is ``bfloat16`` where there is that and ``float32`` elsewhere. Questions
        are always embedded in float32. The fingerprint is the same: docs/decisions/0009-bulk-embedding.md.

    Raises
    ------
    ModelError
        The weights are missing, altered or unusable.
    """

    def __init__(
        self, path: str | Path | None = None, batch_tokens: int = 4096, dtype: DType = "auto"
    ) -> None:
        from tokenizers import Tokenizer

        folder = find_weights(path)
        self._bert = Bert(map_safetensors(folder / WEIGHTS), LAYERS, HEADS)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if self._tokenizer.get_vocab_size() != VOCABULARY:
            raise ModelError(f"{folder / 'tokenizer.json'} is another model's; run `{INSTALL}` again.")
        self._batch_tokens = batch_tokens
        self._dtype = dtype
        self._lock = threading.Lock()
        self._bulk: Bert | Bf16Bert | None = None

    @property
    def fingerprint(self) -> str:
        """Weights, pooling and windows."""
        return f"minilm-l6-v2:{OFFICIAL_SHA256[:12]}:mean:w{WINDOW}o{OVERLAP}"

    @property
    def dim(self) -> int:
        """384."""
        return DIM

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Floats:
        """Return one unit vector a text, float32 ``(len(texts), 384)``.

        A text of more than 256 word pieces is cut into equally long overlapping windows and its vector is
        the direction of their mean. Safe to call from several threads.

        Raises
        ------
        ModelError
            Passages are to be embedded in ``bfloat16`` and this processor does not multiply it.
        """
        encoder = self._bert if kind == "query" else self._for_passages()
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not rows:
            return np.zeros((0, DIM), np.float32)
        windows: list[list[int]] = []
        owners: list[int] = []
        for owner, pieces in enumerate(self.word_pieces(list(rows))):
            cut = cut_windows(pieces)
            windows.extend(cut)
            owners.extend([owner] * len(cut))
        sums = np.zeros((len(rows), DIM), np.float32)
        np.add.at(sums, owners, self._embed_windows(encoder, windows))
        return _unit(sums)[[rows[text] for text in texts]]

    def word_pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word piece numbers of each text, without [CLS] and [SEP]."""
        # A lone surrogate has no UTF-8 form; the tokenizer would refuse the whole call.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(clean, add_special_tokens=False)]

    def _for_passages(self) -> Bert | Bf16Bert:
        """Return the encoder of passages, made at the first of them."""
        with self._lock:
            if self._bulk is None:
                self._bulk = _bulk_encoder(self._bert, self._dtype)
            return self._bulk

    def _embed_windows(self, encoder: Bert | Bf16Bert, windows: list[list[int]]) -> Floats:
        threads = cores()
        share = math.ceil(sum(map(len, windows)) / threads)
        order = sorted(range(len(windows)), key=lambda row: len(windows[row]))
        batches = list(_batches(order, windows, min(self._batch_tokens, max(MIN_BATCH_TOKENS, share))))

        def forward(batch: list[int]) -> Floats:
            return _unit(encoder.mean_pooled([windows[row] for row in batch]))

        vectors = np.empty((len(windows), DIM), np.float32)
        vectors[np.concatenate(batches)] = np.concatenate(map_threads(forward, batches, threads))
        return vectors


def _bulk_encoder(bert: Bert, dtype: DType) -> Bert | Bf16Bert:
    if dtype == "float32":
        return bert
    from hipporag_like.models.bf16_kernel import has_bf16

    if has_bf16():
        from hipporag_like.models.bf16_bert import Bf16Bert

        return Bf16Bert(bert)
    if dtype == "bfloat16":
        raise ModelError(
            "embed.dtype bfloat16 needs a processor with AVX512-BF16, which this one is not; use auto or float32."
        )
    return bert


def cut_windows(pieces: list[int]) -> list[list[int]]:
    """Return the windows of a text's word pieces, each with [CLS] and [SEP], at most 256 long."""
    spans = window_spans(len(pieces), WINDOW - 2, OVERLAP)
    return [[CLS, *pieces[start:stop], SEP] for start, stop in spans]


def _batches(order: list[int], windows: list[list[int]], batch_tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for row in order:
        if batch and tokens + len(windows[row]) > batch_tokens:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += len(windows[row])
    yield batch


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
