"""``hipporag-like ask``: an answer, and the words it rests on."""

from __future__ import annotations

from typing import Annotated

import typer

from hipporag_like.cli import _options as opt


def run(
    question: opt.QuestionArgument,
    index: opt.IndexOption,
    k: opt.KOption = 5,
    reader: Annotated[
        str | None,
        typer.Option(
            metavar="READER",
            help="Who reads the passages: extractive, which needs no model.",
            autocompletion=opt.complete_reader,
            show_default=False,
        ),
    ] = None,
    method: opt.MethodOption = None,
    where: opt.WhereOption = [],  # noqa: B006  typer reads the default and hands over a fresh list
    namespace: opt.NamespaceOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
) -> None:
    """Answer a question, with citations.

    --json prints one object: answer (null where the passages hold none), citations (document_id, passage_id,
    quote, start, end, title), confidence, reader, usage, found, question.

    Example:
      hipporag-like ask "Where was the director of Jaws born?" --index my_index
    """
    from hipporag_like.cli._session import check_search, configure, open_index
    from hipporag_like.cli._where import parse_where

    question = check_search(question, k, method)
    filters, settings = parse_where(where), configure(config, index, embedder=embedder, reader=reader)
    rag = open_index(index, settings)
    answer = rag.ask(question, k, method=method, where=filters, namespace=namespace)
    if json:
        from hipporag_like.cli._json import answer_row, emit

        emit(answer_row(answer), indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render import render_answer

    show(render_answer(answer))
