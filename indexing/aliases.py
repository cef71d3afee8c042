"""Mentions put right by the rest of the corpus: words that only open a sentence, surnames, dates.

Each function takes the places found so far and returns places; none looks outside the passage for what a
single word means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.names import REPEATED, Found, Names, Spans, join_spans, spans_of
from hipporag_like.indexing.vocabulary import Numbers, Tokens
from hipporag_like.text import STOPWORDS, fold, is_unspaced

# The first word of a sentence is cut off a name where the corpus writes it this many times more often in
# small letters; it is cut for good only where that rests on enough occurrences.
SMALL_RATIO = 20
SURE = 20
# Longer names than this are no persons ("Treaty between the United States and ...").
MAX_PERSON_WORDS = 4
# A first name stands for a longer name only where it is not one of the corpus's common words: "American" is
# no short form of "American Idol". Share of passages, five always allowed.
MAX_FIRST_NAME_SHARE = 0.005


def settle(found: Found, names: Names, tokens: Tokens, titles: set[int]) -> Spans:
    """Return the places of the extractor's names after a look at the whole corpus.

    "X and Y" stays only where it is a title or repeated. "Next Mattos" at the start of a sentence is cut to
    "Mattos" where the corpus writes the first word in small letters, and the whole is neither a title nor
    found elsewhere in the middle of a sentence; where the evidence is thin both forms are kept, so that no
    name is lost.
    """
    spans, counts = found.spans, names.passages()
    keep = np.ones(len(spans.key), dtype=bool)
    once = counts[spans.key[found.compound]] < REPEATED
    once &= ~np.isin(spans.key[found.compound], list(titles))
    keep[found.compound[once]] = False
    inner = np.ones(len(spans.key), dtype=bool)
    inner[[row for row, _ in found.openings]] = False
    known = titles | set(spans.key[inner].tolist())
    added = []
    for row, surface in found.openings:
        first, _, rest = surface.partition(" ")
        while rest and not rest[0].isupper():  # "Cases of COVID-19"
            rest = rest.partition(" ")[2]
        small = _times_small(first, tokens, names)
        if not small or not rest or int(spans.key[row]) in known:
            continue
        key = names.name(rest)
        if key >= 0:
            keep[row] &= small < SURE
            end = int(spans.end[row])
            added.append((int(spans.passage[row]), end - len(rest), end, key))
    return join_spans([spans[keep], spans_of(added)])


def _times_small(word: str, tokens: Tokens, names: Names) -> int:
    """Return how often the corpus writes a word in small letters; 0 where that is not nearly always."""
    number = names.words.get(fold(word), -1)
    if number < 0:
        return 0
    small, capital = int(tokens.small_count[number]), int(tokens.capital_count[number])
    return small if small >= max(2, SMALL_RATIO * capital) else 0


def short_forms(spans: Spans, titles: Spans, names: Names, tokens: Tokens) -> Spans:
    """Return places where a single word stands for a longer name of the same passage or of its title.

    That is so where it is the last word of exactly one such name, or else the first word of exactly one, and
    the whole name came first. On musique_pool it adds 0.2 to recall@5, on the other dev sets nothing.
    """
    keys = list(names.keys)
    words = Numbers()
    first, last, person = (np.zeros(len(keys), dtype=np.int64) for _ in range(3))
    for number in np.unique(np.concatenate([spans.key, titles.key])).tolist():
        parts = keys[number].split(" ")
        first[number], last[number] = words[parts[0]], words[parts[-1]]
        person[number] = 1 if len(parts) == 1 else 2 * _may_be_person(parts)
    longer = join_spans([titles, spans])
    longer = longer[person[longer.key] == 2]
    single = spans[person[spans.key] == 1]
    single = single[~np.isin(single.key, titles.key) & ~_inside(single, longer)]
    by_last = _only_name(longer, last, len(words), single, last)
    rare = np.array([_is_rare(word, names, tokens) for word in words], dtype=bool)
    by_first = _only_name(longer, first, len(words), single, last)
    by_first[~rare[last[single.key]]] = -1
    meant = np.where(by_last >= 0, by_last, by_first)
    hit = meant >= 0
    return Spans(single.passage[hit], single.start[hit], single.end[hit], meant[hit].astype(np.int32))


def _inside(single: Spans, longer: Spans) -> NDArray[np.bool_]:
    """Return which single words are part of a longer name's own place."""
    if len(longer.key) == 0:
        return np.zeros(len(single.key), dtype=bool)
    width = int(max(longer.end.max(), single.end.max(initial=0))) + 1
    place = longer.passage.astype(np.int64) * width + longer.start
    order = np.argsort(place, kind="stable")
    reach = np.maximum.accumulate((longer.passage.astype(np.int64) * width + longer.end)[order])
    at = (
        np.searchsorted(place[order], single.passage.astype(np.int64) * width + single.start, side="right")
        - 1
    )
    inside: NDArray[np.bool_] = (at >= 0) & (
        reach[at] >= single.passage.astype(np.int64) * width + single.end
    )
    return inside


def _may_be_person(parts: list[str]) -> bool:
    return (
        len(parts) <= MAX_PERSON_WORDS
        and not any(part[0].isdigit() for part in parts)
        and STOPWORDS.isdisjoint(parts)
        and not is_unspaced(parts[0])
    )


def _is_rare(word: str, names: Names, tokens: Tokens) -> bool:
    number = names.words.get(word, -1)
    return number < 0 or names.word_passages[number] <= max(5.0, MAX_FIRST_NAME_SHARE * tokens.n_passages)


def _only_name(
    longer: Spans, word_of: NDArray[np.int64], n_words: int, single: Spans, own: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each single word the only longer name of its passage with that word in place; else -1."""
    rows = np.stack([longer.passage.astype(np.int64), word_of[longer.key], longer.key, longer.start], axis=1)
    rows = rows[np.lexsort(rows.T[::-1])]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:, :3] != rows[:-1, :3]).any(axis=1)
    pairs = rows[new]  # the first place of each name in each passage
    codes, at, count = np.unique(pairs[:, 0] * n_words + pairs[:, 1], return_index=True, return_counts=True)
    meant = np.full(len(single.key), -1, dtype=np.int64)
    if len(codes) == 0:
        return meant
    wanted = single.passage.astype(np.int64) * n_words + own[single.key]
    place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    named = at[place]
    hit = (codes[place] == wanted) & (count[place] == 1) & (pairs[named, 3] <= single.start)
    meant[hit] = pairs[named[hit], 2]
    return meant
