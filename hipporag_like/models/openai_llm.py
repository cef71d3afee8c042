"""A chat model behind an OpenAI-compatible endpoint: hosted, or vLLM, llama.cpp, Ollama and others at home."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from hipporag_like.config import LLMConfig
from hipporag_like.errors import LLMError
from hipporag_like.models.backoff import Pace
from hipporag_like.models.chat_answer import (
    Piece,
    Tokens,
    read_answer,
    read_json,
    read_pieces,
    read_tokens,
    require_model,
)
from hipporag_like.models.chat_dialect import Dialect
from hipporag_like.models.chat_stream import Reading
from hipporag_like.models.endpoint_address import OFFICIAL
from hipporag_like.models.endpoint_faults import Fault, UnusableError
from hipporag_like.models.openai_endpoint import Endpoint
from hipporag_like.models.protocols import Prompt, Reply
from hipporag_like.models.tally import Tally
from hipporag_like.models.token_estimate import estimate_tokens

# Tokens around each turn: its role and its marks (ChatML: <|im_start|>role ... <|im_end|>).
TURN_TOKENS = 4


class OpenAILLM:
    """A chat model by its name at an endpoint; nothing is loaded or called before the first question.

    Parameters
    ----------
    model
        As the server calls it. It must answer under this name, or one with another version or tag.
    config
        Address, key, limits and sampling.
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
        self._config = config
        self._endpoint = Endpoint(model, config, pace or Pace())
        self._lock = threading.Lock()
        self._dialect = Dialect.of(config)

    @property
    def fingerprint(self) -> str:
        """Server, model, sampling and how the form of answers is asked for.

        The address counts, unless it is OpenAI's: another server may give other weights the same name. Limits,
        patience and prices change no answer.
        """
        server = "" if self._endpoint.address == OFFICIAL else f"{self._endpoint.address}:"
        config = self._config
        return f"openai:1:{server}{self._model}:t{config.temperature!r}:s{config.seed}:{config.structured}"

    @property
    def width(self) -> int:
        """``config.concurrency``."""
        return self._config.concurrency

    @property
    def context(self) -> int:
        """``config.context_tokens``."""
        return self._config.context_tokens

    def count(self, text: str) -> int:
        """Return about how many tokens a text has; see ``models.token_estimate``."""
        return estimate_tokens(text)

    def complete(self, prompt: Prompt) -> Reply:
        """Return the answer to a prompt; see ``models.protocols.LLM``.

        Raises
        ------
        LLMError
            This call failed for good: nothing was answered, or nothing of use (no choices, no text, a refusal,
            a filtered answer, another model's); or it was stopped.
        EndpointDownError
            Every call would fail.
        ConfigError
            There is neither a key nor a server that may do without.
        """
        tally = Tally()
        talk = _Talk(self, prompt, stream=False)
        with self._endpoint.slot(), _told(tally):
            piece = self._endpoint.call(talk.tokens, talk.whole, talk.adapt, tally)
        return Reply(piece.text, piece.end == "length", tally.usage())

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the answer piece by piece, then the whole; errors as in :meth:`complete`.

        Before its first piece a broken stream is asked for again; after it, it is an :class:`LLMError`. A
        stream without a ``finish_reason`` counts as broken, whatever else ends it.
        """
        tally = Tally()
        talk = _Talk(self, prompt, stream=True)
        with self._endpoint.slot(), _told(tally):
            reading = self._endpoint.call(talk.tokens, talk.begin, talk.adapt, tally)
            texts: list[str] = []
            fault: Fault | None = None
            with closing(reading):
                try:
                    for text in reading.pieces():
                        texts.append(text)
                        yield text
                except self._endpoint.caught as error:
                    fault = self._endpoint.fault_of(error)
            if fault is not None:
                raise self._endpoint.given_up(fault, tally.retries)
            talk.add(tally, reading.tokens, "".join(texts))
        yield Reply("".join(texts), reading.end == "length", tally.usage())

    def stop(self) -> int:
        """Give up calls that wait for a slot, their turn or another attempt; see ``models.protocols.Stops``."""
        return self._endpoint.circuit.stop()

    def dialect(self) -> Dialect:
        """Return what the server is known to understand."""
        with self._lock:
            return self._dialect

    def learn(self, used: Dialect, weaker: Dialect) -> None:
        """Remember a weaker dialect, unless another thread has learned something since ``used`` was asked for."""
        with self._lock:
            if self._dialect == used:
                self._dialect = weaker

    def body(self, prompt: Prompt, dialect: Dialect, stream: bool) -> dict[str, Any]:
        """Return the request for a prompt."""
        return dialect.request(self._model, prompt, self._config, stream)

    @property
    def model(self) -> str:
        """The name asked for."""
        return self._model


@contextmanager
def _told(tally: Tally) -> Iterator[None]:
    """Let an error say what its attempts cost."""
    try:
        yield
    except LLMError as error:
        error.spent = (tally.retries, tally.input_tokens, tally.output_tokens)
        raise


class _Talk:
    """One prompt on its way: the requests for it and what was learned from their refusals."""

    def __init__(self, llm: OpenAILLM, prompt: Prompt, stream: bool) -> None:
        self._llm = llm
        self._prompt = prompt
        self._stream = stream
        self._used = llm.dialect()
        self._sent: dict[str, Any] = {}
        self._input = sum(TURN_TOKENS + llm.count(message.content) for message in prompt.messages)

    @property
    def tokens(self) -> int:
        """About how many tokens the call may take, its answer's room included."""
        return self._input + self._prompt.max_tokens

    def whole(self, client: Any, tally: Tally) -> Piece:
        """Ask for the whole answer at once."""
        response = client.chat.completions.with_raw_response.create(**self._request())
        body = read_json(response.http_response.content)
        tokens = read_tokens(body)
        try:
            piece = read_answer(body)
            require_model(body, self._llm.model)
        except UnusableError:
            if tokens.input is not None:  # of no use, but paid for
                self.add(tally, tokens, "")
            raise
        self.add(tally, tokens, piece.text)
        return piece

    def begin(self, client: Any, tally: Tally) -> Reading:
        """Ask for a stream, and return it once its first piece is there."""
        import openai

        chunks = client.post(
            "/chat/completions",
            cast_to=object,
            body=self._request(),
            stream=True,
            stream_cls=openai.Stream[object],
        )
        reading = Reading(read_pieces(chunks, self._llm.model), chunks.close)
        try:
            reading.first()
        except BaseException:
            reading.close()
            raise
        return reading

    def adapt(self, fault: Fault) -> bool:
        """Learn from a refusal; return whether another request makes sense."""
        weaker = self._used.weaker(fault, self._sent)
        if weaker is not None:
            self._llm.learn(self._used, weaker)
        return weaker is not None

    def add(self, tally: Tally, tokens: Tokens, text: str) -> None:
        """Add what an answer cost to the tally, by the server's count or else by ours."""
        tally.input_tokens += self._input if tokens.input is None else tokens.input
        tally.output_tokens += self._llm.count(text) if tokens.output is None else tokens.output

    def _request(self) -> dict[str, Any]:
        self._used = self._llm.dialect()
        self._sent = self._llm.body(self._prompt, self._used, self._stream)
        return self._sent
