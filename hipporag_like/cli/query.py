"""``hipporag-like query``: the passages that answer a question best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from hipporag_like.types import Hit


def run(
    question: opt.QuestionArgument,
    index: opt.IndexOption,
    k: opt.KOption = None,
    method: opt.MethodOption = None,
    where: opt.WhereOption = [],  # noqa: B006  typer reads the default and hands over a fresh list
    namespace: opt.NamespaceOption = None,
    filter: opt.FilterOption = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
) -> None:
    """Find the passages for a question.

    With - as the question, questions are read from stdin, one a line. --json prints one object a line: rank,
    score, document_id, passage_id, title, text, signals and more.

    Example:
      hipporag-like query "Where was the director of Jaws born?" --index my_index -k 3
      hipporag-like query "heart attack" --index my_index --where "year>=2000" --json
    """
    from hipporag_like.cli._session import check_search, configure, open_index, read_questions
    from hipporag_like.cli._where import parse_where

    question = check_search(question, k, method, filter)
    filters = parse_where(where)
    settings = configure(config, index, embedder=embedder, llm=llm, base_url=base_url)
    questions = read_questions() if question == "-" else [question]
    rag = open_index(index, settings)
    found = rag.retrieve_many(questions, k, method=method, where=filters, namespace=namespace, filter=filter)
    print_hits = _print_json if json else _print_list
    for asked, hits in zip(questions, found, strict=True):
        print_hits(asked, hits, question == "-")


def _print_json(question: str, hits: list[Hit], many: bool) -> None:
    from hipporag_like.cli._json import emit, hit_row

    for hit in hits:
        emit({**hit_row(hit), "question": question} if many else hit_row(hit))


def _print_list(question: str, hits: list[Hit], many: bool) -> None:
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render import render_hits

    show(render_hits(hits, question if many else None))
