"""The shape of a made-up sentence: which kind of word stands where. Templates are drawn once, the same for all text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class Slot(IntEnum):
    """What stands at a place of a sentence."""

    FUNCTION = 0
    CONTENT = 1
    OPENING = 2  # a function word that opens a sentence
    OPENING_CONTENT = 3  # an ordinary word that opens one, which capitals make look like a name
    AFTER_NAME = 4
    TITLE = 5  # the name of the passage's subject
    PRONOUN = 6
    SHORT = 7  # the last word of the subject's name
    TAIL = 8  # any entity
    HUB = 9  # one of the few that stand everywhere
    DAY = 10
    YEAR = 11
    NUMBER = 12
    IN = 13
    AND = 14
    RELATION = 15  # "was directed by"
    RELATION_OBJECT = 16
    ATTRIBUTE = 17  # "was born in the town of"
    ATTRIBUTE_OBJECT = 18


# Words beside the slots of a template; sentences come out at 10 to 25 words.
LEAST, MOST = 10, 25
_MIDDLES: tuple[tuple[Slot, ...], ...] = (
    (Slot.TAIL,),
    (Slot.TAIL,),
    (Slot.HUB, Slot.TAIL),
    (Slot.TAIL, Slot.HUB),
    (Slot.TAIL, Slot.TAIL),
    (Slot.TAIL, Slot.TAIL, Slot.HUB),
    (Slot.TAIL, Slot.YEAR),
    (Slot.HUB, Slot.DAY),
    (Slot.TAIL, Slot.HUB, Slot.YEAR),
    (Slot.TAIL, Slot.TAIL, Slot.TAIL),
    (Slot.TAIL, Slot.NUMBER),
    (Slot.SHORT, Slot.TAIL),
    (Slot.TAIL, Slot.AND, Slot.TAIL),
)
_STARTS: tuple[tuple[Slot, ...], ...] = (
    (Slot.OPENING, Slot.CONTENT),
    (Slot.OPENING, Slot.CONTENT),
    (Slot.OPENING, Slot.CONTENT),
    (Slot.PRONOUN, Slot.AFTER_NAME),
    (Slot.PRONOUN, Slot.AFTER_NAME),
    (Slot.OPENING_CONTENT, Slot.AFTER_NAME),
    (Slot.TITLE, Slot.AFTER_NAME),
    (Slot.TAIL, Slot.AFTER_NAME),
)
_VARIANTS = 64  # of each kind
_FUNCTION_SHARE = 0.45  # of the words that are no names; as in English running text
_NAMES = {Slot.TITLE, Slot.SHORT, Slot.TAIL, Slot.HUB, Slot.RELATION_OBJECT, Slot.ATTRIBUTE_OBJECT}


@dataclass(frozen=True)
class Templates:
    """Sentences as runs of slots.

    Attributes
    ----------
    slots, indptr
        uint8 and int64: template ``t`` is ``slots[indptr[t]:indptr[t + 1]]``.
    first, plain, relation, attribute
        Half-open ranges of templates: a passage's first sentence, any other, and those that state what is asked.
    """

    slots: NDArray[np.uint8]
    indptr: NDArray[np.int64]
    first: tuple[int, int]
    plain: tuple[int, int]
    relation: tuple[int, int]
    attribute: tuple[int, int]


@lru_cache(maxsize=1)
def templates() -> Templates:
    """Return the templates; the same in every process."""
    draw = np.random.default_rng(7)
    runs: list[list[Slot]] = []
    ranges = []
    starts = {
        "first": ((Slot.TITLE, Slot.AFTER_NAME),),
        "plain": _STARTS,
        "relation": ((Slot.TITLE, Slot.RELATION, Slot.RELATION_OBJECT),),
        "attribute": ((Slot.TITLE, Slot.ATTRIBUTE, Slot.ATTRIBUTE_OBJECT),),
    }
    for kind, openings in starts.items():
        middles = _MIDDLES if kind in ("first", "plain") else ((), *_MIDDLES[:3])
        made = []
        for number in range(_VARIANTS):
            opening = openings[number % len(openings)]
            middle = middles[int(draw.integers(len(middles)))]
            made.append(_sentence(opening, middle, draw))
        ranges.append((len(runs), len(runs) + len(made)))
        runs += made
    lengths = np.array([len(run) for run in runs], dtype=np.int64)
    flat = np.array([slot for run in runs for slot in run], dtype=np.uint8)
    return Templates(flat, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), *ranges)


def _sentence(opening: tuple[Slot, ...], middle: tuple[Slot, ...], draw: np.random.Generator) -> list[Slot]:
    """Return an opening, then the middle's slots with words between them, ending in an ordinary word."""
    run = list(opening)
    room = int(draw.integers(LEAST, MOST + 1)) - len(opening) - len(middle)
    gaps = np.maximum(2, draw.multinomial(max(0, room), np.full(len(middle) + 1, 1 / (len(middle) + 1))))
    joined = Slot.AND in middle
    for place, slot in enumerate((*middle, None)):
        touching = joined and place in (1, 2)  # "X and Y" stand side by side
        if not touching:
            run += _words(int(gaps[place]), run[-1] in _NAMES or run[-1] in (Slot.YEAR, Slot.DAY), draw)
        if slot in (Slot.YEAR, Slot.DAY):
            run.append(Slot.IN)
        if slot is not None:
            run.append(slot)
    return [*run, Slot.CONTENT]


def _words(count: int, after_name: bool, draw: np.random.Generator) -> list[Slot]:
    run = [Slot.FUNCTION if share < _FUNCTION_SHARE else Slot.CONTENT for share in draw.random(count)]
    if after_name:
        run[0] = Slot.AFTER_NAME
    return run
