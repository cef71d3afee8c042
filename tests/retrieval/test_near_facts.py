"""The nearest facts: of all, or of the passages that are near."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval import near_facts as module
from hipporag_like.retrieval.link import link
from hipporag_like.retrieval.mentions import own_facts
from hipporag_like.retrieval.near_facts import compares_all, nearest_facts
from hipporag_like.types import Document

EMBEDDER = HashingEmbedder()
QUESTION = "Where was the director of Jaws born?"


def segment_of(rag: HippoRAG) -> Segment:
    return rag._parts.segments(None)[0]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> HippoRAG:
    rag = HippoRAG(
        tmp_path_factory.mktemp("light"), config=Config(embed=EmbedConfig("hashing", preset="light"))
    )
    rag.index(
        [
            Document("Jaws is a film. It was directed by Steven Spielberg.", "jaws", "Jaws"),
            Document(
                "Steven Spielberg was born in Cincinnati. He is a director.", "spielberg", "Steven Spielberg"
            ),
            Document("Aarhus is a city in Denmark. The port lies on Jutland.", "aarhus", "Aarhus"),
        ]
    )
    return rag


def test_few_facts_are_all_compared(films: HippoRAG):
    segment, vector = segment_of(films), EMBEDDER.embed([QUESTION])[0]
    assert compares_all(segment)
    facts, cosines = nearest_facts(segment, vector, 4, np.array([0]))
    everything = segment.array("fact_vectors") @ vector
    assert facts.tolist() == np.argsort(-everything, kind="stable")[:4].tolist()
    assert cosines == pytest.approx(everything[facts], abs=1e-6)


def test_of_many_facts_those_of_near_passages_are_compared(films: HippoRAG, monkeypatch: pytest.MonkeyPatch):
    segment, vector = segment_of(films), EMBEDDER.embed([QUESTION])[0]
    monkeypatch.setattr(module, "EXACT_LIMIT", segment.n_facts - 1)
    near = np.array([1, 4, 5])
    own, _ = own_facts(segment, near)
    everything = segment.array("fact_vectors") @ vector
    facts, cosines = nearest_facts(segment, vector, 3, near)
    assert facts.tolist() == own[np.argsort(-everything[own], kind="stable")[:3]].tolist()
    assert cosines == pytest.approx(everything[facts], abs=1e-6)
    assert (
        nearest_facts(segment, vector, 3)[0].tolist() == np.argsort(-everything, kind="stable")[:3].tolist()
    )
    assert len(nearest_facts(segment, vector, 3, np.zeros(0, np.int64))[0]) == 0
    monkeypatch.setattr(module, "EXACT_LIMIT", segment.n_facts)
    assert compares_all(segment)


def test_facts_of_words_are_those_of_near_passages(light: HippoRAG):
    segment, vector = segment_of(light), EMBEDDER.embed(["Who was born in Cincinnati?"])[0]
    assert not compares_all(segment)
    facts, cosines = nearest_facts(segment, vector, 9, np.array([1, 2]))
    assert set(segment.array("fact_passage")[facts].tolist()) == {1, 2}
    assert np.all(np.diff(cosines) <= 0)
    assert segment.fact_text(int(facts[0])) == "Steven Spielberg was born in Cincinnati."


def test_a_light_index_links_by_spelling_and_near_facts_without_embedding_names(light: HippoRAG):
    segment = segment_of(light)

    def never(name: str) -> np.ndarray:
        raise AssertionError(name)

    question = "Was Steven Speilberg born where Qwrt Zxcv was?"
    linked = link(segment, question, EMBEDDER.embed([question])[0], never, None, np.array([1]))
    assert {(s.entity, s.source) for s in linked.seeds} >= {("Steven Spielberg", "fuzzy")}
    assert {s.source for s in linked.seeds} <= {"fuzzy", "fact"}


def test_nothing_is_compared_but_what_is_near(films: HippoRAG, monkeypatch: pytest.MonkeyPatch):
    """The whole search gives the passages near by the dense signal and by BM25 to the link."""
    seen: list[np.ndarray | None] = []
    real: Callable[..., object] = module.nearest_facts

    def spy(segment: Segment, vector: np.ndarray, k: int, near: np.ndarray, inside: object) -> object:
        seen.append(near)
        return real(segment, vector, k, near, inside)

    monkeypatch.setattr("hipporag_like.retrieval.link.nearest_facts", spy)
    films.retrieve(QUESTION)
    (near,) = seen
    assert near is not None
    found = {h.passage.id for m in ("dense", "bm25") for h in films.retrieve(QUESTION, 50, method=m)}
    assert {segment_of(films).passage_ids[i] for i in near.tolist()} == found
    assert near.tolist() == sorted(near.tolist())
