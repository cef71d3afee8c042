"""Multi-hop question sets as their authors publish them.

* MuSiQue (Trivedi et al. 2022): ``paragraphs`` with ``is_supporting``.
* HotpotQA (Yang et al. 2018) and 2WikiMultiHopQA (Ho et al. 2020), distractor setting: ``context`` of
  [title, sentences] and ``supporting_facts`` of [title, sentence number]; also as columns
  (``{"title": [...], "sentences": [...]}``), the way dataset hubs serve them.
* OSU HippoRAG pairs: one of the above or ``contexts``, beside ``NAME_corpus.json``; LV-Eval and NarrativeQA
  have answers only, so that retrieval is not judged.
"""

from __future__ import annotations

from pathlib import Path

from hipporag_like.errors import InputError
from hipporag_like.eval.hops import musique_shape
from hipporag_like.eval.native_answers import answers, entity_aliases
from hipporag_like.eval.native_passages import Source, has_passages, joined, sources, supporting_facts
from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.rows import Row, read_json, read_rows, rows_of
from hipporag_like.text import squeeze
from hipporag_like.types import Document


class _Pool:
    """Documents by (title, text) and by title; ids are positions: ``p0``, ``p1``, ..."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self._by_content: dict[tuple[str, str], str] = {}
        self._by_title: dict[str, list[str]] = {}
        self._texts: dict[str, str] = {}

    def add(self, title: str, text: str, position: int) -> None:
        """Add a passage unless an equal one is there."""
        key, id_ = (squeeze(title), squeeze(text)), f"p{position}"
        if key not in self._by_content:
            self._by_content[key] = id_
            self._by_title.setdefault(key[0], []).append(id_)
            document = Document(id=id_, title=title, text=text if text.strip() else title)
            self.documents.append(document)
            self._texts[id_] = document.text

    def find(self, title: str, text: str | None) -> str | None:
        """Return the id of a passage: the very one, else the only one of that title, else ``None``."""
        if text is not None and (exact := self._by_content.get((squeeze(title), squeeze(text)))):
            return exact
        titled = self._by_title.get(squeeze(title), [])
        return titled[0] if len(titled) == 1 else None

    def spans(self, id_: str, sentences: tuple[str, ...]) -> list[Evidence]:
        """Return where sentences, given in order, stand in a document; those that do not are left out."""
        text, end = self._texts[id_], 0
        found = []
        for sentence in (s.strip() for s in sentences):
            start = text.find(sentence, end)
            if start >= 0:
                end = start + len(sentence)
                found.append(Evidence(id_, start, sentence))
        return found


def read_native(path: Path) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
    """Return documents and questions of a native file; its ``NAME_corpus.json``, if there, is the corpus.

    Without a corpus file the paragraphs of all questions are pooled, equal ones once. MuSiQue's
    unanswerable questions are left out: no passages support them. Beside a corpus file, rows may have answers
    only, if all of them do.

    Raises
    ------
    InputError
        Unknown format, a field missing or malformed, or a supporting passage that is not in the corpus;
        the message names file and row.
    """
    rows = [row for row in read_rows(path) if row.values.get("answerable") is not False]
    if not rows:
        raise InputError(f"{path} holds no answerable questions")
    corpus = _corpus_file(path)
    if corpus is None:
        _require_passages(rows, path)
    answers_only = corpus is not None and not any(has_passages(row) for row in rows)
    found = [[] if answers_only else sources(row, corpus is not None) for row in rows]
    pool = _pool(corpus, found)
    aliases = entity_aliases(path) if any(row.first("answer_id") is not None for row in rows) else {}
    questions = []
    for number, (row, passages) in enumerate(zip(rows, found, strict=True)):
        supporting, evidence = ((), ()) if answers_only else _gold(row, passages, pool)
        questions.append(_question(row, number, answers(row, aliases), supporting, evidence))
    return tuple(pool.documents), tuple(questions)


def _require_passages(rows: list[Row], path: Path) -> None:
    """Refuse LV-Eval's form without its corpus file in words of its own: its ``context`` looks like passages."""
    if isinstance(rows[0].first("context"), str):
        corpus = path.with_name(f"{path.stem}_corpus.json")
        raise rows[0].error(f"'context' is one long text, so the passages must be in {corpus}; put it there")


def _corpus_file(path: Path) -> Path | None:
    candidates = (path.with_name(f"{path.stem}_corpus{suffix}") for suffix in (".json", ".jsonl"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _pool(corpus: Path | None, found: list[list[Source]]) -> _Pool:
    pool = _Pool()
    if corpus:
        for position, (title, text) in enumerate(_corpus_passages(corpus)):
            pool.add(title, text, position)
    else:
        for source in (s for passages in found for s in passages):
            pool.add(source.title, source.text, len(pool.documents))
    return pool


def _corpus_passages(path: Path) -> list[tuple[str, str]]:
    """Return (title, text) of a corpus file: rows, or a mapping from titles to sentences."""
    value = [row.values for row in read_rows(path)] if path.suffix == ".jsonl" else read_json(path)
    if isinstance(value, dict) and not {"title", "text"} <= value.keys():
        return [
            (title, joined(text, Row(f"{path}, passage {n}", value)))
            for n, (title, text) in enumerate(value.items(), 1)
        ]
    rows = rows_of(value if isinstance(value, list) else [value], path)
    return [(row.optional_text("title"), row.text("text", "paragraph_text")) for row in rows]


def _gold(row: Row, passages: list[Source], pool: _Pool) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the ids of the supporting documents and the marked sentences in them."""
    # A title among the supporting facts whose paragraph is not given may still be in the corpus.
    given = {source.title for source in passages}
    named = dict.fromkeys(title for title, _ in supporting_facts(row) if title not in given)
    wanted = [(s.title, s.text, s.evidence) for s in passages if s.gold] + [(t, None, ()) for t in named]
    found: dict[str, None] = {}
    evidence: dict[Evidence, None] = {}
    for number, (title, text, sentences) in enumerate(wanted, 1):
        id_ = pool.find(title, text)
        if id_ is None:
            raise row.error(f"supporting passage {number} is not in the corpus")
        found[id_] = None
        evidence.update(dict.fromkeys(pool.spans(id_, sentences)))
    if not found:
        raise row.error("no passage is marked as supporting ('is_supporting' or 'supporting_facts')")
    return tuple(found), tuple(evidence)


def _question(
    row: Row,
    number: int,
    accepted: tuple[str, ...],
    supporting: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> Question:
    id_ = row.identifier("id", "_id") if row.first("id", "_id") is not None else f"q{number}"
    shape, hops = musique_shape(id_)
    if not hops and row.first("supporting_facts") is not None:
        hops = len(supporting)  # HotpotQA and 2WikiMultiHopQA: one step in each document
    return Question(
        id=id_,
        question=row.filled("question"),
        answers=accepted,
        supporting=supporting,
        type=row.optional_text("type") or shape,
        hops=hops,
        evidence=evidence,
    )
