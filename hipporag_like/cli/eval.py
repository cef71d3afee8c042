"""``hipporag-like eval``: how well each method does on questions with known answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from hipporag_like.cli import _options as opt

SAMPLE = "sample"


def run(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET",
            help="A folder with corpus.jsonl and questions.jsonl; a MuSiQue, HotpotQA, 2WikiMultiHopQA, "
            "OSU HippoRAG or BEIR file; or sample, which comes with the package.",
            show_default=False,
        ),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            "--index", metavar="DIR", help="Keep the index here, or use the one here.", show_default=False
        ),
    ] = None,
    method: Annotated[
        list[str],
        typer.Option(
            metavar="METHOD",
            help="A method to evaluate; repeat it to compare several. graph where none is given.",
            autocompletion=opt.complete_method,
            show_default=False,
        ),
    ] = [],  # noqa: B006  typer reads the default and hands over a fresh list
    extractor: opt.ExtractorOption = None,
    filter: opt.FilterOption = None,
    llm: opt.LLMOption = None,
    base_url: opt.BaseUrlOption = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Only the first N questions.", show_default=False)
    ] = None,
    config: opt.ConfigOption = None,
    embedder: opt.EmbedderOption = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the numbers to this file; - is stdout.", show_default=False),
    ] = None,
    run_out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the rankings as a TREC run; with several methods one file each, named after it.",
            show_default=False,
        ),
    ] = None,
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="Show where public data sets come from, or the one called DATASET; with --out, fetch it.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where --download puts the files.", show_default=False),
    ] = None,
    quiet: opt.QuietOption = False,
) -> None:
    """Measure recall and answers on questions with known answers.

    Recalls, em and f1 are in percent, over all questions that can be judged.

    Example:
      hipporag-like eval sample --method graph --method dense
      hipporag-like eval data/musique --index musique_index --limit 100 --json numbers.json
      hipporag-like eval sample --method hybrid --run-out hybrid.run
      hipporag-like eval musique --download --out data/musique
    """
    from hipporag_like.cli._download import offer
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure
    from hipporag_like.errors import UsageError
    from hipporag_like.eval.experiment import build_and_evaluate

    _require_writable(json, "--json")
    if download:
        _require_alone({"--index": index, "--method": method, "--limit": limit, "--run-out": run_out})
        offer(dataset, out, json, track_for(quiet), quiet)
        return
    if dataset is None or out is not None:
        wrong = "name a DATASET, such as sample" if dataset is None else "--out goes with --download"
        raise UsageError(f"{wrong}; see hipporag-like eval --help")
    methods = tuple(dict.fromkeys(method)) or ("graph",)
    place = find_dataset(dataset)
    if run_out is not None:
        _require_run(run_out, methods, place)
    numbers = build_and_evaluate(
        place,
        index,
        methods,
        extractor,
        limit,
        configure(config, index, embedder=embedder, llm=llm, base_url=base_url, filter=filter),
        details=run_out is not None,
        progress=track_for(quiet),
    )
    if run_out is not None:
        _write_runs(numbers, run_out)
    if json is not None:
        _write(numbers, json)
    if json != Path("-") and not quiet:
        _print(numbers)


def _require_alone(given: dict[str, Any]) -> None:
    from hipporag_like.errors import UsageError

    extra = [name for name, value in given.items() if value]
    if extra:
        raise UsageError(f"--download evaluates nothing, so {extra[0]} has no meaning; leave it out")


def _run_files(path: Path, methods: Iterable[str]) -> dict[str, Path]:
    """Return the run file of each method; of a single method it is the one that was named."""
    names = tuple(methods)
    if len(names) == 1:
        return {names[0]: path}
    return {name: path.with_name(f"{path.stem}.{name}{path.suffix}") for name in names}


def _require_run(path: Path, methods: tuple[str, ...], dataset: Path) -> None:
    from hipporag_like.eval.datasets import load_dataset
    from hipporag_like.eval.trec import require_words

    for file in _run_files(path, methods).values():
        _require_writable(file, "--run-out")
    require_words(load_dataset(dataset))


def _write_runs(numbers: dict[str, Any], path: Path) -> None:
    """Write the rankings, and leave out of the numbers what was kept for them alone."""
    from hipporag_like.eval.trec import write_run

    files = _run_files(path, numbers["systems"])
    for method, system in numbers["systems"].items():
        rows = system.pop("details")
        rankings = {
            row["id"]: list(zip(row["ranking"], row["scores_of_ranking"], strict=True)) for row in rows
        }
        write_run(files[method], rankings, method)


def _require_writable(path: Path | None, option: str) -> None:
    """Refuse at once what could not be written after minutes of work."""
    from hipporag_like.errors import UsageError

    if path is not None and path.is_dir():
        raise UsageError(f"{option} {path} is a folder; name a file to write")
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist; make it or write elsewhere")


def find_dataset(name: str) -> Path:
    """Return the path of a data set: what is there, or the shipped one that ``sample`` stands for."""
    path = Path(name)
    if name != SAMPLE or path.exists():
        return path
    from hipporag_like.cli._session import sample_folder

    return sample_folder()


def _write(numbers: dict[str, Any], path: Path) -> None:
    from hipporag_like.cli._json import dumps, emit
    from hipporag_like.store.files import write_private

    if path == Path("-"):
        emit(numbers, indent=2)
    else:
        write_private(path, dumps(numbers, indent=2) + "\n")


def _print(numbers: dict[str, Any]) -> None:
    from rich.text import Text

    from hipporag_like.cli._console import STRONG, show
    from hipporag_like.cli._render_report import render_systems, render_usage

    count = numbers["n_questions"]
    title = f"{numbers['dataset']}: {count:,} question{'' if count == 1 else 's'}"
    show(Text(title, style=STRONG), Text(), render_systems(numbers["systems"]))
    spent = render_usage(numbers)
    if spent:
        show(Text(), *spent)
