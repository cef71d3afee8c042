"""Relations between a passage's subject and what the passage says of it: how each is asked and told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Filler = Literal["name", "place", "birth", "death", "country", "group", "award", "phrase"]


@dataclass(frozen=True, slots=True)
class Relation:
    """How a relation is told.

    Attributes
    ----------
    filler
        What stands behind the cue.
    cues
        Patterns; the filler follows the match. In a pattern, ``second`` means the second name behind it.
    converse
        The relation the other way round, told in the filler's own passage.
    against
        A pattern of names that are hardly ever the filler: a queen is no father.
    """

    filler: Filler
    cues: tuple[re.Pattern[str], ...]
    second: tuple[re.Pattern[str], ...] = ()
    converse: str = ""
    against: re.Pattern[str] | None = None


def _cues(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.I) for p in patterns)


_OFFSPRING = (
    r"\b(?:son|daughter|child|children|sons|daughters|heir|heiress|offspring)\b(?: and (?:heir|heiress|successor))?,? of\b"
)
_PARENTS = r"\b(?:born|born in [^.;]{2,40}|born [^.;]{2,40}) to\b"

_FEMALE = re.compile(
    r"^(?:Queen|Princess|Lady|Duchess|Countess|Empress|Infanta|Archduchess|Mrs|Miss|Baroness|Dame|Grand Duchess|Tsarina)\b"
)
_MALE = re.compile(
    r"^(?:King|Prince|Lord|Duke|Count|Emperor|Infante|Archduke|Mr|Sir|Baron|Grand Duke|Earl|Sultan|Tsar|Pope)\b"
)

RELATIONS: dict[str, Relation] = {
    "father": Relation(
        "name",
        _cues(_OFFSPRING, r"\bfather(?:,| was| is|:)", r"\b(?:his|her|their) (?:\w+ )?father,?", _PARENTS,
              r"\bfathered by", r"\bdeath of (?:his|her) father"),
        converse="child",
        against=_FEMALE,
    ),
    "mother": Relation(
        "name",
        _cues(r"\bmother(?:,| was| is|:)", r"\b(?:his|her|their) (?:\w+ )?mother,?",
              r"\b(?:by|and) his (?:\w+ )?(?:wife|consort|mistress|concubine|queen|spouse),?", r"\bborn to (?=Queen|Princess|Lady)"),
        second=_cues(_OFFSPRING, _PARENTS),
        converse="child",
        against=_MALE,
    ),
    "spouse": Relation(
        "name",
        _cues(r"\b(?:wife|husband|widow|widower|consort|spouse|mistress)s? (?:of|to|was|is)\b", r"\bmarried(?: to)?\b(?! (?:couple|life))",
              r"\b(?:his|her) (?:\w+ )?(?:wife|husband|spouse|widow|consort),?", r"\bmarriages? (?:to|with)\b", r"\bmarrying\b",
              r"\bwed(?:ded)?\b", r"\bmarried (?:firstly|secondly|in \d+|on [^.,]{3,20}),? ?(?:to)?", r"\b(?:ex-)?(?:wife|husband),"),
        converse="spouse",
    ),
    "child": Relation(
        "name",
        _cues(r"\b(?:father|mother|parent|ancestor)s? (?:of|to)\b", r"\b(?:son|daughter|child|children|sons|daughters)(?:,| is| was| are|:| named)",
              r"\b(?:his|her|their) (?:\w+ )?(?:son|daughter|children|child)s?,?", r"\bchildren[^.]{0,30}[:,]"),
        converse="father",
    ),
    "sibling": Relation(
        "name",
        _cues(r"\b(?:brother|sister|sibling|half-brother|half-sister|twin)s? (?:of|to|was|is)\b", r"\b(?:brother|sister|sibling)s?,?(?: named)?"),
        converse="sibling",
    ),
    "grandparent": Relation("name", _cues(r"\bgrand(?:son|daughter|child) of\b", r"\bgrand(?:father|mother),?"), converse="grandchild"),
    "grandchild": Relation("name", _cues(r"\bgrand(?:father|mother) of\b", r"\bgrand(?:son|daughter),?"), converse="grandparent"),
    "director": Relation("name", _cues(r"\bdirected(?:,? [\w-]+){0,6}? by\b", r"\bdirect(?:or|ion|ing)(?: (?:by|of|is|was))?\b", r"\bfilm by\b"),
                         converse="work"),
    "composer": Relation(
        "name",
        _cues(r"\b(?:music|score|soundtrack|songs?|melody)\b[^.;]{0,50}?\b(?:by|of)\b", r"\bcompos(?:ed|er|ition|itions)\b(?:[\w ,-]{0,25}? by)?",
              r"\b(?:written|penned|co-written)\b(?:[\w ,-]{0,25})? by\b", r"\bmusic director\b", r"\b(?:song|lyrics?|opera|ballet) by\b"),
        converse="work",
    ),
    "performer": Relation(
        "name",
        _cues(r"\b(?:performed|recorded|sung|released|covered)\b(?:[\w ,-]{0,25})? by\b", r"\b(?:song|single|album|track|ballad|hit|EP)\b[^.;]{0,20}\bby\b",
              r"\b(?:singer|rapper|band|group|artist|duo|musician|singer-songwriter|guitarist|pianist|bassist)s?\b"),
        converse="work",
    ),
    "author": Relation("name", _cues(r"\b(?:written|authored|penned)\b(?:[\w ,-]{0,25})? by\b", r"\b(?:novel|book|play|poem|story|manga|opera|libretto|words) (?:by|of)\b",
                                     r"\b(?:author|writer|novelist|poet|playwright|screenwriter)\b"), converse="work"),
    "founder": Relation("name", _cues(r"\b(?:founded|established|formed|created|started|led)\b[^.;]{0,40}? by\b", r"\bfounders?\b"), converse="work"),
    "editor": Relation("name", _cues(r"\bedited by\b", r"\beditor(?:-in-chief)?\b"), converse="work"),
    "producer": Relation("name", _cues(r"\bproduced(?:,? [\w-]+){0,5}? by\b", r"\bproducers?\b"), converse="work"),
    "birth place": Relation("place", _cues(r"\bborn\b[^.;()]{0,60}?\b(?:in|at|near)\b", r"\bborn\b", r"\bnative of\b", r"\b(?:comes|came|hails|originally) from\b",
                                           r"\b(?:raised|grew up) in\b")),
    "death place": Relation("place", _cues(r"\bdie[ds]?\b[^.;()]{0,60}?\b(?:in|at|near|on)\b", r"\b(?:killed|executed|murdered|assassinated|death|drowned|fell)\b[^.;()]{0,60}?\b(?:in|at|near|of)\b",
                                           r"\blived in\b[^.;]{0,60}?\buntil\b")),
    "burial place": Relation("place", _cues(r"\b(?:buried|interred|entombed|burial|tomb|remains|grave|laid to rest)\b[^.;()]{0,60}?\b(?:in|at|near|to)\b")),
    "within": Relation("place", _cues(r"\b(?:located|situated|lies|headquartered|based|town|city|village|community|county|district|region|municipality|place|capital|"
                                      r"station|airport|river|school|university|college|company|band)\b[^.;()]{0,50}?\b(?:in|of)\b", r"\bin\b")),
    "birth date": Relation("birth", ()),
    "death date": Relation("death", ()),
    "country": Relation("country", ()),
    "school": Relation("group", _cues(r"\b(?:educated|studied|graduated?|attended|degree|alumn\w+|enrolled|student|training|trained|schooled|B\.?A|M\.?A|PhD)\b"
                                      r"(?:[^.;]{0,80}?\b(?:at|from|of|in)\b)?")),
    "employer": Relation("group", _cues(r"\b(?:work(?:s|ed|ing)|employed|professor|teach(?:es|ing)|taught|correspondent|editor|lecturer|fellow|journalist|anchor|host|staff|"
                                        r"chair|researcher|reporter|serves|served|appointed)\b(?:[^.;]{0,60}?\b(?:at|for|by|in|of|with)\b)?")),
    "award": Relation("award", _cues(r"\b(?:received|won|winner|awarded|earned|winning|recipient|appointed|honou?red|inducted|nominated|receiving)\b")),
    "cause": Relation("phrase", _cues(r"\b(?:died|dying|death)\b[^.;]{0,40}?\b(?:of|from|by|due to|in|after)\b", r"\bcause of death (?:was|is)\b", r"\bsuffer\w+ from\b")),
}

# (pattern in the question, the relations it stands for, nearest first). Order matters: compounds first.
_PARENT_IN_LAW = r"[- ]in[- ]law"
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"paternal grandfather", ("father", "father")),
    (r"maternal grandfather", ("mother", "father")),
    (r"paternal grandmother", ("father", "mother")),
    (r"maternal grandmother", ("mother", "mother")),
    (r"great-uncle|great-aunt|great-grand\w+", ("grandparent", "sibling")),
    (r"grandfather|grandmother|grandparent", ("grandparent",)),
    (r"grandson|granddaughter|grandchild", ("grandchild",)),
    (rf"(?:father|mother|parent){_PARENT_IN_LAW}", ("spouse", "father")),
    (rf"(?:son|daughter|child){_PARENT_IN_LAW}", ("child", "spouse")),
    (rf"(?:brother|sister|sibling){_PARENT_IN_LAW}", ("spouse", "sibling")),
    (r"step-?(?:mother|father)", ("father", "spouse")),
    (r"uncle|aunt", ("father", "sibling")),
    (r"co-husband|co-wife", ("spouse", "spouse")),
    (r"father|mothered|fathered", ("father",)),
    (r"mother", ("mother",)),
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
    (r"birthplace|birth place|place of birth|(?:city|town|country|state|county) of birth|where\b[^,?]{1,60}? (?:was|were) born", ("birth place",)),
    (r"place of death|deathplace|where\b[^,?]{1,60}? (?:died|dies)", ("death place",)),
    (r"(?:country|state|county|city|province|region|district|continent|island|place|town|area) "
     r"(?:where|in which|that (?:contains|includes)|containing|encompassing|which contains|with)", ("within",)),
    (r"(?:country|state|county|city|province|region|district|continent)(?= (?:of|\w+ (?:\w+ )?is|[A-Z])|\?)", ("within",)),
)  # fmt: skip
STEPS = tuple((re.compile(rf"\b(?:{p})\b", re.I), steps) for p, steps in _STEPS)

_FINALS: tuple[tuple[str, str], ...] = (
    (r"place of burial|where\b.*\bburied|burial place|interred", "burial place"),
    (r"cause of death|^why\b.*\bdie", "cause"),
    (r"place of birth|birthplace|birth place|where\b.*\bborn|in (?:which|what) \w+ .*\bborn|place .*\bborn|hometown", "birth place"),
    (r"place of death|where\b.*\bdie[ds]?|in (?:which|what) \w+ .*\bdie[ds]?\b", "death place"),
    (r"date of birth|birthday|when\b.*\bborn|(?:which|what) (?:year|date|day)\b.*\bborn|born (?:in|on) (?:what|which) (?:year|date)", "birth date"),
    (r"date of death|when\b.*\bdie[ds]?\b|(?:which|what) (?:year|date|day)\b.*\bdie[ds]?|died on which", "death date"),
    (r"nationalit|citizenship|(?:which|what) country\b.*\bfrom\b|country of origin|homeland|a citizen of", "country"),
    (r"where\b.*\b(?:study|studied|graduate|educated)|graduated? from|alma mater|(?:which|what) (?:university|school|college)\b.*\b(?:attend|study|graduate)", "school"),
    (r"where\b.*\bwork|employer|employed", "employer"),
    (r"(?:which|what)\b[\w ]{0,20} (?:award|prize|medal)", "award"),
)  # fmt: skip
FINALS = tuple((re.compile(p, re.I), name) for p, name in _FINALS)
