"""The default extractor: names, dates and quoted titles by rules on spaCy's tokeniser. No model.

spaCy tokenises; each token gets a one-letter class (capitalised, function word, connector, month, ...), and
names and dates are patterns over the string of classes. What needs the whole corpus (titles found again,
lower-case terms, words that are capitalised only because a sentence starts) is the second pass,
``hipporag_like.indexing.entities``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hipporag_like.models.token_classes import TokenClasses, rules_tokenizer, spacy_text
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import STOPWORDS, content_hash, is_unspaced
from hipporag_like.types import Extraction, Mention, MentionKind, Passage

if TYPE_CHECKING:
    from spacy.tokenizer import Tokenizer
    from spacy.tokens import Doc

_Place = tuple[int, int, MentionKind]

# What the first word of a sentence is for the patterns: S for a capitalised one, so that no name runs into it
# from the sentence before; G for function words, openers and "I", with which no name starts there.
_FIRST = {"C": "S", "F": "G", "B": "G", "I": "G", "k": "x", "h": "o", "p": "o", "n": "x"}

# A capitalised word, with what small words in hyphens tie to it (Stratford-upon-Avon); not one that is the
# first half of an adjective (London-based).
_TAIL = "(?:(?:h[xkt]){1,3}h[CB])?(?!h[xkt])"
_WORD = f"[CB]{_TAIL}"
_NAME = re.compile(
    rf"(?:(?:Hp?){{1,12}}(?={_WORD}|S)(?:S{_TAIL})?|[SCB]{_TAIL}|O+(?=[CB])|W(?=[CB])|(?<![ocpFWG])F{{1,3}}(?=[CB])|(?<![NOtFG])A(?=[CB]))"
    rf"(?:h(?:{_WORD}|[YNnO])|[Nn](?![MAm])|{_WORD}|[MA](?![NYO])|I|c?J|F?k{{0,3}}F?{_WORD}|p{_WORD})*"
    r"|[SCB](?=h[xkt])"
)
_DATE = re.compile(r"D|YhNhN|NhNhY|[NO]p?k?[MA](?:k?c?Y)?|[MA][NO](?:c?Y)?|[MA]c?Y|Nk?m(?:k?Y)?|mY|Y")
_CJK_DATE = re.compile("[0-9]{4}年(?:[0-9]{1,2}月(?:[0-9]{1,2}日)?)?")
# Latin words inside text written without spaces; the tokeniser does not see where they end.
_LATIN = re.compile(r"[A-Z][A-Za-z0-9+#]*(?:[ .-][A-Z0-9][A-Za-z0-9+#]*)*")
_MAYBE_UNSPACED = re.compile(
    "[\u0e00-\u1fff\u3040-\U0003134f]"
)  # a quick test; the look at the neighbours is exact
_QUOTED = re.compile(
    '[\u201c\u201e"\u00ab\u300a\u300c]([^\u201c\u201d"\u00bb\u300b\u300d\n]{2,80})[\u201d"\u00bb\u300b\u300d]'
)
_CODE = re.compile(r"`([^`\n]{2,60})`")
_IDENTIFIER = re.compile(r"\b[A-Za-z]\w*_\w+\b")
_MAX_NAME_TOKENS = 12  # longer runs are headlines with Every Word Like This, not names
_MAX_CAPITALS = 6  # tokens; a longer sentence all in capitals is a headline or a clause of a contract
# spaCy remembers every word it has seen; a new vocabulary after this many keeps memory below about 200 MB.
_MAX_LEXEMES = 1_000_000


_COLUMNS = ["ORTH", "IDX", "LENGTH"]


class RulesExtractor:
    """Extractor ``rules``: spaCy's tokeniser and our own patterns.

    Examples
    --------
    >>> p = Passage("a#0", "a", "Ada Lovelace met Charles Babbage in June 1833.", 0, 46)
    >>> [p.text[m.start:m.end] for m in next(RulesExtractor().extract([p])).mentions]
    ['Ada Lovelace', 'Charles Babbage', 'June 1833']
    """

    fingerprint = "rules:2"

    def __init__(self) -> None:
        self._tokenizer: Tokenizer | None = None

    def key(self, passage: Passage) -> str:
        """Return the hash of the passage's text: nothing else matters to the rules."""
        return content_hash(passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; rules never fail."""
        for passage in passages:
            if self._tokenizer is None or len(self._tokenizer.vocab) > _MAX_LEXEMES:
                self._tokenizer = rules_tokenizer()
                self._classes = TokenClasses(self._tokenizer.vocab.strings)
            yield _extraction(self._tokenizer(spacy_text(passage.text)), passage.text, self._classes)


def _extraction(doc: Doc, text: str, classes: TokenClasses) -> Extraction:
    sentences = sentence_spans(text)
    table = doc.to_array(_COLUMNS).T
    letters = list(map(classes.__getitem__, table[0].tolist()))
    if "s" in letters:  # a line break or a second space may stand inside a name
        table = table[:, [at for at, letter in enumerate(letters) if letter != "s"]]
        letters = [letter for letter in letters if letter != "s"]
    starts = table[1]
    firsts = np.searchsorted(starts, [begin for begin, _ in sentences]).tolist()
    for (begin, end), at, stop in zip(sentences, firsts, [*firsts, len(letters)][1:], strict=True):
        if stop - at > _MAX_CAPITALS and text[begin:end].isupper():
            letters[at:stop] = "o" * (stop - at)  # capitals say nothing in a headline
        while at < len(letters) and letters[at] in "oh":
            letters[at] = "o"
            at += 1
        if at < len(letters):
            letters[at] = _FIRST.get(letters[at], letters[at])
    joined, begins, ends = "".join(letters), starts.tolist(), (starts + table[2]).tolist()
    places = set(_dates(joined, begins, ends))
    places.update(_names(joined, begins, ends, text))
    places.update(_marked(text))
    ordered = sorted(places, key=_outer_first)
    return Extraction(sentences=tuple(sentences), mentions=tuple(Mention(*place) for place in ordered))


def _outer_first(place: _Place) -> tuple[int, int, str]:
    return place[0], -place[1], place[2]


def _dates(classes: str, starts: list[int], ends: list[int]) -> Iterator[_Place]:
    for m in _DATE.finditer(classes):
        yield starts[m.start()], ends[m.end() - 1], "date"


def _names(classes: str, starts: list[int], ends: list[int], text: str) -> Iterator[_Place]:
    """Yield names, and "X and Y" as one: which of the two it is only the corpus can tell."""
    previous = (-3, -3)  # before any token, by more than the two that "X and" takes
    for m in _NAME.finditer(classes):
        for first, last in _parts(m.group(), m.start(), starts, ends, text):
            yield starts[first], ends[last], "name"
            if first == previous[1] + 2 and classes[first - 1] == "a":
                yield starts[previous[0]], ends[last], "name"
            previous = first, last


def _parts(run: str, first: int, starts: list[int], ends: list[int], text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last token of the names in a run: honorifics cut off, cut at dashes."""
    last = first + len(run) - 1
    if run[0] == "H":
        bare = len(run.lstrip("Hp"))
        if bare > 1:  # "Dr. John Smith" is John Smith, but "Mr. Robot" is not Robot
            first = last + 1 - bare
    begin = first
    if "h" in run:
        for at in range(first + 1, last):
            if (
                text[starts[at] - 1].isspace()
                and text[ends[at] : ends[at] + 1].isspace()
                and run[at - last - 1] == "h"
            ):
                yield begin, at - 1
                begin = at + 1
    if last - begin < _MAX_NAME_TOKENS:
        yield begin, last


def _marked(text: str) -> Iterator[_Place]:
    """Yield what quotation marks, back-ticks, underscores or a change of script set apart."""
    for m in _QUOTED.finditer(text):
        end = m.start(1) + len(m.group(1).rstrip(",.;:"))
        if _is_title(text[m.start(1) : end]):
            yield m.start(1), end, "name"
    if "`" in text:
        yield from ((*m.span(1), "term") for m in _CODE.finditer(text))
    if "_" in text:
        yield from ((*m.span(), "term") for m in _IDENTIFIER.finditer(text))
    if not text.isascii() and _MAYBE_UNSPACED.search(text):
        places = (m.span() for m in _LATIN.finditer(text))
        yield from ((*place, "name") for place in places if _touches_unspaced(text, *place))
        yield from ((*m.span(), "date") for m in _CJK_DATE.finditer(text))


def _touches_unspaced(text: str, start: int, end: int) -> bool:
    return is_unspaced(text[start - 1 : start]) or is_unspaced(text[end : end + 1])


def _is_title(quoted: str) -> bool:
    """Return whether a quoted run is a work's title rather than speech: most of its words are capitalised."""
    if not quoted or not (quoted[0].isupper() or (quoted[0].isalpha() and quoted.lower() == quoted.upper())):
        return False
    if quoted.lower() == quoted.upper():
        return True
    content = [w for w in quoted.split() if w.lower() not in STOPWORDS]
    capitals = sum(not w[0].islower() for w in content)
    return 2 * capitals >= len(content) and (bool(content) or len(quoted.split()) <= 2)
