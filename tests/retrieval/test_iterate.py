"""IRCoT: what is looked up, when it stops, and how steps of different scales are put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import LLMError
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.iterate import iterate, says_answer
from hipporag_like.retrieval.step_fusion import merged
from hipporag_like.types import Fact, Hit, Passage, PathStep, ScoredFact, Seed, Trace, Usage

PROMPTS = Prompts.load()
SAYS = "So the answer is: Cincinnati."


def hit(name: str, score: float, rank: int, **signals: float) -> Hit:
    text = f"This is the passage {name}."
    passage = Passage(f"{name}#0", name, text, 0, len(text), name.title())
    return Hit(rank, score, passage, signals or {"graph": score}, (PathStep("question", f"for {name}"),))


def trace_of(query: str, scores: dict[str, float], method: str = "graph", **more: object) -> Trace:
    hits = tuple(hit(name, score, rank) for rank, (name, score) in enumerate(scores.items(), start=1))
    outcome = "ok" if hits else "empty"
    return replace(Trace(query, "graph", method, outcome, "", hits=hits), **more)  # type: ignore[arg-type]


class Looking:
    """Looks up what it was told to find, and notes what it was asked."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces
        self.queries: list[str] = []

    def __call__(self, query: str) -> Trace:
        self.queries.append(query)
        return replace(self._traces[min(len(self.queries), len(self._traces)) - 1], question=query)


A = trace_of("", {"a": 5.0, "b": 4.0, "c": 1.0})
B = trace_of("", {"d": 0.9, "b": 0.5, "e": 0.1})


def run(
    thoughts: Sequence[str], traces: Sequence[Trace] = (A, B), steps: int = 3, k: int = 5, passages: int = 2
) -> tuple[Trace, Looking, ScriptedLLM]:
    look, llm = Looking(traces), ScriptedLLM(thoughts)
    return iterate("Where?", look, llm, PROMPTS, steps, k, passages), look, llm


def test_thoughts_are_looked_up_until_one_states_the_answer() -> None:
    trace, look, llm = run(["Jaws is by Spielberg.", SAYS], steps=5)
    assert look.queries == ["Where?", "Jaws is by Spielberg."]
    assert [(s.query, s.thought) for s in trace.steps] == [
        ("Where?", look.queries[1]),
        (look.queries[1], SAYS),
    ]
    assert [s.trace.question for s in trace.steps] == look.queries
    assert (trace.question, trace.requested_method, trace.method, trace.outcome) == (
        "Where?",
        "graph",
        "graph",
        "ok",
    )
    assert [p.stage for p in llm.prompts] == ["thought", "thought"]


def test_steps_are_bounded_and_the_last_is_not_thought_about() -> None:
    trace, look, llm = run([f"thought {n}" for n in range(9)], steps=4)
    assert (len(look.queries), len(llm.prompts), len(trace.steps)) == (4, 3, 4)
    assert trace.steps[-1].thought is None
    trace, look, llm = run([], steps=1)
    assert (look.queries, llm.prompts, trace.usage) == (["Where?"], [], {})
    assert [h.passage.id for h in trace.hits] == ["a#0", "b#0", "c#0"]


@pytest.mark.parametrize(
    ("again", "kept"),
    [
        ("It is Jaws!",) * 2,
        ("it is  JAWS", "it is JAWS"),
        ("Where",) * 2,
        ("", None),
        (" ...", "..."),
        ("<think>so", None),
    ],
)
def test_a_thought_that_brings_nothing_new_ends_it(again: str, kept: str | None) -> None:
    trace, look, _ = run(["It is Jaws.", again, "never asked for"], steps=9)
    assert look.queries == ["Where?", "It is Jaws."]
    assert [step.thought for step in trace.steps] == ["It is Jaws.", kept]


def test_a_thought_may_come_after_long_thinking() -> None:
    trace, look, _ = run(["<think>" + "well " * 400 + "</think>Jaws is by Spielberg.", SAYS], steps=5)
    assert look.queries == ["Where?", "Jaws is by Spielberg."]
    assert trace.steps[0].thought == "Jaws is by Spielberg."


@pytest.mark.parametrize(
    ("thought", "says"),
    [
        ("So the answer is: Cincinnati", True),
        ("Hence, **the answer is** Cincinnati.", True),
        ("It is in Ohio, so the final answer is 1975.", True),
        ("Therefore the answer: yes", True),
        ("The answer is \u201cJaws\u201d.", True),
        ("Answer: Jaws", True),
        ("SO THE ANSWER IS no", True),
        ("So the answer is not yet known, look for the director.", False),
        ("The answer is still unknown.", False),
        ("Jaws answers this in part.", False),
        ("It must be found who directed Jaws.", False),
        ("The question asks for an answer about Jaws.", False),
    ],
)
def test_when_a_thought_states_the_answer(thought: str, says: bool) -> None:
    assert says_answer(thought) is says


def test_the_model_sees_the_best_passages_so_far_and_its_thoughts() -> None:
    _, _, llm = run(["First thought.", "Thought 2: Second\nthought.", SAYS], (A, B, B), steps=4)
    first, second, third = (p.messages[-1].content for p in llm.prompts)
    assert re.findall(r"^\[\d\] \w{8} (\w)$", first, re.M) == ["A", "B"]
    assert re.findall(r"^\[\d\] \w{8} (\w)$", second, re.M) == ["A", "D"]
    assert "(none)" in first and "First thought." in second
    assert "First thought.\nSecond thought." in third, "one a line, without labels"


def test_passages_are_dropped_where_the_window_is_small() -> None:
    long = trace_of("", {"a": 3.0, "b": 2.0, "c": 1.0})
    wordy = tuple(replace(h, passage=replace(h.passage, text="River. " * 200)) for h in long.hits)
    llm = ScriptedLLM([SAYS], context=1000)
    iterate("Where?", Looking([replace(long, hits=wordy)]), llm, PROMPTS, 3, 5, 3)
    turn = llm.prompts[0].messages[-1].content
    assert re.findall(r"^\[\d\] \w{8} (\w)$", turn, re.M) == ["A"]


def test_nothing_found_is_not_thought_about() -> None:
    trace, look, llm = run([], [trace_of("", {}, note="no passage satisfies the filter")])
    assert (trace.outcome, trace.hits, len(trace.steps), llm.prompts) == ("empty", (), 1, [])
    assert trace.note == "no passage satisfies the filter"


def test_a_failed_call_goes_to_who_asked() -> None:
    with pytest.raises(LLMError):
        run([])


# Putting steps together


def test_by_hand() -> None:
    # a: (5-1)/4 = 1, b: (4-1)/4 = .75 (in the second step .5), c: 0; d: (.9-.1)/.8 = 1, e: 0
    trace, _, _ = run(["x", SAYS], k=4)
    assert [(h.rank, h.passage.document_id) for h in trace.hits] == [(1, "a"), (2, "d"), (3, "b"), (4, "c")]
    assert [h.score for h in trace.hits] == pytest.approx([1.0, 1.0, 0.75, 0.0])
    assert trace.hits[1].path == (PathStep("question", "for d"),)


def test_a_step_of_tiny_scores_counts_as_much_as_one_that_fell_back() -> None:
    walk = trace_of("", {"gold": 3e-4, "x": 1e-5, "y": 0.0})
    dense = trace_of(
        "", {"p": 0.99, "q": 0.97, "r": 0.1}, "dense", outcome="no_seeds", note="dense answered instead"
    )
    trace, _, _ = run(["look", SAYS], [walk, dense], k=3)
    assert [h.passage.document_id for h in trace.hits] == ["gold", "p", "q"]
    assert (trace.method, trace.outcome, trace.note) == (
        "graph+dense",
        "ok",
        "step 2: dense answered instead",
    )
    trace, _, _ = run(["look", SAYS], [dense, dense])
    assert (trace.method, trace.outcome) == ("dense", "no_seeds")


SCORES = st.lists(st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 6)), min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(SCORES, min_size=1, max_size=3), st.data())
def test_neither_scale_nor_offset_of_a_step_matters(steps: list[list[float]], data: st.DataObject) -> None:
    names = "abcdefgh"
    traces, changed = [], []
    for scores in steps:
        chosen = data.draw(st.permutations(names))[: len(scores)]
        ordered = sorted(scores, reverse=True)
        factor = data.draw(st.sampled_from([1e-3, 1.0, 64.0]))
        traces.append(trace_of("", dict(zip(chosen, ordered, strict=True))))
        changed.append(trace_of("", {n: s * factor + 2.0 for n, s in zip(chosen, ordered, strict=True)}))
    one, other = merged(traces, 10), merged(changed, 10)
    scores = {h.passage.id: h.score for h in one}
    assert {h.passage.id: h.score for h in other} == pytest.approx(scores, abs=1e-6)
    assert all(0.0 <= h.score <= 1.0 for h in one)
    assert [h.rank for h in one] == list(range(1, len(one) + 1))
    assert {h.passage.id for h in one} == {h.passage.id for t in traces for h in t.hits}
    assert scores[traces[0].hits[0].passage.id] == 1.0, "each step's best is at the top"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=6))
def test_signals_add_up_to_the_score(pairs: list[tuple[float, float]]) -> None:
    hits = [hit(f"p{n}", a + b, 1, graph=a, dense=b) for n, (a, b) in enumerate(pairs)]
    hits.sort(key=lambda h: -h.score)
    for found in merged([Trace("", "graph", "graph", "ok", "", hits=tuple(hits))], 10):
        assert sum(found.signals.values()) == pytest.approx(found.score)
        assert set(found.signals) == {"graph", "dense"}


def test_only_the_best_hits_of_a_step_count() -> None:
    many = trace_of("", {f"p{n}": 100.0 - n for n in range(40)})
    assert len(merged([many], 10)) == 10
    trace, _, _ = run([], [many], steps=1, k=25)
    assert len(trace.hits) == 25, "unless more are asked for"


def test_the_trace_adds_up_costs_times_seeds_facts_and_walks() -> None:
    fact = Fact(1, "Jaws by Spielberg", "a#0")
    first = replace(
        A, seeds=(Seed("Jaws", 0.4, "ngram"),), facts=(ScoredFact(fact, 0.2, 0.5),), seconds={"walk": 1.0},
        usage={"filter": Usage(calls=1)}, walk={"pushes": 2.0, "residual": 0.1},
    )  # fmt: skip
    second = replace(
        B, seeds=(Seed("Jaws", 0.6, "fuzzy"), Seed("Ohio", 0.5, "ngram")), facts=(ScoredFact(fact, 0.3, 0.1),),
        seconds={"walk": 2.0, "link": 1.0}, usage={"filter": Usage(cached=1)}, walk={"pushes": 3.0, "residual": 0.3},
    )  # fmt: skip
    trace, _, llm = run(["x", SAYS], [first, second])
    assert [(s.entity, s.weight) for s in trace.seeds] == [("Jaws", 0.6), ("Ohio", 0.5)]
    assert trace.facts == (ScoredFact(fact, 0.3, 0.1),)
    assert trace.usage == {"filter": Usage(calls=1, cached=1), "thought": llm.usage}
    assert llm.usage.calls == 2
    assert trace.walk == {"pushes": 5.0, "residual": 0.3}
    assert (trace.seconds["walk"], trace.seconds["link"]) == (3.0, 1.0) and trace.seconds["thought"] >= 0


def test_on_an_index_the_second_hop_is_found_by_the_thought(films: HippoRAG) -> None:
    # By fixed weights, so that trees fitted anew do not change what is found with and without the thought.
    fixed = replace(films.config, search=replace(films.config.search, fusion="weights"))
    with HippoRAG(films.path, config=fixed) as rag:
        check_the_second_hop(rag)


def check_the_second_hop(rag: HippoRAG) -> None:
    def look(query: str) -> Trace:
        return rag.explain(query, 10)

    asked: Callable[[str], Trace] = look
    question = "In which state is the town where the maker of the 1975 thriller about Brody was born?"
    llm = ScriptedLLM(["Jaws was directed by Steven Spielberg, who was born in Cincinnati.", SAYS])
    trace = iterate(question, asked, llm, PROMPTS, 3, 3, 3)
    assert "cincinnati" in [h.passage.document_id for h in trace.hits]
    assert "cincinnati" not in [h.passage.document_id for h in look(question).hits[:3]]
    assert len(trace.steps) == 2
