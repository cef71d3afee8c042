"""Which passages a change of context may concern: those that hold a word or a name of which the corpus now says more.

More may be found than read differently in the end; never fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.aliases import SURE
from hipporag_like.indexing.context import Context
from hipporag_like.indexing.corpus import Corpus
from hipporag_like.indexing.index import Segment
from hipporag_like.store.tables import key_hashes
from hipporag_like.text import STOPWORDS, WORD, fold
from hipporag_like.text import words as text_words
from hipporag_like.types import Extraction, Passage

Numbers = NDArray[np.int64]
Extractions = Callable[[Sequence[Passage]], "Sequence[Extraction] | None"]
AT_ONCE = 4096  # passages looked at together


def comparable(before: Context, now: Context) -> bool:
    """Return whether a corpus can be brought up to date passage by passage.

    Not where terms are mined or triples name entities, which depends on all passages at once, and not where capitals
    begin or cease to count.
    """
    same = before.cased == now.cased
    return same and not (before.terms or now.terms or before.n_triples or now.n_triples)


def affected(
    before: Context, now: Context, corpus: Corpus, segment: Segment, extractions: Extractions
) -> Numbers:
    """Return the passages of the corpus before that may have to be read again; int64, ascending.

    Parameters
    ----------
    before, now
        The contexts, ``comparable``; the keys and words of the one before are numbered first in both.
    corpus, segment
        What was made with the context before.
    extractions
        What was extracted from passages, aligned; None where that of some was lost.
    """
    n_keys, n_words = len(before.titled), len(before.common_words)
    keys, words = now.keys.texts, now.words.texts

    titled = before.titled != now.titled[:n_keys]
    judged = titled | (before.repeated != now.repeated[:n_keys]) | (before.known != now.known[:n_keys])
    opening = _kinds(before) != _kinds(now)[:n_words]
    common = before.common_words != now.common_words[:n_words]
    rare = before.rare_words != now.rare_words[:n_words]
    sought = _sought_otherwise(before, now)
    # What is rare, or a title, matters where a single word stands that may be short for a longer name.
    single = {words[row] for row in np.flatnonzero(rare).tolist()}
    single |= {keys[row] for row in np.flatnonzero(titled).tolist() if " " not in keys[row]}
    found = [
        _spelled(corpus, _hashes(keys, judged), _hashes(words, opening)),
        _mentioning(segment, sorted(single)),
        *_with_names(segment, sorted(sought), before, now),
    ]
    changed = {words[row] for row in np.flatnonzero(common).tolist()}
    holders = [holding(segment, [word]) for word in sorted(changed)]
    left = np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *holders]), np.concatenate(found))
    return np.unique(np.concatenate([*found, _naming(segment, left, changed, extractions)]))


def _naming(segment: Segment, rows: Numbers, wanted: set[str], extractions: Extractions) -> Numbers:
    """Return which passages an extractor found a name in that holds some words: only a name may be a common word."""
    found = []
    for at in range(0, len(rows), AT_ONCE):
        part = rows[at : at + AT_ONCE].tolist()
        passages = [segment.passage(row) for row in part]
        known = extractions(passages)
        if known is None:
            found += part
            continue
        found += [
            row
            for row, passage, extraction in zip(part, passages, known, strict=True)
            if any(not wanted.isdisjoint(text_words(name)) for name in _names(passage, extraction))
        ]
    return np.array(found, dtype=np.int64)


def _names(passage: Passage, extraction: Extraction) -> Iterator[str]:
    yield from extraction.names
    for mention in extraction.mentions:
        yield passage.text[mention.start : mention.end]


def _kinds(context: Context) -> NDArray[np.int8]:
    """Return how a word that opens a sentence is judged: part of a name, perhaps none, surely none."""
    small = context.small_counts
    return (small > 0).astype(np.int8) + (small >= SURE)


def _hashes(texts: Sequence[str], chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return key_hashes([texts[row] for row in np.flatnonzero(chosen).tolist()])


def _spelled(corpus: Corpus, keys: NDArray[np.uint64], openings: NDArray[np.uint64]) -> Numbers:
    """Return the passages with a spelling of some keys, or one that begins with some words."""
    forms = np.isin(corpus.form_key, keys) | np.isin(corpus.form_first, openings)
    if not forms.any():
        return np.zeros(0, np.int64)
    hits = np.flatnonzero(forms[corpus.reading.form >> 1])
    return np.unique(np.searchsorted(corpus.reading.spelled, hits, side="right") - 1)


def _mentioning(segment: Segment, keys: Sequence[str]) -> Numbers:
    """Return the passages that mention some keys."""
    rows = segment.entity_keys.find_many(keys)
    facts = [segment.entity_facts.row(row)[0] for row in rows[rows >= 0].tolist()]
    owner = segment.array("fact_passage")
    return np.unique(np.concatenate([owner[f] for f in facts] or [np.zeros(0, np.int32)])).astype(np.int64)


def _sought_otherwise(before: Context, now: Context) -> set[str]:
    """Return the keys that are sought now and were not before, or the other way round, or in another case."""
    kinds = now.kinds.copy()
    kinds[: len(before.kinds)] -= before.kinds
    found = set(now.keys.chosen(np.flatnonzero(kinds)))
    changed = np.flatnonzero(before.frequent_words != now.frequent_words[: len(before.frequent_words)])
    words = [now.words.texts[row] for row in changed.tolist()]
    rows = now.keys.rows_of(words)
    other = before.need_capital(words) != now.need_capital(words)
    return found | {words[i] for i in np.flatnonzero(other & (rows >= 0)).tolist() if now.kinds[rows[i]]}


def _with_names(segment: Segment, keys: Sequence[str], before: Context, now: Context) -> list[Numbers]:
    """Return for each key the passages where the gazetteer may find it, with one of the contexts."""
    small = ~(before.need_capital(keys) & now.need_capital(keys))
    texts = segment.passage_texts
    return [
        np.array(
            [
                row
                for row in holding(segment, key.split(" ")).tolist()
                if _stands_in(texts[row], key, any_case)
            ],
            dtype=np.int64,
        )
        for key, any_case in zip(keys, small.tolist(), strict=True)
    ]


def _stands_in(text: str, key: str, any_case: bool) -> bool:
    """Return whether the words of a key follow each other in a text; a single one with a capital, unless any case."""
    tokens = [token for token in WORD.findall(text) if token]
    if " " in key:
        return f" {key} " in f" {' '.join(map(fold, tokens))} "
    return any((any_case or token[0].isupper()) and fold(token) == key for token in tokens)


def holding(segment: Segment, words: Sequence[str]) -> Numbers:
    """Return the passages that hold all of some words, function words left out."""
    none = np.zeros(0, np.int64)
    rows = segment.terms.find_many([word for word in words if word not in STOPWORDS])
    if len(rows) == 0 or rows.min() < 0:
        return none
    indptr, passage = segment.array("posting_indptr"), segment.array("posting_passage")
    lists = sorted((passage[indptr[row] : indptr[row + 1]] for row in rows.tolist()), key=len)
    found = lists[0]
    for other in lists[1:]:
        at = np.minimum(np.searchsorted(other, found), len(other) - 1)
        found = found[other[at] == found]
    return found.astype(np.int64)
