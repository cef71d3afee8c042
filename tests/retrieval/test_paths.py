"""Paths lead from the question to the passage over edges that exist."""

from __future__ import annotations

import pytest

from hipporag_like.indexing.index import Segment
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.query import PATHS_SHOWN
from hipporag_like.types import PathStep

JAWS = "Where was the director of Jaws born?"
QUESTIONS = (
    JAWS,
    "Who designed C++?",
    "Which film did Ridley Scott direct?",
    "a coastal town at the mouth of a river",
)


class Edges:
    """The edges of a segment, by the texts that a path shows."""

    def __init__(self, segment: Segment) -> None:
        names = list(segment.entity_names)
        self.facts = {segment.fact_text(f): segment.fact(f).passage_id for f in range(segment.n_facts)}
        self.entity_fact = {
            (e, segment.fact_text(f)) for f in range(segment.n_facts) for e in segment.fact(f).entities
        }
        self.synonyms = {
            (names[e], names[int(other)]) for e in range(len(names)) for other in segment.synonyms.row(e)[0]
        }

    def joins(self, a: PathStep, b: PathStep) -> bool:
        if a.kind == b.kind == "entity":
            return (a.text, b.text) in self.synonyms
        pair = (a.text, b.text) if a.kind == "entity" else (b.text, a.text)
        return {a.kind, b.kind} == {"entity", "fact"} and pair in self.entity_fact


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_step_is_an_edge(films: HippoRAG, question: str):
    edges = Edges(films._parts.index().segments["default"])
    trace = films.explain(question, k=12)
    seeds = {seed.entity for seed in trace.seeds}
    paths = [hit for hit in trace.hits if hit.path]
    assert paths
    for hit in paths:
        first, *inner, last = hit.path
        assert (first.kind, first.text, first.weight) == ("question", question, 1.0)
        assert (last.kind, last.text) == ("passage", hit.passage.title or hit.passage.id)
        assert inner[0].kind == "entity"
        assert inner[0].text in seeds
        assert inner[-1].kind == "fact"
        assert edges.facts[inner[-1].text] == hit.passage.id
        assert all(edges.joins(a, b) for a, b in zip(inner, inner[1:], strict=False))
        assert all(0 < step.weight <= 1 for step in inner)
        assert len({(step.kind, step.text) for step in inner}) == len(inner)


def test_a_second_hop_goes_over_the_entity_in_between(films: HippoRAG):
    hits = {hit.passage.document_id: hit for hit in films.retrieve(JAWS, k=12)}
    direct = [step.text for step in hits["jaws"].path]
    assert direct[1] == "Jaws"
    assert len(direct) == 4
    far = [step.text for step in hits["scheider"].path]
    assert far[1] == "Jaws"
    assert "Roy Scheider" in far


def test_synonyms_are_steps(films: HippoRAG):
    hits = films.retrieve("Who starred in Alien?", k=12)
    path = next(hit.path for hit in hits if hit.passage.document_id == "alien")
    assert [step.text for step in path][1] in ("Alien", "Alien (film)")


def test_only_the_best_hits_get_a_path(films: HippoRAG):
    hits = films.retrieve(JAWS, k=12)
    assert all(hit.path == () for hit in hits[PATHS_SHOWN:])
    assert all(hit.path or hit.signals["graph"] == 0 for hit in hits[:PATHS_SHOWN])


@pytest.mark.parametrize("method", ["dense", "bm25", "hybrid"])
def test_other_methods_have_no_paths(films: HippoRAG, method: str):
    assert all(hit.path == () for hit in films.retrieve(JAWS, method=method))
