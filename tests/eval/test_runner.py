"""Experiments run for real on a toy: every unit once, stopped runs gone on with, other systems' runs beside ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from hipporag_like.config import Config
from hipporag_like.errors import EndpointDownError, LLMError, UsageError
from hipporag_like.eval import runner
from hipporag_like.eval.asking import PASSAGES
from hipporag_like.eval.experiment import evaluate
from hipporag_like.eval.plan import make_plan
from hipporag_like.eval.results import load_results
from hipporag_like.eval.runner import run_experiment
from hipporag_like.eval.scores import METRICS
from hipporag_like.eval.trec import read_run
from hipporag_like.eval.units import load_unit, unit_path
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Answer

METHODS = ("graph", "dense", "bm25")
# Of q1 both needed documents, of q2 one at rank 2, of q3 nothing, of q4 no line at all.
RUN = """q1 Q0 ada 1 9.0 theirs
q1 Q0 marlow 2 8.5 theirs
q2 Q0 cleo 1 3.0 theirs
q2 Q0 arno 2 2.0 theirs
q3 Q0 thames 1 1.0 theirs
"""


@pytest.fixture
def asked(monkeypatch):
    """Counts what each index was asked: (data set, method, question)."""
    calls = Counter()
    explain = HippoRAG.explain

    def counted(self, question, k=None, *, method=None, **options):
        assert k == PASSAGES
        calls[self.path.name, method, question] += 1
        return explain(self, question, k, method=method, **options)

    def never(self, *_, **__):
        raise AssertionError("questions are read from the passages that were found")

    monkeypatch.setattr(HippoRAG, "explain", counted)
    monkeypatch.setattr(HippoRAG, "ask", never)
    return calls


@pytest.fixture
def planned(make_toy, toy_indexes, tmp_path):
    """Makes plans for the toy, in the same folder each time."""
    sets = {}

    def make(names=("toy",), **options):
        for name in names:
            if name not in sets:
                sets[name] = make_toy(name)
        options = {"methods": METHODS, "index_root": toy_indexes, **options}
        return make_plan([sets[name] for name in names], tmp_path / "out", **options)

    return make


def without_the_rest(results):
    """The results that do not depend on when and how fast they were made."""
    rows = {
        (dataset, system): {k: v for k, v in row.items() if k not in ("seconds", "memory_mb")}
        for dataset, systems in results["results"].items()
        for system, row in systems.items()
    }
    return rows, results["config"], results["systems"], results["baseline"]


def test_the_numbers_are_those_of_evaluate_and_the_answers_those_of_ask(planned, toy_indexes):
    plan = planned(baseline="bm25")
    results = run_experiment(plan)
    dataset = plan.tasks[0].dataset
    with HippoRAG(toy_indexes / "toy", read_only=True) as rag:
        expected = evaluate(rag, dataset, METHODS, read=True)["systems"]
        for method in METHODS:
            row = results["results"]["toy"][method]
            assert row["scores"] == {metric: expected[method][metric] for metric in METRICS}
            unit = load_unit(plan.folder, "toy", method, unit_key(plan, method))
            answers = [rag.ask(q.question, method=method).text or "" for q in dataset.questions]
            assert [r["answer"] for r in unit.rows] == answers and any(answers)
            for r in unit.rows:
                for span in r["citations"]:
                    text = next(d.text for d in dataset.documents if d.id == span["document_id"])
                    assert text[span["start"] : span["end"]].strip()
            assert len(row["seconds"]["quantiles"]) == 101 and row["memory_mb"] > 1 and row["money"] == 0.0
    assert load_results(plan.folder) == results
    assert results["datasets"]["toy"]["index"]["documents"] == 8
    index = results["datasets"]["toy"]["index"]
    assert (index["build_seconds"], index["peak_rss_mb"], index["money"]) == (None, None, 0.0)  # it was there


def unit_key(plan, system):
    path = unit_path(plan.folder, plan.tasks[0].dataset.name, system)
    return json.loads(path.read_text(encoding="utf-8"))["key"]


def test_every_question_is_asked_once_a_method_after_one_warm_up(planned, asked):
    run_experiment(planned(("toy", "other")))
    questions = [text for _, text, *_ in toy_questions()]
    assert asked == {
        (dataset, method, question): 1
        for dataset in ("toy", "other")
        for method in METHODS
        for question in (f"first, {questions[0]}", *questions)
    }


def toy_questions():
    """Id and text, as in conftest."""
    return (
        ("q1", "On which river is the town where Ada Byron was born?"),
        ("q2", "How long is the river on which Tilbury lies?"),
        ("q3", "Who was the teacher of Cleo Dent?"),
        ("q4", "Is the Thames longer than the Arno?"),
    )


def test_a_finished_experiment_asks_nothing_again(planned, asked):
    first = run_experiment(planned())
    asked.clear()
    told = []
    again = run_experiment(planned(), tell=told.append)
    assert not asked
    assert told == ["toy: index is there", *(f"toy, {method}: finished before" for method in METHODS)]
    assert {**again, "made": None} == {**first, "made": None}  # times and memory too: they were kept


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_run_goes_on_and_no_finished_unit_is_run_again(planned, asked, error):
    @contextmanager
    def stopping(label, total):
        def advance(steps):
            if label == "other dense" and asked["other", "dense", toy_questions()[1][1]]:
                raise error("the machine was switched off")

        yield advance

    with pytest.raises(error):
        run_experiment(planned(("toy", "other")), progress=stopping)
    before = Counter(asked)
    finished = {(d, m) for d in ("toy", "other") for m in METHODS if asked[d, m, toy_questions()[3][1]]}
    assert finished == {("toy", "graph"), ("toy", "dense"), ("toy", "bm25"), ("other", "graph")}
    assert not (planned(("toy", "other")).folder / "results.json").exists()

    resumed = run_experiment(planned(("toy", "other")))
    again = asked - before
    assert {(d, m) for d, m, _ in again} == {("other", "dense"), ("other", "bm25")}
    assert set(again.values()) == {1}
    whole = run_experiment(replace(planned(("toy", "other")), folder=planned().folder / "fresh"))
    assert without_the_rest(resumed) == without_the_rest(whole)


def test_only_what_changed_is_run_again(planned, asked, monkeypatch):
    run_experiment(planned())

    def asked_by(**options):
        asked.clear()
        run_experiment(planned(**options))
        return {method for _, method, _ in asked}

    assert asked_by(methods=("graph", "hybrid", "dense")) == {"hybrid"}
    assert asked_by(baseline="dense") == set()
    assert asked_by(limit=2) == set(METHODS)
    assert asked_by(limit=2, read=False) == set(METHODS)
    config = Config.from_dict({"embed": {"model": "hashing"}, "search": {"damping": 0.5}})
    assert asked_by(config=config) == set(METHODS)
    monkeypatch.setattr(runner, "code_digest", lambda: "other code")
    assert asked_by(config=config) == set(METHODS)


def test_a_broken_unit_is_run_again(planned, asked):
    plan = planned()
    run_experiment(plan)
    unit_path(plan.folder, "toy", "dense").write_text('{"format": 1, "key"', encoding="utf-8")
    asked.clear()
    run_experiment(plan)
    assert {method for _, method, _ in asked} == {"dense"}


class CountingEmbedder(HashingEmbedder):
    """Counts the questions it embeds."""

    def __init__(self):
        super().__init__()
        self.questions = Counter()

    def embed(self, texts, kind="passage"):
        if kind == "query":
            self.questions.update(texts)
        return super().embed(texts, kind)


def test_looking_up_embeds_every_time_and_reading_only_once(planned):
    embedder = CountingEmbedder()
    run_experiment(planned(), embedder=embedder)
    for _, question in toy_questions():
        assert (
            embedder.questions[question] == 2
        )  # graph and dense look it up; bm25 needs none, reading neither
    alone = CountingEmbedder()
    run_experiment(planned(methods=("bm25",), limit=3), embedder=alone)
    assert [alone.questions[question] for _, question in toy_questions()] == [1, 1, 1, 0]  # to read


def test_rankings_are_written_as_runs(planned):
    plan = planned()
    run_experiment(plan)
    run = read_run(plan.folder / "runs" / "toy" / "graph.run")
    unit = load_unit(plan.folder, "toy", "graph", unit_key(plan, "graph"))
    assert {row["id"]: row["ranking"] for row in unit.rows} == {
        question: [document for document, _ in ranking] for question, ranking in run.items()
    }
    imported = run_experiment(planned(runs={"again": plan.folder / "runs" / "toy" / "graph.run"}))
    mine, again = (imported["results"]["toy"][name] for name in ("graph", "again"))
    retrieval = [metric for metric in METRICS if metric not in ("em", "f1", "span_iou")]
    assert [mine["scores"][m] for m in retrieval] == [again["scores"][m] for m in retrieval]


def test_ids_that_no_run_can_hold_cost_the_run_file_only(make_toy, tmp_path, monkeypatch):
    texts = {"a b": "Ada was born in Marlow.", "c": "Marlow is a town."}
    toy = make_toy(texts=texts, questions=[("q1", "Where was Ada born?", ["Marlow"], ["a b"], "")])
    told = []
    config = Config.from_dict({"embed": {"model": "hashing"}})
    plan = make_plan([toy], tmp_path / "out", methods=["bm25"], config=config)
    results = run_experiment(plan, tell=told.append)
    assert results["results"]["toy"]["bm25"]["scores"]["recall@1"] == 100.0
    assert any("no run file is written" in message and "'a b'" in message for message in told)
    index = results["datasets"]["toy"]["index"]
    assert index["build_seconds"] > 0 and index["bytes"] > 1000 and index["peak_rss_mb"] > 1
    assert run_experiment(plan)["datasets"]["toy"]["index"] == index  # what making it took is kept
    monkeypatch.setattr(runner, "code_digest", lambda: "other code")
    assert run_experiment(plan)["datasets"]["toy"]["index"] == index  # it was looked through, and stood
    monkeypatch.setattr(HippoRAG, "index", None)
    assert run_experiment(plan)["datasets"]["toy"]["index"] == index  # it is not looked through again


@pytest.fixture
def theirs(tmp_path):
    path = tmp_path / "theirs.run"
    path.write_text(RUN, encoding="utf-8")
    return path


def test_a_run_of_another_system_is_scored_beside_ours_and_tested(planned, theirs):
    table = run_experiment(planned(runs={"theirs": theirs}, baseline="theirs"))["results"]["toy"]
    scores = table["theirs"]["scores"]
    assert scores["recall@1"] == 12.5 and scores["recall@2"] == scores["recall@5"] == 37.5
    assert scores["mrr"] == (1 + 1 / 2) / 4 and scores["em"] is None
    assert table["theirs"]["seconds"] is None and table["theirs"]["against_baseline"] is None
    test = table["graph"]["against_baseline"]["recall@5"]
    assert test["n"] == 4 and 0 < test["p"] <= test["p_corrected"] <= 1
    assert test["difference"] == pytest.approx(table["graph"]["scores"]["recall@5"] - 37.5, abs=1e-3)
    assert test["low"] <= test["difference"] <= test["high"]
    assert list(table["graph"]["against_baseline"]) == [
        m for m in METRICS if m not in ("em", "f1", "span_iou")
    ]


def test_runs_alone_need_neither_index_nor_embedder(make_toy, tmp_path, theirs):
    config = Config.from_dict({"embed": {"model": "there/is-no-such-model"}})
    plan = make_plan([make_toy()], tmp_path / "out", methods=[], runs={"theirs": theirs}, config=config)
    results = run_experiment(plan)
    assert results["datasets"]["toy"]["index"] is None and not (tmp_path / "out" / "indexes").exists()


def test_a_changed_gold_id_changes_the_values_of_its_question_only(make_toy, tmp_path, theirs):
    tables = []
    for name, gold in (("toy", ["ada", "marlow"]), ("changed", ["ada", "vienna"])):
        questions = [
            (i, q, ["x"], ["cleo"] if i != "q1" else gold, "t" if i == "q1" else "u")
            for i, q in toy_questions()
        ]
        plan = make_plan(
            [make_toy(name, questions=questions)], tmp_path / name, methods=[], runs={"theirs": theirs}
        )
        tables.append(run_experiment(plan)["results"][name]["theirs"])
    before, after = tables
    moved = {m for m in METRICS if before["scores"][m] != after["scores"][m]}
    # ada stays at rank 1, so what looks at the first needed document only does not move.
    assert moved == {m for m in METRICS if m.startswith(("recall", "all", "precision", "map", "ndcg"))} - {
        "recall@1"
    }
    assert before["scores"]["recall@5"] - after["scores"]["recall@5"] == 12.5
    assert (
        before["per_type"]["u"] == after["per_type"]["u"]
        and before["per_type"]["t"] != after["per_type"]["t"]
    )


def test_an_index_of_other_documents_is_refused_before_the_first_query(
    make_toy, toy_indexes, tmp_path, asked
):
    texts = {"ada": "Ada was born in Marlow.", "new": "Marlow is a town."}
    toy = make_toy(texts=texts, questions=[("q1", "Where was Ada born?", ["Marlow"], ["ada"], "")])
    plan = make_plan([toy], tmp_path / "out", methods=["bm25"], index_root=toy_indexes)
    with pytest.raises(UsageError, match=r"holds 7 documents that are not in toy, first 'arno'"):
        run_experiment(plan)
    assert not asked
    with HippoRAG(toy_indexes / "toy", read_only=True) as rag:
        assert rag.stats()["documents"] == 8


class FailingReader:
    """A reader whose model does not answer some questions, or nobody any more."""

    fingerprint = "failing"

    def __init__(self, fails, down=False):
        self.fails, self.down = fails, down

    def read(self, question, trace):
        if question in self.fails:
            raise (EndpointDownError if self.down else LLMError)("no answer in 3 attempts")
        return Answer(question, "yes", (), 1.0, "failing", hits=trace.hits)


def test_a_question_that_the_model_fails_on_counts_as_zero_and_is_asked_again(planned, asked, monkeypatch):
    reader = FailingReader({toy_questions()[3][1]})
    monkeypatch.setattr(HippoRAG, "reader", reader)
    row = run_experiment(planned(methods=("bm25",)))["results"]["toy"]["bm25"]
    assert row["failures"] == {"count": 1, "first": {"q4": "no answer in 3 attempts"}}
    assert row["scores"]["em"] == 0.0 and row["scores"]["recall@5"] > 0  # q4 is the one whose answer is yes
    asked.clear()
    reader.fails = ()
    row = run_experiment(planned(methods=("bm25",)))["results"]["toy"]["bm25"]
    assert row["failures"] == {"count": 0, "first": {}} and row["scores"]["em"] == 25.0
    assert asked
    asked.clear()
    run_experiment(planned(methods=("bm25",)))
    assert not asked


def test_passages_that_the_model_should_have_found_count_as_zero(planned, monkeypatch):
    explain = HippoRAG.explain

    def failing(self, question, *arguments, **options):
        if question == toy_questions()[0][1]:
            raise LLMError("no filter")
        return explain(self, question, *arguments, **options)

    monkeypatch.setattr(HippoRAG, "explain", failing)
    plan = planned(methods=("bm25",))
    assert run_experiment(plan)["results"]["toy"]["bm25"]["failures"]["first"] == {"q1": "no filter"}
    row = load_unit(plan.folder, "toy", "bm25", unit_key(plan, "bm25")).rows[0]
    assert (row["ranking"], row["answer"], row["recall@20"], row["em"]) == ([], "", 0.0, 0.0)


def test_a_model_that_answers_nobody_stops_the_experiment(planned, asked, monkeypatch):
    monkeypatch.setattr(HippoRAG, "reader", FailingReader({toy_questions()[1][1]}, down=True))
    plan = planned(methods=("bm25",))
    with pytest.raises(EndpointDownError):
        run_experiment(plan)
    assert not unit_path(plan.folder, "toy", "bm25").exists()


SLOWLY = """
import sys, time
from hipporag_like.config import Config
from hipporag_like.eval.plan import make_plan
from hipporag_like.eval.runner import run_experiment
from hipporag_like.rag import HippoRAG

explain = HippoRAG.explain
def slow(self, *arguments, **options):
    time.sleep(0.2)
    return explain(self, *arguments, **options)
HippoRAG.explain = slow
run_experiment(make_plan([sys.argv[1]], sys.argv[2], methods=["bm25", "dense"], index_root=sys.argv[3]))
"""


@pytest.mark.slow
def test_a_killed_process_leaves_whole_units_only(make_toy, toy_indexes, tmp_path, asked):
    toy, out = make_toy(), tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, str(toy), str(out), str(toy_indexes)])
    first = unit_path(out, "toy", "bm25")
    deadline = time.monotonic() + 60
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "results.json").exists() and not unit_path(out, "toy", "dense").exists()
    plan = make_plan([toy], out, methods=["bm25", "dense"], index_root=toy_indexes)
    run_experiment(plan)
    assert {method for _, method, _ in asked} == {"dense"}


def test_times_are_of_each_query_the_embedding_included(planned, monkeypatch):
    class Slow(HashingEmbedder):
        def embed(self, texts, kind="passage"):
            if kind == "query":
                time.sleep(0.02 if texts[0].startswith("Who") else 0.005)
            return super().embed(texts, kind)

    plan = planned(methods=("dense",))
    run_experiment(plan, embedder=Slow())
    unit = load_unit(plan.folder, "toy", "dense", unit_key(plan, "dense"))
    seconds = np.array([row["seconds"] for row in unit.rows])
    assert (seconds >= 0.005).all() and seconds[2] >= 0.02
