"""The default reader: picks a span and the sentence around it by rules and similarity, without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hipporag_like.models.protocols import Embedder
from hipporag_like.models.reader_chain import follow, read_chain, start
from hipporag_like.models.reader_compare import Verdict, choose
from hipporag_like.models.reader_evidence import gather
from hipporag_like.models.reader_features import candidates
from hipporag_like.models.reader_question import Asked, take_apart
from hipporag_like.models.reader_score import best_candidate, confidence, coverage
from hipporag_like.models.reader_trace import build_view
from hipporag_like.models.reader_view import Place, View
from hipporag_like.models.reader_yesno import judge
from hipporag_like.types import Answer, Citation, Trace

# The longest question of the development sets has 300 characters; far longer ones cost quadratic time.
MAX_QUESTION = 2000
MAX_CITATIONS = 4  # a comparison across a bridge rests on four sentences

# Confidence of comparisons and of yes or no, by how much of what they need was found: right were 98 % of the
# comparisons where all was found and about 60 % where a stand-in was used (263 questions of 2Wiki, HotpotQA).
VERDICT_BASE, VERDICT_GAIN = 0.45, 0.5
# Below this confidence the answer is "not found": 86 % of questions asked of another set's passages get none,
# and 2 % of the right answers are lost, nearly all of them of MuSiQue. At 0.12 it is 90 % and 3 %.
MIN_CONFIDENCE = 0.1


class ExtractiveReader:
    """Reader ``extractive``: expected answer type, relations followed through passages, sentence similarity.

    Parameters
    ----------
    embedder
        Called to get the model, the first time that a sentence's similarity is not in the trace.
    """

    def __init__(self, embedder: Callable[[], Embedder]) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """What ``--reader`` calls it."""
        return "extractive"

    def read(self, question: str, trace: Trace) -> Answer:
        """Return the span of the trace's hits that answers ``question``, or ``text=None``.

        Every citation is a whole sentence of a hit, verbatim; the first one holds the answer. Only the first
        2,000 characters of a question are read.
        """
        view = build_view(question[:MAX_QUESTION], trace, self._similarity)
        asked = take_apart(view.question)
        if asked.kind != "span":
            verdict = choose(view, asked) if asked.kind == "choice" else judge(view, asked.text)
            if verdict is not None:
                return self._from_verdict(question, view, verdict, trace)
            if asked.kind == "yesno":
                return self._nothing(question, trace, 0.0)
        return self._from_spans(question, view, asked, trace)

    def _similarity(self, question: str, texts: Sequence[str]) -> list[float]:
        model = self._embedder()
        vectors = model.embed(texts, "passage")
        target = model.embed([question], "query")[0]
        return [float(x) for x in vectors @ target]

    def _from_verdict(self, question: str, view: View, verdict: Verdict, trace: Trace) -> Answer:
        sure = (VERDICT_BASE + VERDICT_GAIN * verdict.sure) * coverage(view)
        if sure < MIN_CONFIDENCE or not verdict.support:
            return self._nothing(question, trace, sure)
        return Answer(
            question=question,
            text=verdict.text,
            citations=_citations(view, verdict.support),
            confidence=round(sure, 4),
            reader=self.name,
            hits=trace.hits,
        )

    def _from_spans(self, question: str, view: View, asked: Asked, trace: Trace) -> Answer:
        chain = read_chain(view, asked.head)
        states = follow(view, chain.steps, start(view, chain), guess=chain.whole)
        evidence = gather(view, asked, chain, states)
        best = best_candidate(view, candidates(evidence))
        sure = 0.0 if best is None else confidence(view, best)
        if best is None or sure < MIN_CONFIDENCE:
            return self._nothing(question, trace, sure)
        places = (best.candidate.place, *best.candidate.trail[::-1])
        return Answer(
            question=question,
            text=view.text(best.candidate.place),
            citations=_citations(view, places),
            confidence=round(sure, 4),
            reader=self.name,
            hits=trace.hits,
        )

    def _nothing(self, question: str, trace: Trace, sure: float) -> Answer:
        return Answer(question, None, (), round(sure, 4), self.name, trace.hits)


def _citations(view: View, places: Sequence[Place]) -> tuple[Citation, ...]:
    """Return the sentences around the places, each once, in order."""
    found: dict[tuple[int, int, int], Citation] = {}
    for place in places:
        number = view.number_at(place)
        where = place if number is None else view.sentences[number].place
        passage = view.passages[where.passage]
        found.setdefault(
            (where.passage, where.start, where.end),
            Citation(
                document_id=passage.document_id,
                passage_id=passage.id,
                quote=passage.text[where.start : where.end],
                start=where.start,
                end=where.end,
                title=passage.title,
            ),
        )
    return tuple(found.values())[:MAX_CITATIONS]
