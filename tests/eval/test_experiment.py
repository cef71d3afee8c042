"""The experiment with a scripted retriever: numbers by hand, order of calls, checks before any query."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest

from hipporag_like.config import METHODS, Config, SearchConfig
from hipporag_like.errors import ConfigError, InputError, UsageError
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.experiment import PASSAGES, build_and_evaluate, compare, evaluate
from hipporag_like.eval.questions import Evidence, Question, make_dataset
from hipporag_like.types import Answer, Citation, Document, Hit, IndexReport, Passage, Trace, Usage

SYSTEM_KEYS = [
    "recall@1",
    "recall@2",
    "recall@5",
    "recall@10",
    "recall@20",
    "all_recall@5",
    "precision@5",
    "mrr",
    "map",
    "ndcg@10",
    "em",
    "f1",
    "span_iou",
    "seconds_per_query",
    "per_type",
]
DOCUMENTS = tuple(Document(id=name, text=f"text of {name}") for name in "abcdefgh")
QUESTIONS = (
    Question("q1", "one?", ("Ada",), ("a",), "bridge"),
    Question("q2", "two?", ("Bob Dylan",), ("b", "c"), "bridge"),
    Question("q3", "three?", ("yes",), ("d",), "comparison"),
)
DATASET = make_dataset("toy", DOCUMENTS, QUESTIONS)
RANKINGS = {"one?": "abc", "two?": "bbbxxxc", "three?": ""}  # documents of the passages, best first
ANSWERS = {"one?": "ada.", "two?": "Bob Dole", "three?": None}


class ScriptedRag:
    """Answers as scripted; ``calls`` keeps what was asked."""

    def __init__(self, rankings=RANKINGS, answers=ANSWERS):
        self.rankings, self.answers, self.calls = rankings, answers, []

    def retrieve(self, question, k=5, *, method="graph", where=None, namespace=None):
        self.calls.append(("retrieve", question, method, k))
        documents = self.rankings.get(question, "")[:k]
        passages = [Passage(f"{name}#{n}", name, "text", 0, 4) for n, name in enumerate(documents)]
        return [Hit(rank, 1.0 / rank, passage) for rank, passage in enumerate(passages, 1)]

    def ask(self, question, k=5, *, method="graph"):
        self.calls.append(("ask", question, method, k))
        return Answer(question, self.answers[question], (), 0.5, "scripted")

    def stats(self):
        return {"passages": 8}


def test_the_table_worked_by_hand():
    report = evaluate(ScriptedRag(), DATASET, ["graph"], read=True)
    assert list(report) == ["dataset", "n_questions", "systems", "index"]
    assert (report["dataset"], report["n_questions"], report["index"]) == ("toy", 3, {"passages": 8})
    system = report["systems"]["graph"]
    assert list(system) == SYSTEM_KEYS
    # q1: 1 of 1 at rank 1. q2: b at rank 1, c at rank 3 once repeats are gone. q3: nothing.
    assert system["recall@1"] == 50.0  # (100 + 50 + 0) / 3
    assert system["recall@2"] == 50.0
    assert system["recall@5"] == system["recall@10"] == system["recall@20"] == 66.6667
    assert system["all_recall@5"] == 66.6667
    assert system["precision@5"] == 20.0  # (1/5 + 2/5 + 0) / 3
    assert system["mrr"] == 0.6667
    assert system["map"] == 0.6111  # (1 + (1 + 2/3) / 2 + 0) / 3
    assert system["ndcg@10"] == round((1 + (1 + 1 / 2) / (1 + 0.6309297535714575) + 0) / 3, 4)
    assert system["em"] == 33.3333
    assert system["f1"] == 50.0  # (100 + 50 + 0) / 3
    assert 0 <= system["seconds_per_query"] < 1
    assert system["per_type"] == {
        "bridge": {"n": 2, "recall@5": 100.0, "f1": 75.0},
        "comparison": {"n": 1, "recall@5": 0.0, "f1": 0.0},
    }
    json.dumps(report, allow_nan=False)


def test_hops_are_counted_where_the_set_tells_them():
    questions = (replace(QUESTIONS[0], hops=2), replace(QUESTIONS[1], hops=10), QUESTIONS[2])
    system = evaluate(ScriptedRag(), make_dataset("h", DOCUMENTS, questions), ["graph"], read=True)["systems"]
    assert system["graph"]["per_hops"] == {
        "2": {"n": 1, "recall@5": 100.0, "f1": 100.0},
        "10": {"n": 1, "recall@5": 100.0, "f1": 50.0},
    }
    assert list(system["graph"]["per_hops"]) == ["2", "10"]


def test_cited_spans_are_scored_against_the_evidence():
    passage = Passage("a#0", "a", "of a", 5, 9)
    question = replace(QUESTIONS[0], evidence=(Evidence("a", 0, "text of a"),))

    class Citing(ScriptedRag):
        def ask(self, question, k=5, *, method="graph"):
            citation = Citation("a", "a#0", "of a", 0, 4)
            return Answer(question, "Ada", (citation,), 0.5, "scripted", (Hit(1, 1.0, passage),))

    dataset = make_dataset("spans", DOCUMENTS, (question,))
    system = evaluate(Citing(), dataset, ["graph"], read=True, details=True)["systems"]["graph"]
    assert system["span_iou"] == 66.6667  # two of three words
    assert system["details"][0]["citations"] == [{"document_id": "a", "start": 5, "end": 9}]
    assert system["details"][0]["scores_of_ranking"] == [1.0, 1 / 2, 1 / 3]


class PaidRag(ScriptedRag):
    """Calls a language model once to find passages and once to read them; what was asked before costs nothing."""

    def explain(self, question, k=5, *, method="graph"):
        hits = self.retrieve(question, k, method=method)
        usage = {"filter": Usage(calls=1, input_tokens=10, output_tokens=2)}
        return Trace(question, method, method, "ok", "", hits=tuple(hits), usage=usage)

    def ask(self, question, k=5, *, method="graph"):
        usage = {"filter": Usage(cached=1), "read": Usage(calls=1, input_tokens=100, output_tokens=5)}
        return replace(super().ask(question, k, method=method), usage=usage)


def test_what_language_models_cost_is_added_up_by_stage():
    system = evaluate(PaidRag(), DATASET, ["graph"], read=True)["systems"]["graph"]
    assert list(system) == [*SYSTEM_KEYS, "usage"]
    # Three questions and the untimed call before them.
    assert system["usage"]["filter"] == asdict(Usage(calls=4, input_tokens=40, output_tokens=8))
    assert system["usage"]["read"] == asdict(Usage(calls=3, input_tokens=300, output_tokens=15))
    assert "usage" not in evaluate(ScriptedRag(), DATASET, ["graph"], read=True)["systems"]["graph"]


def test_without_reading_nothing_is_asked_and_answers_have_no_score():
    rag = ScriptedRag()
    system = evaluate(rag, DATASET, ["graph"])["systems"]["graph"]
    assert list(system) == SYSTEM_KEYS
    assert system["em"] is None and system["f1"] is None
    assert {kind for kind, *_ in rag.calls} == {"retrieve"}


def test_each_method_gets_every_question_once_after_one_untimed_call():
    rag = ScriptedRag()
    evaluate(rag, DATASET, ["bm25", "dense", "bm25"], read=True)
    asked = [(kind, question, method) for kind, question, method, _ in rag.calls]
    for method in ("bm25", "dense"):
        mine = [(kind, question) for kind, question, used in asked if used == method]
        assert mine[0] == ("retrieve", "first, one?")
        assert mine[1:] == [(kind, q.question) for q in QUESTIONS for kind in ("retrieve", "ask")]
    assert len(asked) == 2 * (1 + 2 * 3)


def test_only_retrieval_is_timed(monkeypatch):
    clock = iter(range(100))
    rag = ScriptedRag()
    monkeypatch.setattr("hipporag_like.eval.experiment.time.perf_counter", lambda: float(next(clock)))
    system = evaluate(rag, DATASET, ["graph"], read=True)["systems"]["graph"]
    assert system["seconds_per_query"] == 1.0  # one tick between the two looks at the clock
    assert next(clock) == 6  # twice a question, never around the first call or the reader


def test_a_document_cut_into_many_passages_does_not_crowd_out_the_others():
    crowded = "a" * (PASSAGES + 5) + "bc"
    rag = ScriptedRag({"one?": "a", "two?": crowded, "three?": ""})
    system = evaluate(rag, DATASET, ["graph"], details=True)["systems"]["graph"]
    assert system["details"][1]["ranking"] == ["a", "b", "c"]
    assert [k for _, question, _, k in rag.calls if question == "two?"] == [PASSAGES, 4 * PASSAGES]


def test_rankings_end_at_twenty_documents():
    letters = "zyxwvutsrqponmlkjihgfedcba"
    system = evaluate(ScriptedRag({"one?": letters}), DATASET, ["graph"], 1, details=True)["systems"]["graph"]
    assert system["details"][0]["ranking"] == list(letters[:20])
    assert system["mrr"] == 0.0 and system["recall@20"] == 0.0


def test_limit_takes_the_first_questions():
    report = evaluate(ScriptedRag(), DATASET, ["graph"], limit=1)
    assert report["n_questions"] == 1 and report["systems"]["graph"]["recall@5"] == 100.0
    assert evaluate(ScriptedRag(), DATASET, ["graph"], limit=99)["n_questions"] == 3


def test_questions_that_cannot_be_judged_count_for_neither_side():
    questions = (*QUESTIONS[:1], Question("n", "none?", ("x",), ()), Question("m", "mute?", (), ("a",)))
    rag = ScriptedRag({"one?": "a", "mute?": "ba"}, {"one?": "Ada", "none?": "x", "mute?": "anything"})
    system = evaluate(rag, make_dataset("t", DOCUMENTS, questions), ["graph"], read=True)["systems"]["graph"]
    assert system["recall@1"] == 50.0  # one? and mute?
    assert system["em"] == 100.0  # one? and none?


def test_a_wrong_gold_id_changes_exactly_its_share():
    changed = make_dataset("toy", DOCUMENTS, (Question("q1", "one?", ("Ada",), ("h",)), *QUESTIONS[1:]))
    before = evaluate(ScriptedRag(), DATASET, ["graph"], read=True)["systems"]["graph"]
    after = evaluate(ScriptedRag(), changed, ["graph"], read=True)["systems"]["graph"]
    assert before["recall@1"] - after["recall@1"] == pytest.approx(100 / 3, abs=1e-3)
    assert before["recall@5"] - after["recall@5"] == pytest.approx(100 / 3, abs=1e-3)
    assert before["mrr"] - after["mrr"] == pytest.approx(1 / 3, abs=1e-3)
    assert (after["em"], after["f1"]) == (before["em"], before["f1"])


def test_details_average_to_the_table():
    system = evaluate(ScriptedRag(), DATASET, ["graph"], read=True, details=True)["systems"]["graph"]
    rows = system["details"]
    assert [row["id"] for row in rows] == ["q1", "q2", "q3"]
    assert [row["answer"] for row in rows] == ["ada.", "Bob Dole", ""]
    for name in SYSTEM_KEYS[:12]:
        assert sum(row[name] for row in rows) / 3 == pytest.approx(system[name], abs=1e-3)


def test_progress_counts_the_questions():
    seen = []

    @contextmanager
    def track(label, total):
        seen.append((label, total))
        yield seen.append

    evaluate(ScriptedRag(), DATASET, ["dense"], progress=track)
    assert seen == [("evaluate dense", 3), 1, 1, 1]


@pytest.mark.parametrize(
    ("methods", "limit", "message"),
    [
        (["graph", "magic"], None, f"cannot evaluate 'magic'; methods are {', '.join(METHODS)}"),
        ([], None, "cannot evaluate no method"),
        (["graph"], 0, "limit must be at least 1, got 0"),
        (["graph"], -3, "limit must be at least 1"),
    ],
)
def test_bad_options_are_refused_before_the_first_query(methods, limit, message):
    rag = ScriptedRag()
    with pytest.raises(ConfigError, match=message):
        evaluate(rag, DATASET, methods, limit)
    assert rag.calls == []


def test_gold_outside_the_corpus_is_refused_before_the_first_query():
    rag = ScriptedRag()
    broken = make_dataset("toy", DOCUMENTS, (Question("q1", "one?", ("Ada",), ("zz",)),))
    with pytest.raises(InputError, match="'zz'"):
        evaluate(rag, broken, ["graph"])
    assert rag.calls == []


# --- comparison ---------------------------------------------------------------------------------------


def details_of(rankings, **options):
    report = evaluate(ScriptedRag(rankings), DATASET, ["graph"], details=True, **options)
    return report["systems"]["graph"]["details"]


def test_compare_worked_by_hand():
    better = details_of({"one?": "a", "two?": "bc", "three?": "d"})
    worse = details_of({"one?": "h", "two?": "bh", "three?": "h"})
    result = compare(better, worse, "recall@5")
    assert (result.metric, result.n, result.mean_a) == ("recall@5", 3, 100.0)
    assert result.mean_b == pytest.approx(50 / 3)
    assert result.difference == pytest.approx(250 / 3)
    assert result.p_value == 0.25  # 2 of 8 sign patterns
    assert 50 <= result.low <= result.difference <= result.high <= 100
    mirrored = compare(worse, better, "recall@5")
    assert mirrored.difference == -result.difference and mirrored.p_value == result.p_value


def test_compare_refuses_what_is_not_paired():
    rows = details_of(RANKINGS)
    with pytest.raises(UsageError, match="different questions"):
        compare(rows, rows[:2], "mrr")
    with pytest.raises(UsageError, match="no question has the score 'f1'"):
        compare(rows, rows, "f1")  # nothing was read
    with pytest.raises(UsageError, match="no question has the score 'speed'"):
        compare(rows, rows, "speed")


# --- build and evaluate -------------------------------------------------------------------------------


@pytest.fixture
def built(monkeypatch):
    """Put a scripted class where HippoRAG is looked up; yields what was made with which arguments."""
    made = []

    class Built(ScriptedRag):
        def __init__(self, path, *, config=None, embedder=None):
            super().__init__()
            self.path, self.config, self.documents = Path(path), config, []
            self.existed = self.path.is_dir()
            made.append(self)

        def index(self, documents, *, track=None):
            self.documents = list(documents)
            return IndexReport(added=len(self.documents))

    module = ModuleType("hipporag_like.rag")
    module.HippoRAG = Built
    monkeypatch.setitem(sys.modules, "hipporag_like.rag", module)
    return made


@pytest.fixture
def toy_folder(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    corpus = [{"_id": d.id, "title": "", "text": d.text} for d in DOCUMENTS] + [{"_id": "blank", "text": " "}]
    questions = [
        {"id": q.id, "question": q.question, "answers": q.answers, "supporting": q.supporting, "type": q.type}
        for q in QUESTIONS
    ]
    for name, rows in (("corpus", corpus), ("questions", questions)):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    return folder


def test_build_and_evaluate_in_a_temporary_folder(built, toy_folder):
    report = build_and_evaluate(toy_folder, methods=["dense"], extractor="openie:facts.jsonl")
    (rag,) = built
    assert rag.existed and not rag.path.exists()
    assert [d.id for d in rag.documents] == list("abcdefgh")  # the blank one has nothing to index
    assert rag.config.extract.extractor == "openie:facts.jsonl"
    assert report["index"]["passages"] == 8 and report["index"]["documents_without_text"] == 1
    assert report["index"]["build_seconds"] >= 0
    assert report["systems"] == {
        "dense": {
            **evaluate(ScriptedRag(), load_dataset(toy_folder), ["dense"], read=True)["systems"]["dense"],
            "seconds_per_query": report["systems"]["dense"]["seconds_per_query"],
        }
    }


def test_build_and_evaluate_keeps_folder_and_configuration(built, toy_folder, tmp_path):
    config = Config(search=SearchConfig(damping=0.5))
    report = build_and_evaluate(
        toy_folder, tmp_path / "index", ["bm25"], limit=2, config=config, read=False, details=True
    )
    (rag,) = built
    assert rag.path == tmp_path / "index" and rag.config == config
    assert report["n_questions"] == 2 and report["systems"]["bm25"]["em"] is None
    assert len(report["systems"]["bm25"]["details"]) == 2


def test_an_index_that_is_there_is_evaluated_with_its_own_options(toy_folder, tmp_path):
    own = Config.from_dict({"embed": {"model": "hashing"}, "chunk": {"max_tokens": 100}})
    build_and_evaluate(toy_folder, tmp_path / "index", ["bm25"], config=own, read=False)
    report = build_and_evaluate(toy_folder, tmp_path / "index", ["bm25"], read=False)
    assert report["index"]["snapshot"] == 1  # not made anew
    assert report["index"]["models"]["embedder"].startswith("hashing")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"methods": ["magic"]}, ConfigError),
        ({"limit": 0}, ConfigError),
        ({"extractor": "magic"}, ConfigError),
    ],
)
def test_nothing_is_built_with_bad_options(built, toy_folder, options, error):
    with pytest.raises(error):
        build_and_evaluate(toy_folder, **options)
    assert built == []


def test_nothing_is_built_where_gold_is_missing(built, toy_folder):
    rows = (toy_folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (toy_folder / "corpus.jsonl").write_text("".join(rows[1:]), encoding="utf-8")
    with pytest.raises(InputError, match="not in the corpus of toy, first 'a' of question 'q1'"):
        build_and_evaluate(toy_folder)
    assert built == []
