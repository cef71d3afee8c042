"""How well cited spans agree with gold evidence, token by token.

Intersection over union of the tokens that two sets of spans cover, as DeYoung et al. 2020 (ERASER) measure
rationales.
"""

from __future__ import annotations

from collections.abc import Sequence

from hipporag_like.errors import UsageError
from hipporag_like.eval.questions import Evidence
from hipporag_like.text import word_spans
from hipporag_like.types import Answer


def span_iou(cited: Sequence[Evidence], gold: Sequence[Evidence]) -> float:
    """Return the tokens in both, as a share of the tokens in either; in [0, 1].

    A token is a word of the document at its place (``hipporag_like.text.word_spans``), counted once however
    many spans cover it; white space and punctuation play no part. Without citations the value is 0.

    Raises
    ------
    UsageError
        ``gold`` holds no token: there is nothing to compare with.
    """
    wanted = _tokens(gold)
    if not wanted:
        raise UsageError("a question without evidence has no span score; leave it out")
    given = _tokens(cited)
    return len(given & wanted) / len(given | wanted)


def cited(answer: Answer) -> tuple[Evidence, ...]:
    """Return the citations of an answer as spans of documents instead of passages.

    Raises
    ------
    UsageError
        A citation of a passage that is not among the hits of the answer, so that its place is unknown.
    """
    offsets = {hit.passage.id: hit.passage.start for hit in answer.hits}
    spans = []
    for citation in answer.citations:
        if citation.passage_id not in offsets:
            raise UsageError(
                f"the citation of passage {citation.passage_id!r} has no place; keep that passage in the hits"
            )
        start = offsets[citation.passage_id] + citation.start
        spans.append(Evidence(citation.document_id, start, citation.quote))
    return tuple(dict.fromkeys(spans))


def _tokens(spans: Sequence[Evidence]) -> set[tuple[str, int]]:
    return {(span.document_id, span.start + start) for span in spans for _, start, _ in word_spans(span.text)}
