"""What a question asks for: kind, answer type, the relations to follow, the names to choose between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hipporag_like.models.reader_words import stem
from hipporag_like.text import STOPWORDS, word_spans

QuestionKind = Literal["span", "choice", "yesno"]
AnswerType = Literal[
    "person", "place", "country", "date", "year", "number", "work", "group", "award", "other"
]

# Head nouns of "which NOUN", "what is the NOUN of", by the type of their answer.
_HEADS: dict[AnswerType, str] = {
    "person": "person man woman king queen ruler emperor leader actor actress singer rapper musician "
    "composer director author writer poet novelist painter artist founder inventor scientist "
    "astronomer physician doctor engineer architect politician president senator minister "
    "governor mayor captain admiral general player footballer athlete coach cartographer botanist "
    "printer merchant professor philosopher father mother wife husband spouse son daughter child "
    "brother sister sibling uncle aunt grandfather grandmother cousin nephew niece performer "
    "producer editor owner designer builder teacher saint pope bishop character librettist "
    "journalist comedian model star stepmother stepfather",
    "place": "place city town village location state province county district region island continent "
    "river lake mountain sea ocean reef port capital borough neighborhood suburb birthplace "
    "hometown territory municipality venue stadium street area bay coast harbour",
    "country": "country nation nationality citizenship homeland ethnicity",
    "date": "date day birthday",
    "year": "year decade century",
    "number": "number population amount percentage age height length total",
    "work": "film movie song album book novel poem play opera show series game magazine newspaper single "
    "work painting franchise episode musical sitcom anthem cartoon comic title soundtrack",
    "group": "band group company organization organisation team club label network university college "
    "school institution guild party church corporation agency league studio publisher airline "
    "station channel hospital academy manufacturer newspaper tribe",
    "award": "award prize medal honor honour",
}
TYPE_OF = {word: kind for kind, names in _HEADS.items() for word in names.split()}
_OCCUPATION = re.compile(r"(?:ist|ician|maker|keeper|founder|smith|wright)$")
_WH = re.compile(r"\b(who|whom|whose|when|where|why|how|which|what)\b", re.I)
_OPENS = re.compile(
    r"^\W*(?:(?:in|on|at|to|from|for|of|by|with|under|into|during|besides) )?"
    r"(who|whom|whose|when|where|why|how|which|what)\b",
    re.I,
)
_INSIDE = re.compile(r"\b(?:in|of|by|at|on|to|from|for) (which|what)\b", re.I)
_AUX = re.compile(r"^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.I)
_AUX_WORDS = frozenset(
    "is are was were do does did has have had can could will would be been that who whose whom which "
    "of in on at by from for with to as and or when where while".split()
)
_ARTICLES = frozenset({"the", "a", "an"})
_CHOICE_CUE = re.compile(
    r"\b(?:first|earlie[rs]t?|later|latest|last|older|oldest|younger|youngest|longer|shorter|more|most|less|"
    r"recently|sooner|bigger|larger|largest|smaller|taller|higher|better|which|who|between)\b",
    re.I,
)
_IS_THE = re.compile(r"\W*(?:is|are|was|were) (?:the |an? |his |her )?(?:name of (?:the |an? )?)?(.*)", re.I)
_MAX_OPTION = 16  # words of a name; longer runs are clauses
_MEASURE = re.compile(r"\bhow (many|much|old|long|far|tall|high|large|big|often|deep|fast)\b", re.I)


_BY_WORD: dict[str, AnswerType] = {
    "who": "person",
    "whom": "person",
    "whose": "person",
    "when": "date",
    "where": "place",
}
_BY_PATTERN: tuple[tuple[re.Pattern[str], AnswerType], ...] = (
    (_MEASURE, "number"),
    (re.compile(r"\b(?:date of|what date|which date|birthday)\b", re.I), "date"),
    (re.compile(r"\bplace of (?:birth|death|burial)\b|\bwhat place\b", re.I), "place"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken apart.

    Attributes
    ----------
    head
        The stems of the noun phrase behind the question word ("landlocked country"): what the answer is.
    """

    text: str
    kind: QuestionKind
    type: AnswerType
    head: tuple[str, ...]
    options: tuple[str, str] | None = None


def take_apart(question: str) -> Asked:
    """Return what ``question`` asks for."""
    text = question.strip()
    options = choice_options(text)
    if options is not None:
        return Asked(text, "choice", "other", (), options)
    last = re.split(r"(?<=[.!])\s+(?=[A-Z])", text)[-1]
    if (_AUX.match(text) or _AUX.match(last)) and not _OPENS.match(text) and not _asks_inside(text):
        return Asked(text, "yesno", "other", ())
    word, head = _focus(text)
    return Asked(text, "span", _answer_type(text, word, head), tuple(stem(h) for h in head))


def _asks_inside(text: str) -> bool:
    """Whether a question word with a typed noun stands inside ("..., released in which year")."""
    found = re.search(rf"{_INSIDE.pattern} (\w+)", text, re.I)
    return found is not None and found.group(2).lower() in TYPE_OF


def _focus(text: str) -> tuple[str, list[str]]:
    """Return the question word and the noun phrase that says what the answer is."""
    match = _OPENS.match(text)
    if match is not None and match.group(1).lower() == "how" and not _MEASURE.search(text):
        match = _INSIDE.search(text) or match  # "How to Cook, written in which year, ..." is a title
    if match is None:
        found = list(_WH.finditer(text))
        strong = [
            m for m in found if m.group().lower() in ("what", "which", "how") and not _relative(text, m)
        ]
        match = (strong or found)[-1] if found else None
    if match is None:
        return "", []
    word = match.group(1).lower()
    rest = text[match.end(1) :]
    if word in ("what", "which", "whose"):
        head = _noun_phrase(rest)
        if head:
            return word, head
        named = _IS_THE.match(rest)
        if named is not None and word != "whose":
            return word, _noun_phrase(named.group(1))
    return word, []


def _relative(text: str, match: re.Match[str]) -> bool:
    """Whether a question word opens a relative clause: ", which"."""
    return match.group().lower() == "which" and text[: match.start()].rstrip().endswith(",")


def _noun_phrase(rest: str) -> list[str]:
    """Return the words of meaning up to the first verb or preposition, or up to a noun of a known type."""
    phrase: list[str] = []
    for token, start, _ in word_spans(rest)[:6]:
        # "Which award the director ...", "Which country Ada Byron's father ...": the clause begins here.
        clause = token in _ARTICLES or rest[start].isupper()
        if token in _AUX_WORDS or (clause and phrase and phrase[-1] in TYPE_OF):
            break
        phrase.append(token)
        if TYPE_OF.get(token) is not None and len(phrase) > 1:
            break
    return [w for w in phrase if w not in STOPWORDS]


def _answer_type(text: str, word: str, head: list[str]) -> AnswerType:
    if word in _BY_WORD:
        return _BY_WORD[word]
    for pattern, kind in _BY_PATTERN:
        if pattern.search(text):
            return kind
    for noun in reversed(head):
        if noun in TYPE_OF:
            return TYPE_OF[noun]
        if noun.endswith("s") and noun[:-1] in TYPE_OF:
            return TYPE_OF[noun[:-1]]
    if head and _OCCUPATION.search(head[-1]):
        return "person"
    return "other"


_LAST = re.compile(r"(?:first|earlier|later|last|older|younger|longer)\Z", re.I)
_BEFORE_LAST = re.compile(r"(?:born|died|founded|released|published|formed|older|younger|the)\Z", re.I)
_OUT_OF = re.compile(r"\bout of (.{1,200}?) and (.{1,200})\Z")  # bounded, as no name is longer
_BETWEEN = re.compile(r"\b[Bb]etween (.{1,200}?) and (.{1,200}?), (?:which|who|what)\b")
# What stands before the first option. Each takes all that follows, so that none goes over a text twice.
_LEADS = (
    re.compile(
        r"^(?:which|who|what|between|of|is|was|were|did|do|does|has|have)\b.*?(?:,|: )(.*)", re.I | re.S
    ),
    re.compile(r"^(?:was|is|did|were|are|has|does)\s(.*)", re.I | re.S),
    re.compile(
        r"^.*?\b(?:first|earlier|later|older|younger|longer|recently|more|larger|oldest|youngest)\b[,:]?\s(.*)",
        re.I | re.S,
    ),
)


def choice_options(question: str) -> tuple[str, str] | None:
    """Return the two names that a question offers ("..., A or B?"); None where it offers none."""
    if not _CHOICE_CUE.search(question):
        return None
    between = _BETWEEN.search(question)
    if between is not None:
        return between.group(1).strip(), between.group(2).strip()
    out_of = _OUT_OF.search(question.rstrip().rstrip("?").rstrip())
    if out_of is not None:
        return out_of.group(1).strip(), out_of.group(2).strip()
    parts = re.split(r",? or ", question)
    if len(parts) != 2:
        return None
    first = _first_option(parts[0])
    second = _without_tail(parts[1]) if _AUX.match(question) else parts[1].rstrip().removesuffix("?")
    second = second.strip()
    if first is None or not _nameable(first) or not _nameable(second):
        return None
    return first, second


def _without_tail(text: str) -> str:
    """Return an option without what asks about it behind it: "... or B born first?" offers B."""
    end = len(text)
    while end and (text[end - 1] in "?.!" or text[end - 1].isspace()):
        end -= 1
    for word in (_LAST, _BEFORE_LAST):
        text = word.sub("", text[:end]).rstrip()
        end = len(text)
    return text


def _first_option(before: str) -> str | None:
    for lead in _LEADS:
        match = lead.match(before)
        if match is not None and _nameable(match.group(1)):
            return match.group(1).strip()
    run = re.search(r"((?:the )?[A-Z][^,]*)$", before)
    return run.group(1).strip() if run is not None else None


def _nameable(text: str) -> bool:
    """Whether a text can be an option: it opens with a capital, a digit or a quotation mark."""
    parts = text.strip().split()
    if not 0 < len(parts) <= _MAX_OPTION:
        return False
    opener = parts[1] if len(parts) > 1 and parts[0].lower() in ("the", "a", "film", "song") else parts[0]
    return opener[0].isupper() or opener[0].isdigit() or opener[0] in "\"'\u201c" or "the birth of" in text
