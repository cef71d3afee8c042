"""``hipporag-like stats``: what an index holds."""

from __future__ import annotations

from hipporag_like.cli import _options as opt


def run(index: opt.IndexOption, namespace: opt.NamespaceOption = None, json: opt.JsonOption = False) -> None:
    """Show what an index holds.

    Example:
      hipporag-like stats --index my_index
    """
    from hipporag_like.cli._session import open_index

    stats = open_index(index).stats(namespace=namespace)
    if json:
        from hipporag_like.cli._json import emit

        emit(stats, indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render_report import render_mapping

    show(render_mapping(stats))
