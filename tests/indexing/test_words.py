"""Facts as bags of words: by hand, alone as in company, and as an index over its life."""

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
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.words import (
    PASSAGE_WEIGHT,
    bags,
    common_direction,
    norms,
    quantised,
    with_last,
    without,
    word_arrays,
    words_of,
)
from hipporag_like.rag import HippoRAG
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import STOPWORDS, content_hash
from hipporag_like.types import Document

ArraysOf = Callable[[Path], dict[tuple[str, str], bytes]]
LIGHT = Config(embed=EmbedConfig(preset="light"))
DOCS = (
    Document("Anna Berg lives in Oslo. She met Otto Lind.", "anna", "Anna Berg"),
    Document("Otto Lind is a painter. The painter of the painter.", "otto", "Otto Lind"),
    Document("Oslo is the capital of Norway. Anna Berg wrote about Oslo.", "oslo", "Oslo (city)"),
)
MORE = Document("Zebras live in Kenya. Otto Lind paints zebras.", "zebra", "Zebra")


def by_hand(texts: Sequence[str]) -> np.ndarray:
    """Function words point along x; of the others each has a place on the unit sphere."""
    known = {"red": (0.6, 0.8, 0.0), "fox": (0.0, 0.0, 1.0), "den": (0.0, 1.0, 0.0)}
    return np.array([(1.0, 0.0, 0.0) if t in STOPWORDS else known[t] for t in texts], np.float32)


def decoded(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The facts' vectors, from what is stored of them."""
    vectors = arrays["word_codes"].astype(np.float64) * arrays["word_scale"][:, None]
    indptr, index = arrays["fact_words_indptr"], arrays["fact_words_index"]
    sums = [vectors[index[a:b]].sum(axis=0) for a, b in zip(indptr, indptr[1:], strict=False)]
    return np.array(sums) / arrays["fact_norm"][:, None]


def segment_of(folder: Path) -> Segment:
    return Index(open_snapshot(folder)).segments["default"]


# By hand


def test_bags_keep_words_in_order_and_as_often_as_they_are_there():
    words, indptr, index = bags(["Red fox: the red den", "of the", "Den"])
    assert words == ["red", "fox", "den"]
    assert indptr.tolist() == [0, 4, 4, 5]
    assert index.tolist() == [0, 1, 0, 2, 2]
    assert (indptr.dtype, index.dtype) == (np.int64, np.int32)
    assert bags([])[0] == []


def test_a_row_gets_one_more_entry_at_its_end():
    indptr, index = with_last(np.array([0, 2, 2, 3]), np.array([5, 6, 7], np.int32), np.array([9, 8, 9]))
    assert indptr.tolist() == [0, 3, 4, 6]
    assert index.tolist() == [5, 6, 9, 8, 7, 9]


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


def test_a_fact_is_its_words_and_its_passage():
    passages = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], np.float32)
    owners = np.array([0, 0, 1])
    arrays = dict(word_arrays(["the red, red fox", "of the", "den"], owners, passages, by_hand))
    # Words 0 to 2, then passages 0 and 1.
    assert arrays["fact_words_index"].tolist() == [0, 0, 1, 3, 3, 2, 4]
    assert arrays["fact_words_indptr"].tolist() == [0, 4, 5, 7]
    first = np.array([0.0, 1.6, 1.0 + PASSAGE_WEIGHT])
    assert arrays["fact_norm"].tolist() == pytest.approx(
        [np.linalg.norm(first), PASSAGE_WEIGHT, PASSAGE_WEIGHT - 1], abs=1e-5
    )
    assert decoded(arrays) == pytest.approx(
        np.array([first / np.linalg.norm(first), [0, 0, 1], [0, -1, 0]]), abs=1e-2
    )
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        "word_codes": "int8",
        "word_scale": "float32",
        "fact_words_indptr": "int64",
        "fact_words_index": "int32",
        "fact_norm": "float32",
    }


def test_no_facts_are_no_words_and_nothing_is_embedded():
    def never(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(texts)

    arrays = dict(word_arrays([], np.zeros(0, int), np.zeros((0, 3), np.float32), never))
    assert {name: array.shape for name, array in arrays.items()} == {
        "word_codes": (0, 3),
        "word_scale": (0,),
        "fact_words_indptr": (1,),
        "fact_words_index": (0,),
        "fact_norm": (0,),
    }


def test_words_that_cancel_out_have_a_norm_of_one():
    codes, scale = np.array([[3, 4], [-3, -4]], np.int8), np.ones(2, np.float32)
    indptr, index = np.array([0, 0, 2, 3]), np.array([0, 1, 1], np.int32)
    assert norms(codes, scale, indptr, index).tolist() == [1.0, 1.0, 5.0]


WORDS = st.lists(st.integers(0, 30), max_size=40)


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(0, 1000))
def test_a_norm_is_the_same_to_the_bit_alone_and_in_company(facts: list[list[int]], seed: int):
    draw = np.random.default_rng(seed)
    codes = draw.integers(-127, 128, (31, 24)).astype(np.int8)
    scale = draw.random(31, dtype=np.float32)
    indptr = np.cumsum([0, *map(len, facts)])
    together = norms(codes, scale, indptr, np.array([w for fact in facts for w in fact], np.int32))
    alone = [norms(codes, scale, np.array([0, len(f)]), np.array(f, np.int32))[0] for f in facts]
    assert together.tolist() == alone
    # However the words are numbered.
    place = draw.permutation(31)
    moved = np.argsort(place)[np.array([w for fact in facts for w in fact], int)].astype(np.int32)
    assert norms(codes[place], scale[place], indptr, moved).tolist() == alone


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
    names = ("word_codes", "word_scale", "fact_words_indptr", "fact_words_index", "fact_norm")
    found = decoded({name: np.asarray(segment.array(name)) for name in names})[at]
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=0.01)
    assert float(segment.array("fact_norm")[at]) == pytest.approx(np.linalg.norm(expected), abs=0.05)


def test_an_unchanged_run_embeds_nothing_also_where_all_is_made_anew(light: HippoRAG, embedder: Any):
    light.index(DOCS)
    embedder.texts.clear()
    assert light.index(DOCS).embedded == 0
    again = HippoRAG(
        light.path, config=Config(embed=LIGHT.embed, graph=GraphConfig(title_weight=2.0)), embedder=embedder
    )
    assert again.index([]).embedded == 0
    assert embedder.texts == []


def facts_by_text(folder: Path) -> dict[tuple[str, str], tuple[float, list[tuple[Any, ...]]]]:
    """Each fact's norm, and the numbers of its words in order."""
    segment = segment_of(folder)
    codes, scale, norm = (segment.array(name) for name in ("word_codes", "word_scale", "fact_norm"))
    indptr, index = segment.array("fact_words_indptr"), segment.array("fact_words_index")
    return {
        (segment.fact(i).passage_id, segment.fact_text(i)): (
            float(norm[i]),
            [(float(scale[w]), *codes[w].tolist()) for w in index[indptr[i] : indptr[i + 1]].tolist()],
        )
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
        for name in ("passage_vectors", "word_codes", "word_scale")
        + ("fact_words_indptr", "fact_words_index", "fact_norm")
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
