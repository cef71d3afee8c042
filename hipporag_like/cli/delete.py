"""``hipporag-like delete``: documents out of an index."""

from __future__ import annotations

from typing import Annotated

import typer

from hipporag_like.cli import _options as opt


def run(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of documents.", show_default=False)],
    index: opt.IndexOption,
    namespace: opt.NamespaceOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Delete documents, as if they had never been indexed.

    Ids that are not in the index are named on stderr; it is an error only when none of them is.

    Example:
      hipporag-like delete report-2019 report-2020 --index my_index
    """
    from hipporag_like.cli._costs import cost
    from hipporag_like.cli._errors import say
    from hipporag_like.cli._session import open_index

    rag = open_index(index, read_only=False)
    report = rag.delete(ids, namespace=namespace)
    spent = cost(report.usage, rag.config)
    if json:
        from hipporag_like.cli._json import emit, report_row

        emit(report_row(report, spent), indent=2)
    elif report.deleted and not quiet:
        from hipporag_like.cli._console import show
        from hipporag_like.cli._render_report import render_report

        show(render_report(report, spent))
    missing = [failure.source for failure in report.failures if failure.source in ids]
    kind = "" if report.deleted else "error: "  # what was found is deleted, and the exit code says so
    for failure in report.failures:
        if failure.source not in missing:
            say(f"{kind}{failure.source}: {failure.reason}")
    if missing or not report.deleted:
        say(f"{kind}{index} holds no document {', '.join(missing or ids)}; query --json shows the ids")
    if not report.deleted:
        raise typer.Exit(2)
