"""The reader that asks a language model, shows it numbered passages, and checks what it cites."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from hipporag_like.errors import LLMError
from hipporag_like.models.answer_text import AnswerText
from hipporag_like.models.cited_answer import CitedAnswer, taken_apart, verify
from hipporag_like.models.numbered_passages import Fitted, fit
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.protocols import LLM, Message, Prompt, Reply
from hipporag_like.models.streaming import AnswerStream
from hipporag_like.models.structured import Adds, Remembers
from hipporag_like.text import words
from hipporag_like.types import Answer, Passage, Trace, Usage

STAGE = "read"
ATTEMPTS = 2  # a model that gives no answer is told so once
NO_ANSWER = "it holds no answer; begin with ANSWER: and the answer, or write ANSWER: NOT IN PASSAGES"
_SHOWN = 200  # characters of a reply without answer that the model is shown again
_SHOWN_TOKENS = 100  # and room for them, in any script that has two characters a token


class LLMReader:
    """Readers ``openai:MODEL``, ``transformers:PATH`` and ``scripted:FILE``.

    What the passages say is data: they are numbered and marked so that none can pose as another or as the prompt,
    and only citations whose words stand in the passage they name are kept. A model that obeys a passage's words
    all the same gives an answer as wrong as that passage; ``confidence`` does not tell, the citations do.

    Parameters
    ----------
    llm
        The model.
    prompts
        ``answer`` and ``repair`` of them.
    name
        What ``--reader`` calls it.
    answer_tokens
        Room for the answer and its citations.
    """

    def __init__(self, llm: LLM, prompts: Prompts, name: str, answer_tokens: int) -> None:
        self._llm = llm
        self._prompts = prompts
        self._name = name
        self._answer_tokens = answer_tokens

    @property
    def name(self) -> str:
        """What ``--reader`` calls it."""
        return self._name

    def read(self, question: str, trace: Trace) -> Answer:
        """Return the model's answer from the trace's hits, or one with ``text=None``.

        ``confidence`` is the share of the model's citations that the passages hold; 0 where it gave none. An
        answer whose citations were all dropped is still returned, with a confidence of 0.

        Raises
        ------
        LLMError
            The call failed, or the model gave no answer twice.
        ConfigError
            Not even one sentence fits the model's window.
        """
        return AnswerStream(self._parts(question, trace, live=False)).answer

    def stream(self, question: str, trace: Trace) -> AnswerStream:
        """Return the same as it comes in; errors come while it does."""
        return AnswerStream(self._parts(question, trace, live=True))

    def _parts(self, question: str, trace: Trace, *, live: bool) -> Iterator[str | Answer]:
        passages = [hit.passage for hit in trace.hits if words(hit.passage.text)]
        if not passages:
            yield self._answer(question, trace, None, (), {})
            return
        repair = self._prompts.fill("repair", error=NO_ANSWER)
        spare = sum(self._llm.count(m.content) for m in repair) + _SHOWN_TOKENS
        fitted = fit(
            self._llm,
            lambda block: self._prompts.fill("answer", question=question, passages=block),
            passages,
            self._answer_tokens,
            spare,
        )
        parsed, usage = yield from self._asked(fitted, repair, live)
        yield self._answer(question, trace, parsed, fitted.passages, {STAGE: usage})

    def _asked(
        self, fitted: Fitted, repair: tuple[Message, ...], live: bool
    ) -> Generator[str, None, tuple[CitedAnswer, Usage]]:
        """Yield the words of the answer and return it taken apart; ask again where there is none."""
        prompt, usage = Prompt(fitted.messages, self._answer_tokens, STAGE), Usage()
        asked: list[Prompt] = []
        while True:
            asked.append(prompt)
            text = AnswerText()
            reply = yield from self._words(prompt, text, live)
            usage += reply.usage
            parsed = taken_apart(text)
            if parsed.text != "":
                return parsed, usage
            if len(asked) == ATTEMPTS:
                break
            usage += self._note(Usage(retries=1))
            bad = Message("assistant", reply.text.strip()[:_SHOWN] or "(nothing)")
            prompt = replace(prompt, messages=(*prompt.messages, bad, *repair))
        if isinstance(self._llm, Remembers):
            self._llm.forget(asked)
        self._note(Usage(failed=1))
        raise LLMError(f"the model gave no answer in {len(asked)} attempts; ask again or use another model")

    def _words(self, prompt: Prompt, text: AnswerText, live: bool) -> Generator[str, None, Reply]:
        """Yield the words of one reply as they come and return the reply."""
        reply, came = Reply(""), False
        parts = self._llm.stream(prompt) if live else iter([self._llm.complete(prompt)])
        for part in parts:
            if isinstance(part, Reply):
                reply = part
                continue
            came = True
            yield from filter(None, [text.feed(part)])
        # Once pieces were shown, they are the answer, whatever the whole may be.
        yield from filter(None, ["" if came else text.feed(reply.text), text.close()])
        return reply

    def _note(self, usage: Usage) -> Usage:
        if isinstance(self._llm, Adds):
            self._llm.add(STAGE, usage)
        return usage

    def _answer(
        self,
        question: str,
        trace: Trace,
        parsed: CitedAnswer | None,
        passages: tuple[Passage, ...],
        usage: dict[str, Usage],
    ) -> Answer:
        if parsed is None or parsed.text is None:
            return Answer(question, None, (), 0.0, self.name, trace.hits, usage=usage, steps=trace.steps)
        verified = verify(parsed, passages)
        return Answer(
            question=question,
            text=parsed.text,
            citations=verified.citations,
            confidence=round(verified.share, 4),
            reader=self.name,
            hits=trace.hits,
            usage=usage,
            dropped_citations=verified.dropped,
            steps=trace.steps,
        )
