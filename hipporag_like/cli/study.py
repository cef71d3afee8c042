"""``hipporag-like study``: growth, path finding, knobs and robustness, as the papers study them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hipporag_like.cli import _options as opt

if TYPE_CHECKING:
    from hipporag_like.eval.questions import Dataset
    from hipporag_like.eval.studies.bench import Bench

STUDIES = ("growth", "paths", "knobs", "robustness")


def _complete_study(incomplete: str) -> list[str]:
    return [name for name in STUDIES if name.startswith(incomplete)]


def run(
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY",
            help="growth (the corpus comes in segments), paths (questions that have to find a path), knobs (one "
            "option at a time) or robustness (no titles, misspelt names, distractors, ...).",
            autocompletion=_complete_study,
            show_default=False,
        ),
    ],
    dataset: Annotated[
        list[str],
        typer.Argument(
            metavar="DATASET...",
            help="Data sets as for eval; or sample or sample-paths, which come with the package.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Write STUDY.json, STUDY.md and pictures here.", show_default=False
        ),
    ],
    method: Annotated[
        list[str],
        typer.Option(
            metavar="METHOD",
            help="A method to study; repeat it. Each study has its own choice where none is given.",
            autocompletion=opt.complete_method,
            show_default=False,
        ),
    ] = [],  # noqa: B006  typer reads the default and hands over a fresh list
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only the first N questions of each data set.", show_default=False),
    ] = None,
    segments: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="growth: in how many segments; 4 where none is given.", show_default=False
        ),
    ] = None,
    many: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="paths: a starting point leads to many passages where more than N name it; 5 where none is given.",
            show_default=False,
        ),
    ] = None,
    knob: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUES",
            help="knobs: turn this one only, as search.damping=0.5,0.7,0.9; repeat it for several.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    condition: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="robustness: only this condition, as without_titles; repeat it for several.",
            show_default=False,
        ),
    ] = [],  # noqa: B006
    distractors: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET",
            help="robustness: add the documents of this one; the next DATASET where none is given.",
            show_default=False,
        ),
    ] = None,
    index_root: Annotated[
        Path | None,
        typer.Option(
            "--index-root",
            metavar="DIR",
            help="Indexes by data set, made where they are missing; in --out where none is given.",
            show_default=False,
        ),
    ] = None,
    extractor: opt.ExtractorOption = None,
    embedder: opt.EmbedderOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Study growth, path finding, options and robustness.

    Every difference is tested on pairs of answers to the same question, and corrected for the number of tests.

    Example:
      hipporag-like study growth sample --out studies --segments 4
      hipporag-like study robustness data/musique --out studies --condition without_titles
    """
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure
    from hipporag_like.eval.studies.bench import Bench
    from hipporag_like.eval.studies.write import write_study

    own = {
        "segments": segments,
        "many": many,
        "knob": knob,
        "condition": condition,
        "distractors": distractors,
    }
    _check(study, own, out)
    datasets = _load(dataset)
    options = configure(config, embedder=embedder, extractor=extractor)
    bench = Bench(index_root or out / "indexes", options, progress=track_for(quiet))
    results = {}
    for number, data in enumerate(datasets):
        following = datasets[(number + 1) % len(datasets)] if len(datasets) > 1 else None
        results[data.name] = _run(study, data, bench, tuple(method), limit, own, following)
    written = write_study(out, study, results, _made())
    if json:
        from hipporag_like.cli._json import emit

        emit({"study": study, "datasets": results}, indent=2)
    elif not quiet:
        _print(study, results, written)


_BELONGS = {
    "segments": "growth",
    "many": "paths",
    "knob": "knobs",
    "condition": "robustness",
    "distractors": "robustness",
}


def _check(study: str, own: dict[str, Any], out: Path) -> None:
    """Refuse what no study could do with, before minutes of work.

    Raises
    ------
    UsageError
        There is no such study, an option belongs to another one, or ``out`` is a file.
    """
    from hipporag_like.errors import UsageError

    if study not in STUDIES:
        raise UsageError(f"there is no study {study!r}; there are {', '.join(STUDIES)}")
    for name, value in own.items():
        if value not in (None, []) and _BELONGS[name] != study:
            raise UsageError(f"--{name} belongs to the study {_BELONGS[name]}; leave it out of {study}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; name a folder to write to")


def _load(names: list[str]) -> list[Dataset]:
    from hipporag_like.cli._session import sample_folder
    from hipporag_like.cli.eval import find_dataset
    from hipporag_like.errors import UsageError
    from hipporag_like.eval.datasets import load_dataset
    from hipporag_like.eval.studies import sample_paths

    datasets = []
    for name in names:
        if name == sample_paths.NAME and not Path(name).exists():
            datasets.append(sample_paths.sample_paths(sample_folder()))
        else:
            datasets.append(load_dataset(find_dataset(name)))
    seen = [data.name for data in datasets]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        raise UsageError(f"two data sets are called {twice[0]}; rename one of the folders or files")
    return datasets


def _run(
    study: str,
    data: Dataset,
    bench: Bench,
    methods: tuple[str, ...],
    limit: int | None,
    own: dict[str, Any],
    following: Dataset | None,
) -> dict[str, Any]:
    """Return what a study finds on one data set."""
    from hipporag_like.eval.studies import growth, knobs, path_finding, robustness

    if study == "growth":
        segments = own["segments"] if own["segments"] is not None else growth.SEGMENTS
        return growth.growth(data, bench, methods or growth.METHODS, segments, limit)
    if study == "paths":
        many = own["many"] if own["many"] is not None else path_finding.MANY
        return path_finding.path_finding(data, bench, methods or path_finding.METHODS, many, limit)
    if study == "knobs":
        chosen = [knobs.knob_of(text) for text in own["knob"]] or knobs.KNOBS
        return knobs.knobs(data, bench, methods, chosen, limit)
    if own["distractors"] is not None:
        (following,) = _load([own["distractors"]])
    return robustness.robustness(
        data, bench, methods or robustness.METHODS, own["condition"], following, limit
    )


def _made() -> dict[str, Any]:
    """Return when and with what the numbers were made."""
    from hipporag_like.eval.machine import made_with

    return made_with()


def _print(study: str, results: dict[str, Any], written: list[Path]) -> None:
    from rich.text import Text

    from hipporag_like.cli._console import FAINT, Live, show
    from hipporag_like.eval.studies.tables import markdown

    with Live() as live:  # a row of a table stays one line, however wide
        live.write(markdown(study, results).rstrip("\n"), "")
    names = ", ".join(path.name for path in written)
    show(Text(f"wrote {names} to {written[0].parent}", style=FAINT), stderr=True)
