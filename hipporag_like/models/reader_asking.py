"""How questions ask for relations: words for the steps of a chain, and for the attribute at its end."""

from __future__ import annotations

import re

from hipporag_like.models.reader_question import AnswerType
from hipporag_like.models.reader_words import stem

_IN_LAW = r"[- ]in[- ]law"
_AREA = r"(?:country|state|county|city|province|region|district|continent)"

# (pattern in the question, the relations it stands for, nearest first). Compounds come before their parts.
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"paternal grandfather", ("father", "father")),
    (r"maternal grandfather", ("mother", "father")),
    (r"paternal grandmother", ("father", "mother")),
    (r"maternal grandmother", ("mother", "mother")),
    (r"great-uncle|great-aunt|great-grand\w+", ("grandparent", "sibling")),
    (r"grandfather|grandmother|grandparent", ("grandparent",)),
    (r"grandson|granddaughter|grandchild", ("grandchild",)),
    (rf"(?:father|parent){_IN_LAW}", ("spouse", "father")),
    (rf"mother{_IN_LAW}", ("spouse", "mother")),
    (rf"(?:son|daughter|child){_IN_LAW}", ("child", "spouse")),
    (rf"(?:brother|sister|sibling){_IN_LAW}", ("spouse", "sibling")),
    (r"step-?(?:mother|father)", ("father", "spouse")),
    (r"uncle|aunt", ("father", "sibling")),
    (r"co-husband|co-wife", ("spouse", "spouse")),
    (r"father|fathered", ("father",)),
    (r"mother|mothered", ("mother",)),
    (r"husband|wife|wives|spouse|married|marry|widow", ("spouse",)),
    (r"son|daughter|child|children|sons|daughters", ("child",)),
    (r"brother|sister|sibling|siblings", ("sibling",)),
    (r"directors?|directed", ("director",)),
    (r"composers?|composed|lyricist", ("composer",)),
    (r"performers?|performed|sang|sung|sings|singer|recorded", ("performer",)),
    (r"authors?|writers?|wrote|written", ("author",)),
    (r"founders?|founded", ("founder",)),
    (r"editors?|edited", ("editor",)),
    (r"producers?|produced", ("producer",)),
    (
        r"birthplace|birth place|place of birth|(?:city|town|country|state|county) of birth"
        r"|where\b[^,?]{1,60}? (?:was|were) born",
        ("birth place",),
    ),
    (r"place of death|deathplace|where\b[^,?]{1,60}? (?:died|dies)", ("death place",)),
    (
        rf"(?:{_AREA}|island|place|town|area) "
        r"(?:where|in which|that (?:contains|includes)|containing|encompassing|which contains|with)",
        ("within",),
    ),
    (rf"{_AREA}(?= (?:of|\w+ (?:\w+ )?is|[A-Z])|\?)", ("within",)),
)
STEPS = tuple((re.compile(rf"\b(?:{p})\b", re.I), steps) for p, steps in _STEPS)
PLACE_STEPS = frozenset({"birth place", "death place", "within"})
# Steps by which a comparison may reach what it compares: "which film's director is older".
WORK_STEPS = frozenset({"director", "composer", "performer", "author", "founder", "editor", "producer"})

_WHICH = r"(?:which|what)"
_WHEN = r"(?:year|date|day|month|decade|century)\b"
# Between two cues: bounded, so that a question that repeats the first a thousand times is read once. The longest
# question of the dev sets has 300 characters.
_GAP = ".{0,400}"
_FINALS: tuple[tuple[str, str], ...] = (
    (rf"place of burial|where\b{_GAP}\bburied|burial place|interred", "burial place"),
    (rf"cause of death|^why\b{_GAP}\bdie", "cause"),
    (
        rf"place of birth|birthplace|birth place|where\b{_GAP}\bborn|place {_GAP}\bborn|hometown"
        rf"|in {_WHICH} (?!{_WHEN})\w+ {_GAP}\bborn",
        "birth place",
    ),
    (
        rf"place of death|where\b{_GAP}\bdie[ds]?|in {_WHICH} (?!{_WHEN})\w+ {_GAP}\bdie[ds]?\b",
        "death place",
    ),
    (
        rf"date of birth|birthday|when\b{_GAP}\bborn|{_WHICH} (?:year|date|day)\b{_GAP}\bborn"
        rf"|born (?:in|on) {_WHICH} (?:year|date)",
        "birth date",
    ),
    (
        rf"date of death|when\b{_GAP}\bdie[ds]?\b|{_WHICH} (?:year|date|day)\b{_GAP}\bdie[ds]?|died on which",
        "death date",
    ),
    (
        rf"nationalit|citizenship|{_WHICH} country\b{_GAP}\bfrom\b|country of origin|homeland|a citizen of",
        "country",
    ),
    (
        rf"where\b{_GAP}\b(?:study|studied|graduate|educated)|graduated? from|alma mater"
        rf"|{_WHICH} (?:university|school|college)\b{_GAP}\b(?:attend|study|graduate)",
        "school",
    ),
    (rf"where\b{_GAP}\bwork|employer|employed", "employer"),
    (rf"{_WHICH}\b[\w ]{{0,20}} (?:award|prize|medal)", "award"),
)
# What type of answer an attribute has, where the question word alone says less ("Where did X study").
FINAL_TYPES: dict[str, AnswerType] = {
    "birth place": "place",
    "death place": "place",
    "burial place": "place",
    "birth date": "date",
    "death date": "date",
    "country": "country",
    "school": "group",
    "employer": "group",
    "award": "award",
}
FINALS = tuple((re.compile(p, re.I), name) for p, name in _FINALS)

# "Where was X born" asks for the place; "Which airport serves the place where X was born" goes on from there.
ASKS_PLACE = re.compile(
    r"^\W*(?:where (?:was|were|is|did)|what (?:is|was) (?:the )?(?:place|birthplace|birth place|hometown)"
    rf"|in {_WHICH} (?:city|town|place|country|state|village|region|island|year)?)\b|\b{_WHICH} \w+\?*$",
    re.I,
)
# Words of a question that say how it is asked, not what about; stems.
FORM = frozenset(
    stem(word)
    for word in (
        "name first last many much old year date place country nationality city town part work kind type"
    ).split()
)
# The words by which a relation is asked for; a chain that has the relation explains them; stems.
SAID_BY: dict[str, frozenset[str]] = {
    relation: frozenset(stem(word) for word in said.split())
    for relation, said in {
        "birth place": "born birth birthplace hometown",
        "birth date": "born birth birthday",
        "death place": "died death",
        "death date": "died death",
        "burial place": "buried burial interred",
        "cause": "cause died death",
        "country": "nationality citizenship citizen origin homeland",
        "school": "study studied educated graduated university school college attend alma mater",
        "employer": "work employer employed",
        "award": "award prize medal win won received earned awarded",
        "within": "located found lies situated",
    }.items()
}
