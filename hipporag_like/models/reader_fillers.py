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
_OTHER = 0.3  # the same where the further name is somebody else
_TITLED = re.compile(
    r", (?:\d+\w+ )?(?:Duke|Duchess|Count|Countess|Earl|Baron|Lord|Lady|Prince|Princess|King|Queen|Margrave|"
    r"Landgrave|Elector|Jr|Sr|Viscount|Marquess|Marquis|Heiress|Archduke)\b"
)
_JOINED = re.compile(r"(?:\s*\([^()]*\))?\s*,?\s*(?:and|&)?\s*(?:\w+\s+){0,4}")


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
            names = _behind(text, match.end(), spans, own)
            sure = _LESS_SURE**rank
            further = _OTHER if relation.single else _FURTHER
            found += [(n, sure * further**k * _gender(text, n, relation)) for k, n in enumerate(names[:3])]
    for cue in relation.second:
        for match in cue.finditer(text):
            names = _behind(text, match.end(), spans, own)
            found += [(span, 0.9 if k == 1 else 0.3) for k, span in enumerate(names[:3]) if k]
    return found


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
        return relation.filler == "place" or not is_demonym(surface)
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
    longest = max((s for s in spans if s.start == span.start), key=lambda s: s.end)
    return span if " and " in text[longest.start : longest.end] else longest


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
