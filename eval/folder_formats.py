"""Data sets in folders: our own (``corpus.jsonl`` + ``questions.jsonl``) and BEIR's.

BEIR: Thakur et al. 2021, ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/SPLIT.tsv``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.eval.hops import musique_shape
from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.rows import Row, read_lines, read_rows
from hipporag_like.types import Document

SPLITS = ("test", "dev", "train")  # the first that is there is evaluated, as BEIR reports test


def read_own(folder: Path) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
    """Return documents and questions of a folder in our own format.

    Raises
    ------
    InputError
        A file or a field is missing or malformed; the message names file and line.
    """
    rows = read_rows(folder / "questions.jsonl")
    documents = _corpus(folder)
    texts = {document.id: document.text for document in documents}
    return documents, tuple(_own_question(row, texts) for row in rows)


def read_beir(folder: Path) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
    """Return documents and the judged queries of a BEIR folder; grades above 0 count as supporting.

    Queries without a positive judgement are left out, as in BEIR's own evaluation. There are no answers.

    Raises
    ------
    InputError
        A file or a field is missing or malformed; the message names file and line.
    """
    judged = _qrels(_qrels_file(folder))
    rows = read_rows(folder / "queries.jsonl")
    texts = {row.identifier("_id", "id"): row.filled("text") for row in rows}
    unknown = [query for query in judged if query not in texts]
    if unknown:
        raise InputError(f"{folder}: the judged query {unknown[0]!r} is not in queries.jsonl; add it")
    questions = tuple(Question(id_, texts[id_], (), tuple(gold)) for id_, gold in judged.items())
    return _corpus(folder), questions


def _corpus(folder: Path) -> tuple[Document, ...]:
    return tuple(_document(row) for row in read_rows(folder / "corpus.jsonl"))


def _document(row: Row) -> Document:
    title, text = row.optional_text("title"), row.text("text")
    # BEIR has documents that are only a title; their title is what can be found.
    return Document(id=row.identifier("_id", "id"), title=title, text=text if text.strip() else title)


def _own_question(row: Row, texts: Mapping[str, str]) -> Question:
    question = Question(
        id=row.identifier("id", "_id"),
        question=row.filled("question"),
        answers=row.strings("answers"),
        supporting=row.strings("supporting"),
        type=row.optional_text("type"),
        evidence=_evidence(row, texts),
    )
    if not question.answers and not question.supporting:
        raise row.error("'answers' and 'supporting' are both empty, so nothing can be measured")
    return replace(question, hops=_hops(row, question))


def _hops(row: Row, question: Question) -> int:
    """Return the number of hops: as given, else as MuSiQue's id says, else a step in each needed document."""
    given = row.first("hops")
    if given is None:
        return musique_shape(question.id)[1] or len(question.supporting)
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise row.error("'hops' must be a whole number from 1")
    return given


def _evidence(row: Row, texts: Mapping[str, str]) -> tuple[Evidence, ...]:
    """Return the gold spans: ``evidence`` is a list of ``{"document": id, "text": words of that document}``."""
    given = row.first("evidence")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(value, dict) for value in given):
        raise row.error("'evidence' must be a list of objects with 'document' and 'text'")
    spans = []
    for number, value in enumerate(given, 1):
        part = Row(f"{row.place}, evidence {number}", value)
        document, text = part.identifier("document"), part.filled("text").strip()
        if document not in texts:
            raise part.error(f"the document {document!r} is not in corpus.jsonl")
        start = texts[document].find(text)
        if start < 0:
            raise part.error(f"'text' does not stand word for word in the document {document!r}")
        spans.append(Evidence(document, start, text))
    return tuple(dict.fromkeys(spans))


def _qrels_file(folder: Path) -> Path:
    found = [p for split in SPLITS if (p := folder / "qrels" / f"{split}.tsv").is_file()]
    if not found:
        raise InputError(f"{folder}: qrels/test.tsv, qrels/dev.tsv or qrels/train.tsv is missing")
    return found[0]


def _qrels(path: Path) -> dict[str, list[str]]:
    judged: dict[str, list[str]] = {}
    for number, (place, line) in enumerate(read_lines(path)):
        cells = line.strip("\r\n").split("\t")
        grade = _grade(cells)
        if grade is None and number == 0:
            continue  # the header
        if grade is None:
            raise InputError(f"{place}: must be query-id, corpus-id and a whole number, separated by tabs")
        if grade > 0 and cells[1] not in judged.setdefault(cells[0], []):
            judged[cells[0]].append(cells[1])
    judged = {query: gold for query, gold in judged.items() if gold}
    if not judged:
        raise InputError(f"{path} holds no judgement above 0")
    return judged


def _grade(cells: list[str]) -> int | None:
    try:
        return int(cells[2]) if len(cells) == 3 and cells[0] and cells[1] else None
    except ValueError:
        return None
