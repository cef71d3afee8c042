"""Names in passages: what the extractor found and titles, canonicalised and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.context import Context
from hipporag_like.indexing.numbers import Numbers
from hipporag_like.indexing.surfaces import Surfaces
from hipporag_like.text import squeeze
from hipporag_like.types import Extraction, Passage


@dataclass(frozen=True, slots=True)
class Spans:
    """Places of entities; aligned arrays.

    Attributes
    ----------
    passage, start, end
        int32: character span in the text of a passage.
    key
        int32: number of the entity's key.
    """

    passage: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    key: NDArray[np.int32]

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Spans:
        """Return the chosen rows."""
        return Spans(self.passage[rows], self.start[rows], self.end[rows], self.key[rows])


def join_spans(parts: Sequence[Spans]) -> Spans:
    """Return the rows of all parts, one after the other."""
    return Spans(
        np.concatenate([p.passage for p in parts]),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.end for p in parts]),
        np.concatenate([p.key for p in parts]),
    )


def spans_of(rows: Sequence[tuple[int, int, int, int]]) -> Spans:
    """Return (passage, start, end, key) rows as arrays."""
    table = np.array(rows, dtype=np.int32).reshape(-1, 4)
    return Spans(*(np.ascontiguousarray(table[:, column]) for column in range(4)))


@dataclass(frozen=True, slots=True)
class Found:
    """What the extractor found.

    Attributes
    ----------
    spans
        Places of names.
    compound
        int64: rows that hold two or more other names: "X and Y", which may be one thing or two.
    openings
        Rows of several words that open a sentence, with their text: the first may be no part of the name.
    """

    spans: Spans
    compound: NDArray[np.int64]
    openings: list[tuple[int, str]]


class Names:
    """Keys and spellings of a corpus, numbered in order of appearance.

    Parameters
    ----------
    context
        What the corpus says about words and keys; its keys are numbered first.
    surfaces
        Remembers how what is written becomes a key.

    Attributes
    ----------
    keys
        Key to number.
    forms
        Spelling, white space squeezed, to number.
    spelled
        (passage, code) for each time a name was read; a code is twice the form's number, one more for a name, an
        entity that is not only a term.
    """

    def __init__(self, context: Context, surfaces: Surfaces) -> None:
        self.context = context
        self.keys = context.keys
        self.forms = Numbers()
        self.spelled: list[tuple[int, int]] = []
        self._surfaces = surfaces
        self._names: dict[str, tuple[int, int]] = {}
        self._terms: dict[str, tuple[int, int]] = {}
        self._added: dict[str, tuple[int, int]] = {}

    def read(self, passages: Sequence[Passage], extractions: Sequence[Extraction]) -> Found:
        """Return the places of the extractor's mentions that are names."""
        mentions = ((p.text, m) for p, e in zip(passages, extractions, strict=True) for m in e.mentions)
        self.keys.expect(self._surfaces.name(text[m.start : m.end]) for text, m in mentions)
        rows: list[tuple[int, int, int, int]] = []
        compound: list[int] = []
        openings: list[tuple[int, str]] = []
        for number, (passage, extraction) in enumerate(zip(passages, extractions, strict=True)):
            text = passage.text
            begins = {begin for begin, _ in extraction.sentences}
            previous, limit, inside = -1, -1, 0
            for mention in extraction.mentions:
                start, end = mention.start, mention.end
                surface = text[start:end]
                key = self.term(surface, number) if mention.kind == "term" else self.name(surface, number)
                if key < 0:
                    continue
                if end <= limit:
                    inside += 1
                    if inside == 2:
                        compound.append(previous)
                else:
                    previous, limit, inside = len(rows), end, 0
                if start in begins and " " in surface and mention.kind == "name":
                    openings.append((len(rows), surface))
                rows.append((number, start, end, key))
            for name in extraction.names:
                self.name(name, number)
        return Found(spans_of(rows), np.array(compound, dtype=np.int64), openings)

    def expect(self, surfaces: Iterable[str]) -> None:
        """Take notice of names, known otherwise, that will be added."""
        self.keys.expect(map(self._surfaces.key, surfaces))

    def name(self, surface: str, passage: int) -> int:
        """Return the number of a name that a passage holds, noting its spelling; -1 where it is none."""
        known = self._names.get(surface)
        if known is None:
            key = self._surfaces.name(surface)
            none = not key or self.context.is_common(key)
            known = self._names[surface] = self._numbered("" if none else key, surface, 1)
        return self._noted(known, passage)

    def term(self, surface: str, passage: int) -> int:
        """Return the number of a term that a passage holds, noting its spelling; -1 where it is none."""
        known = self._terms.get(surface)
        if known is None:
            known = self._terms[surface] = self._numbered(self._surfaces.term(surface), surface, 0)
        return self._noted(known, passage)

    def add(self, surface: str, passage: int) -> int:
        """Return the number of a name known otherwise (a title, the end of a triple); -1 for no word."""
        known = self._added.get(surface)
        if known is None:
            known = self._added[surface] = self._numbered(self._surfaces.key(surface), surface, 1)
        return self._noted(known, passage)

    def number(self, surface: str) -> int:
        """Return the number of a name that the corpus holds, -1 where it does not."""
        row = self.keys.get(self._surfaces.key(surface), -1)
        named = self.context.named
        return int(row) if 0 <= row < len(named) and named[row] else -1

    def _numbered(self, key: str, surface: str, named: int) -> tuple[int, int]:
        return (self.keys[key], 2 * self.forms[squeeze(surface)] + named) if key else (-1, -1)

    def _noted(self, known: tuple[int, int], passage: int) -> int:
        number, code = known
        if number >= 0:
            self.spelled.append((passage, code))
        return number
