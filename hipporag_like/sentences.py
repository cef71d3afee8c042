"""Text to sentence spans, by rules, for many scripts.

One regular expression finds every place that may end a sentence (terminators with what closes after them,
line breaks); cheap look-ups decide. The pattern cannot fail once its first character matched, so it never
backtracks and the cost is linear in the text, whatever the text.
"""

from __future__ import annotations

import re

from hipporag_like.text import STOPWORDS, is_unspaced, word_spans

MAX_WORDS = 400  # a longer "sentence" is a table, a log or a language without end marks: cut it

_NEEDS_SPACE = ".!?\u2026\u203c\u2047-\u2049\u203d"  # end a sentence only where white space follows
# These end one anywhere: Greek, Armenian, Urdu, Arabic, Devanagari, Burmese, Tibetan, Khmer, Ethiopic, CJK.
_WIDE = (
    "\u037e\u0589\u06d4\u061f\u0964\u0965\u104a\u104b\u0f0d\u0f0e\u17d4\u17d5\u1362\u1367\u1368"
    "\u3002\uff0e\uff01\uff1f\uff61"
)
_LINE = "\n\r\x0b\x0c\x85\u2028\u2029"
_CLOSE = "\"')\\]}\u2019\u201d\u00bb\u203a\u300d\u300f\uff09\u3011\u300b\u3009\uff63\uff3d"
_CANDIDATE = re.compile(
    rf"[{_NEEDS_SPACE}{_WIDE}{_LINE}]"
    rf"(?:(?<![{_LINE}])([{_NEEDS_SPACE}{_WIDE}]*)(?:[{_CLOSE}]|[\u201c\u2018](?=\s)|\[\d{{1,3}}\])*)?(\s*)"
)
_WIDE_SET = frozenset(_WIDE)
_LEAD = re.compile(r"[^\w\n]{0,4}([^\W_]+)(\.?)")  # the first word of what follows, past quotes and dashes
_WORD_BEFORE = 24  # characters; no abbreviation below is longer
_STRIP = "([{\"'\u2018\u2019\u201c\u201d\u201e\u00ab/-\u2013\u2014"

# A period after these never ends a sentence: what they introduce follows.
_NEVER = frozenset(
    """Dr Mr Mrs Ms Mx Messrs Prof Gen Sen Rep Lt Col Sgt Capt Cpl Cmdr Adm Maj Gov Pres Rev Hon Supt Insp St
    Ste Mt Ft Fr Mme Mlle Hr Dipl Ing Sra Srta Dra Sta dr prof v vs viz cf e.g i.e eg ie resp approx ca al z.B
    d.h u.a bzw v.a p.ex т.е т.к Т.е Т.к им ул проф акад см гл""".split()
)
# A period after these ends one only where a common sentence opener follows ("Inc. The", not "Inc. Tower").
_PERHAPS = frozenset(
    """inc ltd co corp llc plc bros jr sr esq etc dept univ assn ave blvd rd est min max a.m p.m ph.d m.d b.a
    m.a d.c u.s u.k u.n e.u u.s.a г гг др т.д т.п usw""".split()
)
_OPENERS = STOPWORDS | frozenset(
    "there nobody everyone today later two three according following why".split()
)
# A period after these does not end one where a number follows ("No. 5", "p. 12", "Nov. 3").
_BEFORE_NUMBER = frozenset(
    """no nos nr p pp vol vols fig figs ch chap sec sect art par para eq eqs ref tab app op abb ed bd s c №
    стр рис jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
# German ordinals: "am 5. Mai" and "im 19. Jahrhundert" go on.
_AFTER_ORDINAL = frozenset(
    """Januar Februar M\u00e4rz April Mai Juni Juli August September Oktober November Dezember Jahrhundert
    Jahrhunderts""".split()
)
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-Za-z]|[ivxlcIVXLC]{1,5})\Z")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]\Z")  # U.S, Ph.D, a.m
# What opens a new line of its own: bullet, number, heading, quotation, table row, time stamp, speaker.
_ITEM = re.compile(
    r"[-*+\u2022\u2023\u25aa\u25cf\u25e6\u2013\u2014]\s|\(?\d{1,3}[.)]\s|\(?[A-Za-z][.)]\s|#{1,6}\s|[>|]|\[?\d{1,4}[-:/]\d\d"
    r"|[=*_~-]{3}|(?=[^\W\d_])[\w .'\u2019-]{1,30}:\s"
)
_ONE_LETTER_WORDS = frozenset("aio")  # any other single letter before a period is an initial
_HEADING = re.compile(r"#{1,6}\s")
_NEVER_FIRST = frozenset(".,;:!?\u2026)]}")
_GOES_ON = frozenset(",;:-\u2013\u2014(/&+=\u060c\u061b\u3001\uff0c\uff1b\uff1a\\")
_CLAUSE_ANYWHERE = "\u060c\u061b\u3001\uff0c\uff1b\uff1a"  # clause marks that no space follows
# Running text is wrapped at 60 to 80 columns (20 to 40 in CJK); shorter lines were ended on purpose.
_SHORT, _SHORT_BEFORE_LOWER, _SHORT_UNSPACED = 50, 25, 16


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the places of the sentences of ``text``.

    Parameters
    ----------
    text
        Any Unicode text.

    Returns
    -------
    list of (start, end)
        Half-open character spans, in order, apart from each other, without white space at their ends; every
        character that is no white space lies in one. None holds more than 400 word tokens.
    """
    spans: list[tuple[int, int]] = []
    small = text.islower()  # a text without capitals: a small letter says nothing about where it stands
    begin = len(text) - len(text.lstrip())
    for match in _CANDIDATE.finditer(text, begin):
        run, space = match.group(1, 2)
        if run is None:
            cut = _line_ends(text, begin, match.start(), match.end(), match.group())
        elif space:
            cut = _sentence_ends(text, begin, match, small)
        else:
            cut = _is_wide(text, match)
        if cut:
            _append(spans, text, begin, match.start() if run is None else match.start(2))
            begin = match.end()
    _append(spans, text, begin, len(text))
    return spans


def _append(spans: list[tuple[int, int]], text: str, begin: int, end: int) -> None:
    while end > begin and text[end - 1].isspace():
        end -= 1
    if end - begin <= MAX_WORDS:  # a token has at least one character
        if end > begin:
            spans.append((begin, end))
        return
    spans.extend(cut_span(text, begin, end, MAX_WORDS))


def _is_wide(text: str, match: re.Match[str]) -> bool:
    """Whether a terminator without white space after it ends a sentence."""
    first, end = text[match.start()], match.end()
    if first not in _WIDE_SET and _WIDE_SET.isdisjoint(match.group(1)):
        return False
    return not (first == "\uff0e" and end < len(text) and text[end].isalnum())  # a wide decimal point or U．S


def _sentence_ends(text: str, begin: int, match: re.Match[str], small: bool) -> bool:
    """Whether a terminator with white space after it ends a sentence."""
    dot, end, space = match.start(), match.end(), match.group(2)
    if end == len(text) or _is_wide(text, match):
        return True
    if "\n" in space or "\r" in space:
        if _is_blank(space) or _opens_line(text, end):
            return True
    if text[end] in _NEVER_FIRST:
        return False
    lead = _LEAD.match(text, end)
    if lead is None:
        return True
    word = lead.group(1)
    if word[0].islower() and not small:
        return False
    if text[dot] != "." or match.group(1):
        return True
    return not _is_abbreviation(text, begin, dot, word, bool(lead.group(2)))


def _is_abbreviation(text: str, begin: int, dot: int, following: str, initial: bool) -> bool:
    """Whether the single period at ``dot`` belongs to the word before it.

    ``following`` is the first word after it; ``initial`` says whether a period follows that word, too.
    """
    tail = text[max(begin, dot - _WORD_BEFORE) : dot]
    before = tail.rsplit(None, 1)[-1].lstrip(_STRIP) if tail and not tail[-1].isspace() else ""
    if before in _NEVER:
        return True
    if len(before) == dot - begin and _ENUMERATOR.match(before):
        return True
    if before.isdigit():
        return len(before) <= 2 and following in _AFTER_ORDINAL
    low = before.lower()
    if low in _BEFORE_NUMBER and following[0].isdigit():
        return True
    letter = len(before) == 1 and before.isalpha() and before not in _ONE_LETTER_WORDS
    if letter or low in _PERHAPS or _DOTTED.match(before):
        return initial or following.lower() not in _OPENERS
    return False


def _is_blank(space: str) -> bool:
    return max(space.count("\n"), space.count("\r")) > 1 or "\x0c" in space or "\u2029" in space


def _opens_line(text: str, start: int) -> bool:
    match = _ITEM.match(text, start)
    if match is None:
        return False
    return not (text[start].islower() and ":" in match.group())  # "note: ..." may be a wrapped line


def _line_ends(text: str, begin: int, stop: int, start: int, space: str) -> bool:
    """Whether a sentence ends at the line break after ``stop``; the next line begins at ``start``."""
    if start == len(text) or _is_blank(space) or _opens_line(text, start):
        return True
    while text[stop - 1].isspace():
        stop -= 1
    line = max(begin, text.rfind("\n", max(begin, stop - _SHORT - 1), stop) + 1)
    if _HEADING.match(text, line):
        return True
    last = text[stop - 1]
    if last in _GOES_ON:
        return False
    if text[start].islower() and text[line:stop][-_WORD_BEFORE:].rsplit(None, 1)[-1] in STOPWORDS:
        return False
    if is_unspaced(last):
        return stop - line <= _SHORT_UNSPACED
    return stop - line <= (_SHORT_BEFORE_LOWER if text[start].islower() else _SHORT)


def cut_span(text: str, begin: int, end: int, limit: int) -> list[tuple[int, int]]:
    """Cut ``text[begin:end]`` into spans of at most ``limit`` word tokens.

    Cuts fall after clause marks where the second half of a piece has one, else at white space, else between
    tokens; the spans have no white space at their ends and cover everything else.
    """
    tokens = word_spans(text[begin:end])
    spans: list[tuple[int, int]] = []
    first, start = 0, begin
    while len(tokens) - first > limit:
        first = _cut(text, begin, tokens, first, limit)
        stop = begin + tokens[first - 1][2]
        following = begin + tokens[first][1]
        while stop < following and not text[stop].isspace():  # marks stay with the clause they end
            stop += 1
        spans.append((start, stop))
        while stop < following and text[stop].isspace():
            stop += 1
        start = stop
    spans.append((start, end))
    return spans


def _cut(text: str, begin: int, tokens: list[tuple[str, int, int]], first: int, limit: int) -> int:
    """Return the token to begin the next piece with: after a clause mark, else a space, else anywhere."""
    at_space = 0
    for token in range(first + limit, first + limit // 2, -1):
        gap = text[begin + tokens[token - 1][2] : begin + tokens[token][1]]
        if not _GOES_ON.isdisjoint(gap) and (len(gap) > 1 or gap in _CLAUSE_ANYWHERE):
            return token
        if not at_space and gap.strip() != gap:
            at_space = token
    return at_space or first + limit
