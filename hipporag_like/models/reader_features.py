"""What speaks for a candidate answer, in numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hipporag_like.models.reader_classes import in_class
from hipporag_like.models.reader_evidence import Evidence
from hipporag_like.models.reader_kinds import looks_like
from hipporag_like.models.reader_places import is_demonym
from hipporag_like.models.reader_question import AnswerType
from hipporag_like.models.reader_readings import is_title
from hipporag_like.models.reader_spans import RANKS, Span
from hipporag_like.models.reader_view import Place
from hipporag_like.models.reader_words import stem, stems
from hipporag_like.text import STOPWORDS, words

FEATURES = (
    "chained", "chain weight", "chain passage", "told here", "told at end", "beside reached", "is reached",
    "chained whole", "chain weight whole", "chain passage whole",
    "similarity", "passage score", "rank", "first passage", "asked passage", "incoming",
    "type fits", "type is another", "type unknown", "phrase", "demonym unasked",
    "head beside", "head inside", "head class", "head defines", "head denied",
    "question words", "nearest word", "word before", "main words", "coverage", "coverage linked",
    "first sentence", "late", "short", "long", "loose", "pair", "part of pair", "rank leads",
    "passages naming it", "names bridge", "names title", "entity mass", "fact mass",
)  # fmt: skip

# Types that answers of a type may look like as well, at half weight.
_NEAR: dict[AnswerType, frozenset[AnswerType]] = {
    "country": frozenset({"place"}),
    "place": frozenset({"country", "group"}),
    "group": frozenset({"work", "place"}),
    "work": frozenset({"group"}),
    "award": frozenset({"group"}),
}
_PHRASE_TYPES = frozenset({"other", "award", "group"})  # types whose answers may be in lower case
_NEARNESS = 20  # characters at which a word's nearness falls to 1/e: about three words
_BEHIND, _AHEAD = 30, 40  # characters around a candidate that may say its kind ("rapper X", "X, a rapper")
_NOWHERE = 999
_SHORT_TYPES = frozenset({"place", "country", "date", "year", "number"})  # types mostly told in one word
_LONG = 5  # words; 95 % of the answers of the development sets have no more
_LOOSELY = re.compile(r" (?:and|in|at|on|for|to) ")
_JOINED = re.compile(r", [^\W\d_]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of a sentence with its features, as :data:`FEATURES` names them."""

    sentence: int
    place: Place
    values: tuple[float, ...]
    trail: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    """What holds for all places of one name."""

    key: str
    titles: tuple[int, ...]
    passages: float
    mass: float


def candidates(evidence: Evidence) -> list[Candidate]:
    """Return the candidates of all sentences with their features, without what the question itself names."""
    view, found = evidence.view, []
    seen: dict[str, _Named] = {}
    phrases = evidence.asked.type in _PHRASE_TYPES
    for number, sentence in enumerate(view.sentences):
        at = sentence.place
        for span in view.spans[number]:
            place = Place(at.passage, at.start + span.start, at.start + span.end)
            if span.kind == "phrase" and not phrases and place not in evidence.direct:
                continue
            name = words(sentence.text[span.start : span.end])
            if not name or set(name) - STOPWORDS <= evidence.question_words:
                continue
            key = " ".join(name)
            if key not in seen:
                seen[key] = _named(evidence, name, key)
            values = _values(evidence, number, span, place, seen[key])
            trail = evidence.direct[place][1] if place in evidence.direct else ()
            found.append(Candidate(number, place, values, trail))
    return found


def _named(evidence: Evidence, name: list[str], key: str) -> _Named:
    padded = f" {key} "
    return _Named(
        key=key,
        titles=tuple(i for i, t in enumerate(evidence.view.title_words) if _is_title(name, t)),
        passages=math.log(max(sum(padded in t for t in evidence.texts), 1)),
        mass=evidence.view.entities.get(key, 0.0),
    )


def _is_title(name: list[str], title: tuple[str, ...]) -> bool:
    """Whether folded words are a title, or part of one with its last word ("Sandra Oh", "Sandra Miju Oh")."""
    if tuple(name) == title:
        return True
    return len(name) > 1 and len(title) > 1 and name[-1] == title[-1] and set(name) <= set(title)


def _values(evidence: Evidence, number: int, span: Span, place: Place, named: _Named) -> tuple[float, ...]:
    view, passage = evidence.view, place.passage
    sentence = view.sentences[number]
    chained = evidence.direct[place][0] if place in evidence.direct else 0.0
    relative = chained / evidence.most_chained if chained else 0.0
    end = evidence.ends.get(passage, 0.0)
    ended = end / evidence.most_ended if evidence.most_ended else 0.0
    whole = float(evidence.whole)
    surface = sentence.text[span.start : span.end]
    return (
        float(chained > 0),
        relative,
        end if evidence.whole else ended,
        evidence.told.get(place, 0.0),
        float(passage in evidence.ends and chained == 0 and evidence.told.get(place, 0.0) > 0),
        evidence.beside[number],
        0.0 if chained else evidence.reached.get(named.key, 0.0),
        whole * float(chained > 0),
        whole * relative,
        whole * ended,
        sentence.similarity,
        view.scores[passage],
        math.log1p(passage),
        # Answers mostly stand a hop away from what is named; not so where the relation asked for is told.
        float(passage == 0 and not chained),
        float(passage in view.asked and not chained),
        evidence.incoming[passage],
        *_type_values(evidence, number, span),
        float(span.kind == "phrase"),
        float(is_demonym(surface) and evidence.asked.type != "country"),
        *_head_values(evidence, sentence.text, span, named),
        *_word_values(evidence, number, span),
        _main_share(evidence, number, span),
        evidence.coverage.alone[number],
        evidence.coverage.linked[number],
        float(sentence.first),
        math.log1p(number - view.by_passage[passage][0]),
        *_form_values(sentence.text, span, evidence.asked.type),
        named.passages,
        float(passage in named.titles and passage not in view.asked),
        float(is_title(view, surface)),
        named.mass,
        math.sqrt(view.facts.get((view.passages[passage].id, sentence.text), 0.0)),
    )


def _form_values(text: str, span: Span, wanted: AnswerType) -> tuple[float, ...]:
    """Return whether a name is one word, many, loosely joined, two with a comma, one of those, led by a rank."""
    joined = _JOINED.match(text, span.end) is not None or text[: span.start].endswith(", ")
    surface = text[span.start : span.end]
    size = surface.count(" ") + 1
    return (
        float(size == 1 and wanted not in _SHORT_TYPES),
        float(size > _LONG),
        float(span.kind == "name" and _LOOSELY.search(surface) is not None),
        float(", " in surface and span.kind == "name"),
        float(joined and span.kind == "name"),
        float(size > 1 and surface.split(" ", 1)[0].rstrip(".") in RANKS),
    )


def _type_values(evidence: Evidence, number: int, span: Span) -> tuple[float, float, float]:
    """Return whether a candidate looks like the type asked for, like another, or like nothing known."""
    wanted = evidence.asked.type
    kinds = looks_like(evidence.view, number, span)
    if wanted == "other":
        return 0.0, float(span.kind in ("date", "year", "number")), float(not kinds)
    if wanted in kinds or kinds & _NEAR.get(wanted, frozenset()):
        return (1.0 if wanted in kinds else 0.5), 0.0, 0.0
    return 0.0, float(bool(kinds)), float(not kinds)


def _head_values(
    evidence: Evidence, text: str, span: Span, named: _Named
) -> tuple[float, float, float, float, float]:
    """Return the share of "which HEAD"'s words beside and in a candidate, and in the definition of what it names.

    The third value says whether the candidate is of a class that HEAD names, the last whether that definition
    has none of the words.
    """
    head = set(evidence.asked.head)
    if not head:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    around = text[max(span.start - _AHEAD, 0) : span.start] + " " + text[span.end : span.end + _BEHIND]
    inside = {stem(w) for w in words(text[span.start : span.end])}
    beside = head & {s for s, _, _ in stems(around)} - inside
    defines = max((len(head & evidence.view.defining[i]) for i in named.titles), default=0)
    denied = float(bool(named.titles) and not defines)
    share = 1 / len(head)
    named_so = float(in_class(frozenset(head), text[span.start : span.end]))
    return share * len(beside), share * len(head & inside), named_so, share * defines, denied


def _word_values(evidence: Evidence, number: int, span: Span) -> tuple[float, float, float]:
    """Return how many of the question's words the sentence has, and how near the nearest stands."""
    ahead = behind = _NOWHERE
    met = set()
    for word, start, end in evidence.view.lines[number]:
        if word not in evidence.question_stems:
            continue
        if end <= span.start:
            ahead = min(ahead, span.start - end)
        elif start >= span.end:
            behind = min(behind, start - span.end)
        else:
            continue
        met.add(word)
    share = len(met) / max(len(evidence.question_stems), 1)
    return share, math.exp(-min(ahead, behind) / _NEARNESS), math.exp(-ahead / _NEARNESS)


def _main_share(evidence: Evidence, number: int, span: Span) -> float:
    """Return the share of the question's main words in the sentence, outside the candidate."""
    met = {
        word
        for word, start, end in evidence.view.lines[number]
        if word in evidence.main and (end <= span.start or start >= span.end)
    }
    return len(met) / max(len(evidence.main), 1)
