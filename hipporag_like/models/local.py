"""Any encoder that sentence-transformers or transformers can load (extra ``local``)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import MissingExtraError, ModelError
from hipporag_like.models.named_path import named_path
from hipporag_like.models.protocols import TextKind
from hipporag_like.models.windows import window_spans
from hipporag_like.text import content_hash

Floats = NDArray[np.float32]
DType = Literal["float32", "bfloat16"]

OVERLAP_SHARE = 8  # windows share an eighth of their length, as the default embedder's do
# Word pieces kept free in a window: a text cut inside a word may spell its halves with more pieces.
SLACK = 8
MIN_ROOM = 16  # less than this and a window of a text says nothing
DEFAULT_WINDOW = 512  # BERT's, for a model that names none
# What configurations use for each kind (config_sentence_transformers.json, "prompts"), most specific first.
PROMPT_NAMES: Mapping[TextKind, tuple[str, ...]] = {"query": ("query",), "passage": ("passage", "document")}


@dataclass(frozen=True, slots=True)
class _Encoder:
    """What the two libraries have in common.

    Attributes
    ----------
    pooling
        Part of the fingerprint: what happens after the transformer.
    window
        Word pieces the model takes, special ones included.
    prompts
        Text put before a question or a passage, by the model's own names.
    encode
        (texts that fit the window, prompt) to a tensor ``(len(texts), width)``.
    """

    module: Any
    tokenizer: Any
    pooling: str
    window: int
    prompts: Mapping[str, str]
    encode: Callable[[list[str], str], Any]


class LocalEmbedder:
    """An encoder by folder or hub name.

    A sentence-transformers model keeps its own pooling and its prompts for questions and passages; any other
    encoder is mean-pooled. Runs on the GPU where torch sees one.

    Parameters
    ----------
    name_or_path
        A model's folder, or its name on the hub.
    batch_tokens
        Word pieces a forward pass at most, padding included; a window is never split for it.
    dtype
        ``bfloat16`` is faster on CPUs that have it, at about three digits of precision.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ModelError
        The model cannot be loaded as an encoder.
    """

    def __init__(self, name_or_path: str | Path, batch_tokens: int = 4096, dtype: DType = "float32") -> None:
        for library in ("torch", "transformers"):
            if find_spec(library) is None:
                raise MissingExtraError(f"The embedder {name_or_path}", "local")
        self._batch_tokens = batch_tokens
        self._dtype = dtype
        self._encoder = _load(str(name_or_path), dtype)
        # Fast tokenizers refuse to be set up for padding by two threads at once.
        self._lock = threading.Lock()
        self._rooms = {kind: self._room(kind) for kind in PROMPT_NAMES}
        if min(self._rooms.values()) < MIN_ROOM:
            raise ModelError(
                f"{name_or_path} takes texts of under {MIN_ROOM} word pieces; use another model."
            )
        self._dim = int(self._encode([(1, "dimension")], "").shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all parameters and prompts; pooling, window and number format."""
        import torch

        digest = hashlib.sha256(json.dumps(dict(self._encoder.prompts), sort_keys=True).encode())
        for name, tensor in sorted(self._encoder.module.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        encoder = self._encoder
        return f"local:{digest.hexdigest()[:16]}:{encoder.pooling}:w{encoder.window}:{self._dtype}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Floats:
        """Return one unit vector a text, float32 ``(len(texts), dim)``.

        A text longer than the model's window is cut into equally long overlapping windows and its vector
        is the direction of their mean.
        """
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not rows:
            return np.zeros((0, self._dim), np.float32)
        with self._lock:
            windows = [self._windows(text, kind) for text in rows]
            vectors = self._embed_windows([window for cut in windows for window in cut], self._prompt(kind))
        sums = np.zeros((len(rows), self._dim), np.float32)
        np.add.at(sums, np.repeat(np.arange(len(rows)), [len(cut) for cut in windows]), vectors)
        return _unit(sums)[[rows[text] for text in texts]]

    def _windows(self, text: str, kind: TextKind) -> list[tuple[int, str]]:
        """Return the windows of ``text``, each after its number of word pieces."""
        # A lone surrogate has no UTF-8 form; the tokenizer would refuse it.
        text = text.encode("utf-8", "replace").decode("utf-8")
        spans = self._offsets(text)
        room = self._rooms[kind]
        if len(spans) <= room:
            return [(len(spans), text)]
        cuts = window_spans(len(spans), room - SLACK, room // OVERLAP_SHARE)
        return [(stop - start, text[spans[start][0] : spans[stop - 1][1]]) for start, stop in cuts]

    def _offsets(self, text: str) -> list[tuple[int, int]]:
        encoding = self._encoder.tokenizer(
            text, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False
        )
        return list(encoding["offset_mapping"])

    def _prompt(self, kind: TextKind) -> str:
        return next(filter(None, (self._encoder.prompts.get(name) for name in PROMPT_NAMES[kind])), "")

    def _room(self, kind: TextKind) -> int:
        special: int = self._encoder.tokenizer.num_special_tokens_to_add()
        return self._encoder.window - special - len(self._offsets(self._prompt(kind)))

    def _embed_windows(self, windows: list[tuple[int, str]], prompt: str) -> Floats:
        order = sorted(range(len(windows)), key=lambda row: windows[row][0])
        vectors = np.empty((len(windows), self._dim), np.float32)
        while order:
            # The longest first, so that a batch too large for the memory fails at once.
            step = max(1, self._batch_tokens // (windows[order[-1]][0] + 2))
            batch, order = order[-step:], order[:-step]
            vectors[batch] = self._encode([windows[row] for row in batch], prompt)
        return vectors

    def _encode(self, windows: list[tuple[int, str]], prompt: str) -> Floats:
        import torch

        with torch.inference_mode():
            tensor = self._encoder.encode([text for _, text in windows], prompt)
        vectors: Floats = tensor.float().cpu().numpy()
        return _unit(vectors)


def _load(name: str, dtype: DType) -> _Encoder:
    """Return the encoder, by sentence-transformers where that knows the model, else by transformers."""
    import torch

    try:
        folder = _folder_of(name)
        known = (folder / "modules.json").is_file() and find_spec("sentence_transformers") is not None
        encoder = _by_sentence_transformers(str(folder)) if known else _by_transformers(str(folder))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{name} could not be loaded as an encoder ({reason}); check the folder or the hub name."
        ) from error
    if not encoder.tokenizer.is_fast:
        raise ModelError(
            f"{name} has no fast tokenizer; save it with one (tokenizer.json) or use another model."
        )
    encoder.module.eval().to("cuda" if torch.cuda.is_available() else "cpu", getattr(torch, dtype))
    return encoder


def _folder_of(name: str) -> Path:
    """Return the model's folder, from the hub if need be; weights in pickles are left there."""
    folder = named_path(name)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"]))


def _by_sentence_transformers(name: str) -> _Encoder:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(name)

    def encode(texts: list[str], prompt: str) -> Any:
        # prompt="" keeps a default prompt of the model's off: the kind decides.
        return model.encode(
            texts, prompt=prompt, batch_size=len(texts), convert_to_tensor=True, show_progress_bar=False
        )

    after = [
        (type(m).__name__, m.get_config_dict()) for m in list(model)[1:] if hasattr(m, "get_config_dict")
    ]
    pooling = "st-" + content_hash(json.dumps(after, sort_keys=True, default=str))[:8]
    window = model.max_seq_length or _window(model.tokenizer, model[0].auto_model.config)
    return _Encoder(model, model.tokenizer, pooling, int(window), model.prompts, encode)


def _by_transformers(name: str) -> _Encoder:
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModel.from_pretrained(name)
    window = _window(tokenizer, model.config)

    def encode(texts: list[str], prompt: str) -> Any:
        whole = [prompt + text for text in texts]
        batch = tokenizer(whole, padding=True, truncation=True, max_length=window, return_tensors="pt")
        batch = batch.to(model.device)
        hidden = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(dim=1) / mask.sum(dim=1)

    return _Encoder(model, tokenizer, "mean", window, {}, encode)


def _window(tokenizer: Any, config: Any) -> int:
    """Return the smaller of what tokenizer and model say; some tokenizers say 10^30 for "any"."""
    said = (tokenizer.model_max_length, getattr(config, "max_position_embeddings", None))
    return min([int(length) for length in said if length and length < 10**6], default=DEFAULT_WINDOW)


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
