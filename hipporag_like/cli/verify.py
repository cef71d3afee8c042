"""``hipporag-like verify``: whether an index is what was written."""

from __future__ import annotations

import typer

from hipporag_like.cli import _options as opt


def run(index: opt.IndexOption, json: opt.JsonOption = False, quiet: opt.QuietOption = False) -> None:
    """Read all of an index and say what is damaged, if anything.

    Exits with 0 where it is sound and with 1 where it is not; each line names a file and what helps.

    Example:
      hipporag-like verify --index my_index
    """
    from hipporag_like.cli._errors import say
    from hipporag_like.rag import HippoRAG

    findings = HippoRAG(index).verify()
    if json:
        from hipporag_like.cli._json import emit

        rows = [{"file": f.file, "what": f.what, "remedy": f.remedy} for f in findings]
        emit({"index": str(index), "sound": not findings, "findings": rows}, indent=2)
    else:
        for finding in findings:
            typer.echo(finding.sentence)
    if findings:
        raise typer.Exit(1)
    if not json and not quiet:
        say(f"{index} is sound")
