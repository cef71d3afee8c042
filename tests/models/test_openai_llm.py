"""Chat through the real client against a real server, and everything that goes wrong there."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import openai
import pytest
from llm_server import (
    DROPPED,
    MALFORMED,
    LLMServer,
    as_json,
    chat,
    closed_url,
    cut,
    refusing,
    slow,
    status,
    stream,
    truncated,
)

from hipporag_like.config import LLMConfig
from hipporag_like.errors import ConfigError, EndpointDownError, LLMError, MissingExtraError
from hipporag_like.models.backoff import Pace
from hipporag_like.models.circuit import RECOVERY
from hipporag_like.models.openai_llm import OpenAILLM
from hipporag_like.models.protocols import LLM, Message, Prompt, Reply
from hipporag_like.types import Usage

pytest.importorskip("openai", reason="the extra `openai` is not installed")
pytest.importorskip("tenacity", reason="the extra `openai` is not installed")

KEY = "sk-very-secret-0123456789"
SCHEMA = {
    "title": "named entities",
    "type": "object",
    "properties": {"names": {"type": "array", "items": {"type": "string"}}},
    "required": ["names"],
    "additionalProperties": False,
}


class FakeTime:
    """A clock that only moves when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def pace(self, chance: float = 1.0) -> Pace:
        return Pace(lambda: self.now, lambda: self.now, lambda: chance, self.sleep)


@pytest.fixture
def times() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make(llm_server: LLMServer, times: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., OpenAILLM]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def made(model: str = "gpt-test", chance: float = 1.0, **options: Any) -> OpenAILLM:
        config = LLMConfig(
            **{"base_url": llm_server.base_url, "timeout": 5.0, "structured": "auto", **options}
        )
        return OpenAILLM(model, config, times.pace(chance))

    return made


def asked(text: str = "who?", schema: dict[str, Any] | None = None, max_tokens: int = 50) -> Prompt:
    return Prompt((Message("system", "be brief"), Message("user", text)), max_tokens, "read", schema)


def whole(llm: OpenAILLM, prompt: Prompt) -> tuple[list[str], Reply]:
    *pieces, reply = llm.stream(prompt)
    assert isinstance(reply, Reply)
    return pieces, reply


# --- what is asked and answered


def test_is_an_llm_and_calls_nothing_to_be_made(make, llm_server):
    llm = make(concurrency=3, context_tokens=999)
    assert isinstance(llm, LLM)
    assert (llm.width, llm.context) == (3, 999)
    assert llm.fingerprint and not llm_server.requests


def test_a_request_holds_what_was_asked_and_a_reply_what_was_said(make, llm_server):
    reply = make(temperature=0.5, seed=7).complete(asked("who wrote it?"))
    assert reply == Reply("you said who wrote it?", False, Usage(calls=1, input_tokens=7, output_tokens=3))
    (seen,) = llm_server.requests
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.body == {
        "model": "gpt-test",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "who wrote it?"}],
        "max_tokens": 50,
        "temperature": 0.5,
        "seed": 7,
    }


def test_a_full_room_is_told(make, llm_server):
    llm_server.script(chat("half an ans", finish="length"))
    assert make().complete(asked()).cut


def test_tokens_are_estimated_where_the_server_does_not_count(make, llm_server):
    llm = make()
    llm_server.script(chat("the answer was short", usage=None))
    usage = llm.complete(asked("a question")).usage
    assert usage.output_tokens == llm.count("the answer was short") == 4
    assert usage.input_tokens >= llm.count("be brief") + llm.count("a question")


def test_half_a_surrogate_pair_does_not_stop_a_call(make, llm_server):
    make().complete(asked("lone \ud800 half"))
    assert llm_server.requests[0].body["messages"][1]["content"] == "lone ? half"


def test_streams_piece_by_piece_then_the_whole(make, llm_server):
    llm_server.answer = lambda body: "one two three"
    pieces, reply = whole(make(), asked())
    assert pieces == ["one", " two", " three"]
    assert reply == Reply("one two three", False, Usage(calls=1, input_tokens=7, output_tokens=3))
    assert llm_server.requests[0].body["stream_options"] == {"include_usage": True}


def test_a_stream_is_passed_on_as_it_comes(make, llm_server):
    pieces = make().stream(asked("a b c"))
    assert next(pieces) == "you"
    pieces.close()  # gives the slot back
    assert make(concurrency=1).complete(asked()).text


def test_a_stream_that_fills_its_room_and_says_no_tokens(make, llm_server):
    llm_server.script(chat("one two", finish="length", usage=None))
    llm = make()
    _, reply = whole(llm, asked())
    assert reply.cut
    assert reply.usage.output_tokens == llm.count("one two")


# --- faults that pass


def passing() -> list[Any]:
    return [
        pytest.param(status(429), id="429"),
        pytest.param(status(408), id="408"),
        pytest.param(status(500), id="500"),
        pytest.param(status(503, "<html>" + "busy " * 500), id="503"),
        pytest.param(MALFORMED, id="malformed"),
        pytest.param(as_json([1, 2]), id="no object"),
        pytest.param(truncated(), id="truncated"),
        pytest.param(cut(), id="cut"),
        pytest.param(DROPPED, id="dropped"),
        pytest.param(chat(None), id="null content"),
        pytest.param(chat("  \n"), id="blank content"),
        pytest.param(chat("no", message={"refusal": "I will not"}), id="refusal"),
        pytest.param(chat("so", finish="content_filter"), id="filtered"),
        pytest.param(chat("hi", model="other-model"), id="wrong model"),
        pytest.param(lambda body: as_json({"model": body["model"], "choices": []}), id="empty choices"),
        pytest.param(as_json({"error": {"message": "upstream"}}), id="an error as 200"),
        pytest.param(lambda body: as_json({"model": body["model"], "choices": [None]}), id="a null choice"),
        pytest.param(lambda body: as_json({"choices": [{"message": {"content": ["x"]}}]}), id="odd content"),
    ]


def unstreamed() -> list[Any]:
    """Faults of a stream before its first piece; the last parts answer a streaming request."""
    bad_line = "data: {not json}\n\n"
    return [
        pytest.param(status(429), id="429"),
        pytest.param(status(502), id="502"),
        pytest.param(DROPPED, id="dropped"),
        pytest.param(lambda body: stream(body, []), id="no text"),
        pytest.param(lambda body: stream(body, [], finish=None, done=False), id="nothing at all"),
        pytest.param(lambda body: stream(body, [], finish=None, cut=9), id="cut"),
        pytest.param(lambda body: stream(body, [], junk=bad_line, finish=None), id="malformed"),
        pytest.param(lambda body: stream(body, [], junk="data: [1]\n\n", finish=None), id="no object"),
        pytest.param(lambda body: stream(body, ["a"], model="other"), id="wrong model"),
        pytest.param(
            lambda body: stream(body, [], junk='data: {"error": {"message": "x"}}\n\n', finish=None),
            id="error",
        ),
    ]


@pytest.mark.parametrize("fault", passing())
def test_what_passes_is_sent_again(make, llm_server, times, fault):
    llm_server.script(fault)
    reply = make().complete(asked("hi"))
    assert reply.text == "you said hi"
    assert reply.usage.retries == 1 and reply.usage.calls == 1
    assert times.sleeps == [1.0]


@pytest.mark.parametrize("fault", passing())
def test_what_does_not_pass_is_an_error_and_never_an_answer(make, llm_server, fault):
    llm_server.script(*[fault] * 20)
    with pytest.raises(LLMError) as caught:
        make(retries=3).complete(asked("hi"))
    assert not isinstance(caught.value, EndpointDownError)
    assert one_sentence(caught.value)
    assert 3 <= len(llm_server.requests) <= 4


@pytest.mark.parametrize("fault", unstreamed())
def test_a_stream_without_a_piece_is_asked_for_again(make, llm_server, fault):
    llm_server.script(fault)
    pieces, reply = whole(make(), asked("hi"))
    assert "".join(pieces) == reply.text == "you said hi"
    assert reply.usage.retries == 1


@pytest.mark.parametrize("fault", unstreamed())
def test_a_stream_that_never_begins_is_an_error(make, llm_server, fault):
    llm_server.script(*[fault] * 20)
    with pytest.raises(LLMError) as caught:
        list(make(retries=2).stream(asked("hi")))
    assert one_sentence(caught.value)
    assert len(llm_server.requests) == 3


@pytest.mark.parametrize(
    "ending",
    [
        {"finish": None, "done": False},
        {"finish": None, "done": True},
        {"finish": None, "cut": 30},
        {"finish": None, "junk": "data: {oh\n\n"},
        {"finish": None, "junk": 'data: {"error": {"message": "overloaded"}}\n\n'},
        {"finish": "content_filter"},
    ],
    ids=["ends early", "done without a reason", "cut", "malformed", "error", "filtered"],
)
def test_a_stream_that_breaks_after_a_piece_is_an_error_not_an_answer(make, llm_server, ending):
    llm_server.script(lambda body: stream(body, ["some", " text"], **ending))
    got: list[object] = []
    with pytest.raises(LLMError) as caught:
        for piece in make().stream(asked()):
            got.append(piece)
    assert got == ["some", " text"]
    assert one_sentence(caught.value)
    assert len(llm_server.requests) == 1


def test_a_slow_server_is_not_waited_for(make, llm_server):
    llm_server.script(slow(5.0))
    start = time.monotonic()
    assert make(timeout=0.2).complete(asked("hi")).text == "you said hi"
    assert time.monotonic() - start < 3


def test_a_server_that_stays_slow_is_an_error(make, llm_server):
    llm_server.script(*[slow(5.0)] * 3)
    with pytest.raises(LLMError, match="no answer in time"):
        make(timeout=0.1, retries=2).complete(asked())
    assert len(llm_server.requests) == 3


def test_tokens_of_a_useless_answer_count_as_well(make, llm_server):
    llm_server.script(chat(None, usage=(100, 1)), chat("good", usage=(10, 2)))
    usage = make().complete(asked()).usage
    assert usage == Usage(calls=1, retries=1, input_tokens=110, output_tokens=3)


@pytest.mark.parametrize(
    ("asked_for", "said", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("llama3", "llama3:latest", True),
        ("claude-x-latest", "claude-x-20250101", True),
        ("Meta/Llama-3-8B", "llama-3-8b-instruct", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4", "gpt-4o", False),
        ("gpt-4", "gpt-3.5-turbo", False),
    ],
)
def test_an_answer_must_be_from_the_model_asked(make, llm_server, asked_for, said, same):
    llm_server.script(*[chat("hi", model=said)] * 3)
    llm = make(asked_for)
    if same:
        assert llm.complete(asked()).text == "hi"
    else:
        with pytest.raises(LLMError, match=f"answered with the model '{said}'"):
            llm.complete(asked())


# --- how long is waited


def test_waits_double_up_to_the_longest_and_are_jittered(make, llm_server, times):
    llm_server.script(*[status(500)] * 8)
    assert make(retries=8, chance=1.0).complete(asked()).usage.retries == 8
    assert times.sleeps == [1, 2, 4, 8, 16, 32, 60, 60]
    times.sleeps.clear()
    llm_server.script(*[status(500)] * 3)
    make(chance=0.25).complete(asked())
    assert times.sleeps == [0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "0"}, 0.0),
        ({"retry_after_ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": formatdate(1042, usegmt=True)}, 42.0),
        ({"Retry-After": formatdate(10, usegmt=True)}, 0.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "-4"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_kept_to_exactly(make, llm_server, times, headers, waited, code):
    llm_server.script(status(code, **headers))
    make().complete(asked())
    assert times.sleeps == [pytest.approx(waited)]


def test_a_wait_of_hours_is_an_error_at_once(make, llm_server, times):
    llm_server.script(status(429, Retry_After="7200"))
    with pytest.raises(LLMError, match="wait 7200 seconds"):
        make().complete(asked())
    assert not times.sleeps


def test_real_time_passes_while_waiting(llm_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    llm_server.script(status(429, retry_after_ms="200"))
    llm = OpenAILLM("m", LLMConfig(base_url=llm_server.base_url))
    llm.complete(asked())
    first, second = llm_server.requests
    assert 0.19 < second.at - first.at < 5


# --- what a server does not take


def test_structure_is_asked_for_with_the_schema(make, llm_server):
    make().complete(asked(schema=SCHEMA))
    assert llm_server.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "named_entities", "schema": SCHEMA, "strict": True},
    }


def test_strict_is_only_said_of_closed_schemas(make, llm_server):
    make().complete(asked(schema={**SCHEMA, "required": []}))
    assert llm_server.requests[0].body["response_format"]["json_schema"]["strict"] is False


@pytest.mark.parametrize(
    ("structured", "form"), [("schema", "json_schema"), ("json", "json_object"), ("none", None)]
)
def test_structure_as_configured(make, llm_server, structured, form):
    make(structured=structured).complete(asked(schema=SCHEMA))
    assert llm_server.requests[0].body.get("response_format", {}).get("type") == form


def form_of(seen: Any) -> str | None:
    return seen.body.get("response_format", {}).get("type")


def test_auto_takes_what_the_server_takes_and_remembers(make, llm_server):
    def only_objects(body):
        return status(422, "response_format.type must be text") if "response_format" in body else None

    llm_server.judge = only_objects
    llm = make()
    assert llm.complete(asked("hi", SCHEMA)).text == "you said hi"
    assert [form_of(seen) for seen in llm_server.requests] == ["json_schema", "json_object", None]
    llm.complete(asked("again", SCHEMA))
    assert len(llm_server.requests) == 4


def test_auto_stays_at_json_where_that_is_taken(make, llm_server):
    llm_server.judge = lambda body: (
        status(400, "json_schema is not supported") if form_of_body(body) == "json_schema" else None
    )
    llm = make()
    for _ in range(2):
        llm.complete(asked(schema=SCHEMA))
    assert [form_of(seen) for seen in llm_server.requests] == ["json_schema", "json_object", "json_object"]


def form_of_body(body: dict[str, Any]) -> str | None:
    return body.get("response_format", {}).get("type")


def test_a_structure_of_the_users_choice_is_not_given_up_silently(make, llm_server):
    llm_server.judge = refusing("response_format")
    with pytest.raises(LLMError, match="response_format"):
        make(structured="schema").complete(asked(schema=SCHEMA))
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: '{}' does not support 0 with this model. Only the default (1) value is supported.",
        "[{{'loc': ['body', '{}'], 'msg': 'Extra inputs are not permitted'}}]",
    ],
)
@pytest.mark.parametrize("name", ["temperature", "seed"])
def test_a_refused_parameter_is_left_out_from_then_on(make, llm_server, name, message):
    llm_server.judge = refusing(name, message=message)
    llm = make()
    for _ in range(2):
        assert llm.complete(asked("hi")).text == "you said hi"
    assert [name in seen.body for seen in llm_server.requests] == [True, False, False]


def test_newer_models_call_the_room_otherwise(make, llm_server):
    llm_server.judge = refusing(
        "max_tokens",
        message="Unsupported parameter: '{}' is not supported with this model. Use 'max_completion_tokens' instead.",
    )
    reply = make().complete(asked(max_tokens=33))
    assert reply.text and reply.usage.retries == 0
    assert llm_server.requests[1].body["max_completion_tokens"] == 33


def test_everything_may_be_refused_at_once(make, llm_server, times):
    llm_server.judge = refusing("seed", "temperature", "max_tokens", "response_format", "stream_options")
    _, reply = whole(make(), asked("hi", SCHEMA))
    assert reply.text == "you said hi" and not times.sleeps
    assert set(llm_server.requests[-1].body) == {"model", "messages", "max_completion_tokens", "stream"}


def test_a_value_out_of_range_is_the_users_to_change(make, llm_server):
    llm_server.script(status(400, "max_tokens is too large: 50. This model takes at most 40"))
    with pytest.raises(LLMError, match="too large"):
        make().complete(asked())
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize("code", [400, 409, 413, 422])
def test_a_bad_request_is_not_sent_again(make, llm_server, times, code):
    llm_server.script(*[status(code, "too long a context")] * 3)
    with pytest.raises(LLMError, match="too long a context") as caught:
        make().complete(asked())
    assert not isinstance(caught.value, EndpointDownError)
    assert len(llm_server.requests) == 1 and not times.sleeps


# --- the circuit


@pytest.mark.parametrize("code", [401, 402, 403, 404])
def test_what_every_call_would_meet_stops_at_once(make, llm_server, code):
    llm = make()
    llm_server.script(status(code))
    for _ in range(3):
        with pytest.raises(EndpointDownError) as caught:
            llm.complete(asked())
        assert one_sentence(caught.value) and llm_server.base_url in str(caught.value)
        assert "gpt-test" in str(caught.value) if code == 404 else "OPENAI_API_KEY" in str(caught.value)
    with pytest.raises(EndpointDownError):
        list(llm.stream(asked()))
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize("code", [403, 404])
def test_after_an_answer_a_refusal_is_of_that_call(make, llm_server, times, code):
    llm = make()
    llm_server.script(chat("fine"), *[status(code, "your input was not liked")] * 8, chat("fine again"))
    assert llm.complete(asked()).text == "fine"
    for _ in range(8):
        with pytest.raises(LLMError, match="not liked") as caught:
            llm.complete(asked())
        assert not isinstance(caught.value, EndpointDownError) and one_sentence(caught.value)
    assert llm.complete(asked()).text == "fine again"
    assert not times.sleeps


@pytest.mark.parametrize("code", [401, 402])
def test_a_key_that_is_refused_later_stops_all_the_same(make, llm_server, code):
    llm = make()
    llm_server.script(chat("fine"), status(code))
    llm.complete(asked())
    with pytest.raises(EndpointDownError):
        llm.complete(asked())


def test_input_that_moderation_dislikes_is_never_the_key(make, llm_server):
    said = "openai/gpt-test requires moderation on this provider. Your input was flagged"
    llm_server.script(status(403, said), chat("fine"))
    llm = make()
    with pytest.raises(LLMError, match="flagged") as caught:
        llm.complete(asked())
    assert not isinstance(caught.value, EndpointDownError)
    assert llm.complete(asked()).text == "fine"


def test_a_spent_quota_is_no_matter_of_waiting(make, llm_server, times):
    llm_server.script(status(429, "You exceeded your current quota", "insufficient_quota"))
    with pytest.raises(EndpointDownError, match="credit"):
        make().complete(asked())
    assert not times.sleeps


def test_nobody_there_is_known_within_seconds(make, llm_server, times):
    url = closed_url()
    llm = make(base_url=url, retries=50)
    with pytest.raises(EndpointDownError, match="cannot be reached") as caught:
        llm.complete(asked())
    assert url in str(caught.value) and one_sentence(caught.value)
    assert sum(times.sleeps) <= 3


def test_a_server_that_went_away_is_given_its_retries(make, llm_server, times):
    llm = make(retries=4)
    llm.complete(asked())
    llm_server.__exit__(None, None, None)
    for number in range(1, 6):
        with pytest.raises(LLMError) as caught:
            llm.complete(asked())
        assert isinstance(caught.value, EndpointDownError) == (number == 5)
    assert len(times.sleeps) == 5 * 4


def test_the_fifth_failed_call_in_a_row_opens_the_circuit(make, llm_server):
    llm = make(retries=0)
    llm_server.script(*[status(500)] * 4, chat("well again"), *[status(503)] * 5)
    for _ in range(4):
        with pytest.raises(LLMError) as caught:
            llm.complete(asked())
        assert not isinstance(caught.value, EndpointDownError)
    assert llm.complete(asked()).text == "well again"
    kinds = []
    for _ in range(7):
        with pytest.raises(LLMError) as caught:
            llm.complete(asked())
        kinds.append(isinstance(caught.value, EndpointDownError))
    assert kinds == [False] * 4 + [True] * 3
    assert len(llm_server.requests) == 10


def test_a_call_that_fails_says_what_its_useless_answers_cost(make, llm_server):
    llm_server.script(*[chat(None, usage=(100, 1))] * 3)
    with pytest.raises(LLMError) as caught:
        make().complete(asked())
    assert caught.value.spent == (2, 300, 3)


def test_a_circuit_that_opened_lets_calls_try_again_after_a_while(make, llm_server, times):
    llm = make()
    llm_server.script(status(401), chat("well again"))
    for _ in range(2):
        with pytest.raises(EndpointDownError):
            llm.complete(asked())
    times.now += RECOVERY
    assert llm.complete(asked()).text == "well again"


@pytest.mark.parametrize(
    ("options", "steps", "sent"),
    [
        ({"concurrency": 1}, (slow(1.0, "sent"),), 1),  # the others wait for a slot
        ({"concurrency": 3}, (status(429, **{"Retry-After": "60"}),) * 3, 0),
        ({"concurrency": 3, "requests_per_minute": 1}, (slow(1.0, "sent"),), 1),  # for their turn
    ],
)
def test_stopped_calls_wait_for_answers_and_nothing_else(llm_server, monkeypatch, options, steps, sent):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    llm = OpenAILLM("gpt-test", LLMConfig(base_url=llm_server.base_url, **options))
    llm_server.script(*steps)

    def outcome(number: int) -> str:
        try:
            return llm.complete(asked(f"number {number}")).text
        except EndpointDownError:
            raise
        except LLMError as error:
            return "given up" if "stopped" in str(error) else str(error)

    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(outcome, number) for number in range(3)]
        while len(llm_server.requests) < len(steps):
            time.sleep(0.01)
        time.sleep(0.2)
        began = time.monotonic()
        assert llm.stop() == sent
        assert sorted(call.result() for call in calls) == ["given up"] * (3 - sent) + ["sent"] * sent
        assert time.monotonic() - began < 5
    assert len(llm_server.requests) == len(steps)
    if "requests_per_minute" not in options:
        assert llm.complete(asked("later")).text == "you said later"


def test_useless_answers_do_not_open_the_circuit(make, llm_server):
    llm = make(retries=0)
    llm_server.script(*[chat(None)] * 8)
    for _ in range(8):
        with pytest.raises(LLMError) as caught:
            llm.complete(asked())
        assert not isinstance(caught.value, EndpointDownError)


def test_all_that_wait_are_let_go_when_it_opens(llm_server, monkeypatch):
    """Real time: some wait for an hour's Retry-After's worth of backoff, some for a slot, some for the limit."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    config = LLMConfig(base_url=llm_server.base_url, concurrency=3, requests_per_minute=3)
    llm = OpenAILLM("m", config)
    llm_server.script(
        status(429, Retry_After="250"), status(429, Retry_After="250"), lambda body: slow_down(llm_server)
    )
    start = time.monotonic()
    with ThreadPoolExecutor(9) as pool:
        errors = [call.exception(30) for call in [pool.submit(llm.complete, asked()) for _ in range(9)]]
    assert all(isinstance(error, EndpointDownError) for error in errors)
    assert len({str(error) for error in errors}) == 1
    assert time.monotonic() - start < 10
    assert len(llm_server.requests) == 3


def slow_down(server: LLMServer) -> Any:
    time.sleep(0.3)
    return status(401)


# --- limits


def test_no_more_calls_at_once_than_configured(make, llm_server):
    llm = make(concurrency=3)
    llm_server.script(*[slow(0.05, "ok")] * 12)
    with ThreadPoolExecutor(12) as pool:
        assert {reply.text for reply in pool.map(lambda _: llm.complete(asked()), range(12))} == {"ok"}
    assert llm_server.most_at_once == 3


def test_a_stream_holds_its_slot_until_it_ends(make, llm_server):
    llm = make(concurrency=1)
    pieces = llm.stream(asked("a b"))
    next(pieces)
    other = threading.Thread(target=llm.complete, args=(asked(),), daemon=True)
    other.start()
    time.sleep(0.1)
    assert len(llm_server.requests) == 1
    list(pieces)
    other.join(5)
    assert len(llm_server.requests) == 2


def test_requests_a_minute(make, llm_server, times):
    llm = make(requests_per_minute=4)
    starts = []
    for _ in range(9):
        llm.complete(asked())
        starts.append(times.now - 1000)
    assert starts == pytest.approx([0] * 4 + [60] * 4 + [120])


def test_tokens_a_minute_count_what_was_used_not_what_was_feared(make, llm_server, times):
    llm = make(tokens_per_minute=1000)
    llm_server.script(*[chat("ok", usage=(90, 10))] * 12)
    for _ in range(5):
        llm.complete(asked(max_tokens=500))
    assert (
        times.now == 1000
    )  # after four, 400 are used and 600 free; as feared, it would have been one a minute
    llm.complete(asked(max_tokens=500))
    assert times.now == pytest.approx(1060)


# --- keys


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500, 418])
def test_the_key_is_nowhere_even_if_the_server_echoes_it(make, llm_server, caplog, code):
    caplog.set_level(logging.DEBUG)
    llm = make(retries=1)
    llm_server.script(*[status(code, f"wrong key {KEY} for {KEY}!")] * 2)
    with pytest.raises(LLMError) as caught:
        llm.complete(asked())
    assert KEY not in trail(caught.value)
    assert KEY not in caplog.text
    assert KEY not in repr(llm) + repr(vars(llm)) + llm.fingerprint
    assert f"Bearer {KEY}" == llm_server.requests[0].headers["authorization"]


def test_the_key_is_nowhere_when_a_stream_breaks(make, llm_server, caplog):
    caplog.set_level(logging.DEBUG)
    junk = f"data: {json.dumps({'error': {'message': f'bad {KEY}'}})}\n\n"
    llm_server.script(lambda body: stream(body, ["x"], finish=None, junk=junk))
    with pytest.raises(LLMError, match=r"bad \*\*\*") as caught:
        list(make().stream(asked()))
    assert KEY not in trail(caught.value) and KEY not in caplog.text


def trail(error: BaseException | None) -> str:
    """All that a traceback, or a debugger, could show of an error and those behind it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def test_no_key_is_fine_for_a_server_of_ones_own(make, llm_server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert make().complete(asked()).text
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    make(api_key_env="OTHER_KEY").complete(asked())
    assert KEY not in str(llm_server.requests[-1].headers)


def test_no_key_is_said_at_the_first_call_not_before(make, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    llm = make(base_url="")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        llm.complete(asked())
    assert one_sentence(caught.value)


def test_a_key_with_a_line_break_in_it_is_not_shown(make, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\nsk-two")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        make().complete(asked())
    assert "sk-" not in trail(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http://me:secret@host/v1",
        "http://host:99999/v1",
        "http://host/v1?key=secret",
    ],
)
def test_an_address_is_checked_and_holds_no_secret(make, url):
    with pytest.raises(ConfigError, match="llm.base_url") as caught:
        make(base_url=url)
    assert "secret" not in trail(caught.value)


def test_the_address_may_come_from_the_environment(make, llm_server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", llm_server.base_url + "/")
    llm = make(base_url="")
    assert llm.complete(asked()).text
    assert llm.fingerprint == make().fingerprint


@pytest.mark.parametrize("library", ["openai", "tenacity"])
def test_the_extra_is_named_where_it_is_missing(make, monkeypatch, library):
    from hipporag_like.models import openai_endpoint

    monkeypatch.setattr(openai_endpoint, "find_spec", lambda name: None if name == library else object())
    with pytest.raises(MissingExtraError, match=r"hipporag-like\[openai\]"):
        make()


def test_the_client_is_only_imported_for_a_call(tmp_path):
    code = (
        "import sys; from hipporag_like.config import LLMConfig; from hipporag_like.models.llms import load_llm;"
        "llm = load_llm(LLMConfig(model='openai:m')); llm.fingerprint, llm.count('a');"
        "print(sorted({'openai', 'tenacity', 'httpx', 'pydantic'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_connections_end_with_the_model(make, llm_server, monkeypatch):
    clients, client = [], openai.OpenAI
    monkeypatch.setattr(openai, "OpenAI", lambda **given: clients.append(client(**given)) or clients[0])
    llm = make()
    llm.complete(asked())
    assert not clients[0].is_closed()
    del llm
    gc.collect()
    assert clients[0].is_closed()


# --- identity


def test_fingerprints_tell_apart_what_may_answer_differently(make):
    base = make()
    others = [
        make("other"),
        make(temperature=0.1),
        make(seed=1),
        make(base_url="http://elsewhere/v1"),
        make(base_url=""),
        make(structured="none"),
    ]
    assert len({llm.fingerprint for llm in [base, *others]}) == 7
    same = make(
        timeout=1.0, retries=1, concurrency=2, requests_per_minute=5, input_price=3.0, api_key_env="X"
    )
    assert same.fingerprint == base.fingerprint


# --- counting


OTHER_SCRIPTS = {
    "Russian": "Река пересекает город, в котором живут и работают многие люди возле старых каменных мостов.",
    "Greek": "Ο ποταμός διασχίζει την πόλη όπου πολλοί άνθρωποι ζουν και εργάζονται κοντά σε παλιές γέφυρες.",
    "Chinese": "这条河流穿过城市,许多人在古老的石桥附近生活和工作。",
    "Japanese": "川は多くの人々が古い石の橋の近くで生活し働いている町を横切っている。",
    "Arabic": "يعبر النهر المدينة حيث يعيش ويعمل كثير من الناس بالقرب من الجسور الحجرية القديمة.",
    "Hindi": "नदी उस शहर को पार करती है जहाँ पुराने पत्थर के पुलों के पास बहुत से लोग रहते और काम करते हैं।",
    "Korean": "강은 오래된 돌다리 근처에서 많은 사람들이 살고 일하는 도시를 가로지른다.",
    "German": "Der Fluss durchquert die Stadt, in der viele Menschen in der Nähe alter Brücken leben.",
    "Spanish": "El río atraviesa la ciudad donde mucha gente vive y trabaja cerca de los viejos puentes.",
    "Italian": "Il fiume attraversa la città dove molte persone vivono e lavorano vicino ai vecchi ponti.",
    "Polish": "Rzeka przecina miasto, w którym wielu ludzi mieszka i pracuje w pobliżu starych mostów.",
    "Finnish": "Joki halkoo kaupunkia, jossa monet ihmiset asuvat vanhojen kivisiltojen lähellä.",
    "Indonesian": "Sungai itu melintasi kota tempat banyak orang tinggal di dekat jembatan batu tua.",
    "JSON": '{"named_entities": ["Marie Curie"], "triples": [["Marie Curie", "born in", "Warsaw"]]}',
    "French": "La rivière traverse la ville où beaucoup de gens vivent et travaillent près des vieux ponts.",
    "code": "def fold(token: str) -> str:\n    return token.lower() if token.isascii() else _wide(token)\n",
    "numbers": "In 2023 the 1,234,567 units (12.5 %) cost $4,500,000.00 on 2024-05-17T12:00:00Z.",
}


def word_pieces(texts: list[str]) -> list[int]:
    from hipporag_like.errors import ModelError
    from hipporag_like.models.minilm import MiniLM

    try:
        return [len(pieces) for pieces in MiniLM().word_pieces(texts)]
    except ModelError as error:
        pytest.skip(str(error))


def sample() -> Iterator[str]:
    path = Path(__file__).resolve().parents[2] / "eval" / "sample" / "corpus.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["text"]


def test_the_count_is_no_more_than_a_fifth_below_the_truth(make):
    texts = [*sample(), *OTHER_SCRIPTS.values()]
    counts = [make().count(text) for text in texts]
    truths = word_pieces(texts)
    ratios = [count / truth for count, truth in zip(counts, truths, strict=True)]
    assert min(ratios) >= 0.8 and max(ratios) < 1.6
    assert sum(counts) < 1.1 * sum(truths)
    assert make().count("") == 0


def one_sentence(error: BaseException) -> bool:
    text = str(error)
    return "\n" not in text and 20 < len(text) < 600 and "Traceback" not in text
