"""Arrays that do not fit one another are told, whatever their checksums say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hipporag_like.config import Config
from hipporag_like.indexing.rows import bits_for
from hipporag_like.indexing.soundness import problems
from hipporag_like.rag import HippoRAG
from hipporag_like.store.snapshot import Snapshot, open_snapshot
from hipporag_like.types import Document


@pytest.fixture(scope="module", params=["full", "light"])
def snapshot(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    index = tmp_path_factory.mktemp(request.param) / "index"
    config = Config.from_dict({"embed": {"model": "hashing", "preset": request.param}})
    with HippoRAG(index, config=config) as rag:
        rag.index([Document(f"Anna{i} met Otto Berg in Oslo (city).", f"d{i}", "Oslo") for i in range(5)])
    return open_snapshot(index)


class Altered:
    """A snapshot one of whose arrays is another one."""

    def __init__(self, snapshot: Snapshot, name: str, array: np.ndarray) -> None:
        self._snapshot, self._name, self._array = snapshot, name, array

    def entries(self, group: str) -> dict[str, Any]:
        return self._snapshot.entries(group)

    def array(self, group: str, name: str) -> np.ndarray:
        return self._array if name == self._name else self._snapshot.array(group, name)


def named(snapshot: Any) -> set[str]:
    return {name for name, _ in problems(snapshot, "default")}


def test_what_was_written_is_sound(snapshot: Snapshot):
    assert named(snapshot) == set()


# Text is only decoded, counts are only added, and metadata's columns have a test of their own.
_FREE = ("_text", "census_total", "entity_passages")


def test_every_array_is_missed_where_it_is_short(snapshot: Snapshot):
    for name in snapshot.entries("default"):
        array = snapshot.array("default", name)
        if name.endswith(_FREE) or name.startswith("field") or not len(array):
            continue
        assert named(Altered(snapshot, name, array[:-1])), name


@pytest.mark.parametrize(
    "name",
    ["mention_entity", "spelled_form", "form_entity", "form_row", "posting_passage", "title_entity"]
    + ["entity_facts_edge", "fact_entities_edge", "trigram_entity", "term_row"],
)
@pytest.mark.parametrize("number", [-2, 1 << 30])
def test_no_number_leads_outside(snapshot: Snapshot, name: str, number: int):
    array = snapshot.array("default", name).copy()
    array[len(array) // 2] = number
    assert name in named(Altered(snapshot, name, array))


@pytest.mark.parametrize(
    "name", ["mention_indptr", "spelled_indptr", "posting_indptr", "trigram_indptr", "passage_facts"]
)
def test_borders_ascend(snapshot: Snapshot, name: str):
    array = snapshot.array("default", name).copy()
    array[1] = array[-1] + 1
    assert name in named(Altered(snapshot, name, array))


@pytest.mark.parametrize("name", ["passage_document", "fact_passage", "term_hash", "form_hash"])
def test_what_is_searched_is_in_order(snapshot: Snapshot, name: str):
    array = snapshot.array("default", name)[::-1].copy()
    assert name in named(Altered(snapshot, name, array))


@pytest.mark.parametrize("stem", ["entity_facts", "fact_entities"])
def test_every_kind_has_a_weight(snapshot: Snapshot, stem: str):
    weights = snapshot.array("default", f"{stem}_weight")
    array = snapshot.array("default", f"{stem}_edge").copy()
    assert ((array & ((1 << bits_for(len(weights))) - 1)) == len(weights) - 1).any()
    assert f"{stem}_edge" in named(Altered(snapshot, f"{stem}_weight", weights[:-1]))


def test_scales_are_finite(snapshot: Snapshot):
    for name in ("fact_signs", "fact_steps"):
        if snapshot.has("default", name):
            array = snapshot.array("default", name).copy()
            array.view(np.float32)[1, -1] = np.inf
            assert name in named(Altered(snapshot, name, array))
