"""Extractive question-answering heads, on a tiny one that was taught to find a first and a last name in a row."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import LLMConfig
from hipporag_like.errors import LLMError, ModelError
from hipporag_like.models.protocols import Reader
from hipporag_like.types import Answer, Citation, Hit, Passage, Trace

torch = pytest.importorskip("torch", reason="the extra `local` is not installed")
pytest.importorskip("transformers", reason="the extra `local` is not installed")
from hipporag_like.models.qa_reader import QAReader, is_question_answering  # noqa: E402

NAME = "transformers:tiny"


def tiny_models() -> ModuleType:
    """Import the helper beside this file, which is in no package."""
    if "tiny_models" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "tiny_models", Path(__file__).with_name("tiny_models.py")
        )
        sys.modules["tiny_models"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["tiny_models"])
    return sys.modules["tiny_models"]


tiny = tiny_models()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.tiny_qa_model(tmp_path_factory.mktemp("qa"))


@pytest.fixture(scope="module")
def reader(folder: Path) -> QAReader:
    return QAReader(str(folder), LLMConfig(), NAME)


def trace_of(*texts: str) -> Trace:
    hits = (
        Hit(n + 1, 1.0 / (n + 1), Passage(f"d{n}#0", f"d{n}", text, 0, len(text), f"title {n}"))
        for n, text in enumerate(texts)
    )
    return Trace("", "graph", "graph", "ok", "", hits=tuple(hits))


def ask(reader: QAReader, *texts: str, question: str = "who keeps the bees ?") -> Answer:
    return reader.read(question, trace_of(*texts))


def test_is_a_reader(reader: QAReader, folder: Path) -> None:
    assert isinstance(reader, Reader)
    assert reader.name == NAME
    assert is_question_answering(str(folder))


def test_the_planted_answer_is_found_and_its_sentence_cited(reader: QAReader) -> None:
    text = "The old mill was built by the bridge. In town lives Ada Stone by it. The bees live near."
    answer = ask(reader, "the mill .", text, "bees .")
    sentence = "In town lives Ada Stone by it."
    start = text.index(sentence)
    assert answer.text == "Ada Stone"
    assert answer.citations == (Citation("d1", "d1#0", sentence, start, start + len(sentence), "title 1"),)
    assert answer.confidence > 0.9
    assert len(answer.hits) == 3


def test_no_answer_in_the_passages_is_no_answer(reader: QAReader) -> None:
    answer = ask(reader, "The old mill was built by the bridge.", "bees near the town . " * 40)
    assert (answer.text, answer.citations) == (None, ())
    assert answer.confidence < 0.5


def test_no_hits_no_answer(reader: QAReader) -> None:
    assert ask(reader) == Answer("who keeps the bees ?", None, (), 0.0, NAME, ())


@pytest.mark.parametrize("before", [0, 1, 20, 33, 57, 58, 59, 60, 61, 90, 140])
def test_no_part_of_a_long_passage_is_left_out(reader: QAReader, before: int) -> None:
    text = "mill " * before + "Cora River " + "old " * (150 - before)
    answer = ask(reader, "town", text)
    assert answer.text == "Cora River"
    assert answer.citations[0].start <= text.index("Cora") < answer.citations[0].end


def test_an_answer_across_sentences_cites_both(reader: QAReader) -> None:
    text = "The mill is old. Here lives Ada\n\nStone by the mill. The end."
    answer = ask(reader, text)
    assert answer.text == "Ada\n\nStone"
    assert answer.citations[0].quote == "Here lives Ada\n\nStone by the mill."


def test_how_passages_are_batched_changes_nothing(folder: Path, reader: QAReader) -> None:
    texts = ["mill " * n + ("Bela Hill " if n == 31 else "") + "town " * 30 for n in range(0, 60, 3)]
    texts[4] += "Ada River"
    expected = ask(reader, *texts)
    for size in (1, 3, 64):
        answer = ask(QAReader(str(folder), LLMConfig(batch_size=size), NAME), *texts)
        assert answer.text == expected.text
        assert answer.citations == expected.citations
        assert answer.confidence == pytest.approx(expected.confidence, abs=1e-3)


def test_padding_is_not_seen(reader: QAReader) -> None:
    rows = [dict(reader._model.tokenizer("who", text)) for text in ("mill", "the old mill . " * 12)]
    together, alone = reader._logits(rows), reader._logits(rows[:1])
    for side in (0, 1):
        length = alone[side].shape[1]
        np.testing.assert_allclose(together[side][0, :length], alone[side][0], atol=1e-4)


def test_several_threads_may_read_at_once(folder: Path) -> None:
    reader = QAReader(str(folder), LLMConfig(), NAME)
    texts = [f"{'mill ' * n} {name} Stone ." for n, name in enumerate(["Ada", "Bela", "Cora"] * 3)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: ask(reader, text).text, texts))
    assert found == ["Ada Stone", "Bela Stone", "Cora Stone"] * 3


def test_a_question_longer_than_the_window_leaves_room_for_the_passage(reader: QAReader) -> None:
    for question in ("who " * 500, "w" * 500, "who " * 30, ""):
        assert ask(reader, "the mill . " * 20 + "Ada Hill", question=question).text == "Ada Hill"


WORDS = st.sampled_from(
    [*tiny.FIRST, *tiny.LAST, *tiny.FILLERS, "\n", " ", "Zürich", "東京。", "🙂", "\ud800", "e\u0301"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=90).map(" ".join), max_size=4)


@given(TEXTS, st.lists(WORDS, max_size=40).map(" ".join))
@settings(max_examples=40, deadline=None)
def test_answers_and_citations_are_verbatim(reader: QAReader, texts: list[str], question: str) -> None:
    answer = ask(reader, *texts, question=question)
    assert answer.question == question
    assert math.isfinite(answer.confidence) and 0 <= answer.confidence <= 1
    assert answer.found == bool(answer.citations)
    for citation in answer.citations:
        passage = next(hit.passage for hit in answer.hits if hit.passage.id == citation.passage_id)
        assert passage.text[citation.start : citation.end] == citation.quote
        assert answer.text in citation.quote
        assert answer.text.strip() == answer.text != ""


def test_failures_are_said_in_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = QAReader(str(folder), LLMConfig(), NAME)
    module = reader._model.module

    def no_memory(**_: object) -> None:
        raise RuntimeError("CUDA out of memory\nsecond line")

    monkeypatch.setattr(module, "forward", no_memory)
    with pytest.raises(LLMError, match="use a smaller llm.batch_size") as caught:
        ask(reader, "mill")
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert ask(reader, "Ada Stone").text == "Ada Stone"


def test_a_head_without_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load, save

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    weights = copy / "model.safetensors"
    bare = {
        name: tensor
        for name, tensor in load(weights.read_bytes()).items()
        if not name.startswith("qa_outputs")
    }
    weights.write_bytes(save(bare, {"format": "pt"}))
    with pytest.raises(ModelError, match="its weights lack qa_outputs"):
        ask(QAReader(str(copy), LLMConfig(), NAME), "mill")


def test_a_window_without_room_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    settings_file = copy / "tokenizer_config.json"
    said = json.loads(settings_file.read_text())
    settings_file.write_text(json.dumps({**said, "model_max_length": 16}))
    with pytest.raises(ModelError, match="less than 32 tokens"):
        ask(QAReader(str(copy), LLMConfig(), NAME), "mill")


def test_nothing_is_written_to_the_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ask(QAReader(str(folder), LLMConfig(), NAME), "mill " * 300, question="who " * 300)
    assert capfd.readouterr() == ("", "")
