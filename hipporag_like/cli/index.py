"""``hipporag-like index``: documents to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from hipporag_like.types import IndexReport


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

    settings = configure(config, embedder=embedder, extractor=extractor)
    track = track_for(quiet)
    documents, failures = load_sources(sources, namespace, track)
    rag = open_index(index, settings, read_only=False)
    report = rag.index(documents, track=track, failures=failures)
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
        return
    from hipporag_like.cli._console import show
    from hipporag_like.cli._render_report import render_failures, render_report

    if not quiet:
        show(render_report(report))
    if report.failures:
        show(render_failures(report.failures), stderr=True)
