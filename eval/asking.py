"""One question put to one method: its ranking of documents, its answer, and what both took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from hipporag_like.config import Config
from hipporag_like.errors import EndpointDownError, LLMError
from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.scores import DEPTH, question_scores
from hipporag_like.eval.spans import cited
from hipporag_like.eval.tables import Result
from hipporag_like.eval.usage import looked_up
from hipporag_like.models.protocols import Reader
from hipporag_like.types import Answer, Hit, Trace, Usage

PASSAGES = 3 * DEPTH  # a document may be cut into several passages; asked for again where three are too few


class Rag(Protocol):
    """What is evaluated; :class:`hipporag_like.HippoRAG` is one."""

    def retrieve(self, question: str, k: int = ..., *, method: str = ...) -> list[Hit]:
        """Return the ``k`` best passages."""
        ...

    def ask(self, question: str, *, method: str = ...) -> Answer:
        """Return an answer."""
        ...

    def stats(self) -> dict[str, Any]:
        """Return counts of the index."""
        ...


@runtime_checkable
class OpenReader(Protocol):
    """What shows its reader, so that passages once found can be read without finding them again."""

    @property
    def config(self) -> Config:
        """The options in force."""
        ...

    @property
    def reader(self) -> Reader:
        """What reads passages."""
        ...


def warm_up(rag: Rag, question: Question, method: str) -> Mapping[str, Usage]:
    """Ask something else and return what it cost.

    The first call loads files and compiles the walk, which is no cost of a query.
    """
    usage: Mapping[str, Usage] = {}
    with _noted([]):  # no question of the data set, so nothing is lost with it
        usage = looked_up(rag, f"first, {question.question}", PASSAGES, method).usage
    return usage


def ask_one(
    rag: Rag,
    question: Question,
    method: str,
    read: bool,
    reading: Callable[[], AbstractContextManager[None]] = nullcontext,
    errors: list[str] | None = None,
) -> Result:
    """Return what a method makes of a question, timed and scored.

    Parameters
    ----------
    read
        Also answer it, from the passages that were found where ``rag`` shows its reader.
    reading
        Entered while the passages are read.
    errors
        Takes what a language model could not do: the question then has no passages, or no answer, which counts
        as zero. Without it, that is raised.

    Raises
    ------
    EndpointDownError
        The language model answers nobody; asking on would only count zeros.
    """
    start = time.perf_counter()
    trace = Trace(question.question, method, method, "empty", "")
    with _noted(errors):
        trace = looked_up(rag, question.question, PASSAGES, method)
    seconds = time.perf_counter() - start
    ranking = _documents(rag, question.question, method, trace.hits)
    text: str | None = None
    citations: tuple[Evidence, ...] = ()
    usage = trace.usage
    if read:
        text = ""
    if read and not errors:
        with reading(), _noted(errors):
            answer = _read(rag, question.question, method, trace)
            text, citations = answer.text or "", cited(answer)
            # What retrieval asks for the second time comes from the cache; what it cost is counted above.
            usage = {**answer.usage, **usage}
    scores = question_scores(question, [document for document, _ in ranking], text, citations)
    return Result(question, ranking, seconds, text, citations, scores, usage)


@contextmanager
def _noted(errors: list[str] | None) -> Iterator[None]:
    """Take down what a language model could not do, where there is a list for it."""
    try:
        yield
    except EndpointDownError:
        raise
    except LLMError as error:
        if errors is None:
            raise
        errors.append(str(error))


def _read(rag: Rag, question: str, method: str, trace: Trace) -> Answer:
    if not isinstance(rag, OpenReader):
        return rag.ask(question, method=method)
    # The first hits of a longer list are those of a shorter one, so the reader sees what ``ask`` shows it.
    hits = trace.hits[: rag.config.read.passages]
    return rag.reader.read(question, replace(trace, hits=hits))


def _documents(rag: Rag, question: str, method: str, hits: Sequence[Hit]) -> tuple[tuple[str, float], ...]:
    """Return the ``DEPTH`` best documents, each with the score of its best passage.

    Asks for more passages where those of a few documents crowd out the others.
    """
    k = PASSAGES
    while True:
        ranking: dict[str, float] = {}
        for hit in hits:
            ranking.setdefault(hit.passage.document_id, hit.score)
        if len(ranking) >= DEPTH or len(hits) < k:
            return tuple(ranking.items())[:DEPTH]
        k *= 4
        hits = rag.retrieve(question, k, method=method)
