"""``hipporag-like export``: the graph for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hipporag_like.cli import _options as opt


def run(
    index: opt.IndexOption,
    format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="graphml (Gephi, yEd, networkx), json (nodes and links) or csv (nodes in FILE, edges in "
            "FILE_edges).",
            autocompletion=opt.complete_format,
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.", show_default=False)],
    namespace: opt.NamespaceOption = None,
    quiet: opt.QuietOption = False,
) -> None:
    """Write the graph for other programs.

    Example:
      hipporag-like export --index my_index --format graphml --out graph.graphml
    """
    from hipporag_like.cli._errors import say
    from hipporag_like.cli._session import open_index
    from hipporag_like.errors import UsageError

    if format not in opt.FORMATS:
        raise UsageError(f"format must be one of {', '.join(opt.FORMATS)}, got {format!r}")
    counts = open_index(index).export(format, out, namespace=namespace)
    if not quiet:
        say(f"wrote {out}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
