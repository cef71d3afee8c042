"""Embeddings through the real client against a real server, and everything that goes wrong there."""

from __future__ import annotations

import base64
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from llm_server import (
    DIM,
    DROPPED,
    MALFORMED,
    LLMServer,
    as_json,
    closed_url,
    embeddings,
    refusing,
    status,
    vector_of,
)

from hipporag_like.config import LLMConfig
from hipporag_like.errors import EndpointDownError, LLMError
from hipporag_like.models.backoff import Pace
from hipporag_like.models.openai_embedder import BATCH_TEXTS, WINDOW, OpenAIEmbedder
from hipporag_like.models.protocols import Embedder, Metered
from hipporag_like.models.token_estimate import estimate_tokens, estimated_windows
from hipporag_like.types import Usage

pytest.importorskip("openai", reason="the extra `openai` is not installed")
pytest.importorskip("tenacity", reason="the extra `openai` is not installed")

KEY = "sk-embedding-secret-42"


@pytest.fixture
def sleeps() -> list[float]:
    return []


@pytest.fixture
def make(
    llm_server: LLMServer, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., OpenAIEmbedder]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def made(model: str = "embed-test", **options: Any) -> OpenAIEmbedder:
        config = LLMConfig(**{"base_url": llm_server.base_url, "timeout": 5.0, **options})
        return OpenAIEmbedder(model, config, Pace(chance=lambda: 1.0, sleep=sleeps.append))

    return made


def unit(text: str) -> np.ndarray:
    vector = np.array(vector_of(text))
    return vector / np.linalg.norm(vector)


def answer(vectors: list[Any], **changes: Any) -> Any:
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return as_json({"object": "list", "model": "embed-test", "data": data} | changes)


def test_is_a_metered_embedder_and_calls_nothing_to_be_made(make, llm_server):
    embedder = make()
    assert embedder.fingerprint and not llm_server.requests
    assert isinstance(embedder, Embedder) and isinstance(embedder, Metered)


def test_vectors_are_the_servers_made_unit(make, llm_server):
    rows = make().embed(["stone", "river", "stone"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [unit("stone"), unit("river"), unit("stone")], atol=1e-6)
    (seen,) = llm_server.requests
    assert seen.path == "/v1/embeddings"
    assert seen.body["input"] == ["stone", "river"]  # what is asked twice is paid once
    assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_dim_takes_one_call_once(make, llm_server):
    embedder = make()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: embedder.dim, range(8))) == {DIM}
    assert len(llm_server.requests) == 1


def test_dim_is_known_from_the_first_vectors(make, llm_server):
    embedder = make()
    embedder.embed(["a"])
    assert embedder.dim == DIM and len(llm_server.requests) == 1
    assert embedder.embed([]).shape == (0, DIM)


def test_numbers_are_read_where_the_server_knows_no_base64(make, llm_server):
    def lists_only(body):
        return embeddings({**body, "encoding_format": "float"})

    llm_server.embed = lists_only
    np.testing.assert_allclose(make().embed(["stone"]), [unit("stone")], atol=1e-6)


def test_a_server_that_refuses_base64_is_asked_for_numbers_from_then_on(make, llm_server):
    llm_server.judge = lambda body: (
        status(400, "encoding_format must be float") if body.get("encoding_format") == "base64" else None
    )
    embedder = make()
    for _ in range(2):
        np.testing.assert_allclose(embedder.embed(["stone"]), [unit("stone")], atol=1e-6)
    assert [seen.body["encoding_format"] for seen in llm_server.requests] == ["base64", "float", "float"]


def test_a_server_that_knows_no_encodings_at_all_is_an_error(make, llm_server):
    llm_server.judge = refusing("encoding_format")
    with pytest.raises(LLMError, match="encoding_format"):
        make().embed(["a"])
    assert len(llm_server.requests) == 2


def test_the_order_is_that_of_the_indexes(make, llm_server):
    def backwards(body):
        data = [{"index": n, "embedding": vector_of(text)} for n, text in enumerate(body["input"])]
        return as_json({"model": body["model"], "data": data[::-1]})

    llm_server.embed = backwards
    np.testing.assert_allclose(make().embed(["a", "b", "c"]), [unit("a"), unit("b"), unit("c")], atol=1e-6)


def test_texts_go_in_batches_by_number_and_by_tokens(make, llm_server):
    texts = [f"text {n}" for n in range(2 * BATCH_TEXTS + 1)]
    rows = make().embed(texts)
    np.testing.assert_allclose(rows, [unit(text) for text in texts], atol=1e-6)
    assert sorted(len(seen.body["input"]) for seen in llm_server.requests) == [1, BATCH_TEXTS, BATCH_TEXTS]
    llm_server.requests.clear()
    long = [f"{n} " + "the " * 6000 for n in range(8)]
    make().embed(long)
    assert sorted(len(seen.body["input"]) for seen in llm_server.requests) == [3, 5]


def test_no_more_requests_at_once_than_configured(make, llm_server):
    llm_server.embed = lambda body: replace(embeddings(body), delay=0.05)
    make(concurrency=2).embed([f"text {n}" for n in range(6 * BATCH_TEXTS)])
    assert llm_server.most_at_once == 2


def test_empty_texts_are_never_sent_and_have_a_vector(make, llm_server):
    rows = make().embed(["", " \n", "a\ud800"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(rows[0], rows[1])
    assert all(text.strip() for text in llm_server.requests[0].body["input"])


def test_a_long_text_is_the_mean_of_windows_that_cover_it(make, llm_server):
    text = " ".join(f"word{n}" for n in range(WINDOW))
    (row,) = make().embed([text])
    sent = [piece for seen in llm_server.requests for piece in seen.body["input"]]
    assert len(sent) > 1 and max(map(estimate_tokens, sent)) <= WINDOW + 2
    assert set(" ".join(sent).split()) >= set(text.split())
    mean = np.mean([unit(piece) for piece in sent], axis=0)
    np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def scattered(signs: str, count: int) -> str:
    return "".join(random.Random(0).choices(signs, k=count))


@pytest.mark.parametrize(
    "text",
    [
        scattered("abcdefgh", 5000),
        scattered("🙂🙃😉😊😍😎", 1000),
        scattered("東京都市圏人口", 1800),
        " ".join(f"word{n}" for n in range(3000)),
        " ".join(map(str, range(2000))) + "\n" * 9000,
    ],
    ids=["one word", "emoji", "unspaced", "words", "numbers"],
)
def test_windows_cover_every_sign_and_overlap(text):
    windows = estimated_windows(text, 400)
    assert len(windows) > 1
    end = 0
    for window in windows:
        place = text.find(window)  # such texts do not repeat themselves
        assert place <= max(0, end - 1)
        end = place + len(window)
    assert end == len(text)
    assert max(map(estimate_tokens, windows)) <= 402  # cut words round up


NAN = float("nan")
UNUSABLE = {
    "nan": [[NAN, 1.0]],
    "infinite": [[float("inf"), 1.0]],
    "zero": [[0.0, 0.0]],
    "empty": [[]],
    "too few": [],
    "too many": [[1.0], [2.0]],
    "null": [None],
    "words": [["a", "b"]],
    "truth values": [[True, False]],
    "bad base64": ["!!!!"],
    "half a number": [base64.b64encode(b"abcdef").decode()],
    "base64 of nan": [base64.b64encode(np.array([NAN], "<f4").tobytes()).decode()],
}


@pytest.mark.parametrize("vectors", UNUSABLE.values(), ids=UNUSABLE)
def test_useless_vectors_are_asked_for_again_then_an_error(make, llm_server, vectors):
    llm_server.script(answer(vectors))
    np.testing.assert_allclose(make().embed(["stone"]), [unit("stone")], atol=1e-6)
    llm_server.script(*[answer(vectors)] * 9)
    embedder = make()
    with pytest.raises(LLMError) as caught:
        embedder.embed(["stone"])
    assert "\n" not in str(caught.value) and not isinstance(caught.value, EndpointDownError)
    assert embedder.usage.failed == 1 and embedder.usage.calls == 0
    assert len(llm_server.requests) == 2 + 3


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(500),
        MALFORMED,
        DROPPED,
        as_json({"model": "embed-test", "data": "none"}),
        as_json({"model": "embed-test", "data": [{"index": 4, "embedding": [1.0]}]}),
        as_json({"model": "another", "data": [{"index": 0, "embedding": [1.0]}]}),
    ],
    ids=["429", "500", "malformed", "dropped", "no list", "wrong index", "wrong model"],
)
def test_faults_of_the_endpoint_are_tried_again(make, llm_server, sleeps, fault):
    llm_server.script(fault)
    embedder = make()
    np.testing.assert_allclose(embedder.embed(["stone"]), [unit("stone")], atol=1e-6)
    assert embedder.usage.retries == 1 and sleeps == [1.0]


def test_vectors_of_another_length_than_before_are_an_error(make, llm_server):
    embedder = make()
    embedder.embed(["a"])
    llm_server.embed = lambda body: embeddings(body, lambda text: vector_of(text, DIM + 1))
    with pytest.raises(LLMError, match="17 numbers, before 16"):
        embedder.embed(["b"])


def test_vectors_of_huge_and_tiny_numbers_still_become_unit(make, llm_server):
    llm_server.script(answer([[3e200, 4e200], [3e-200, -4e-200]]))
    np.testing.assert_allclose(make().embed(["a", "b"]), [[0.6, 0.8], [0.6, -0.8]], atol=1e-6)


def test_usage_is_counted_by_the_server_or_estimated(make, llm_server):
    embedder = make()
    embedder.embed(["stone"])
    assert embedder.usage == Usage(calls=1, input_tokens=5)
    llm_server.script(answer([[1.0] * DIM]))
    embedder.embed(["two words"])
    assert embedder.usage == Usage(calls=2, input_tokens=5 + estimate_tokens("two words"))


def test_the_first_failure_stops_what_is_not_yet_sent(make, llm_server):
    llm_server.script(*[status(401)] * 2)
    with pytest.raises(EndpointDownError, match="OPENAI_API_KEY"):
        make(concurrency=1).embed([f"text {n}" for n in range(10 * BATCH_TEXTS)])
    assert len(llm_server.requests) == 1


def test_after_a_refusal_nothing_more_is_paid_for(make, llm_server):
    llm_server.script(status(400, "no such input"))
    with pytest.raises(LLMError, match="no such input"):
        make(concurrency=1).embed([f"text {n}" for n in range(20 * BATCH_TEXTS)])
    assert len(llm_server.requests) < 10


def test_nobody_there(make, sleeps):
    with pytest.raises(EndpointDownError, match="cannot be reached"):
        _ = make(base_url=closed_url()).dim
    assert sum(sleeps) <= 3


def test_the_key_is_nowhere(make, llm_server, caplog):
    caplog.set_level(logging.DEBUG)
    embedder = make(retries=0)
    llm_server.script(status(401, f"bad key {KEY}"))
    with pytest.raises(EndpointDownError, match=r"bad key \*\*\*") as caught:
        embedder.embed(["a"])
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert KEY not in caplog.text + repr(embedder) + repr(vars(embedder)) + embedder.fingerprint


def test_fingerprints_tell_servers_and_models_apart(make):
    prints = {make().fingerprint, make("other").fingerprint, make(base_url="").fingerprint}
    assert len(prints) == 3
    assert make(timeout=1.0, concurrency=1, embed_price=9.0).fingerprint in prints


def test_several_threads_may_embed_at_once(make):
    embedder = make()
    texts = [f"text {n}" for n in range(50)]
    expected = embedder.embed(texts)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(embedder.embed(texts))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 6
    for rows in found:
        np.testing.assert_array_equal(rows, expected)
    assert embedder.usage.calls == 14


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interruption_gives_up_requests_that_only_wait(llm_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    llm_server.script(*[status(429, **{"Retry-After": "60"})] * 2)
    embedder = OpenAIEmbedder("emb", LLMConfig(base_url=llm_server.base_url, concurrency=2))

    def interrupt() -> None:
        while len(llm_server.requests) < 2:
            time.sleep(0.01)
        time.sleep(0.3)  # both have been told to wait
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        embedder.embed([f"text {n}" for n in range(3 * BATCH_TEXTS)])
    assert time.monotonic() - began < 20 and len(llm_server.requests) == 2
    assert embedder.embed(["later"]).shape == (1, embedder.dim)
