"""Following the question's relations from passage to passage: "the father of the director of X"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hipporag_like.models.reader_asking import ASKS_PLACE, FINALS, FORM, PLACE_STEPS, SAID_BY, STEPS
from hipporag_like.models.reader_fillers import fillers, told_of
from hipporag_like.models.reader_question import TYPE_OF
from hipporag_like.models.reader_relations import RELATIONS, Relation
from hipporag_like.models.reader_view import Place, View, name_match
from hipporag_like.models.reader_words import stems
from hipporag_like.text import word_spans, words

Anchor = tuple[int, int, int]  # characters of the question, and the passage about what they name

BEAM = 6  # states kept after each step; a step rarely has more than three plausible fillers
_MAX_STEPS = 4
# Weights of passages where no words tell the step: half of the steps that fail on the development sets lead to
# the best passage behind the subject's own.
_LINKED, _UNLINKED, _FURTHER_DOWN = 0.2, 0.1, 0.7
_UNTOLD_PASSAGES = 3
_OTHER_GENDER = 0.3  # a passage that says "she" tells of no father, but pronouns may mean others
_LINK_SHARPNESS = 4.0  # a linking sentence 0.17 less similar than the best counts half


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

    @property
    def whole(self) -> bool:
        """Whether the relations and anchors are all that the question says."""
        return bool(self.anchors and (self.steps or self.final) and not self.between)


def read_chain(view: View, head: tuple[str, ...] = ()) -> Chain:
    """Return the relations that the question of ``view`` asks to follow.

    Parameters
    ----------
    head
        Stems of what the answer is said to be, as in :class:`reader_question.Asked`.
    """
    question = view.question
    final = next((name for pattern, name in FINALS if pattern.search(question)), "")
    if final in PLACE_STEPS and not ASKS_PLACE.search(question):
        final = ""
    spans = word_spans(question)
    anchored = [(spans[a][1], spans[b - 1][2], i) for i, (a, b) in sorted(view.asked.items())]
    found, free = _find_steps(question, anchored, bool(final))
    first = min((a for a, _, _ in anchored), default=len(question))
    last = max((b for a, b, _ in anchored if a == first), default=first)
    before = [item for item in found if item[0] < first]
    after = [item for item in found if item[0] >= last]
    possessive = re.match(r"\s?['\u2019]", question[last:]) is not None
    order = after + before[::-1] if possessive else before[::-1] + after
    outer = order[-1][0] if order else 0
    # "To whom was the husband of X apprenticed" asks for somebody else than the husband.
    aside = re.match(r"[\w-]+ (?:of|to)\b", question[outer:]) is not None or outer >= last
    steps = tuple(step for _, steps in order for step in steps)[:_MAX_STEPS]
    said = frozenset[str]().union(*(SAID_BY.get(name, frozenset()) for name in (final, *steps)))
    behind = _others(free, anchored, max(last, outer), len(question)) - said
    return Chain(
        steps=steps,
        final=final,
        anchors=tuple(i for _, _, i in anchored),
        outright=not final and not _others(free, anchored, 0, outer) - set(head) and not (aside and behind),
        between=frozenset(_others(free, anchored, 0, len(question)) - said),
    )


def _find_steps(
    question: str, anchored: list[Anchor], places_told: bool
) -> tuple[list[tuple[int, tuple[str, ...]]], str]:
    """Return the steps with their places, in order, and the question with their words blanked."""
    found: list[tuple[int, tuple[str, ...]]] = []
    free = question
    for pattern, steps in STEPS:
        if places_told and steps[0] in PLACE_STEPS:
            continue
        for match in pattern.finditer(free):
            if any(a <= match.start() < b for a, b, _ in anchored):
                continue
            found.append((match.start(), steps))
            free = free[: match.start()] + " " * (match.end() - match.start()) + free[match.end() :]
    return sorted(found), free


def _others(free: str, anchored: list[Anchor], start: int, stop: int) -> set[str]:
    """Return the stems of words that are neither relation nor anchor, nor say how a question is asked."""
    found = set()
    for stem, a, b in stems(free):
        if not start <= a < stop or stem in FORM or any(x <= a < y for x, y, _ in anchored):
            continue
        kind = TYPE_OF.get(free[a:b].lower())
        if kind in ("work", "group") and any(0 < x - b <= 2 for x, _, _ in anchored):
            continue  # "film X": what X is
        found.add(stem)
    return found


def start(view: View, chain: Chain) -> list[State]:
    """Return where the chain starts: at what the question names, or describes by a link to that."""
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


def follow(view: View, steps: tuple[str, ...], states: list[State], guess: bool = False) -> list[State]:
    """Return the entities reached from ``states`` by ``steps``, best first.

    Parameters
    ----------
    guess
        Whether to go on to the best other passages where nothing known here tells a step. That pays where the
        chain is all that the question says, and misleads elsewhere.
    """
    visited = {i for s in states if s.passage is not None for i in view.siblings[s.passage]}
    for step in steps:
        reached: dict[tuple[int | None, str], State] = {}
        for state in states:
            for new in _step(view, state, step):
                name = "" if new.place is None else view.text(new.place).lower()
                key = (new.passage, name if new.passage is None else "")
                if key not in reached or reached[key].weight < new.weight:
                    reached[key] = new
        if guess and all(state.passage is None for state in reached.values()):
            for new in _untold(view, states, visited):
                reached.setdefault((new.passage, ""), new)
        states = sorted(reached.values(), key=lambda s: -s.weight)[:BEAM]
        visited.update(i for s in states if s.passage is not None for i in view.siblings[s.passage])
    return states


def _untold(view: View, states: list[State], visited: set[int]) -> list[State]:
    """Return where a step may lead that no passage tells in words known here.

    These are the best passages that the chain has not been at; one that names the last, or is named, weighs more.
    """
    here = {i for s in states if s.passage is not None for i in view.siblings[s.passage]}
    linked = {
        there
        for number, named in enumerate(view.names)
        for one in (view.sentences[number].place.passage,)
        for other in named
        for near, there in ((one, other), (other, one))
        if near in here
    }
    others = [i for i in range(len(view.passages)) if i not in visited][:_UNTOLD_PASSAGES]
    most = max((s.weight for s in states if s.passage is not None), default=0.0)
    found = []
    for rank, passage in enumerate(others):
        weight = most * (_LINKED if passage in linked else _UNLINKED) * _FURTHER_DOWN**rank
        found.append(State(weight, None, passage))
    return found


def _step(view: View, state: State, step: str) -> list[State]:
    if state.passage is None:
        return []
    relation = RELATIONS[step]
    found: list[State] = []
    for place, weight in told_of(view, state.passage, relation):
        about = _subjects(view, view.text(place), state.passage)
        trail = (*state.trail, place)
        about = [(i, w * _fits_gender(view, i, relation)) for i, w in about]
        found += [State(state.weight * weight * (0.5 + 0.5 * w), place, i, trail) for i, w in about[:2]]
        found.append(State(state.weight * weight * 0.5, place, None, trail))
    for passage, place, weight in _told_by_others(view, state.passage, relation):
        own = view.own_name(passage)
        found.append(State(state.weight * weight * 0.7, own, passage, (*state.trail, place, own or place)))
    return found


def _subjects(view: View, name: str, without: int) -> list[tuple[int, float]]:
    """Return the passages that ``name`` may mean, one a document, and none about the subject left."""
    found: list[tuple[int, float]] = []
    seen = set(view.siblings[without])
    for passage, match in view.resolve(name):
        if passage not in seen:
            found.append((passage, match))
            seen.update(view.siblings[passage])
    return found


def _fits_gender(view: View, passage: int, relation: Relation) -> float:
    told = view.genders[passage]
    return _OTHER_GENDER if relation.gender and told and told != relation.gender else 1.0


def _told_by_others(view: View, subject: int, relation: Relation) -> list[tuple[int, Place, float]]:
    """Return passages that tell the relation the other way round: "X was the father of SUBJECT"."""
    converse = RELATIONS.get(relation.converse)
    if converse is None:
        return []
    found = []
    for i in range(len(view.passages)):
        if i in view.siblings[subject]:
            continue
        for place, weight in fillers(view, i, converse):
            match = name_match(words(view.text(place)), view.title_words[subject])
            if match >= 0.5:
                found.append((i, place, weight * match))
    return found
