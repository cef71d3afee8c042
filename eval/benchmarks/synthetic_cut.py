"""A thousand made-up passages, written as one run of words, cut into documents with sentences and mentions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.eval.benchmarks.synthetic_shape import Slot
from hipporag_like.eval.benchmarks.synthetic_words import Objects
from hipporag_like.types import Document, Extraction, Mention, MentionKind

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
class Layout:
    """Every word of the batch: its slot, its passage, and the borders of sentences."""

    slot: NDArray[np.uint8]
    passage: NDArray[np.int64]
    ends: NDArray[np.int64]  # last word of each sentence
    sentence_passage: NDArray[np.int64]


def cut(
    ids: Sequence[str],
    titles: Objects,
    layout: Layout,
    words: list[str],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Batch:
    """Return the passages; ``start`` and ``end`` are the places of the words in the batch as one text."""
    count = len(ids)
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
    for row, (name, title) in enumerate(zip(ids, titles.tolist(), strict=True)):
        documents.append(Document(" ".join(words[edges[row] : edges[row + 1]]), name, title))
        found = tuple(mentions[of_mention[row] : of_mention[row + 1]])
        extractions.append(Extraction(tuple(pairs[of_sentence[row] : of_sentence[row + 1]]), found))
    return Batch(documents, extractions)


def _mentions(
    layout: Layout, start: NDArray[np.int64], end: NDArray[np.int64]
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
