"""What one passage says a relation's filler is: the names, places and dates behind the relation's cues."""

from __future__ import annotations

import re

from hipporag_like.models.reader_places import countries, is_demonym
from hipporag_like.models.reader_relations import RELATIONS, Relation
from hipporag_like.models.reader_spans import Span
from hipporag_like.models.reader_view import Place, Sentence, View
from hipporag_like.text import words

_REACH = 70  # characters between a cue and its filler: "directed by the award-winning Danish film maker X"
_LATER = 0.85  # weight lost a sentence: later ones tell of others more often; halves every fourth sentence
_LESS_SURE, _FURTHER = 0.95, 0.8  # weight lost a cue down the list, and a name further behind the cue
_SECOND = 0.9  # weight of the second parent
_AHEAD = 0.8  # weight of a name ahead of its cue: fewer words tell it than behind "son of"
_ELSEWHERE = 0.9  # the same in another part of the document: parts further on tell of others more often
_OTHER = 0.3  # the same where the further name is somebody else
_TITLED = re.compile(
    r", (?:\d\w+ )?(?:Duke|Duchess|Count|Countess|Earl|Baron|Lord|Lady|Prince|Princess|King|Queen|Margrave|"
    r"Landgrave|Elector|Jr|Sr|Viscount|Marquess|Marquis|Heiress|Archduke)\b"
)
_LEADS_TO_PLACE = re.compile(r"(?:\b(?:in|at|near|of|to|from|into|on|around|outside|the)|[,(–-]) ?$")
_UNLED = 0.4  # weight kept by a place without such a word before it: "born Sara Lund in Ribe"
_MODIFIES = re.compile(
    r" (?!in\b|and\b|on\b|at\b|to\b|where\b|as\b|with\b|by\b|or\b|for\b|but\b|from\b)[a-z]"
)
_APPOSED = re.compile(
    r"([^\W\d_][\w'\u2019-]{0,80})(?:,| who was) "  # bounded: an endless word is no name
    r"(?:(?:a|an|the|and|himself|herself|eldest|elder|second|third|younger|youngest|only|first|illegitimate) ){0,4}$"
)
_JOINED = re.compile(r"(?:\s*\([^()]*\))?\s*(?:,\s*)?(?:(?:and|&)\s*)?(?:\w+\s+){0,4}")


def told_of(view: View, passage: int, relation: Relation) -> list[tuple[Place, float]]:
    """Return what the passages about one subject say a relation's filler is, as :func:`fillers` does."""
    found = fillers(view, passage, relation)
    for other in view.siblings[passage][1:]:
        found += [(place, _ELSEWHERE * weight) for place, weight in fillers(view, other, relation)]
    return sorted(found, key=lambda item: -item[1])


def fillers(view: View, passage: int, relation: Relation) -> list[tuple[Place, float]]:
    """Return what one passage says a relation's filler is, with weights in (0, 1]; earlier weighs more."""
    if relation.filler in ("birth", "death"):
        date = view.lives[passage].birth if relation.filler == "birth" else view.lives[passage].death
        return [] if date is None else [(Place(passage, date.start, date.end), 1.0)]
    found: dict[Place, float] = {}
    for number in view.by_passage[passage]:
        sentence = view.sentences[number]
        for span, weight in _in_sentence(view, number, sentence, relation):
            start = sentence.place.start
            place = Place(passage, start + span.start, start + span.end)
            weight *= _LATER ** (number - view.by_passage[passage][0])
            found[place] = max(found.get(place, 0.0), weight)
    return sorted(found.items(), key=lambda item: (-item[1], item[0].start))


def _in_sentence(view: View, number: int, sentence: Sentence, relation: Relation) -> list[tuple[Span, float]]:
    text = sentence.text
    if relation.filler == "country":
        return _country_spans(text, sentence.first)
    spans = [s for s in view.spans[number] if _fits(text, s, relation)]
    found = []
    if relation.filler == "place" and sentence.first:
        found += _bracket_places(view, sentence, spans, relation)
    own = set(view.title_words[sentence.place.passage])
    for rank, cue in enumerate(relation.cues):
        for match in cue.finditer(text):
            names = _fitting_first(text, _behind(text, match.end(), spans, own)[:3], relation)
            sure = _LESS_SURE**rank * _about_subject(text, match.start(), own, relation)
            further = _OTHER if relation.single else _FURTHER
            found += [(n, sure * further**k * _likely(text, n, relation)) for k, n in enumerate(names)]
    for cue in relation.second:
        for match in cue.finditer(text):
            sure = _about_subject(text, match.start(), own, relation)
            found += _second(text, _behind(text, match.end(), spans, own)[:3], sure, relation)
    return found + _ahead(text, spans, own, relation)


def _second(text: str, names: list[Span], sure: float, relation: Relation) -> list[tuple[Span, float]]:
    """Return the names behind the first: "son of A and B", "son of A, Duke of C, and B"."""
    found = []
    for k, (before, span) in enumerate(zip(names, names[1:], strict=False)):
        joined = k == 0 or " and " in text[before.end : span.start + 1]
        found.append((span, sure * (_SECOND if joined else _OTHER) * _gender(text, span, relation)))
    return found


def _ahead(text: str, spans: list[Span], own: set[str], relation: Relation) -> list[tuple[Span, float]]:
    """Return the names that end where a cue begins: "A, whom she married"."""
    found = []
    for cue in relation.ahead:
        for match in cue.finditer(text):
            names = [
                s for s in spans if s.end == match.start() and not set(words(text[s.start : s.end])) <= own
            ]
            found += [(name, _AHEAD) for name in names[:1]]
    return found


def _about_subject(text: str, at: int, own: set[str], relation: Relation) -> float:
    """Return the weight of a cue for family: less where it describes another, as in "A and B, a daughter of C"."""
    described = _APPOSED.search(text[max(at - _REACH, 0) : at]) if relation.gender else None
    return 1.0 if described is None or described.group(1).lower() in own else _OTHER


def _fitting_first(text: str, names: list[Span], relation: Relation) -> list[Span]:
    """Return the names with those that can be no filler last: "son of Queen A and B" has the father B."""
    return sorted(names, key=lambda n: _gender(text, n, relation) < 1.0)


def _likely(text: str, span: Span, relation: Relation) -> float:
    """Return the weight that a name keeps by its look: its gender, or for a place what stands before it."""
    if relation.filler != "place":
        return _gender(text, span, relation)
    return 1.0 if _LEADS_TO_PLACE.search(text[: span.start]) else _UNLED


def _gender(text: str, span: Span, relation: Relation) -> float:
    against = relation.against
    return 0.3 if against is not None and against.search(text[span.start : span.end]) else 1.0


def _fits(text: str, span: Span, relation: Relation) -> bool:
    if relation.filler == "phrase":
        return span.kind in ("phrase", "name")
    surface = text[span.start : span.end]
    if relation.filler == "award":
        return span.kind in ("name", "quoted")
    if span.kind not in ("name", "quoted"):
        return False
    if relation.filler in ("place", "group"):
        return not is_demonym(surface) or (
            relation.filler == "place" and _MODIFIES.match(text, span.end) is None
        )
    # "A, Duke of B" is one person; any other comma divides two.
    return not is_demonym(surface) and ("," not in surface or _TITLED.search(surface) is not None)


def _behind(text: str, at: int, spans: list[Span], own: set[str]) -> list[Span]:
    """Return the names behind a cue: the nearest, and those joined to it by "and" or a comma."""
    names: list[Span] = []
    edge = at
    for span in spans:
        if span.start < edge:
            continue
        gap = text[edge : span.start]
        if len(gap) > _REACH or ";" in gap or re.search(r"[.!?]\s", gap):
            break
        if names and not _JOINED.fullmatch(gap):
            break
        if set(words(text[span.start : span.end])) <= own:
            continue
        whole = span if len(names) > 1 else _whole(text, span, spans)
        names.append(whole)
        edge = whole.end
    return names


def _whole(text: str, span: Span, spans: list[Span]) -> Span:
    """Return the longest reading of a name that starts as ``span`` does; "A and B" are two."""
    same = [s for s in spans if s.start == span.start and " and " not in text[s.start : s.end]]
    return max(same, key=lambda s: s.end, default=span)


def _bracket_places(
    view: View, sentence: Sentence, spans: list[Span], relation: Relation
) -> list[tuple[Span, float]]:
    """Return places beside the dates of a life's bracket: ``(6 June 1906, Graz – 2 May 1994, Paris)``."""
    story = view.lives[sentence.place.passage]
    birth = relation is RELATIONS["birth place"]
    date, other = (story.birth, story.death) if birth else (story.death, story.birth)
    if date is None or relation not in (RELATIONS["birth place"], RELATIONS["death place"]):
        return []
    text, offset = sentence.text, sentence.place.start
    start, end = max(date.start - offset, 0), max(date.end - offset, 0)
    found = []
    for span in spans:
        across = other is not None and date.start < other.start < span.start + offset
        if (
            span.start >= end
            and not across
            and re.fullmatch(r",? ?(?:in |at )?(?:\w+, )?", text[end : span.start])
        ):
            found.append((span, 1.0))
        leads = span.end <= start and re.fullmatch(r",? (?:on )?", text[span.end : start])
        if leads and "(" in text[: span.start]:
            found.append((span, 0.8))
    return found


def _country_spans(text: str, first: bool) -> list[tuple[Span, float]]:
    """Return the countries named; those right behind the definition's "is a" weigh most."""
    verb = re.search(r"\b(?:is|was|are|were)\b", text)
    found = []
    for _, start, end in countries(text):
        weight = 0.5
        if text[end : end + 5] == "-born":
            weight = 0.3
        elif first and verb is not None and 0 <= start - verb.end() < 40:
            weight = 1.0
        found.append((Span(start, end, "name"), weight))
    return found
