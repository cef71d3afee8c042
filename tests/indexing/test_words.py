"""Facts as sums of words: by hand, alone as in company, and as an index over its life."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like import config as config_module
from hipporag_like.config import EXACT_LIMIT, Config, EmbedConfig, GraphConfig
from hipporag_like.errors import UsageError
from hipporag_like.indexing.fact_codes import encode, room_for_codes, vectors_of
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.quantise import rotated
from hipporag_like.indexing.scales import SCALE_BYTES
from hipporag_like.indexing.words import (
    PASSAGE_WEIGHT,
    common_direction,
    quantised,
    sums_of,
    without,
    words_of,
)
from hipporag_like.rag import HippoRAG
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import STOPWORDS, content_hash
from hipporag_like.types import Document, Extraction, Passage

ArraysOf = Callable[[Path], dict[tuple[str, str], bytes]]
LIGHT = Config(embed=EmbedConfig(preset="light"))
DOCS = (
    Document("Anna Berg lives in Oslo. She met Otto Lind.", "anna", "Anna Berg"),
    Document("Otto Lind is a painter. The painter of the painter.", "otto", "Otto Lind"),
    Document("Oslo is the capital of Norway. Anna Berg wrote about Oslo.", "oslo", "Oslo (city)"),
)
MORE = Document("Zebras live in Kenya. Otto Lind paints zebras.", "zebra", "Zebra")


# What the passages of the tests by hand point at.
POINTS = {
    "Red fox\nthe red den. It is!": (0.0, 0.0, 1.0),
    "of the": (0.0, 0.0, 1.0),
    "Den": (0.0, 0.0, 1.0),
    "the red, red fox. of the": (0.0, 0.0, 1.0),
    "Den!": (0.0, -1.0, 0.0),
}


def by_hand(texts: Sequence[str]) -> np.ndarray:
    """Function words point along x; of the others each has a place on the unit sphere."""
    known = {"red": (0.6, 0.8, 0.0), "fox": (0.0, 0.0, 1.0), "den": (0.0, 1.0, 0.0)} | POINTS
    vectors = [(1.0, 0.0, 0.0) if t in STOPWORDS else known[t] for t in texts]
    return np.array(vectors, np.float32).reshape(-1, 3)


def passages_of(*rows: tuple[str, str, list[tuple[int, int]]]) -> tuple[list[Passage], list[Extraction]]:
    """Passages by title, text, and where their sentences are."""
    made = [Passage(f"d{i}#0", f"d{i}", text, 0, len(text), title) for i, (title, text, _) in enumerate(rows)]
    return made, [Extraction(sentences=tuple(sentences)) for _, _, sentences in rows]


CODES = ("fact_signs", "fact_steps")


def decoded(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The facts' vectors, from what is stored of them."""
    codes = [np.asarray(arrays[name]) for name in CODES]
    return vectors_of(*codes, arrays["passage_vectors"].shape[1])


def segment_of(folder: Path) -> Segment:
    return Index(open_snapshot(folder)).segments["default"]


# By hand


def test_codes_are_what_they_stand_for_to_half_a_level():
    vectors = np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]], np.float32)
    codes, scale = quantised(vectors)
    assert codes.tolist() == [[64, -127, 32], [0, 0, 0]]
    assert scale.tolist() == pytest.approx([1 / 127, 0])
    assert (codes.dtype, scale.dtype) == (np.int8, np.float32)
    assert np.abs(codes * scale[:, None] - vectors).max() <= 0.5 / 127 + 1e-7


def test_the_direction_of_function_words_is_taken_off():
    assert common_direction(by_hand).tolist() == [1.0, 0.0, 0.0]
    assert without(by_hand(["red", "fox"]), common_direction(by_hand)) == pytest.approx(
        np.array([[0.0, 0.8, 0.0], [0.0, 0.0, 1.0]])
    )
    assert common_direction(lambda texts: np.zeros((len(texts), 2), np.float32)).tolist() == [0, 0]


def encoded(sums: list[list[float]]) -> list[bytes]:
    """What is stored of vectors of any length, fact by fact."""
    turned = rotated(np.array(sums, np.float32))
    codes = room_for_codes(*turned.shape)
    encode(turned, np.arange(len(turned)), *codes)
    return [b"".join(part[i, :-SCALE_BYTES].tobytes() for part in codes) for i in range(len(sums))]


def test_a_fact_is_its_words_and_its_passage(assembled: Any):
    given = passages_of(
        ("", "the red, red fox. of the", [(0, 17), (18, 24)]),
        ("", "Den!", [(0, 4)]),
        ("Red fox", "the red den. It is!", [(0, 12), (13, 19)]),
    )
    arrays = assembled(*given, LIGHT, by_hand)[2]
    # Of red and den (0, 0.8, 0) and (0, 1, 0) are left; twice in a fact counts twice, and titles count.
    sums = [
        [0.0, 1.6, 1.0 + PASSAGE_WEIGHT],
        [0.0, 0.0, PASSAGE_WEIGHT],
        [0.0, 1.0 - PASSAGE_WEIGHT, 0.0],
        [0.0, 1.6 + 1.0, 1.0 + PASSAGE_WEIGHT],
        [0.0, 0.8, 1.0 + PASSAGE_WEIGHT],
    ]
    stored = [b"".join(arrays[name][i, :-SCALE_BYTES].tobytes() for name in CODES) for i in range(5)]
    assert stored == encoded(sums)
    assert {name: arrays[name].dtype.name for name in CODES} == {"fact_signs": "uint8", "fact_steps": "uint8"}


def test_no_facts_are_no_words_and_nothing_is_embedded(assembled: Any):
    def never(texts: Sequence[str]) -> np.ndarray:
        if texts:
            raise AssertionError(texts)
        return np.zeros((0, 3), np.float32)

    arrays = assembled([], [], LIGHT, never)[2]
    assert [arrays[name].shape for name in CODES] == [(0, 12), (0, 20)]


WORDS = st.lists(st.integers(0, 30), max_size=40)


@settings(deadline=None)  # the first example compiles
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(0, 1000))
def test_a_sum_is_that_of_numpy_and_the_same_to_the_bit_in_company(facts: list[list[int]], seed: int):
    draw = np.random.default_rng(seed)
    codes = draw.integers(-127, 128, (31, 24)).astype(np.int8)
    scale, passages = draw.random(31, dtype=np.float32), draw.random((3, 24), dtype=np.float32)
    owner = draw.integers(0, 3, len(facts))

    def summed(chosen: list[int], order: np.ndarray) -> np.ndarray:
        """With words numbered in another order."""
        bags = np.cumsum([0, *(len(facts[i]) for i in chosen)])
        index = np.argsort(order)[np.array([w for i in chosen for w in facts[i]], int)].astype(np.int32)
        sums, words = np.zeros((len(chosen), 24), np.float32), (codes[order], scale[order])
        sums_of(words, (bags, index), np.arange(len(chosen)), passages, owner[chosen], sums)
        return sums

    together = summed(list(range(len(facts))), np.arange(31))
    for i, words in enumerate(facts):
        assert summed([i], draw.permutation(31))[0].tobytes() == together[i].tobytes()
        exact = (codes[words] * scale[words][:, None].astype(float)).sum(axis=0)
        np.testing.assert_allclose(
            together[i], exact + PASSAGE_WEIGHT * passages[owner[i]], rtol=1e-4, atol=1e-3
        )


# In an index


@pytest.fixture
def light(tmp_path: Path, embedder: Any, extractor: Any) -> HippoRAG:
    return HippoRAG(tmp_path / "light", config=LIGHT, embedder=embedder, extractor=extractor)


def test_only_passages_and_words_are_embedded(light: HippoRAG, embedder: Any):
    report = light.index(DOCS)
    segment = segment_of(light.path)
    assert segment.is_light
    assert not (segment.has("fact_vectors") or segment.has("entity_vectors"))
    facts = ["Anna Berg: Anna Berg lives in Oslo.", "Otto Lind: The painter of the painter."]
    words = set(words_of(facts)) | {"met", "city", "capital", "norway", "wrote"}
    assert set(embedder.texts) == words | {f"{d.title}\n{d.text}" for d in DOCS}
    assert report.embedded == len(embedder.texts)
    assert segment.synonyms.indptr[-1] == 2  # Oslo (city) is Oslo, in both directions


def test_a_fact_points_where_its_words_do(light: HippoRAG, embedder: Any):
    light.index(DOCS)
    segment = segment_of(light.path)
    texts = [segment.fact_text(i) for i in range(segment.n_facts)]
    at = texts.index("The painter of the painter.")
    common = common_direction(embedder.embed)
    words = without(embedder.embed(["otto", "lind", "painter", "painter"]), common).sum(axis=0)
    passage = segment.array("passage_vectors")[segment.array("fact_passage")[at]]
    expected = words + PASSAGE_WEIGHT * passage
    found = decoded({name: segment.array(name) for name in (*CODES, "passage_vectors")})[at]
    assert float(found @ expected / np.linalg.norm(expected)) == pytest.approx(1.0, abs=0.01)
    # Three bits a number: the direction is off by atan(0.197), 11 degrees.
    assert float(found @ expected / np.linalg.norm(expected) / np.linalg.norm(found)) > 0.95


def test_an_unchanged_run_embeds_nothing_also_where_all_is_made_anew(light: HippoRAG, embedder: Any):
    light.index(DOCS)
    embedder.texts.clear()
    assert light.index(DOCS).embedded == 0
    again = HippoRAG(
        light.path, config=Config(embed=LIGHT.embed, graph=GraphConfig(title_weight=2.0)), embedder=embedder
    )
    assert again.index([]).embedded == 0
    assert embedder.texts == []


def facts_by_text(folder: Path) -> dict[tuple[str, str], bytes]:
    """Each fact's codes."""
    segment = segment_of(folder)
    codes = [segment.array(name) for name in CODES]
    return {
        (segment.fact(i).passage_id, segment.fact_text(i)): b"".join(part[i].tobytes() for part in codes)
        for i in range(segment.n_facts)
    }


def test_a_new_document_leaves_the_facts_of_others_as_they_were(light: HippoRAG, embedder: Any):
    light.index(DOCS)
    before = facts_by_text(light.path)
    embedder.texts.clear()
    light.index([MORE])
    after = facts_by_text(light.path)
    assert len(after) == len(before) + 2
    assert {key: after[key] for key in before} == before
    assert sorted(embedder.texts) == sorted(
        ["kenya", "live", "paints", "zebra", "zebras", f"{MORE.title}\n{MORE.text}"]
    )


def test_the_words_of_deleted_documents_go(light: HippoRAG, tmp_path: Path, embedder: Any, extractor: Any):
    def kept(folder: Path) -> set[bytes]:
        connection = sqlite3.connect(folder / "journal.db")
        try:
            return {value for (value,) in connection.execute("SELECT hash FROM vectors")}
        finally:
            connection.close()

    light.index([*DOCS, MORE])
    assert bytes.fromhex(content_hash("zebras")) in kept(light.path)
    light.delete(["zebra"])
    fresh = HippoRAG(tmp_path / "fresh", config=LIGHT, embedder=embedder, extractor=extractor)
    fresh.index(DOCS)
    assert kept(light.path) == kept(fresh.path)
    embedder.texts.clear()
    light.index([Document("Norway.", "norway")])
    assert embedder.texts == ["Norway."]


def preset_in(rag: HippoRAG) -> str:
    return str(rag.stats()["namespaces"]["default"]["preset"])


def test_the_preset_can_be_seen_and_changed(
    light: HippoRAG, tmp_path: Path, embedder: Any, extractor: Any, arrays_of: ArraysOf
):
    light.index(DOCS)
    assert preset_in(light) == "light"
    assert light.stats()["bytes"]["vectors"] == sum(
        segment_of(light.path).array(name).nbytes + 128  # of a file's head
        for name in ("passage_vectors", *CODES)
    )
    full = HippoRAG(light.path, config=Config(), embedder=embedder, extractor=extractor)
    full.index([])
    assert preset_in(full) == "full"
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index(DOCS)
    assert arrays_of(full.path) == arrays_of(fresh.path)


def test_the_size_decides_and_not_the_way_there(
    tmp_path: Path, embedder: Any, extractor: Any, arrays_of: ArraysOf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(config_module, "EXACT_LIMIT", 3)
    rag = HippoRAG(tmp_path / "grown", embedder=embedder, extractor=extractor)
    rag.index([*DOCS, Document("Elsewhere.", "e", namespace="small")])
    assert preset_in(rag) == "full"
    few = arrays_of(rag.path)
    rag.index([MORE])
    assert preset_in(rag) == "light"
    assert rag.stats()["namespaces"]["small"]["preset"] == "full"
    fresh = HippoRAG(tmp_path / "fresh", embedder=embedder, extractor=extractor)
    fresh.index([MORE, *DOCS, Document("Elsewhere.", "e", namespace="small")])
    assert arrays_of(rag.path) == arrays_of(fresh.path)
    rag.delete(["zebra"])
    assert preset_in(rag) == "full"
    assert arrays_of(rag.path) == few


def test_auto_is_light_above_the_limit():
    assert [EmbedConfig().is_light(n) for n in (0, EXACT_LIMIT, EXACT_LIMIT + 1)] == [False, False, True]
    assert EmbedConfig(preset="light").is_light(1)
    assert not EmbedConfig(preset="full").is_light(10**9)


@pytest.mark.parametrize("method", ["hipporag", "hipporag2"])
def test_methods_that_need_vectors_of_entities_say_so(light: HippoRAG, method: str):
    light.index(DOCS)
    with pytest.raises(UsageError, match="indexed light.*preset full"):
        light.retrieve("Where does Anna Berg live?", method=method)


@pytest.mark.parametrize("method", ["dense", "bm25", "hybrid"])
def test_plain_methods_do_not_care(
    light: HippoRAG, tmp_path: Path, embedder: Any, extractor: Any, method: str
):
    full = HippoRAG(tmp_path / "full", embedder=embedder, extractor=extractor)
    for rag in (light, full):
        rag.index(DOCS)
    question = "Where does Anna Berg live?"
    assert light.retrieve(question, method=method) == full.retrieve(question, method=method)
