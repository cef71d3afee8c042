"""An answer as it comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from hipporag_like.errors import HippoRAGLikeError, LLMError
from hipporag_like.models.protocols import Reader
from hipporag_like.types import Answer, Trace

NOT_FOUND = "The passages do not hold an answer."


class AnswerStream:
    """The words of an answer piece by piece, then the answer with its citations.

    Iterate over the pieces; put together they are ``answer.text``, or ``NOT_FOUND`` where that is None.

    Parameters
    ----------
    parts
        Pieces of the answer's text, then the answer. Errors it raises go to who iterates or asks for ``answer``.

    Examples
    --------
    >>> stream = finished(Answer("Who?", "Ada Lovelace", (), 1.0, "extractive"))
    >>> list(stream), stream.answer.text
    (['Ada Lovelace'], 'Ada Lovelace')
    """

    def __init__(self, parts: Iterator[str | Answer]) -> None:
        self._parts = parts
        self._answer: Answer | None = None
        self._error: HippoRAGLikeError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._answer is not None:
            raise StopIteration
        try:
            part = next(self._parts)
        except HippoRAGLikeError as error:
            self._error = error
            raise
        if isinstance(part, str):
            return part
        self._answer = part
        if part.text is None:
            return NOT_FOUND
        raise StopIteration

    def then(self, change: Callable[[Answer], Answer]) -> AnswerStream:
        """Return the same pieces, with another answer at their end."""
        return AnswerStream(part if isinstance(part, str) else change(part) for part in self._parts)

    @property
    def answer(self) -> Answer:
        """The whole answer; waits for what is still to come.

        Raises
        ------
        LLMError
            The model failed, now or in an earlier step of the iteration.
        """
        for _ in self:
            pass
        if self._answer is None:
            raise self._error or LLMError("the answer broke off; ask again")
        return self._answer


@runtime_checkable
class Streams(Protocol):
    """A reader that gives its answers piece by piece."""

    def stream(self, question: str, trace: Trace) -> AnswerStream:
        """Return the answer as it comes in."""
        ...


def finished(answer: Answer) -> AnswerStream:
    """Return an answer that is there already, as one piece."""
    parts: list[str | Answer] = [answer] if answer.text is None else [answer.text, answer]
    return AnswerStream(iter(parts))


def streamed(reader: Reader, question: str, trace: Trace) -> AnswerStream:
    """Return a reader's answer as it comes in; in one piece where the reader knows no other way."""
    if isinstance(reader, Streams):
        return reader.stream(question, trace)
    return finished(reader.read(question, trace))
