"""A namespace to arrays and back: what is written is what is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipporag_like.config import Config
from hipporag_like.indexing.index import Index, Segment
from hipporag_like.indexing.state import census_arrays
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.sentences import sentence_spans
from hipporag_like.store.codec import canonical_json
from hipporag_like.store.snapshot import SnapshotWriter, open_snapshot
from hipporag_like.types import Extraction, Mention, Passage, Triple

TEXTS = (
    ("a", "Anna Berg", "Anna Berg met Otto. Otto paints. It rained.", {"b": [1, {"z": 1, "a": 2}], "a": "ß"}),
    ("b", "", "In Oslo Otto met Anna Berg.", {}),
    ("c", "Żółw (band)", "Żółw is loud.", {"a": None}),
)
PASSAGES = [Passage(f"{i}#0", i, text, 0, len(text), title, data) for i, title, text, data in TEXTS]


def mentions(text: str, *names: str) -> tuple[Mention, ...]:
    return tuple(Mention(text.index(name), text.index(name) + len(name)) for name in names)


EXTRACTIONS = [
    Extraction(tuple(sentence_spans(PASSAGES[0].text)), mentions(PASSAGES[0].text, "Anna Berg", "Otto")),
    Extraction(triples=(Triple("Otto", "met", "Anna Berg"), Triple("Otto", "was in", "Oslo"))),
    Extraction(tuple(sentence_spans(PASSAGES[2].text)), mentions(PASSAGES[2].text, "Żółw")),
]


@pytest.fixture
def built(tmp_path: Path, embedder: Any, assembled: Any) -> tuple[Segment, Any, Any]:
    counts, census, arrays = assembled(PASSAGES, EXTRACTIONS, Config(), embedder.embed)
    with SnapshotWriter(tmp_path) as writer:
        for name, array in [*arrays.items(), *census_arrays(census)]:
            writer.write("default", name, array)
        writer.publish({})
    return Index(open_snapshot(tmp_path)).segments["default"], counts, embedder


def test_passages_come_back(built: tuple[Segment, Any, Any]):
    segment, counts, _ = built
    assert [segment.passage(i) for i in range(segment.n_passages)] == PASSAGES
    assert (counts.documents, counts.passages) == (3, 3)
    assert [segment.title(i) for i in range(3)] == ["Anna Berg", "", "Żółw (band)"]


def test_facts_are_sentences_or_triples(built: tuple[Segment, Any, Any]):
    segment, counts, _ = built
    facts = [segment.fact(i) for i in range(segment.n_facts)]
    assert [(f.text, f.passage_id) for f in facts] == [
        ("Anna Berg met Otto.", "a#0"),
        ("Otto paints.", "a#0"),
        ("It rained.", "a#0"),
        ("Otto met Anna Berg", "b#0"),
        ("Otto was in Oslo", "b#0"),
        ("Żółw is loud.", "c#0"),
    ]
    assert [f.triple for f in facts] == [None, None, None, *EXTRACTIONS[1].triples, None]
    assert (counts.facts, counts.triples) == (6, 2)
    assert set(facts[4].entities) == {"Otto", "Oslo"}
    # The title's entity belongs to every sentence of its passage, named there or not.
    assert facts[2].entities == ("Anna Berg",)


def test_entities_are_found_by_key(built: tuple[Segment, Any, Any]):
    segment, counts, _ = built
    names = list(segment.entity_names)
    assert counts.entities == len(names) == segment.n_entities
    assert list(segment.entity_key_strings) == sorted(segment.entity_key_strings)
    assert [names[i] for i in segment.entity_keys.find_many(["anna berg", "otto", "zołw", "oslo"])] == [
        "Anna Berg", "Otto", "Żółw", "Oslo",
    ]  # fmt: skip
    assert segment.entity_keys.find("Anna Berg") == -1
    row = segment.entity_keys.find("otto")
    assert segment.array("entity_passages")[row] == 2


def test_what_is_embedded(built: tuple[Segment, Any, Any]):
    segment, _, embedder = built
    texts = [f"{p.title}\n{p.text}" if p.title else p.text for p in PASSAGES]
    assert np.array_equal(segment.array("passage_vectors"), embedder.embed(texts))
    facts = [
        "Anna Berg: Anna Berg met Otto.", "Anna Berg: Otto paints.", "Anna Berg: It rained.",
        "Otto met Anna Berg", "Otto was in Oslo", "Żółw (band): Żółw is loud.",
    ]  # fmt: skip
    assert np.array_equal(segment.array("fact_vectors"), embedder.embed(facts))
    assert np.array_equal(segment.array("entity_vectors"), embedder.embed(list(segment.entity_names)))


def test_matrices_fit_together(built: tuple[Segment, Any, Any]):
    segment, counts, _ = built
    ef, fe = segment.entity_facts, segment.fact_entities
    dense = np.zeros((segment.n_entities, segment.n_facts))
    for entity in range(segment.n_entities):
        columns, weights = ef.row(entity)
        dense[entity, columns] = weights
    for fact in range(segment.n_facts):
        columns, weights = fe.row(fact)
        back = np.zeros(segment.n_entities)
        back[columns] = weights
        assert np.array_equal(back, dense[:, fact])
    assert segment.array("passage_facts").tolist() == [0, 3, 5, 6]
    assert counts.synonyms * 2 == len(segment.synonyms.indices)


def test_the_arrays_do_not_depend_on_when_they_are_made(embedder: Any, assembled: Any):
    first = assembled(PASSAGES, EXTRACTIONS, Config(), embedder.embed)[2]
    again = assembled(list(PASSAGES), list(EXTRACTIONS), Config(), embedder.embed)[2]
    assert first.keys() == again.keys()
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)


def test_words_that_bm25_sees():
    assert lexical_tokens("The Director of Żółw's C++") == ["director", "zołw", "c++"]
    assert passage_text(PASSAGES[0]).startswith("Anna Berg\nAnna Berg met")
    assert passage_text(PASSAGES[1]) == PASSAGES[1].text


def test_equal_metadata_is_equal_text():
    assert (
        canonical_json({"b": 1, "a": "ß"}, "x")
        == canonical_json({"a": "ß", "b": 1}, "x")
        == '{"a":"ß","b":1}'
    )


def test_a_single_passage_without_names(embedder: Any, assembled: Any):
    text = "it rains"
    passages: Sequence[Passage] = [Passage("x#0", "x", text, 0, len(text))]
    counts, _, arrays = assembled(passages, [Extraction(((0, len(text)),))], Config(), embedder.embed)
    assert (counts.passages, counts.entities, counts.facts, counts.mentions) == (1, 0, 1, 0)
    shapes: dict[str, Any] = {name: array.shape for name, array in arrays.items()}
    assert shapes["entity_vectors"] == (0, 16)
    assert shapes["entity_facts_indptr"] == (1,)
