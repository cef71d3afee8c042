"""Mentions put right by the rest of the corpus: words that only open a sentence, surnames, dates.

Each function takes the places found so far and returns places; none looks outside the passage for what a
single word means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.names import Found, Names, Spans, join_spans, spans_of
from hipporag_like.indexing.numbers import Numbers
from hipporag_like.text import STOPWORDS, fold, is_unspaced

# A first word is cut off a name for good only where the corpus writes it in small letters so often.
SURE = 20
# Longer names than this are no persons ("Treaty between the United States and ...").
MAX_PERSON_WORDS = 4


def settle(found: Found, names: Names) -> Spans:
    """Return the places of the extractor's names after a look at the whole corpus.

    "X and Y" stays only where it is a title or repeated. "Next Mattos" at the start of a sentence is cut to
    "Mattos" where the corpus writes the first word in small letters, and the whole is neither a title nor
    found elsewhere in the middle of a sentence; where the evidence is thin both forms are kept, so that no
    name is lost.
    """
    spans, context = found.spans, names.context
    keep = np.ones(len(spans.key), dtype=bool)
    whole = spans.key[found.compound]
    keep[found.compound] = context.repeated[whole] | context.titled[whole]
    added = []
    for row, surface in found.openings:
        first, _, rest = surface.partition(" ")
        while rest and not rest[0].isupper():  # "Cases of COVID-19"
            rest = rest.partition(" ")[2]
        small = context.times_small(fold(first))
        if not small or not rest or context.known[spans.key[row]]:
            continue
        key = names.name(rest, int(spans.passage[row]))
        if key >= 0:
            keep[row] &= small < SURE
            end = int(spans.end[row])
            added.append((int(spans.passage[row]), end - len(rest), end, key))
    return join_spans([spans[keep], spans_of(added)])


def short_forms(spans: Spans, titles: Spans, names: Names) -> Spans:
    """Return places where a single word stands for a longer name of the same passage or of its title.

    That is so where it is the last word of exactly one such name, or else the first word of exactly one, and
    the whole name came first. On musique_pool it adds 0.2 to recall@5, on the other dev sets nothing.
    """
    words = Numbers()
    used = np.unique(np.concatenate([spans.key, titles.key]))
    spans, titles = _renumbered(spans, used), _renumbered(titles, used)
    first, last, person = (np.zeros(len(used), dtype=np.int64) for _ in range(3))
    for number, key in enumerate(names.keys.chosen(used)):
        parts = key.split(" ")
        first[number], last[number] = words[parts[0]], words[parts[-1]]
        person[number] = 1 if len(parts) == 1 else 2 * _may_be_person(parts)
    longer = join_spans([titles, spans])
    longer = longer[person[longer.key] == 2]
    single = spans[person[spans.key] == 1]
    single = single[~names.context.are_titles(used[single.key]) & ~_inside(single, longer)]
    by_last = _only_name(longer, last, len(words), single, last)
    names.context.words.expect(words)
    rare = np.array([names.context.is_rare(word) for word in words], dtype=bool)
    by_first = _only_name(longer, first, len(words), single, last)
    by_first[~rare[last[single.key]]] = -1
    meant = np.where(by_last >= 0, by_last, by_first)
    hit = meant >= 0
    keys = used[meant[hit]].astype(np.int32)
    return Spans(single.passage[hit], single.start[hit], single.end[hit], keys)


def _renumbered(spans: Spans, used: NDArray[np.int32]) -> Spans:
    keys = np.searchsorted(used, spans.key).astype(np.int32)
    return Spans(spans.passage, spans.start, spans.end, keys)


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
