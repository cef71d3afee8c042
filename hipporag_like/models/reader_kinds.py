"""Which types a candidate looks like: a person, a place, a group, a work, an award, a date, a number."""

from __future__ import annotations

import re

from hipporag_like.models.reader_places import is_demonym
from hipporag_like.models.reader_question import TYPE_OF, AnswerType
from hipporag_like.models.reader_spans import Span, SpanKind
from hipporag_like.models.reader_view import View
from hipporag_like.text import words

_GROUP = re.compile(
    r"\b(?:University|College|School|Academy|Institute|Company|Co|Inc|Corporation|Records|Band|Club|FC|F\.C|Party|"
    r"Church|Society|Association|League|Team|Council|Studios?|Press|Orchestra|Committee|Agency|Union|Guild|"
    r"Conservatory|Seminary|Hospital|Museum|Foundation|Group|Entertainment|Network|Times|Department|Bank)\b"
)
_PLACE = re.compile(
    r"\b(?:County|City|River|Island|Islands|Lake|Mount|Mountains?|Street|Town|Village|District|Province|Bay|Sea|"
    r"Valley|Cape|Park|Beach|Airport|Castle|Palace|Abbey|Cemetery|Bridge|Region|Township|Parish|Hills?)\b"
)
_AWARD = re.compile(
    r"\b(?:Awards?|Prize|Medal|Order|Oscar|Grammy|Emmy|Globe|Hall of Fame|Honou?rs?|Cross|Trophy|Cup)\b"
)
_RANK = re.compile(
    r"^(?:Sir|Lord|Lady|King|Queen|Prince|Princess|Duke|Duchess|Count|Countess|Earl|Baron|Emperor|Empress|Saint|St|"
    r"Dr|Mr|Mrs|Pope|Bishop|General|Captain|Admiral|President|Senator|Archduke|Archduchess|Infanta|Warden|Professor)\b"
)
_BEFORE_PLACE = re.compile(r"\b(?:in|at|near|from|to|into|around|through|across|of|on|outside)(?: the)? $")
_BEFORE_PERSON = re.compile(
    r"\b(?:by|with|starring|and|son of|daughter of|wife|husband|brother|sister|father|mother|married|to|"
    r"featuring|actor|actress|singer|director|writer|author|producer|composer|artist|rapper|under|named|"
    r"after) $"
)
_IN_A_PLACE = re.compile(
    r"\b(?:in|at|near|from|to|of) [^\W\d_][\w.'\u2019-]*(?: [^\W\d_][\w.'\u2019-]*){0,3}, $"
)
_EVENT = re.compile(
    r"\b(?:War|Wars|Battle|Games|Siege|Treaty|Revolution|Championships?|Olympics|Election|Festival|Massacre|"
    r"Rebellion|Uprising|Crusade|Congress|Season|Tour|Series|Sunday|Renaissance|Dynasty|House of)\b"
)
_VERB = re.compile(r"\b(?:is|was|are|were)\b")
_DEFINITION = 14  # words behind "is a" that can hold the noun that says what something is


_BY_KIND: dict[SpanKind, frozenset[AnswerType]] = {
    "date": frozenset({"date"}),
    "year": frozenset({"year", "date"}),
    "number": frozenset({"number"}),
    "phrase": frozenset({"other"}),
}
_BY_WORD: tuple[tuple[re.Pattern[str], AnswerType], ...] = (
    (_GROUP, "group"),
    (_PLACE, "place"),
    (_AWARD, "award"),
    (_RANK, "person"),
    (_EVENT, "other"),
)


def looks_like(view: View, number: int, span: Span) -> frozenset[AnswerType]:
    """Return the types that a candidate of sentence ``number`` may be of; empty where nothing tells."""
    if span.kind in _BY_KIND:
        return _BY_KIND[span.kind]
    text = view.sentences[number].text
    name = text[span.start : span.end]
    defined = _defined(view, name)
    if defined:
        return defined
    if is_demonym(name):
        return frozenset({"country", "place"})
    found = {kind for pattern, kind in _BY_WORD if pattern.search(name)}
    if span.kind == "quoted":
        found.add("work")
    return frozenset(found or _by_context(text[: span.start], name))


def _by_context(before: str, name: str) -> set[AnswerType]:
    parts = name.split()
    if _BEFORE_PERSON.search(before) and len(parts) > 1:
        return {"person"}
    if _BEFORE_PLACE.search(before):
        return {"place"}
    if _IN_A_PLACE.search(before):
        return {"place"}
    if before.rstrip().endswith(",") and len(parts) == 1:
        return {"place", "person"}
    return {"person"} if 1 < len(parts) <= 4 else set()


def _defined(view: View, name: str) -> frozenset[AnswerType]:
    """Return the types by the passage about ``name``, where the trace holds one."""
    for passage, match in view.resolve(name)[:1]:
        if match >= 0.5:
            return definition(view, passage)
    return frozenset()


def definition(view: View, passage: int) -> frozenset[AnswerType]:
    """Return the types of a passage's subject: by the first noun of a known kind behind "is a"."""
    if not view.by_passage[passage]:
        return frozenset()
    text = view.sentences[view.by_passage[passage][0]].text
    verb = _VERB.search(text)
    found: set[AnswerType] = set()
    if verb is not None:
        for word in words(text[verb.end() :])[:_DEFINITION]:
            kind = TYPE_OF.get(word)
            if kind is not None:
                found.add(kind)
                break
    story = view.lives[passage]
    if story.birth is not None and story.death is not None:
        found = {"person"}
    return frozenset(found)
