"""Shorter and longer readings of one name: "Ribe" in "Ribe, Denmark", "Olaf II" in "King Olaf II"."""

from __future__ import annotations

import re

from hipporag_like.models.reader_question import Asked
from hipporag_like.models.reader_spans import RANKS, Span
from hipporag_like.models.reader_view import Place, View
from hipporag_like.models.reader_words import stem
from hipporag_like.text import words

_AREAS = frozenset(
    stem(w) for w in "state country province county region prefecture district territory nation".split()
)
_PART = re.compile(r", [^\W\d_]")


def readings(view: View, place: Place, asked: Asked) -> list[Place]:
    """Return other readings of the name at ``place``, each a candidate of the same sentence.

    The part ahead of a comma ("Ribe, Denmark"), the part behind it where the question asks for an area, the
    name without a rank, the name up to where it is a passage's whole title, and a date's year where the
    question asks for a year.
    """
    number = view.number_at(place)
    if number is None:
        return []
    offset = view.sentences[number].place.start
    start, end = place.start - offset, place.end - offset
    text = view.sentences[number].text
    found = []
    for span in view.spans[number]:
        if (span.start, span.end) != (start, end) and _is_reading(view, text, (start, end), span, asked):
            found.append(Place(place.passage, offset + span.start, offset + span.end))
    return found


def _is_reading(view: View, text: str, whole: tuple[int, int], span: Span, asked: Asked) -> bool:
    start, end = whole
    if span.kind == "year":
        return asked.type == "year" and start <= span.start and span.end <= end
    if span.kind not in ("name", "quoted"):
        return False
    if span.start == start and span.end < end:
        return _PART.match(text, span.end) is not None
    if span.end == end and span.start > start:
        before = text[start : span.start].split()
        if all(word.rstrip(".") in RANKS for word in before):
            return True
        return text[: span.start].endswith(", ") and bool(_AREAS & set(asked.head))
    return span.start == start and span.end > end and is_title(view, text[span.start : span.end])


def is_title(view: View, name: str) -> bool:
    """Return whether a name is the whole title of a passage, or all of it but its bracket."""
    return tuple(words(name)) in view.title_set
