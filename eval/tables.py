"""What came of each question, added up to the numbers of one method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.scores import mean_scores, rounded
from hipporag_like.eval.usage import total
from hipporag_like.types import Usage


@dataclass(frozen=True, slots=True)
class Result:
    """What one method made of one question.

    Attributes
    ----------
    ranking
        (document id, score), best first.
    answer
        ``None`` where nothing was read.
    """

    question: Question
    ranking: tuple[tuple[str, float], ...]
    seconds: float
    answer: str | None
    citations: tuple[Evidence, ...]
    scores: Mapping[str, float | None]
    usage: Mapping[str, Usage]


def system_table(results: Sequence[Result], warm: Mapping[str, Usage], details: bool) -> dict[str, Any]:
    """Return the numbers of one method; see :func:`hipporag_like.eval.experiment.evaluate`.

    Parameters
    ----------
    results
        At least one.
    warm
        What the untimed first call cost.
    details
        Whether to add each question's row.
    """
    system: dict[str, Any] = dict(mean_scores([result.scores for result in results]))
    system["seconds_per_query"] = round(sum(result.seconds for result in results) / len(results), 6)
    system["per_type"] = _means_by(results, lambda result: result.question.type)
    hops = _means_by(results, lambda result: result.question.hops)
    if hops:
        system["per_hops"] = hops
    usage = total([warm, *(result.usage for result in results)])
    if usage:
        system["usage"] = usage
    if details:
        system["details"] = [_row(result) for result in results]
    return system


def _means_by(
    results: Sequence[Result], group: Callable[[Result], int] | Callable[[Result], str]
) -> dict[str, dict[str, float | None]]:
    """Return how many questions each group has and how they fared; those of group 0 or ``""`` are left out."""
    groups: dict[Any, list[Mapping[str, float | None]]] = {}
    for result in results:
        groups.setdefault(group(result), []).append(result.scores)
    table: dict[str, dict[str, float | None]] = {}
    for name in sorted(name for name in groups if name):
        means = mean_scores(groups[name])
        table[str(name)] = {"n": len(groups[name]), "recall@5": means["recall@5"], "f1": means["f1"]}
    return table


def _row(result: Result) -> dict[str, Any]:
    return {
        "id": result.question.id,
        "ranking": [document for document, _ in result.ranking],
        "scores_of_ranking": [score for _, score in result.ranking],
        "answer": result.answer,
        "citations": [
            {"document_id": span.document_id, "start": span.start, "end": span.end}
            for span in result.citations
        ],
        **rounded(result.scores),
    }
