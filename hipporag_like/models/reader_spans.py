"""Candidate answers: names, dates, numbers, quoted titles and short phrases in a sentence, by rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hipporag_like.models.reader_words import MONTHS, dates
from hipporag_like.text import STOPWORDS

SpanKind = Literal["name", "quoted", "date", "year", "number", "phrase"]


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate: half-open character offsets in the text it was found in."""

    start: int
    end: int
    kind: SpanKind


_TOKEN = re.compile(r"[^\W_]+(?:['\u2019\u02bb.\-\u2010\u2011][^\W_]+)*\.?|[^\w\s]")
_LINKS = frozenset(
    "of the de del della der den des di du da do dos das la le les el al von van zu bin bint ibn y e "
    "and & for in mac ferch ap at on a to".split()
)
# Links that join a name to what follows in some readings only ("A and B"): the parts are candidates, too.
_LOOSE = frozenset("and & for in at on a to".split())
_INITIAL = re.compile(
    r"^(?:[^\W\d_]\.)+$|^(?:St|Mr|Mrs|Dr|Jr|Sr|Ms|Lt|Col|Gen|Capt|Rev|Prof|Mt|Ft|No|vs|Inc|Co|Ltd)\.$"
)
_JOINTS = frozenset("-\u2010\u2011\u2013!'\u2019&")
_QUOTED = re.compile('[\u201c"\u00ab]\\s?([^\u201c\u201d"\u00bb\n]{2,70}?)\\s?[\u201d"\u00bb]')
_ONE = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
).replace(" ", "|")
_NUMBER = re.compile(
    r"(?<![\w.,])[$£€]?\d+(?:,\d{3})*(?:\.\d+)?(?:th|st|nd|rd)?"
    r"(?:\s(?:million|billion|thousand|percent|hundred)\b|%)?"
    rf"|\b(?:once|twice|thrice|(?:{_ONE})(?:[- ](?:{_ONE}))*)\b",
    re.I,
)
_AGE = re.compile(
    r"\b(?:\d{1,2}(?:st|nd|rd|th)|[a-z]+(?:th|first|second|third)) century\b|\b1\d\d0s\b|\b20\d0s\b"
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
# Ranks ahead of a name, which is a candidate without them, too.
RANKS = frozenset(
    "King Queen Prince Princess Emperor Empress Sir Dame Lord Lady Count Countess Duke Duchess Grand Archduke "
    "Archduchess Infante Infanta Saint St Pope President General Captain Admiral Colonel Major Senator Governor "
    "Bishop Archbishop Dr Mr Mrs Ms Baron Baroness Earl Sultan Tsar Crown Professor".split()
)
_MAX_NAME_TOKENS = 12
_MAX_PHRASE_WORDS = 4


def find_spans(text: str, phrases: bool) -> list[Span]:
    """Return the candidates of one sentence in order of appearance, without doubles.

    Parameters
    ----------
    text
        A sentence.
    phrases
        Whether lower-case phrases can be the answer, too.
    """
    found: dict[tuple[int, int], Span] = {}
    for span in _dates(text):
        found.setdefault((span.start, span.end), span)
    taken = list(found)
    rest = _quoted(text)
    rest += [Span(a, b, "name") for a, b in _joined(text, name_runs(text)) if not _overlaps(a, b, taken)]
    numbers = [(m.start(), m.end()) for m in _NUMBER.finditer(text)]
    rest += [Span(a, b, "number") for a, b in numbers if not _overlaps(a, b, taken)]
    if phrases:
        rest += [Span(a, b, "phrase") for a, b in _phrases(text)]
    for span in rest:
        found.setdefault((span.start, span.end), span)
    return sorted(found.values(), key=lambda s: (s.start, s.end))


def _overlaps(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return any(a < end and start < b for a, b in taken)


def _dates(text: str) -> list[Span]:
    """Return the dates, and the year in each full one."""
    found = []
    for date in dates(text):
        found.append(Span(date.start, date.end, "date" if date.month else "year"))
        year = re.search(r"\d{3,4}$", text[date.start : date.end])
        if date.month and year is not None:
            found.append(Span(date.start + year.start(), date.end, "year"))
    return found + [Span(m.start(), m.end(), "year") for m in _AGE.finditer(text)]


def _quoted(text: str) -> list[Span]:
    found = []
    for match in _QUOTED.finditer(text):
        inside = match.group(1).rstrip(",.;")
        if inside and (inside[0].isalnum() or inside[0] in "($#\u00a1\u00bf"):
            found.append(Span(match.start(1), match.start(1) + len(inside), "quoted"))
    return found


def name_runs(text: str) -> list[tuple[int, int]]:
    """Return the places of capitalised runs; a run with loose links gives its parts, too."""
    runs: list[tuple[int, int]] = []
    tokens = list(_TOKEN.finditer(text))
    at = 0
    while at < len(tokens):
        if not _opens_name(tokens[at].group()):
            at += 1
            continue
        stop = _run_end(text, tokens, at)
        if stop - at <= _MAX_NAME_TOKENS:
            runs += _with_parts(text, tokens[at:stop])
        at = stop
    return runs


def _joined(text: str, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the runs and the pairs that only a comma divides ("Paris, France")."""
    starting: dict[int, list[int]] = {}
    for a, b in runs:
        starting.setdefault(a, []).append(b)
    return runs + [(a, d) for a, b in runs if text[b : b + 2] == ", " for d in starting.get(b + 2, ())]


def _opens_name(token: str) -> bool:
    if not token[0].isupper() and not (len(token) > 2 and token[1].isupper()):
        return False
    low = token.lower().rstrip(".")
    if low in ("bc", "ad", "bce", "ce"):
        return False
    return low not in MONTHS or low in ("may", "march", "mar", "jan", "august", "april", "june")


def _run_end(text: str, tokens: list[re.Match[str]], at: int) -> int:
    """Return the token after the run that opens at token ``at``; links at its end are left out."""
    last = at
    now = at + 1
    while now < len(tokens):
        gap = text[tokens[now - 1].end() : tokens[now].start()]
        word = tokens[now].group()
        before = tokens[now - 1].group()
        if "\n" in gap or (before.endswith(".") and not _INITIAL.search(before) and gap):
            break
        if _opens_name(word) or (word.isdigit() and len(word) < 4) or (word[0].isdigit() and "th" in word):
            last = now
        elif word not in _LINKS and not (word in _JOINTS and not gap):
            break
        elif now - last > 3:
            break
        now += 1
    return last + 1


def _with_parts(text: str, run: list[re.Match[str]]) -> list[tuple[int, int]]:
    while run and run[0].group().lower() in STOPWORDS and len(run[0].group()) > 1 and run[0].group() != "The":
        run = run[1:]
        while run and not _opens_name(run[0].group()):
            run = run[1:]
    if not run:
        return []
    parts: list[list[re.Match[str]]] = [[]]
    for token in run:
        if token.group() in _LOOSE:
            parts.append([])
        else:
            parts[-1].append(token)
    places = [(run[0].start(), _name_end(run[-1]))]
    if len(parts) > 1:
        places += [(p[0].start(), _name_end(p[-1])) for p in parts if p and _opens_name(p[0].group())]
    if run[0].group() == "The" and len(run) > 1:
        places.append((run[1].start(), places[0][1]))
    for part in [run, *parts] if len(parts) > 1 else [run]:
        places += [(at, _name_end(part[-1])) for at in _behind_ranks(part)]
    return [(a, b) for a, b in places if text[a:b].lower() not in STOPWORDS]


def _behind_ranks(run: list[re.Match[str]]) -> list[int]:
    """Return where names begin behind ranks: at "Olaf" in "King Olaf" and in "Norwegian King Olaf"."""
    is_rank = [token.group().rstrip(".") in RANKS for token in run]
    return [
        token.start()
        for token, rank, before in zip(run[1:], is_rank[1:], is_rank, strict=False)
        if before and not rank and _opens_name(token.group())
    ]


def _name_end(token: re.Match[str]) -> int:
    """Where a name ends: before a possessive, and before a full stop that is no part of an initial."""
    text = token.group()
    if text.endswith(("'s", "\u2019s")):
        return token.end() - 2
    if text.endswith(".") and not _INITIAL.search(text) and text.count(".") == 1:
        return token.end() - 1
    return token.end()


def _phrases(text: str) -> list[tuple[int, int]]:
    """Return runs of at most four words that open and end with a word of meaning, lower case inside."""
    matches = list(_WORD.finditer(text))
    places: list[tuple[int, int]] = []
    run: list[re.Match[str]] = []
    for match in matches:
        broken = bool(run) and text[run[-1].end() : match.start()] != " "
        stops = match.group().lower() in STOPWORDS
        if broken or stops:
            places += _inner(run)
            run = []
        if not stops:
            run.append(match)
    return places + _inner(run)


def _inner(run: list[re.Match[str]]) -> list[tuple[int, int]]:
    if not run or all(m.group()[0].isupper() for m in run):
        return []
    if len(run) > _MAX_PHRASE_WORDS:
        run = run[-_MAX_PHRASE_WORDS:]
    places = [(run[0].start(), run[-1].end())]
    if len(run) > 1:
        places.append((run[-1].start(), run[-1].end()))
    if len(run) > 2:
        places.append((run[1].start(), run[-1].end()))
    return places
