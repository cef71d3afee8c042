"""``hipporag-like ask``: an answer, and the words it rests on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from hipporag_like.models.streaming import AnswerStream
    from hipporag_like.types import Answer


def run(
    question: opt.QuestionArgument,
    index: opt.IndexOption,
    k: opt.ReadKOption = None,
    reader: opt.ReaderOption = None,
    method: opt.MethodOption = None,
    where: opt.WhereOption = [],  # noqa: B006  typer reads the default and hands over a fresh list
    namespace: opt.NamespaceOption = None,
    filter: opt.FilterOption = None,
    iterative: opt.IterativeOption = False,
    steps: opt.StepsOption = None,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Write the answer as it comes in; on a terminal it is, else not.",
            show_default=False,
        ),
    ] = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
) -> None:
    """Answer a question, with citations.

    --json prints one object: answer (null where the passages hold none), citations (document_id, passage_id,
    quote, start, end, title), confidence, reader, usage, found, question and more.

    Example:
      hipporag-like ask "Where was the director of Jaws born?" --index my_index
      hipporag-like ask "Who?" --index my_index --llm openai:gpt-4o-mini --reader llm --iterative
    """
    from hipporag_like.cli._costs import cost
    from hipporag_like.cli._session import check_search, check_steps, configure, open_index
    from hipporag_like.cli._where import parse_where

    question = check_search(question, k, method, filter)
    check_steps(iterative, steps)
    live = _streams(stream, json)
    asked: dict[str, Any] = {
        "method": method,
        "where": parse_where(where),
        "namespace": namespace,
        "filter": filter,
        "iterative": iterative,
        "steps": steps,
    }
    settings = configure(config, index, embedder=embedder, reader=reader, llm=llm, base_url=base_url)
    rag = open_index(index, settings)
    if live:
        answer = _write(rag.stream(question, k, **asked))
    else:
        answer = rag.ask(question, k, **asked)
    spent = cost(answer.usage, rag.config)
    if json:
        from hipporag_like.cli._json import answer_row, emit

        emit(answer_row(answer, spent), indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render import render_answer, render_support

    show(render_support(answer, spent) if live else render_answer(answer, spent))


def _streams(asked: bool | None, json: bool) -> bool:
    from hipporag_like.errors import UsageError

    if asked and json:
        raise UsageError("--json prints one object and --stream the answer as it comes; choose one of them")
    return not json and (sys.stdout.isatty() if asked is None else asked)


def _write(stream: AnswerStream) -> Answer:
    """Write an answer as it comes in, up to the marks of its citations, and return it."""
    from hipporag_like.cli._console import ACCENT, GOOD, STRONG, Live
    from hipporag_like.cli._render import NO_ANSWER, citation_marks
    from hipporag_like.models.streaming import NOT_FOUND

    with Live() as live:
        for piece in stream:
            live.write(NO_ANSWER if piece == NOT_FOUND else piece, STRONG if piece == NOT_FOUND else GOOD)
        marks = citation_marks(stream.answer)
        if marks:
            live.write(" ", "")
            live.write(marks.plain, ACCENT)
    return stream.answer
