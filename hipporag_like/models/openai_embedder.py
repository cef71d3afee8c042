"""Embeddings of an OpenAI-compatible endpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import LLMConfig
from hipporag_like.errors import LLMError
from hipporag_like.models.backoff import Pace
from hipporag_like.models.chat_answer import read_json, read_tokens, require_model
from hipporag_like.models.embedding_answer import read_vectors
from hipporag_like.models.endpoint_address import OFFICIAL
from hipporag_like.models.endpoint_faults import Fault, UnusableError
from hipporag_like.models.openai_endpoint import Endpoint
from hipporag_like.models.protocols import TextKind
from hipporag_like.models.stoppable import finish
from hipporag_like.models.tally import Tally
from hipporag_like.models.token_estimate import estimate_tokens, estimated_windows
from hipporag_like.types import Usage

Floats = NDArray[np.float32]

# Estimated tokens a window. The models of OpenAI take 8191; an estimate may be a fifth below the truth, so this
# is 8000 at most.
WINDOW = 6400
# Of one request: what Hugging Face's text-embeddings-inference takes by default; OpenAI would take 2048.
BATCH_TEXTS = 32
BATCH_TOKENS = 32_000  # OpenAI takes 300,000; a tenth of it, so that several are under way at once
STAND_IN = "."  # for texts without a word, which servers refuse


class OpenAIEmbedder:
    """An embedding model by its name at an endpoint; nothing is called before ``dim`` or the first texts.

    Questions and passages alike. A text longer than the window is cut into equally long overlapping windows and
    its vector is the direction of their mean; a model with a smaller window than OpenAI's refuses longer texts.

    Parameters
    ----------
    model
        As the server calls it.
    config
        Address, key and limits.
    pace
        Time and chance, for tests.

    Raises
    ------
    ConfigError
        The base URL is none, or holds a password.
    MissingExtraError
        The extra ``openai`` is not installed.
    """

    def __init__(self, model: str, config: LLMConfig, pace: Pace | None = None) -> None:
        self._model = model
        self._width = config.concurrency
        self._endpoint = Endpoint(model, config, pace or Pace())
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self._dim = 0
        self._usage = Usage()
        self._encoding = {"encoding_format": "base64"}  # a quarter of the bytes; dropped where it is refused

    @property
    def fingerprint(self) -> str:
        """Server, model and windows; the address counts, unless it is OpenAI's."""
        server = "" if self._endpoint.address == OFFICIAL else f"{self._endpoint.address}:"
        return f"openai-embed:1:{server}{self._model}:w{WINDOW}"

    @property
    def dim(self) -> int:
        """Length of a vector; the first time it is asked for, one word is embedded to see."""
        with self._probing:
            if not self._dim:
                self._request(["dimension"])
        return self._dim

    @property
    def usage(self) -> Usage:
        """All calls made through this object so far."""
        with self._lock:
            return self._usage

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Floats:
        """Return one unit vector a text, float32 ``(len(texts), dim)``. Safe to call from several threads.

        Raises
        ------
        LLMError
            A request failed for good, or its vectors are of no use (missing, zero, not finite, of another
            length than before).
        EndpointDownError
            Every request would fail.
        ConfigError
            There is neither a key nor a server that may do without.
        """
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not rows:
            return np.zeros((0, self.dim), np.float32)
        windows = [estimated_windows(_sendable(text), WINDOW) for text in rows]
        vectors = self._embed_windows([window for cut in windows for window in cut])
        sums = np.zeros((len(rows), vectors.shape[1]), np.float32)
        np.add.at(sums, np.repeat(np.arange(len(rows)), [len(cut) for cut in windows]), vectors)
        return _unit(sums)[[rows[text] for text in texts]]

    def _embed_windows(self, windows: list[str]) -> Floats:
        batches = list(_batches(windows))
        if len(batches) == 1:
            return self._request(batches[0])
        pool = ThreadPoolExecutor(min(self._width, len(batches)))
        requests = [pool.submit(self._request, batch) for batch in batches]
        patient = True
        try:
            return np.concatenate([request.result() for request in requests])
        except KeyboardInterrupt:
            patient = False  # a second interruption would have to wait for the pool
            finish(requests, self._endpoint.circuit.stop)
            raise
        finally:
            pool.shutdown(patient, cancel_futures=True)  # after a failure nothing more is paid for

    def _request(self, batch: list[str]) -> Floats:
        """Return the unit vectors of a batch."""
        tally = Tally()
        estimate = sum(map(estimate_tokens, batch))
        sent: dict[str, str] = {}

        def send(client: Any, tally: Tally) -> Floats:
            sent.clear()
            sent.update(self._encoding)
            # The client would decode base64 itself; the raw answer is needed to see what is wrong with it.
            response = client.embeddings.with_raw_response.create(
                model=self._model, input=batch, encoding_format=sent.get("encoding_format", "float")
            )
            body = read_json(response.http_response.content)
            said = read_tokens(body).input
            tally.input_tokens += estimate if said is None else said
            require_model(body, self._model)
            return self._checked(read_vectors(body, len(batch)))

        def adapt(fault: Fault) -> bool:
            refused = bool(sent) and ("encoding_format" in fault.said or "base64" in fault.said)
            self._encoding = {} if refused else self._encoding
            return refused

        try:
            with self._endpoint.slot():
                vectors = self._endpoint.call(estimate, send, adapt, tally)
        except LLMError:
            self._add(Usage(failed=1, retries=tally.retries, input_tokens=tally.input_tokens))
            raise
        self._add(tally.usage())
        return vectors

    def _checked(self, vectors: Floats) -> Floats:
        with self._lock:
            self._dim = self._dim or vectors.shape[1]
            if vectors.shape[1] != self._dim:
                raise UnusableError(f"its vectors have {vectors.shape[1]} numbers, before {self._dim}")
        return vectors

    def _add(self, usage: Usage) -> None:
        with self._lock:
            self._usage += usage


def _sendable(text: str) -> str:
    """Return a text that servers take: none is empty, and none holds half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8") if text.strip() else STAND_IN


def _batches(windows: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    tokens = 0
    for window in windows:
        size = estimate_tokens(window)
        if batch and (len(batch) == BATCH_TEXTS or tokens + size > BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(window)
        tokens += size
    yield batch


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
