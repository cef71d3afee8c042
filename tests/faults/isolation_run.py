"""Random indexes of several namespaces: what one shows does not depend on the others, nor under a filter on the rest.

    python isolation_run.py NUMBER SEED [FIRST]

Each case has two indexes that hold the same documents in one namespace and different ones, or none, in the others. All
that can be seen of that namespace has to be the same in both, to the byte. Then metadata filters: nothing that is
shown, or given to a model, stands only in documents outside of the filter. One JSON object a case goes to stdout. Case
number n of a seed is the same however many are run; FIRST is the number of the first.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from small_world import (
    IDS,
    IN_MEMORY,
    NAMESPACES,
    arrays_by_namespace,
    config_of,
    document_of,
    exports,
    folded,
    opened,
    questions_of,
    says,
    timeless,
    told,
)

from hipporag_like.config import FUSIONS, METHODS, Config, SearchConfig
from hipporag_like.models.protocols import Prompt, Reply
from hipporag_like.rag import HippoRAG
from hipporag_like.text import words
from hipporag_like.types import Answer, Document, Hit, Trace, Usage

QUESTIONS = 3
K = 8
FILTERS: tuple[dict[str, Any], ...] = (
    *(
        {"year": 1911},
        {"year": {"gte": 1950}},
        {"year": "1911"},
        {"year": None},
        {"tags": "a"},
        {"lang": "no"},
    ),
    *(
        {"%": 1},
        {"*": 1},
        {"../x": "y"},
        {"a' or 1=1 --": "*"},
        {"nothing": 1},
        {"year": {"gte": 0, "lt": 2000}},
    ),
    *({"lang": "%"}, {"year": {"in": [1911, 2001]}}, {"year": True}, {"tags": "b", "year": {"gte": 0}}),
)


def searched(rag: HippoRAG, questions: Sequence[str], **given: Any) -> Iterator[tuple[str, Any]]:
    """Yield the trace of every method and fusion, or the sentence of its error, by name."""
    for fusion in FUSIONS:
        config = replace(rag.config, search=SearchConfig(fusion=fusion))
        with opened(rag.path, config, "rules", read_only=True) as asked:
            for method in METHODS if fusion == FUSIONS[0] else ("graph",):
                for question in questions:
                    look = partial(asked.explain, question, K, method=method, **given)
                    yield f"{method} {fusion}: {question}", told(lambda look=look: timeless(look()))


# Namespaces


def seen_of(rag: HippoRAG, own: str, questions: Sequence[str], foreign: str, work: Path) -> dict[str, Any]:
    """Return everything that can be seen of one namespace, by name."""
    found = dict(searched(rag, questions, namespace=own))
    found |= {
        f"{n} filtered": t for n, t in searched(rag, questions[:1], namespace=own, where={"year": {"gte": 0}})
    }
    found["many"] = told(lambda: rag.retrieve_many(questions, K, namespace=own))
    found["answers"] = [told(lambda q=q: rag.ask(q, namespace=own)) for q in questions[:2]]
    found["stats"] = json.dumps(rag.stats(namespace=own))
    found["export"] = exports(rag, work, own)
    graph = rag.to_networkx(namespace=own)
    found["networkx"] = [*graph.nodes(data=True), *graph.edges(data=True)]
    found["communities"] = communities(rag.to_igraph(namespace=own))
    found["errors"] = [
        told(lambda: rag.retrieve(questions[0], namespace="nope")),
        told(lambda: rag.stats(namespace="nope")),
        told(lambda: rag.to_networkx(namespace="nope")),
        told(lambda: rag.retrieve(questions[0], namespace=own, where={"year": {"like": "%"}})),
        told(lambda: rag.retrieve("...", namespace=own)),
        [
            f
            for f in rag.delete([foreign, "nobody"], namespace=own).failures
            if f.source in (foreign, "nobody")
        ],
    ]
    return found


def communities(graph: Any) -> list[int]:
    """Return the community of each node, found with the chances that igraph takes from Python."""
    random.seed(1)
    return list(graph.community_multilevel(weights="weight").membership)


def neighbours(rng: random.Random, own: Sequence[Document], others: Sequence[str]) -> list[Document]:
    """Return documents of other namespaces: some new, some the same as in the one that is looked at."""
    if rng.random() < 0.2:
        return []
    found = [document_of(rng, i, rng.choice(others)) for i in rng.sample(IDS, rng.randint(1, 10))]
    for document in rng.sample(own, rng.randint(0, len(own))):
        copy = replace(document, namespace=rng.choice(others))
        found.append(copy if rng.random() < 0.5 else replace(copy, text=copy.text + " Kim Lee knew it."))
    return found


def fill(rag: HippoRAG, rng: random.Random, own: Sequence[Document], others: Sequence[Document]) -> None:
    """Index both kinds of documents in an order of its own, some of the others deleted again."""
    rest = [*own, *others]
    rng.shuffle(rest)
    while rest:
        part, rest = rest[: (size := rng.randint(3, 20))], rest[size:]
        rag.index(part)
    for document in rng.sample(others, rng.randint(0, len(others) // 2)):
        if words(document.text):
            rag.delete([document.id], namespace=document.namespace)


def compare(rng: random.Random, work: Path) -> tuple[list[str], HippoRAG, str, list[Document]]:
    """Return what of a namespace depends on the others; and one of the two indexes, the namespace, its documents."""
    options = config_of(rng)
    own, *others = rng.sample(NAMESPACES, rng.randint(2, 4))
    documents = [document_of(rng, i, own) for i in rng.sample(IDS, rng.randint(5, 14))]
    documents[0] = replace(documents[0], text="Kim Lee met Otto Lind in Oslo.", metadata={"year": 1999})
    around = [neighbours(rng, documents, others) for _ in range(2)]
    around[0].append(document_of(rng, "foreign", others[0]))
    questions = questions_of(rng, [*documents, *around[0]], QUESTIONS)
    seen, arrays = [], []
    rags = [opened(work / name, *options) for name in ("one", "other")]
    for rag, near in zip(rags, around, strict=True):
        fill(rag, rng, documents, near)
        seen.append(seen_of(rag, own, questions, "foreign", work / f"{rag.path.name}.out"))
        arrays.append(arrays_by_namespace(rag.path)[own])
    wrong = [name for name in seen[0] if repr(seen[0][name]) != repr(seen[1][name])]
    wrong += [
        f"array {name}" for name in arrays[0].keys() | arrays[1] if arrays[0].get(name) != arrays[1].get(name)
    ]
    rags[1].close()
    return sorted(wrong), rags[0], own, [d for d in documents if words(d.text)]


# Filters


def satisfies(metadata: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Return whether metadata passes a filter of ``FILTERS``; worked out here for itself."""

    def same(value: Any, wanted: Any) -> bool:
        return value == wanted and type(value) is type(wanted)

    for field, condition in where.items():
        if field not in metadata:
            return False
        value = metadata[field]
        if not isinstance(condition, dict):
            good = condition in value if isinstance(value, list) else same(value, condition)
        elif "in" in condition:
            good = any(same(value, wanted) for wanted in condition["in"])
        else:
            number = isinstance(value, int) and not isinstance(value, bool)
            good = number and value >= condition["gte"] and value < condition.get("lt", value + 1)
        if not good:
            return False
    return True


class Allowed:
    """The documents that a filter allows, and what they say."""

    def __init__(self, documents: Sequence[Document], where: Mapping[str, Any]) -> None:
        self.ids = {d.id for d in documents if satisfies(d.metadata, where)}
        held = [d for d in documents if d.id in self.ids]
        self._told = [folded(f"{d.title} {d.text}") for d in held]
        # A name is shown as it is spelt there; one that is told by its key has small letters and no accents.
        self._spelt = [f"{d.title}\n{d.text}" for d in held]

    def says(self, text: str) -> bool:
        """Return whether one of the documents has all words of a text."""
        return says(self._told, text)

    def spells(self, name: str) -> bool:
        """Return whether one of the documents has a name as it is shown."""
        return any(name in text for text in self._spelt) or (name == name.lower() and self.says(name))

    def problems(self, trace: Trace) -> Iterator[str]:
        """Yield what a trace shows that none of the documents says."""
        yield from self.of_hits(trace.hits)
        for seed in trace.seeds:
            if not self.spells(seed.entity):
                yield f"seed {seed.entity!r}"
            if not says([folded(trace.question)], seed.matched) and not self.says(seed.matched):
                yield f"seed matched {seed.matched!r}"
        for scored in trace.facts:
            owner = scored.fact.passage_id.rpartition("#")[0]
            if not any(owner.endswith(i) for i in self.ids):
                yield f"fact of {scored.fact.passage_id}"
            if not self.says(scored.fact.text):
                yield f"fact {scored.fact.text!r}"
            yield from (f"fact's entity {name!r}" for name in scored.fact.entities if not self.spells(name))
        if set(trace.walk) - {"residual", "plain_share"}:
            yield f"counts {sorted(trace.walk)}"

    def of_hits(self, hits: Sequence[Hit]) -> Iterator[str]:
        """Yield what hits show that none of the documents says."""
        for hit in hits:
            if hit.passage.document_id not in self.ids:
                yield f"hit {hit.passage.id}"
            for step in hit.path:
                known = {"entity": self.spells, "fact": self.says}.get(step.kind)
                if known is not None and not known(step.text):
                    yield f"path {step.kind} {step.text!r}"


class Listening:
    """A reader and a language model that write down what they are given."""

    name = fingerprint = "listening"
    width = 1
    context = 8192

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.facts: list[str] = []

    def read(self, question: str, trace: Trace) -> Answer:
        self.traces.append(trace)
        return Answer(question, None, (), 0.0, self.name)

    def count(self, text: str) -> int:
        return len(text)

    def complete(self, prompt: Prompt) -> Reply:
        self.facts += re.findall(r"^\d+\. (.+)$", prompt.messages[-1].content, re.MULTILINE)
        return Reply('{"facts": [1, 2]}', usage=Usage(calls=1))

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        yield self.complete(prompt)


def leaks(rag: HippoRAG, own: str, documents: Sequence[Document], rng: random.Random) -> list[str]:
    """Return what filters let through."""
    wrong: list[str] = []
    for where in rng.sample(FILTERS, 2):
        allowed = Allowed(documents, where)
        # Half of the questions are about what is outside.
        outside = [d for d in documents if d.id not in allowed.ids]
        questions = [*questions_of(rng, documents, 1), *questions_of(rng, outside, 2)]
        for name, trace in searched(rag, questions, namespace=own, where=where):
            if isinstance(trace, Trace):
                wrong += [f"{where} {name}: {what}" for what in allowed.problems(trace)]
        wrong += [f"{where} to a model: {what}" for what in given_away(rag, own, questions, where, allowed)]
        for question in questions[:2]:
            answer = rag.ask(question, namespace=own, where=where)
            wrong += [
                f"{where} cites {c.passage_id}" for c in answer.citations if c.document_id not in allowed.ids
            ]
    return wrong


def given_away(
    rag: HippoRAG, own: str, questions: Sequence[str], where: Mapping[str, Any], allowed: Allowed
) -> Iterator[str]:
    """Yield what reader and filter model are given from outside of a filter."""
    ear = Listening()
    config: Config = replace(rag.config, search=SearchConfig(filter="on"))
    with opened(rag.path, config, "rules", reader=ear, llm=ear, read_only=True) as asked:
        for question in questions:
            for method in ("graph", "hipporag2"):
                told(partial(asked.ask, question, namespace=own, where=where, method=method))
    for trace in ear.traces:
        yield from allowed.problems(trace)
    yield from (f"fact {fact!r}" for fact in ear.facts if not allowed.says(fact))


def one_case(seed: int, number: int) -> dict[str, Any]:
    """Make a case and tell what leaks."""
    rng = random.Random(f"{seed} {number}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as name:
        wrong, rag, own, documents = compare(rng, Path(name))
        wrong += leaks(rag, own, documents, rng)
        preset = rag.config.embed.preset
        rag.close()
    return {
        "case": number,
        "namespace": own,
        "documents": len(documents),
        "preset": preset,
        "seconds": round(time.monotonic() - started, 2),
        "wrong": wrong,
    }


def main() -> None:
    """Look, and tell."""
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")})
    os.fsync = lambda descriptor: None  # type: ignore[assignment]  # nobody pulls the plug here
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    for number in range(first, first + count):
        sys.stdout.write(json.dumps(one_case(seed, number)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
