"""``hipporag-like experiment``: systems by data sets by metrics, with tests, costs and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hipporag_like.cli import _options as opt


def run(
    datasets: Annotated[
        list[str],
        typer.Argument(
            metavar="DATASET...",
            help="Data sets, as for eval; or sample, which comes with the package.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder of the experiment.", show_default=False),
    ],
    method: Annotated[
        list[str],
        typer.Option(
            metavar="METHOD",
            help="A method to evaluate; repeat it to compare several. All of them where none is given.",
            autocompletion=opt.complete_method,
            show_default=False,
        ),
    ] = [],  # noqa: B006  typer reads the default and hands over a fresh list
    runs: Annotated[
        list[str],
        typer.Option(
            "--run",
            metavar="NAME=FILE",
            help="Another system's TREC run, or a folder with a file DATASET.run for each data set; repeat it "
            "for more systems.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The system that the others are tested against; hybrid where it is among them.",
            show_default=False,
        ),
    ] = None,
    extractor: opt.ExtractorOption = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    embedder: opt.EmbedderOption = None,
    config: opt.ConfigOption = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only the first N questions of each data set.", show_default=False),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            help="Change each data set first: without_titles, without_titles_in_text, lower_cased, shuffled, "
            "renamed or with_misspelt_names.",
            show_default=False,
        ),
    ] = None,
    read: Annotated[bool, typer.Option("--read/--no-read", help="Also answer the questions.")] = True,
    index_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the indexes are kept or already are, one folder a data set; inside --out where none is given.",
            show_default=False,
        ),
    ] = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Compare methods and other systems' runs on data sets.

    Each data set is indexed once for all methods. What is finished is kept: a stopped run goes on where it
    stopped, and a system or data set may be added later. results.json, report.html and report.md are in --out.

    Example:
      hipporag-like experiment sample --out my_experiment
      hipporag-like experiment data/musique data/hotpot --method graph --method hybrid --out my_experiment
      hipporag-like experiment data/musique --run theirs=theirs.run --baseline theirs --out my_experiment
    """
    from hipporag_like.cli._errors import say
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure
    from hipporag_like.cli.eval import find_dataset
    from hipporag_like.config import METHODS
    from hipporag_like.errors import EndpointDownError
    from hipporag_like.eval.plan import make_plan
    from hipporag_like.eval.runner import run_experiment

    plan = make_plan(
        datasets,
        out,
        methods=tuple(method) or METHODS,
        runs=_named(runs),
        baseline=baseline,
        config=configure(config, embedder=embedder, extractor=extractor, llm=llm, base_url=base_url),
        limit=limit,
        condition=condition,
        read=read,
        index_root=index_root,
        find=find_dataset,
    )
    try:
        results = run_experiment(plan, progress=track_for(quiet), tell=_quiet if quiet else say)
    except EndpointDownError as error:
        raise EndpointDownError(
            f"{error}; what is finished is kept, run the same command again to go on"
        ) from error
    written = _report(out, quiet)
    _print(results, [out / "results.json", *written], json, quiet)


def _quiet(message: str) -> None:
    """Take a message that nobody wants."""


def _named(runs: list[str]) -> dict[str, str]:
    """Return what ``NAME=FILE`` gives, by name.

    Raises
    ------
    UsageError
        It is something else, or a name stands for two files.
    """
    from hipporag_like.errors import UsageError

    named: dict[str, str] = {}
    for text in runs:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--run takes NAME=FILE, such as theirs=theirs.run; got {text!r}")
        if name in named:
            raise UsageError(f"two runs are called {name}; give each its own name")
        named[name] = path
    return named


def _report(folder: Path, quiet: bool) -> list[Path]:
    """Write the report and return the pages that a person opens."""
    from hipporag_like.cli._errors import say
    from hipporag_like.eval.report import write_report
    from hipporag_like.eval.report_plots import missing_plots

    problem = missing_plots()
    if problem is not None and not quiet:
        say(f"{problem}; the report is written without plots")
    return [path for path in write_report(folder) if path.parent == folder]


def _print(results: dict[str, Any], written: list[Path], json: bool, quiet: bool) -> None:
    if json:
        from hipporag_like.cli._json import emit

        emit(results, indent=2)
    elif not quiet:
        from hipporag_like.cli._console import show
        from hipporag_like.cli._render_experiment import render_experiment

        show(render_experiment(results, [str(path) for path in written]))
