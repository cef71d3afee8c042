"""Extractor ``llm``: named entities, then facts about them, by a language model.

The two steps are those of HippoRAG (Gutierrez et al. 2024, section 2.3) and HippoRAG 2 (2025, section 3.1); the
single call for both is ours and sends the passage once.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from hipporag_like.errors import EndpointDownError, LLMError
from hipporag_like.models.extraction_answer import BOTH, ENTITIES, TRIPLES, Found, reader, schema, supported
from hipporag_like.models.located import holds, places, spoken
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Prompt
from hipporag_like.models.stoppable import Stoppable
from hipporag_like.models.structured import ask, room
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import content_hash, words
from hipporag_like.types import Extraction, Passage

MOST_TOKENS = 2048  # of an answer; both papers' limit. MuSiQue's passages need 257 on average
_LEAST_TOKENS = 64  # below, an answer has no room for a handful of facts
_AHEAD = 4  # passages in flight for each call at once: a slow one at the head does not stop the others


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
        used = [ENTITIES, TRIPLES] if self._calls == 2 else [BOTH]
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
            No call would be answered. All passages before have been yielded.

        Whatever ends it early, calls that were not sent yet are given up, and those that were are waited for.
        """
        run = Stoppable(self._llm)
        window: deque[Future[Extraction]] = deque()
        width = max(1, self._llm.width)
        pool = ThreadPoolExecutor(width, thread_name_prefix="extract")
        try:
            for passage in passages:
                window.append(pool.submit(self._one, passage, run))
                if len(window) >= _AHEAD * width:
                    yield _first(window)
            while window:
                yield _first(window)
        finally:
            pool.shutdown(wait=False)  # a second interruption would have to wait for it
            run.finish(window)  # calls under way: their answers are paid for and kept

    def first_prompt(self, passage: Passage) -> Prompt:
        """Return the first call about a passage, or the only one.

        Raises
        ------
        LLMError
            The passage does not fit the model.
        """
        return self._prompt(ENTITIES if self._calls == 2 else BOTH, passage)

    def second_prompt(self, passage: Passage, entities: Sequence[str]) -> Prompt:
        """Return the second call about a passage, given what the first one found; errors as above."""
        return self._prompt(TRIPLES, passage, entities=json.dumps(list(entities), ensure_ascii=False))

    def read_entities(self, passage: Passage, answer: str) -> tuple[str, ...]:
        """Return what the second call is given after ``answer`` to the first one.

        Raises
        ------
        AnswerError
            The answer has to be repaired first.
        """
        return supported(passage, reader(ENTITIES)(answer)).entities

    def _one(self, passage: Passage, run: LLM) -> Extraction:
        try:
            return self._extraction(passage, run)
        except EndpointDownError:
            raise
        except LLMError as error:
            return Extraction(error=str(error))

    def _extraction(self, passage: Passage, run: LLM) -> Extraction:
        if not words(passage.text):
            return Extraction(sentences=tuple(sentence_spans(passage.text)))
        found = self._ask(run, self.first_prompt(passage), passage)
        if self._calls == 2 and found.entities:
            facts = self._ask(run, self.second_prompt(passage, found.entities), passage)
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
        keys = [ENTITIES, TRIPLES] if name == BOTH else [name]
        return Prompt(messages, tokens, stage=name, schema=schema(name, keys), owner=self.key(passage))

    def _ask(self, run: LLM, prompt: Prompt, passage: Passage) -> Found:
        found = ask(run, prompt, reader(prompt.stage), self._prompts, judges_cut=True)
        kept = supported(passage, found)
        counts = {
            "entities": len(found.entities) - len(kept.entities),
            "triples": len(found.triples) - len(kept.triples),
            "items": found.dropped,
            "cut": int(not found.whole),
        }
        with self._lock:
            self._counts.update(counts)
        return kept


def _first(window: deque[Future[Extraction]]) -> Extraction:
    """Take the first result; it stays in the window while it is waited for, to be seen to when that ends early."""
    extraction = window[0].result()
    window.popleft()
    return extraction
