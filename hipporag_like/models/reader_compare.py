"""Questions that offer two names: which is older, came first, lived longer, fits the description better."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hipporag_like.models.reader_asking import STEPS, WORK_STEPS
from hipporag_like.models.reader_chain import State, follow
from hipporag_like.models.reader_question import Asked
from hipporag_like.models.reader_view import Place, View
from hipporag_like.models.reader_words import Date, dates, stems
from hipporag_like.text import words

_BIRTH = re.compile(r"\bborn\b|\bbirth\b|\bolde[rs]t?\b|\byounge[rs]t?\b|\bolder\b", re.I)
_DEATH = re.compile(r"\bdie[ds]?\b|\bdeath\b", re.I)
_LONGER = re.compile(r"\blived longer\b|\blonger li(?:fe|ved)\b|\blived to be older\b", re.I)
_LATER = re.compile(
    r"\blater\b|\blatest\b|\byounge[rs]t?\b|\brecent(?:ly)?\b|\blast\b|\bnewe[rs]t?\b|\bafter\b", re.I
)
_EARLIER = re.compile(r"\bfirst\b|\bearlie[rs]t?\b|\bolde[rs]t?\b|\bsooner\b|\bbefore\b", re.I)
_BRACKET = re.compile(r"(?<!\s)\s*\([^()]*\)\s*$")  # from the first blank, so that a run of them is read once
_FAMILY = frozenset({"father", "mother", "spouse"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer that is no span of candidates, with what it rests on.

    Attributes
    ----------
    sure
        In [0, 1]: 1 where all facts needed were found, less where a stand-in was used.
    """

    text: str
    sure: float
    support: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """One option: when it happened, where that is told, and how sure that is."""

    order: tuple[int, int, int] | None
    sure: float
    support: tuple[Place, ...] = ()


def choose(view: View, asked: Asked) -> Verdict | None:
    """Return the option that fits; None where neither option is told of in the passages."""
    if asked.options is None:
        return None
    predicate = asked.text
    for option in asked.options:
        predicate = predicate.replace(option, " ")
    homes = [home(view, option) for option in asked.options]
    if all(h is None for h in homes):
        return None
    if not (_EARLIER.search(predicate) or _LATER.search(predicate) or _LONGER.search(predicate)):
        return _by_description(view, asked.options, homes, predicate)
    step = next(
        (s[0] for p, s in STEPS if p.search(predicate) and len(s) == 1 and s[0] in (WORK_STEPS | _FAMILY)), ""
    )
    sides = [_side(view, h, step, predicate) for h in homes]
    return _decide(asked.options, sides, predicate)


def home(view: View, option: str) -> int | None:
    """Return the passage about ``option``; its bracket, where it has one, tells namesakes apart."""
    full = words(option)
    for i, passage in enumerate(view.passages):
        if words(passage.title) == full:
            return i
    found = view.resolve(_BRACKET.sub("", option))
    if found and found[0][1] >= 0.5:
        return found[0][0]
    key = " ".join(full)
    for i, passage in enumerate(view.passages):
        if key and key in " ".join(words(passage.text)):
            return i
    return None


def _side(view: View, passage: int | None, step: str, predicate: str) -> _Side:
    if passage is None:
        return _Side(None, 0.0)
    about = passage
    sure, trail = 1.0, ()  # type: tuple[float, tuple[Place, ...]]
    if step:
        state = _across(view, passage, step)
        if state is None or state.passage is None:
            # The work's own date stands in for its maker's: makers of older works are mostly older.
            own = _event(view, passage, "")
            return _Side(own.order, 0.3 * own.sure, own.support)
        about, trail = state.passage, state.trail
    found = _when(view, about, predicate)
    if found.order is None and step:
        own = _event(view, passage, "")
        return _Side(own.order, 0.2 * own.sure, own.support)
    return _Side(found.order, found.sure * sure, trail + found.support)


def _across(view: View, passage: int, step: str) -> State | None:
    states = [s for s in follow(view, (step,), [State(1.0, None, passage)]) if s.passage is not None]
    return states[0] if states else None


def _when(view: View, passage: int, predicate: str) -> _Side:
    birth, death = view.born(passage), view.died(passage)
    if _LONGER.search(predicate):
        if birth is None or death is None:
            return _Side(None, 0.0)
        return _Side(_age(birth[1], death[1]), 1.0, (_at(*birth), _at(*death)))
    if _DEATH.search(predicate):
        if death is not None:
            return _Side(death[1].order, 1.0, (_at(*death),))
        # Nobody tells of a death: alive, so later than anybody.
        alive = (9999, 0, 0) if birth is not None and birth[1].year > 1900 else None
        return _Side(alive, 0.5, () if birth is None else (_at(*birth),))
    if _BIRTH.search(predicate):
        if birth is None:
            guess = _event(view, passage, "")
            return _Side(guess.order, 0.3 * guess.sure, guess.support)
        return _Side(birth[1].order, 1.0, (_at(*birth),))
    return _event(view, passage, predicate)


def _age(birth: Date, death: Date) -> tuple[int, int, int]:
    years = death.year - birth.year
    if birth.month and death.month and (death.month, death.day) < (birth.month, birth.day):
        years -= 1
    months = (death.month - birth.month) % 12 if birth.month and death.month else 0
    return years, months, 0


def _at(passage: int, date: Date) -> Place:
    return Place(passage, date.start, date.end)


def _event(view: View, passage: int, predicate: str) -> _Side:
    """Return the date of a passage's event: in a sentence with the predicate's verb, else the first date."""
    wanted = {s for s, _, _ in stems(predicate)}
    best: tuple[float, Date] | None = None
    text = view.passages[passage].text
    for number in view.by_passage[passage]:
        place = view.sentences[number].place
        told = {s for s, _, _ in stems(view.sentences[number].text)}
        for date in dates(text[place.start : place.end]):
            where = Date(date.start + place.start, date.end + place.start, date.year, date.month, date.day)
            rank = len(wanted & told) - 0.1 * (number - view.by_passage[passage][0])
            if best is None or rank > best[0]:
                best = (rank, where)
    if best is None:
        return _Side(None, 0.0)
    return _Side(best[1].order, 0.9, (_at(passage, best[1]),))


def _decide(options: tuple[str, str], sides: list[_Side], predicate: str) -> Verdict | None:
    one, other = sides
    later = _wants_later(predicate)
    if one.order is None and other.order is None:
        return None
    if one.order is None or other.order is None or one.order == other.order:
        known = 0 if one.order is not None else 1
        # A coin flip with one side known; what is told of is asked about a little more often than not.
        return Verdict(options[known], 0.25 * max(one.sure, other.sure), sides[known].support)
    first = 0 if one.order < other.order else 1
    pick = 1 - first if later else first
    return Verdict(options[pick], min(one.sure, other.sure), one.support + other.support)


def _wants_later(predicate: str) -> bool:
    if _LONGER.search(predicate):
        return True
    return bool(_LATER.search(predicate)) and not re.search(r"\bfirst\b|\bearlier\b", predicate, re.I)


def _by_description(view: View, options: tuple[str, str], homes: list[int | None], predicate: str) -> Verdict:
    """Return the option whose passage tells more of what the predicate asks."""
    wanted = {s for s, _, _ in stems(predicate)}
    scored: list[tuple[float, Place | None]] = []
    for passage in homes:
        best: tuple[float, Place | None] = (-1.0, None)
        for number in () if passage is None else view.by_passage[passage]:
            sentence = view.sentences[number]
            told = {s for s, _, _ in stems(sentence.text)}
            fit = 0.3 * len(wanted & told) + sentence.similarity
            best = max(best, (fit, sentence.place), key=lambda x: x[0])
        scored.append(best)
    pick = 0 if scored[0][0] >= scored[1][0] else 1
    lead = abs(scored[0][0] - scored[1][0])
    return Verdict(options[pick], min(0.6, 0.3 + lead), tuple(p for _, p in scored if p is not None))
