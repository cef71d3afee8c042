"""The values that flow between the stages. Imports nothing of ours; every value is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_NAMESPACE = "default"
NO_METADATA: Mapping[str, Any] = {}

MentionKind = Literal["name", "date", "term"]
NodeKind = Literal["question", "entity", "fact", "passage"]


@dataclass(frozen=True, slots=True)
class Document:
    """What a user hands in.

    Attributes
    ----------
    text
        The whole text. Passages are exact slices of it.
    id
        Unique inside its namespace. Empty: the indexer derives one from the content, so that handing in
        the same text twice is one document.
    title
        Optional; a title names the subject of the document and becomes an entity.
    metadata
        JSON values by name; filters (``where=``) look here.
    namespace
        Documents of different namespaces share nothing: no graph, no scores, no statistics.
    """

    text: str
    id: str = ""
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrievable unit: ``document.text[start:end] == passage.text`` always holds.

    Attributes
    ----------
    id
        ``DOCUMENT_ID#ORDINAL``.
    start, end
        Character offsets in the document's text.
    """

    id: str
    document_id: str
    text: str
    start: int
    end: int
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class Mention:
    """One place in a passage where an entity is named; ``start`` and ``end`` are offsets in its text."""

    start: int
    end: int
    kind: MentionKind = "name"


@dataclass(frozen=True, slots=True)
class Triple:
    """A (subject, relation, object) fact in words."""

    subject: str
    relation: str
    object: str

    @property
    def text(self) -> str:
        """The triple as one line of text."""
        return f"{self.subject} {self.relation} {self.object}"


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor found in one passage.

    Attributes
    ----------
    sentences
        Half-open character spans, in order, covering all words of the passage.
    mentions
        Places where entities are named.
    names
        Entity names without a place in the text (an LLM may paraphrase).
    triples
        Facts in words; empty where the extractor knows none.
    error
        Why nothing could be extracted; ``None`` on success. A failed extraction is never stored as empty.
    """

    sentences: tuple[tuple[int, int], ...] = ()
    mentions: tuple[Mention, ...] = ()
    names: tuple[str, ...] = ()
    triples: tuple[Triple, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What ties entities inside one passage: a triple, or the sentence that mentions them."""

    id: int
    text: str
    passage_id: str
    entities: tuple[str, ...] = ()
    triple: Triple | None = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One node on the way from the question to a passage; ``weight`` is the walk's mass on it."""

    kind: NodeKind
    text: str
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A returned passage.

    Attributes
    ----------
    rank
        From 1.
    score
        The sum of ``signals``.
    signals
        Each signal's share of the score, by name: ``graph``, ``onward``, ``incoming``, ``dense``, ``bm25``
        (``retrieval.fuse``) and ``learned`` (``retrieval.learned``).
    path
        The best path question -> entity -> fact -> passage, for the ten best hits; empty where the graph
        had no say.
    reasons
        The clues that moved the signal ``learned`` most, strongest first, for the ten best hits: by how much the
        score would be lower if this clue were that of the middle candidate. ``docs/method.md`` says what each is.
    """

    rank: int
    score: float
    passage: Passage
    signals: Mapping[str, float] = field(default_factory=dict)
    path: tuple[PathStep, ...] = ()
    reasons: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls of a model cost; adds up.

    Attributes
    ----------
    calls
        Answered by the model, paid for.
    cached
        Answered from the journal, for nothing.
    failed
        Given up after all retries.
    retries
        Sent again after a fault of the endpoint or of the answer's form.
    input_tokens, output_tokens
        Of ``calls``, as the model counts them; an estimate where it does not say.
    """

    calls: int = 0
    cached: int = 0
    failed: int = 0
    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.cached + other.cached,
            self.failed + other.failed,
            self.retries + other.retries,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.calls - other.calls,
            self.cached - other.cached,
            self.failed - other.failed,
            self.retries - other.retries,
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Seed:
    """Weight put on an entity before the walk, and how the question led to it."""

    entity: str
    weight: float
    source: Literal["ngram", "fuzzy", "embedding", "fact"]
    matched: str = ""


@dataclass(frozen=True, slots=True)
class ScoredFact:
    """A fact the walk used; ``score`` is its mass, ``similarity`` its cosine to the question."""

    fact: Fact
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Trace:
    """The explanation of one query.

    Under a metadata filter it shows no fact and no entity that stands in no passage which the filter allows, and no
    counts of the walk, which went through the whole namespace.

    Attributes
    ----------
    outcome
        ``"ok"``; or ``"no_seeds"``: nothing in the question was found in the graph, and the method that
        answered instead is in ``method``; or ``"empty"``: nothing could be returned, say because no
        passage satisfies the filter.
    method
        The method that produced the hits.
    walk
        Counts and the error bound of the first walk: ``pushes``, ``touched``, ``residual``; and ``plain_share``,
        the part of the scores that went to dense and BM25 because the graph had little to go by.
    seconds
        Time of each stage, by name.
    usage
        What language models cost, by stage; empty where none was called.
    steps
        Of an iterative question: each retrieval with its own trace; ``hits`` are theirs put together.
    """

    question: str
    requested_method: str
    method: str
    outcome: Literal["ok", "no_seeds", "empty"]
    note: str
    seeds: tuple[Seed, ...] = ()
    facts: tuple[ScoredFact, ...] = ()
    hits: tuple[Hit, ...] = ()
    walk: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One retrieval of an iterative question.

    Attributes
    ----------
    query
        What was looked up: the question, then the thoughts.
    thought
        What the model made of the passages found so far; ``None`` where it was not asked any more.
    trace
        How the passages were found.
    """

    query: str
    thought: str | None
    trace: Trace


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim span: ``passage.text[start:end] == quote``."""

    document_id: str
    passage_id: str
    quote: str
    start: int
    end: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reader's answer.

    Attributes
    ----------
    text
        The answer; ``None`` where the passages do not hold one.
    confidence
        In [0, 1].
    usage
        What the answer cost, by stage; empty where no language model was called.
    dropped_citations
        Citations that the model gave and the passages do not hold.
    steps
        Of an iterative question: each retrieval.
    """

    question: str
    text: str | None
    citations: tuple[Citation, ...]
    confidence: float
    reader: str
    hits: tuple[Hit, ...] = ()
    usage: Mapping[str, Usage] = field(default_factory=dict)
    dropped_citations: int = 0
    steps: tuple[Step, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the passages hold an answer."""
        return self.text is not None


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be indexed, and why. ``source`` is a path, a row or a document id."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one call of ``index`` or ``delete`` did; counts are documents unless named otherwise."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    passages: int = 0
    entities: int = 0
    facts: int = 0
    embedded: int = 0
    extracted: int = 0
    snapshot: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)
