"""Words for the extractive reader: stems that join "founded" and "founder", dates, and life dates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hipporag_like.text import STOPWORDS, word_spans

# Verbs whose forms share no stem; each group is one word to the reader.
_GROUPS = (
    "write wrote written writer author authored",
    "bear bore born birth birthplace birthday",
    "die died dead death dying",
    "build built builder building",
    "sing sang sung singer song",
    "win won winner",
    "lead led leader",
    "buy bought buyer",
    "teach taught teacher trained",
    "make made maker",
    "give gave given giver",
    "begin began begun",
    "speak spoke spoken speaker",
    "hold held holder",
    "keep kept keeper",
    "fight fought fighter",
    "rule ruled ruler king queen",
    "found founded founder founding establish established",
    "marry married marriage husband wife spouse widow",
    "compose composed composer composition",
    "direct directed director directing",
    "perform performed performer",
    "produce produced producer",
    "release released publish published publisher",
    "study studied student educated attended graduated graduate alumnus degree",
    "act acted actor actress star starred starring",
    "draw drew drawn",
    "ring rang rung",
    "grind ground grinder",
    "sail sailed sailor",
    "paint painted painter painting",
    "sculpt sculpted sculptor",
)
_JOINED = {word: group.split()[0] for group in _GROUPS for word in group.split()}
_SUFFIX = re.compile(r"(?:ings?|ers?|ors?|ions?|ies|ied|ed|es|s|e|y|ment|ance|ship|ly)$")
_MIN_STEM = 4  # shorter stems join unlike words


def stem(word: str) -> str:
    """Return the stem of a folded word; rough on purpose, for matching inside a handful of passages."""
    joined = _JOINED.get(word)
    if joined is not None:
        return joined
    cut = _SUFFIX.sub("", word)
    return cut if len(cut) >= _MIN_STEM else word


def stems(text: str) -> list[tuple[str, int, int]]:
    """Return the stems of the words of ``text`` that carry meaning, with their places."""
    return [(stem(w), a, b) for w, a, b in word_spans(text) if w not in STOPWORDS]


MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
            "august aug", "september sep sept", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted((m.capitalize() for m in MONTHS), key=len, reverse=True))
_DATE = re.compile(
    rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? )?(?:\b|(?<=\d))(?P<m>{_MONTH})\b\.?"
    rf"(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d))?"
    rf"(?:,? (?:AD |in )?(?P<y>\d{{1,4}}(?!\d)|\d{{4}}(?=\d{{1,2}} (?:{_MONTH}))))?"
    rf"|(?<![\d.,$£€/])\b(?P<y2>1\d{{3}}|20\d\d)\b(?![.,]\d|%)"
    rf"|(?:(?<=died )|(?<=d\. )|(?<=d\.)|(?<=c\. )|(?<=c\.)|(?<=born )|(?<=after )|(?<=before )|(?<=AD )"
    rf"|(?<=[–-])|(?<=[–-] )|(?<=\())(?P<y3>\d{{3}})\b(?!,\d)"
)


@dataclass(frozen=True, slots=True)
class Date:
    """A date and its place; month and day are 0 where the text does not say."""

    start: int
    end: int
    year: int
    month: int = 0
    day: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """What dates are compared by."""
        return self.year, self.month, self.day


def dates(text: str) -> list[Date]:
    """Return the dates of ``text`` that name a year, in order of appearance."""
    found = []
    for match in _DATE.finditer(text):
        year = match["y"] or match["y2"] or match["y3"]
        if year is None:
            continue
        day = match["d1"] or match["d2"] or "0"
        month = MONTHS[match["m"].lower()] if match["m"] else 0
        found.append(Date(match.start(), match.end(), int(year), month, int(day)))
    return found


@dataclass(frozen=True, slots=True)
class Life:
    """The ends of a life as a passage tells them; spans of the places named with them."""

    birth: Date | None = None
    death: Date | None = None


_PAREN = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_DASH = re.compile(r"\s[–—-]{1,2}\s?|[–—]|(?<=\d)\s?-\s?")
_DIED = re.compile(r"\b(?:died|d\.|death|killed|executed|murdered|assassinated|passed away)", re.I)
_BORN = re.compile(r"\b(?:born|b\.)", re.I)
_REACH = 90  # characters between "born" and its date; covers "in PLACE, PLACE, on"


def life(text: str) -> Life:
    """Return the birth and death dates in a passage about a person.

    The first bracket with a date, ``(12 May 1900 – 3 June 1950)`` or ``(born 1900)``, else the first date
    behind a word for birth or death.
    """
    found = dates(text)
    birth: Date | None = None
    death: Date | None = None
    for bracket in _PAREN.finditer(text, 0, 400):
        inside = [d for d in found if bracket.start() < d.start < bracket.end()]
        if not inside:
            continue
        birth, death = _bracketed(text, bracket.start(), bracket.end(), inside)
        break
    birth = birth or _behind(_BORN, text, found)
    death = death or _behind(_DIED, text, found)
    if birth and death and death.order < birth.order:
        death = None
    return Life(birth, death)


def _bracketed(text: str, start: int, end: int, inside: list[Date]) -> tuple[Date | None, Date | None]:
    if len(inside) == 2 and not text[inside[0].end : inside[1].start].strip():
        return inside[0], inside[1]  # a dash lost between them: "(March 25, 1942August 16, 2018)"
    dash = next((m for m in _DASH.finditer(text, start, end) if not _within(m.start(), inside)), None)
    died = _DIED.search(text, start, end)
    if dash is not None:
        before = [d for d in inside if d.end <= dash.start()]
        after = [d for d in inside if d.start >= dash.end() - 1]
        return (before[0] if before else None), (after[0] if after else None)
    if died is not None:
        before = [d for d in inside if d.end <= died.start()]
        after = [d for d in inside if d.start >= died.end()]
        return (before[0] if before else None), (after[0] if after else None)
    if _BORN.search(text, start, end):
        return inside[0], None
    return None, None


def _within(at: int, inside: list[Date]) -> bool:
    return any(d.start < at < d.end for d in inside)


def _behind(cue: re.Pattern[str], text: str, found: list[Date]) -> Date | None:
    for match in cue.finditer(text):
        for date in found:
            gap = text[match.end() : date.start]
            if date.start >= match.end() and len(gap) <= _REACH and ". " not in gap and ";" not in gap:
                return date
    return None
