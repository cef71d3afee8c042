"""Multi-hop question sets as their authors publish them.

* MuSiQue (Trivedi et al. 2022): ``paragraphs`` with ``is_supporting``.
* HotpotQA (Yang et al. 2018) and 2WikiMultiHopQA (Ho et al. 2020), distractor setting: ``context`` of
  [title, sentences] and ``supporting_facts`` of [title, sentence number]; also as columns
  (``{"title": [...], "sentences": [...]}``), the way dataset hubs serve them.
* OSU HippoRAG pairs: one of the above or ``contexts``, beside ``NAME_corpus.json``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipporag_like.errors import InputError
from hipporag_like.eval.questions import Question
from hipporag_like.eval.rows import Row, read_json, read_rows, rows_of
from hipporag_like.text import squeeze
from hipporag_like.types import Document

# Where the sets keep answers, the main one first: MuSiQue, HotpotQA, 2Wiki; LV-Eval; NQ; PopQA.
_ANSWERS = (
    "answer",
    "gold_ans",
    "reference",
    "obj",
    "answer_aliases",
    "possible_answers",
    "o_wiki_title",
    "o_aliases",
)
_PACKED = ("possible_answers", "o_aliases")  # PopQA keeps JSON lists in strings
_HOPS = re.compile(r"(\dhop\d?)__")  # MuSiQue's ids start with their reasoning shape: 2hop__, 3hop1__


@dataclass(frozen=True, slots=True)
class _Source:
    """A paragraph that comes with a question."""

    title: str
    text: str
    gold: bool


class _Pool:
    """Documents by (title, text) and by title; ids are positions: ``p0``, ``p1``, ..."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self._by_content: dict[tuple[str, str], str] = {}
        self._by_title: dict[str, list[str]] = {}

    def add(self, title: str, text: str, position: int) -> None:
        """Add a passage unless an equal one is there."""
        key, id_ = (squeeze(title), squeeze(text)), f"p{position}"
        if key not in self._by_content:
            self._by_content[key] = id_
            self._by_title.setdefault(key[0], []).append(id_)
            self.documents.append(Document(id=id_, title=title, text=text if text.strip() else title))

    def find(self, title: str, text: str | None) -> str | None:
        """Return the id of a passage: the very one, else the only one of that title, else ``None``."""
        if text is not None and (exact := self._by_content.get((squeeze(title), squeeze(text)))):
            return exact
        titled = self._by_title.get(squeeze(title), [])
        return titled[0] if len(titled) == 1 else None


def read_native(path: Path) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
    """Return documents and questions of a native file; its ``NAME_corpus.json``, if there, is the corpus.

    Without a corpus file the paragraphs of all questions are pooled, equal ones once. MuSiQue's
    unanswerable questions are left out: no passages support them.

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
    sources = [_sources(row, corpus is not None) for row in rows]
    pool = _Pool()
    if corpus:
        for position, (title, text) in enumerate(_corpus_passages(corpus)):
            pool.add(title, text, position)
    else:
        for source in (s for found in sources for s in found):
            pool.add(source.title, source.text, len(pool.documents))
    pairs = enumerate(zip(rows, sources, strict=True))
    questions = tuple(_question(row, number, found, pool) for number, (row, found) in pairs)
    return tuple(pool.documents), questions


def _corpus_file(path: Path) -> Path | None:
    candidates = (path.with_name(f"{path.stem}_corpus{suffix}") for suffix in (".json", ".jsonl"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _corpus_passages(path: Path) -> list[tuple[str, str]]:
    """Return (title, text) of a corpus file: rows, or a mapping from titles to sentences."""
    value = [row.values for row in read_rows(path)] if path.suffix == ".jsonl" else read_json(path)
    if isinstance(value, dict) and not {"title", "text"} <= value.keys():
        return [
            (title, _joined(text, Row(f"{path}, title {title!r}", value))) for title, text in value.items()
        ]
    rows = rows_of(value if isinstance(value, list) else [value], path)
    return [(row.optional_text("title"), row.text("text", "paragraph_text")) for row in rows]


def _question(row: Row, number: int, sources: list[_Source], pool: _Pool) -> Question:
    id_ = row.identifier("id", "_id") if row.first("id", "_id") is not None else f"q{number}"
    hops = _HOPS.match(id_)
    return Question(
        id=id_,
        question=row.filled("question"),
        answers=_answers(row),
        supporting=_supporting(row, sources, pool),
        type=row.optional_text("type") or (hops.group(1) if hops else ""),
    )


def _answers(row: Row) -> tuple[str, ...]:
    given: list[str] = []
    for name in (name for name in _ANSWERS if row.first(name) is not None):
        texts = row.strings(name)
        given += [part for text in texts for part in _unpacked(text)] if name in _PACKED else texts
    if not given:
        raise row.error("'answer' is missing")
    return tuple(dict.fromkeys(given))


def _unpacked(text: str) -> list[str]:
    """Return the texts in a JSON list that is kept as a string; any other text is itself."""
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return [text]
    return [str(value) for value in values if str(value).strip()] if isinstance(values, list) else [text]


def _supporting(row: Row, sources: list[_Source], pool: _Pool) -> tuple[str, ...]:
    wanted: list[tuple[str, str | None]] = [(s.title, s.text) for s in sources if s.gold]
    # A title among the supporting facts whose paragraph is not given may still be in the corpus.
    given = {source.title for source in sources}
    wanted += [(title, None) for title in _fact_titles(row) if title not in given]
    found: dict[str, None] = {}
    for title, text in wanted:
        id_ = pool.find(title, text)
        if id_ is None:
            raise row.error(f"the supporting passage titled {title!r} is not in the corpus")
        found[id_] = None
    if not found:
        raise row.error("no passage is marked as supporting ('is_supporting' or 'supporting_facts')")
    return tuple(found)


def _sources(row: Row, has_corpus: bool) -> list[_Source]:
    if row.first("paragraphs", "contexts") is not None:
        return _paragraphs(row, has_corpus)
    titles = set(_fact_titles(row))
    if row.first("context") is not None:
        if not titles:
            raise row.error("'supporting_facts' is missing")
        return [_Source(title, text, title in titles) for title, text in _contexts(row)]
    if titles and has_corpus:
        return []  # titles only: the corpus file has the passages
    raise row.error("'paragraphs', 'contexts' or 'context' is missing, so this is no known question format")


def _paragraphs(row: Row, has_corpus: bool) -> list[_Source]:
    values = _list(row, row.first("paragraphs", "contexts"), "'paragraphs' or 'contexts'")
    titles = set(_fact_titles(row))
    sources = []
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise row.error(
                f"paragraph {number} must be an object with 'title' and 'paragraph_text' or 'text'"
            )
        part = Row(f"{row.place}, paragraph {number}", value)
        title = part.optional_text("title")
        # Beside a corpus file the distractors live there, and OSU HippoRAG takes unmarked ones as supporting.
        gold = value.get("is_supporting", has_corpus and not titles)
        if gold not in (True, False):
            raise part.error("'is_supporting' must be true or false")
        sources.append(_Source(title, part.text("paragraph_text", "text"), bool(gold) or title in titles))
    return sources


def _contexts(row: Row) -> list[tuple[str, str]]:
    value = row.first("context")
    if isinstance(value, dict):
        value = _zipped(row, value, "context", "title", "sentences")
    pairs = _list(row, value, "'context'")
    if not all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs):
        raise row.error("'context' must be a list of [title, sentences]")
    return [(title, _joined(sentences, row)) for title, sentences in pairs]


def _fact_titles(row: Row) -> list[str]:
    value = row.first("supporting_facts")
    if value is None:
        return []
    if isinstance(value, dict):
        value = _zipped(row, value, "supporting_facts", "title", "sent_id")
    facts = _list(row, value, "'supporting_facts'")
    if not all(isinstance(f, list) and f and isinstance(f[0], str) for f in facts):
        raise row.error("'supporting_facts' must be a list of [title, sentence number]")
    return [fact[0] for fact in facts]


def _zipped(row: Row, columns: dict[str, Any], name: str, left: str, right: str) -> list[list[Any]]:
    first, second = columns.get(left), columns.get(right)
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        raise row.error(f"{name!r} must hold the lists {left!r} and {right!r} of equal length")
    return [list(pair) for pair in zip(first, second, strict=True)]


def _list(row: Row, value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise row.error(f"{name} must be a list")
    return value


def _joined(sentences: Any, row: Row) -> str:
    """Return sentences as one text: HotpotQA's start with their space, 2WikiMultiHopQA's do not."""
    if isinstance(sentences, str):
        return sentences
    if not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
        raise row.error("a passage must be text or a list of sentences")
    spaced = any(s[:1].isspace() for s in sentences[1:])
    return ("" if spaced else " ").join(sentences)
