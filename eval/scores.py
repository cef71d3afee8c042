"""The scores of one question and their means over many; here it is decided what is in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hipporag_like.eval.answer_metrics import exact_match, token_f1
from hipporag_like.eval.questions import Question
from hipporag_like.eval.retrieval_metrics import all_recall_at_k, ndcg_at_k, recall_at_k, reciprocal_rank

RECALL_AT = (1, 2, 5, 10, 20)
DEPTH = max(RECALL_AT)  # documents of a ranking that are judged; the reciprocal rank is 0 beyond
DECIMALS = 4

Scores = Mapping[str, float | None]


def retrieval_scores(question: Question, ranking: Sequence[str]) -> dict[str, float | None]:
    """Return recalls (percent), MRR and nDCG (0 to 1) of one ranking; ``None`` where no gold is known."""
    names = [f"recall@{k}" for k in RECALL_AT] + ["all_recall@5", "mrr", "ndcg@10"]
    gold = question.supporting
    if not gold:
        return dict.fromkeys(names)
    values = [100 * recall_at_k(ranking, gold, k) for k in RECALL_AT]
    values += [
        100 * all_recall_at_k(ranking, gold, 5),
        reciprocal_rank(ranking, gold),
        ndcg_at_k(ranking, gold, 10),
    ]
    return dict(zip(names, values, strict=True))


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


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), DECIMALS) if known else None
