"""The default extractor: names, dates and quoted titles by rules on spaCy's blank pipeline. No model.

spaCy tokenises; each token gets a one-letter class (capitalised, function word, connector, month, ...), and
names and dates are patterns over the string of classes. What needs the whole corpus (titles found again,
lower-case terms, words that are capitalised only because a sentence starts) is the second pass,
``hipporag_like.indexing.entities``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hipporag_like.sentences import sentence_spans
from hipporag_like.text import STOPWORDS, content_hash
from hipporag_like.types import Extraction, Mention, Passage

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# Small words inside names, in the languages whose names are met most in English text.
_CONNECTORS = frozenset("of the de del della der den des di do dos da das du la le les el al van von zu bin ibn y e".split())
_ROMAN = re.compile(r"[IVXLC]+$")

# Token classes: C capitalised, F capitalised function word, k connector, a and/&, M month, Y year, N number,
# h hyphen, p period, x anything else.
_NAME = re.compile(r"C(?:h[CNY]|N(?!M)|M(?![NY])|F?k{0,3}F?C|pC)*")
_DATE = re.compile(r"N?M[NY]?(?:xY)?|NkMY|Y")
_YEAR = re.compile(r"1[0-9]{3}s?|20[0-9]{2}s?")
# A quoted run that starts with a capital or an unspaced script is a work's title more often than speech;
# bounded length keeps the pattern linear.
_QUOTED = re.compile("[\u201c\u201e\"\u00ab\u300a\u300c]([^\u201c\u201d\"\u00bb\u300b\u300d\n]{2,80})[\u201d\"\u00bb\u300b\u300d]")
_MAX_NAME_TOKENS = 12  # longer runs are headlines in capitals, not names


class RulesExtractor:
    """Extractor ``rules``: spaCy's blank multi-language tokeniser and our own patterns.

    Examples
    --------
    >>> p = Passage("a#0", "a", "Ada Lovelace met Charles Babbage in June 1833.", 0, 46)
    >>> [p.text[m.start:m.end] for m in next(RulesExtractor().extract([p])).mentions]
    ['Ada Lovelace', 'Charles Babbage', 'June 1833']
    """

    fingerprint = "rules:1"

    def __init__(self) -> None:
        self._nlp: Language | None = None
        self._classes: dict[int, str] = {}

    def key(self, passage: Passage) -> str:
        """Return the hash of the passage's text: nothing else matters to the rules."""
        return content_hash(passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; rules never fail."""
        if self._nlp is None:
            self._nlp = blank_pipeline()
        for passage in passages:
            yield self._extract_one(self._nlp.make_doc(passage.text), passage.text)

    def _extract_one(self, doc: Doc, text: str) -> Extraction:
        sentences = sentence_spans(text)
        ids = doc.to_array(["ORTH", "IDX", "LENGTH"])
        orths, starts, lengths = ids[:, 0].tolist(), ids[:, 1].tolist(), ids[:, 2].tolist()
        known, strings = self._classes, doc.vocab.strings
        letters = []
        for orth in orths:
            letter = known.get(orth)
            if letter is None:
                letter = known[orth] = _classify(strings[orth])
            letters.append(letter)
        ends = [s + n for s, n in zip(starts, lengths, strict=True)]
        mentions = _dates("".join(letters), starts, ends, text)
        # A name never crosses a sentence; a bar between sentences' classes keeps patterns from crossing.
        firsts, at = [], 0
        for begin, _ in sentences:
            while at < len(starts) and starts[at] < begin:
                at += 1
            firsts.append(at)
        firsts.append(len(starts))
        for lo, hi in zip(firsts, firsts[1:], strict=False):
            mentions += _names("".join(letters[lo:hi]), lo, starts, ends)
        mentions += [Mention(m.start(1), m.end(1)) for m in _QUOTED.finditer(text) if _title_like(m.group(1))]
        return Extraction(sentences=tuple(sentences), mentions=tuple(sorted(set(mentions), key=_place)))


def blank_pipeline() -> Language:
    """Return spaCy's blank multi-language pipeline; only its tokeniser is used."""
    import spacy

    return spacy.blank("xx")


def _place(mention: Mention) -> tuple[int, int, str]:
    return mention.start, -mention.end, mention.kind


def _classify(token: str) -> str:
    lower = token.lower()
    first = token[0]
    if first.isdigit():
        return "Y" if _YEAR.fullmatch(token) else ("N" if token.isalnum() else "x")
    if token in ("-", "\u2010", "\u2011", "\u2013", "/"):
        return "h"
    if token == ".":
        return "p"
    if lower in ("and", "&"):
        return "a"
    if lower in _MONTHS and first.isupper():
        return "M"
    if not first.isupper() and not any(c.isupper() for c in token[1:]):
        return "k" if lower in _CONNECTORS else "x"
    return "F" if lower in STOPWORDS and not (_ROMAN.match(token) and len(token) > 1) else "C"


def _dates(classes: str, starts: list[int], ends: list[int], text: str) -> list[Mention]:
    found = []
    for m in _DATE.finditer(classes):
        lo, hi = m.start(), m.end() - 1
        if "x" in m.group() and text[starts[hi - 1] : ends[hi - 1]] != ",":
            hi -= 2
        if m.group() in ("M", "N") or hi < lo:
            continue
        found.append(Mention(starts[lo], ends[hi], "date"))
    return found


def _names(classes: str, lo: int, starts: list[int], ends: list[int]) -> list[Mention]:
    found: list[Mention] = []
    previous: tuple[int, int] | None = None
    for m in _NAME.finditer(classes):
        first, last = m.start(), m.end() - 1
        while last > first and classes[last] in "kFp":
            last -= 1
        if last - first < _MAX_NAME_TOKENS:
            found.append(Mention(starts[lo + first], ends[lo + last]))
            if previous is not None and classes[previous[1] + 1 : first] == "a":
                found.append(Mention(starts[lo + previous[0]], ends[lo + last]))
        previous = first, last
    return found


def _title_like(quoted: str) -> bool:
    return quoted[0].isupper() or (quoted[0].isalpha() and quoted.lower() == quoted.upper())
