"""An LLM's answer with its citations, and which of them the passages hold.

The form asked for is ``ANSWER: text`` (or ``ANSWER: NOT IN PASSAGES``), then lines ``[2] "exact words"``; what comes
near it is understood as well. A model's word is not believed: a citation counts where its words stand in the very
passage it names, and what is returned is the passage's own text at that place.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hipporag_like.models.answer_text import NUMBERS, QUOTES, AnswerText
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import word_spans
from hipporag_like.types import Citation, Passage

MIN_QUOTE = 4  # letters and digits; a shorter quotation stands in some passage by chance
MAX_GIVEN = 100  # citations looked at, as each costs a pass over its passage; more are dropped
_MARK = re.compile(NUMBERS)
_OPENS = re.compile(rf"[ \t:\uff1a*_-]{{0,6}}[{QUOTES}]")
_LEAD = " \t\n\r:\uff1a*_-\u2013\u2014>"
_SIGN = re.compile(f"[{QUOTES}]")
_ELLIPSIS = re.compile(r"\[?(?:\.{3,}|\u2026)\]?")
_ONE_SIGN = str.maketrans(
    {c: '"' for c in QUOTES}
    | {c: "'" for c in "\u2018\u2019"}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)


@dataclass(frozen=True, slots=True)
class Given:
    """A citation as the model gave it: the number of a passage, from 1, and words; empty for a bare mark."""

    number: int
    quote: str = ""


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """A reply taken apart.

    Attributes
    ----------
    text
        The answer; None where the reply says that the passages hold none, empty where it holds no answer at all.
    given
        The citations, each once, in order.
    """

    text: str | None
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """The citations that hold, and how many were dropped."""

    citations: tuple[Citation, ...]
    dropped: int

    @property
    def share(self) -> float:
        """Verified ones among those given, in [0, 1]; 0 where none was given."""
        return len(self.citations) / max(len(self.citations) + self.dropped, 1)


def parse(reply: str) -> CitedAnswer:
    """Return the answer and the citations in a reply; see the module's description for the form."""
    words = AnswerText()
    words.feed(reply)
    words.close()
    return taken_apart(words)


def taken_apart(words: AnswerText) -> CitedAnswer:
    """Return the answer and the citations of a reply that was read to its end."""
    text = words.text
    if text is None:
        return CitedAnswer(None, ())
    given = [Given(number, quote.strip()) for number, quote in words.quotes]
    given += _given_in(words.rest)
    given += [Given(number) for number in words.marks]
    # A bare mark says no more than a quotation from the same passage.
    quoted = {item.number for item in given if item.quote}
    kept = [item for item in given if item.quote or item.number not in quoted]
    return CitedAnswer(text, tuple(dict.fromkeys(kept)))


def _given_in(lines: str) -> Iterator[Given]:
    """Yield the citations of the lines behind an answer."""
    starts = [
        m for m in _MARK.finditer(lines) if _begins_line(lines, m.start()) or _OPENS.match(lines, m.end())
    ]
    for mark, following in zip(starts, [*starts[1:], None], strict=False):
        end = len(lines) if following is None else following.start()
        quote = _quoted(lines[mark.end() : end])
        for number in re.findall(r"\d+", mark[0]):
            yield Given(int(number), quote)


def _begins_line(text: str, at: int) -> bool:
    line = text[max(at - 12, 0) : at].rpartition("\n")[2]
    return not any(c.isalpha() or c in "[]" for c in line)


def _quoted(text: str) -> str:
    """Return the words behind a mark: what stands in quotation marks, else the line."""
    text = text.strip(_LEAD)
    line = text.partition("\n")[0]
    if not text or text[0] not in QUOTES:
        return line.strip()
    end = max(line.rfind(sign) for sign in QUOTES)
    if end <= 0:  # it goes on over the end of the line
        closing = _SIGN.search(text, 1)
        end = len(line) if closing is None else closing.start()
    return text[1:end].strip()


def verify(answer: CitedAnswer, passages: Sequence[Passage]) -> Verified:
    """Return the citations of an answer that the passages hold.

    Words are compared without regard to case, accents, white space, quotation marks, dashes and other signs. A
    quotation of fewer than 4 letters does not count. A bare mark counts where the whole answer stands in the
    passage it names; the sentence around it is cited. A quotation that stands in another passage than the one
    named is dropped, not moved: a model that mixes up its sources is not to be improved on.

    Parameters
    ----------
    answer
        Its citations name passages by their place here, from 1.
    passages
        As the model saw them.

    Returns
    -------
    Verified
        For each citation, ``passage.text[start:end] == quote``; each place once.
    """
    texts: dict[int, _Words] = {}
    found: dict[tuple[int, int, int], Citation] = {}
    dropped = len(answer.given[MAX_GIVEN:])
    for item in answer.given[:MAX_GIVEN]:
        span = None
        if 1 <= item.number <= len(passages):
            words = texts.setdefault(item.number, _Words(passages[item.number - 1].text))
            span = words.quotation(item.quote) if item.quote else words.sentence_with(answer.text or "")
        if span is None:
            dropped += 1
            continue
        found.setdefault((item.number, *span), _citation(passages[item.number - 1], *span))
    return Verified(tuple(found.values()), dropped)


def _citation(passage: Passage, start: int, end: int) -> Citation:
    return Citation(passage.document_id, passage.id, passage.text[start:end], start, end, title=passage.title)


class _Words:
    """A passage's words as one line, so that a run of words is found by one search in linear time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans = word_spans(text)
        self._places: list[int] = []
        at = 0
        for word, _, _ in self._spans:
            self._places.append(at)
            at += len(word) + 1
        self._line = " " + " ".join(word for word, _, _ in self._spans) + " "

    def quotation(self, quote: str) -> tuple[int, int] | None:
        """Return the place of a quotation; one with ellipses goes from its first part to its last."""
        whole = self._run(quote)
        if whole is None and _ELLIPSIS.search(quote):
            return self._parts([part for part in _ELLIPSIS.split(quote) if part.strip()])
        if whole is None and _SIGN.search(quote):  # what follows the quotation had quotation marks as well
            return self._run(_SIGN.split(quote)[0])
        return whole

    def _parts(self, parts: Sequence[str]) -> tuple[int, int] | None:
        start, end = -1, 0
        for part in parts:
            span = self._run(part, end)
            if span is None:
                return None
            start, end = (span[0] if start < 0 else start), span[1]
        return None if start < 0 else (start, end)

    def _run(self, quote: str, after: int = 0) -> tuple[int, int] | None:
        words = word_spans(quote)
        if sum(len(word) for word, _, _ in words) < MIN_QUOTE:
            return None
        span = self._find([word for word, _, _ in words], after)
        if span is None:
            return None
        return self._widened(span, quote[: words[0][1]].lstrip(), quote[words[-1][2] :].rstrip())

    def _find(self, words: Sequence[str], after: int = 0) -> tuple[int, int] | None:
        first = bisect_left(self._spans, after, key=lambda span: span[1]) if after else 0
        begin = self._places[first] if first < len(self._places) else len(self._line)
        place = self._line.find(" " + " ".join(words) + " ", begin)
        if place < 0 or not words:
            return None
        first = bisect_left(self._places, place)
        return self._spans[first][1], self._spans[first + len(words) - 1][2]

    def _widened(self, span: tuple[int, int], lead: str, tail: str) -> tuple[int, int]:
        """Return a place with the signs around it that were quoted too, such as the full stop."""
        start, end = span
        while lead and start and _same(self._text[start - 1], lead[-1]):
            start, lead = start - 1, lead[:-1]
        while tail and end < len(self._text) and _same(self._text[end], tail[0]):
            end, tail = end + 1, tail[1:]
        return start, end

    def sentence_with(self, answer: str) -> tuple[int, int] | None:
        """Return the sentence that holds the whole answer."""
        place = self._find([word for word, _, _ in word_spans(answer)])
        if place is None:
            return None
        for start, end in sentence_spans(self._text):
            if start <= place[0] < end:
                return start, max(end, place[1])
        return place


def _same(one: str, other: str) -> bool:
    return one.translate(_ONE_SIGN) == other.translate(_ONE_SIGN)
