"""Vectors of a segment: those of rows that stay are taken over, the others embedded, some thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.corpus import Corpus, Strings, strings_of, table
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.texts import sentence_text, titled_text, triple_text

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Vectors = NDArray[np.float32]

# Rows written at a time: 50 MB of 384 float32; texts are sorted by length within a block before they are embedded.
BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class Blocks:
    """An array that comes in blocks of rows, so that it never is in memory as a whole.

    Attributes
    ----------
    dtype, shape
        Of the whole.
    rows
        The blocks in order; read once.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rows: Iterator[NDArray[Any]]


def entity_vectors(names: Strings, segment: Segment | None, rows: Rows2, embed: Embed) -> tuple[Vectors, NDArray[np.bool_]]:
    """Return the vectors of entities' names, and which are those of before: names that are shown as they were.

    Parameters
    ----------
    names
        Of each entity.
    segment, rows
        The segment before, and which of its entities each one is.
    embed
        Texts to unit rows.
    """
    from hipporag_like.indexing.kernels import same_rows

    if segment is None:
        return embed(list(table(names))), np.zeros(len(names[0]) - 1, dtype=bool)
    n_old = segment.n_entities
    was = segment.array("entity_name_offset"), segment.array("entity_name_text")
    n_new = max(int(rows.source.max(initial=-1)) - n_old + 1, 0)
    before = rows.ragged(was, strings_of([""] * n_new))
    same = (rows.source < n_old) & same_rows(before[0], before[1], names[0], np.asarray(names[1]))
    old = segment.array("entity_vectors")
    vectors = np.empty((len(rows.source), old.shape[1]), dtype=np.float32)
    vectors[same] = old[rows.source[same]]
    vectors[~same] = embed(table(names).take(np.flatnonzero(~same)))
    return vectors, same


def fact_vectors(corpus: Corpus, segment: Segment | None, rows: Rows2, embed: Embed) -> Blocks:
    """Return the vectors of facts: sentences and triples in words, with their title."""
    reading, texts = corpus.reading, corpus.texts
    passage_of = np.repeat(np.arange(texts.n_passages), np.diff(reading.facts))
    owner, text, title = texts.owner, table(texts.text), table(texts.title)

    def written(number: int) -> str:
        passage = int(passage_of[number])
        start, end = int(reading.start[number]), int(reading.end[number])
        if start < 0:
            return triple_text(title[int(owner[passage])], " ".join(reading.triples[number]))
        return sentence_text(title[int(owner[passage])], text[passage][start:end])

    return _blocks("fact_vectors", written, segment, rows, embed)


def passage_vectors(corpus: Corpus, segment: Segment | None, rows: Rows2, embed: Embed) -> Blocks:
    """Return the vectors of passages: title and text."""
    texts = corpus.texts
    owner, text, title = texts.owner, table(texts.text), table(texts.title)

    def written(number: int) -> str:
        return titled_text(title[int(owner[number])], text[number])

    return _blocks("passage_vectors", written, segment, rows, embed)


def _blocks(
    name: str, written: Callable[[int], str], segment: Segment | None, rows: Rows2, embed: Embed
) -> Blocks:
    old = None if segment is None else segment.array(name)
    n_old = 0 if old is None else len(old)
    dim = embed([]).shape[1] if old is None else old.shape[1]

    def blocks() -> Iterator[Vectors]:
        for at in range(0, len(rows.source), BLOCK):
            source = rows.source[at : at + BLOCK]
            block = np.empty((len(source), dim), dtype=np.float32)
            kept = source < n_old
            if old is not None:
                block[kept] = old[source[kept]]
            new = np.flatnonzero(~kept)
            if len(new):
                block[new] = embed([written(at + i) for i in new.tolist()])
            yield block

    return Blocks(np.dtype(np.float32), (len(rows.source), dim), blocks())
