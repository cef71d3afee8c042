"""Vectors of a segment of preset light: passages, words, and facts as bags of words; see ``indexing.words``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.corpus import Corpus, Origin, table
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.indexing.vectors import Arrays, Embed, passage_vectors
from hipporag_like.indexing.words import norms, passage_codes, with_last, word_codes

Codes = NDArray[np.int8]
Reals = NDArray[np.float32]


def light_vectors(corpus: Corpus, segment: Segment | None, origin: Origin, embed: Embed) -> Arrays:
    """Yield the vectors of passages, and what stands for those of facts; what stays is taken over.

    Parameters
    ----------
    corpus
        With the words of each fact.
    segment, origin
        The segment before, light too, and which of its rows make up this one.
    embed
        Texts to unit rows.
    """
    n_words, n_passages = len(corpus.terms[0]) - 1, corpus.texts.n_passages
    words = _words(corpus, segment, origin.terms, embed)
    dim = words[0].shape[1]
    codes, scale = np.empty((n_words + n_passages, dim), np.int8), np.empty(n_words + n_passages, np.float32)
    codes[:n_words], scale[:n_words] = words
    del words
    own = codes[n_words:], scale[n_words:]
    rows = origin.passages.source
    if segment is not None:
        before = _passages_before(segment)
        kept = np.flatnonzero(rows < segment.n_passages)
        own[0][kept], own[1][kept] = before[0][rows[kept]], before[1][rows[kept]]

    def keep(at: int, new: NDArray[np.int64], vectors: Reals) -> None:
        own[0][at + new], own[1][at + new] = passage_codes(vectors)

    yield from passage_vectors(corpus, segment, origin.passages, embed, keep)
    owner = np.repeat(np.arange(n_passages), np.diff(corpus.reading.facts))
    indptr, index = with_last(corpus.reading.bags, corpus.reading.bag, n_words + owner)
    yield "fact_words_indptr", indptr
    yield "fact_words_index", index
    yield "fact_norm", _norms(codes, scale, indptr, index, segment, origin.facts)
    yield "word_codes", codes
    yield "word_scale", scale


def _words(corpus: Corpus, segment: Segment | None, rows: Rows2, embed: Embed) -> tuple[Codes, Reals]:
    """Return the codes and scales of BM25's words."""
    n_old = 0 if segment is None else len(segment.terms)
    new = np.flatnonzero(rows.source >= n_old)
    fresh = word_codes(table(corpus.terms).take(new), embed, embed([]).shape[1])
    if segment is None:
        return fresh
    codes = np.empty((len(rows.source), fresh[0].shape[1]), np.int8)
    scale = np.empty(len(rows.source), np.float32)
    codes[new], scale[new] = fresh
    kept = np.flatnonzero(rows.source < n_old)
    codes[kept] = segment.array("word_codes")[rows.source[kept]]
    scale[kept] = segment.array("word_scale")[rows.source[kept]]
    return codes, scale


def _passages_before(segment: Segment) -> tuple[Codes, Reals]:
    n_words = len(segment.terms)
    return segment.array("word_codes")[n_words:], segment.array("word_scale")[n_words:]


def _norms(
    codes: Codes,
    scale: Reals,
    indptr: NDArray[np.int64],
    index: NDArray[np.int32],
    segment: Segment | None,
    rows: Rows2,
) -> Reals:
    """Return the length of the sum of each fact's rows; those of facts that stay are taken over."""
    if segment is None:
        return norms(codes, scale, indptr, index)
    n_old = segment.n_facts
    new = np.flatnonzero(rows.source >= n_old)
    found = np.empty(len(rows.source), np.float32)
    kept = rows.source < n_old
    found[kept] = segment.array("fact_norm")[rows.source[kept]]
    lengths = indptr[new + 1] - indptr[new]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(indptr[new] - starts[:-1], lengths) + np.arange(int(starts[-1]))
    found[new] = norms(codes, scale, starts, index[places])
    return found
