"""``hipporag-like index``: documents to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hipporag_like.cli._costs import Cost
    from hipporag_like.progress import Track
    from hipporag_like.rag import HippoRAG
    from hipporag_like.types import Document, Failure, IndexReport


def run(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Files, folders, or - for text or JSON lines on stdin.",
            show_default=False,
        ),
    ],
    index: opt.IndexOption,
    extractor: opt.ExtractorOption = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print calls, tokens and money it would take; do nothing.")
    ] = False,
    namespace: opt.NamespaceOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    preset: opt.PresetOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Index files and folders, or bring an index up to date.

    Rows of .jsonl files carry _id (or id), title and text; anything else in them is metadata for --where.
    What did not change costs nothing, and a stopped run goes on where it stopped.

    Example:
      hipporag-like index notes/ papers.jsonl --index my_index
      cat notes.txt | hipporag-like index - --index my_index --namespace private
      hipporag-like index notes/ --index my_index --extractor llm --llm openai:gpt-4o-mini --estimate
    """
    from hipporag_like.cli._costs import cost
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure, load_sources, open_index
    from hipporag_like.types import IndexReport

    settings = configure(
        config, index, embedder=embedder, preset=preset, extractor=extractor, llm=llm, base_url=base_url
    )
    track = track_for(quiet)
    documents, failures = load_sources(sources, namespace, track)
    rag = open_index(index, settings, read_only=False)
    if failures and not documents:  # an index of nothing would only hide what went wrong
        report = IndexReport(failures=tuple(failures))
    elif estimate:
        _print_estimate(rag, documents, failures, json)
        return
    else:
        report = _index(rag, documents, failures, track)
    _print(report, cost(report.usage, rag.config), json, quiet)
    if failed(report):
        raise typer.Exit(2)


def _index(
    rag: HippoRAG, documents: Sequence[Document], failures: Sequence[Failure], track: Track
) -> IndexReport:
    from hipporag_like.errors import EndpointDownError

    try:
        return rag.index(documents, track=track, failures=failures)
    except EndpointDownError as error:
        raise EndpointDownError(
            f"{error}; what was done is kept, run the same command again to go on"
        ) from error


def failed(report: IndexReport) -> bool:
    """Return whether there were only failures: nothing that was handed in could be used."""
    return bool(report.failures) and not (report.added or report.updated or report.unchanged)


def _print_estimate(
    rag: HippoRAG, documents: Sequence[Document], failures: Sequence[Failure], json: bool
) -> None:
    estimate = rag.estimate(documents)
    if json:
        from hipporag_like.cli._json import emit, estimate_row

        emit(estimate_row(estimate, failures), indent=2)
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render_report import render_estimate, render_failures

    show(render_estimate(estimate))
    if failures:
        show(render_failures(failures), stderr=True)


def _print(report: IndexReport, cost: Cost, json: bool, quiet: bool) -> None:
    if json:
        from hipporag_like.cli._json import emit, report_row

        emit(report_row(report, cost), indent=2)
    elif failed(report):
        _print_failure(report.failures)
    else:
        from hipporag_like.cli._console import show
        from hipporag_like.cli._render_report import render_failures, render_report

        if not quiet:
            show(render_report(report, cost))
        if report.failures:
            show(render_failures(report.failures), stderr=True)


def _print_failure(failures: Sequence[Failure]) -> None:
    """Say why there is no result; the whole list comes first where there is more than one reason."""
    from hipporag_like.cli._errors import say

    if len(failures) > 1:
        from hipporag_like.cli._console import show
        from hipporag_like.cli._render_report import render_failures

        show(render_failures(failures), stderr=True)
    more = f", and {len(failures) - 1:,} more" if len(failures) > 1 else ""
    say(f"error: nothing could be indexed: {failures[0].source}: {failures[0].reason}{more}")
