"""From drawn entities to passages with their sentences and mentions, a thousand at a time, by arrays.

What is written is known word by word, so the extraction that the extractor ``rules`` would make of it is written
beside it; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.synthetic_cut import Batch, Layout, cut
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

# Entities without a passage of their own (countries, nations, cities), by 1 / rank: the first stands in about a fifth
# of the passages, four in more than 5 %, the last in one of 10,000.
N_HUBS, HUB_POWER = 2_000, 1.0
FIRST_HUB = 1 << 41  # their numbers, apart from all others
# Any other entity: 1 / (rank + shift), older ones more often, as articles of an encyclopedia are linked; of these
# mentions a share goes to the neighbours of the subject, which makes groups of passages about the same.
TAIL_SHIFT = 50
NEAR_SHARE, NEAR = 0.4, 30.0
THROUGH_SHARE = 0.001  # of these mentions: a planted entity
COMMA_SHARE = 0.06  # of the words; in English text one word of 16
_PRONOUNS = ("He", "She", "It", "They")
_BEHIND = {Slot.AFTER_NAME: AFTER_NAME, Slot.FUNCTION: FUNCTION, Slot.OPENING: OPENING}


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
    return cut(subjects.ids, subjects.titles, layout, words.tolist(), ends - bare, ends)


def _lay_out(subjects: Subjects, draw: np.random.Generator) -> Layout:
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
    return Layout(shapes.slots[at], np.repeat(owner, lengths), ends - 1, owner)


def _fill(subjects: Subjects, layout: Layout, draw: np.random.Generator, through: Objects) -> Objects:
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


def _state(subjects: Subjects, layout: Layout, words: Objects, draw: np.random.Generator) -> None:
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
