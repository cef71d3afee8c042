"""``hipporag-like explain``: why these passages."""

from __future__ import annotations

from hipporag_like.cli import _options as opt


def run(
    question: opt.QuestionArgument,
    index: opt.IndexOption,
    k: opt.KOption = None,
    method: opt.MethodOption = None,
    where: opt.WhereOption = [],  # noqa: B006  typer reads the default and hands over a fresh list
    namespace: opt.NamespaceOption = None,
    filter: opt.FilterOption = None,
    iterative: opt.IterativeOption = False,
    steps: opt.StepsOption = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
) -> None:
    """Show how a question led to its passages.

    The entities found in the question, the facts the walk used, each passage's share of every signal, and
    the path from the question to it; with --iterative also each step.

    Example:
      hipporag-like explain "Where was the director of Jaws born?" --index my_index
    """
    from hipporag_like.cli._costs import cost
    from hipporag_like.cli._session import check_search, check_steps, configure, open_index
    from hipporag_like.cli._where import parse_where

    question = check_search(question, k, method, filter)
    check_steps(iterative, steps)
    filters = parse_where(where)
    rag = open_index(index, configure(config, index, embedder=embedder, llm=llm, base_url=base_url))
    trace = rag.explain(
        question,
        k,
        method=method,
        where=filters,
        namespace=namespace,
        filter=filter,
        iterative=iterative,
        steps=steps,
    )
    spent = cost(trace.usage, rag.config)
    if json:
        from hipporag_like.cli._json import emit, trace_row

        emit(trace_row(trace, spent), indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render_trace import render_trace

    show(render_trace(trace, spent))
