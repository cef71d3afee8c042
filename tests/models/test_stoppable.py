"""A run that ends early begins nothing more, waits for what was sent, and leaves the model as it was."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hipporag_like.errors import LLMError
from hipporag_like.models.cached_llm import CachedLLM
from hipporag_like.models.llm_extractor import LLMExtractor
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Message, Prompt, Reply, Stops
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.models.stoppable import Stoppable, finish
from hipporag_like.types import Passage, Usage

PROMPT = Prompt((Message("user", "who?"),), 50, "entities")


class Kept(ScriptedLLM):
    """Waits before it answers, until it is told to go on; ``forgotten`` and ``added`` as a cache has them."""

    def __init__(self, answer: str) -> None:
        super().__init__(lambda prompt: self._slowly(answer), width=2)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.stops = 0
        self.forgotten: list[Prompt] = []
        self.added: list[Usage] = []

    def _slowly(self, answer: str) -> str:
        self.begun.set()
        assert self.go_on.wait(10)
        return answer

    def stop(self) -> int:
        self.stops += 1
        return 7

    def forget(self, prompts: list[Prompt]) -> None:
        self.forgotten += prompts

    def add(self, stage: str, usage: Usage) -> None:
        self.added.append(usage)


def passages(number: int) -> list[Passage]:
    return [Passage(f"d{n}#0", f"d{n}", f"Tarn {n} is an isle.", 0, 17) for n in range(number)]


def interrupted(llm: Kept) -> Iterator[Any]:
    """Return an extraction that is interrupted once a call is under way."""

    def source() -> Iterator[Passage]:
        yield from passages(2)
        assert llm.begun.wait(10)
        raise KeyboardInterrupt

    return LLMExtractor(llm, Prompts.load()).extract(source())  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ['{"entities": ["Tarn"]}', "no list at all"])
def test_neither_the_second_call_nor_a_repair_is_made_after_the_end(
    answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    llm = Kept(answer)
    threading.Timer(0.6, llm.go_on.set).start()
    with caplog.at_level(logging.WARNING), pytest.raises(KeyboardInterrupt):
        next(interrupted(llm))
    assert 1 <= len(llm.prompts) <= 2 and {p.stage for p in llm.prompts} == {"entities"}
    assert all(len(p.messages) == len(llm.prompts[0].messages) for p in llm.prompts)
    assert llm.stops >= 2 and llm.forgotten == []
    assert caplog.messages == ["stopping: finishing 7 calls; Ctrl-C again to stop at once"]


def test_what_ends_soon_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    llm = Kept("x")
    llm.go_on.set()
    found = LLMExtractor(llm, Prompts.load()).extract(passages(40))
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert caplog.messages == []


def test_a_run_that_comes_to_its_end_stops_nobody() -> None:
    llm = Kept('{"entities": []}')
    llm.go_on.set()
    assert len(list(LLMExtractor(llm, Prompts.load()).extract(passages(5)))) == 5
    assert llm.stops == 0


def test_calls_are_counted_for_a_model_that_cannot_say(caplog: pytest.LogCaptureFixture) -> None:
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        work = [pool.submit(go_on.wait, 10) for _ in range(3)]
        threading.Timer(0.5, go_on.set).start()
        finish(work, lambda: None)
        assert [future.cancelled() for future in work] == [False, True, True]
    assert caplog.messages == ["stopping: finishing 1 call; Ctrl-C again to stop at once"]


def test_it_is_the_model_until_the_end() -> None:
    llm = Kept("x")
    llm.go_on.set()
    run = Stoppable(llm)
    assert isinstance(run, LLM)
    assert (run.fingerprint, run.width, run.context, run.count("a b")) == (llm.fingerprint, 2, 8192, 2)
    reply = run.complete(PROMPT)
    assert isinstance(reply, Reply) and [*run.stream(PROMPT)] == ["x", reply]
    run.forget([PROMPT])
    run.add("entities", Usage(retries=1))
    assert (llm.forgotten, llm.added) == ([PROMPT], [Usage(retries=1)])
    run.finish([])
    for call in (lambda: run.complete(PROMPT), lambda: list(run.stream(PROMPT))):
        with pytest.raises(LLMError, match="stopped"):
            call()
    assert llm.complete(PROMPT) == reply  # the model itself goes on


def test_a_cache_passes_the_word_on_where_there_is_somebody_to_hear_it() -> None:
    llm = Kept("x")
    cached: Any = CachedLLM(llm, calls=None, must_keep=False)  # type: ignore[arg-type]
    assert isinstance(cached, Stops)
    assert (cached.stop(), llm.stops) == (7, 1)
    assert CachedLLM(ScriptedLLM([]), calls=None, must_keep=False).stop() is None  # type: ignore[arg-type]
