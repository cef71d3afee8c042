"""An index remembers nothing of how it came to be: any history gives the arrays of an index built at once.

Set ``RENEW_EXAMPLES`` to try more histories than the 15 of an ordinary run.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hipporag_like.config import ChunkConfig, Config, EmbedConfig, ExtractConfig
from hipporag_like.indexing import build, light_vectors, renew, vectors
from hipporag_like.indexing.build import Models, delete_documents, index_documents
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.progress import silent
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import SnapshotWriter, open_snapshot
from hipporag_like.types import Document, IndexReport

ArraysOf = Callable[[Path], dict[tuple[str, str], bytes]]
EXAMPLES = int(os.environ.get("RENEW_EXAMPLES", "15"))
NAMESPACES = ("default", "other")
# Hundreds of small files are made and removed; on a disk that takes half of the time.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# Names of one and of several words, one inside another, with shared first and last words, accents, digits, and
# words that the corpus also writes in small letters.
NAMES = (
    *(
        "Anna Berg",
        "Otto Lind",
        "Anna Lind",
        "Otto Falk",
        "Berg",
        "Lind",
        "Otto",
        "Anna",
        "Oslo",
        "Apollo",
        "Wings",
    ),
    *(
        "New York",
        "New York City",
        "York",
        "Next Mattos",
        "Mattos",
        "Zdzisław Żółw",
        "Żółw",
        "The Up",
        "Apollo Wings",
    ),
    *("COVID-19", "May 1911", "Berg and Lind", "Up", "Jean-Luc Müller", "北京大学", "Treaty of Oslo"),
)
TITLES = (
    *(
        "Anna Berg",
        "Apollo (band)",
        "Apollo",
        "Wings",
        "New York (film)",
        "Up",
        "Up (film)",
        "Otto Lind",
        "Żółw",
    ),
    *("York", "", "Berg", "Mattos (painter)", "The Up", "wings", "Treaty of Oslo (1911)", "next", "Anna"),
)
TEMPLATES = (
    *(
        "{} met {} in {}.",
        "{} of {} wrote to {}.",
        "In {} the friends {} and {} sang.",
        "Next {} saw {}, {}'s friend.",
    ),
    *(
        "Apollo {} flew to {}.",
        "{} is by {} and {}, not {}.",
        "Wings {} played {} in {}.",
        "Up {} went, with {}.",
    ),
    *("It was {} who told {} of {}.", "Later {} left {}. There {} slept.", "{}! {}? {}."),
)
# What makes a word common, repeated, or the small form of a name.
SMALL = (
    *("The next wings are up next.", "an apollo, a berg and a mattos.", "they go up, next to wings."),
    *(" ".join(["next"] * 22) + ".", " ".join(["apollo"] * 5) + ".", "Anna sings.", "wings wings wings."),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    sentences = []
    for _ in range(draw(st.integers(1, 3))):
        template = draw(st.sampled_from(TEMPLATES))
        n = template.count("{}")
        sentences.append(template.format(*draw(st.lists(st.sampled_from(NAMES), min_size=n, max_size=n))))
    if draw(st.integers(0, 3)) == 0:
        sentences.insert(draw(st.integers(0, len(sentences))), draw(st.sampled_from(SMALL)))
    return " ".join(sentences)


IDS = [f"d{i:02}" for i in range(24)]
METADATA = st.sampled_from([{}, {"year": 1911}, {"year": "x", "tag": None}])


@st.composite
def documents(draw: st.DrawFn, document_id: str | None = None) -> Document:
    return Document(
        draw(texts()),
        document_id or draw(st.sampled_from(IDS)),
        draw(st.sampled_from(TITLES)),
        draw(METADATA),
        draw(st.sampled_from(NAMESPACES[:1] * 3 + NAMESPACES[1:])),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Documents that come; others, by a number each, that go, move to the other namespace, or are added again."""

    come: tuple[Document, ...] = ()
    go: tuple[int, ...] = ()
    move: tuple[int, ...] = ()
    back: tuple[int, ...] = ()


NUMBERS = st.integers(0, 1000)
STEPS = st.one_of(
    st.builds(Step, come=st.lists(documents(), min_size=1, max_size=3).map(tuple)),
    st.builds(Step, go=st.lists(NUMBERS, min_size=1, max_size=3).map(tuple)),
    st.builds(Step, move=NUMBERS.map(lambda n: (n,))),
    st.builds(Step, back=st.lists(NUMBERS, min_size=1, max_size=3).map(tuple)),
)
START = st.tuples(*(documents(document_id) for document_id in IDS[:14]))


class History:
    """An index that is changed step by step, beside what it should hold."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self.state: dict[tuple[str, str], Document] = {}
        self.gone: list[Document] = []
        embedder = HashingEmbedder(32)
        self.models = Models(RulesExtractor(), lambda: embedder, embedder.fingerprint, embedder.dim)

    def add(self, come: Iterable[Document]) -> IndexReport:
        come = {(d.namespace, d.id): d for d in come}
        self.state |= come
        return index_documents(self.folder, list(come.values()), self.config, self.models, silent)

    def delete(self, keys: Iterable[tuple[str, str]]) -> None:
        keys = list(dict.fromkeys(keys))
        self.gone += [self.state.pop(key) for key in keys]
        delete_documents(self.folder, keys, self.config, self.models, silent)

    def take(self, step: Step) -> None:
        def chosen(numbers: Iterable[int]) -> list[tuple[str, str]]:
            keys = sorted(self.state)
            return list(dict.fromkeys(keys[n % len(keys)] for n in numbers)) if keys else []

        if step.come:
            self.add(step.come)
        if step.go:
            self.delete(chosen(step.go))
        if step.back and self.gone:
            self.add([self.gone[n % len(self.gone)] for n in step.back])
        for key in chosen(step.move):
            document = self.state[key]
            self.delete([key])
            self.add([replace(document, namespace=NAMESPACES[key[0] == NAMESPACES[0]])])

    def built_at_once(self, folder: Path) -> Path:
        order = list(self.state.values())
        random.Random(len(order)).shuffle(order)
        index_documents(folder, order, self.config, self.models, silent)
        return folder


def counts(folder: Path) -> Any:
    with open_snapshot(folder) as snapshot:
        return snapshot.manifest["namespaces"]


def differing(arrays_of: ArraysOf, one: Path, other: Path) -> list[tuple[str, str]]:
    a, b = arrays_of(one), arrays_of(other)
    return sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each namespace that had a segment was made from it; however much is to be read again."""
    calls: list[bool] = []
    updated = renew._updated

    def spy(*given: Any) -> Any:
        found = updated(*given)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(renew, "_updated", spy)
    monkeypatch.setattr(renew, "MOST_AGAIN", 1.0)
    return calls


@dataclass(frozen=True, slots=True)
class Options:
    """How to index; where terms may be mined, passages with few names make everything be read again."""

    preset: str
    max_tokens: int
    mine_terms: bool

    @property
    def config(self) -> Config:
        return Config(
            embed=EmbedConfig(model="hashing", preset=self.preset),
            chunk=ChunkConfig(max_tokens=self.max_tokens, overlap=min(40, self.max_tokens // 2)),
            extract=ExtractConfig(mine_terms=self.mine_terms),
        )


OPTIONS = st.builds(
    Options,
    st.sampled_from(["full", "light"]),
    st.sampled_from([240, 16]),
    st.sampled_from([False, False, True]),
)


def test_any_history_is_an_index_built_at_once(
    arrays_of: ArraysOf, taken: list[bool], monkeypatch: pytest.MonkeyPatch
):
    batch = renew.BATCH

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        START,
        st.lists(STEPS, min_size=1, max_size=4),
        OPTIONS,
    )
    def check(start: tuple[Document, ...], steps: list[Step], options: Options) -> None:
        with tempfile.TemporaryDirectory(dir=IN_MEMORY) as name:
            history = History(Path(name) / "grown", options.config)
            with monkeypatch.context() as patch:
                patch.setattr(renew, "BATCH", 3)  # how many are read at a time must not show either
                history.add(start)
                for step in steps:
                    history.take(step)
                    if EXAMPLES > 15 or step is steps[-1]:
                        patch.setattr(renew, "BATCH", batch)
                        with tempfile.TemporaryDirectory(dir=IN_MEMORY) as other:
                            fresh = history.built_at_once(Path(other))
                            assert differing(arrays_of, history.folder, fresh) == []
                            assert counts(history.folder) == counts(fresh)
                        patch.setattr(renew, "BATCH", 3)

    check()
    assert len(taken) > EXAMPLES
    # About 0.6 of some 45 arrays are; a run of few examples differs by 0.1 either way.
    assert sum(taken) > 0.35 * len(taken), "nearly all was made anew, so that this proves little"


DOCUMENTS = tuple(
    Document(
        " ".join(
            TEMPLATES[(i + k) % len(TEMPLATES)].format(*NAMES[(i * 5 + k) % 18 :][:4]) for k in range(3)
        ),
        f"d{i:02}",
        TITLES[i % len(TITLES)],
    )
    for i in range(20)
)
# Makes names of the others common words.
MANY = Document("an otto, an apollo, a berg and so on; " * 20, "many")
PLAIN = Options("full", 16, mine_terms=False)


def held_at_once(monkeypatch: pytest.MonkeyPatch, size: int) -> tuple[list[int], list[int]]:
    """Read so many passages at a time; return the passages of each batch, and how many batches were in memory."""
    sizes: list[int] = []
    alive: list[int] = [0]
    batch = renew.Batch

    class Counted(batch):  # type: ignore[misc, valid-type]
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            sizes.append(len(self.passages))
            alive.append(sum(alive[-1:]) + 1)

        def __del__(self) -> None:
            alive.append(alive[-1] - 1)

    monkeypatch.setattr(renew, "Batch", Counted)
    monkeypatch.setattr(renew, "BATCH", size)
    return sizes, alive


@pytest.mark.parametrize("preset", ["full", "light"])
def test_how_many_passages_are_read_at_a_time_shows_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays_of: ArraysOf, preset: str
):
    config = replace(PLAIN, preset=preset).config
    whole = History(tmp_path / "whole", config)
    whole.add(DOCUMENTS)
    sizes, alive = held_at_once(monkeypatch, 3)
    parts = History(tmp_path / "parts", config)
    parts.add(DOCUMENTS)
    assert differing(arrays_of, whole.folder, parts.folder) == []
    passages = counts(whole.folder)["default"]["passages"]
    assert len(sizes) > 10
    assert sum(sizes) == 2 * passages  # the two passes
    longest = 8  # passages of a document, which are read together
    assert max(sizes) < 3 + longest
    assert max(alive) <= 2  # the one in hand, and the next one being made


@pytest.mark.parametrize("preset", ["full", "light"])
def test_what_is_copied_in_blocks_shows_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays_of: ArraysOf, taken: list[bool], preset: str
):
    """Many are written a block at a time, few as a whole; few new ones are embedded first."""
    config = replace(PLAIN, preset=preset).config
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 3)  # beyond, passages have codes
    beside: list[bool] = []
    write_blocks = SnapshotWriter.write_blocks

    def watched(*given: Any, **named: Any) -> None:
        beside.append(named["beside"])
        write_blocks(*given, **named)

    monkeypatch.setattr(SnapshotWriter, "write_blocks", watched)
    history = History(tmp_path / "blocks", config)
    for module in (vectors, light_vectors):
        monkeypatch.setattr(module, "BLOCK", 4)
    history.add(DOCUMENTS)
    assert set(beside) == {False}
    beside.clear()
    history.add([Document("Emil Holt ran to Vik.", "new"), Document("Otto saw Emil Holt in Vik.", "more")])
    assert set(beside) == {True}
    beside.clear()
    history.add([Document(f"Emil Holt ran to Vik. Day {i} was cold.", f"n{i}") for i in range(6)])
    history.delete([("default", "d03"), ("default", "new")])
    assert taken == [True] * 3
    assert set(beside) == {False, True}
    monkeypatch.undo()
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 3)
    assert differing(arrays_of, history.folder, history.built_at_once(tmp_path / "fresh")) == []


def test_a_change_reads_what_it_concerns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[bool]):
    history = History(tmp_path / "index", PLAIN.config)
    history.add(DOCUMENTS)
    sizes, _ = held_at_once(monkeypatch, 100)
    history.add([Document("Emil Holt ran to Vik.", "new")])
    assert (taken, sizes) == ([True], [1, 1])  # counted, and read
    assert counts(history.folder)["default"]["documents"] == len(DOCUMENTS) + 1


@pytest.mark.parametrize("preset", ["full", "light"])
def test_what_is_read_again_keeps_its_vectors(
    tmp_path: Path, taken: list[bool], monkeypatch: pytest.MonkeyPatch, preset: str
):
    """All sentences are facts, so that a passage read again has those of before; names are shown otherwise."""
    history = History(tmp_path / "index", replace(PLAIN, preset=preset).config)
    history.add(DOCUMENTS)
    asked: list[str] = []
    embed = build.CachedEmbedding.__call__

    def watched(cache: Any, texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return embed(cache, texts)

    monkeypatch.setattr(build.CachedEmbedding, "__call__", watched)
    sizes, _ = held_at_once(monkeypatch, 100)
    monkeypatch.setattr(renew, "MOST_AGAIN", 1.0)
    history.add([MANY])
    assert taken == [True]
    assert sum(sizes) > 10  # passages with a word that has become common
    old = {sentence for document in DOCUMENTS for sentence in (document.text, *document.text.split(". "))}
    assert not [text for text in asked if any(sentence in text for sentence in old if len(sentence) > 20)]


def test_where_most_is_to_be_read_again_all_is(
    tmp_path: Path, taken: list[bool], monkeypatch: pytest.MonkeyPatch
):
    history = History(tmp_path / "index", PLAIN.config)
    history.add(DOCUMENTS)
    monkeypatch.setattr(renew, "MOST_AGAIN", 0.1)
    history.add([replace(document, text="Emil Holt ran to Vik.") for document in DOCUMENTS[:4]])
    assert taken == []  # four of twenty are new
    history.add([MANY])
    assert taken == [False]  # one is new, and concerns many


def test_extractions_that_were_lost_are_made_again(
    tmp_path: Path, taken: list[bool], arrays_of: ArraysOf, monkeypatch: pytest.MonkeyPatch
):
    """Whether all is read again or some; never is a passage read without its names."""
    history = History(tmp_path / "index", PLAIN.config)
    fresh = History(tmp_path / "fresh", PLAIN.config)
    extra = (
        Document("Emil Holt ran to Vik.", "new"),
        MANY,
    )
    passages = history.add(DOCUMENTS).passages
    extracted: list[int] = []
    for limit, document in zip((0.0, 1.0), extra, strict=True):
        monkeypatch.setattr(renew, "MOST_AGAIN", limit)
        with Journal.open(history.folder) as journal:
            journal._connection.execute("DELETE FROM extractions")
        extracted.append(history.add([document]).extracted)
    fresh.add([*DOCUMENTS, *extra])
    assert taken == [True]
    assert extracted[0] == passages + 1
    assert 10 < extracted[1] < passages + 10  # those of passages with a word that has become common
    assert differing(arrays_of, history.folder, fresh.folder) == []
