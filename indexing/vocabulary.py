"""All word tokens of a corpus as integer arrays, with how often the corpus writes each word in capitals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.numbers import Numbers
from hipporag_like.text import WORD, fold
from hipporag_like.types import Extraction, Passage

# Passages tokenised at a time: one split of a joined text is twice as fast as one split a passage, and
# 256 passages of 100 words keep the lists of Python strings below 5 MB.
BATCH = 256
_PLAIN_GAPS = frozenset({" ", "", "-", "\u2010", "\u2011", "\n", "  "})
_N_COLUMNS = 7
_POSSESSIVE = "'s"  # stands for the possessive ending, which is two characters and no word


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word tokens of a corpus.

    Attributes
    ----------
    words
        The folded words, sorted; a word's number is its place here.
    ids
        int32, (n_tokens,): word numbers in text order.
    start, end
        int32, (n_tokens,): character span in the passage.
    capital
        bool, (n_tokens,): whether the token starts with a capital.
    joined
        bool, (n_tokens,): whether only white space or a hyphen stands between it and the token before.
    opens
        bool, (n_tokens,): whether it is the first of its sentence.
    passage
        int32, (n_tokens,): non-decreasing.
    sentence
        int32, (n_tokens,): number of the sentence, running over the corpus; a passage without sentences
        counts as one.
    passage_tokens
        int64, (n_passages + 1,): where each passage's tokens start.
    passage_sentences
        int64, (n_passages + 1,): where each passage's sentences start.
    capital_count, small_count
        int64, (n_words,): occurrences with and without a capital; capitals that open a sentence say nothing
        and are left out.
    """

    words: list[str]
    ids: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    capital: NDArray[np.bool_]
    joined: NDArray[np.bool_]
    opens: NDArray[np.bool_]
    passage: NDArray[np.int32]
    sentence: NDArray[np.int32]
    passage_tokens: NDArray[np.int64]
    passage_sentences: NDArray[np.int64]
    capital_count: NDArray[np.int64]
    small_count: NDArray[np.int64]

    @property
    def n_passages(self) -> int:
        """Number of passages, those without tokens included."""
        return len(self.passage_tokens) - 1


def read_tokens(passages: Sequence[Passage], extractions: Sequence[Extraction]) -> Tokens:
    """Return the word tokens of a corpus.

    Parameters
    ----------
    passages, extractions
        Aligned; of the extractions only the sentences are read.
    """
    surfaces = Numbers()
    batches = [
        _read_batch(passages[at : at + BATCH], extractions[at : at + BATCH], surfaces)
        for at in range(0, len(passages), BATCH)
    ]
    surface, start, end, sentence, joined, lengths, n_sentences = (
        np.concatenate([np.zeros(0, dtype=np.int32), *columns]) for columns in _columns(batches)
    )
    passage = np.repeat(np.arange(len(passages), dtype=np.int32), lengths)
    passage_sentences = running(n_sentences)
    sentence += passage_sentences[passage].astype(np.int32)
    words, word_of, upper = _fold_surfaces(list(surfaces))
    ids, capital = word_of[surface], upper[surface]
    opens = np.ones(len(ids), dtype=bool)
    opens[1:] = sentence[1:] != sentence[:-1]
    return Tokens(
        words=words,
        ids=ids,
        start=start,
        end=end,
        capital=capital,
        joined=(joined > 0) & ~opens,
        opens=opens,
        passage=passage,
        sentence=sentence,
        passage_tokens=running(lengths),
        passage_sentences=passage_sentences,
        capital_count=np.bincount(ids[capital & ~opens], minlength=len(words)),
        small_count=np.bincount(ids[~capital], minlength=len(words)),
    )


def _columns(batches: Sequence[tuple[NDArray[np.int32], ...]]) -> list[tuple[NDArray[np.int32], ...]]:
    return list(zip(*batches, strict=True)) if batches else [()] * _N_COLUMNS


def sentence_of(
    place: NDArray[np.int64], origin: NDArray[np.int64], extractions: Sequence[Extraction]
) -> NDArray[np.int64]:
    """Return the running number of the sentence at each place.

    Parameters
    ----------
    place
        int64: character offsets in the texts laid end to end.
    origin
        int64, (n_passages + 1,): where each text starts.
    extractions
        One a text. What no sentence covers belongs to the one before it, or to its text's first; a text
        without sentences counts as one.
    """
    begins = [
        at + begin
        for at, extraction in zip(origin.tolist(), extractions, strict=False)
        for begin in (0, *(s[0] for s in extraction.sentences[1:]))
    ]
    return np.searchsorted(np.array(begins, dtype=np.int64), place, side="right") - 1


def running(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return where each of consecutive parts starts, and where the last one ends."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def _read_batch(
    passages: Sequence[Passage], extractions: Sequence[Extraction], surfaces: Numbers
) -> tuple[NDArray[np.int32], ...]:
    """Return surface, start, end, sentence and joint of each token, and tokens and sentences of each passage.

    Starts, ends and sentences are counted from the passage's own first.
    """
    text = "\n".join(p.text for p in passages)
    origin = running(np.array([len(p.text) + 1 for p in passages], dtype=np.int32))
    parts = [_POSSESSIVE if part is None else part for part in WORD.split(text)]
    ends = np.fromiter(accumulate(map(len, parts)), dtype=np.int64, count=len(parts))
    surface = np.fromiter(map(surfaces.__getitem__, parts[1::2]), dtype=np.int32, count=len(parts) // 2)
    word = surface != surfaces[_POSSESSIVE]
    plain = np.fromiter(map(_PLAIN_GAPS.__contains__, parts[0:-1:2]), dtype=bool, count=len(parts) // 2)
    plain[1:] &= word[:-1]  # a possessive ending parts two words
    start, end, surface, joined = ends[0:-1:2][word], ends[1::2][word], surface[word], plain[word]
    passage = np.searchsorted(origin, start, side="right") - 1
    lengths = np.bincount(passage, minlength=len(passages))
    n_sentences = np.array([max(1, len(e.sentences)) for e in extractions])
    sentence = sentence_of(start, origin, extractions) - running(n_sentences)[passage]
    columns = (
        surface,
        start - origin[passage],
        end - origin[passage],
        sentence,
        joined,
        lengths,
        n_sentences,
    )
    return tuple(column.astype(np.int32) for column in columns)


def _fold_surfaces(surfaces: list[str]) -> tuple[list[str], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the sorted words, and for each surface the number of its word and whether it is capitalised."""
    folded = [fold(s) for s in surfaces]
    words = sorted(set(folded) - {_POSSESSIVE})
    number = {word: i for i, word in enumerate(words)}
    word_of = np.array([number.get(f, -1) for f in folded], dtype=np.int32)
    return words, word_of, np.array([s[0].isupper() for s in surfaces], dtype=bool)


def word_passages(tokens: Tokens) -> NDArray[np.int64]:
    """Return in how many passages each word occurs; (n_words,)."""
    from hipporag_like.indexing.kernels import count_passages

    n = tokens.n_passages
    nothing = np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    counts = count_passages(np.arange(n + 1), tokens.passage_tokens, tokens.ids, *nothing, len(tokens.words))
    return counts.astype(np.int64)
