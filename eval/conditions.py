"""The same data set under harder or merely different conditions, to see what retrieval rests on.

Each function takes a data set and returns another; nothing is read or written, and the same arguments give the
same data set on every machine. Shuffling and renaming must change no score; what the others cost is the finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from hipporag_like.eval.questions import Dataset, Evidence, Question, make_dataset, require_gold
from hipporag_like.text import STOPWORDS, content_hash, hash64, word_spans
from hipporag_like.types import Document

__all__ = [
    "CONDITIONS",
    "lower_cased",
    "renamed",
    "shuffled",
    "with_distractors",
    "with_misspelt_names",
    "without_titles",
    "without_titles_in_text",
]

DISTRACTOR = "distractor:"
# A slip in three letters leaves too little to recognise: "Ida" and "Iad" are two names.
SHORTEST_MISSPELT = 4


def without_titles(dataset: Dataset) -> Dataset:
    """Return ``dataset`` with every title emptied; a text that repeats its title keeps it."""
    documents = [replace(document, title="") for document in dataset.documents]
    return _changed(dataset, "without_titles", documents)


def without_titles_in_text(dataset: Dataset) -> Dataset:
    """Return ``dataset`` without titles, and without a first line of a text that is the title once more.

    A text that is nothing but its title stays: a document without text could not be indexed.
    """
    documents = [replace(document, title="", text=_body(document)) for document in dataset.documents]
    return _changed(dataset, "without_titles_in_text", documents)


def lower_cased(dataset: Dataset) -> Dataset:
    """Return ``dataset`` with titles, texts, questions and answers in lower case; ids and types as they are."""
    documents = [replace(d, title=d.title.lower(), text=d.text.lower()) for d in dataset.documents]
    questions = [
        replace(
            q,
            question=q.question.lower(),
            answers=tuple(dict.fromkeys(a.lower() for a in q.answers)),
            evidence=tuple(replace(span, text=span.text.lower()) for span in q.evidence),
        )
        for q in dataset.questions
    ]
    return _changed(dataset, "lower_cased", documents, questions)


def shuffled(dataset: Dataset, seed: int = 0) -> Dataset:
    """Return ``dataset`` with its documents in another order, which ``seed`` and their ids determine."""
    documents = sorted(dataset.documents, key=lambda document: content_hash(str(seed), document.id))
    return _changed(dataset, "shuffled", documents)


def renamed(dataset: Dataset, seed: int = 0) -> Dataset:
    """Return ``dataset`` with new document ids, in no relation to the order of the old ones.

    Question ids stay, so that two runs can be compared question by question.

    Raises
    ------
    InputError
        A supporting id is not in the corpus, so it has no new id.
    """
    require_gold(dataset)
    new = {document.id: content_hash(str(seed), document.id) for document in dataset.documents}
    documents = [replace(document, id=new[document.id]) for document in dataset.documents]
    questions = [
        replace(
            q,
            supporting=tuple(new[gold] for gold in q.supporting),
            evidence=tuple(replace(span, document_id=new[span.document_id]) for span in q.evidence),
        )
        for q in dataset.questions
    ]
    return _changed(dataset, "renamed", documents, questions)


def with_distractors(dataset: Dataset, other: Dataset) -> Dataset:
    """Return ``dataset`` with the documents of ``other`` behind its own; the questions stay.

    Parameters
    ----------
    other
        Its ids get a prefix that no id of ``dataset`` has. Its documents whose title and text ``dataset`` holds
        already are left out: a copy of a supporting document would be found and counted as wrong.

    Returns
    -------
    Dataset
        ``dataset`` itself, but for the name, where ``other`` holds nothing new.
    """
    prefix = DISTRACTOR
    while any(document.id.startswith(prefix) for document in dataset.documents):
        prefix += DISTRACTOR
    known = {(document.title, document.text) for document in dataset.documents}
    added = [
        replace(document, id=prefix + document.id)
        for document in other.documents
        if (document.title, document.text) not in known
    ]
    return _changed(dataset, f"with_distractors:{other.name}", (*dataset.documents, *added))


def with_misspelt_names(dataset: Dataset, seed: int = 0) -> Dataset:
    """Return ``dataset`` with a slip in each name of its questions: two neighbouring letters change places.

    Swapped neighbours are one of the four slips that make up four of five misspellings (Damerau 1964). The
    first letter stays. A name is a run of capitalised words after the first word of the question; its longest
    word is misspelt, if it has four letters or more. Where no capitals tell names apart, nothing changes.
    """
    questions = [replace(q, question=_misspelt(q, seed)) for q in dataset.questions]
    return _changed(dataset, "with_misspelt_names", dataset.documents, questions)


# By name, those that need nothing but the data set. with_distractors needs a second one, so it is not among them.
CONDITIONS: Mapping[str, Callable[[Dataset], Dataset]] = MappingProxyType(
    {
        "without_titles": without_titles,
        "without_titles_in_text": without_titles_in_text,
        "lower_cased": lower_cased,
        "shuffled": shuffled,
        "renamed": renamed,
        "with_misspelt_names": with_misspelt_names,
    }
)


def _changed(
    dataset: Dataset,
    condition: str,
    documents: Sequence[Document],
    questions: Sequence[Question] | None = None,
) -> Dataset:
    """Return the changed data set under a name that tells the condition, so that two results are never mixed."""
    texts = {document.id: document.text for document in documents}
    asked = [
        replace(q, evidence=_placed(q.evidence, texts)) if q.evidence else q
        for q in (dataset.questions if questions is None else questions)
    ]
    return make_dataset(f"{dataset.name}+{condition}", tuple(documents), tuple(asked))


def _placed(evidence: Sequence[Evidence], texts: Mapping[str, str]) -> tuple[Evidence, ...]:
    """Return the spans where they stand now; what the change took away, such as a title line, is left out."""
    placed = []
    for span in evidence:
        text = texts[span.document_id]
        # The old place first: a sentence may occur twice.
        start = span.start if text.startswith(span.text, span.start) else text.find(span.text)
        if start >= 0:
            placed.append(replace(span, start=start))
    return tuple(placed)


def _body(document: Document) -> str:
    title = document.title.strip()
    if not title:
        return document.text
    rest = re.sub(rf"\A\s*{re.escape(title)}(?:[^\S\r\n]*[\r\n])+", "", document.text)
    return rest if rest.strip() else document.text


def _misspelt(question: Question, seed: int) -> str:
    text = question.question
    for name in _names(text):
        start, end = max(name, key=lambda span: span[1] - span[0])
        word = text[start:end]
        places = [i for i in range(1, len(word) - 1) if _can_swap(word[i], word[i + 1])]
        if len(word) < SHORTEST_MISSPELT or not places:
            continue
        i = places[hash64(f"{seed} {question.id} {start} {word}") % len(places)]
        # As long as before, so the places of the other names stay right.
        text = text[: start + i] + word[i + 1] + word[i] + text[start + i + 2 :]
    return text


def _can_swap(one: str, other: str) -> bool:
    return one.isalpha() and other.isalpha() and one.lower() != other.lower()


def _names(text: str) -> list[list[tuple[int, int]]]:
    """Return the runs of capitalised words after the first word; each word as its (start, end) in ``text``."""
    runs: list[list[tuple[int, int]]] = []
    for token, start, end in word_spans(text)[1:]:
        if not text[start].isupper() or token in STOPWORDS:
            continue
        if runs and text[runs[-1][-1][1] : start] == " ":
            runs[-1].append((start, end))
        else:
            runs.append([(start, end)])
    return runs
