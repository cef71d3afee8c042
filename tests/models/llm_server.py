"""A server on loopback that speaks chat completions and embeddings, and misbehaves on command.

``from llm_server import LLMServer`` works in every test (tests/conftest.py sees to it)::

    with LLMServer() as server:
        server.answer = lambda body: "Paris"           # computed from the request, for all that is not scripted
        server.script(status(429, **{"Retry-After": "1"}), chat("Rome"))  # the next two requests
        LLMConfig(base_url=server.base_url)
        server.requests[0].body["messages"]
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import numpy as np

Body = dict[str, Any]
DIM = 16


@dataclass(frozen=True)
class Sent:
    """What goes over the wire.

    ``delay`` seconds come first. ``cut`` promises that many bytes more than are sent, then drops the
    connection. ``drop`` closes it without a word.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int = 0
    drop: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that arrived; the names of its headers are in small letters."""

    path: str
    body: Body
    headers: Mapping[str, str]
    at: float


Step = Sent | Callable[[Body], Sent]


def chat(text: str | None, **changes: Any) -> Callable[[Body], Sent]:
    """Answer with ``text``, streamed word by word if asked to.

    ``changes``: ``model``, ``finish``, ``usage`` (a pair, or None for none), ``message`` (more members of it).
    """

    def step(body: Body) -> Sent:
        if body.get("stream"):
            return stream(body, [] if text is None else _words(text), **changes)
        finish, usage = changes.get("finish", "stop"), changes.get("usage", (7, 3))
        message = {"role": "assistant", "content": text, **changes.get("message", {})}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": changes.get("model", body["model"]),
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }
        return as_json(answer | ({"usage": _usage(usage)} if usage else {}))

    return step


def stream(body: Body, pieces: Sequence[str], **changes: Any) -> Sent:
    """Server-sent events, one a piece; ``finish=None`` and ``done=False`` leave the end out."""
    finish, usage = changes.get("finish", "stop"), changes.get("usage", (7, 3))
    head = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": changes.get("model", body["model"]),
    }
    deltas: list[tuple[Body, str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas += [({**changes.get("message", {})}, finish)] if finish or changes.get("message") else []
    chunks = [head | {"choices": [{"index": 0, "delta": d, "finish_reason": end}]} for d, end in deltas]
    if usage and "stream_options" in body:
        chunks.append(head | {"choices": [], "usage": _usage(usage)})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    lines += [changes["junk"]] if "junk" in changes else []
    lines += ["data: [DONE]\n\n"] if changes.get("done", True) else []
    return Sent(
        200, "".join(lines).encode(), {"Content-Type": "text/event-stream"}, cut=changes.get("cut", 0)
    )


def status(code: int, message: str = "it went wrong", code_word: str | None = None, **headers: str) -> Sent:
    """An error as OpenAI words it; underscores in header names become dashes."""
    error = {"message": message, "type": "error", "param": None, "code": code_word}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(as_json({"error": error}, code), headers={"Content-Type": "application/json", **named})


def as_json(value: object, code: int = 200) -> Sent:
    """Any JSON value as a body."""
    return Sent(code, json.dumps(value).encode(), {"Content-Type": "application/json"})


def truncated(text: str = "the answer is") -> Callable[[Body], Sent]:
    """Half of a JSON body, sent as if it were all."""
    return lambda body: replace(sent := chat(text)(body), body=sent.body[: len(sent.body) // 2])


def cut(text: str = "the answer is") -> Callable[[Body], Sent]:
    """A connection that breaks in the middle of the body."""
    return lambda body: replace(sent := chat(text)(body), body=sent.body[:-20], cut=20)


def slow(seconds: float, text: str = "late") -> Callable[[Body], Sent]:
    """A right answer, too late."""
    return lambda body: replace(chat(text)(body), delay=seconds)


MALFORMED = Sent(200, b"<html>not what you think</html>", {"Content-Type": "application/json"})
DROPPED = Sent(drop=True)


def refusing(
    *names: str, message: str = "Unsupported parameter: '{}' is not supported"
) -> Callable[[Body], Sent | None]:
    """A judge for ``LLMServer.judge``: HTTP 400 for a request that has one of the parameters."""

    def judge(body: Body) -> Sent | None:
        found = [name for name in names if name in body]
        return status(400, message.format(found[0])) if found else None

    return judge


def vector_of(text: str, dim: int = DIM) -> list[float]:
    """A vector that depends on every character of a text; not of length 1."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    return (3 * np.random.default_rng(seed).standard_normal(dim)).tolist()


def embeddings(body: Body, make: Callable[[str], list[float]] = vector_of, **changes: Any) -> Sent:
    """The vectors of a request's texts, in the encoding that it asks for."""
    vectors = [make(text) for text in body["input"]]
    wire: list[object] = [list(vector) for vector in vectors]
    if body.get("encoding_format") == "base64":
        wire = [base64.b64encode(np.array(vector, "<f4").tobytes()).decode() for vector in vectors]
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(wire)]
    answer = {"object": "list", "model": body["model"], "data": data}
    return as_json(answer | {"usage": {"prompt_tokens": 5, "total_tokens": 5}} | changes)


def closed_url() -> str:
    """A base URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


class LLMServer:
    """The server; use it in a ``with`` statement.

    Attributes
    ----------
    requests
        All that arrived, in order.
    most_at_once
        Requests that were being answered at the same time, at most.
    answer
        The text for a chat request that is not scripted.
    embed
        What answers embeddings that are not scripted.
    judge
        May refuse any request before all else.
    """

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.most_at_once = 0
        self.answer: Callable[[Body], str] = lambda body: f"you said {body['messages'][-1]['content']}"
        self.embed: Callable[[Body], Sent] = embeddings
        self.judge: Callable[[Body], Sent | None] = lambda body: None
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()
        self._now = 0
        self._closing = threading.Event()
        self._http = _Server(self)

    @property
    def base_url(self) -> str:
        """What ``LLMConfig.base_url`` takes."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def closed(self) -> bool:
        """Whether it was left."""
        return self._closing.is_set()

    def script(self, *steps: Step) -> None:
        """Answer the next requests with ``steps``, one each."""
        with self._lock:
            self._steps.extend(steps)

    def __enter__(self) -> LLMServer:
        # The default of half a second is how long closing would take.
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    def respond(self, path: str, body: Body, headers: Mapping[str, str]) -> Sent:
        """Decide what a request gets."""
        with self._lock:
            self.requests.append(Seen(path, body, headers, time.monotonic()))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            refused = self.judge(body)
            step = refused or (self._steps.popleft() if self._steps else self._default(path, body))
        sent = step if isinstance(step, Sent) else step(body)
        if sent.delay:
            self._closing.wait(sent.delay)
        return sent

    def done(self) -> None:
        """Count a request as answered."""
        with self._lock:
            self._now -= 1

    def _default(self, path: str, body: Body) -> Step:
        if path == "/v1/chat/completions":
            return chat(self.answer(body))
        return self.embed if path == "/v1/embeddings" else status(404, f"no such page {path}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: LLMServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        owner = self.server.owner
        if owner.closed:  # a connection that was kept open
            self.close_connection = True
            return
        try:
            self._send(
                owner.respond(
                    self.path, json.loads(raw), {name.lower(): value for name, value in self.headers.items()}
                )
            )
        finally:
            owner.done()

    def log_message(self, *values: object) -> None:
        pass

    def _send(self, sent: Sent) -> None:
        if sent.drop:
            self.close_connection = True
            return
        self.send_response(sent.status)
        for name, value in sent.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent.body) + sent.cut))
        self.end_headers()
        self.wfile.write(sent.body)
        self.close_connection = self.close_connection or bool(sent.cut)


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def _usage(pair: tuple[int, int]) -> Body:
    return {"prompt_tokens": pair[0], "completion_tokens": pair[1], "total_tokens": sum(pair)}
