"""What holds for a whole question before any candidate is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hipporag_like.models.reader_asking import FINAL_TYPES
from hipporag_like.models.reader_chain import Chain, State
from hipporag_like.models.reader_coverage import Coverage, covered
from hipporag_like.models.reader_fillers import fillers, told_of
from hipporag_like.models.reader_question import Asked
from hipporag_like.models.reader_readings import readings
from hipporag_like.models.reader_relations import RELATIONS
from hipporag_like.models.reader_view import Place, View
from hipporag_like.models.reader_words import stem, stems
from hipporag_like.text import STOPWORDS, words

NOT_NAMED = -1.0  # "incoming" of a passage that no other sentence names; real values lie in (-0.7, 0]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of a question.

    Attributes
    ----------
    direct
        Places that the chain of relations ends at, with weight and the places that led there.
    ends
        Passages that the chain reaches before the last attribute, with weight.
    told
        Places that any passage tells as a filler of the last relation, with weight.
    incoming
        One a passage: how similar to the question the best sentence elsewhere is that names its subject,
        behind the best sentence of all.
    texts
        The folded words of each passage between spaces.
    whole
        Whether the chain is all that the question says.
    coverage
        How much of the question each sentence tells.
    reached
        The names that the chain's last step reaches, by their words, with weight.
    beside
        One a sentence: the weight of the heaviest of these that it names, or that its passage is about.
    main
        Stems of the words next to the question word: "founded" in "Which paper was founded by the man who".
    """

    view: View
    asked: Asked
    question_stems: frozenset[str]
    question_words: frozenset[str]
    direct: dict[Place, tuple[float, tuple[Place, ...]]]
    ends: dict[int, float]
    told: dict[Place, float]
    incoming: tuple[float, ...]
    texts: tuple[str, ...]
    main: frozenset[str]
    most_chained: float
    most_ended: float
    whole: bool
    coverage: Coverage
    reached: dict[str, float]
    beside: tuple[float, ...]


def gather(view: View, asked: Asked, chain: Chain, states: list[State]) -> Evidence:
    """Return the evidence of a question: what the chain ends at and what the sentences share with it."""
    asked = _typed(asked, chain.final)
    direct, ends = _reached(view, asked, chain, states)
    told: dict[Place, float] = {}
    reached = _on_the_way(view, states) if chain.steps else {}
    goal = chain.final or (chain.steps[-1] if chain.steps else "")
    if goal:
        for passage in range(len(view.passages)):
            for place, weight in fillers(view, passage, RELATIONS[goal]):
                for reading in (place, *(readings(view, place, asked) if chain.whole else ())):
                    told[reading] = max(told.get(reading, 0.0), weight)
    return Evidence(
        view=view,
        asked=asked,
        question_stems=frozenset(s for s, _, _ in stems(view.question)) - _name_stems(view),
        question_words=frozenset(view.question_words) - STOPWORDS,
        direct=direct,
        ends=ends,
        told=told,
        incoming=tuple(_incoming(view, i) for i in range(len(view.passages))),
        texts=tuple(f" {' '.join(words(p.text))} " for p in view.passages),
        main=frozenset(_main(view, asked)),
        most_chained=max((weight for weight, _ in direct.values()), default=0.0),
        most_ended=max(ends.values(), default=0.0),
        whole=chain.whole,
        coverage=covered(view),
        reached=reached,
        beside=_beside(view, reached, ends),
    )


def _typed(asked: Asked, final: str) -> Asked:
    """Return the question with the type of the attribute asked for, where its own words say less or nothing."""
    told = FINAL_TYPES.get(final)
    return replace(asked, type=told) if told is not None and asked.type in ("other", "place") else asked


def _reached(
    view: View, asked: Asked, chain: Chain, states: list[State]
) -> tuple[dict[Place, tuple[float, tuple[Place, ...]]], dict[int, float]]:
    direct: dict[Place, tuple[float, tuple[Place, ...]]] = {}
    ends: dict[int, float] = {}
    if not chain.steps and not chain.final:
        return direct, ends

    def reach(place: Place, weight: float, trail: tuple[Place, ...]) -> None:
        for reading in (place, *readings(view, place, asked)):
            if reading not in direct or direct[reading][0] < weight:
                direct[reading] = (weight, trail)

    # "Who is the mother of ..." asks for what the last step finds, "Which castle ..." for what stands there.
    names_person = chain.outright and asked.type in ("person", "other")
    for state in states:
        if state.passage is not None:
            ends[state.passage] = max(ends.get(state.passage, 0.0), state.weight)
            if chain.final:
                for place, weight in told_of(view, state.passage, RELATIONS[chain.final]):
                    reach(place, state.weight * weight, state.trail)
        if names_person and state.place is not None:
            reach(state.place, state.weight, state.trail[:-1])
    return direct, ends


def _on_the_way(view: View, states: list[State]) -> dict[str, float]:
    """Return the names that the last step reaches, by their words, with weight."""
    found: dict[str, float] = {}
    for state in states:
        names = [] if state.place is None else [words(view.text(state.place))]
        names += [] if state.passage is None else [list(view.title_words[state.passage])]
        for name in names:
            key = " ".join(name)
            if key:
                found[key] = max(found.get(key, 0.0), state.weight)
    return found


def _beside(view: View, reached: dict[str, float], ends: dict[int, float]) -> tuple[float, ...]:
    if not reached:
        return (0.0,) * len(view.sentences)
    found = []
    for sentence in view.sentences:
        text = f" {' '.join(words(sentence.text))} "
        named = max((weight for key, weight in reached.items() if f" {key} " in text), default=0.0)
        found.append(max(named, ends.get(sentence.place.passage, 0.0)))
    return tuple(found)


_DID = re.compile(r"\b(?:did|do|does)\b", re.I)
_ASKS_LAST = re.compile(r"(?<=\w )\b(?:what|which|whom|who|when)\W*$", re.I)
_WAS = re.compile(r"\b(?:where|when|year|date|place|city|town|country)\W+(?:was|were|is|are)\b", re.I)


def _name_stems(view: View) -> set[str]:
    """Return the stems of the names the question gives: a surname beside a candidate tells nothing of it."""
    return {stem(view.question_words[n]) for a, b in view.asked.values() for n in range(a, b)}


def _main(view: View, asked: Asked) -> list[str]:
    """Return the stems of the question's verb, roughly: behind "did" and "where was" it stands last.

    Elsewhere the first two words of meaning behind "which HEAD" hold it.
    """
    without = _name_stems(view) | set(asked.head)
    question = view.question
    placed = [(s, a) for s, a, _ in stems(question) if s not in without]
    found = [s for s, _ in placed]
    asks = _ASKS_LAST.search(question)
    if asks is not None:  # "known for his depictions of what"
        return [s for s, a in placed if a < asks.start()][-2:]
    if _DID.search(question):
        return found[-1:]
    if _WAS.search(question):
        return found[:1] + found[-1:]
    return found[:2]


def _incoming(view: View, passage: int) -> float:
    best = max((s.similarity for s in view.sentences), default=0.0)
    found = [s.similarity for s, named in zip(view.sentences, view.names, strict=True) if passage in named]
    return max(found) - best if found else NOT_NAMED
