"""Vectors of a segment: those of rows that stay are taken over, the others embedded, some thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import EXACT_LIMIT
from hipporag_like.indexing.corpus import Corpus
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.packed import Strings, strings_of, table
from hipporag_like.indexing.quantise import code_bytes, sign_codes
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.texts import sentence_text, titled_text, triple_text

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Vectors = NDArray[np.float32]
Keep = Callable[[NDArray[np.int64], Vectors], None]

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
    beside
        Whether that may be in another thread: they are only copied, no model and no journal is asked.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rows: Iterator[NDArray[Any]]
    beside: bool = False


Arrays = Iterator[tuple[str, "NDArray[Any] | Blocks"]]


def entity_vectors(
    names: Strings, segment: Segment | None, rows: Rows2, embed: Embed
) -> tuple[Vectors, NDArray[np.bool_]]:
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
    if n_old:
        taken_over(old, rows.source, vectors)
    vectors[~same] = embed(table(names).take(np.flatnonzero(~same)))
    return vectors, same


def fact_vectors(corpus: Corpus, segment: Segment | None, rows: Rows2, embed: Embed) -> Arrays:
    """Yield the vectors of facts: sentences and triples in words, with their title."""
    reading, texts = corpus.reading, corpus.texts
    passage_of = np.repeat(np.arange(texts.n_passages), np.diff(reading.facts))
    owner, text, title = texts.owner, table(texts.text), table(texts.title)

    def written(number: int) -> str:
        passage = int(passage_of[number])
        start, end = int(reading.start[number]), int(reading.end[number])
        if start < 0:
            return triple_text(title[int(owner[passage])], " ".join(reading.triples[number]))
        return sentence_text(title[int(owner[passage])], text[passage][start:end])

    yield from _vectors("fact", written, segment, rows, embed, np.dtype(np.float32))


def passage_vectors(
    corpus: Corpus, segment: Segment | None, rows: Rows2, embed: Embed, keep: Keep | None = None
) -> Arrays:
    """Yield the vectors of passages: title and text; of many in half the bytes, since codes are looked at first.

    ``keep`` is told about vectors embedded now: of which passages, and the vectors.
    """
    texts = corpus.texts
    owner, text, title = texts.owner, table(texts.text), table(texts.title)
    kind = np.float16 if texts.n_passages > EXACT_LIMIT else np.float32

    def written(number: int) -> str:
        return titled_text(title[int(owner[number])], text[number])

    yield from _vectors("passage", written, segment, rows, embed, np.dtype(kind), keep)


def _vectors(
    name: str,
    written: Callable[[int], str],
    segment: Segment | None,
    rows: Rows2,
    embed: Embed,
    dtype: np.dtype[Any],
    keep: Keep | None = None,
) -> Arrays:
    """Yield vectors, and the codes of more than are searched one by one."""
    old, old_codes = _before(name, segment, dtype)
    coded = len(rows.source) > EXACT_LIMIT
    fresh = np.flatnonzero(rows.source >= (0 if old is None else len(old)))
    if old is None or not len(old) or len(fresh) > BLOCK or (coded and old_codes is None):
        yield from _in_blocks(name, written, (old, old_codes), rows.source, embed, dtype, keep)
        return
    vectors = embed([written(row) for row in fresh.tolist()])
    if keep is not None:
        keep(fresh, vectors)
    vectors = vectors.astype(dtype)
    yield f"{name}_vectors", patched(old, rows.source, fresh, vectors)
    if coded and old_codes is not None:
        yield f"{name}_codes", patched(old_codes, rows.source, fresh, sign_codes(vectors))


def _in_blocks(
    name: str,
    written: Callable[[int], str],
    before: tuple[NDArray[Any] | None, NDArray[np.uint8] | None],
    source: NDArray[np.int64],
    embed: Embed,
    dtype: np.dtype[Any],
    keep: Keep | None,
) -> Arrays:
    """Yield vectors and codes, of which so many are new that they are only in memory a block at a time."""
    old, old_codes = before
    dim = embed([]).shape[1] if old is None else old.shape[1]
    coded = len(source) > EXACT_LIMIT
    codes = np.empty((len(source) if coded else 0, code_bytes(dim)), dtype=np.uint8)
    # Few are written as a whole, beside other work.
    step = BLOCK if len(source) > 2 * BLOCK else max(len(source), 1)
    n_old = 0 if old is None else len(old)

    def blocks() -> Iterator[NDArray[Any]]:
        for at in range(0, len(source), step):
            part = source[at : at + step]
            block = np.empty((len(part), dim), dtype=dtype)
            if old is not None and n_old:
                taken_over(old, part, block)
            new = np.flatnonzero(part >= n_old)
            if len(new):
                vectors = embed([written(at + i) for i in new.tolist()])
                block[new] = vectors
                if keep is not None:
                    keep(at + new, vectors)
            if coded:
                _code(codes[at : at + step], block, old_codes, part, new)
            yield block

    if step == BLOCK:
        yield f"{name}_vectors", Blocks(dtype, (len(source), dim), blocks())
    else:
        yield f"{name}_vectors", next(blocks(), np.empty((0, dim), dtype))
    if coded:
        yield f"{name}_codes", codes


def _code(
    codes: NDArray[np.uint8],
    vectors: NDArray[Any],
    old: NDArray[np.uint8] | None,
    source: NDArray[np.int64],
    new: NDArray[np.int64],
) -> None:
    """Write the codes of vectors; those of before are taken over."""
    if old is None or not len(old):
        codes[:] = sign_codes(vectors)
    else:
        taken_over(old, source, codes)
        codes[new] = sign_codes(vectors[new])


def patched(
    old: NDArray[Any], source: NDArray[np.int64], fresh: NDArray[np.int64], new: NDArray[Any]
) -> NDArray[Any] | Blocks:
    """Return old rows with new ones among them; of many, in blocks.

    Parameters
    ----------
    old, source
        At least one row, and which of them each row is; anything where it is a new one.
    fresh, new
        Which rows are new, ascending, and these.
    """
    n = len(source)

    def blocks(step: int) -> Iterator[NDArray[Any]]:
        for at in range(0, n, step):
            part = source[at : at + step]
            block = np.empty((len(part), *new.shape[1:]), dtype=new.dtype)
            taken_over(old, part, block)
            first, last = np.searchsorted(fresh, (at, at + step)).tolist()
            block[fresh[first:last] - at] = new[first:last]
            yield block

    if n <= 2 * BLOCK:  # written as a whole, beside other work
        return next(blocks(max(n, 1)), new[:0])
    return Blocks(new.dtype, (n, *new.shape[1:]), blocks(BLOCK), beside=True)


def taken_over(old: NDArray[Any], source: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Copy rows; what stands where ``source`` is no row of the old ones is to be overwritten."""
    if old.dtype == out.dtype:
        np.take(old, source, axis=0, out=out, mode="clip")  # without a copy in between
    else:
        out[:] = old[np.minimum(source, len(old) - 1)]


def _before(
    name: str, segment: Segment | None, dtype: np.dtype[Any]
) -> tuple[NDArray[Any] | None, NDArray[np.uint8] | None]:
    """Return vectors and codes of the segment before; none where they were kept with fewer digits than now."""
    if segment is None:
        return None, None
    old = segment.array(f"{name}_vectors")
    if old.dtype.itemsize < dtype.itemsize:
        return None, None
    codes = segment.array(f"{name}_codes") if segment.has(f"{name}_codes") else None
    return old, codes if old.dtype == dtype else None
