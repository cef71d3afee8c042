"""Extractor ``llm``: named entities, then facts about them, by a language model.

The two steps are those of HippoRAG (Gutierrez et al. 2024, section 2.3) and HippoRAG 2 (2025, section 3.1); the
single call for both is ours and sends the passage once.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hipporag_like.errors import EndpointDownError, LLMError
from hipporag_like.models.json_answers import Items, read_object, strings, triples
from hipporag_like.models.located import holds, places, spoken
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Prompt
from hipporag_like.models.structured import CUT, AnswerError, ask, room
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import STOPWORDS, content_hash, words
from hipporag_like.types import Extraction, Passage, Triple

MOST_TOKENS = 2048  # of an answer; both papers' limit. MuSiQue's passages need 257 on average
_LEAST_TOKENS = 64  # below, an answer has no room for a handful of facts
_AHEAD = 4  # passages in flight for each call at once: a slow one at the head does not stop the others
_ENTITIES = "entities"
_TRIPLES = "triples"
_BOTH = "entities_and_triples"
_TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
_LISTS: Mapping[str, Any] = {_ENTITIES: _TEXTS, _TRIPLES: {"type": "array", "items": _TEXTS}}


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer holds; ``whole`` is False where it was cut and its complete items were kept."""

    entities: tuple[str, ...] = ()
    triples: tuple[Triple, ...] = ()
    dropped: int = 0
    whole: bool = True


def paid_key(passage: Passage) -> str:
    """Return what the extraction of a passage by a language model is kept by: the hash of its title and text."""
    return content_hash(passage.title, passage.text)


class LLMExtractor:
    """Extractor ``llm``.

    A passage is data: it stands between marks in the prompt, and of the answer only that is kept which the passage
    or its title bears out. An entity none of whose words stands there is dropped, as is a fact with neither end
    there. Of a real model's 17,657 entities and 17,233 facts in 1,890 passages of MuSiQue (gpt-3.5-turbo) this
    drops 8 and none; asking it of both ends would drop 69 facts, most of them sound.

    Parameters
    ----------
    llm
        The model; up to ``llm.width`` passages are extracted at once.
    prompts
        What it is told.
    calls
        2: entities, then facts given them. 1: both at once.
    most_tokens
        Room for one answer.
    """

    def __init__(self, llm: LLM, prompts: Prompts, calls: int = 2, most_tokens: int = MOST_TOKENS) -> None:
        self._llm = llm
        self._prompts = prompts
        self._calls = calls
        self._most_tokens = most_tokens
        self._counts: Counter[str] = Counter(entities=0, triples=0, items=0, cut=0)
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """The model, the prompts in use, and the number of calls."""
        used = [_ENTITIES, _TRIPLES] if self._calls == 2 else [_BOTH]
        digests = [self._prompts.digest(name) for name in [*used, "repair"]]
        return f"llm:1:{content_hash(self._llm.fingerprint, str(self._most_tokens), *digests)}"

    @property
    def calls(self) -> int:
        """Calls a passage."""
        return self._calls

    @property
    def dropped(self) -> Mapping[str, int]:
        """What answers held that could not be used, and how many were cut.

        ``entities`` and ``triples`` that the passage does not bear out, ``items`` of a wrong form or given twice,
        and ``cut``: answers too long, of which the complete items were kept.
        """
        with self._lock:
            return dict(self._counts)

    def key(self, passage: Passage) -> str:
        """Return the hash of the passage's title and text."""
        return paid_key(passage)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        """Yield one extraction a passage, in order; a passage whose calls fail is an ``Extraction`` with an error.

        Raises
        ------
        EndpointDownError
            No call would be answered. All passages before have been yielded, the calls not yet begun are not made.
        """
        stop = threading.Event()
        window: deque[Future[Extraction]] = deque()
        width = max(1, self._llm.width)
        with ThreadPoolExecutor(width, thread_name_prefix="extract") as pool:
            try:
                for passage in passages:
                    window.append(pool.submit(self._one, passage, stop))
                    if len(window) >= _AHEAD * width:
                        yield window.popleft().result()
                while window:
                    yield window.popleft().result()
            finally:
                # Whatever ends this, calls under way are waited for: their answers are paid for and kept.
                stop.set()
                for future in window:
                    future.cancel()

    def first_prompt(self, passage: Passage) -> Prompt:
        """Return the first call about a passage, or the only one.

        Raises
        ------
        LLMError
            The passage does not fit the model.
        """
        return self._prompt(_ENTITIES if self._calls == 2 else _BOTH, passage)

    def second_prompt(self, passage: Passage, entities: Sequence[str]) -> Prompt:
        """Return the second call about a passage, given what the first one found; errors as above."""
        return self._prompt(_TRIPLES, passage, entities=json.dumps(list(entities), ensure_ascii=False))

    def read_entities(self, passage: Passage, answer: str) -> tuple[str, ...]:
        """Return what the second call is given after ``answer`` to the first one.

        Raises
        ------
        AnswerError
            The answer has to be repaired first.
        """
        return _supported(passage, _reader(_ENTITIES)(answer)).entities

    def _one(self, passage: Passage, stop: threading.Event) -> Extraction:
        try:
            return self._extraction(passage, stop)
        except EndpointDownError:
            raise
        except LLMError as error:
            return Extraction(error=str(error))

    def _extraction(self, passage: Passage, stop: threading.Event) -> Extraction:
        if not words(passage.text):
            return Extraction(sentences=tuple(sentence_spans(passage.text)))
        found = self._ask(self.first_prompt(passage), passage)
        if self._calls == 2 and found.entities:
            if stop.is_set():
                raise LLMError("the run was stopped before this passage was done")
            facts = self._ask(self.second_prompt(passage, found.entities), passage)
            found = Found(found.entities, facts.triples)
        text = spoken(passage.text)
        return Extraction(
            sentences=tuple(sentence_spans(passage.text)),
            mentions=tuple(places(passage.text, found.entities)),
            names=tuple(name for name in found.entities if not holds(text, name)),
            triples=found.triples,
        )

    def _prompt(self, name: str, passage: Passage, **slots: str) -> Prompt:
        messages = self._prompts.fill(name, title=passage.title, passage=passage.text, **slots)
        tokens = min(self._most_tokens, room(self._llm, messages))
        if tokens < _LEAST_TOKENS:
            raise LLMError(
                f"the passage does not fit the model's {self._llm.context} tokens; lower chunk.max_tokens, or "
                "raise llm.context_tokens if the model takes more"
            )
        keys = [_ENTITIES, _TRIPLES] if name == _BOTH else [name]
        return Prompt(messages, tokens, stage=name, schema=_schema(name, keys), owner=self.key(passage))

    def _ask(self, prompt: Prompt, passage: Passage) -> Found:
        found = ask(self._llm, prompt, _reader(prompt.stage), self._prompts, judges_cut=True)
        kept = _supported(passage, found)
        counts = {
            "entities": len(found.entities) - len(kept.entities),
            "triples": len(found.triples) - len(kept.triples),
            "items": found.dropped,
            "cut": int(not found.whole),
        }
        with self._lock:
            self._counts.update(counts)
        return kept


def _schema(name: str, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "title": name,
        "type": "object",
        "properties": {key: _LISTS[key] for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def _reader(stage: str) -> Callable[[str], Found]:
    """Return what turns the answers of a stage into values."""

    def read(answer: str) -> Found:
        recovered = read_object(answer)
        names: Items[str] = Items((), 0)
        facts: Items[Triple] = Items((), 0)
        try:
            if stage != _TRIPLES:
                names = strings(recovered.values, _ENTITIES)
            if stage != _ENTITIES:
                facts = triples(recovered.values, _TRIPLES)
        except AnswerError:
            if recovered.whole or not names.kept:
                raise
        found = Found(names.kept, facts.kept, names.dropped + facts.dropped, recovered.whole)
        if not recovered.whole:
            raise AnswerError(CUT, found if names.kept or facts.kept else None)
        return found

    return read


def _supported(passage: Passage, found: Found) -> Found:
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
