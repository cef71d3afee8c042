"""``hipporag-like repair``: an index made whole from what is left of it."""

from __future__ import annotations

from typing import Annotated

import typer

from hipporag_like.cli import _options as opt

ModelsOption = Annotated[
    bool, typer.Option("--models", help="Let the index's own models make what the journal lacks.")
]


def run(
    index: opt.IndexOption,
    models: ModelsOption = False,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Make a damaged index whole again, without calling a model.

    Snapshots are made from the journal. Of a damaged journal all that can be read is saved, and the damaged
    file is kept beside it. Exits with 1 where something was lost.

    Example:
      hipporag-like repair --index my_index
    """
    from hipporag_like.cli._errors import say
    from hipporag_like.cli._progress import track_for
    from hipporag_like.rag import HippoRAG

    repaired = HippoRAG(index).repair(models=models, track=track_for(quiet or json))
    if json:
        from hipporag_like.cli._json import emit

        done, lost = list(repaired.done), list(repaired.lost)
        emit({"index": str(index), "done": done, "lost": lost, "snapshot": repaired.snapshot}, indent=2)
    elif not quiet:
        for step in repaired.done:
            typer.echo(step)
        if not repaired.done:
            say(f"nothing to do: {index} is sound")
    for what in repaired.lost:
        say(f"lost: {what}")
    if repaired.lost:
        raise typer.Exit(1)
