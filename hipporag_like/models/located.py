"""Names of others, found in a passage as whole words."""

from __future__ import annotations

from collections.abc import Sequence

from hipporag_like.text import word_spans, words
from hipporag_like.types import Mention


def spoken(text: str) -> str:
    """Return the folded words of a text between single spaces, so that containment means whole words."""
    return f" {' '.join(words(text))} "


def holds(text: str, name: str) -> bool:
    """Return whether ``text``, as :func:`spoken` gives it, holds the words of ``name`` one after the other."""
    needle = spoken(name)
    return needle != "  " and needle in text


def places(text: str, names: Sequence[str]) -> list[Mention]:
    """Return every place where a name's words stand; one in small letters is a term, so that it is kept."""
    tokens = word_spans(text)
    by_first: dict[str, list[tuple[list[str], bool]]] = {}
    for name in names:
        grams = words(name)
        if grams:
            by_first.setdefault(grams[0], []).append((grams, name == name.lower()))
    said = [token for token, _, _ in tokens]
    found = []
    for at, word in enumerate(said):
        for grams, small in by_first.get(word, ()):
            last = at + len(grams) - 1
            if said[at : last + 1] == grams:
                found.append(Mention(tokens[at][1], tokens[last][2], "term" if small else "name"))
    return sorted(set(found), key=lambda m: (m.start, -m.end, m.kind))
