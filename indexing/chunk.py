"""Documents to passages: whole sentences up to a budget, as exact slices of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hipporag_like.config import ChunkConfig
from hipporag_like.sentences import cut_span, sentence_spans
from hipporag_like.text import words

_FULL_ENOUGH = (
    0.6  # of the budget: from here on a paragraph's end is a better place to stop than a full passage
)
_ORPHAN = (
    0.25  # of the budget: a last passage with less of its own joins the one before (1.25 budgets at most)
)
# Characters that count as a token at least. Prose has about 6 a token; encoded data, rows of signs and blanks
# have no end, and a passage of megabytes would stop the extractor and say nothing.
_CHARACTERS = 64
_HEADING = re.compile(r"#{1,6}\s")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a piece of one that is over the budget by itself."""

    start: int
    end: int
    tokens: int
    opens: bool  # a paragraph or section begins here


def chunk_document(text: str, config: ChunkConfig) -> list[tuple[int, int]]:
    """Return the places of the passages of ``text``.

    Parameters
    ----------
    text
        Any Unicode text.
    config
        Budget and overlap, in word tokens.

    Returns
    -------
    list of (start, end)
        Half-open character spans in order. Every sentence lies in one, a sentence over the budget in
        several; neighbours share whole sentences of at most ``config.overlap`` tokens. Each holds at most
        ``config.max_tokens`` tokens, the last one up to a quarter more, where 64 characters count as a token
        at least. None for a blank text.
    """
    if text.strip() and _size(text) <= config.max_tokens:  # most documents; spares the sentences
        return [(len(text) - len(text.lstrip()), len(text.rstrip()))]
    units = _units(text, int(config.max_tokens))
    passages: list[tuple[int, int]] = []  # half-open ranges of units
    first = fresh = 0  # the passage's first unit, and its first that no passage before it has
    while fresh < len(units):
        stop = _fill(units, first, fresh, config.max_tokens)
        if passages and stop == len(units) and _tokens(units, fresh, stop) < _ORPHAN * config.max_tokens:
            passages[-1] = (passages[-1][0], stop)
            break
        passages.append((first, stop))
        first, fresh = _overlap_from(units, first, stop, config), stop
    return [(units[first].start, units[stop - 1].end) for first, stop in passages]


def _units(text: str, limit: int) -> list[_Unit]:
    units: list[_Unit] = []
    at, after_heading = 0, False
    for start, end in sentence_spans(text):
        tokens = _size(text[start:end]) + (start - at) // _CHARACTERS
        heading = _HEADING.match(text, start) is not None
        gap = text[at:start]
        # What follows a heading belongs to it, blank line or not.
        opens = not after_heading and (heading or gap.count("\n") > 1 or gap.count("\r") > 1)
        if tokens <= limit:
            units.append(_Unit(start, end, tokens, opens))
        else:
            for i, (a, b) in enumerate(_pieces(text, start, end, limit)):
                units.append(_Unit(a, b, _size(text[a:b]) + (a - at) // _CHARACTERS, opens and i == 0))
                at = b
        at, after_heading = end, heading
    return units


def _size(text: str) -> int:
    """Return the tokens that ``text`` counts as."""
    return max(len(words(text)), len(text) // _CHARACTERS)


def _pieces(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a sentence over the budget: cut between words, inside one only if it is endless."""
    longest = limit * _CHARACTERS
    for first, last in cut_span(text, start, end, limit):
        for a in range(first, last, longest):
            piece = text[a : min(a + longest, last)]
            if piece.strip():
                a += len(piece) - len(piece.lstrip())
                yield a, a + len(piece.strip())


def _tokens(units: list[_Unit], first: int, stop: int) -> int:
    return sum(unit.tokens for unit in units[first:stop])


def _fill(units: list[_Unit], first: int, fresh: int, budget: float) -> int:
    """Return where the passage that begins at ``first`` stops; it always takes the unit ``fresh``."""
    tokens = _tokens(units, first, fresh + 1)
    stop, best = fresh + 1, 0
    while stop < len(units) and tokens + units[stop].tokens <= budget:
        if units[stop].opens and tokens >= _FULL_ENOUGH * budget:
            best = stop
        tokens += units[stop].tokens
        stop += 1
    if stop == len(units):
        return stop
    return stop if units[stop].opens else best or stop


def _overlap_from(units: list[_Unit], first: int, stop: int, config: ChunkConfig) -> int:
    """Return the first unit of the next passage: whole sentences of this one's end, if they fit."""
    if stop == len(units):
        return stop
    room = min(config.overlap, config.max_tokens - units[stop].tokens)
    start = stop
    while start - 1 > first and units[start - 1].tokens <= room:
        start -= 1
        room -= units[start].tokens
    return start
