"""The scores of one question: names, order, units, and what one wrong gold id changes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hipporag_like.eval.questions import Evidence, Question
from hipporag_like.eval.scores import DEPTH, METRICS, mean_scores, question_scores, retrieval_scores

EVIDENCE = (Evidence("a", 0, "Ada wrote notes"),)
QUESTION = Question("q", "Who?", ("Ada Lovelace", "Ada"), ("a", "c"), "bridge", 2, EVIDENCE)
RANKING = ("a", "b", "c", "d")
FIRST_AND_THIRD = (1 + 1 / 2) / (1 + 1 / math.log2(3))


def test_every_metric_worked_by_hand():
    scores = question_scores(QUESTION, RANKING, "Ada King", [Evidence("a", 0, "Ada wrote")])
    assert tuple(scores) == METRICS
    assert scores == {
        "recall@1": 50.0,
        "recall@2": 50.0,
        "recall@5": 100.0,
        "recall@10": 100.0,
        "recall@20": 100.0,
        "all_recall@5": 100.0,
        "precision@5": 40.0,
        "mrr": 1.0,
        "map": pytest.approx((1 + 2 / 3) / 2),
        "ndcg@10": pytest.approx(FIRST_AND_THIRD),
        "em": 0.0,
        "f1": pytest.approx(100 * 2 / 3),  # against "Ada": 1 of 2 and 1 of 1
        "span_iou": pytest.approx(100 * 2 / 3),
    }


def test_one_wrong_gold_id_changes_exactly_the_expected_values():
    before = question_scores(QUESTION, RANKING, "Ada", EVIDENCE)
    after = question_scores(replace(QUESTION, supporting=("a", "z")), RANKING, "Ada", EVIDENCE)
    changed = {name: (before[name], after[name]) for name in METRICS if before[name] != after[name]}
    assert changed == {
        "recall@5": (100.0, 50.0),
        "recall@10": (100.0, 50.0),
        "recall@20": (100.0, 50.0),
        "all_recall@5": (100.0, 0.0),
        "precision@5": (40.0, 20.0),
        "map": (pytest.approx(5 / 6), 0.5),
        "ndcg@10": (pytest.approx(FIRST_AND_THIRD), pytest.approx(1 / (1 + 1 / math.log2(3)))),
    }  # recall@1, recall@2 and mrr rest on a, which is still right; answers and spans on neither


def test_nothing_found_and_nothing_said_is_zero_not_missing():
    scores = question_scores(QUESTION, (), "", ())
    assert set(scores.values()) == {0.0} and tuple(scores) == METRICS


def test_what_cannot_be_judged_is_none():
    not_read = question_scores(QUESTION, RANKING)
    assert [name for name, value in not_read.items() if value is None] == ["em", "f1", "span_iou"]
    no_gold = question_scores(replace(QUESTION, supporting=(), evidence=()), RANKING, "Ada", EVIDENCE)
    assert [name for name, value in no_gold.items() if value is not None] == ["em", "f1"]


def test_only_the_first_documents_are_judged_and_repeats_take_no_place():
    ranking = [f"x{n}" for n in range(DEPTH - 1)] * 2 + ["a", "c"]
    scores = retrieval_scores(QUESTION, ranking)
    assert scores["recall@20"] == 50.0 and scores["mrr"] == 1 / DEPTH
    assert scores["map"] == pytest.approx(1 / DEPTH / 2)  # c is at 21
    assert retrieval_scores(QUESTION, [f"x{n}" for n in range(DEPTH)] + ["a"])["mrr"] == 0.0


def test_means_are_over_the_questions_that_have_the_score():
    rows = [question_scores(QUESTION, RANKING, "Ada"), question_scores(QUESTION, ("b", "a"))]
    means = mean_scores(rows)
    assert tuple(means) == METRICS
    assert means["recall@1"] == 25.0 and means["em"] == 100.0 and means["mrr"] == 0.75
    assert means["span_iou"] == 0.0  # read once, nothing cited
