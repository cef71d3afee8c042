"""How much of the question a sentence tells, by itself and together with a sentence that leads to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hipporag_like.models.reader_view import View
from hipporag_like.models.reader_words import stem, stems


@dataclass(frozen=True, slots=True)
class Coverage:
    """One a sentence, in [0, 1]: the share of the question's words, rare ones weighing more.

    Attributes
    ----------
    alone
        Of the sentence and its passage's title.
    linked
        Of these and the best sentence elsewhere that names the passage's subject.
    """

    alone: tuple[float, ...]
    linked: tuple[float, ...]


def covered(view: View) -> Coverage:
    """Return how much of the question each sentence covers."""
    titles = [{stem(w) for w in title} for title in view.title_words]
    own = [{s for s, _, _ in line} for line in view.lines]
    weights = _rarity(view, titles, own)
    total = sum(weights.values())
    if not total:
        nothing = (0.0,) * len(view.sentences)
        return Coverage(nothing, nothing)
    wanted = set(weights)
    told = [(words | titles[s.place.passage]) & wanted for words, s in zip(own, view.sentences, strict=True)]
    leads: list[list[set[str]]] = [[] for _ in view.passages]
    for number, named in enumerate(view.names):
        for passage in named:
            if told[number] not in leads[passage]:
                leads[passage].append(told[number])
    alone = [sum(weights[w] for w in words) / total for words in told]
    linked = [
        max((sum(weights[w] for w in words | lead) / total for lead in leads[s.place.passage]), default=share)
        for share, words, s in zip(alone, told, view.sentences, strict=True)
    ]
    return Coverage(tuple(alone), tuple(linked))


def _rarity(view: View, titles: list[set[str]], own: list[set[str]]) -> dict[str, float]:
    """Return the weight of each stem of the question that a passage has: more, the fewer have it."""
    passages = [set(title) for title in titles]
    for words, sentence in zip(own, view.sentences, strict=True):
        passages[sentence.place.passage] |= words
    found = {}
    for word in {s for s, _, _ in stems(view.question)}:
        holders = sum(word in words for words in passages)
        if holders:
            found[word] = math.log1p(len(passages) / holders)
    return found
