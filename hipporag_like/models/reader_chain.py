"""Following the question's relations from passage to passage: "the father of the director of X"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hipporag_like.models.reader_places import countries, is_demonym
from hipporag_like.models.reader_question import TYPE_OF
from hipporag_like.models.reader_relations import FINALS, RELATIONS, STEPS, Relation
from hipporag_like.models.reader_spans import Span
from hipporag_like.models.reader_view import Place, Sentence, View, name_match
from hipporag_like.models.reader_words import stems
from hipporag_like.text import word_spans, words

_LINK_SHARPNESS = 4.0  # a linking sentence 0.17 less similar than the best counts half
_FORM = frozenset("name first last many much old year date place country nationality city town part work kind type call".split())
BEAM = 6  # states kept after each step; a step rarely has more than three plausible fillers
_REACH = 70  # characters between a cue and its filler: "directed by the award-winning Danish film maker X"
_MAX_STEPS = 4
_TITLED = re.compile(r", (?:\d+\w+ )?(?:Duke|Duchess|Count|Countess|Earl|Baron|Lord|Lady|Prince|Princess|King|Queen|Margrave|Landgrave|Elector|Jr|Sr|Viscount|Marquess|Marquis|Heiress|Archduke)\b")
_PLACE_STEPS = frozenset({"birth place", "death place", "within"})
# "Where was X born" asks for the place; "Which airport serves the place where X was born" goes on from there.
_ASKS_PLACE = re.compile(
    r"^\W*(?:where (?:was|were|is|did)|what (?:is|was) (?:the )?(?:place|birthplace|birth place|hometown)|"
    r"in (?:which|what) (?:city|town|place|country|state|village|region|island|year)?)\b|\b(?:which|what) \w+\?*$", re.I,
)


@dataclass(frozen=True, slots=True)
class State:
    """An entity reached: the place that names it, the passage about it, and the places that led here."""

    weight: float
    place: Place | None
    passage: int | None
    trail: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """Relations to follow, nearest to the anchors first.

    Attributes
    ----------
    final
        The attribute asked for; empty where the last step or something else is.
    outright
        Whether the question asks for the last step itself ("Who is the mother of ...").
    between
        Stems of words of the question that are no relation and no anchor: they describe something on the way.
    """

    steps: tuple[str, ...]
    final: str
    anchors: tuple[int, ...]
    outright: bool = False
    between: frozenset[str] = frozenset()


def read_chain(view: View) -> Chain:
    """Return the relations that the question of ``view`` asks to follow."""
    question = view.question
    final = next((name for pattern, name in FINALS if pattern.search(question)), "")
    if final in ("birth place", "death place") and not _ASKS_PLACE.search(question):
        final = ""
    spans = word_spans(question)
    anchored = [(spans[a][1], spans[b - 1][2], i) for i, (a, b) in sorted(view.asked.items())]
    first = min((a for a, _, _ in anchored), default=len(question))
    last = max((b for a, b, _ in anchored if a == first), default=first)
    found: list[tuple[int, tuple[str, ...]]] = []
    free = question
    for pattern, steps in STEPS:
        if final and steps[0] in _PLACE_STEPS:
            continue
        for match in pattern.finditer(free):
            if any(a <= match.start() < b for a, b, _ in anchored):
                continue
            found.append((match.start(), steps))
            free = free[: match.start()] + " " * (match.end() - match.start()) + free[match.end() :]
    found.sort()
    before = [item for item in found if item[0] < first]
    after = [item for item in found if item[0] >= last]
    order = after + before[::-1] if re.match(r"\s?['\u2019]", question[last:]) else before[::-1] + after
    flat = tuple(step for _, steps in order for step in steps)
    rest = _others(free, anchored, 0, len(question))
    outer = order[-1][0] if order else 0
    return Chain(
        steps=flat[:_MAX_STEPS],
        final=final,
        anchors=tuple(i for _, _, i in anchored),
        outright=not final and not _others(free, anchored, 0, outer),
        between=frozenset(rest),
    )


def _others(free: str, anchored: list[tuple[int, int, int]], start: int, stop: int) -> set[str]:
    """Return the stems of the words that are neither relation, nor anchor, nor part of how a question is asked."""
    found = set()
    opens = {a for a, _, _ in anchored}
    spans = stems(free)
    for stem, a, b in spans:
        if not start <= a < stop or any(x <= a < y for x, y, _ in anchored) or stem in _FORM:
            continue
        kind = TYPE_OF.get(free[a:b].lower())
        if kind in ("work", "group") and any(0 < x - b <= 2 for x in opens):
            continue  # "film X": what X is
        found.add(stem)
    return found


def start(view: View, chain: Chain) -> list[State]:
    """Return where the chain starts: at what the question names, or at what is linked to that and described."""
    if not chain.between:
        return [State(1.0, None, i) for i in chain.anchors]
    states = {i: State(0.5, None, i) for i in chain.anchors}
    best = max((s.similarity for s in view.sentences), default=0.0)
    for number, sentence in enumerate(view.sentences):
        here = sentence.place.passage
        for there in view.names[number]:
            for anchor, other in ((here, there), (there, here)):
                if anchor not in chain.anchors or other in chain.anchors:
                    continue
                described = bool(chain.between & view.defining[other])
                weight = (0.6 + 0.4 * described) * math.exp(_LINK_SHARPNESS * (sentence.similarity - best))
                if other not in states or states[other].weight < weight:
                    states[other] = State(weight, sentence.place, other, (sentence.place,))
    return sorted(states.values(), key=lambda s: -s.weight)[:BEAM]


def follow(view: View, steps: tuple[str, ...], states: list[State]) -> list[State]:
    """Return the entities reached from ``states`` by ``steps``, best first."""
    for step in steps:
        reached: dict[tuple[int | None, str], State] = {}
        for state in states:
            for new in _step(view, state, step):
                name = "" if new.place is None else view.text(new.place).lower()
                key = (new.passage, name if new.passage is None else "")
                if key not in reached or reached[key].weight < new.weight:
                    reached[key] = new
        states = sorted(reached.values(), key=lambda s: -s.weight)[:BEAM]
    return states


def _step(view: View, state: State, step: str) -> list[State]:
    if state.passage is None:
        return []
    relation = RELATIONS[step]
    found: list[State] = []
    for place, weight in fillers(view, state.passage, relation):
        about = [(i, w) for i, w in view.resolve(view.text(place)) if i != state.passage]
        trail = (*state.trail, place)
        found += [State(state.weight * weight * (0.5 + 0.5 * w), place, i, trail) for i, w in about[:2]]
        found.append(State(state.weight * weight * 0.5, place, None, trail))
    for passage, place, weight in _told_by_others(view, state.passage, relation):
        found.append(State(state.weight * weight * 0.7, place, passage, (*state.trail, place)))
    return found


def _told_by_others(view: View, subject: int, relation: Relation) -> list[tuple[int, Place, float]]:
    """Return passages that tell the relation the other way round: "X was the father of SUBJECT"."""
    converse = RELATIONS.get(relation.converse)
    if converse is None:
        return []
    found = []
    for i in range(len(view.passages)):
        if i == subject:
            continue
        for place, weight in fillers(view, i, converse):
            match = name_match(words(view.text(place)), view.title_words[subject])
            if match >= 0.5:
                found.append((i, place, weight * match))
    return found


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
            # Later sentences tell of others more often: their weight halves about every fourth sentence.
            found[place] = max(found.get(place, 0.0), weight * 0.85 ** (number - view.by_passage[passage][0]))
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
            found += [(n, 0.95**rank * 0.8**k * _gender(text, n, relation)) for k, n in enumerate(names[:3])]
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
        if names and not re.fullmatch(r"(?:\s*\([^()]*\))?\s*,?\s*(?:and|&)?\s*(?:(?:his|her|their|by|wife|husband|first|second|third|\w+)\s+){0,4}", gap):
            break
        if set(words(text[span.start : span.end])) <= own:
            continue
        names.append(span)
        # Of several readings with one start the whole run comes last; the parts stay candidates, too.
        edge = span.end
        longest = max((s.end for s in spans if s.start == span.start), default=span.end)
        if longest > span.end and not names[1:]:
            whole = next(s for s in spans if s.start == span.start and s.end == longest)
            if " and " not in text[whole.start : whole.end]:
                names[-1] = whole
                edge = longest
    return names


def _bracket_places(view: View, sentence: Sentence, spans: list[Span], relation: Relation) -> list[tuple[Span, float]]:
    """Return places beside the dates of a life's bracket: ``(6 June 1906, Graz – 2 November 1994, Paris)``."""
    story = view.lives[sentence.place.passage]
    date = story.birth if relation is RELATIONS["birth place"] else story.death
    if date is None or relation is RELATIONS["burial place"]:
        return []
    other = story.death if relation is RELATIONS["birth place"] else story.birth
    offset = sentence.place.start
    found = []
    for span in spans:
        gap = sentence.text[max(date.end - offset, 0) : span.start]
        between = other is None or not (date.start < other.start < span.start + offset)
        if span.start + offset >= date.end and between and re.fullmatch(r",? ?(?:in |at )?(?:\w+, )?", gap):
            found.append((span, 1.0))
        lead = sentence.text[span.end : max(date.start - offset, 0)]
        if span.end + offset <= date.start and re.fullmatch(r",? (?:on )?", lead) and "(" in sentence.text[: span.start]:
            found.append((span, 0.8))
    return found


def _country_spans(text: str, first: bool) -> list[tuple[Span, float]]:
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
