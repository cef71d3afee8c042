"""Documents of a small world, in which much depends on one another; what the runs of equivalence and isolation share.

Few people, places and sentences: names one inside another, short forms, accents in two spellings, acronyms, titles
that collide, sentences that stand in many passages, words that are a name here and a common word there.
"""

from __future__ import annotations

import os
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.config import ChunkConfig, Config, EmbedConfig, ExtractConfig
from hipporag_like.errors import UsageError
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.protocols import TextKind
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.rag import HippoRAG
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import content_hash, words
from hipporag_like.types import Document, Extraction, Mention, Passage, Trace, Triple

# Hundreds of small files are made and removed; on a disk that takes half of the time.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
NAMES = (
    *("Kim Lee", "K. Lee", "Lee", "Kim", "Anna Berg", "A. Berg", "Berg", "Otto Lind", "Otto", "Lind"),
    *("World Health Organization", "WHO", "Oslo Lighthouse Society (OLS)", "OLS", "Lighthouse Society"),
    *(
        "Oslo",
        "New York",
        "New York City",
        "York",
        "Apollo",
        "Apollo 11",
        "Wings",
        "Up",
        "Next Mattos",
        "Mattos",
    ),
    *(
        "José Núñez",
        "Jose\u0301 Nu\u0301n\u0303ez",
        "Zdzisław Żółw",
        "Żółw",
        "北京大学",
        "北京",
        "القاهرة",
        "COVID-19",
    ),
    *("May 1911", "Berg and Lind", "The Who", "Treaty of Oslo", "O'Neill", "C++"),
)
TITLES = (
    *(
        "Kim Lee",
        "kim lee",
        "Kim Lee (film)",
        "Apollo",
        "Apollo (band)",
        "Oslo",
        "OSLO",
        "WHO",
        "Up",
        "Up (film)",
    ),
    *("", "", "", "World Health Organization", "北京大学", "José Núñez", "Berg", "The Who", "../x", "wings"),
)
TEMPLATES = (
    *(
        "{} met {} in {}.",
        "{} of {} wrote to {}.",
        "In {} the friends {} and {} sang.",
        "{} is a film by {}.",
    ),
    *("Next {} saw {}, {}'s friend.", "It was {} who told {} of {}.", "{} was born in {}.", "{}! {}? {}."),
    *(
        "Later {} left {}. There {} slept.",
        "{} founded {} with {}.",
        "The keeper of {} was {}; he died in {}.",
    ),
)
REPEATED = ("Kim Lee met Anna Berg in Oslo.", "It was raining.", "The lamp was lit by Otto Lind.")
SMALL = (
    *("The next wings are up next.", "an apollo, a berg and a mattos.", "They go up, next to wings."),
    *(
        " ".join(["next"] * 22) + ".",
        "kim lee and otto.",
        "a convex hull of a convex set; the convex hull again.",
    ),
)
SHORT = (
    "Oslo",
    "x",
    "Żółw",
    "北京",
    "WHO.",
    "...",
    "",
    " \n",
    "🙂",
    "a\u200bb",
    "C++",
    "\u202eabc\u202c def",
)
UNREADABLE = "This page is unreadable."  # the extractor of triples gives up on it
IDS = (
    *(f"d{i}" for i in range(14)),
    *("../d1", "%", "*", "a/d1", "d1#0", "a' or 1=1 --", "d_", "[d]", "d.*", "Żółw", "CON", "d1 "),
)
NAMESPACES = ("default", "a", "../a", "%", "*", "a' or 1=1 --", "_", "a/d1", ".*", "A")
METADATA: tuple[dict[str, Any], ...] = (
    *(
        {},
        {},
        {"year": 1911},
        {"year": 2001},
        {"year": "1911"},
        {"year": None},
        {"tags": ["a", "b"], "year": 1990},
    ),
    *(
        {"tags": ["b"]},
        {"%": 1, "../x": "y"},
        {"a' or 1=1 --": "*", "lang": "no"},
        {"lang": "NO"},
        {"year": True},
    ),
)
QUESTIONS = (
    *(
        "Who met {} in {}?",
        "Where was {} born?",
        "{}",
        "Who founded {} with {}?",
        "what did {} and {} have to do",
    ),
    *("Which film by the friend of {} was made in {}?", "When did the keeper of {} die?"),
)


class TriplesExtractor:
    """Capitalised runs are names, and what stands between the first and the last of a sentence relates them."""

    fingerprint = "small-world-triples:1"
    _NAME = re.compile(r"[A-ZÅÉŻ北][\w.'-]*(?: [A-ZÅÉŻ0-9][\w.'-]*)*")

    def key(self, passage: Passage) -> str:
        return content_hash(passage.title, passage.text)

    def extract(self, passages: Sequence[Passage]) -> Iterator[Extraction]:
        for passage in passages:
            if UNREADABLE in passage.text:
                yield Extraction(error="the page is unreadable")
            else:
                yield self._read(passage.text)

    def _read(self, text: str) -> Extraction:
        spans = tuple(sentence_spans(text))
        mentions, triples = [], []
        for start, end in spans:
            found = [m for m in self._NAME.finditer(text, start, end) if words(m.group())]
            mentions += [Mention(m.start(), m.end()) for m in found]
            if len(found) > 1:
                # Nothing but what the text says: a word of this extractor's own would look like a leak.
                if between := text[found[0].end() : found[-1].start()].strip(" ,.;"):
                    triples.append(Triple(found[0].group(), between, found[-1].group()))
        return Extraction(spans, tuple(mentions), (), tuple(triples))


EMBEDDED: dict[str, str] = {}  # every text embedded so far, by its hash


class RememberingEmbedder(HashingEmbedder):
    """Writes down what it embeds, for the journal knows texts by their hashes only."""

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> NDArray[np.float32]:
        EMBEDDED.update((content_hash(text), text) for text in texts)
        return super().embed(texts, kind)


EXTRACTORS = {"rules": RulesExtractor, "triples": TriplesExtractor}


def text_of(rng: random.Random) -> str:
    """Return a text: some sentences, or hardly anything."""
    if rng.random() < 0.08:
        return rng.choice(SHORT)
    sentences = []
    for _ in range(rng.randint(1, 5)):
        template = rng.choice(TEMPLATES)
        sentences.append(template.format(*(rng.choice(NAMES) for _ in range(template.count("{}")))))
    for extra, chance in ((REPEATED, 0.5), (SMALL, 0.25), ((UNREADABLE,), 0.02)):
        if rng.random() < chance:
            sentences.insert(rng.randint(0, len(sentences)), rng.choice(extra))
    return rng.choice((" ", " ", "\n\n")).join(sentences)


def document_of(rng: random.Random, document_id: str, namespace: str) -> Document:
    """Return a document; its text may be one that is refused."""
    return Document(text_of(rng), document_id, rng.choice(TITLES), rng.choice(METADATA), namespace)


def config_of(rng: random.Random) -> tuple[Config, str]:
    """Return options and the name of an extractor, drawn."""
    config = Config(
        embed=EmbedConfig(model="hashing", preset=rng.choice(("full", "light"))),
        chunk=rng.choice((ChunkConfig(), ChunkConfig(16, 8))),
        extract=ExtractConfig(mine_terms=rng.random() < 0.3),
    )
    return config, rng.choice(tuple(EXTRACTORS))


def opened(folder: Path, config: Config, extractor: str, **given: Any) -> HippoRAG:
    """Return an index folder, opened with the models of this world."""
    return HippoRAG(
        folder, config=config, embedder=RememberingEmbedder(32), extractor=EXTRACTORS[extractor](), **given
    )


def questions_of(rng: random.Random, documents: Sequence[Document], count: int) -> list[str]:
    """Return questions about documents: names and sentences of theirs, some in small letters or misspelt."""
    found = []
    sentences = [d.text[a:b] for d in documents for a, b in sentence_spans(d.text)]
    while len(found) < count:
        template = rng.choice(QUESTIONS)
        question = template.format(*(rng.choice(NAMES) for _ in range(template.count("{}"))))
        if sentences and rng.random() < 0.4:
            question = rng.choice(sentences)
        if rng.random() < 0.15:
            question = question.lower()
        if rng.random() < 0.15:
            at = rng.randrange(len(question))
            question = question[:at] + question[at + 1 :]
        if words(question):
            found.append(question)
    return found


# What is seen of an index.


def timeless(trace: Trace) -> Trace:
    """Return a trace without what the clock said."""
    return replace(trace, seconds={})


def told(ask: Any) -> Any:
    """Return what a call says, or the sentence of its error."""
    try:
        return ask()
    except UsageError as error:
        return f"{type(error).__name__}: {error}"


def exports(rag: HippoRAG, folder: Path, namespace: str | None = None) -> dict[str, bytes]:
    """Return every file of every export."""
    folder.mkdir(parents=True, exist_ok=True)
    for form in ("graphml", "json", "csv"):
        rag.export(form, folder / f"graph.{form}", namespace=namespace)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def arrays_by_namespace(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the bytes of all array files."""
    from hipporag_like.store.snapshot import open_snapshot

    with open_snapshot(folder) as snapshot:
        return {
            group: {name: path.read_bytes() for name, (path, _) in snapshot.entries(group).items()}
            for group in snapshot.groups
        }


def folded(text: str) -> str:
    """Return the letters and digits of a text in small letters, words parted by blanks."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    small = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in small).split())


def says(texts: Sequence[str], said: str) -> bool:
    """Return whether one of some folded texts holds all words of what was said."""
    wanted = folded(said).split()
    return any(all(word in text for word in wanted) for text in texts)
