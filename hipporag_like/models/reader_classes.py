"""Classes of answers that are mostly no names: languages, professions, genres, by the look of their words."""

from __future__ import annotations

import re

from hipporag_like.models.reader_places import REGION
from hipporag_like.models.reader_words import stem


def _stemmed(*names: str) -> frozenset[str]:
    return frozenset(stem(n) for n in names)


# Classes whose members are mostly no names, by the nouns that ask for them.
_CLASSES: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (
        _stemmed("profession", "occupation", "job", "career", "role", "trade"),
        re.compile(r"(?:or|er|ist|ian|man|woman|vocals|lawyer|poet|nurse|cook|clerk|judge|guard)s?$"),
    ),
    (
        _stemmed("position"),
        re.compile(r"(?:er|back|forward|guard|end|wing|stop|base|field|director|president|minister|chief)$"),
    ),
    (
        _stemmed("language", "dialect", "tongue"),
        re.compile(r"^(?:[A-Z]\w+(?:ish|ese|ian|ic|an|i|ch)|Latin|Sanskrit|Hebrew|Tamil|Telugu|Urdu|Dutch|Welsh|Greek|"
                   r"German|Swahili|Yiddish|Esperanto|Zulu|Malayalam|Kannada)(?: language)?$"),
    ),
    (
        _stemmed("genre", "style"),
        re.compile(r"(?:music|rock|pop|fiction|novels?|comed(?:y|ies)|drama|jazz|metal|punk|thrillers?|folk|horror|blues|"
                   r"soul|hip hop|fantasy|western|noir|ballads?|opera|mystery|romance)$", re.I),
    ),
    (
        _stemmed("currency"),
        re.compile(r"\b(?:dollar|pound|euro|franc|mark|markka|yen|peso|rupee|rand|lira|krone|krona|real|yuan|won|ruble)s?$",
                   re.I),
    ),
    (_stemmed("state", "province"), re.compile(REGION)),
    (_stemmed("century"), re.compile(r"century$")),
    (_stemmed("decade"), re.compile(r"0s$")),
    (
        _stemmed("religion", "faith"),
        re.compile(r"(?:ism|ity|Islam|Catholic|Muslim|Jewish|Hindu|Buddhist|Sikh|Protestant|Lutheran|Anglican)$"),
    ),
)  # fmt: skip


def in_class(head: frozenset[str], name: str) -> bool:
    """Return whether a candidate is of the class that the question's noun names: a language, a profession."""
    return any(said & head and pattern.search(name) for said, pattern in _CLASSES)
