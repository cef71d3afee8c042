"""An OpenAI-compatible endpoint through the official client: what chat and embeddings have in common.

The client's own retries are off; ours wait as the server asks, count what they cost and stop with the circuit.
The key is read from the environment at the first call; neither it nor an exception of the client, which may quote
it, is ever kept in an error of ours.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Any, TypeVar

from hipporag_like.config import LLMConfig
from hipporag_like.errors import EndpointDownError, LLMError, MissingExtraError
from hipporag_like.models.backoff import MAX_RETRY_AFTER, Pace, backoff
from hipporag_like.models.circuit import Circuit
from hipporag_like.models.endpoint_address import base_address, read_key
from hipporag_like.models.endpoint_faults import (
    AGAIN,
    OF_THE_CALL,
    Fault,
    FaultError,
    UnreadableError,
    UnusableError,
    fault_of,
)
from hipporag_like.models.rate_limit import RateLimit
from hipporag_like.models.tally import Tally

T = TypeVar("T")

CONNECT_SECONDS = 10.0  # to be connected, as opposed to answered; a far server takes under one
# Sent again when a server that never answered cannot be reached: most likely it is not there. 3 seconds at most
# where it refuses, so that a wrong address is known at once.
UNREACHABLE_RETRIES = 2
UNUSABLE_RETRIES = 2  # of an answer that is paid for and of no use; a third seldom differs
NO_KEY = "none"  # the client insists on one; servers without keys ignore it


class Endpoint:
    """One server and one model of it; safe to use from several threads.

    Parameters
    ----------
    model
        As the server calls it.
    config
        Address, key, limits and patience.
    pace
        Time and chance.

    Raises
    ------
    ConfigError
        The base URL is none, or holds a password.
    MissingExtraError
        The extra ``openai`` is not installed.
    """

    def __init__(self, model: str, config: LLMConfig, pace: Pace) -> None:
        for library in ("openai", "tenacity"):
            if find_spec(library) is None:
                raise MissingExtraError(f"The model openai:{model}", "openai")
        self.address = base_address(config)
        self._model = model
        self._config = config
        self._pace = pace
        self._key = ""
        self._client: Any = None
        self._reached = False
        self._answered = False
        self._lock = threading.Lock()
        self.circuit = Circuit(config.concurrency, clock=pace.clock)
        self._limit = RateLimit(config.requests_per_minute, config.tokens_per_minute, pace.clock, self._sleep)

    def call(
        self, tokens: int, send: Callable[[Any, Tally], T], adapt: Callable[[Fault], bool], tally: Tally
    ) -> T:
        """Return what ``send`` returns, tried again as long as that makes sense. To be called inside a slot.

        Parameters
        ----------
        tokens
            About how many it will take, in and out.
        send
            Given the client and the tally: makes one request, adds its tokens to the tally, and returns its result or
            raises what the client, :class:`UnusableError` or :class:`UnreadableError` say.
        adapt
            Given a refusal of the request's form: changes what ``send`` will send and returns true, or false.
        tally
            Filled on the way.

        Raises
        ------
        LLMError
            It failed for good, or was stopped before it was sent.
        EndpointDownError
            So would every other call.
        ConfigError
            There is neither a key nor a server that may do without.
        """
        import tenacity

        client = self._connected()
        retrying = tenacity.Retrying(
            sleep=self._sleep,
            stop=self._stop,
            wait=self._wait,
            retry=tenacity.retry_if_exception(_may_pass),
            reraise=True,
        )

        try:
            for state in retrying:
                with state:
                    tally.retries = state.retry_state.attempt_number - 1
                    return self._attempt(tokens, lambda: send(client, tally), adapt, tally)
        except FaultError as error:
            fault = error.fault
        raise self.given_up(fault, tally.retries)  # outside: no other error in its context

    def slot(self) -> AbstractContextManager[None]:
        """Hold one of the slots for calls."""
        return self.circuit.slot()

    def fault_of(self, error: Exception) -> Fault:
        """Return what an exception of :attr:`caught` means."""
        return fault_of(error, self._key, self._pace.wall())

    @property
    def caught(self) -> tuple[type[Exception], ...]:
        """What a request may raise that is the endpoint's fault."""
        import openai

        return (openai.OpenAIError, UnusableError, UnreadableError, ValueError)

    def given_up(self, fault: Fault, retries: int) -> LLMError:
        """Return the error for a call's last fault, and open the circuit where it ends all calls."""
        where, reason = self.address, fault.reason
        sentences = {
            "key": f"{where} refuses the key ({reason}); put a valid one into the environment variable "
            f"{self._config.api_key_env}",
            "model": f"{where} knows no model {self._model!r} ({reason}); correct the model's name or "
            "llm.base_url",
            "money": f"{where} wants to be paid first ({reason}); add credit to the account of the key in "
            f"{self._config.api_key_env}, and run it again",
        }
        sentences["forbidden"] = sentences["key"]
        if fault.kind in sentences and not (fault.kind in OF_THE_CALL and self._answered):
            return self._down(sentences[fault.kind])
        if fault.kind == "unreachable" and not self._reached:
            return self._down(
                f"{where} cannot be reached ({reason}); start the server or correct llm.base_url"
            )
        if fault.kind in ("passing", "unreachable"):
            sentence = (
                f"{where} fails one call after the other ({reason}); run it again when the server is well"
            )
            if self.circuit.failed(sentence):
                return EndpointDownError(sentence)
        return LLMError(self._sentence(fault, retries))

    def _sentence(self, fault: Fault, retries: int) -> str:
        again = f" after {retries} {'retry' if retries == 1 else 'retries'}" if retries else ""
        what = f"openai:{self._model} at {self.address} failed{again} ({fault.reason})"
        if fault.wait is not None and fault.wait > MAX_RETRY_AFTER:
            return f"{what}; it asks to wait {fault.wait:.0f} seconds, so run it again later"
        if fault.kind in ("refused", "final", *OF_THE_CALL):
            return f"{what}; change what it refuses"
        return f"{what}; run it again, or use another model"

    def _down(self, sentence: str) -> EndpointDownError:
        self.circuit.trip(sentence)
        return EndpointDownError(sentence)

    def _attempt(self, tokens: int, send: Callable[[], T], adapt: Callable[[Fault], bool], tally: Tally) -> T:
        """Make one request, again at once where its form was refused and could be changed."""
        while True:
            self.circuit.check()
            ticket = self._limit.take(tokens)
            before = tally.tokens
            try:
                with self.circuit.sending():
                    result = send()
            except self.caught as error:
                fault = self.fault_of(error)
            else:
                self._limit.settle(ticket, tally.tokens - before)
                self._note(None)
                return result
            self._note(fault)
            if fault.kind != "refused" or not adapt(fault):
                raise FaultError(fault)  # outside: the client's error may quote the key

    def _note(self, fault: Fault | None) -> None:
        self._reached = self._reached or fault is None or fault.kind != "unreachable"
        self._answered = self._answered or fault is None
        if fault is None or fault.kind in ("unusable", "refused", "final", *OF_THE_CALL):
            self.circuit.alive()

    def _stop(self, state: Any) -> bool:
        fault: Fault = state.outcome.exception().fault
        most = self._config.retries
        if fault.kind == "unusable":
            most = min(most, UNUSABLE_RETRIES)
        if fault.kind == "unreachable" and not self._reached:
            most = min(most, UNREACHABLE_RETRIES)
        return bool(state.attempt_number > most or (fault.wait or 0) > MAX_RETRY_AFTER)

    def _wait(self, state: Any) -> float:
        fault: Fault = state.outcome.exception().fault
        return backoff(state.attempt_number, self._pace.chance()) if fault.wait is None else fault.wait

    def _sleep(self, seconds: float) -> None:
        if self._pace.sleep is None:
            self.circuit.pause(seconds)
            return
        self._pace.sleep(seconds)
        self.circuit.check()

    def _connected(self) -> Any:
        import openai

        with self._lock:
            if self._client is None:
                self._key = read_key(self._config, self.address)
                seconds = self._config.timeout
                self._client = openai.OpenAI(
                    api_key=self._key or NO_KEY,
                    base_url=self.address,
                    max_retries=0,
                    timeout=openai.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
                )
                # In a cycle of garbage its sockets may go before the client that would have closed them.
                weakref.finalize(self, self._client.close)
            return self._client


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, FaultError) and error.fault.kind in AGAIN
