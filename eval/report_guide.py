"""How to read a report, in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hipporag_like.eval.report_numbers import ALPHA

_METRICS = {
    r"recall@\d+": (
        "recall@k",
        "Of the documents that a question needs, the share that is among the first k found, in percent, as a mean "
        "over the questions. recall@5 of 80 means: of five documents needed, four are in the first five, on average.",
    ),
    r"all_recall@\d+": (
        "all_recall@k",
        "The share of questions, in percent, for which every needed document is among the first k. Stricter: a "
        "chain of facts with one link missing counts as nothing.",
    ),
    r"precision@\d+": (
        "precision@k",
        "Of the first k documents, the share that is needed, in percent. A question that needs two documents "
        "cannot reach more than 40 at k = 5, so compare systems by it, not data sets.",
    ),
    r"mrr": (
        "mrr",
        "One divided by the rank of the first needed document, as a mean: 1 if it is always first, 0.5 if second.",
    ),
    r"map": (
        "map",
        "Mean average precision, from 0 to 1: the precision at the rank of each needed document, averaged. It rewards "
        "having all of them near the top.",
    ),
    r"ndcg@\d+": (
        "ndcg@k",
        "Like recall@k, but a document counts for less the lower it stands, as a share of the best order possible, "
        "from 0 to 1.",
    ),
    r"em": (
        "em",
        "Exact match: the share of answers, in percent, that equal an accepted answer once case, punctuation and "
        "articles are taken off.",
    ),
    r"f1": (
        "f1",
        "How many words the answer and the accepted answer share, in percent, for the closest accepted answer. A "
        "right answer inside a long sentence gets some of the points.",
    ),
    r"span_iou": (
        "span_iou",
        "How well the quoted spans cover the evidence: words in both, divided by words in either, in percent.",
    ),
}

_STATISTICS = (
    (
        "95 % interval",
        "How far the mean could be off, since other questions of the same kind could have been asked: ranges made "
        "in this way hold the true mean in about 95 of 100 experiments (bootstrap). "
        "Two systems answer the same questions, so intervals that overlap do not mean that they are equal: look at "
        "the difference and its own interval.",
    ),
    (
        "p",
        "How often a difference at least this large would come up if both systems were equally good and only luck "
        "decided, question by question, which of the two did better (paired randomisation test, two-sided).",
    ),
    (
        "p corrected",
        "The same, after allowing for the number of comparisons: who compares often enough finds a small p by "
        f"luck. Holm's method, over all comparisons of the same metric in this experiment. Below {ALPHA} the "
        "difference is marked ▲ or ▼ and called beyond chance here. Above, it is not shown that the systems are "
        "equal, only that these questions cannot tell them apart.",
    ),
    (
        "bold",
        "The highest value of a column as it is shown. It is not by itself a claim: systems are compared with the "
        "baseline only, not with one another.",
    ),
    (
        "–",
        "Not measured: the questions have no known answer or evidence, nothing was read, or another system's run "
        "file does not say.",
    ),
)


def guide(metrics: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return words and what they mean: of these metrics, then of the statistics."""
    used = [
        entry
        for pattern, entry in _METRICS.items()
        if any(re.fullmatch(pattern, metric) for metric in metrics)
    ]
    zero = ("no result", "A question for which a system finds nothing counts as zero; it is not left out.")
    return (*used, zero, *_STATISTICS)
