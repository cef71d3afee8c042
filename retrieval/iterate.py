"""Iterative retrieval with chain of thought, IRCoT (Trivedi et al. 2023), over any method.

Look up the question; then, step by step, let a language model say what the passages tell so far and look up
that thought, until it states the answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Literal

from hipporag_like.models.numbered_passages import fit
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Prompt
from hipporag_like.retrieval.step_fusion import DEPTH, merged
from hipporag_like.text import squeeze, words
from hipporag_like.types import Hit, ScoredFact, Seed, Step, Trace, Usage

STAGE = "thought"
# A thought is a sentence, and the longest of IRCoT's examples has 60. The rest is for models that think first and
# have to be let finish; it is a limit and no cost.
THOUGHT_TOKENS = 512
CONTEXT_SHARE = 4  # of a small window a thought gets a quarter, for the passages have to fit as well
NO_THOUGHTS = "(none)"
_SAYS_ANSWER = re.compile(
    r"\b(?:so|thus|hence|therefore|the)\b\W{0,4}(?:the\b\W{0,4})?(?:final\W{1,4})?"
    r"answer(?:\W{1,4}(?:is|would be)\b|\W{0,4}[:=])"
    r"(?!\W{0,4}(?:not|still|yet|unknown|unclear|missing|needed)\b)|(?:^|[.!?]\W{0,4})answer\W{0,4}:",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\W{0,4}(?:thought|next step|step)(?: \d{1,2})?\W{0,2}[:.]\W{0,4}", re.IGNORECASE)


def iterate(
    question: str,
    look: Callable[[str], Trace],
    llm: LLM,
    prompts: Prompts,
    steps: int,
    k: int,
    passages: int,
) -> Trace:
    """Return the hits of a question looked up in steps.

    Parameters
    ----------
    question
        In words.
    look
        Looks up a query by the base method; should give at least 10 hits, and ``k``.
    llm, prompts
        Who thinks, and how it is asked (prompt ``thought``).
    steps
        Retrievals at most; one less call of the model.
    k
        Hits to return.
    passages
        Best passages found so far that the model is shown; fewer where its window is too small.

    Returns
    -------
    Trace
        ``hits`` are those of all steps put together, each with the signals and the path of its best step, the
        signals scaled so that they add up to ``score``; ``steps`` has each retrieval.

    Raises
    ------
    LLMError
        A thought could not be had.
    ConfigError
        Not even one sentence of a passage fits the model's window.
    """
    depth = max(DEPTH, k)
    done: list[Step] = []
    thoughts: list[str] = []
    usage, seconds, query = Usage(), 0.0, question
    while True:
        trace = look(query)
        done.append(Step(query, None, trace))
        best = merged([step.trace for step in done], depth)[:passages]
        if len(done) >= steps or not best:
            break
        start = time.perf_counter()
        thought, cost = _think(question, best, thoughts, llm, prompts)
        usage, seconds = usage + cost, seconds + time.perf_counter() - start
        done[-1] = Step(query, thought or None, trace)
        if says_answer(thought) or _known(thought, [question, *thoughts]):
            break
        thoughts.append(thought)
        query = thought
    spent = {STAGE: usage} if any(step.thought is not None for step in done) else {}
    return _together(question, done, k, depth, spent, seconds)


def says_answer(thought: str) -> bool:
    """Return whether a thought states the answer: "so the answer is" and what comes near it."""
    return _SAYS_ANSWER.search(thought) is not None


def _known(thought: str, earlier: Sequence[str]) -> bool:
    """Return whether looking up a thought would bring nothing new."""
    said = words(thought)
    return not said or any(said == words(text) for text in earlier)


def _think(
    question: str, best: Sequence[Hit], thoughts: Sequence[str], llm: LLM, prompts: Prompts
) -> tuple[str, Usage]:
    so_far = "\n".join(thoughts) or NO_THOUGHTS
    tokens = min(THOUGHT_TOKENS, llm.context // CONTEXT_SHARE)
    fitted = fit(
        llm,
        lambda block: prompts.fill("thought", question=question, passages=block, thoughts=so_far),
        [hit.passage for hit in best],
        tokens,
    )
    reply = llm.complete(Prompt(fitted.messages, tokens, STAGE))
    text = squeeze(reply.text.rpartition("</think>")[2])
    if text.startswith("<think>"):  # it never came to an end of thinking
        text = ""
    return _LABEL.sub("", text, count=1) if _LABEL.match(text) else text, reply.usage


def _together(
    question: str, steps: Sequence[Step], k: int, depth: int, spent: dict[str, Usage], seconds: float
) -> Trace:
    traces = [step.trace for step in steps]
    usage, times = dict(spent), {STAGE: seconds} if spent else {}
    for trace in traces:
        for stage, cost in trace.usage.items():
            usage[stage] = usage.get(stage, Usage()) + cost
        for stage, second in trace.seconds.items():
            times[stage] = times.get(stage, 0.0) + second
    hits = tuple(merged(traces, depth)[:k])
    return Trace(
        question=question,
        requested_method=traces[0].requested_method,
        method="+".join(dict.fromkeys(trace.method for trace in traces)),
        outcome=_outcome(traces, hits),
        note=_note(traces),
        seeds=_seeds(traces),
        facts=_facts(traces),
        hits=hits,
        walk=_walk(traces),
        seconds=times,
        usage=usage,
        steps=tuple(steps),
    )


def _outcome(traces: Sequence[Trace], hits: Sequence[Hit]) -> Literal["ok", "no_seeds", "empty"]:
    if not hits:
        return "empty"
    return "no_seeds" if all(trace.outcome == "no_seeds" for trace in traces) else "ok"


def _note(traces: Sequence[Trace]) -> str:
    if len(traces) == 1:
        return traces[0].note
    notes = [f"step {number}: {trace.note}" for number, trace in enumerate(traces, start=1) if trace.note]
    return "; ".join(notes)


def _seeds(traces: Sequence[Trace]) -> tuple[Seed, ...]:
    """Return the seeds of all steps, each entity as where it weighed most."""
    best: dict[str, Seed] = {}
    for seed in (seed for trace in traces for seed in trace.seeds):
        if seed.entity not in best or seed.weight > best[seed.entity].weight:
            best[seed.entity] = seed
    return tuple(sorted(best.values(), key=lambda seed: (-seed.weight, seed.entity)))


def _facts(traces: Sequence[Trace]) -> tuple[ScoredFact, ...]:
    """Return the facts of all steps, each as where it scored highest."""
    best: dict[tuple[str, int], ScoredFact] = {}
    for scored in (scored for trace in traces for scored in trace.facts):
        key = scored.fact.passage_id, scored.fact.id
        if key not in best or scored.score > best[key].score:
            best[key] = scored
    return tuple(sorted(best.values(), key=lambda f: (-f.score, f.fact.passage_id, f.fact.id)))


def _walk(traces: Sequence[Trace]) -> dict[str, float]:
    """Return the counts of all walks added up, and the worst error bound."""
    walk: dict[str, float] = {}
    for name, value in (item for trace in traces for item in trace.walk.items()):
        walk[name] = max(walk.get(name, 0.0), value) if name == "residual" else walk.get(name, 0.0) + value
    return walk
