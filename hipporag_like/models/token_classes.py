"""spaCy's tokeniser with our own splitting rules, and the one-letter class of each token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hipporag_like.text import STOPWORDS, has_case, is_unspaced

if TYPE_CHECKING:
    from spacy.strings import StringStore
    from spacy.tokenizer import Tokenizer

# spaCy's own affix patterns list all alphabets and spell out units and currencies; names need less. These are
# 1.8 times as fast on 2WikiMultiHopQA (5,400 against 3,000 passages of 100 words a second) and, unlike
# those, always split at a hyphen, also where a space follows it.
_PREFIX = re.compile(r"[^\w\s]")
# A period stays with one letter before it ("J.", "U.S."), "+" and "#" with a word ("C++", "C#").
_SUFFIX = re.compile(r"(?:['\u2019][sS]|(?<=\w\w)\.|(?<=\d)\.|(?<=[^\w.])\.|[^\w\s.+#]|(?<![\w+])[+#])\Z")
_INFIX = re.compile(
    r"(?<=\w)(?:[-\u2010-\u2015/]+|\.\.+|(?<=[^\W\d_])[,:;](?=[^\W\d_])|[()\[\]{}<>=\u2026\u201c\u201d\"](?=\w))"
    r"|(?<=[^\W\dA-Z_])\.(?=[A-Z])"
)
# Split words kept by the tokeniser: 10,000 (spaCy's default) are fewer than a small corpus holds.
_CACHED_WORDS = 1 << 17

MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "januar februar m\u00e4rz mai juni juli oktober dezember".split()
)
_FIRST_NAMES = frozenset({"april", "may", "june", "august"})  # months that are names of people, too
# Months of languages that write them in small letters: French, Spanish, Italian, Portuguese, Russian.
_SMALL_MONTHS = frozenset(
    """janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
    janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря""".split()
)
# Small words inside names, in the languages whose names are met most in English text; "v." of court cases.
_CONNECTORS = frozenset(
    """of the de del della der den des di do dos da das du la le les el al van von zu bin ibn y e
    v v. vs""".split()
)
_BEFORE_MONTH = frozenset("in on since until till during last next early late mid".split())
# Words beyond the function words that open sentences and are no part of the name after them.
OPENERS = frozenset(
    """according additionally afterwards ahead alongside amid among apart based beginning besides born beyond
    built co commonly composed consequently currently created days despite directed due earlier early
    eventually except finally first following formerly founded generally given historically including
    initially inspired known late later lately leaving like located mainly mid nearly next nowadays
    occasionally only opened originally previously primarily prior produced recently released second
    secondly see seeing set similarly starring starting subsequently suddenly there third today together
    tomorrow tonight unlike upon usually using whenever wherever worldwide written yesterday years""".split()
)
_HONORIFICS = frozenset("mr mrs ms mx dr prof messrs".split())
_AFTER_COMMA = frozenset("jr sr".split())
_ROMAN = re.compile(r"[IVXLC]+\Z")
_YEAR = re.compile(r"(?:1[0-9]{3}|20[0-9]{2})s?\Z")
_DAY = re.compile(r"(?:[12][0-9]|3[01]|0?[1-9])\Z")
_ORDINAL = re.compile(r"[0-9]+(?:st|nd|rd|th)\Z")
_FULL_DATE = re.compile(r"[0-3]?[0-9]\.[01]?[0-9]\.[12][0-9]{3}\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SIGNS = {".": "p", ",": "c", "&": "a", "-": "h", "/": "h"} | dict.fromkeys("\u2010\u2011\u2012\u2013", "h")


def rules_tokenizer() -> Tokenizer:
    """Return spaCy's tokeniser with our rules and a vocabulary of its own.

    Without the pipeline of ``spacy.blank`` around it, which takes 29 ms to make, as long as indexing a few short
    texts, and adds nothing to the tokens.
    """
    from spacy.tokenizer import Tokenizer
    from spacy.vocab import Vocab

    return Tokenizer(
        Vocab(),
        prefix_search=_PREFIX.match,
        suffix_search=_SUFFIX.search,
        infix_finditer=_INFIX.finditer,
        max_cache_size=_CACHED_WORDS,
    )


_ENDLESS = re.compile(r"(?<!\S)\S{257,}")
_SIGN = re.compile(r"[^\w\s]")


def spacy_text(text: str) -> str:
    """Return ``text`` as spaCy can take it; every character keeps its place.

    Lone surrogates, which UTF-8 cannot hold, become replacement characters. In runs of more than 256 characters
    without white space, signs become blanks: spaCy peels them off one by one, looking at the whole rest each
    time, and 15,000 exclamation marks took it 10 s.
    """
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    return _ENDLESS.sub(lambda run: _SIGN.sub(" ", run.group()), text)


class TokenClasses(dict[int, str]):
    """One letter a token, by its number in the string store.

    ``C`` capitalised, ``B`` capitalised and likely to open a sentence, ``F`` capitalised function word,
    ``W`` "Will", ``I`` "I", ``H`` honorific, ``J`` "Jr", ``M`` month, ``A`` month that is a first name,
    ``m`` month in small letters, ``Y`` year, ``N`` day of a month, ``n`` other number, ``O`` ordinal, ``D``
    whole date, ``k`` connector, ``a`` "and", ``t`` small word before months, ``h`` hyphen, ``p`` period,
    ``c`` comma, ``o`` other sign, ``s`` white space, ``x`` other word.
    """

    def __init__(self, strings: StringStore) -> None:
        self._strings = strings

    def __missing__(self, number: int) -> str:
        letter = self[number] = classify(self._strings[number])
        return letter


def classify(token: str) -> str:
    """Return the class of a token, see :class:`TokenClasses`."""
    first = token[0]
    if not first.isalnum():
        return "s" if first.isspace() else _SIGNS.get(token, "o")
    if first.isdigit():
        return _number_class(token)
    lower = token.lower()
    if not first.isupper() and (not has_capital(token) or any(map(is_unspaced, token))):
        return _small_class(lower)
    return _capital_class(token, lower.rstrip("."))


def has_capital(token: str) -> bool:
    """Return whether any letter is a capital."""
    return has_case(token) and token.lower() != token


def _number_class(token: str) -> str:
    if _YEAR.match(token):
        return "Y"
    if _DAY.match(token):
        return "N"
    if _ORDINAL.match(token):
        return "O"
    if _FULL_DATE.match(token):
        return "D"
    if has_capital(token) and not any(map(is_unspaced, token)):
        return "C"  # 3M, 4K
    return "n" if token.isalnum() else "o"


def _small_class(lower: str) -> str:
    if lower in _CONNECTORS:
        return "k"
    if lower == "and":
        return "a"
    if lower in _BEFORE_MONTH:
        return "t"
    return "m" if lower in _SMALL_MONTHS else "x"


def _capital_class(token: str, lower: str) -> str:
    if lower in MONTHS:
        return "A" if lower in _FIRST_NAMES else "M"
    if lower in _HONORIFICS:
        return "H"
    if lower in _AFTER_COMMA:
        return "J"
    if token in ("I", "Will"):
        return token[0]
    if lower == "and":
        return "a"
    if lower in STOPWORDS and lower != "st":
        return "C" if (len(token) > 1 and _ROMAN.match(token)) or token[-1] == "." else "F"
    return "B" if lower in OPENERS else "C"
