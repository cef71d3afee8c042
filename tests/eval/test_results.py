"""Summaries: worked by hand, against the scalar tests, and what one changed gold id may change."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.config import Config
from hipporag_like.errors import InputError
from hipporag_like.eval.comparison import compare
from hipporag_like.eval.plan import Plan, System, Task
from hipporag_like.eval.questions import Question, make_dataset
from hipporag_like.eval.results import load_results, summarise, write_results
from hipporag_like.eval.scores import METRICS, question_scores
from hipporag_like.eval.significance import bootstrap_interval
from hipporag_like.eval.units import Unit
from hipporag_like.types import Document

LETTERS = "abcdefghij"
PRICED = Config.from_dict({"llm": {"model": "openai:m", "input_price": 2.0, "output_price": 10.0}})


def toy_task(name="toy", n=4, systems=(), **golds):
    documents = tuple(Document("text", letter) for letter in LETTERS)
    questions = tuple(
        Question(f"q{i}", f"{i}?", ("yes",), golds.get(f"q{i}", (LETTERS[i],)), "odd" if i % 2 else "even", 2)
        for i in range(n)
    )
    return Task(name, make_dataset(name, documents, questions), {system: {} for system in systems})


def toy_unit(task, system, rankings, answers=None, seconds=None, usage=None, memory=None):
    rows = []
    for i, question in enumerate(task.dataset.questions):
        answer = answers[i] if answers else None
        row = {"id": question.id, "type": question.type, "hops": question.hops, "ranking": list(rankings[i])}
        row |= {"scores_of_ranking": [], "answer": answer, "citations": []}
        row |= {"seconds": None if seconds is None else seconds[i]}
        rows.append({**row, **question_scores(question, rankings[i], answer)})
    return Unit(task.dataset.name, system, "key", rows, usage or {}, memory)


def summary(tasks, units, names, baseline, runs=(), config=None):
    systems = tuple(System(n, "run" if n in runs else "method", "f" if n in runs else None) for n in names)
    plan = Plan(Path("x"), tuple(tasks), systems, baseline, config or Config(), Path("x"))
    by_set = {
        task.dataset.name: {u.system: u for u in units if u.dataset == task.dataset.name} for task in tasks
    }
    return summarise(plan, by_set, {})


GOOD = ("a", "b", "c", "d")  # the gold of each question first
POOR = ("a", "xb", "", "xyzuvd")  # at ranks 1, 2, none and 6


def test_the_numbers_of_one_system_worked_by_hand():
    task = toy_task()
    usage = {"read": {"calls": 4, "input_tokens": 500_000, "output_tokens": 100_000}}
    unit = toy_unit(task, "graph", POOR, ("yes", "no", "yes", ""), (1.0, 2.0, 3.0, 6.0), usage, 321.0)
    results = summary([task], [unit], ["graph"], "graph", config=PRICED)
    row = results["results"]["toy"]["graph"]
    assert (
        row["scores"]["recall@1"] == 25.0 and row["scores"]["recall@2"] == row["scores"]["recall@5"] == 50.0
    )
    assert row["scores"]["recall@10"] == 75.0 and row["scores"]["em"] == 50.0
    assert row["scores"]["mrr"] == round((1 + 1 / 2 + 0 + 1 / 6) / 4, 4)
    assert row["scores"]["span_iou"] is None and row["intervals"]["span_iou"] is None
    assert row["per_type"]["even"] == {
        "n": 2,
        "scores": {**row["per_type"]["even"]["scores"], "recall@10": 50.0},
    }
    assert row["per_type"]["odd"]["scores"]["recall@10"] == 100.0 and row["per_hops"]["2"]["n"] == 4
    assert {k: v for k, v in row["seconds"].items() if k != "quantiles"} == {
        "mean": 3.0,
        "p50": 2.5,
        "p95": pytest.approx(5.55),
        "max": 6.0,
    }
    assert len(row["seconds"]["quantiles"]) == 101 and row["seconds"]["quantiles"][0] == 1.0
    assert (row["memory_mb"], row["money"], row["against_baseline"]) == (321.0, 2.0, None)
    dataset = results["datasets"]["toy"]
    assert (dataset["n_questions"], dataset["types"], dataset["hops"]) == (4, {"even": 2, "odd": 2}, {"2": 4})
    json.dumps(results, allow_nan=False)


def test_groups_are_in_order_numbers_by_size():
    task = toy_task(n=3)
    hops = (10, 2, 0)
    unit = toy_unit(task, "graph", GOOD)
    unit = replace(
        unit, rows=[{**row, "hops": n, "type": t} for row, n, t in zip(unit.rows, hops, "ba", strict=False)]
    )
    row = summary([task], [unit], ["graph"], "graph")["results"]["toy"]["graph"]
    assert list(row["per_hops"]) == ["2", "10"] and list(row["per_type"]) == ["a", "b"]


def test_a_run_has_no_time_no_memory_and_no_price():
    task = toy_task(systems=["theirs"])
    results = summary([task], [toy_unit(task, "theirs", GOOD)], ["theirs"], "theirs", runs=["theirs"])
    row = results["results"]["toy"]["theirs"]
    assert (row["seconds"], row["memory_mb"], row["money"]) == (None, None, None)
    assert row["scores"]["recall@1"] == 100.0 and row["scores"]["f1"] is None
    assert results["systems"]["theirs"] == {"kind": "run", "method": None, "source": "f"}


def test_tests_and_intervals_are_those_of_the_paired_comparison():
    rng = random.Random(3)
    task = toy_task("toy", 10)
    task = Task(
        "big",
        make_dataset(
            "big",
            task.dataset.documents,
            tuple(
                replace(q, id=f"{q.id}-{i}", question=f"{i}?")
                for i in range(3)
                for q in task.dataset.questions
            ),
        ),
        {},
    )
    rankings = [["".join(rng.sample(LETTERS, 8)) for _ in range(30)] for _ in range(2)]
    one, two = (
        toy_unit(task, name, ranking) for name, ranking in zip(("dense", "bm25"), rankings, strict=True)
    )
    tests = summary([task], [one, two], ["dense", "bm25"], "bm25")["results"]["big"]["dense"]
    assert list(tests["against_baseline"]) == [m for m in METRICS if m not in ("em", "f1", "span_iou")]
    for metric, test in tests["against_baseline"].items():
        expected = compare(one.rows, two.rows, metric)
        assert test["n"] == 30 and test["p"] == pytest.approx(expected.p_value)
        assert test["difference"] == pytest.approx(expected.difference, abs=1e-4)
        assert (test["low"], test["high"]) == pytest.approx((expected.low, expected.high), abs=1e-4)
        values = [row[metric] for row in one.rows]
        interval = bootstrap_interval(values, [0.0] * 30)
        assert tests["intervals"][metric] == pytest.approx(interval, abs=1e-4)


def test_correction_runs_over_all_comparisons_of_a_metric_in_the_experiment():
    tasks = [toy_task("one", 6), toy_task("two", 5)]
    units = []
    for task in tasks:
        n = len(task.dataset.questions)
        units += [
            toy_unit(task, "hybrid", [""] * n),
            toy_unit(task, "graph", LETTERS[:n]),
            toy_unit(task, "dense", [*LETTERS[:3], *[""] * (n - 3)]),
        ]
    table = summary(tasks, units, ["hybrid", "graph", "dense"], "hybrid")["results"]
    tests = {(d, s): table[d][s]["against_baseline"]["recall@1"] for d in table for s in ("graph", "dense")}
    # All of n differences of one sign: 2 of 2 ** n patterns are as far out.
    assert {key: test["p"] for key, test in tests.items()} == {
        ("one", "graph"): 2 / 64,
        ("two", "graph"): 2 / 32,
        ("one", "dense"): 2 / 8,
        ("two", "dense"): 2 / 8,
    }
    assert [test["p_corrected"] for test in tests.values()] == [4 * 2 / 64, 2 * 2 / 8, 3 * 2 / 32, 2 * 2 / 8]


def test_answers_are_compared_only_where_both_sides_answered():
    task = toy_task(systems=["theirs"])
    units = [toy_unit(task, "graph", GOOD, ("yes",) * 4), toy_unit(task, "theirs", POOR)]
    table = summary([task], units, ["graph", "theirs"], "theirs", runs=["theirs"])["results"]["toy"]
    assert table["graph"]["scores"]["em"] == 100.0 and "em" not in table["graph"]["against_baseline"]
    assert table["theirs"]["against_baseline"] is None


def test_one_changed_gold_id_changes_exactly_the_expected_values():
    """q1 has its gold at rank 2; with j instead, which was never found, each metric loses what q1 gave it."""
    tables = []
    for task in (toy_task(), toy_task(q1=("j",))):
        units = [toy_unit(task, "graph", POOR, ("yes",) * 4), toy_unit(task, "hybrid", GOOD, ("yes",) * 4)]
        tables.append(summary([task], units, ["graph", "hybrid"], "hybrid")["results"]["toy"])
    before, after = tables
    lost = {m: round(before["graph"]["scores"][m] - after["graph"]["scores"][m], 3) for m in METRICS[:-1]}
    of_rank_2 = dict.fromkeys(("recall@2", "recall@5", "recall@10", "recall@20", "all_recall@5"), 25.0)
    expected = {**of_rank_2, "precision@5": 5.0, "mrr": 0.125, "map": 0.125}
    expected["ndcg@10"] = round(1 / float(np.log2(3)) / 4, 3)
    assert lost == {m: expected.get(m, 0.0) for m in METRICS[:-1]}
    assert before["graph"]["per_type"]["even"] == after["graph"]["per_type"]["even"]
    assert before["graph"]["scores"]["em"] == after["graph"]["scores"]["em"]
    assert after["hybrid"]["scores"]["recall@1"] == 75.0  # it lost b at rank 1


def test_results_are_read_back_from_folder_or_file(tmp_path):
    task = toy_task()
    results = summary([task], [toy_unit(task, "graph", GOOD)], ["graph"], "graph")
    path = write_results(tmp_path, results)
    assert load_results(tmp_path) == load_results(path) == results


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no results at .*hipporag-like experiment DATASET"),
        ("{", "does not hold the results"),
        ('{"format": 1}', "does not hold the results"),
        ('{"format": 7, "results": {}}', "has format 7, and this version reads 1"),
    ],
)
def test_what_holds_no_results_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_results(tmp_path)
