"""Preset light: facts as sums of words, so that only passages and single words have to be embedded.

The vector of a fact is the sum of its words' vectors, brought to unit length; a word in it twice counts twice.
Function words are left out, and the direction of their mean, which every word shares, is taken off the others. The
passage that the fact stands in is one more of its words, with a weight: it says what the sentence leaves open.

How the sums are stored is in ``indexing.fact_codes``.

Nothing here depends on the corpus. What is stored of a fact stays as it is when documents come and go.

Related: sums of word vectors without a common component come near trained sentence vectors (Arora, Liang and Ma 2017,
"A Simple but Tough-to-Beat Baseline for Sentence Embeddings"), where word weights and component are of the corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.compiled import compiled
from hipporag_like.indexing.quantise import rotated
from hipporag_like.indexing.texts import lexical_tokens
from hipporag_like.text import STOPWORDS

# Of a passage among its fact's words; the words' sum has a length of 3 to 11. Mean recall@5 of graph on the four dev
# sets with 0, 2, 4 and 7: 89.9, 90.5, 90.9 and 90.8; with fixed weights (search.fusion) 86.3, 87.3, 88.1 and 88.0.
PASSAGE_WEIGHT = 4.0
_LEVELS = 127  # of int8, either side of 0
_AT_ONCE = 1 << 14  # words worked on together: some 50 MB with vectors of 384 numbers

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Codes = NDArray[np.int8]
Reals = NDArray[np.float32]


def words_of(texts: Iterable[str]) -> list[str]:
    """Return every text that is embedded for the words of facts: theirs, and the function words."""
    return [*_FUNCTION_WORDS, *dict.fromkeys(word for text in texts for word in lexical_tokens(text))]


def word_codes(words: Sequence[str], embed: Embed, dim: int) -> tuple[Codes, Reals]:
    """Return turned words in whole numbers, and their scales, without what function words have in common."""
    codes, scale = np.zeros((len(words), dim), np.int8), np.zeros(len(words), np.float32)
    if words:
        common = common_direction(embed)
        for at in range(0, len(words), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            codes[part], scale[part] = quantised(rotated(without(embed(words[part]), common)))
    return codes, scale


def common_direction(embed: Embed) -> NDArray[np.float64]:
    """Return the direction of the mean vector of the function words: (dim,), unit length, or 0."""
    mean = embed(_FUNCTION_WORDS).astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    direction: NDArray[np.float64] = mean / length if length > 0 else mean
    return direction


def without(vectors: Reals, direction: NDArray[np.float64]) -> Reals:
    """Return rows less their part in a direction of unit length."""
    # Not by a matrix product: a BLAS may round a row differently by the rows around it.
    part = (vectors * direction).sum(axis=1)
    rest: Reals = (vectors - part[:, None] * direction).astype(np.float32)
    return rest


def quantised(vectors: Reals) -> tuple[Codes, Reals]:
    """Return rows as whole numbers from -127 to 127, and what to multiply each with; 0 for rows of zeros."""
    scale = (np.abs(vectors).max(axis=1, initial=0.0) / _LEVELS).astype(np.float32)
    codes = np.rint(vectors / np.where(scale > 0, scale, 1.0)[:, None]).astype(np.int8)
    return codes, scale


@compiled
def sums_of(
    words: tuple[Codes, Reals],
    bags: tuple[NDArray[np.int64], NDArray[np.int32]],
    facts: NDArray[np.int64],
    passages: Reals,
    owner: NDArray[np.int64],
    sums: Reals,
) -> None:
    """Write the turned vectors of facts, of any length: their words' sum and their passage's part.

    A fact's is the same to the bit whatever facts and words there are besides.

    Parameters
    ----------
    words
        See :func:`word_codes`.
    bags
        int64, (n_bags + 1,), and int32: rows of words, as often as they are in a fact.
    facts
        int64, (n,): which bags.
    passages, owner
        float32, (n_passages, dim), turned, and int64, (n,): which of them each fact stands in.
    sums
        float32, (n, dim), zeros.
    """
    codes, scale = words
    indptr, index = bags
    for i in range(len(facts)):
        for j in range(indptr[facts[i]], indptr[facts[i] + 1]):
            part = scale[index[j]]
            for d in range(sums.shape[1]):
                sums[i, d] += np.float32(codes[index[j], d]) * part
        for d in range(sums.shape[1]):
            sums[i, d] += np.float32(PASSAGE_WEIGHT) * passages[owner[i], d]


_FUNCTION_WORDS = sorted(STOPWORDS)
