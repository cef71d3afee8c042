"""What an answer of the extractor ``llm`` has to look like, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipporag_like.models.json_answers import Items, read_object, strings, triples
from hipporag_like.models.structured import CUT, AnswerError
from hipporag_like.text import STOPWORDS, words
from hipporag_like.types import Passage, Triple

# The prompts, which are the stages too; the first two are the lists of an answer as well.
ENTITIES = "entities"
TRIPLES = "triples"
BOTH = "entities_and_triples"
_TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
_LISTS: Mapping[str, Any] = {ENTITIES: _TEXTS, TRIPLES: {"type": "array", "items": _TEXTS}}


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer holds; ``whole`` is False where it was cut and its complete items were kept."""

    entities: tuple[str, ...] = ()
    triples: tuple[Triple, ...] = ()
    dropped: int = 0
    whole: bool = True


def schema(name: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of an answer with the lists ``keys``."""
    return {
        "title": name,
        "type": "object",
        "properties": {key: _LISTS[key] for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def reader(stage: str) -> Callable[[str], Found]:
    """Return what turns the answers of a stage into values."""

    def read(answer: str) -> Found:
        recovered = read_object(answer)
        names: Items[str] = Items((), 0)
        facts: Items[Triple] = Items((), 0)
        try:
            if stage != TRIPLES:
                names = strings(recovered.values, ENTITIES)
            if stage != ENTITIES:
                facts = triples(recovered.values, TRIPLES)
        except AnswerError:
            if recovered.whole or not names.kept:
                raise
        found = Found(names.kept, facts.kept, names.dropped + facts.dropped, recovered.whole)
        if not recovered.whole:
            raise AnswerError(CUT, found if names.kept or facts.kept else None)
        return found

    return read


def supported(passage: Passage, found: Found) -> Found:
    """Return what shares a word with the passage or its title."""
    there = {*words(passage.text), *words(passage.title)}

    def stands(name: str) -> bool:
        telling = set(words(name))
        return not there.isdisjoint(telling - STOPWORDS or telling)

    return Found(
        tuple(name for name in found.entities if stands(name)),
        tuple(t for t in found.triples if stands(t.subject) or stands(t.object)),
        found.dropped,
        found.whole,
    )
