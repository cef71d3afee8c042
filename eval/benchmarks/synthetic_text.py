"""From drawn entities to passages with their sentences and mentions, a thousand at a time, by arrays.

What is written is known word by word, so the extraction that the extractor ``rules`` would make of it is written
beside it; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.synthetic_planted import ATTRIBUTES, RELATIONS
from hipporag_like.eval.benchmarks.synthetic_shape import Slot, templates
from hipporag_like.eval.benchmarks.synthetic_words import (
    AFTER_NAME,
    FUNCTION,
    OPENING,
    Objects,
    names_of,
    objects,
    words_table,
)
from hipporag_like.types import Document, Extraction, Mention, MentionKind

# Entities without a passage of their own (countries, nations, cities), by rank ** -0.8: the first stand in more than
# 5 % of the passages, the last in one of 3,000.
N_HUBS, HUB_POWER = 2_000, 0.8
FIRST_HUB = 1 << 41  # their numbers, apart from all others
# Any other entity: 1 / (rank + shift), older ones more often, as articles of an encyclopedia are linked; of these
# mentions a share goes to the neighbours of the subject, which makes groups of passages about the same.
TAIL_SHIFT = 2_000
NEAR_SHARE, NEAR = 0.4, 30.0
THROUGH_SHARE = 0.001  # of these mentions: a planted entity
COMMA_SHARE = 0.06  # of the words; in English text one word of 16
_PRONOUNS = ("He", "She", "It", "They")
_BEHIND = {Slot.AFTER_NAME: AFTER_NAME, Slot.FUNCTION: FUNCTION, Slot.OPENING: OPENING}
_NAMES = (
    Slot.TITLE,
    Slot.SHORT,
    Slot.TAIL,
    Slot.HUB,
    Slot.RELATION_OBJECT,
    Slot.ATTRIBUTE_OBJECT,
    Slot.OPENING_CONTENT,
)


@dataclass(frozen=True)
class Batch:
    """Documents of one passage each, and what an extractor finds in them."""

    documents: list[Document]
    extractions: list[Extraction]

    def first(self, count: int) -> Batch:
        """Return the first ``count``."""
        return Batch(self.documents[:count], self.extractions[:count])


@dataclass(frozen=True)
class Subjects:
    """What passages are to be about; arrays of one entry a passage.

    Attributes
    ----------
    ids, titles, names
        Of the documents; a name is what the text calls the subject.
    entity
        int64: number of the subject, whose neighbours are mentioned with it.
    relation, attribute
        Place in ``RELATIONS`` and ``ATTRIBUTES`` of what is said about it; -1 for nothing.
    known
        How many entities there are to be mentioned.
    made_by, value
        The other end of the relation and of the attribute; None: any entity.
    """

    ids: Sequence[str]
    titles: Objects
    names: Objects
    entity: NDArray[np.int64]
    relation: NDArray[np.int64]
    attribute: NDArray[np.int64]
    known: int
    made_by: Objects | None = field(default=None)
    value: Objects | None = field(default=None)


@dataclass(frozen=True)
class _Layout:
    """Every word of the batch: its slot, its passage, and the borders of sentences."""

    slot: NDArray[np.uint8]
    passage: NDArray[np.int64]
    ends: NDArray[np.int64]  # last word of each sentence
    sentence_passage: NDArray[np.int64]


def write_passages(subjects: Subjects, draw: np.random.Generator, through: Objects) -> Batch:
    """Return one passage a subject.

    Parameters
    ----------
    subjects
        What they are about.
    draw
        Where all else comes from.
    through
        Names mentioned now and then; empty for none.
    """
    layout = _lay_out(subjects, draw)
    words = _fill(subjects, layout, draw, through)
    bare = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    comma = draw.random(len(words)) < COMMA_SHARE
    comma &= np.isin(layout.slot, (Slot.CONTENT, Slot.TAIL, Slot.HUB, Slot.YEAR, Slot.DAY))
    comma[:-1] &= layout.slot[1:] != Slot.AND
    comma[layout.ends] = False
    words[comma] = words[comma] + ","
    words[layout.ends] = words[layout.ends] + "."
    marked = comma
    marked[layout.ends] = True
    ends = np.cumsum(bare + marked + 1) - 1 - marked
    return _cut(subjects, layout, words.tolist(), ends - bare, ends)


def _lay_out(subjects: Subjects, draw: np.random.Generator) -> _Layout:
    """Draw a template for each sentence and lay the templates end to end."""
    shapes, count = templates(), len(subjects.ids)
    sentences = 4 + (draw.random(count) < 0.5)
    first = np.concatenate([[0], np.cumsum(sentences)[:-1]])
    owner = np.repeat(np.arange(count), sentences)
    chosen = draw.integers(*shapes.plain, size=len(owner))
    chosen[first] = draw.integers(*shapes.first, size=count)
    for place, said, kind in (
        (1, subjects.relation, shapes.relation),
        (2, subjects.attribute, shapes.attribute),
    ):
        rows = np.flatnonzero(said >= 0)
        chosen[first[rows] + place] = draw.integers(*kind, size=len(rows))
    lengths = shapes.indptr[chosen + 1] - shapes.indptr[chosen]
    ends = np.cumsum(lengths)
    at = np.arange(ends[-1]) + np.repeat(shapes.indptr[chosen] - (ends - lengths), lengths)
    return _Layout(shapes.slots[at], np.repeat(owner, lengths), ends - 1, owner)


def _fill(subjects: Subjects, layout: _Layout, draw: np.random.Generator, through: Objects) -> Objects:
    """Return the word at each place, without the marks after it."""
    table, slot, passage = words_table(), layout.slot, layout.passage
    words = np.empty(len(slot), dtype=object)

    def put(kind: Slot, values: Objects) -> None:
        words[slot == kind] = values

    def count(kind: Slot) -> int:
        return int((slot == kind).sum())

    def any_of(kind: Slot, choice: Objects) -> None:
        put(kind, choice[draw.integers(0, len(choice), count(kind))])

    def content(kind: Slot) -> Objects:
        ranks = np.searchsorted(table.content_cdf, draw.random(count(kind)))
        found: Objects = table.content[np.minimum(ranks, len(table.content) - 1)]
        return found

    for kind, choice in _BEHIND.items():
        any_of(kind, objects(list(choice)))
    put(Slot.CONTENT, content(Slot.CONTENT))
    put(Slot.OPENING_CONTENT, objects([word.capitalize() for word in content(Slot.OPENING_CONTENT)]))
    any_of(Slot.PRONOUN, objects(list(_PRONOUNS)))
    any_of(Slot.DAY, table.day)
    any_of(Slot.YEAR, table.year)
    put(Slot.NUMBER, objects([str(n) for n in draw.integers(32, 999, count(Slot.NUMBER))]))
    put(Slot.IN, objects(["in"])[np.zeros(count(Slot.IN), dtype=np.int64)])
    put(Slot.AND, objects(["and"])[np.zeros(count(Slot.AND), dtype=np.int64)])
    put(Slot.TITLE, subjects.names[passage[slot == Slot.TITLE]])
    short = objects([name.split()[-1] for name in subjects.names])
    put(Slot.SHORT, short[passage[slot == Slot.SHORT]])
    put(Slot.TAIL, _tail(subjects, passage[slot == Slot.TAIL], draw, through))
    put(Slot.HUB, _hubs(count(Slot.HUB), draw))
    _state(subjects, layout, words, draw)
    return words


def _state(subjects: Subjects, layout: _Layout, words: Objects, draw: np.random.Generator) -> None:
    """Write the relations and attributes, and their other ends."""
    slot, passage = layout.slot, layout.passage
    relations = objects([f"was {relation} by" for relation in RELATIONS])
    attributes = objects([said for said, _ in ATTRIBUTES])
    for kind, choice, said in (
        (Slot.RELATION, relations, subjects.relation),
        (Slot.ATTRIBUTE, attributes, subjects.attribute),
    ):
        words[slot == kind] = choice[said[passage[slot == kind]]]
    for kind, given in (
        (Slot.RELATION_OBJECT, subjects.made_by),
        (Slot.ATTRIBUTE_OBJECT, subjects.value),
    ):
        owner = passage[slot == kind]
        words[slot == kind] = _tail(subjects, owner, draw, objects([])) if given is None else given[owner]


def _hubs(count: int, draw: np.random.Generator) -> Objects:
    weight = (1.0 + np.arange(N_HUBS)) ** -HUB_POWER
    rank = np.searchsorted(np.cumsum(weight / weight.sum()), draw.random(count))
    return names_of(FIRST_HUB + np.minimum(rank, N_HUBS - 1))


def _tail(
    subjects: Subjects, owner: NDArray[np.int64], draw: np.random.Generator, through: Objects
) -> Objects:
    """Return an entity for each mention in the passages ``owner``."""
    share = draw.random((3, len(owner)))
    number = (TAIL_SHIFT * ((subjects.known / TAIL_SHIFT + 1) ** share[0] - 1)).astype(np.int64)
    near = subjects.entity[owner] - 1 - draw.exponential(NEAR, len(owner)).astype(np.int64)
    number = np.where((share[1] < NEAR_SHARE) & (near >= 0), near, number)
    names = names_of(number)
    chosen = share[2] < (THROUGH_SHARE if len(through) else 0)
    names[chosen] = through[draw.integers(0, max(1, len(through)), int(chosen.sum()))]
    return names


def _cut(
    subjects: Subjects, layout: _Layout, words: list[str], start: NDArray[np.int64], end: NDArray[np.int64]
) -> Batch:
    """Return the passages; ``start`` and ``end`` are the places of the words in the batch as one text."""
    count = len(subjects.ids)
    borders = np.searchsorted(layout.passage, np.arange(count + 1))
    origin = start[borders[:-1]]
    first = np.concatenate([[0], layout.ends[:-1] + 1])
    spans = np.stack([start[first], end[layout.ends] + 1], axis=1) - origin[layout.sentence_passage, None]
    owner, places = _mentions(layout, start, end)
    places[:, :2] -= origin[owner, None]
    of_sentence = np.searchsorted(layout.sentence_passage, np.arange(count + 1)).tolist()
    of_mention = np.searchsorted(owner, np.arange(count + 1)).tolist()
    kinds: tuple[MentionKind, ...] = ("name", "date")
    mentions = [Mention(a, b, kinds[kind]) for a, b, kind in places.tolist()]
    pairs = list(map(tuple, spans.tolist()))
    documents, extractions = [], []
    edges = borders.tolist()
    for row, (name, title) in enumerate(zip(subjects.ids, subjects.titles.tolist(), strict=True)):
        documents.append(Document(" ".join(words[edges[row] : edges[row + 1]]), name, title))
        found = tuple(mentions[of_mention[row] : of_mention[row + 1]])
        extractions.append(Extraction(tuple(pairs[of_sentence[row] : of_sentence[row + 1]]), found))
    return Batch(documents, extractions)


def _mentions(
    layout: _Layout, start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the passage of each mention, and its start, end and kind (1: a date), outer ones first."""
    slot = layout.slot
    dates = np.flatnonzero(np.isin(slot, (Slot.DAY, Slot.YEAR)))
    names = np.flatnonzero(np.isin(slot, _NAMES))
    joints = np.flatnonzero(slot == Slot.AND)
    first = np.concatenate([dates, names, joints - 1])
    last = np.concatenate([dates, names, joints + 1])
    kind = (np.arange(len(first)) < len(dates)).astype(np.int64)
    order = np.lexsort((-last, first))
    first, last, kind = first[order], last[order], kind[order]
    return layout.passage[first], np.stack([start[first], end[last], kind], axis=1)
