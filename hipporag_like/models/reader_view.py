"""What the extractive reader sees of a trace: passages, sentences with similarities, who is named where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hipporag_like.models.reader_spans import Span, find_spans, name_runs
from hipporag_like.models.reader_words import Date, Life, life, stems
from hipporag_like.text import STOPWORDS, has_case, word_spans, words
from hipporag_like.types import Passage

_BRACKET = re.compile(r"(?<!\s)\s*\([^()]*\)\s*$")  # from the first blank, so that a run of them is read once


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a passage's text; ``passage`` counts the trace's hits from 0."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its place, its cosine to the question, and whether it opens its passage."""

    place: Place
    text: str
    similarity: float
    first: bool


@dataclass(frozen=True)
class View:
    """The top passages of a trace, cut into sentences.

    Attributes
    ----------
    scores
        One a passage: 0 for the best, -1 for the last, whatever the scale of the retrieval's scores.
    entities
        The walk's weight of entities, as far as the trace tells it, by key; the heaviest weighs 1.
    facts
        The walk's weight of sentences by passage and text; the heaviest weighs 1.
    """

    question: str
    passages: tuple[Passage, ...]
    scores: tuple[float, ...]
    sentences: tuple[Sentence, ...]
    entities: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """The subject of each passage: its title without the bracket at the end, else its first name."""
        return tuple(_subject(p) for p in self.passages)

    @cached_property
    def title_words(self) -> tuple[tuple[str, ...], ...]:
        """The folded words of each passage's subject."""
        return tuple(tuple(words(t)) for t in self.titles)

    @cached_property
    def title_set(self) -> frozenset[tuple[str, ...]]:
        """The folded words of each passage's subject and of its whole title."""
        return frozenset(self.title_words) | {tuple(words(p.title)) for p in self.passages if p.title}

    @cached_property
    def question_words(self) -> tuple[str, ...]:
        """The folded words of the question."""
        return tuple(words(self.question))

    @cached_property
    def lives(self) -> tuple[Life, ...]:
        """Birth and death by each passage."""
        return tuple(life(p.text) for p in self.passages)

    @cached_property
    def siblings(self) -> tuple[tuple[int, ...], ...]:
        """The passages about each passage's subject, itself first: the parts of one titled document."""
        parts: dict[str, list[int]] = {}
        for i, passage in enumerate(self.passages):
            parts.setdefault(passage.document_id if passage.title else f"\0{i}", []).append(i)
        rows = {i: (i, *(j for j in part if j != i)) for part in parts.values() for i in part}
        return tuple(rows[i] for i in range(len(self.passages)))

    @cached_property
    def genders(self) -> tuple[str, ...]:
        """How each passage speaks of its subject: ``he``, ``she``, or neither mostly."""
        return tuple(_gender(p.text) for p in self.passages)

    def born(self, passage: int) -> tuple[int, Date] | None:
        """Return the birth of a passage's subject, and the passage that tells it."""
        found = ((i, self.lives[i].birth) for i in self.siblings[passage])
        return next(((i, date) for i, date in found if date is not None), None)

    def died(self, passage: int) -> tuple[int, Date] | None:
        """Return the death of a passage's subject, and the passage that tells it."""
        found = ((i, self.lives[i].death) for i in self.siblings[passage])
        return next(((i, date) for i, date in found if date is not None), None)

    @cached_property
    def spans(self) -> tuple[tuple[Span, ...], ...]:
        """The candidates of each sentence, phrases too."""
        return tuple(tuple(find_spans(s.text, phrases=True)) for s in self.sentences)

    @cached_property
    def by_passage(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the sentences of each passage."""
        rows: list[list[int]] = [[] for _ in self.passages]
        for number, sentence in enumerate(self.sentences):
            rows[sentence.place.passage].append(number)
        return tuple(map(tuple, rows))

    @cached_property
    def asked(self) -> dict[int, tuple[int, int]]:
        """The passages whose subject the question names: word places in the question, longest names first."""
        found: dict[int, tuple[int, int]] = {}
        question = self.question_words
        full = [tuple(words(p.title)) for p in self.passages]
        taken: list[tuple[int, int]] = []
        # Whole titles before those without their bracket: "X" is the person, not "X (ship)".
        for names in (full, list(self.title_words)):
            for i in sorted(range(len(names)), key=lambda i: (-len(names[i]), i)):
                at = None if i in found else _find(question, names[i])
                if at is None or not self._named(at, at + len(names[i])):
                    continue
                if not any(a < at + len(names[i]) and at < b for a, b in taken):
                    found[i] = (at, at + len(names[i]))
                    taken.append(found[i])
        return found

    @cached_property
    def lines(self) -> tuple[tuple[tuple[str, int, int], ...], ...]:
        """The stems of each sentence with their places in it."""
        return tuple(tuple(stems(s.text)) for s in self.sentences)

    @cached_property
    def defining(self) -> tuple[frozenset[str], ...]:
        """The stems of each passage's first sentence."""
        return tuple(
            frozenset(s for s, _, _ in self.lines[rows[0]]) if rows else frozenset()
            for rows in self.by_passage
        )

    @cached_property
    def names(self) -> tuple[tuple[int, ...], ...]:
        """The other passages whose subjects each sentence names."""
        keys = [f" {' '.join(title)} " if title else "" for title in self.title_words]
        found = []
        for sentence in self.sentences:
            text = f" {' '.join(words(sentence.text))} "
            own = sentence.place.passage
            found.append(tuple(i for i, key in enumerate(keys) if key and i != own and key in text))
        return tuple(found)

    def _named(self, first: int, stop: int) -> bool:
        """Whether words of the question are written as a name: a capital behind its start, or a number."""
        if not has_case(self.question) or self.question.islower():
            return True
        starts = [a for _, a, _ in word_spans(self.question)[first:stop]]
        return any((self.question[a].isupper() and a > 0) or self.question[a].isdigit() for a in starts)

    def resolve(self, name: str) -> list[tuple[int, float]]:
        """Return the passages whose subject ``name`` is, with how sure that is: 1 for the same words."""
        wanted = tuple(words(name))
        if not wanted:
            return []
        found = []
        for i, title in enumerate(self.title_words):
            match = name_match(wanted, title)
            if match > 0:
                found.append((i, match))
        return sorted(found, key=lambda item: (-item[1], item[0]))

    def own_name(self, passage: int) -> Place | None:
        """Return the first place where a passage names its own subject; None where it does not."""
        for number in self.by_passage[passage]:
            at = self.sentences[number].place
            for span in self.spans[number]:
                name = words(self.sentences[number].text[span.start : span.end])
                if span.kind in ("name", "quoted") and name_match(name, self.title_words[passage]) >= 0.5:
                    return Place(passage, at.start + span.start, at.start + span.end)
        return None

    def text(self, place: Place) -> str:
        """Return the text at a place."""
        return self.passages[place.passage].text[place.start : place.end]

    def number_at(self, place: Place) -> int | None:
        """Return the number of the sentence that holds a place."""
        for number in self.by_passage[place.passage]:
            where = self.sentences[number].place
            if where.start <= place.start < where.end:
                return number
        return None


_HE, _SHE = re.compile(r"\b(?:he|his|him)\b", re.I), re.compile(r"\b(?:she|her)\b", re.I)


def _gender(text: str) -> str:
    he, she = len(_HE.findall(text)), len(_SHE.findall(text))
    return "he" if he > 2 * she else "she" if she > 2 * he else ""


def name_match(one: Sequence[str], other: Sequence[str]) -> float:
    """Return how surely two names mean one thing: 1 equal, less where one holds all words of the other."""
    if not one or not other:
        return 0.0
    if list(one) == list(other):
        return 1.0
    short, long = sorted((set(one) - STOPWORDS, set(other) - STOPWORDS), key=len)
    if not short or not short <= long:
        return 0.0
    if len(short) == 1 and len(long) > 1:
        single = next(iter(short))
        return 0.3 if single in (one[0], other[0], one[-1], other[-1]) else 0.0
    return 0.5 + 0.4 * len(short) / len(long)


def _subject(passage: Passage) -> str:
    if passage.title:
        return _BRACKET.sub("", passage.title) or passage.title
    runs = name_runs(passage.text[:200])
    return passage.text[runs[0][0] : runs[0][1]] if runs else ""


def _find(text: tuple[str, ...], part: tuple[str, ...]) -> int | None:
    if not part or all(w in STOPWORDS for w in part):
        return None
    for at in range(len(text) - len(part) + 1):
        if text[at : at + len(part)] == part:
            return at
    return None
