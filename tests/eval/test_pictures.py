"""Pictures of one question: what is in the drawn part of the graph, and that shares add up."""

from __future__ import annotations

import pytest

from hipporag_like.config import Config, EmbedConfig
from hipporag_like.eval import pictures
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document, Hit, Passage

QUESTION = "Who rules the place where Anna Berg founded the Lumen Works?"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    rag = HippoRAG(tmp_path_factory.mktemp("pictures") / "index", config=Config(embed=EmbedConfig("hashing")))
    rag.index(
        [
            Document("Anna Berg founded the Lumen Works in Tarn. She liked fog.", "anna", "Anna Berg"),
            Document("Tarn is an island ruled by Old Pell.", "tarn", "Tarn"),
            Document("The Copper Prize went to Quill Harbour.", "prize", "Copper Prize"),
        ]
    )
    return rag, rag.explain(QUESTION, k=3)


def test_the_drawn_part_holds_question_seeds_facts_and_best_passages(asked):
    rag, trace = asked
    graph = pictures.walk_graph(rag, trace, hits=2)
    kinds = {kind: [d for _, d in graph.nodes(data=True) if d["kind"] == kind] for kind in pictures.KINDS}
    assert [d["name"] for d in kinds["question"]] == [QUESTION]
    best = {hit.passage.id: hit.rank for hit in trace.hits[:2]}
    assert {d["passage_id"]: d["rank"] for d in kinds["passage"]} == best
    names = {d["name"] for d in kinds["entity"]}
    assert {"Anna Berg", "Lumen Works", "Tarn"} <= names and "Quill Harbour" not in names
    assert all(d["passage_id"] in best for d in kinds["fact"])
    assert all(degree > 0 for _, degree in graph.degree())


def test_paths_of_the_hits_are_marked_from_the_question_to_the_passage(asked):
    import networkx as nx

    rag, trace = asked
    graph = pictures.walk_graph(rag, trace, hits=2)
    marked = nx.Graph([(a, b) for a, b, d in graph.edges(data=True) if d.get("path")])
    ends = {n for n in marked if graph.nodes[n]["kind"] == "passage"}
    with_path = [hit for hit in trace.hits[:2] if hit.path]
    assert len(ends) == len(with_path) >= 1
    assert all(nx.has_path(marked, "question", end) for end in ends)


def test_few_entities_are_those_of_the_paths(asked):
    rag, trace = asked
    graph = pictures.walk_graph(rag, trace, hits=1, entities=1)
    (name,) = [d["name"] for _, d in graph.nodes(data=True) if d["kind"] == "entity"]
    assert name in {step.text for step in trace.hits[0].path}


def test_every_node_is_drawn_once_and_best_passages_on_top(asked):
    pytest.importorskip("matplotlib")
    rag, trace = asked
    figure = pictures.draw_walk(rag, trace, hits=2)
    labels = {text.get_text().replace("\n", " "): text.get_position() for text in figure.axes[0].texts}
    places = [place for label, place in labels.items() if label[:2] in ("1.", "2.")]
    assert len(places) == 2 and places[0] != places[1]
    tops = {label[:1]: y for label, (_, y) in labels.items() if label[:2] in ("1.", "2.")}
    assert tops["1"] > tops["2"]
    assert len(labels) == len(pictures.walk_graph(rag, trace, hits=2)) + 4  # and four column titles


def test_bars_of_a_hit_add_up_whatever_the_signals_are_called():
    pytest.importorskip("matplotlib")
    passage = Passage("a#0", "a", "text", 0, 4, "A title")
    hits = [Hit(1, 0.5, passage, {"new": 0.7, "walk": -0.2}), Hit(2, 0.1, passage, {"walk": 0.1})]
    ax = pictures.draw_shares(hits).axes[0]
    bars = [container.patches for container in ax.containers]
    assert [sum(part[n].get_width() for part in bars) for n in range(2)] == pytest.approx([0.5, 0.1])
    assert bars[1][0].get_x() == 0.0  # what takes away begins at zero and goes left
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["new", "walk"]


def test_weights_are_named_from_the_top():
    pytest.importorskip("matplotlib")
    ax = pictures.draw_weights([("heavy", 2.0), ("light", 1.0)], "weight").axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["heavy", "light"]
    assert ax.yaxis_inverted() and ax.get_xlabel() == "weight"


def test_long_labels_are_cut_at_a_word():
    assert pictures.short("one two three", 9) == "one two…"
    assert pictures.short("one\n two") == "one two"
