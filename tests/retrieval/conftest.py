"""A small corpus and its index, made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.rows import narrow, rows_of
from hipporag_like.rag import HippoRAG
from hipporag_like.store.tables import pack_keys, pack_strings
from hipporag_like.types import Document

FILMS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "jaws",
        "Jaws",
        "Jaws is a 1975 thriller film. It was directed by Steven Spielberg. Roy Scheider plays Brody.",
        {"year": 1975, "kind": "film", "tags": ["shark", "sea"]},
    ),
    (
        "et",
        "E.T. the Extra-Terrestrial",
        "E.T. is a film of 1982. Steven Spielberg directed it for Universal Pictures.",
        {"year": 1982, "kind": "film", "tags": ["alien"]},
    ),
    (
        "spielberg",
        "Steven Spielberg",
        "Steven Spielberg is a director. He was born in Cincinnati in 1946.",
        {"kind": "person", "living": True},
    ),
    (
        "cincinnati",
        "Cincinnati",
        "Cincinnati is a city in Ohio. The Ohio River flows past Cincinnati.",
        {"kind": "place", "people": 309317},
    ),
    (
        "scheider",
        "Roy Scheider",
        "Roy Scheider was an actor. He was born in Orange, New Jersey.",
        {"kind": "person", "living": False},
    ),
    (
        "alien",
        "Alien (film)",
        "Alien is a horror film directed by Ridley Scott. It stars Sigourney Weaver.",
        {"year": 1979.0, "kind": "film", "tags": ["alien", "space"]},
    ),
    (
        "scott",
        "Ridley Scott",
        "Ridley Scott is an English director. He was born in South Shields.",
        {"kind": "person"},
    ),
    (
        "shields",
        "South Shields",
        "South Shields is a coastal town at the mouth of the River Tyne.",
        {"kind": "place"},
    ),
    (
        "cpp",
        "C++",
        "C++ is a programming language. Bjarne Stroustrup designed C++ at Bell Labs.",
        {"kind": "language"},
    ),
    (
        "stroustrup",
        "Bjarne Stroustrup",
        "Bjarne Stroustrup was born in Aarhus. He works with Columbia University.",
        {"kind": "person", "year": "1950"},
    ),
    (
        "aarhus",
        "Aarhus",
        "Aarhus is a city in Denmark. The port of Aarhus lies on Jutland.",
        {"kind": "place"},
    ),
    (
        "river",
        "",
        "The River Tyne flows through Newcastle. Coal left Newcastle on the Tyne.",
        {},
    ),
)


def film_documents() -> list[Document]:
    return [Document(text, name, title, metadata) for name, title, text, metadata in FILMS]


@pytest.fixture(scope="session")
def make_rag(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., HippoRAG]:
    """Index documents with the hashing embedder; options by stage, say ``search=SearchConfig(k=9)``."""

    def make(documents: Sequence[Document | str], path: Path | None = None, **stages: Any) -> HippoRAG:
        folder = path or tmp_path_factory.mktemp("index")
        rag = HippoRAG(folder, config=Config(**{"embed": EmbedConfig("hashing"), **stages}))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda descriptor: None)  # only power loss would tell
            report = rag.index(documents)
        assert report.failures == ()
        return rag

    return make


@pytest.fixture(scope="session")
def films(make_rag: Callable[..., HippoRAG]) -> Iterator[HippoRAG]:
    with make_rag(film_documents()) as rag:
        yield rag


@pytest.fixture
def film_list() -> list[Document]:
    return film_documents()


class _Arrays:
    """What a segment reads of a snapshot, from memory."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays

    def array(self, group: str, name: str) -> np.ndarray:
        return self._arrays[name]

    def has(self, group: str, name: str) -> bool:
        return name in self._arrays

    def file_of(self, group: str, name: str) -> tuple[int, int]:
        return -1, 0


def segment_of_arrays(
    n_passages: int,
    entity_passages: Sequence[int],
    facts: Sequence[tuple[int, dict[int, float], Sequence[float]]] = (),
    titles: Sequence[tuple[int, int]] = (),
    terms: Sequence[int] = (),
    vectors: Sequence[Sequence[float]] = (),
    keys: Sequence[str] = (),
    postings: Mapping[str, Mapping[int, int]] | None = None,
) -> Segment:
    """Return a segment by hand.

    ``facts`` are (passage, weight by entity, vector), by passage; ``titles`` are (passage, entity); ``vectors`` are of
    the passages, ``keys`` of the entities, ``postings`` how often each word stands in a passage.
    """
    n_entities = len(entity_passages)
    edges = [(f, e, w) for f, (_, entities, _) in enumerate(facts) for e, w in entities.items()]
    fact, entity, weight = (np.array([edge[i] for edge in edges]) for i in range(3))
    owner = np.array([passage for passage, _, _ in facts], np.int32)
    pairs = np.array(sorted(titles), np.int32).reshape(-1, 2)
    arrays = {
        "passage_document": np.arange(n_passages),
        "passage_facts": np.searchsorted(owner, np.arange(n_passages + 1)).astype(np.int64),
        "fact_passage": owner,
        "fact_vectors": np.array([vector for _, _, vector in facts] or np.zeros((0, 2)), np.float32),
        "entity_passages": np.array(entity_passages, np.int32),
        "entity_is_term": np.isin(np.arange(n_entities), terms),
        "title_passage": pairs[:, 0],
        "title_entity": pairs[:, 1],
    }
    by_word = dict(postings or {})
    holders = [sorted(by_word[word].items()) for word in by_word]
    arrays |= {
        "passage_vectors": np.array(vectors or np.zeros((0, 2)), np.float32),
        "entity_key_text": pack_strings(keys)[0],
        "entity_key_offset": pack_strings(keys)[1],
        "term_text": pack_strings(list(by_word))[0],
        "term_offset": pack_strings(list(by_word))[1],
        "term_hash": pack_keys(list(by_word))[0],
        "term_row": pack_keys(list(by_word))[1],
        "posting_indptr": np.cumsum([0, *map(len, holders)]),
        "posting_passage": np.array([passage for held in holders for passage, _ in held], np.int32),
        "posting_count": np.array([count for held in holders for _, count in held], np.uint16),
        "passage_length": np.array(
            [sum(held.get(number, 0) for held in by_word.values()) for number in range(n_passages)], np.int32
        ),
    }
    for name, table in (
        ("entity_facts", narrow(rows_of(entity, fact, weight, n_entities))),
        ("fact_entities", narrow(rows_of(fact, entity, weight, len(facts)))),
        ("synonyms", rows_of(*np.zeros((3, 0), np.int32), n_entities)),
    ):
        arrays |= {
            f"{name}_indptr": table.indptr,
            f"{name}_edge" if table.bits else f"{name}_index": table.edges,
            f"{name}_weight": table.values,
        }
    return Segment(_Arrays(arrays), "by hand")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_segment() -> Callable[..., Segment]:
    return segment_of_arrays
