"""The graph for other programs: read back by those programs, and by hand."""

import csv
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import pytest

from hipporag_like import Document, HippoRAG
from hipporag_like.config import Config, EmbedConfig, ExtractConfig, GraphConfig
from hipporag_like.errors import StoreError, UsageError
from hipporag_like.indexing import export_formats
from hipporag_like.indexing.elements import NODE_FIELDS
from hipporag_like.indexing.export import export, to_igraph, to_networkx
from hipporag_like.indexing.index import Index
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Mention, Triple

JAWS = "Jaws was made by Spielberg. Jaws scared Spielberg and Jaws again."
MAN = 'He was "born"\tin <Ohio> & left.\x0b\r\nÅsa, 東京'
CONFIG = Config(
    extract=ExtractConfig(gazetteer=False, mine_terms=False),
    embed=EmbedConfig("hashing"),
    graph=GraphConfig(title_weight=4.0, synonym_threshold=0.1),
)


class ByWord:
    """Every place of a listed name is a mention; sentences end at a full stop; one triple is known."""

    fingerprint = "by-word:1"
    names = ("Jaws", "Spielberg", "Ohio", "Steven Spielberg")

    def key(self, passage):
        return content_hash(passage.title, passage.text)

    def extract(self, passages):
        for passage in passages:
            text = passage.text
            cut = text.find(". ") + 1
            spans = ((0, cut), (cut + 1, len(text))) if cut else ((0, len(text)),)
            starts = [(n, i) for n in self.names for i in range(len(text)) if text.startswith(n, i)]
            mentions = tuple(Mention(i, i + len(n)) for n, i in sorted(starts, key=lambda s: s[1]))
            triples = (Triple("Spielberg", "born in", "Ohio"),) if "Ohio" in text else ()
            yield Extraction(spans, mentions, (), triples)


@pytest.fixture(scope="module")
def graph_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "index"
    rag = HippoRAG(folder, config=CONFIG, extractor=ByWord())
    rag.index(
        [
            Document(JAWS, "film", "Jaws"),
            Document(MAN, "man", "Steven Spielberg"),
            Document("Ohio is far.", "place", namespace='a "<b>'),
        ]
    )
    return folder


@pytest.fixture
def index(graph_folder):
    index = Index(open_snapshot(graph_folder))
    yield index
    index.close()


def names_of(graph):
    return {n: d["name"] if d["kind"] == "entity" else d["text"] for n, d in graph.nodes(data=True)}


def ties(graph, kind):
    name = names_of(graph)
    return {
        frozenset((name[a], name[b])): d["weight"] for a, b, d in graph.edges(data=True) if d["kind"] == kind
    }


def test_the_graph_by_hand(index):
    graph = to_networkx(index, "default")
    first, second = "Jaws was made by Spielberg.", "Jaws scared Spielberg and Jaws again."
    mentions = ties(graph, "mention")
    # The title's weight of 4 is not in them: Jaws stands once in the first sentence, twice in the second.
    assert mentions[frozenset(("Jaws", first))] == pytest.approx(1.0)
    assert mentions[frozenset(("Jaws", second))] == pytest.approx(1.693147, abs=2e-6)
    assert mentions[frozenset(("Spielberg", second))] == pytest.approx(1.0)
    # "Steven Spielberg" is the second document's title and nowhere named: a title edge, no mention.
    assert ties(graph, "title") == {
        frozenset(("Jaws", JAWS)): 4.0,
        frozenset(("Steven Spielberg", MAN)): 4.0,
    }
    assert not any("Steven Spielberg" in pair for pair in mentions)
    assert ties(graph, "part")[frozenset((first, JAWS))] == 1.0
    assert frozenset(("Spielberg", "Steven Spielberg")) in ties(graph, "synonym")


def test_counts_are_those_of_the_index(index):
    graph, sizes = to_networkx(index), index.manifest["namespaces"].values()
    kinds = [d["kind"] for _, d in graph.nodes(data=True)]
    edge_kinds = [d["kind"] for _, _, d in graph.edges(data=True)]
    for kind, count in (("entity", "entities"), ("fact", "facts"), ("passage", "passages")):
        assert kinds.count(kind) == sum(size[count] for size in sizes) > 0
    assert edge_kinds.count("part") == kinds.count("fact")
    assert edge_kinds.count("mention") == sum(size["mentions"] for size in sizes) > 0
    assert edge_kinds.count("synonym") == sum(size["synonyms"] for size in sizes) > 0


def test_a_triple_carries_its_parts(index):
    facts = [d for _, d in to_networkx(index).nodes(data=True) if "relation" in d]
    parts = {(d["subject"], d["relation"], d["object"]) for d in facts}
    assert parts == {("Spielberg", "born in", "Ohio")}
    assert all(d["text"] == "Spielberg born in Ohio" for d in facts)


def test_passages_carry_what_tells_them_apart(index):
    nodes = to_networkx(index, "default").nodes(data=True)
    passages = {d["document_id"]: d for _, d in nodes if d["kind"] == "passage"}
    assert sorted(passages) == ["film", "man"]
    assert passages["film"] == {
        "kind": "passage",
        "namespace": "default",
        "name": "Jaws",
        "text": JAWS,
        "passage_id": "film#0",
        "document_id": "film",
    }


def test_namespaces_are_not_tied(index):
    graph = to_networkx(index)
    for a, b in graph.edges():
        assert graph.nodes[a]["namespace"] == graph.nodes[b]["namespace"]
    alone = to_networkx(index, 'a "<b>')
    assert {d["namespace"] for _, d in alone.nodes(data=True)} == {'a "<b>'}
    assert nx.utils.nodes_equal(alone.nodes(data=True), graph.subgraph(alone).nodes(data=True))


def test_igraph_holds_the_same(index):
    theirs, mine = to_igraph(index), to_networkx(index)
    assert (theirs.vcount(), theirs.ecount()) == (mine.number_of_nodes(), mine.number_of_edges())
    for vertex in theirs.vs:
        fields = {name: vertex[name] for name in NODE_FIELDS if vertex[name] is not None}
        assert fields == mine.nodes[vertex["id"]]
    for edge in theirs.es:
        ends = [theirs.vs[i]["id"] for i in edge.tuple]
        assert mine.edges[ends] == {"kind": edge["kind"], "weight": edge["weight"]}


def test_graphml_is_read_back(index, tmp_path):
    out, mine = tmp_path / "graph.graphml", to_networkx(index)
    counts = export(index, "graphml", out)
    assert counts == {"nodes": mine.number_of_nodes(), "edges": mine.number_of_edges(), "files": 1}
    theirs = nx.read_graphml(out)
    for _, fields in mine.nodes(data=True):  # XML has no vertical tab
        if "text" in fields:
            fields["text"] = fields["text"].replace("\x0b", "\ufffd")
    assert nx.utils.nodes_equal(theirs.nodes(data=True), mine.nodes(data=True))
    assert nx.utils.edges_equal(theirs.edges(data=True), mine.edges(data=True))


def test_graphml_is_read_by_igraph(index, tmp_path):
    import igraph

    export(index, "graphml", tmp_path / "graph.graphml", "default")
    theirs, mine = igraph.Graph.Read_GraphML(str(tmp_path / "graph.graphml")), to_igraph(index, "default")
    assert theirs.vs["id"] == mine.vs["id"]
    assert theirs.es["weight"] == pytest.approx(mine.es["weight"])
    assert theirs.get_edgelist() == mine.get_edgelist()


def test_json_is_read_back(index, tmp_path):
    out = tmp_path / "graph.json"
    counts = export(index, "json", out)
    data = json.loads(out.read_text(encoding="utf-8"))
    assert (len(data["nodes"]), len(data["links"])) == (counts["nodes"], counts["edges"])
    assert set(data["links"][0]) == {"source", "target", "kind", "weight"}
    theirs, mine = nx.node_link_graph(data, edges="links"), to_networkx(index)
    assert nx.utils.nodes_equal(theirs.nodes(data=True), mine.nodes(data=True))
    assert nx.utils.edges_equal(theirs.edges(data=True), mine.edges(data=True))


def test_csv_is_read_back(index, tmp_path):
    counts = export(index, "csv", tmp_path / "graph.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph.csv", "graph_edges.csv"]
    with (tmp_path / "graph.csv").open(encoding="utf-8", newline="") as file:
        nodes = list(csv.DictReader(file))
    with (tmp_path / "graph_edges.csv").open(encoding="utf-8", newline="") as file:
        edges = list(csv.DictReader(file))
    assert counts == {"nodes": len(nodes), "edges": len(edges), "files": 2}
    mine = to_networkx(index)
    for row in nodes:
        fields = {name: value for name, value in row.items() if value != "" and name != "id"}
        wanted = {k: str(v).replace("\x0b", "\ufffd") for k, v in mine.nodes[row["id"]].items()}
        assert fields == wanted
    for row in edges:
        fields = mine.edges[row["source"], row["target"]]
        assert (row["kind"], float(row["weight"])) == (fields["kind"], fields["weight"])


def test_what_utf8_cannot_hold_does_not_stop_the_export(tmp_path):
    nodes = [("x:e0", {"kind": "entity", "name": "half \ud800 pair \x00"})]
    for format, write in export_formats.WRITERS.items():
        out = tmp_path / format
        with out.open("w", encoding="utf-8", errors="replace", newline="") as file:
            write(nodes, [], [file, file] if format == "csv" else [file])
        assert "pair" in out.read_text(encoding="utf-8")
    assert nx.read_graphml(tmp_path / "graphml").nodes["x:e0"]["name"] == "half \ufffd pair \ufffd"


@pytest.mark.parametrize("format", ["graphml", "json", "csv"])
def test_two_exports_are_the_same(index, tmp_path, format):
    export(index, format, tmp_path / "a.x")
    export(index, format, tmp_path / "b.x")
    assert (tmp_path / "a.x").read_bytes() == (tmp_path / "b.x").read_bytes()


@pytest.mark.parametrize("format", ["graphml", "json", "csv"])
def test_an_export_that_fails_leaves_what_was_there(index, tmp_path, monkeypatch, format):
    out = tmp_path / "graph.x"
    out.write_text("before")

    def full(nodes, edges, files):
        files[0].write("half")
        raise OSError(28, os.strerror(28))

    monkeypatch.setitem(export_formats.WRITERS, format, full)
    with pytest.raises(StoreError, match=r"graph\.x .*free some disk space"):
        export(index, format, out)
    assert [p.name for p in tmp_path.iterdir()] == ["graph.x"]
    assert out.read_text() == "before"


def test_an_empty_index_is_an_empty_graph(tmp_path):
    rag = HippoRAG(tmp_path / "index", config=CONFIG, extractor=ByWord())
    rag.index([Document(JAWS, "film", "Jaws")])
    rag.delete(["film"])
    index = Index(open_snapshot(tmp_path / "index"))
    counts = export(index, "graphml", tmp_path / "graph.graphml")
    assert counts == {"nodes": 0, "edges": 0, "files": 1}
    assert nx.read_graphml(tmp_path / "graph.graphml").number_of_nodes() == 0
    index.close()


def test_what_a_user_may_get_wrong(index, tmp_path):
    cases = [
        ("gexf", tmp_path / "a", None, "format must be one of graphml, json, csv, got 'gexf'"),
        ("json", tmp_path / "no" / "a", None, "does not exist; make it or write elsewhere"),
        ("json", tmp_path, None, "is a folder; name a file to write"),
        ("json", tmp_path / "a", "other", "no namespace 'other' in the index; stats names those there are"),
    ]
    for format, out, namespace, message in cases:
        with pytest.raises(UsageError, match=message):
            export(index, format, out, namespace)
    assert list(tmp_path.iterdir()) == []
    for build in (to_networkx, to_igraph):
        with pytest.raises(UsageError, match="no namespace 'other'"):
            build(index, "other")


def test_two_threads_may_write_the_same_file(graph_folder, tmp_path, monkeypatch):
    both, write = threading.Barrier(2, timeout=60), export_formats.WRITERS["json"]

    def together(*given):
        counts = write(*given)
        both.wait()
        return counts

    def work(_):
        with open_snapshot(graph_folder) as snapshot:
            return export(Index(snapshot), "json", tmp_path / "graph.json")

    monkeypatch.setitem(export_formats.WRITERS, "json", together)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, range(2))
    assert first == second
    assert json.loads((tmp_path / "graph.json").read_text())["nodes"]
    assert [path.name for path in tmp_path.iterdir()] == ["graph.json"]
