"""``hipporag-like index``: documents to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hipporag_like.types import Failure, IndexReport


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
    namespace: opt.NamespaceOption = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Index files and folders, or bring an index up to date.

    Rows of .jsonl files carry _id (or id), title and text; anything else in them is metadata for --where.
    What did not change costs nothing, and a stopped run goes on where it stopped.

    Example:
      hipporag-like index notes/ papers.jsonl --index my_index
      cat notes.txt | hipporag-like index - --index my_index --namespace private
    """
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure, load_sources, open_index
    from hipporag_like.types import IndexReport

    settings = configure(config, index, embedder=embedder, extractor=extractor)
    track = track_for(quiet)
    documents, failures = load_sources(sources, namespace, track)
    if failures and not documents:  # an index of nothing would only hide what went wrong
        report = IndexReport(failures=tuple(failures))
    else:
        report = open_index(index, settings, read_only=False).index(documents, track=track, failures=failures)
    _print(report, json, quiet)
    if failed(report):
        raise typer.Exit(2)


def failed(report: IndexReport) -> bool:
    """Return whether there were only failures: nothing that was handed in could be used."""
    return bool(report.failures) and not (report.added or report.updated or report.unchanged)


def _print(report: IndexReport, json: bool, quiet: bool) -> None:
    if json:
        from hipporag_like.cli._json import emit, report_row

        emit(report_row(report), indent=2)
    elif failed(report):
        _print_failure(report.failures)
    else:
        from hipporag_like.cli._console import show
        from hipporag_like.cli._render_report import render_failures, render_report

        if not quiet:
            show(render_report(report))
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
