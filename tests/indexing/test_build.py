"""Cost follows the change, and no index remembers how it came to be."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import ChunkConfig, Config, EmbedConfig, GraphConfig, LexicalConfig, SearchConfig
from hipporag_like.errors import IndexLockedError, IndexNotFoundError
from hipporag_like.rag import HippoRAG
from hipporag_like.store.lock import WriterLock
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.types import Document, Failure

ArraysOf = Callable[[Path], dict[tuple[str, str], bytes]]

DOCS = (
    Document("Anna Berg lives in Oslo. She met Otto Lind.", "anna", "Anna Berg", {"year": 1990}),
    Document("Otto Lind is a painter from Bergen. Bergen is rainy.", "otto", "Otto Lind"),
    Document("Oslo is the capital of Norway. Anna Berg wrote about Oslo.", "oslo", "Oslo", {"kind": "city"}),
    Document("Bergen lies on the coast of Norway.", "bergen"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def opened(folder: Path, embedder: Any, extractor: Any) -> HippoRAG:
    return HippoRAG(folder, embedder=embedder, extractor=extractor)


def hits(rag: HippoRAG) -> list[tuple[str, float]]:
    questions = ("Where does Anna Berg live?", "Who is from Bergen?", "otto lind")
    return [(h.passage.id, h.score) for q in questions for h in rag.retrieve(q, 10)]


# Cost


def test_the_report_counts(opened: HippoRAG, embedder: Any, extractor: Any):
    report = opened.index(DOCS)
    assert (report.added, report.updated, report.unchanged, report.deleted) == (4, 0, 0, 0)
    assert (report.passages, report.extracted, report.snapshot) == (4, 4, 1)
    assert report.facts == 7
    assert report.entities > 4
    assert report.embedded == len(embedder.texts) == len(set(embedder.texts))
    assert len(extractor.passages) == 4
    assert set(report.seconds) == {"documents", "extract", "embed", "graph", "publish"}
    assert min(report.seconds.values()) >= 0


def test_unchanged_documents_cost_nothing(opened: HippoRAG, folder: Path, embedder: Any, extractor: Any):
    first = opened.index(DOCS)
    embedder.texts.clear()
    extractor.passages.clear()
    again = opened.index(reversed(DOCS))
    assert (again.added, again.updated, again.unchanged) == (0, 0, 4)
    assert (again.embedded, again.extracted, again.snapshot) == (0, 0, first.snapshot)
    assert (embedder.texts, extractor.passages) == ([], [])
    assert (again.passages, again.entities, again.facts) == (first.passages, first.entities, first.facts)


def test_a_new_document_costs_what_is_new(opened: HippoRAG, embedder: Any, extractor: Any):
    opened.index(DOCS[:3])
    known = set(embedder.texts)
    embedder.texts.clear()
    extractor.passages.clear()
    report = opened.index(DOCS)
    assert (report.added, report.unchanged, report.extracted) == (1, 3, 1)
    assert extractor.passages == [DOCS[3].text]
    assert known.isdisjoint(embedder.texts)
    assert 0 < len(embedder.texts) <= 4


def test_an_update_replaces_by_id(opened: HippoRAG, embedder: Any):
    opened.index(DOCS)
    embedder.texts.clear()
    report = opened.index([replace(DOCS[1], text="Otto Lind is a sailor from Tromso.")])
    assert (report.added, report.updated, report.passages) == (0, 1, 4)
    assert all("Tromso" in text for text in embedder.texts)
    assert [h.passage.text for h in opened.retrieve("Otto Lind sailor", 1)] == [
        "Otto Lind is a sailor from Tromso."
    ]
    assert not any("painter" in h.passage.text for h in opened.retrieve("painter", 10, method="dense"))


def test_other_metadata_needs_no_model(opened: HippoRAG, embedder: Any, extractor: Any):
    opened.index(DOCS)
    embedder.texts.clear()
    extractor.passages.clear()
    report = opened.index([replace(DOCS[0], metadata={"year": 2000})])
    assert (report.updated, embedder.texts, extractor.passages) == (1, [], [])
    assert [h.passage.document_id for h in opened.retrieve("Anna", where={"year": 2000})] == ["anna"]


def test_only_touched_namespaces_are_written(opened: HippoRAG, folder: Path, extractor: Any):
    opened.index([*DOCS, replace(DOCS[0], namespace="n")])
    before = _inodes(folder)
    opened.index([replace(DOCS[1], namespace="n")])
    after = _inodes(folder)
    assert {after[key] == before[key] for key in before if key[0] == "default"} == {True}
    assert {after[key] != before[key] for key in before if key[0] == "n"} == {True}


def _inodes(folder: Path) -> dict[tuple[str, str], int]:
    with open_snapshot(folder) as snapshot:
        entries = [
            (g, name, path) for g in snapshot.groups for name, (path, _) in snapshot.entries(g).items()
        ]
        return {(group, name): path.stat().st_ino for group, name, path in entries}


# History


def test_deleting_leaves_an_index_that_never_held_it(
    opened: HippoRAG,
    folder: Path,
    tmp_path: Path,
    make_embedder: Any,
    make_extractor: Any,
    arrays_of: ArraysOf,
):
    opened.index(DOCS)
    report = opened.delete(["otto", "nobody"])
    assert (report.deleted, report.passages) == (1, 3)
    assert [(f.source, f.reason) for f in report.failures] == [
        ("nobody", "no document of this id is in the index")
    ]
    fresh = HippoRAG(tmp_path / "fresh", embedder=make_embedder(), extractor=make_extractor())
    other = fresh.index([d for d in DOCS if d.id != "otto"])
    assert arrays_of(folder) == arrays_of(fresh.path)
    assert hits(opened) == hits(fresh)
    assert (report.entities, report.facts) == (other.entities, other.facts)
    assert opened._parts.index().manifest["namespaces"] == fresh._parts.index().manifest["namespaces"]


def test_putting_back_what_was_deleted(opened: HippoRAG, folder: Path, arrays_of: ArraysOf):
    opened.index(DOCS)
    before, found = arrays_of(folder), hits(opened)
    opened.delete(["otto"])
    assert arrays_of(folder) != before
    opened.index([DOCS[1]])
    assert arrays_of(folder) == before
    assert hits(opened) == found


def test_deleting_everything_leaves_an_empty_index(opened: HippoRAG, folder: Path):
    opened.index(DOCS)
    report = opened.delete([d.id for d in DOCS])
    assert (report.deleted, report.passages, report.entities, report.facts) == (4, 0, 0, 0)
    trace = opened.explain("Where does Anna Berg live?")
    assert (trace.outcome, trace.hits, trace.note) == ("empty", (), "there are no passages to search")
    opened.index(DOCS[:1])
    assert [h.passage.document_id for h in opened.retrieve("Anna")] == ["anna"]


def test_deleting_nothing_publishes_nothing(opened: HippoRAG):
    first = opened.index(DOCS)
    report = opened.delete(["nobody"])
    assert (report.deleted, report.snapshot) == (0, first.snapshot)


TEXTS = ("Anna met Otto.", "Otto left Oslo. Anna stayed.", "Oslo is rainy. Oslo is old.", "Anna met Otto.")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"), st.sampled_from("abc"), st.sampled_from(TEXTS), st.sampled_from(["", "Oslo"])
        ),
        st.tuples(st.just("put"), st.sampled_from("ab"), st.sampled_from(TEXTS), st.just("n")),
        st.tuples(st.just("delete"), st.sampled_from("abc")),
        st.tuples(st.just("restart")),
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=8, deadline=None)  # tests/indexing/test_renew.py tries more
@given(STEPS)
def test_no_history_shows(
    make_embedder: Any, make_extractor: Any, arrays_of: ArraysOf, steps: list[tuple[str, ...]]
):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "index"
        models = {"embedder": make_embedder(), "extractor": make_extractor()}
        rag, held = HippoRAG(folder, **models), {}
        rag.index([])
        for step in steps:
            if step[0] == "put":
                _, name, text, extra = step
                namespace = "n" if extra == "n" else "default"
                document = Document(text, name, "" if extra == "n" else extra, namespace=namespace)
                rag.index([document])
                held[namespace, name] = document
            elif step[0] == "delete":
                for namespace in sorted({namespace for namespace, _ in held}):
                    rag.delete([step[1]], namespace=namespace)
                    held.pop((namespace, step[1]), None)
            else:
                rag.close()
                rag = HippoRAG(folder, **models)
        rag.close()
        fresh = HippoRAG(Path(parent) / "fresh", embedder=make_embedder(), extractor=make_extractor())
        fresh.index(held.values())
        assert arrays_of(folder) == arrays_of(fresh.path)
        with open_snapshot(folder) as one, open_snapshot(fresh.path) as other:
            own = {"revision", "journal"}  # of a journal: how often it was written, and its name
            left = {name: value for name, value in one.manifest.items() if name not in own}
            assert left == {name: value for name, value in other.manifest.items() if name not in own}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
def test_one_at_a_time_in_any_order(
    tmp_path: Path, make_embedder: Any, make_extractor: Any, arrays_of: ArraysOf, order: tuple[int, ...]
):
    at_once = HippoRAG(tmp_path / "a", embedder=make_embedder(), extractor=make_extractor())
    at_once.index(DOCS[:3])
    one_by_one = HippoRAG(tmp_path / "b", embedder=make_embedder(), extractor=make_extractor())
    for i in order:
        one_by_one.index([DOCS[i]])
    assert arrays_of(tmp_path / "a") == arrays_of(tmp_path / "b")


# Failures


def test_a_failed_passage_is_told_kept_and_tried_again(
    folder: Path, tmp_path: Path, embedder: Any, make_extractor: Any, arrays_of: ArraysOf
):
    rag = HippoRAG(folder, embedder=embedder, extractor=make_extractor(bad="painter"))
    told = [("otto#0", "the model gave up")]
    noted = [[*told[0], "default"]]
    for _ in range(2):
        report = rag.index(DOCS)
        assert [(f.source, f.reason) for f in report.failures] == told
        assert rag._parts.index().manifest["failed"] == noted
    assert [h.passage.document_id for h in rag.retrieve("painter", 1, method="bm25")] == ["otto"]
    mended = HippoRAG(folder, embedder=embedder, extractor=make_extractor())
    report = mended.index([])
    assert (report.failures, report.extracted) == ((), 1)
    assert mended._parts.index().manifest["failed"] == []
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=make_extractor())
    fresh.index(DOCS)
    assert arrays_of(folder) == arrays_of(fresh.path)


def test_what_could_not_be_loaded_is_told_and_costs_nothing_later(opened: HippoRAG):
    lost = Failure("notes#1.txt", "cannot be read")
    assert opened.index([*DOCS, Document("\x00", "no#1")], failures=[lost]).failures[0] == lost
    again = opened.index(DOCS)
    assert (again.failures, again.snapshot) == ((), 1)
    assert opened._parts.index().manifest["failed"] == []


def test_refused_documents_are_listed_and_the_rest_is_indexed(opened: HippoRAG):
    bad = [Document("a\x00b", "nul"), Document("...", "dots"), Document("text", "meta", metadata={"x": {1}})]
    report = opened.index([*bad, *DOCS])
    assert (report.added, report.passages) == (4, 4)
    assert [f.source for f in report.failures] == ["nul", "dots", "meta"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("stage", ["documents", "extract", "embed"])
def test_an_interruption_leaves_a_sound_index(
    opened: HippoRAG, folder: Path, tmp_path: Path, make_embedder: Any, make_extractor: Any,
    arrays_of: ArraysOf, stage: str, error: type[BaseException],
):  # fmt: skip
    opened.index(DOCS[:2])
    before, found = arrays_of(folder), hits(opened)

    def stop(*arguments: Any) -> Any:
        raise error

    def documents() -> Any:
        yield from DOCS
        if stage == "documents":
            stop()

    embedder, extractor = make_embedder(), make_extractor()
    if stage == "embed":
        embedder.embed = stop
    if stage == "extract":
        extractor.extract = stop
    with pytest.raises(error):
        HippoRAG(folder, embedder=embedder, extractor=extractor).index(documents())
    assert arrays_of(folder) == before
    assert hits(HippoRAG(folder, embedder=make_embedder())) == found
    opened.index(DOCS)
    fresh = HippoRAG(tmp_path / "fresh", embedder=make_embedder(), extractor=make_extractor())
    fresh.index(DOCS)
    assert arrays_of(folder) == arrays_of(fresh.path)


def test_documents_of_an_interrupted_run_are_published_by_the_next(opened: HippoRAG, embedder: Any):
    whole = embedder.embed

    def stop(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    embedder.embed = stop
    with pytest.raises(KeyboardInterrupt):
        opened.index(DOCS)
    with pytest.raises(IndexNotFoundError):
        opened.retrieve("Anna")
    embedder.embed = whole
    assert opened.index([]).passages == 4


def test_a_second_writer_is_refused(opened: HippoRAG, folder: Path):
    opened.index(DOCS)
    with WriterLock(folder):
        with pytest.raises(IndexLockedError):
            opened.index(DOCS)
        with pytest.raises(IndexLockedError):
            opened.delete(["anna"])
        assert opened.retrieve("Anna Berg")


# Options


def test_the_options_of_the_index_are_used_again(folder: Path, extractor: Any):
    config = Config(
        embed=EmbedConfig("hashing"),
        chunk=ChunkConfig(max_tokens=10, overlap=0),
        search=SearchConfig(k=2, method="bm25"),
    )
    HippoRAG(folder, config=config, extractor=extractor).index(DOCS)
    again = HippoRAG(folder, extractor=extractor)
    assert again.config == config
    assert len(again.retrieve("Anna Berg Oslo Norway")) == 2
    report = again.index(
        [*DOCS, Document("One two three four five. Six seven eight nine ten. A b c d e.", "n")]
    )
    assert (report.unchanged, report.added) == (4, 1)
    assert [p.id for p in _passages(again) if p.document_id == "n"] == ["n#0", "n#1"]


def _passages(rag: HippoRAG) -> list[Any]:
    segment = rag._parts.index().segments["default"]
    return [segment.passage(i) for i in range(segment.n_passages)]


@pytest.mark.parametrize("handed_in", [DOCS, DOCS[:1], ()])
def test_other_chunk_options_cut_everything_again(
    opened: HippoRAG, folder: Path, tmp_path: Path, embedder: Any, extractor: Any, arrays_of: ArraysOf,
    handed_in: tuple[Document, ...],
):  # fmt: skip
    opened.index(DOCS)
    config = Config(chunk=ChunkConfig(max_tokens=8, overlap=0))
    HippoRAG(folder, config=config, embedder=embedder, extractor=extractor).index(handed_in)
    fresh = HippoRAG(tmp_path / "fresh", config=config, embedder=embedder, extractor=extractor)
    assert fresh.index(DOCS).passages > 4
    assert arrays_of(folder) == arrays_of(fresh.path)


@pytest.mark.parametrize(
    "config",
    [Config(graph=GraphConfig(title_weight=2)), Config(lexical=LexicalConfig(k1=1.0))],
)
def test_other_weights_need_no_model(
    opened: HippoRAG, folder: Path, tmp_path: Path, make_embedder: Any, make_extractor: Any,
    arrays_of: ArraysOf, config: Config,
):  # fmt: skip
    first = opened.index(DOCS)
    embedder, extractor = make_embedder(), make_extractor()
    report = HippoRAG(folder, config=config, embedder=embedder, extractor=extractor).index([])
    assert (report.snapshot, embedder.texts, extractor.passages) == (first.snapshot + 1, [], [])
    fresh = HippoRAG(tmp_path / "fresh", config=config, embedder=embedder, extractor=extractor)
    fresh.index(DOCS)
    assert arrays_of(folder) == arrays_of(fresh.path)


def test_another_embedder_embeds_everything_again(
    opened: HippoRAG, folder: Path, make_embedder: Any, extractor: Any
):
    opened.index(DOCS)
    other = make_embedder(32)
    report = HippoRAG(folder, embedder=other, extractor=extractor).index([])
    assert report.embedded == len(set(other.texts)) > 4
    assert HippoRAG(folder, embedder=other).retrieve("Anna Berg", 1)[0].passage.document_id == "anna"
