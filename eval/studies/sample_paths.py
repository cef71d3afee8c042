"""Path-finding questions about the corpus that comes with the package; see :mod:`.path_finding`."""

from __future__ import annotations

from pathlib import Path

from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset, Question, make_dataset
from hipporag_like.eval.rows import read_rows

NAME = "sample-paths"
_FILE = "path_questions.jsonl"


def sample_paths(folder: Path) -> Dataset:
    """Return the corpus of the shipped sample with its path-finding questions instead of its own.

    Parameters
    ----------
    folder
        Of the sample.

    Raises
    ------
    InputError
        The sample is not there or damaged.
    """
    sample = load_dataset(folder)
    questions = tuple(
        Question(
            row.identifier("id"),
            row.filled("question"),
            row.strings("answers"),
            row.strings("supporting"),
            row.text("type"),
        )
        for row in read_rows(folder / _FILE)
    )
    return make_dataset(NAME, sample.documents, questions)
