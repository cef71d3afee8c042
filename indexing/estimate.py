"""What indexing with a language model would cost, found without calling anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from hipporag_like.config import Config
from hipporag_like.errors import IndexNotFoundError, LLMError
from hipporag_like.indexing.chunk import chunk_document
from hipporag_like.indexing.ingest import checked
from hipporag_like.models.costs import money
from hipporag_like.models.llm_extractor import LLMExtractor
from hipporag_like.models.protocols import LLM, Extractor, Message, Prompt, Reply
from hipporag_like.models.structured import AnswerError, tokens_of
from hipporag_like.store.journal import Journal
from hipporag_like.text import words
from hipporag_like.types import Document, Passage, Usage

# Indexing MuSiQue's 11,656 passages took HippoRAG 2 3.0 million tokens of answers, as its paper reports (2025):
# 257 a passage, and MuSiQue's passages have 77 words on average (of text.words; 1,890 of them measured).
OUTPUT_PER_WORD = 257 / 77
# The share of that which is the list of entities: in characters, of gpt-3.5-turbo's answers about 1,890 passages.
ENTITY_SHARE = 0.24
_AT_ONCE = 900  # passages looked up in the journal together
_NOTE = (
    "tokens of answers are assumed: {rate:.1f} a word of text, a quarter of them for entities, as HippoRAG 2 "
    "needed on MuSiQue; answers that have to be asked for again come on top{embedding}"
)


@runtime_checkable
class Knows(Protocol):
    """A model that keeps answers; ``models.cached_llm.CachedLLM`` is one."""

    def known(self, prompt: Prompt) -> Reply | None:
        """Return the kept answer to a prompt; calls nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would do and cost.

    Attributes
    ----------
    documents, passages
        Of the index as it would be afterwards.
    known
        Passages among these that are extracted already, or hold the same text as another one.
    usage
        By stage; ``cached`` are calls whose answers are kept already, ``failed`` passages that do not fit the model.
    money
        In ``currency``; None where no prices are configured for a service that has some.
    note
        What was assumed.
    """

    documents: int
    passages: int
    known: int
    usage: Mapping[str, Usage] = field(default_factory=dict)
    money: float | None = None
    currency: str = "USD"
    note: str = ""


def estimate(
    folder: Path, documents: Iterable[Document | str], config: Config, extractor: Extractor, llm: LLM | None
) -> Estimate:
    """Return what indexing ``documents`` into ``folder`` would cost; reads the journal and calls nothing.

    Parameters
    ----------
    folder
        The index; need not exist.
    documents
        As for ``indexing.build.index_documents``; those that cannot be indexed are left out.
    config
        How to cut, and the prices.
    extractor
        Any; only :class:`LLMExtractor` costs something.
    llm
        The extractor's model, which counts tokens; kept answers are known if it is a ``CachedLLM``.

    Raises
    ------
    StoreError
        The journal cannot be read.
    InputError
        Something handed in is neither a document nor a text.
    """
    given = {(d.namespace, d.id): d for d, refused in checked(documents) if not refused}
    counts = {"documents": 0, "passages": 0, "fresh": 0}
    bill = _Bill(extractor, llm)
    seen: set[str] = set()
    with ExitStack() as stack:
        journal = _open(folder)
        if journal is not None:
            stack.callback(journal.close)
        for part in _parts(_all(journal, given), config, counts):
            fresh = {key: passage for passage in part if (key := extractor.key(passage)) not in seen}
            seen |= fresh.keys()
            known = {} if journal is None else journal.extractions(extractor.fingerprint, list(fresh))
            for key in fresh.keys() - known.keys():
                counts["fresh"] += 1
                bill.add(fresh[key])
    return Estimate(
        documents=counts["documents"],
        passages=counts["passages"],
        known=counts["passages"] - counts["fresh"],
        usage=bill.usage,
        money=money(bill.usage, config.llm),
        currency=config.llm.currency,
        note=_note(config) if bill.usage else "",
    )


def _note(config: Config) -> str:
    embedding = "; embedding is not included" if config.embed.model.startswith("openai:") else ""
    return _NOTE.format(rate=OUTPUT_PER_WORD, embedding=embedding)


def _open(folder: Path) -> Journal | None:
    try:
        return Journal.open_readonly(folder)
    except IndexNotFoundError:
        return None


def _all(journal: Journal | None, given: Mapping[tuple[str, str], Document]) -> Iterator[Document]:
    """Yield the documents of the index as it would be."""
    yield from given.values()
    if journal is None:
        return
    for namespace in list(journal.namespaces()):
        for document in journal.documents(namespace):
            if (namespace, document.id) not in given:
                yield document


def _parts(documents: Iterable[Document], config: Config, counts: dict[str, int]) -> Iterator[list[Passage]]:
    """Yield the passages, some hundred at a time, and count."""
    part: list[Passage] = []
    for document in documents:
        spans = chunk_document(document.text, config.chunk)
        counts["documents"] += 1
        counts["passages"] += len(spans)
        for number, (start, end) in enumerate(spans):
            name, text = f"{document.id}#{number}", document.text[start:end]
            part.append(Passage(name, document.id, text, start, end, document.title))
        if len(part) >= _AT_ONCE:
            yield part
            part = []
    yield part


class _Bill:
    """Adds up the calls that passages need."""

    def __init__(self, extractor: Extractor, llm: LLM | None) -> None:
        self._extractor = extractor
        self._llm = llm
        self._turns: dict[Message, int] = {}  # of the worked examples, which every call repeats
        self.usage: dict[str, Usage] = {}

    def add(self, passage: Passage) -> None:
        """Add the calls of one passage."""
        if not isinstance(self._extractor, LLMExtractor) or self._llm is None or not words(passage.text):
            return
        output = OUTPUT_PER_WORD * len(words(passage.text))
        try:
            self._add_calls(self._extractor, self._llm, passage, output)
        except LLMError:
            stage = "entities" if self._extractor.calls == 2 else "entities_and_triples"
            self._spend(stage, Usage(failed=1))

    def _add_calls(self, extractor: LLMExtractor, llm: LLM, passage: Passage, output: float) -> None:
        first = extractor.first_prompt(passage)
        if extractor.calls == 1:
            self._call(llm, first, output)
            return
        listed = round(output * ENTITY_SHARE)
        answer = self._call(llm, first, listed)
        entities: tuple[str, ...] = ()
        extra = listed
        if answer is not None:
            try:
                entities = extractor.read_entities(passage, answer.text)
            except AnswerError:
                pass  # what the repaired answer lists is not known: as if there were none
            else:
                extra = 0
                if not entities:
                    return  # nothing to ask about
        self._call(llm, extractor.second_prompt(passage, entities), output * (1 - ENTITY_SHARE), extra)

    def _call(self, llm: LLM, prompt: Prompt, output: float, extra: int = 0) -> Reply | None:
        """Add one call, of ``extra`` tokens more than ``prompt`` has; return its answer where it is kept."""
        known = llm.known(prompt) if isinstance(llm, Knows) else None
        if known is not None:
            self._spend(prompt.stage, Usage(cached=1))
            return known
        *repeated, last = prompt.messages
        for message in repeated:
            if message not in self._turns:
                self._turns[message] = tokens_of(llm, [message])
        tokens = sum(self._turns[m] for m in repeated) + tokens_of(llm, [last]) + extra
        answer = min(round(output), prompt.max_tokens)
        self._spend(prompt.stage, Usage(calls=1, input_tokens=tokens, output_tokens=answer))
        return None

    def _spend(self, stage: str, usage: Usage) -> None:
        self.usage[stage] = self.usage.get(stage, Usage()) + usage
