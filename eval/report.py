"""From an experiment's ``results.json`` to what people read: markdown, plots and one HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.eval.report_content import make_page
from hipporag_like.eval.report_html import to_html
from hipporag_like.eval.report_markdown import to_markdown
from hipporag_like.eval.report_plots import draw_figures, missing_plots
from hipporag_like.eval.results import RESULTS, load_results
from hipporag_like.store.files import file_errors, make_folder, write_private

PLOTS = "plots"
_PARTS = {"made": dict, "config": dict, "datasets": dict, "systems": dict, "results": dict, "baseline": str}


def write_report(folder: Path) -> list[Path]:
    """Write ``report.md``, ``report.html`` and ``plots/*.svg`` beside the results; equal results, equal bytes.

    Where matplotlib is missing, the tables are written all the same, and a sentence says how to get the plots;
    :func:`hipporag_like.eval.report_plots.missing_plots` tells beforehand.

    Parameters
    ----------
    folder
        An experiment's folder, with ``results.json`` in it.

    Returns
    -------
    list of Path
        What was written: the HTML page, the markdown, then the plots.

    Raises
    ------
    InputError
        There are no results, or they are not of the form that an experiment writes.
    """
    results = _read(folder)
    try:
        files = _files(folder, results)
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        # Deep inside, its form shows where it is used: an experiment writes some 300 places for each system.
        raise InputError(
            f"{folder / RESULTS} is not of the form that an experiment writes ({type(error).__name__}: {error}); "
            "run the experiment again with this version"
        ) from error
    for path, text in files.items():
        make_folder(path.parent)
        with file_errors("write", path):
            write_private(path, text)
    return list(files)


def _files(folder: Path, results: Mapping[str, Any]) -> dict[Path, str]:
    """Return the content of each file of a report."""
    problem = missing_plots()
    figures = {} if problem else draw_figures(results["results"], list(results["systems"]))
    page = make_page(results, figures, str(problem or ""))
    files = {folder / "report.html": to_html(page), folder / "report.md": to_markdown(page)}
    for kind in figures.values():
        files.update({folder / PLOTS / f"{figure.stem}.svg": figure.svg for figure in kind})
    return files


def _read(folder: Path) -> dict[str, Any]:
    """Return what ``results.json`` in ``folder`` holds, once its form is checked."""
    results = load_results(folder)
    fault = _fault(results)
    if fault:
        raise InputError(f"{folder / RESULTS} {fault}; run the experiment again with this version")
    return results


def _fault(results: Mapping[str, Any]) -> str:
    """Return what is wrong with the form, or ``""``."""
    for name, kind in _PARTS.items():
        if not isinstance(results.get(name), kind):
            return f"has no {name}"
    if not results["results"]:
        return "has no finished data set"
    faults = (_fault_of(name, systems, results) for name, systems in results["results"].items())
    return next(filter(None, faults), "")


def _fault_of(dataset: str, systems: Any, results: Mapping[str, Any]) -> str:
    """Return what is wrong with the results of one data set, or ``""``."""
    if not isinstance(systems, Mapping) or not systems:
        return f"has no systems for {dataset!r}"
    if not isinstance(results["datasets"].get(dataset), Mapping):
        return f"does not describe the data set {dataset!r}"
    for name, system in systems.items():
        if not isinstance(results["systems"].get(name), Mapping):
            return f"does not describe the system {name!r}"
        if not isinstance(system, Mapping) or not isinstance(system.get("scores"), Mapping):
            return f"has no scores of {name!r} on {dataset!r}"
    return ""
