"""What an evaluation runs on: questions with known answers and known supporting documents."""

from __future__ import annotations

from dataclasses import dataclass

from hipporag_like.errors import InputError
from hipporag_like.text import content_hash
from hipporag_like.types import Document


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of a document, cited or known as gold: ``document.text[start : start + len(text)] == text``.

    Attributes
    ----------
    start
        Character offset in the text of the document, not of a passage.
    """

    document_id: str
    start: int
    text: str

    @property
    def end(self) -> int:
        """The offset after the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what is known about it.

    Attributes
    ----------
    answers
        The accepted answers, the main one first; empty where a set judges retrieval only (BEIR).
    supporting
        Ids of the documents that are needed to answer; empty where a set judges answers only.
    type
        The kind of question where the set names one (``bridge``, ``comparison``, ``3hop1``).
    hops
        How many facts must be put together to answer; 0 where the set does not say.
    evidence
        The sentences that hold the answer or a step to it, where a set marks them.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    supporting: tuple[str, ...]
    type: str = ""
    hops: int = 0
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents and the questions about them; ``checksum`` identifies the content, whatever its format."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[Question, ...]
    checksum: str


def make_dataset(name: str, documents: tuple[Document, ...], questions: tuple[Question, ...]) -> Dataset:
    """Return the data set with its checksum.

    Raises
    ------
    InputError
        No document or no question, or an id that stands for two things. A question that occurs twice, all
        alike, counts twice: published sets have such, and their sizes are known with them.
    """
    if not documents or not questions:
        raise InputError(f"the data set {name} holds no {'questions' if documents else 'documents'}")
    _require_unique([document.id for document in documents], "document", name)
    _require_unique([question.id for question in dict.fromkeys(questions)], "question", name)
    return Dataset(name, documents, questions, _checksum(documents, questions))


def require_gold(dataset: Dataset) -> None:
    """Check that every supporting document is in the corpus: otherwise recall could never reach 100.

    Raises
    ------
    InputError
        Some are not; the message counts them and names the first.
    """
    known = {document.id for document in dataset.documents}
    missing = [(q.id, gold) for q in dataset.questions for gold in q.supporting if gold not in known]
    if missing:
        question, gold = missing[0]
        raise InputError(
            f"{len(missing)} supporting ids are not in the corpus of {dataset.name}, first {gold!r} of "
            f"question {question!r}; add these documents or correct the ids"
        )


def _require_unique(ids: list[str], what: str, name: str) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise InputError(f"the {what} id {id_!r} occurs twice in the data set {name}; ids must be unique")
        seen.add(id_)


def _checksum(documents: tuple[Document, ...], questions: tuple[Question, ...]) -> str:
    texts = (content_hash(d.id, d.title, d.text) for d in documents)
    asked = (_question_hash(question) for question in questions)
    return content_hash(content_hash(*texts), content_hash(*asked))


def _question_hash(question: Question) -> str:
    evidence = (content_hash(e.document_id, str(e.start), e.text) for e in question.evidence)
    lists = (question.answers, question.supporting, tuple(evidence))
    hashes = (content_hash(*values) for values in lists)
    return content_hash(question.id, question.question, question.type, str(question.hops), *hashes)
