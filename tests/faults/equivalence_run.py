"""Random histories of an index, each compared with an index built once from the documents that are left.

    python equivalence_run.py NUMBER SEED [FIRST]

One JSON object a history goes to stdout: what was done, and what differs. History number n of a seed is the same
however many are run; FIRST is the number of the first.
"""

from __future__ import annotations

import ast
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kill_run import content
from small_world import (
    EMBEDDED,
    EXTRACTORS,
    IDS,
    IN_MEMORY,
    METADATA,
    NAMESPACES,
    TITLES,
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
from hipporag_like.indexing import build, renew
from hipporag_like.indexing.texts import lexical_tokens
from hipporag_like.rag import HippoRAG
from hipporag_like.text import words
from hipporag_like.types import Document, Passage

QUESTIONS = 3
K = 6
ELSEWHERE = 0.05  # of the changes, made in a process of their own


class History:
    """An index that is changed by chance, beside the documents that it should hold.

    Parameters
    ----------
    folder
        Of the index.
    rng
        The chance.
    """

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder, self.rng = folder, rng
        self.options = self.options_now = config_of(rng)
        self.namespaces = rng.sample(NAMESPACES, rng.randint(1, 3))
        self.ids = rng.sample(IDS, rng.randint(6, len(IDS)))
        self.state: dict[tuple[str, str], Document] = {}
        self.gone: list[Document] = []
        self.done: list[str] = []
        self.rag = opened(folder, *self.options)

    def act(self, change: Callable[[HippoRAG], Any]) -> None:
        """Change the index: here, or now and then in another process."""
        if not hasattr(os, "fork") or self.rng.random() >= ELSEWHERE:
            change(self.rag)
            return
        self.done.append("elsewhere")
        self.rag.close()
        child = os.fork()
        if child == 0:
            code = 3
            try:
                change(opened(self.folder, *self.options_now))
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(child, 0)[1] != 0:
            raise RuntimeError("a change failed in another process")

    def add(self, documents: Sequence[Document]) -> None:
        """Index documents; one that holds no words is refused, and what was there before stays."""
        self.act(lambda rag: rag.index(documents))
        good = {(d.namespace, d.id): d for d in documents if words(d.text)}
        self.gone += [self.state[key] for key in good if key in self.state]
        self.state |= good

    def delete(self, keys: Sequence[tuple[str, str]]) -> None:
        """Delete documents, those of each namespace in a call of its own."""
        for namespace in dict.fromkeys(namespace for namespace, _ in keys):
            ids = [i for n, i in keys if n == namespace]
            self.act(lambda rag, ids=ids, namespace=namespace: rag.delete(ids, namespace=namespace))
        self.gone += [self.state.pop(key) for key in keys]

    def some(self, most: int) -> list[tuple[str, str]]:
        """Return keys of some documents that are there."""
        return self.rng.sample(sorted(self.state), min(len(self.state), self.rng.randint(1, most)))

    def new(self, most: int) -> list[Document]:
        """Return documents, of ids that may be there already."""
        ids = self.rng.sample(self.ids, min(len(self.ids), self.rng.randint(1, most)))
        return [document_of(self.rng, i, self.rng.choice(self.namespaces)) for i in ids]

    # The steps

    def step_add(self) -> None:
        self.add(self.new(4))

    def step_change(self) -> None:
        """Give documents another text, title or metadata only."""
        changed = []
        for key in self.some(3):
            fresh = document_of(self.rng, key[1], key[0])
            one = self.rng.choice(("text", "title", "metadata", "all"))
            values = {
                "text": fresh.text,
                "title": self.rng.choice(TITLES),
                "metadata": self.rng.choice(METADATA),
            }
            old = self.state[key]
            changed.append(fresh if one == "all" else replace(old, **{one: values[one]}))
        self.add(changed)

    def step_metadata(self) -> None:
        self.add([replace(self.state[key], metadata=self.rng.choice(METADATA)) for key in self.some(4)])

    def step_delete(self) -> None:
        self.delete(self.some(4))

    def step_delete_namespace(self) -> None:
        namespace = self.rng.choice(self.namespaces)
        self.delete([key for key in sorted(self.state) if key[0] == namespace])

    def step_again(self) -> None:
        """Add documents again that were deleted or replaced before."""
        chosen = self.rng.sample(self.gone, min(3, len(self.gone)))
        self.add(list({(d.namespace, d.id): d for d in chosen}.values()))

    def step_move(self) -> None:
        """Delete a document here and add it there, in either order; in between it is in both."""
        for key in self.some(2):
            moved = replace(self.state[key], namespace=self.rng.choice(self.namespaces))
            if moved.namespace == key[0]:
                continue
            acts = [partial(self.delete, [key]), partial(self.add, [moved])]
            self.rng.shuffle(acts)
            for act in acts:
                act()

    def step_both(self) -> None:
        """Have one document in every namespace."""
        for key in self.some(1):
            self.add([replace(self.state[key], namespace=namespace) for namespace in self.namespaces])

    def step_nothing(self) -> None:
        known = [self.state[key] for key in sorted(self.state)]
        chosen = self.rng.choice(([], known, known[:2]))
        self.act(lambda rag: rag.index(chosen))

    def step_restart(self) -> None:
        self.reopen(self.options_now)

    def step_look(self) -> None:
        """Ask the open index, so that what it keeps in memory is of the state before the next step."""
        if (self.folder / "CURRENT").exists():
            for method in ("graph", "hipporag2", "bm25"):
                told(lambda method=method: self.rag.retrieve("Who met Kim Lee in Oslo?", 3, method=method))
            self.rag.stats()

    def step_mend(self) -> None:
        """Let the index be looked after; it is whole."""
        if (self.folder / "CURRENT").exists():
            models = self.rng.random() < 0.5
            self.act(lambda rag: rag.repair(models=models))

    def step_options(self) -> None:
        """Index with other options for a while; those drawn first are in force again at the end."""
        self.reopen(config_of(self.rng))
        self.add(self.new(2))

    def reopen(self, options: tuple[Config, str]) -> None:
        """Open the index anew."""
        self.rag.close()
        self.options_now = options
        self.rag = opened(self.folder, *options)

    def take(self, name: str) -> None:
        """Take a step."""
        self.done.append(name)
        getattr(self, f"step_{name}")()


STEPS = {
    **{
        "add": 6,
        "change": 5,
        "metadata": 2,
        "delete": 5,
        "delete_namespace": 1,
        "again": 3,
        "move": 3,
        "both": 2,
    },
    **{"nothing": 1, "restart": 1, "look": 3, "mend": 1, "options": 1},
}


def seen(rag: HippoRAG, questions: Sequence[str], namespaces: Sequence[str], work: Path) -> dict[str, Any]:
    """Return everything that an index shows, by name."""
    config = rag.config
    found: dict[str, Any] = {}
    for fusion in FUSIONS:
        with opened(
            rag.path, replace(config, search=SearchConfig(fusion=fusion)), "rules", read_only=True
        ) as asked:
            for method in METHODS if fusion == FUSIONS[0] else ("graph",):
                for number, question in enumerate(questions):
                    given = {
                        "method": method,
                        "where": None if number else {"year": {"gte": 1950}},
                        "namespace": namespaces[number % len(namespaces)] if number % 2 else None,
                    }
                    look = partial(asked.explain, question, K, **given)
                    found[f"{method} {fusion}: {question}"] = told(lambda look=look: timeless(look()))
    found["answer"] = [told(lambda question=question: rag.ask(question)) for question in questions[:2]]
    stats = rag.stats()
    found["stats"] = {name: value for name, value in stats.items() if name not in ("bytes", "snapshot")}
    found["bytes"] = {name: size for name, size in stats["bytes"].items() if name != "journal"}
    found["export"] = exports(rag, work)
    found["verify"] = rag.verify()
    return found


def journal_problems(history: History, fresh: Path) -> list[str]:
    """Return what the journal lacks, and what it holds of documents that are gone.

    What was embedded for texts that are still there may stay: the spelling by which an entity was shown once. So may
    what was made of function words only, which says nothing.
    """
    ours, theirs = content(history.folder), content(fresh)
    wrong = [] if ours["documents"] == theirs["documents"] else ["journal documents"]
    for table in ("extractions", "vectors"):
        wrong += [f"journal lacks of {table}: {row[:80]}" for row in set(theirs[table]) - set(ours[table])]
    extractor = EXTRACTORS[history.options[1]]()
    empty = [d for d in history.gone if not lexical_tokens(d.text)]
    known = {extractor.key(Passage(d.id, d.id, d.text, 0, len(d.text), d.title)) for d in empty}
    for row in set(ours["extractions"]) - set(theirs["extractions"]):
        if ast.literal_eval(row)[1] not in known:
            wrong.append(f"journal still holds the extraction {row[:80]}")
    live = [folded(f"{d.title} {d.text}") for d in history.state.values()]
    for row in set(ours["vectors"]) - set(theirs["vectors"]):
        text = EMBEDDED.get(ast.literal_eval(row)[1].hex())
        if text is None and "elsewhere" in history.done:
            continue  # the other process knew
        if text is None or (lexical_tokens(text) and not says(live, text)):
            wrong.append(f"journal still holds {text!r}")
    return wrong


def compare(history: History, rng: random.Random, work: Path) -> list[str]:
    """Return what tells an index with a history from one that was built at once."""
    documents = list(history.state.values())
    rng.shuffle(documents)
    with opened(work / "fresh", *history.options) as fresh:
        fresh.index(documents)
        questions = questions_of(rng, documents, QUESTIONS)
        held = sorted({d.namespace for d in documents}) or ["default"]
        ours = seen(history.rag, questions, held, work / "ours")
        theirs = seen(fresh, questions, held, work / "theirs")
    wrong = [name for name in ours.keys() | theirs.keys() if repr(ours.get(name)) != repr(theirs.get(name))]
    if ours["verify"]:
        wrong.append(f"verify: {ours['verify'][0].sentence}")
    grown, once = arrays_by_namespace(history.folder), arrays_by_namespace(work / "fresh")
    for namespace in grown.keys() | once.keys():
        a, b = grown.get(namespace, {}), once.get(namespace, {})
        wrong += [f"array {namespace} {name}" for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
    if "options" not in history.done:
        wrong += journal_problems(history, work / "fresh")
    return sorted(wrong)


def with_chances(rng: random.Random, act: Callable[[], Any]) -> Any:
    """Do something with limits by which small indexes go the ways of large ones, drawn."""
    limits = [(renew, "BATCH", 3), (renew, "MOST_AGAIN", 1.0), (build, "LOOK_AT_ALL", 0)]
    before = [getattr(module, name) for module, name, _ in limits]
    for module, name, value in limits:
        if rng.random() < 0.5:
            setattr(module, name, value)
    try:
        return act()
    finally:
        for (module, name, _), value in zip(limits, before, strict=True):
            setattr(module, name, value)


def one_history(seed: int, number: int) -> dict[str, Any]:
    """Live through a history and tell what shows of it."""
    rng = random.Random(f"{seed} {number}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as name:
        work = Path(name)
        history = History(work / "index", rng)

        def live() -> None:
            history.add(history.new(len(history.ids)))
            steps = rng.choices(list(STEPS), list(STEPS.values()), k=rng.randint(3, 12))
            for step in steps:
                history.take(step)
            if "options" in steps:
                history.reopen(history.options)
                history.rag.index([])

        with_chances(rng, live)
        wrong = compare(history, rng, work)
        history.rag.close()
        config: Config = history.options[0]
        return {
            "history": number,
            "steps": history.done,
            "documents": len(history.state),
            "namespaces": len({namespace for namespace, _ in history.state}),
            "preset": config.embed.preset,
            "extractor": history.options[1],
            "seconds": round(time.monotonic() - started, 2),
            "wrong": wrong,
        }


def main() -> None:
    """Live, and tell."""
    # The threads of these libraries do not live on in a forked child, which would wait for them for ever.
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")})
    os.fsync = lambda descriptor: None  # type: ignore[assignment]  # nobody pulls the plug here
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    for number in range(first, first + count):
        sys.stdout.write(json.dumps(one_history(seed, number)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
