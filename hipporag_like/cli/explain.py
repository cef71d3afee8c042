"""``hipporag-like explain``: why these passages."""

from __future__ import annotations

from hipporag_like.cli import _options as opt


def run(
    question: opt.QuestionArgument,
    index: opt.IndexOption,
    k: opt.KOption = 5,
    method: opt.MethodOption = None,
    where: opt.WhereOption = [],  # noqa: B006  typer reads the default and hands over a fresh list
    namespace: opt.NamespaceOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
) -> None:
    """Show how a question led to its passages.

    The entities found in the question, the facts the walk used, each passage's share of every signal, and
    the path from the question to it.

    Example:
      hipporag-like explain "Where was the director of Jaws born?" --index my_index
    """
    from hipporag_like.cli._session import check_search, configure, open_index
    from hipporag_like.cli._where import parse_where

    question = check_search(question, k, method)
    filters, settings = parse_where(where), configure(config, index, embedder=embedder)
    trace = open_index(index, settings).explain(
        question, k, method=method, where=filters, namespace=namespace
    )
    if json:
        from hipporag_like.cli._json import emit, trace_row

        emit(trace_row(trace), indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render_trace import render_trace

    show(render_trace(trace))
