"""Retrieval metrics against numbers worked by hand, trec_eval's definitions, and properties of any ranking."""

from __future__ import annotations

import math

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.eval.retrieval_metrics import (
    all_recall_at_k,
    average_precision,
    measured,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank,
)

RANKING = ["x", "a", "y", "b", "z"]
LOG3, LOG5 = math.log2(3), math.log2(5)

WORKED = [
    # ranking, gold, k, recall, all_recall, precision, ndcg
    (RANKING, {"a", "b"}, 1, 0.0, 0.0, 0.0, 0.0),
    (RANKING, {"a", "b"}, 2, 0.5, 0.0, 0.5, (1 / LOG3) / (1 + 1 / LOG3)),
    (RANKING, {"a", "b"}, 4, 1.0, 1.0, 0.5, (1 / LOG3 + 1 / LOG5) / (1 + 1 / LOG3)),
    (RANKING, {"a", "b", "c"}, 5, 2 / 3, 0.0, 0.4, (1 / LOG3 + 1 / LOG5) / (1 + 1 / LOG3 + 0.5)),
    (["a"], {"a", "b"}, 1, 0.5, 0.0, 1.0, 1.0),  # the best that one place can do
    (["a"], {"a"}, 10, 1.0, 1.0, 0.1, 1.0),
    ([], {"a"}, 5, 0.0, 0.0, 0.0, 0.0),
    (["x", "x", "x", "a"], {"a"}, 2, 1.0, 1.0, 0.5, 1 / LOG3),  # a repeated id takes one place
    (["a", "a"], {"a", "b"}, 2, 0.5, 0.0, 0.5, 1 / (1 + 1 / LOG3)),  # and earns once
]


@pytest.mark.parametrize(("ranking", "gold", "k", "recall", "all_recall", "precision", "ndcg"), WORKED)
def test_worked_by_hand(ranking, gold, k, recall, all_recall, precision, ndcg):
    assert recall_at_k(ranking, gold, k) == pytest.approx(recall)
    assert all_recall_at_k(ranking, gold, k) == all_recall
    assert precision_at_k(ranking, gold, k) == pytest.approx(precision)
    assert ndcg_at_k(ranking, gold, k) == pytest.approx(ndcg)


@pytest.mark.parametrize(
    ("ranking", "gold", "first", "mean"),
    [
        (RANKING, {"a", "b"}, 1 / 2, (1 / 2 + 2 / 4) / 2),
        (RANKING, {"a", "b", "c"}, 1 / 2, (1 / 2 + 2 / 4) / 3),
        (["a", "b"], {"a", "b"}, 1.0, 1.0),
        (["x", "x", "a"], {"a"}, 1 / 2, 1 / 2),
        (["x"], {"a"}, 0.0, 0.0),
        ([], {"a"}, 0.0, 0.0),
    ],
)
def test_reciprocal_rank_and_average_precision_worked_by_hand(ranking, gold, first, mean):
    assert reciprocal_rank(ranking, gold) == pytest.approx(first)
    assert average_precision(ranking, gold) == pytest.approx(mean)


def test_no_gold_is_undefined_and_says_so():
    for metric in (recall_at_k, all_recall_at_k, precision_at_k, ndcg_at_k):
        with pytest.raises(UsageError, match="supporting ids"):
            metric(["a"], (), 5)
    for metric in (reciprocal_rank, average_precision):
        with pytest.raises(UsageError, match="supporting ids"):
            metric(["a"], ())


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k):
    for metric in (recall_at_k, all_recall_at_k, precision_at_k, ndcg_at_k):
        with pytest.raises(UsageError, match="at least 1"):
            metric(["a"], {"a"}, k)


def test_several_measures_at_once():
    assert measured(RANKING, {"a", "b"}, ("P@4", "R@2", "RR")) == (0.5, 0.5, 0.5)
    with pytest.raises(UsageError, match="supporting ids"):
        measured(RANKING, (), ("RR",))


def test_rankings_that_hit_at_the_same_places_are_computed_once(monkeypatch):
    """The library takes 0.4 ms a call; ten thousand questions must not call it ten thousand times."""
    calls = []
    plain = ir_measures.iter_calc
    monkeypatch.setattr(ir_measures, "iter_calc", lambda *a: calls.append(a) or plain(*a))
    measures = ("R@7", "nDCG@7")  # a pair that no other test asks for, so that nothing is cached
    values = {measured([f"{n}", "gold", f"{n}b", "more"], {"gold", "lost"}, measures) for n in range(50)}
    assert len(values) == 1 and len(calls) == 1
    assert measured(["gold", "1"], {"gold", "lost"}, measures) != values.pop() and len(calls) == 2


IDS = st.integers(0, 30).map(str)
RANKINGS = st.lists(IDS, unique=True, max_size=25)
GOLDS = st.sets(IDS, min_size=1, max_size=6)


@given(RANKINGS, GOLDS, st.integers(1, 10), st.randoms(use_true_random=False))
def test_what_comes_after_k_plays_no_part(ranking, gold, k, random):
    tail = ranking[k:]
    random.shuffle(tail)
    other = ranking[:k] + tail
    for metric in (recall_at_k, all_recall_at_k, precision_at_k, ndcg_at_k):
        assert metric(ranking, gold, k) == metric(other, gold, k)


@given(RANKINGS, GOLDS, st.integers(1, 10), st.data())
def test_one_wrong_gold_id_costs_exactly_its_share(ranking, gold, k, data):
    changed = data.draw(st.sampled_from(sorted(gold)))
    found = sum(id_ in gold for id_ in ranking[:k])
    lost = int(changed in ranking[:k])
    perturbed = (gold - {changed}) | {"not in any ranking"}
    assert recall_at_k(ranking, gold, k) == pytest.approx(found / len(gold))
    assert recall_at_k(ranking, perturbed, k) == pytest.approx((found - lost) / len(gold))
    assert precision_at_k(ranking, perturbed, k) == pytest.approx((found - lost) / k)
    assert all_recall_at_k(ranking, perturbed, k) == 0.0


@given(RANKINGS, GOLDS, st.integers(1, 10))
def test_bounds_and_growth(ranking, gold, k):
    for metric in (recall_at_k, all_recall_at_k, precision_at_k, ndcg_at_k):
        assert 0.0 <= metric(ranking, gold, k) <= 1.0 + 1e-12
    assert recall_at_k(ranking, gold, k) <= recall_at_k(ranking, gold, k + 1)
    assert all_recall_at_k(ranking, gold, k) == float(recall_at_k(ranking, gold, k) == 1.0)
    assert average_precision(ranking, gold) <= recall_at_k(ranking, gold, 25)


@given(RANKINGS, GOLDS)
def test_gold_first_is_perfect(ranking, gold):
    best = sorted(gold) + [id_ for id_ in ranking if id_ not in gold]
    assert ndcg_at_k(best, gold, 10) == pytest.approx(1.0)
    assert average_precision(best, gold) == pytest.approx(1.0)
    assert reciprocal_rank(best, gold) == 1.0


def by_definition(ranking, gold, k):
    """Return recall, precision, reciprocal rank, average precision and nDCG, each from its formula alone.

    trec_eval: P_k divides by k even where fewer were retrieved; recall_k by the number of relevant documents;
    map divides by all relevant documents, found or not; ndcg_cut_k discounts a gain of 1 at rank r by
    log2(r + 1) and divides by the same sum over the best k ranks.
    """
    ranks = [ranking.index(id_) + 1 for id_ in gold if id_ in ranking]
    within = [rank for rank in ranks if rank <= k]
    best = range(1, min(k, len(gold)) + 1)
    return {
        f"R@{k}": len(within) / len(gold),
        f"P@{k}": len(within) / k,
        "RR": 1 / min(ranks) if ranks else 0.0,
        "AP": sum(sum(other <= rank for other in ranks) / rank for rank in ranks) / len(gold),
        f"nDCG@{k}": sum(1 / math.log2(r + 1) for r in within) / sum(1 / math.log2(r + 1) for r in best),
    }


@given(RANKINGS, GOLDS, st.integers(1, 10))
def test_the_library_computes_trec_evals_definitions(ranking, gold, k):
    expected = by_definition(ranking, gold, k)
    assert measured(ranking, gold, tuple(expected)) == pytest.approx(tuple(expected.values()), abs=1e-9)
