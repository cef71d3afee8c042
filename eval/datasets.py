"""Data sets to evaluate on, in whatever format they come."""

from __future__ import annotations

from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.eval.folder_formats import read_beir, read_own
from hipporag_like.eval.native_formats import read_native
from hipporag_like.eval.questions import Dataset, Question, make_dataset

__all__ = ["Dataset", "Question", "load_dataset"]

_FOLDER_FILES = ("corpus.jsonl", "questions.jsonl", "queries.jsonl")


def load_dataset(path: str | Path) -> Dataset:
    """Return the data set at ``path``; its format is found by looking.

    Parameters
    ----------
    path
        A folder with ``corpus.jsonl`` and ``questions.jsonl``; a BEIR folder; or a native MuSiQue,
        HotpotQA, 2WikiMultiHopQA or OSU HippoRAG file (``X.json``, with ``X_corpus.json`` beside it or not).

    Returns
    -------
    Dataset
        Named after the folder or file.

    Raises
    ------
    InputError
        Nothing there, an unknown format, or malformed content; the message names the file, the row and
        what is missing.
    """
    place = Path(path)
    if place.name in _FOLDER_FILES and place.is_file():
        place = place.parent
    if place.is_dir():
        return _load_folder(place)
    if not place.is_file():
        raise InputError(f"there is no data set at {place}; give a folder or a question file")
    if place.stem.endswith("_corpus"):
        questions = place.with_name(place.name.replace("_corpus", ""))
        raise InputError(
            f"{place} is a corpus without questions; give the question file, such as {questions}"
        )
    return make_dataset(place.stem, *read_native(place))


def _load_folder(folder: Path) -> Dataset:
    name = folder.resolve().name
    if (folder / "questions.jsonl").is_file():
        return make_dataset(name, *read_own(folder))
    if (folder / "queries.jsonl").is_file():
        return make_dataset(name, *read_beir(folder))
    raise InputError(
        f"{folder} holds neither questions.jsonl nor queries.jsonl; give a folder with corpus.jsonl and "
        "questions.jsonl, a BEIR folder or one native question file"
    )
