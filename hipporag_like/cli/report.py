"""``hipporag-like report``: an experiment as people read it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hipporag_like.cli import _options as opt


def run(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The folder of an experiment.", show_default=False),
    ],
    quiet: opt.QuietOption = False,
) -> None:
    """Write the report of an experiment.

    Makes report.html, report.md and plots from results.json in DIR, and prints what it wrote.

    Example:
      hipporag-like report my_experiment
    """
    from hipporag_like.cli._errors import say
    from hipporag_like.eval.report import write_report
    from hipporag_like.eval.report_plots import missing_plots

    for path in write_report(folder):
        sys.stdout.write(f"{path}\n")
    problem = missing_plots()
    if problem is not None and not quiet:
        say(f"{problem}; the tables are written without them")
