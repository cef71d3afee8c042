"""Nodes and edges as text, one after the other: GraphML, JSON and CSV never hold the graph in memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from hipporag_like.indexing.elements import EDGE_FIELDS, NODE_FIELDS, Edge, Node

Counts = tuple[int, int]

# What XML 1.0 cannot hold at all, not even escaped (section 2.2); many readers of CSV stumble over it too.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_TYPES = {str: "string", int: "long", float: "double"}
_XML_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
)


def write_graphml(nodes: Iterable[Node], edges: Iterable[Edge], files: Sequence[IO[str]]) -> Counts:
    """Write one GraphML file, undirected; return how many nodes and edges.

    Characters that XML cannot hold become U+FFFD.
    """
    (file,) = files
    file.write(_XML_HEAD)
    for owner, fields in (("node", NODE_FIELDS), ("edge", EDGE_FIELDS)):
        for name, kind in fields.items():
            file.write(f'<key id="{owner}_{name}" for="{owner}" attr.name="{name}" ')
            file.write(f'attr.type="{_XML_TYPES[kind]}"/>\n')
    file.write('<graph edgedefault="undirected">\n')
    n_nodes = n_edges = 0
    for node, fields_of in nodes:
        n_nodes += 1
        data = "".join(_data("node", name, value) for name, value in fields_of.items())
        file.write(f"<node id={quoteattr(_clean(node))}>{data}</node>\n")
    for source, target, kind_of, weight in edges:
        n_edges += 1
        data = _data("edge", "kind", kind_of) + _data("edge", "weight", weight)
        ends = f"source={quoteattr(_clean(source))} target={quoteattr(_clean(target))}"
        file.write(f"<edge {ends}>{data}</edge>\n")
    file.write("</graph>\n</graphml>\n")
    return n_nodes, n_edges


def _data(owner: str, name: str, value: Any) -> str:
    # A bare carriage return would be read back as a line feed.
    return f'<data key="{owner}_{name}">{escape(_clean(str(value)), {chr(13): "&#13;"})}</data>'


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


def write_json(nodes: Iterable[Node], edges: Iterable[Edge], files: Sequence[IO[str]]) -> Counts:
    """Write one JSON file, one node or edge a line; return how many nodes and edges.

    The form is that of ``networkx.node_link_graph(data, edges="links")``.
    """
    (file,) = files
    file.write('{"directed": false, "multigraph": false, "graph": {},\n"nodes": [')
    n_nodes = _json_rows(({"id": node, **fields} for node, fields in nodes), file)
    file.write('],\n"links": [')
    names = ("source", "target", "kind", "weight")
    n_edges = _json_rows((dict(zip(names, edge, strict=True)) for edge in edges), file)
    file.write("]}\n")
    return n_nodes, n_edges


def _json_rows(rows: Iterable[dict[str, Any]], file: IO[str]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):
        file.write(("\n" if count == 1 else ",\n") + json.dumps(row, ensure_ascii=False))
    return count


def write_csv(nodes: Iterable[Node], edges: Iterable[Edge], files: Sequence[IO[str]]) -> Counts:
    """Write nodes and edges as two tables with a heading each; return how many rows they have."""
    node_file, edge_file = files
    writer = csv.writer(node_file, lineterminator="\n")
    writer.writerow(["id", *NODE_FIELDS])
    n_nodes = n_edges = 0
    for node, fields in nodes:
        n_nodes += 1
        writer.writerow([_clean(node), *(_clean(str(fields.get(name, ""))) for name in NODE_FIELDS)])
    writer = csv.writer(edge_file, lineterminator="\n")
    writer.writerow(["source", "target", *EDGE_FIELDS])
    for source, target, kind, weight in edges:
        n_edges += 1
        writer.writerow([_clean(source), _clean(target), kind, weight])
    return n_nodes, n_edges


Write = Callable[[Iterable[Node], Iterable[Edge], Sequence[IO[str]]], Counts]
WRITERS: dict[str, Write] = {"graphml": write_graphml, "json": write_json, "csv": write_csv}
