"""A language model behind the one object a user holds: what is called, what is kept, what it costs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hipporag_like import Config, ConfigError, Document, HippoRAG, LLMError, Usage, UsageError
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.protocols import Prompt
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.store.journal import Journal

DOCS = [
    Document("Anna Berg founded the Lumen Works in Tarn.", "anna", "Anna Berg"),
    Document("Tarn is an island ruled by Old Pell.", "tarn", "Tarn"),
    Document("The Copper Prize went to a lamp.", "prize", "Copper Prize"),
]
FACTS = {
    "Lumen": {
        "entities": ["Anna Berg", "Lumen Works", "Tarn"],
        "triples": [["Anna Berg", "founded", "Lumen Works"], ["Lumen Works", "stands in", "Tarn"]],
    },
    "island": {"entities": ["Tarn", "Old Pell"], "triples": [["Tarn", "ruled by", "Old Pell"]]},
    "lamp": {"entities": ["Copper Prize"], "triples": [["Copper Prize", "went to", "a lamp"]]},
}
QUESTION = "Who rules the place where Anna Berg founded the Lumen Works?"


def say(prompt: Prompt) -> str:
    """Answer as a model that knows the three documents."""
    turn = prompt.messages[-1].content
    if prompt.stage in ("entities", "triples", "entities_and_triples"):
        return json.dumps(next(facts for word, facts in FACTS.items() if word in turn))
    if prompt.stage == "filter":
        return '{"facts": [1]}'
    if prompt.stage == "question_entities":
        return '{"entities": ["Anna Berg", "Lumen Works"]}'
    if prompt.stage == "thought":
        return "So the answer is: Old Pell." if "ruled by" in turn else "Tarn is an island ruled by someone."
    return 'ANSWER: Old Pell\n[1] "ruled by Old Pell"\n[2] "ruled by Old Pell"\n[3] "ruled by Old Pell"'


@pytest.fixture
def model() -> ScriptedLLM:
    return ScriptedLLM(say)


def options(**stages: dict[str, Any]) -> Config:
    extract = {"extractor": "llm", **stages.pop("extract", {})}
    return Config.from_dict({"embed": {"model": "hashing"}, "extract": extract, **stages})


def stages(model: ScriptedLLM) -> list[str]:
    return [prompt.stage for prompt in model.prompts]


def made(path: Path, model: ScriptedLLM, **tables: dict[str, Any]) -> HippoRAG:
    rag = HippoRAG(path, config=options(**tables), llm=model)
    rag.index(DOCS)
    return rag


@pytest.mark.parametrize(("calls", "expected"), [(2, 6), (1, 3)])
def test_indexing_pays_each_call_once(tmp_path: Path, model: ScriptedLLM, calls: int, expected: int):
    rag = HippoRAG(tmp_path / "index", config=options(extract={"llm_calls": calls}), llm=model)
    assert sum(u.calls for u in rag.estimate(DOCS).usage.values()) == expected
    assert model.prompts == []
    report = rag.index(DOCS)
    assert len(model.prompts) == expected
    assert report.failures == ()
    spent = sum(report.usage.values(), Usage())
    assert (spent.calls, spent.cached) == (expected, 0)
    assert spent.input_tokens > spent.output_tokens > 0
    again = rag.index(DOCS)
    assert again.usage == {}
    assert len(model.prompts) == expected


def test_lost_extractions_come_from_the_kept_calls(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    with Journal.open(rag.path) as journal:
        journal._connection.execute("DELETE FROM extractions")
    report = HippoRAG(rag.path, llm=model).index(
        [*DOCS, Document("The lamp of the Copper Prize was lit.", "lit", "Lit")]
    )
    assert len(model.prompts) == 8
    assert sum(u.cached for u in report.usage.values()) == 6


def test_the_manifest_names_the_prompts(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    prompts = rag._parts.index().manifest["prompts"]
    assert {"entities", "triples"} <= set(prompts)
    own = tmp_path / "own"
    own.mkdir()
    text = '## user\n\nNames in $title, $passage? As JSON: {"entities": []}\n'
    (own / "entities.md").write_text(text, encoding="utf-8")
    other = HippoRAG(rag.path, config=options(llm={"prompts": str(own)}), llm=model)
    other.index(DOCS)
    changed = other._parts.index().manifest["prompts"]
    assert {name for name in prompts if prompts[name] != changed[name]} == {"entities"}
    assert stages(model).count("entities") == 6


def test_what_was_paid_for_outlives_another_extractor(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    plain = replace(rag.config, extract=replace(rag.config.extract, extractor="rules"))
    rules = HippoRAG(rag.path, config=plain)
    rules.index(DOCS)
    rules.delete(["prize"])
    assert HippoRAG(rag.path, config=options(), llm=model).index(DOCS[:2]).usage == {}
    assert len(model.prompts) == 6


def test_deleted_text_leaves_no_answers(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model, read={"reader": "llm"})
    rag.ask(QUESTION)
    rag.delete(["tarn"])
    rag.close()
    kept = b"".join(f.read_bytes() for f in rag.path.iterdir() if f.name.startswith("journal.db"))
    assert b"Old Pell" not in kept
    assert b"Copper Prize" in kept


class Shy(HashingEmbedder):
    """An embedder on a server: to say how long its vectors are costs a call."""

    asked = 0

    @property
    def dim(self) -> int:
        self.asked += 1
        return super().dim


def test_what_needs_no_vector_does_not_ask_the_embedder(tmp_path: Path):
    config = Config.from_dict({"embed": {"model": "hashing"}})
    HippoRAG(tmp_path / "index", config=config, embedder=Shy()).index(DOCS)
    shy = Shy()
    rag = HippoRAG(tmp_path / "index", embedder=shy)
    assert rag.index(DOCS).unchanged == 3
    assert rag.delete(["tarn"]).deleted == 1
    assert shy.asked == 0


def test_a_failed_passage_is_told_and_tried_again(tmp_path: Path):
    bad = True
    model = ScriptedLLM(lambda p: "no idea" if bad and "lamp" in p.messages[3].content else say(p))
    rag = HippoRAG(tmp_path / "index", config=options(), llm=model)
    report = rag.index(DOCS)
    assert [failure.source for failure in report.failures] == ["prize#0"]
    assert "it holds no JSON object" in report.failures[0].reason
    assert sum(u.failed for u in report.usage.values()) == 1
    assert rag.retrieve("Copper Prize", 1)[0].passage.document_id == "prize"  # found by its text all the same
    bad = False
    assert rag.index(DOCS).failures == ()


def test_an_llm_reader_answers_with_checked_citations_and_costs_once(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model, read={"reader": "llm"})
    answer = rag.ask(QUESTION)
    assert answer.text == "Old Pell"
    assert [c.quote for c in answer.citations] == ["ruled by Old Pell"]
    assert answer.dropped_citations == 2
    assert answer.usage["read"].calls == 1
    again = rag.ask(QUESTION)
    assert again.usage["read"] == Usage(cached=1)
    assert (again.text, again.citations) == (answer.text, answer.citations)
    assert stages(model).count("read") == 1


@pytest.mark.parametrize("reader", ["llm", "extractive"])
def test_a_stream_is_the_answer_in_pieces(tmp_path: Path, model: ScriptedLLM, reader: str):
    rag = made(tmp_path / "index", model, read={"reader": reader})
    stream = rag.stream(QUESTION, iterative=True)
    pieces = list(stream)
    answer = stream.answer
    assert "".join(pieces) == answer.text
    asked = rag.ask(QUESTION, iterative=True)
    assert (asked.text, asked.citations) == (answer.text, answer.citations)
    assert [s.query for s in asked.steps] == [s.query for s in answer.steps]
    assert len(pieces) == 1 or reader == "llm"


@pytest.mark.parametrize(
    ("method", "asked", "calls"),
    [
        ("hipporag2", None, 1),
        ("hipporag2", False, 0),
        ("hipporag2", True, 1),
        ("graph", None, 0),
        ("graph", True, 1),
        ("dense", True, 0),
        ("hybrid", None, 0),
    ],
)
def test_who_filters_facts(tmp_path: Path, model: ScriptedLLM, method: str, asked: bool | None, calls: int):
    rag = made(tmp_path / "index", model)
    trace = rag.explain(QUESTION, method=method, filter=asked)
    assert stages(model).count("filter") == calls
    assert ("filter" in trace.usage) == (calls > 0)
    assert trace.hits


def test_the_filter_decides_what_is_followed(tmp_path: Path):
    none = ScriptedLLM(lambda p: '{"facts": []}' if p.stage == "filter" else say(p))
    rag = made(tmp_path / "index", none)
    trace = rag.explain(QUESTION, method="hipporag2")
    assert (trace.outcome, trace.method) == ("no_seeds", "dense")
    one = made(tmp_path / "other", ScriptedLLM(say))
    kept = one.explain(QUESTION, method="hipporag2").facts
    assert len(kept) == 1
    assert kept[0].fact == rag.explain(QUESTION, method="hipporag2", filter=False).facts[0].fact


def test_who_finds_the_questions_entities(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    trace = rag.explain(QUESTION, method="hipporag")
    assert trace.usage["question_entities"].calls == 1
    assert {seed.entity for seed in trace.seeds} == {"anna berg", "lumen works"}
    rules = HippoRAG(rag.path, config=options(search={"question_entities": "rules"}), llm=model)
    assert rules.explain(QUESTION, method="hipporag").usage == {}


def test_an_iterative_question_shows_its_steps(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    trace = rag.explain(QUESTION, 2, iterative=True, steps=4)
    assert [step.query for step in trace.steps][0] == QUESTION
    assert "So the answer is" in str(trace.steps[-1].thought)
    assert trace.usage["thought"].calls == stages(model).count("thought") == len(trace.steps)
    assert len(trace.hits) == 2
    one = rag.explain(QUESTION, iterative=True, steps=1)
    assert [step.thought for step in one.steps] == [None]
    assert rag.ask(QUESTION, iterative=True).steps


@pytest.mark.parametrize("asked", [{"iterative": True}, {"method": "hipporag2", "filter": True}])
def test_without_a_model_what_needs_one_says_so(tmp_path: Path, asked: dict[str, Any]):
    rag = HippoRAG(tmp_path / "index", config=Config.from_dict({"embed": {"model": "hashing"}}))
    rag.index(DOCS)
    with pytest.raises(ConfigError, match="no language model is configured"):
        rag.explain(QUESTION, **asked)
    with pytest.raises(ConfigError, match="no language model is configured"):
        HippoRAG(tmp_path / "other", config=options()).index(DOCS)
    assert rag.retrieve(QUESTION, method="hipporag2") and rag.retrieve(QUESTION, method="hipporag")


def test_bad_switches_are_refused(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    with pytest.raises(UsageError, match="filter must be True, False or None"):
        rag.explain(QUESTION, filter="yes")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="steps"):
        rag.explain(QUESTION, iterative=True, steps=0)


def test_a_model_that_fails_is_an_error_and_no_empty_result(tmp_path: Path):
    def fail(prompt: Prompt) -> str:
        if prompt.stage in ("filter", "thought", "read"):
            raise LLMError("the server is tired")
        return say(prompt)

    rag = made(tmp_path / "index", ScriptedLLM(fail), read={"reader": "llm"})
    for asked in ({"method": "hipporag2"}, {"iterative": True}, {}):
        with pytest.raises(LLMError, match="tired"):
            rag.ask(QUESTION, **asked)


def test_without_its_journal_an_index_answers_and_makes_none(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model, read={"reader": "llm"})
    rag.close()
    for file in rag.path.glob("journal.db*"):
        file.unlink()
    lone = HippoRAG(rag.path, llm=model)
    assert lone.ask(QUESTION).usage["read"].calls == 1
    assert lone.ask(QUESTION).usage["read"].calls == 1
    assert not list(rag.path.glob("journal.db*"))


def test_a_script_in_a_file_does_all_of_it(tmp_path: Path):
    script = tmp_path / "script.json"
    rules = [
        {"stage": "entities", "contains": word, "answer": {"entities": facts["entities"]}}
        for word, facts in FACTS.items()
    ]
    rules += [
        {"stage": "triples", "contains": word, "answer": {"triples": facts["triples"]}}
        for word, facts in FACTS.items()
    ]
    rules.append({"stage": "read", "answer": 'ANSWER: Old Pell\n[1] "ruled by Old Pell"'})
    script.write_text(json.dumps({"rules": rules, "default": {"facts": [1]}}), encoding="utf-8")
    name = f"scripted:{script}"
    rag = HippoRAG(tmp_path / "index", config=options(llm={"model": name}, read={"reader": name}))
    assert rag.index(DOCS).failures == ()
    assert rag.ask(QUESTION).text == "Old Pell"
    assert HippoRAG(rag.path).ask(QUESTION).usage["read"].cached == 1  # the index remembers its options


@pytest.mark.parametrize("change", ["delete", "update"])
def test_text_that_is_gone_is_gone_from_every_file(tmp_path: Path, model: ScriptedLLM, change: str):
    rag = made(tmp_path / "index", model)
    rag.retrieve(QUESTION)
    if change == "delete":
        rag.delete(["tarn"])
    else:
        rag.index([Document("Tarn is known for every lamp made there.", "tarn", "Tarn")])
    rag.retrieve(QUESTION)
    rag.close()
    files = [file for file in rag.path.rglob("*") if file.is_file()]
    assert [file.name for file in files if b"Old Pell" in file.read_bytes()] == []


def test_a_reader_keeps_the_snapshot_it_has_open(tmp_path: Path, model: ScriptedLLM):
    rag = made(tmp_path / "index", model)
    with HippoRAG(rag.path, read_only=True) as reader:
        before = reader.retrieve("Old Pell", 1)
        rag.delete(["tarn"])
        assert reader.retrieve("Old Pell", 1) == before
    rag.delete(["prize"])
    assert len(list((rag.path / "snapshots").iterdir())) == 1
