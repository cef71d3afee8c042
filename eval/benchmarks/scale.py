"""Time, memory and disk against the size of the corpus: ``python -m hipporag_like.eval.benchmarks.scale``.

For each size a made-up corpus is written into a journal (``fill``), built, asked, changed, and put beside the engines
that others use; each step in a process of its own. ``--datasets`` does the same to real data with the default
embedder. Sizes and data sets that were measured before stay in the file; ``make bench`` and ``make bench-large`` call
this, then draw (``scale_plots``) and put the tables into docs/scaling.md (``scale_tables``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hipporag_like.errors import HippoRAGLikeError, InputError, ModelError
from hipporag_like.eval.benchmarks.scale_process import run_apart
from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.machine import made_with
from hipporag_like.store.connection import JOURNAL_NAME
from hipporag_like.store.files import file_errors
from hipporag_like.store.manifest import CURRENT_NAME

SIZES = (1_000, 10_000, 50_000, 100_000)
RESULTS = Path("eval", "results", "scale", "scale.json")
# Sizes at which the authors' own code was measured; see docs/scaling.md.
STANDIN_SIZES = (10_000, 50_000)
# Sizes that are there for that comparison only: nothing but the questions is measured.
QUESTIONS_ONLY = (50_000,)
# What the reference walks may take at a size: a few questions are enough for a median of what varies little. In the
# large run all 200 questions, if they take no longer than half an hour.
WALKS = {"budget": 8.0, "reference_limit": 10}
WALKS_LARGE = {"budget": 1_800.0, "reference_limit": 200}
LARGE = 1_000_000
REAL_QUESTIONS = 100

Found = dict[str, Any]


def measure_size(passages: int, work: Path) -> Found:
    """Return everything that is measured at one size of the made-up corpus.

    Parameters
    ----------
    passages
        The size.
    work
        Folder for the index; it is removed again.
    """
    folder = work / f"made_up_{passages}"
    shutil.rmtree(folder, ignore_errors=True)
    walks = WALKS_LARGE if passages >= LARGE else WALKS
    try:
        found = _steps(Source(str(folder), passages), work / f"made_up_{passages}.npz", walks)
        if passages in STANDIN_SIZES:
            _step(found, "standin", "hipporag2_standin:measure", {"passages": passages})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (work / f"made_up_{passages}.npz").unlink(missing_ok=True)
    return {"made_with": made_with(), **found}


def _steps(source: Source, vectors: Path, walks: Mapping[str, float]) -> Found:
    arguments, found = source.arguments(), Found()
    if not _step(found, "fill", "scale_tasks:fill", arguments):
        return found
    if not _step(found, "build", "scale_tasks:build", arguments):
        return found
    _questions(found, source, vectors, {})
    if source.passages in QUESTIONS_ONLY:
        return found
    _step(found, "walks", "scale_walks:walks", {**arguments, **walks})
    _step(found, "lexical", "scale_references:lexical", arguments)
    _step(found, "dense", "scale_references:dense", arguments)
    _step(found, "change", "scale_tasks:change", arguments)
    return found


def _questions(found: Found, source: Source, vectors: Path, options: Mapping[str, Any]) -> None:
    arguments = {**source.arguments(), "keep": str(vectors), **options}
    if _step(found, "warm", "scale_tasks:warm", arguments):
        first = {"index": source.index, "vectors": str(vectors)}
        _step(found, "first_cold", "scale_first:first_query", {**first, "cold": True})
        _step(found, "first", "scale_first:first_query", {**first, "cold": False})


def measure_dataset(dataset: Path, work: Path) -> Found:
    """Return what is measured on a data set with the default embedder.

    Its index stays in ``work``, so that only the first run embeds; ``build`` starts from a copy of the journal, as
    after a run that was stopped right before.
    """
    if not (dataset / "corpus.jsonl").is_file():
        raise InputError(f"{dataset} has no corpus.jsonl; say where the development data are")
    name = dataset.resolve().name
    index, copy = work / "indexes" / name, work / f"{name}_copy"
    found = Found()
    source = Source(str(index), dataset=str(dataset))
    if (index / CURRENT_NAME).is_file() or _step(found, "fill", "scale_tasks:fill", source.arguments()):
        try:
            _from_copy(found, source, index, copy)
            _questions(found, source, work / f"{name}.npz", {"limit": REAL_QUESTIONS})
            arguments = {**source.arguments(), "scratch": str(copy)}
            _step(found, "change", "scale_tasks:change", arguments)
        finally:
            shutil.rmtree(copy, ignore_errors=True)
            (work / f"{name}.npz").unlink(missing_ok=True)
    _step(found, "embedding", "scale_tasks:embedding", {"dataset": str(dataset)})
    return {"made_with": made_with(), **found}


def _from_copy(found: Found, source: Source, index: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for file in index.glob(f"{JOURNAL_NAME}*"):
        shutil.copy2(file, copy / file.name)
    arguments = {**source.arguments(), "index": str(copy)}
    _step(found, "build", "scale_tasks:build", arguments)
    shutil.rmtree(copy, ignore_errors=True)


def _step(found: Found, name: str, function: str, arguments: Mapping[str, Any]) -> bool:
    """Measure one thing; one that fails is noted as failed, and the others go on."""
    started = time.perf_counter()
    try:
        found[name] = run_apart(function, arguments)
    except ModelError as error:
        found[name] = {"failed": str(error)}
    _say(f"   {name:<11} {time.perf_counter() - started:7.1f} s{_failure(found[name])}")
    return "failed" not in found[name]


def _failure(found: Found) -> str:
    return f"  {found['failed']}" if "failed" in found else ""


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def read_results(file: Path) -> Found:
    """Return what was measured before; nothing where there is no file.

    Raises
    ------
    InputError
        The file is no result of this benchmark.
    """
    if not file.is_file():
        return {"sizes": {}, "datasets": {}}
    try:
        found: Found = json.loads(file.read_text(encoding="utf-8"))
        return {"sizes": dict(found["sizes"]), "datasets": dict(found["datasets"])}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} holds no results of this benchmark; delete it and measure again") from error


def write_results(file: Path, found: Found) -> None:
    """Write the results, sizes in order."""
    sizes = {size: found["sizes"][size] for size in sorted(found["sizes"], key=int)}
    text = json.dumps({"sizes": sizes, "datasets": found["datasets"]}, indent=1) + "\n"
    with file_errors("write", file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def measure(sizes: Sequence[int], datasets: Sequence[Path], work: Path, out: Path) -> Found:
    """Measure sizes and data sets, and write the results after each, beside those of earlier runs."""
    found = read_results(out)
    work.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        _say(f"-> {size:,} made-up passages")
        found["sizes"][str(size)] = measure_size(size, work)
        write_results(out, found)
    for dataset in datasets:
        _say(f"-> {dataset}")
        found["datasets"][dataset.resolve().name] = measure_dataset(dataset, work)
        write_results(out, found)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Time, memory and disk against the size of the corpus.")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="passages of the made-up corpora")
    parser.add_argument("--datasets", type=Path, nargs="*", default=[], help="folders of data sets")
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="folder for indexes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the results")
    given = parser.parse_args()
    try:
        measure(given.sizes, given.datasets, given.work, given.out)
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
