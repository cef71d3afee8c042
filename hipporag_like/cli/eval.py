"""``hipporag-like eval``: how well each method does on questions with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hipporag_like.cli import _options as opt

SAMPLE = "sample"


def run(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A folder with corpus.jsonl and questions.jsonl; a MuSiQue, HotpotQA, 2WikiMultiHopQA, "
            "OSU HippoRAG or BEIR file; or sample, which comes with the package.",
            show_default=False,
        ),
    ],
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
    quiet: opt.QuietOption = False,
) -> None:
    """Measure recall and answers on questions with known answers.

    Recalls, em and f1 are in percent, over all questions that can be judged.

    Example:
      hipporag-like eval sample --method graph --method dense
      hipporag-like eval data/musique --index musique_index --limit 100 --json numbers.json
    """
    from hipporag_like.cli._progress import track_for
    from hipporag_like.cli._session import configure
    from hipporag_like.eval.experiment import build_and_evaluate

    _require_writable(json)
    numbers = build_and_evaluate(
        find_dataset(dataset),
        index,
        tuple(method) or ("graph",),
        extractor,
        limit,
        configure(config, index, embedder=embedder, llm=llm, base_url=base_url, filter=filter),
        progress=track_for(quiet),
    )
    if json is not None:
        _write(numbers, json)
    if json != Path("-") and not quiet:
        _print(numbers)


def _require_writable(path: Path | None) -> None:
    """Refuse at once what could not be written after minutes of work."""
    from hipporag_like.errors import UsageError

    if path is not None and path.is_dir():
        raise UsageError(f"--json {path} is a folder; name a file to write")
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

    if path == Path("-"):
        emit(numbers, indent=2)
    else:
        path.write_text(dumps(numbers, indent=2) + "\n", encoding="utf-8")


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
