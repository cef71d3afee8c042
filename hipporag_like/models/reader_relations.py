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
        Patterns; the filler is the first name behind the match. Surer cues come first.
    second
        Patterns whose filler is the second name behind the match: "son of A and B".
    converse
        The relation the other way round, told in the filler's own passage.
    against
        Names that are hardly ever the filler: a queen is no father.
    single
        Whether a second name behind the cue is somebody else: "son of A and B" has one father.
    ahead
        Patterns whose filler is the name right ahead of the match: "A, whom she married".
    gender
        How the filler's own passage speaks of it.
    """

    filler: Filler
    cues: tuple[re.Pattern[str], ...] = ()
    second: tuple[re.Pattern[str], ...] = ()
    converse: str = ""
    against: re.Pattern[str] | None = None
    single: bool = False
    ahead: tuple[re.Pattern[str], ...] = ()
    gender: Literal["", "he", "she"] = ""


def _cues(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.I) for p in patterns)


_FEMALE = re.compile(
    r"^(?:Queen|Princess|Lady|Duchess|Countess|Empress|Infanta|Archduchess|Mrs|Miss|Baroness|Dame|Tsarina)\b"
    r"|^Grand Duchess\b"
)
_MALE = re.compile(
    r"^(?:King|Prince|Lord|Duke|Count|Emperor|Infante|Archduke|Mr|Sir|Baron|Earl|Sultan|Tsar|Pope)\b"
    r"|^Grand Duke\b"
)
_OFFSPRING = (
    r"\b(?:son|daughter|child|children|sons|daughters|heir|heiress|offspring)\b"
    r"(?: and (?:heir|heiress|successor))?,? of\b"
)
_PARENTS = r"\bborn\b[^.;]{0,60}? to\b(?! the)|\bparents (?:were|are|was|is|,|:)"
_CHILD_OF = r"['\u2019]s?(?: and [^.;]{2,30}?['\u2019]s?)? (?:[\w-]+ ){0,2}(?:son|daughter|child)\b"
_BY = r"\b(?:[\w ,-]{0,25})? by\b"  # "written, produced and directed by"

RELATIONS: dict[str, Relation] = {
    "father": Relation(
        "name",
        _cues(
            _OFFSPRING,
            r"\bfather(?:,| was| is|:)",
            r"\b(?:his|her|their) (?:\w+ )?father,?",
            _PARENTS,
            r"\bfathered by",
            r"\bdeath of (?:his|her) father",
            _OFFSPRING + r"[^.;]{3,90}? and her (?:\w+ )?husband\b",
        ),
        converse="child",
        against=_FEMALE,
        single=True,
        ahead=_cues(_CHILD_OF),
        gender="he",
    ),
    "mother": Relation(
        "name",
        _cues(
            r"\bmother(?:,| was| is|:)",
            r"\b(?:his|her|their) (?:\w+ )?mother,?",
            r"\b(?:by|and) his (?:\w+ )?(?:wife|consort|mistress|concubine|queen|spouse),?",
            r"\bborn to (?=Queen|Princess|Lady)",
        ),
        second=_cues(_OFFSPRING, _PARENTS),
        converse="child",
        against=_MALE,
        gender="she",
    ),
    "spouse": Relation(
        "name",
        _cues(
            r"\b(?:wife|husband|widow|widower|consort|spouse|mistress)s? (?:of|to|was|is)\b",
            r"\bmarried(?: to)?\b(?! (?:couple|life))",
            r"\b(?:his|her) (?:\w+ )?(?:wife|husband|spouse|widow|consort),?",
            r"\bmarriages? (?:to|with)\b",
            r"\bmarrying\b",
            r"\bwed(?:ded)?\b",
            r"\bmarried (?:firstly|secondly|in \d+|on [^.,]{3,20}),? ?(?:to)?",
            r"\b(?:ex-)?(?:wife|husband),",
            r"\b(?:and|with) (?:his |her )?(?:wife|husband)\b",
        ),
        converse="spouse",
        ahead=_cues(r",? (?:whom|who) (?:s?he |they )?(?:later |had |then |eventually )?(?:married|wed)\b"),
    ),
    "child": Relation(
        "name",
        _cues(
            r"\b(?:father|mother|parent|ancestor)s? (?:of|to)\b",
            r"\b(?:son|daughter|child|children|sons|daughters)(?:,| is| was| are|:| named)",
            r"\b(?:his|her|their) (?:\w+ )?(?:son|daughter|children|child)s?,?",
            r"\bchildren[^.]{0,30}[:,]",
        ),
        converse="father",
    ),
    "sibling": Relation(
        "name",
        _cues(
            r"\b(?:brother|sister|sibling|half-brother|half-sister|twin)s? (?:of|to|was|is)\b",
            r"\b(?:brother|sister|sibling)s?,?(?: named)?",
        ),
        converse="sibling",
    ),
    "grandparent": Relation(
        "name",
        _cues(r"\bgrand(?:son|daughter|child) of\b", r"\bgrand(?:father|mother),?"),
        converse="grandchild",
    ),
    "grandchild": Relation(
        "name",
        _cues(r"\bgrand(?:father|mother) of\b", r"\bgrand(?:son|daughter),?"),
        converse="grandparent",
    ),
    "director": Relation(
        "name",
        _cues(
            r"\bdirected(?:,? [\w-]+){0,6}? by\b",
            r"\bdirect(?:or|ion|ing)(?: (?:by|of|is|was))?\b",
            r"\bfilm by\b",
        ),
    ),
    "composer": Relation(
        "name",
        _cues(
            r"\b(?:music|score|soundtrack|songs?|melody)\b[^.;]{0,50}?\b(?:by|of)\b",
            r"\bcompos(?:ed|er|ition|itions)\b(?:[\w ,-]{0,25}? by)?",
            r"\b(?:written|penned|co-written)" + _BY,
            r"\bmusic director\b",
            r"\b(?:song|lyrics?|opera|ballet) by\b",
        ),
    ),
    "performer": Relation(
        "name",
        _cues(
            r"\b(?:performed|recorded|sung|released|covered)" + _BY,
            r"\b(?:song|single|album|track|ballad|hit|EP)\b[^.;]{0,20}\bby\b",
            r"\b(?:singer|rapper|band|group|artist|duo|musician|singer-songwriter|guitarist|pianist|bassist)s?\b",
        ),
    ),
    "author": Relation(
        "name",
        _cues(
            r"\b(?:written|authored|penned)" + _BY,
            r"\b(?:novel|book|play|poem|story|manga|opera|libretto|words) (?:by|of)\b",
            r"\b(?:author|writer|novelist|poet|playwright|screenwriter)\b",
        ),
    ),
    "founder": Relation(
        "name",
        _cues(r"\b(?:founded|established|formed|created|started|led)\b[^.;]{0,40}? by\b", r"\bfounders?\b"),
    ),
    "editor": Relation("name", _cues(r"\bedited by\b", r"\beditor(?:-in-chief)?\b")),
    "producer": Relation("name", _cues(r"\bproduced(?:,? [\w-]+){0,5}? by\b", r"\bproducers?\b")),
    "birth place": Relation(
        "place",
        _cues(
            r"\bborn\b[^.;()]{0,60}?\b(?:in|at|near)\b",
            r"\bborn\b",
            r"\bnative of\b",
            r"\b(?:comes|came|hails|originally) from\b",
            r"\b(?:raised|grew up) in\b",
        ),
    ),
    "death place": Relation(
        "place",
        _cues(
            r"\bdie[ds]?\b[^.;()]{0,60}?\b(?:in|at|near|on)\b",
            r"\b(?:killed|executed|murdered|assassinated|death|drowned|fell)\b[^.;()]{0,60}?\b(?:in|at|near|of)\b",
            r"\blived in\b[^.;]{0,60}?\buntil\b",
        ),
    ),
    "burial place": Relation(
        "place",
        _cues(
            r"\b(?:buried|interred|entombed|burial|tomb|remains|grave|laid to rest)\b[^.;()]{0,60}?"
            r"\b(?:in|at|near|to)\b"
        ),
    ),
    "within": Relation(
        "place",
        _cues(
            r"\b(?:located|situated|lies|headquartered|based|town|city|village|community|county|district|region|"
            r"municipality|place|capital|station|airport|river|school|university|college|company|band)\b"
            r"[^.;()]{0,50}?\b(?:in|of)\b",
            r"\bin\b",
        ),
    ),
    "birth date": Relation("birth"),
    "death date": Relation("death"),
    "country": Relation("country"),
    "school": Relation(
        "group",
        _cues(
            r"\b(?:educated|studied|graduated?|attended|degree|alumn\w+|enrolled|student|training|trained|schooled)\b"
            r"(?:[^.;]{0,80}?\b(?:at|from|of|in)\b)?"
        ),
    ),
    "employer": Relation(
        "group",
        _cues(
            r"\b(?:work(?:s|ed|ing)|employed|professor|teach(?:es|ing)|taught|correspondent|editor|lecturer|fellow|"
            r"journalist|anchor|host|staff|chair|researcher|reporter|serves|served|appointed)\b"
            r"(?:[^.;]{0,60}?\b(?:at|for|by|in|of|with)\b)?"
        ),
    ),
    "award": Relation(
        "award",
        _cues(
            r"\b(?:received|won|winner|awarded|earned|winning|recipient|appointed|honou?red|inducted|nominated|"
            r"receiving)\b"
        ),
    ),
    "cause": Relation(
        "phrase",
        _cues(
            r"\b(?:died|dying|death)\b[^.;]{0,40}?\b(?:of|from|by|due to|in|after)\b",
            r"\bcause of death (?:was|is)\b",
            r"\bsuffer\w+ from\b",
        ),
    ),
}
