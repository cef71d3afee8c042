"""Pictures of one question: the graph around it, the shares of each hit, the walk's seeds. Needs matplotlib.

For notebooks and studies. A function returns a ``matplotlib.figure.Figure``; nothing is shown or written.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hipporag_like.types import Hit, Trace

if TYPE_CHECKING:
    from hipporag_like.rag import HippoRAG

# Okabe and Ito's palette, which colour-blind readers tell apart.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "graph": "#0072B2",
        "hipporag2": "#D55E00",
        "hipporag": "#CC79A7",
        "hybrid": "#009E73",
        "dense": "#E69F00",
        "bm25": "#56B4E9",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {"question": "#222222", "entity": "#0072B2", "fact": "#BBBBBB", "passage": "#E69F00"}
)
FAINT = "#555555"
# Signals in the order in which they come, whatever they are called.
SHARES = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#D55E00", "#F0E442", "#999999")


def plain_axes(ax: Any) -> Any:
    """Return ``ax`` without the lines above and to the right, which say nothing."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def short(text: str, longest: int = 28) -> str:
    """Return ``text`` on one line, cut at a word where it is longer."""
    return textwrap.shorten(text, longest, placeholder="…")


def walk_graph(rag: HippoRAG, trace: Trace, hits: int = 4, entities: int = 10, facts: int = 5) -> Any:
    """Return the part of the graph that a question's answer lies in, as a ``networkx.Graph``.

    Parameters
    ----------
    hits, entities, facts
        How many of the best: passages; entities, first those of the paths, then those that tie two passages, then
        by seed weight; and facts by the walk, those of the paths in any case.

    Returns
    -------
    networkx.Graph
        Part of :meth:`HippoRAG.to_networkx`, with a node ``question`` that is tied to the seeds. Edges on a hit's
        path have ``path=True``.
    """
    import networkx as nx

    whole = rag.to_networkx()
    best = trace.hits[:hits]
    passages = {hit.passage.id for hit in best}
    steps = {(step.kind, step.text) for hit in best for step in hit.path}
    told = {text for kind, text in steps if kind == "fact"}
    told |= {scored.fact.text for scored in trace.facts[:facts]}
    kept = [
        node
        for node, data in whole.nodes(data=True)
        if data.get("passage_id") in passages and (data["kind"] == "passage" or data["text"] in told)
    ]
    weights = {seed.entity: seed.weight for seed in reversed(trace.seeds)}
    near = {n for node in kept for n in whole[node] if whole.nodes[n]["kind"] == "entity"}
    spans = {n: len({whole.nodes[m]["passage_id"] for m in whole[n] if m in kept}) for n in near}

    def rank(node: str) -> tuple[bool, bool, float, str]:
        name = whole.nodes[node]["name"]
        return ("entity", name) not in steps, spans[node] < 2, -weights.get(name, 0.0), node

    order = sorted(near, key=rank)
    part = nx.Graph(whole.subgraph([*kept, *order[:entities]]))
    part.add_node("question", kind="question", name=trace.question)
    asked = [n for n in part if part.nodes[n]["kind"] == "entity" and part.nodes[n]["name"] in weights]
    part.add_edges_from(("question", n, {"kind": "seed", "weight": 1.0}) for n in asked)
    part.remove_nodes_from([n for n in list(part) if part.degree(n) == 0])
    _mark_paths(part, best)
    ranks = {hit.passage.id: hit.rank for hit in best}
    for _, data in part.nodes(data=True):
        if data["kind"] == "passage":
            data["rank"] = ranks[data["passage_id"]]
    return part


def _mark_paths(graph: Any, hits: Sequence[Hit]) -> None:
    """Set ``path=True`` on the edges that a hit's path goes along."""
    said = {(data["kind"], data.get("name") or data.get("text", "")): n for n, data in graph.nodes(data=True)}
    for hit in hits:
        nodes = [said.get((step.kind, step.text)) for step in hit.path]
        for one, other in itertools.pairwise(nodes):
            if one is not None and other is not None:
                graph.add_edge(
                    one, other, path=True
                )  # a title is tied to the facts below it, name or no name


def draw_walk(rag: HippoRAG, trace: Trace, hits: int = 4, entities: int = 10, facts: int = 5) -> Any:
    """Return a picture of :func:`walk_graph`: question, entities, facts, passages; thick lines are the hits' paths."""
    from matplotlib.figure import Figure

    graph = walk_graph(rag, trace, hits, entities, facts)
    places = _columns(graph)
    tallest = max(sum(1 for x, _ in places.values() if x == column) for column in range(4))
    figure = Figure(figsize=(11, max(3.0, 0.62 * tallest)))
    ax = figure.add_axes((0, 0, 1, 1))
    for one, other, tie in graph.edges(data=True):
        (x1, y1), (x2, y2) = places[one], places[other]
        colour, width = ("#333333", 2.0) if tie.get("path") else ("#CCCCCC", 1.0)
        ax.plot([x1, x2], [y1, y2], color=colour, linewidth=width, zorder=2 if tie.get("path") else 1)
    for node, (x, y) in places.items():
        _draw_node(ax, x, y, graph.nodes[node])
    for column, title in enumerate(("question", "entities", "facts", "passages")):
        ax.text(column, 1.03, title, ha="center", fontsize=9, color=FAINT)
    ax.set(xlim=(-0.4, 3.4), ylim=(0, 1.08))
    ax.set_axis_off()
    return figure


def _draw_node(ax: Any, x: float, y: float, data: Mapping[str, Any]) -> None:
    """Write one node into its box."""
    wide = 42 if data["kind"] == "fact" else 24
    label = short(data.get("name") or data.get("text", ""), (4 if data["kind"] == "question" else 2) * wide)
    if "rank" in data:
        label = f"{data['rank']}. {label}"
    ax.text(
        x,
        y,
        "\n".join(textwrap.wrap(label, wide)),
        ha="center",
        va="center",
        fontsize=8,
        color="white" if data["kind"] in ("question", "entity") else "black",
        bbox={"boxstyle": "round,pad=0.35", "fc": KINDS[data["kind"]], "ec": "none"},
        zorder=3,
    )


def _columns(graph: Any) -> dict[str, tuple[float, float]]:
    """Return a place for each node: a column a kind; passages by rank, others as high as their neighbours are."""
    places: dict[str, tuple[float, float]] = {}
    kinds = ("passage", "fact", "entity", "question")
    for kind in kinds:
        nodes = [n for n, data in graph.nodes(data=True) if data["kind"] == kind]
        heights = {n: [places[m][1] for m in graph[n] if m in places] for n in nodes}
        order = sorted(
            nodes,
            key=lambda n: (graph.nodes[n].get("rank", 0), -sum(heights[n]) / max(1, len(heights[n])), n),
        )
        for at, node in enumerate(order):
            places[node] = (float(3 - kinds.index(kind)), 1 - (at + 0.5) / len(order))
    return places


def draw_shares(hits: Sequence[Hit]) -> Any:
    """Return a picture of what each signal gave each hit; the bars of a hit add up to its score."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.8 + 0.42 * len(hits)), layout="constrained")
    ax = plain_axes(figure.subplots())
    names = list(dict.fromkeys(name for hit in hits for name in hit.signals))
    up, down = [0.0] * len(hits), [0.0] * len(hits)
    for number, name in enumerate(names):
        values = [hit.signals.get(name, 0.0) for hit in hits]
        left = [u if v >= 0 else d for u, d, v in zip(up, down, values, strict=True)]
        colour = SHARES[number % len(SHARES)]
        ax.barh(range(len(hits)), values, left=left, color=colour, height=0.7, label=name)
        up = [u + max(v, 0.0) for u, v in zip(up, values, strict=True)]
        down = [d + min(v, 0.0) for d, v in zip(down, values, strict=True)]
    ax.set_yticks(range(len(hits)), [f"{hit.rank}. {short(hit.passage.title)}" for hit in hits])
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel("share of the score")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return figure


def draw_weights(rows: Sequence[tuple[str, float]], label: str, colour: str = KINDS["entity"]) -> Any:
    """Return bars of named weights, the first on top: seeds, or facts by what the walk left on them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.8 + 0.36 * len(rows)), layout="constrained")
    ax = plain_axes(figure.subplots())
    ax.barh(range(len(rows)), [weight for _, weight in rows], color=colour, height=0.65)
    ax.set_yticks(range(len(rows)), [short(name, 60) for name, _ in rows])
    ax.invert_yaxis()
    ax.set_xlabel(label)
    return figure
