"""The entities that a question names: by a language model (HippoRAG 2024, section 2.3) or by rules."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hipporag_like.models.json_answers import json_object, strings
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Prompt
from hipporag_like.models.structured import ask
from hipporag_like.text import STOPWORDS, entity_key, word_spans
from hipporag_like.types import Mention, Passage

if TYPE_CHECKING:
    from hipporag_like.models.rules import RulesExtractor

STAGE = "question_entities"
ANSWER_TOKENS = 256  # a question of MuSiQue names 5 entities at most, which take 60
MAX_ENTITIES = 32  # each costs a search of its nearest node
SCHEMA = {
    "title": "entities",
    "type": "object",
    "properties": {"entities": {"type": "array", "items": {"type": "string"}}},
    "required": ["entities"],
    "additionalProperties": False,
}
_BLANKS = " \t\n\"'([\u2018\u201c"  # and what may stand before the first word of a sentence
# Words that open a request and are capitalised only for that; function words do so as well.
_OPENERS = STOPWORDS | frozenset("name tell list give find describe explain identify state say count".split())


def entities_by_llm(llm: LLM, prompts: Prompts, question: str) -> list[str]:
    """Return the entities that a language model finds in a question, each once, in its order.

    Raises
    ------
    LLMError
        No answer could be used.
    EndpointDownError
        Every call would fail.
    """
    prompt = Prompt(prompts.fill("question_entities", question=question), ANSWER_TOKENS, STAGE, SCHEMA)
    return _distinct(ask(llm, prompt, lambda text: strings(json_object(text), "entities").kept, prompts))


def entities_by_rules(question: str) -> list[str]:
    """Return the names, dates and marked terms of a question, each once, in order of appearance.

    Examples
    --------
    >>> entities_by_rules("Which film by Ole Brandt was released after May 1951?")
    ['Ole Brandt', 'May 1951']
    """
    passage = Passage("question#0", "question", question, 0, len(question))
    mentions = next(_rules().extract([passage])).mentions
    spans = [m for m in mentions if not _joins_others(m, mentions)]
    return _distinct(_name_in(question, m) for m in spans)


_kept = threading.local()


def _rules() -> RulesExtractor:
    """Return this thread's extractor: making its pipeline takes 60 ms, and no two threads may use it at once."""
    from hipporag_like.models.rules import RulesExtractor

    if not hasattr(_kept, "rules"):
        _kept.rules = RulesExtractor()
    extractor: RulesExtractor = _kept.rules
    return extractor


def _joins_others(mention: Mention, mentions: Iterable[Mention]) -> bool:
    """Return whether a mention is "X and Y" where both were found: a question that compares names two."""
    inside = [m for m in mentions if m != mention and mention.start <= m.start and m.end <= mention.end]
    return any(m.start == mention.start for m in inside) and any(m.end == mention.end for m in inside)


def _name_in(question: str, mention: Mention) -> str:
    """Return a mention's name, without the word that opens its sentence: "May 1951" and "Will Smith" stay."""
    name = question[mention.start : mention.end]
    before = question[: mention.start].rstrip(_BLANKS)
    opens = before == "" or before[-1] in ".?!:;"
    return _without_opener(name) if opens and mention.kind != "date" else name


def _without_opener(name: str) -> str:
    spans = word_spans(name)
    if len(spans) > 1 and spans[0][0] in _OPENERS and spans[0][0] not in ("the", "a", "an"):
        return name[spans[1][1] :]
    return "" if len(spans) == 1 and spans[0][0] in _OPENERS else name


def _distinct(names: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for name in names:
        key = entity_key(name)
        if key:
            found.setdefault(key, name)
    return list(found.values())[:MAX_ENTITIES]
