"""The graph of an index for other programs: as a file, or as a networkx or igraph object."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from hipporag_like.errors import UsageError
from hipporag_like.indexing.elements import (
    NODE_FIELDS,
    Edge,
    Node,
    edges,
    nodes,
    segments_of,
    title_weight_of,
)
from hipporag_like.indexing.export_formats import WRITERS
from hipporag_like.indexing.index import Index
from hipporag_like.store.files import file_errors, open_private


def export(index: Index, format: str, out: Path, namespace: str | None = None) -> dict[str, int]:
    """Write the graph to a file; whole or not at all.

    Parameters
    ----------
    index
        Open for reading.
    format
        ``graphml`` (Gephi, yEd, networkx, igraph), ``json`` (nodes and links) or ``csv``, which makes two
        files: ``out`` with the nodes, and beside it ``NAME_edges.csv`` with the edges.
    out
        The file; what stands there is replaced.
    namespace
        Only this one; all of them where none is given, unconnected with each other.

    Returns
    -------
    dict
        ``nodes``, ``edges`` and ``files``: how many were written.

    Raises
    ------
    UsageError
        There is no such format, namespace or parent folder, or ``out`` is a folder.
    StoreError
        The file cannot be written.
    """
    if format not in WRITERS:
        raise UsageError(f"format must be one of {', '.join(WRITERS)}, got {format!r}")
    segments_of(index, namespace)
    out = Path(out)
    if out.is_dir():
        raise UsageError(f"{out} is a folder; name a file to write")
    if not out.parent.is_dir():
        raise UsageError(f"the folder {out.parent} does not exist; make it or write elsewhere")
    paths = [out, out.with_name(f"{out.stem}_edges{out.suffix or '.csv'}")] if format == "csv" else [out]
    with file_errors("write", out), _replacing(paths) as files:
        n_nodes, n_edges = WRITERS[format](_nodes(index, namespace), _edges(index, namespace), files)
    return {"nodes": n_nodes, "edges": n_edges, "files": len(paths)}


def to_networkx(index: Index, namespace: str | None = None) -> Any:
    """Return the graph as a ``networkx.Graph`` with the ids and fields of :mod:`.elements`.

    Raises
    ------
    UsageError
        There is no such namespace.
    """
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(_nodes(index, namespace))
    graph.add_edges_from(
        (a, b, {"kind": kind, "weight": weight}) for a, b, kind, weight in _edges(index, namespace)
    )
    return graph


def to_igraph(index: Index, namespace: str | None = None) -> Any:
    """Return the graph as an ``igraph.Graph``; the vertex attribute ``id`` holds the ids of :mod:`.elements`.

    A field that a vertex does not have is None.

    Raises
    ------
    UsageError
        There is no such namespace.
    """
    import igraph

    found = list(_nodes(index, namespace))
    number = {node: i for i, (node, _) in enumerate(found)}
    ties = list(_edges(index, namespace))
    graph = igraph.Graph(n=len(found), edges=[(number[a], number[b]) for a, b, _, _ in ties])
    graph.vs["id"] = list(number)
    for name in NODE_FIELDS:
        graph.vs[name] = [fields.get(name) for _, fields in found]
    graph.es["kind"] = [kind for _, _, kind, _ in ties]
    graph.es["weight"] = [weight for _, _, _, weight in ties]
    return graph


def _nodes(index: Index, namespace: str | None) -> Iterator[Node]:
    for segment in segments_of(index, namespace):
        yield from nodes(segment)


def _edges(index: Index, namespace: str | None) -> Iterator[Edge]:
    for segment in segments_of(index, namespace):
        yield from edges(segment, title_weight_of(index))


@contextmanager
def _replacing(paths: Sequence[Path]) -> Iterator[list[IO[str]]]:
    """Open files beside ``paths`` and put them in their place when the block ends well."""
    parts = [path.with_name(f".{path.name}.{secrets.token_hex(4)}.part") for path in paths]
    try:
        with ExitStack() as stack:
            # Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark.
            yield [stack.enter_context(open_private(part, errors="replace")) for part in parts]
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
