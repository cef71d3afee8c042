"""The passages and supporting facts that come with a question of a native file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hipporag_like.eval.rows import Row

# Fields that hold passages or name the supporting ones; LV-Eval's ``context`` is one long text and does neither.
_PASSAGE_FIELDS = ("paragraphs", "contexts", "supporting_facts")


@dataclass(frozen=True, slots=True)
class Source:
    """A paragraph that comes with a question; ``evidence`` are its sentences that are marked as facts."""

    title: str
    text: str
    gold: bool
    evidence: tuple[str, ...] = ()


def has_passages(row: Row) -> bool:
    """Return whether a row says which passages support it, or at least which passages there are."""
    if row.first(*_PASSAGE_FIELDS) is not None:
        return True
    return isinstance(row.first("context"), (list, dict))


def sources(row: Row, has_corpus: bool) -> list[Source]:
    """Return the passages of a row; none where it has only titles, and the corpus file the passages.

    Raises
    ------
    InputError
        No passages, or malformed ones.
    """
    if row.first("paragraphs", "contexts") is not None:
        return _paragraphs(row, has_corpus)
    facts = supporting_facts(row)
    if row.first("context") is not None:
        if not facts:
            raise row.error("'supporting_facts' is missing")
        return _contexts(row, facts)
    if facts and has_corpus:
        return []
    raise row.error("'paragraphs', 'contexts' or 'context' is missing, so this is no known question format")


def supporting_facts(row: Row) -> list[tuple[str, int | None]]:
    """Return the title and sentence number of each supporting fact; ``None`` where only the title is given."""
    value = row.first("supporting_facts")
    if value is None:
        return []
    if isinstance(value, dict):
        value = _zipped(row, value, "supporting_facts", "title", "sent_id")
    facts = _list(row, value, "'supporting_facts'")
    if not all(_is_fact(fact) for fact in facts):
        raise row.error("'supporting_facts' must be a list of [title, sentence number]")
    return [(fact[0], fact[1] if len(fact) > 1 else None) for fact in facts]


def joined(sentences: Any, row: Row) -> str:
    """Return sentences as one text: HotpotQA's start with their space, 2WikiMultiHopQA's do not.

    Raises
    ------
    InputError
        Neither text nor a list of texts.
    """
    if isinstance(sentences, str):
        return sentences
    if not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
        raise row.error("a passage must be text or a list of sentences")
    spaced = any(s[:1].isspace() for s in sentences[1:])
    return ("" if spaced else " ").join(sentences)


def _paragraphs(row: Row, has_corpus: bool) -> list[Source]:
    values = _list(row, row.first("paragraphs", "contexts"), "'paragraphs' or 'contexts'")
    titles = {title for title, _ in supporting_facts(row)}
    found = []
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
        found.append(Source(title, part.text("paragraph_text", "text"), bool(gold) or title in titles))
    return found


def _contexts(row: Row, facts: list[tuple[str, int | None]]) -> list[Source]:
    value = row.first("context")
    if isinstance(value, dict):
        value = _zipped(row, value, "context", "title", "sentences")
    pairs = _list(row, value, "'context'")
    if not all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs):
        raise row.error("'context' must be a list of [title, sentences]")
    titles = {title for title, _ in facts}
    return [
        Source(title, joined(sentences, row), title in titles, _marked(title, sentences, facts))
        for title, sentences in pairs
    ]


def _marked(title: str, sentences: Any, facts: list[tuple[str, int | None]]) -> tuple[str, ...]:
    """Return the sentences that are facts; HotpotQA has numbers beyond the last sentence, which mark none."""
    if not isinstance(sentences, list):
        return ()
    numbers = {number for name, number in facts if name == title and number is not None}
    return tuple(s for number, s in enumerate(sentences) if number in numbers and s.strip())


def _is_fact(fact: object) -> bool:
    if not isinstance(fact, list) or not 1 <= len(fact) <= 2 or not isinstance(fact[0], str):
        return False
    return len(fact) == 1 or (isinstance(fact[1], int) and not isinstance(fact[1], bool))


def _zipped(row: Row, columns: dict[str, Any], name: str, left: str, right: str) -> list[list[Any]]:
    first, second = columns.get(left), columns.get(right)
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        raise row.error(f"{name!r} must hold the lists {left!r} and {right!r} of equal length")
    return [list(pair) for pair in zip(first, second, strict=True)]


def _list(row: Row, value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise row.error(f"{name} must be a list")
    return value
