"""The language model for tests and notebooks."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.errors import InputError, LLMError
from hipporag_like.models.protocols import LLM, Message, Metered, Prompt, Reply
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.types import Usage


def asked(text: str, stage: str = "read", most: int = 100) -> Prompt:
    return Prompt((Message("system", "be brief"), Message("user", text)), most, stage)


def test_it_is_a_language_model() -> None:
    llm = ScriptedLLM(["a"], 100, width=3)
    assert isinstance(llm, LLM)
    assert isinstance(llm, Metered)
    assert (llm.context, llm.width) == (100, 3)


def test_answers_of_a_list_are_given_out_in_order() -> None:
    llm = ScriptedLLM(["one", "two"])
    assert [llm.complete(asked("x")).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(LLMError, match=r"has 2 answers and was asked once more \(read\)"):
        llm.complete(asked("x"))
    assert len(llm.prompts) == 3
    assert llm.usage == Usage(calls=2, input_tokens=6, output_tokens=2)


def test_a_function_answers() -> None:
    llm = ScriptedLLM(lambda prompt: prompt.messages[-1].content.upper(), name="upper")
    assert llm.complete(asked("abc")) == Reply("ABC", False, Usage(calls=1, input_tokens=3, output_tokens=1))
    assert llm.fingerprint != ScriptedLLM(lambda prompt: "", name="other").fingerprint


def test_rules_answer_by_stage_and_content(tmp_path: Path) -> None:
    rules = {
        "rules": [
            {"stage": "filter", "contains": "Tarn", "answer": {"facts": [2]}},
            {"contains": "Tarn", "answer": "an isle"},
            {"stage": "thought", "answer": "hm"},
        ],
        "default": "no idea",
    }
    path = tmp_path / "script.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    llm = ScriptedLLM.from_file(path, context=77)
    given = [("Tarn", "filter"), ("of Tarn", "read"), ("x", "thought"), ("be brief", "read")]
    assert [llm.complete(asked(*g)).text for g in given] == ['{"facts": [2]}', "an isle", "hm", "no idea"]
    assert llm.context == 77
    assert llm.fingerprint == ScriptedLLM(rules).fingerprint
    assert llm.fingerprint != ScriptedLLM({**rules, "default": "none"}).fingerprint
    assert llm.fingerprint != ScriptedLLM(["x"]).fingerprint


def test_without_a_default_an_unknown_prompt_fails() -> None:
    with pytest.raises(LLMError, match="add a default"):
        ScriptedLLM({"rules": []}).complete(asked("x"))


@pytest.mark.parametrize(
    "script",
    [
        [],
        {"rule": []},
        {"rules": {}},
        {"rules": ["x"]},
        {"rules": [{"stage": "read"}]},
        {"rules": [{"answer": "x", "regex": "y"}]},
        {"rules": [{"answer": "x", "contains": 5}]},
    ],
)
def test_a_wrong_script_is_refused(tmp_path: Path, script: Any) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(script), encoding="utf-8")
    with pytest.raises(InputError, match="give {") as caught:
        ScriptedLLM.from_file(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_script_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the script"):
        ScriptedLLM.from_file(tmp_path / "absent.json")
    for content in (b"{", b"\xff", b"[" * 100_000):
        (tmp_path / "bad.json").write_bytes(content)
        with pytest.raises(InputError, match="is no JSON"):
            ScriptedLLM.from_file(tmp_path / "bad.json")


def test_long_answers_are_cut_where_the_room_ends() -> None:
    llm = ScriptedLLM(["one two  three four"] * 2 + ["one two "])
    reply = llm.complete(asked("x", most=3))
    assert (reply.text, reply.cut, reply.usage.output_tokens) == ("one two  three", True, 3)
    assert llm.complete(asked("x", most=4)).cut is False
    assert llm.complete(asked("x", most=2)) == Reply("one two ", False, Usage(1, 0, 0, 0, 3, 2))
    assert ScriptedLLM(["one two"], cut=False).complete(asked("x", most=1)).text == "one two"


def test_a_stream_comes_in_pieces_and_then_whole() -> None:
    *pieces, reply = ScriptedLLM(["a rather long answer"]).stream(asked("x"))
    assert len(pieces) == 3
    assert isinstance(reply, Reply)
    assert "".join(map(str, pieces)) == reply.text == "a rather long answer"
    assert list(ScriptedLLM([""]).stream(asked("x")))[0] == Reply("", False, Usage(1, 0, 0, 0, 3, 0))


def test_threads_may_ask_at_once() -> None:
    llm = ScriptedLLM([str(i) for i in range(200)])
    start = threading.Barrier(4)

    def work(_: int) -> list[str]:
        start.wait()
        return [llm.complete(asked("x")).text for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        got = [text for texts in pool.map(work, range(4)) for text in texts]
    assert sorted(got, key=int) == [str(i) for i in range(200)]
    assert len(llm.prompts) == llm.usage.calls == 200
