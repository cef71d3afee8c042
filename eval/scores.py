"""The scores of one question and their means over many; here it is decided what is in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hipporag_like.eval.answer_metrics import exact_match, token_f1
from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.retrieval_metrics import measured
from hipporag_like.eval.spans import span_iou

RECALL_AT = (1, 2, 5, 10, 20)
DEPTH = max(RECALL_AT)  # documents of a ranking that are judged; mrr and map look no further either
DECIMALS = 4

# Names in results, what ir-measures calls them, and the factor: shares of the gold are in percent.
_RETRIEVAL = {
    **{f"recall@{k}": (f"R@{k}", 100.0) for k in RECALL_AT},
    "all_recall@5": ("R@5", 100.0),
    "precision@5": ("P@5", 100.0),
    "mrr": ("RR", 1.0),
    "map": ("AP", 1.0),
    "ndcg@10": ("nDCG@10", 1.0),
}
_MEASURES = tuple(dict.fromkeys(measure for measure, _ in _RETRIEVAL.values()))
METRICS = (*_RETRIEVAL, "em", "f1", "span_iou")  # in the order in which they are shown

Scores = Mapping[str, float | None]


def question_scores(
    question: Question,
    ranking: Sequence[str],
    answer: str | None = None,
    citations: Sequence[Evidence] = (),
) -> dict[str, float | None]:
    """Return every score of one question, by the names and in the order of ``METRICS``.

    Parameters
    ----------
    ranking
        Document ids, best first; the first ``DEPTH`` different ones are judged.
    answer
        What was answered, ``""`` where the reader found nothing; ``None`` where nothing was read.
    citations
        Spans that the answer rests on; see :func:`hipporag_like.eval.spans.cited`.

    Returns
    -------
    dict
        Recalls, ``precision@5``, ``em``, ``f1`` and ``span_iou`` in percent, ``mrr``, ``map`` and
        ``ndcg@10`` from 0 to 1; ``None`` where the question cannot be judged by it: no gold is known for it,
        or nothing was read.
    """
    return {
        **retrieval_scores(question, ranking),
        **answer_scores(question, answer),
        "span_iou": _span_score(question, answer, citations),
    }


def retrieval_scores(question: Question, ranking: Sequence[str]) -> dict[str, float | None]:
    """Return the scores of one ranking; ``None`` where no gold is known. Units: :func:`question_scores`."""
    gold = question.supporting
    if not gold:
        return dict.fromkeys(_RETRIEVAL)
    judged = list(dict.fromkeys(ranking))[:DEPTH]
    values = dict(zip(_MEASURES, measured(judged, gold, _MEASURES), strict=True))
    scores: dict[str, float | None] = {
        name: factor * values[measure] for name, (measure, factor) in _RETRIEVAL.items()
    }
    scores["all_recall@5"] = 100.0 * (values["R@5"] == 1.0)
    return scores


def answer_scores(question: Question, answer: str | None) -> dict[str, float | None]:
    """Return exact match and F1 in percent; ``None`` where nothing was read or no answer is known."""
    if answer is None or not question.answers:
        return {"em": None, "f1": None}
    return {
        "em": 100 * exact_match(answer, question.answers),
        "f1": 100 * token_f1(answer, question.answers),
    }


def mean_scores(rows: Sequence[Scores]) -> dict[str, float | None]:
    """Return the mean of each score over the rows that have it, rounded; ``None`` where none has.

    Parameters
    ----------
    rows
        Scores of one question each, all with the same names; at least one.
    """
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def rounded(scores: Scores) -> dict[str, float | None]:
    """Return the scores as they are reported: four decimals."""
    return {name: None if value is None else round(value, DECIMALS) for name, value in scores.items()}


def _span_score(question: Question, answer: str | None, citations: Sequence[Evidence]) -> float | None:
    if answer is None or not question.evidence:
        return None
    return 100 * span_iou(citations, question.evidence)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), DECIMALS) if known else None
