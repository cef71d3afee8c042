"""Rankings of other systems, from TREC run files, matched to the data sets they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.eval.questions import Dataset
from hipporag_like.eval.trec import read_run

Run = Mapping[str, Sequence[tuple[str, float]]]  # by question id: (document id, score), best first
SUFFIXES = (".run", ".trec", ".txt")  # of the files in a folder of runs: DATASET.run


def load_runs(path: str | Path, datasets: Sequence[Dataset]) -> dict[str, Run]:
    """Return a system's rankings by the name of the data set, of those it has any for.

    Parameters
    ----------
    path
        A run file, whose question ids tell the data set, or a folder with a file ``DATASET.run`` for each.
    datasets
        With all their questions.

    Raises
    ------
    InputError
        Nothing there, no run, a question or a document that no data set knows, or a question id that several
        have in common.
    """
    place = Path(path)
    if place.is_dir():
        return _of_folder(place, datasets)
    if not place.is_file():
        raise InputError(
            f"there is no run at {place}; give a TREC run file or a folder with DATASET.run files"
        )
    run = read_run(place)
    parts = {dataset.name: _part(run, dataset) for dataset in datasets}
    known = {question for part in parts.values() for question in part}
    _require_known("question", [question for question in run if question not in known], place, datasets)
    if sum(map(len, parts.values())) > len(known):
        names = ", ".join(name for name, part in parts.items() if part)
        raise InputError(
            f"{place} has question ids that {names} have in common; give a folder with a file DATASET.run each"
        )
    found = {name: part for name, part in parts.items() if part}
    for dataset in datasets:
        if dataset.name in found:
            _require_documents(found[dataset.name], dataset, place)
    return found


def _of_folder(folder: Path, datasets: Sequence[Dataset]) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for dataset in datasets:
        files = [p for suffix in SUFFIXES if (p := folder / f"{dataset.name}{suffix}").is_file()]
        if files:
            run = read_run(files[0])
            part = _part(run, dataset)
            _require_known("question", [q for q in run if q not in part], files[0], [dataset])
            _require_documents(part, dataset, files[0])
            found[dataset.name] = part
    if not found:
        wanted = ", ".join(f"{dataset.name}.run" for dataset in datasets)
        raise InputError(f"{folder} holds no run of these data sets; expected {wanted}")
    return found


def _part(run: Run, dataset: Dataset) -> Run:
    ids = {question.id for question in dataset.questions}
    return {question: ranking for question, ranking in run.items() if question in ids}


def _require_documents(run: Run, dataset: Dataset, place: Path) -> None:
    """A run of passages, or of another version of the corpus, would silently score near zero."""
    known = {document.id for document in dataset.documents}
    named = {document: None for ranking in run.values() for document, _ in ranking}
    _require_known("document", [document for document in named if document not in known], place, [dataset])


def _require_known(what: str, unknown: Sequence[str], place: Path, datasets: Sequence[Dataset]) -> None:
    if unknown:
        names = " or ".join(dataset.name for dataset in datasets)
        raise InputError(
            f"{place} has {len(unknown):,} {what} ids that are not in {names}, first {unknown[0]!r}; "
            f"a run must be about the same {what}s"
        )
