"""The bill before: what a run would cost, told without a call and borne out by the run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.config import ChunkConfig, Config, EmbedConfig, ExtractConfig, LLMConfig
from hipporag_like.errors import EndpointDownError, InputError
from hipporag_like.indexing.build import Models, index_documents
from hipporag_like.indexing.estimate import ENTITY_SHARE, OUTPUT_PER_WORD, Estimate, estimate
from hipporag_like.models.cached_llm import CachedLLM
from hipporag_like.models.costs import money, total
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.llm_extractor import LLMExtractor
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import Prompt
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.progress import silent
from hipporag_like.store.calls import CallTable
from hipporag_like.text import words
from hipporag_like.types import Document, Usage

PROMPTS = Prompts.load()
TEXTS = [f"Item {n} is made by Maker {n}. Maker {n} lives in Tarn." for n in range(6)]
DOCUMENTS = [Document(text, f"d{n}", f"Item {n}") for n, text in enumerate(TEXTS)]


def answer(prompt: Prompt) -> str:
    if "Item 3 is" in prompt.messages[3].content:
        return "{}"
    number = re.findall(r"Item (\d) is", prompt.messages[3].content)[0]
    item, maker = f"Item {number}", f"Maker {number}"
    return json.dumps({"entities": [item, maker], "triples": [[item, "made by", maker]]})


class Bench:
    """An index folder with a scripted model before it."""

    def __init__(self, folder: Path, calls: int = 2, **llm: Any) -> None:
        self.folder = folder
        self.config = Config(
            extract=ExtractConfig(extractor="llm", llm_calls=calls),
            embed=EmbedConfig(model="hashing"),
            llm=LLMConfig(**llm),
        )
        self.inner = ScriptedLLM(answer)
        self.calls = calls

    def index(self, documents: Iterable[Document | str], inner: Any = None) -> Usage:
        with CallTable(self.folder) as table:
            llm = CachedLLM(inner or self.inner, table, must_keep=True)
            embedder = HashingEmbedder(16)
            models = Models(
                LLMExtractor(llm, PROMPTS, self.calls), lambda: embedder, embedder.fingerprint, embedder.dim
            )
            index_documents(self.folder, documents, self.config, models, silent)
            return total(llm.spent)

    def estimate(self, documents: Iterable[Document | str]) -> Estimate:
        before = len(self.inner.prompts)
        with CallTable(self.folder) as table:
            llm = CachedLLM(self.inner, table, must_keep=False)
            found = estimate(self.folder, documents, self.config, LLMExtractor(llm, PROMPTS, self.calls), llm)
        assert len(self.inner.prompts) == before
        return found


def test_a_new_index(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "index")
    found = bench.estimate(iter(DOCUMENTS))
    assert not (tmp_path / "index").exists()
    assert (found.documents, found.passages, found.known) == (6, 6, 0)
    assert {stage: usage.calls for stage, usage in found.usage.items()} == {"entities": 6, "triples": 6}
    per_passage = OUTPUT_PER_WORD * len(words(TEXTS[0]))
    assert found.usage["entities"].output_tokens == 6 * round(per_passage * ENTITY_SHARE)
    assert found.usage["triples"].output_tokens == 6 * round(per_passage * (1 - ENTITY_SHARE))
    assert "3.3 a word" in found.note and "MuSiQue" in found.note


@pytest.mark.parametrize("calls", [1, 2])
def test_the_run_bears_it_out(tmp_path: Path, calls: int) -> None:
    bench = Bench(tmp_path / "index", calls)
    good = [d for d in DOCUMENTS if d.id != "d3"]
    expected = total(bench.estimate(good).usage)
    spent = bench.index(good)
    assert spent.calls == expected.calls == 5 * calls
    # Prompts are the real ones; what is not known is how long the list of entities will be, and 8 tokens are
    # reckoned around each turn.
    assert spent.input_tokens <= expected.input_tokens <= 1.3 * spent.input_tokens
    assert bench.estimate(good).usage == {}
    assert bench.estimate([]).passages == 5


def test_one_call_sends_about_half(tmp_path: Path) -> None:
    two = total(Bench(tmp_path / "a", 2).estimate(DOCUMENTS).usage)
    one = total(Bench(tmp_path / "b", 1).estimate(DOCUMENTS).usage)
    assert one.calls * 2 == two.calls
    assert one.output_tokens == pytest.approx(two.output_tokens, rel=0.1)
    assert 0.4 < one.input_tokens / two.input_tokens < 0.65


def test_only_what_is_new_costs(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "index")
    bench.index(DOCUMENTS[:2])
    changed = Document(TEXTS[0] + " It is blue.", "d0", "Item 0")
    found = bench.estimate([changed, DOCUMENTS[1], DOCUMENTS[2], Document(TEXTS[1], "copy", "Item 1")])
    assert (found.documents, found.passages, found.known) == (4, 4, 2)
    assert total(found.usage).calls == 4
    # What is in the index already and not handed in is part of the next index too.
    again = bench.estimate([DOCUMENTS[2]])
    assert (again.documents, again.passages, again.known) == (3, 3, 2)


def test_a_failed_passage_is_asked_for_again_and_its_good_answers_are_known(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "index")
    bench.index(DOCUMENTS)
    found = bench.estimate(DOCUMENTS)
    assert (found.passages, found.known) == (6, 5)
    assert {stage: usage.calls for stage, usage in found.usage.items()} == {"entities": 1, "triples": 1}


def test_calls_whose_answers_are_kept_are_free(tmp_path: Path) -> None:
    """The endpoint went down after the first step of some passages."""

    def dies(prompt: Prompt) -> str:
        if prompt.stage == "triples":
            raise EndpointDownError("nobody answers")
        return answer(prompt)

    bench = Bench(tmp_path / "index")
    broken = ScriptedLLM(dies)
    broken.fingerprint = bench.inner.fingerprint
    with pytest.raises(EndpointDownError):
        bench.index(DOCUMENTS[:2], broken)
    found = bench.estimate(DOCUMENTS[:2])
    # Whether the second passage was begun before the first one's fault was seen is up to the threads.
    assert found.usage["entities"].cached >= 1
    assert found.usage["entities"].cached + found.usage["entities"].calls == 2
    assert found.usage["triples"].calls == 2
    spent = bench.index(DOCUMENTS[:2])
    expected = total(found.usage)
    assert (spent.calls, spent.cached) == (expected.calls, expected.cached)
    # Where the entities are known, the second prompt is known to the word.
    assert spent.input_tokens <= expected.input_tokens <= 1.3 * spent.input_tokens


def test_it_cuts_documents_as_indexing_does(tmp_path: Path) -> None:
    text = " ".join(TEXTS)
    bench = Bench(tmp_path / "index")
    bench.config = Config.from_dict({"chunk": {"max_tokens": 12, "overlap": 4}}, bench.config)
    expected = bench.estimate([text, Document("", "empty"), Document("...", "no words")])
    bench.index([text, Document("", "empty"), Document("...", "no words")])
    after = bench.estimate([])
    assert expected.documents == after.documents == 1
    assert expected.passages == after.passages > 3
    # Other options cut what is there anew.
    bench.config = Config.from_dict({"chunk": {"max_tokens": 240}}, bench.config)
    assert bench.estimate([]).passages == 1
    assert bench.config.chunk != ChunkConfig()


def test_the_last_of_several_documents_with_one_id_counts(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "index")
    assert bench.estimate([DOCUMENTS[0], Document(TEXTS[1], "d0")]).documents == 1
    with pytest.raises(InputError, match="takes Document values"):
        bench.estimate([5])  # type: ignore[list-item]


def test_a_passage_that_does_not_fit_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "index")
    bench.inner = ScriptedLLM(answer, context=200)
    found = bench.estimate(DOCUMENTS)
    assert found.usage == {"entities": Usage(failed=6)}


def test_other_extractors_cost_nothing(tmp_path: Path) -> None:
    found = estimate(tmp_path / "index", DOCUMENTS, Config(), RulesExtractor(), None)
    assert (found.documents, found.passages, found.usage, found.money, found.note) == (6, 6, {}, 0.0, "")


def test_money_by_the_stated_prices(tmp_path: Path) -> None:
    prices = {"input_price": 0.5, "output_price": 2.0, "currency": "EUR"}
    found = Bench(tmp_path / "index", model="openai:tiny", **prices).estimate(DOCUMENTS)
    all_of_it = total(found.usage)
    assert found.money == pytest.approx((all_of_it.input_tokens * 0.5 + all_of_it.output_tokens * 2) / 1e6)
    assert found.currency == "EUR"
    assert Bench(tmp_path / "index", model="openai:tiny").estimate(DOCUMENTS).money is None
    assert Bench(tmp_path / "index", model="scripted:x").estimate(DOCUMENTS).money == 0.0


@pytest.mark.parametrize(
    ("usage", "config", "expected"),
    [
        ({}, LLMConfig(model="openai:m"), 0.0),
        ({"read": Usage(cached=5)}, LLMConfig(model="openai:m"), 0.0),
        ({"read": Usage(calls=1, input_tokens=5)}, LLMConfig(model="openai:m"), None),
        ({"read": Usage(calls=1, input_tokens=5)}, LLMConfig(model="transformers:m"), 0.0),
        ({"read": Usage(calls=1, input_tokens=5)}, LLMConfig(), None),  # the user's own object
        ({"read": Usage(input_tokens=2_000_000)}, LLMConfig(model="openai:m", input_price=3), 6.0),
        ({"read": Usage(output_tokens=10**6)}, LLMConfig(model="transformers:m", output_price=1), 1.0),
        ({"embed": Usage(input_tokens=10**6)}, LLMConfig(embed_price=0.25), 0.25),
        ({"embed": Usage(input_tokens=1)}, LLMConfig(model="openai:m", input_price=1), None),
        (
            {"embed": Usage(input_tokens=10**6), "entities": Usage(input_tokens=10**6)},
            LLMConfig(model="openai:m", input_price=1, embed_price=0.5),
            1.5,
        ),
    ],
)
def test_money(usage: dict[str, Usage], config: LLMConfig, expected: float | None) -> None:
    assert money(usage, config) == expected
