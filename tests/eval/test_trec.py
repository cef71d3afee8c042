"""TREC files: what is written is what every tool reads, and what is malformed is named with its line."""

from __future__ import annotations

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import InputError, StoreError, UsageError
from hipporag_like.eval.questions import Question, make_dataset
from hipporag_like.eval.scores import mean_scores, retrieval_scores
from hipporag_like.eval.trec import read_run, require_words, write_qrels, write_run
from hipporag_like.types import Document

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=6)
SCORES = st.floats(-1e6, 1e6)


def toy(*questions):
    documents = tuple(Document(id=name, text=f"text of {name}") for name in "abcdefgh")
    return make_dataset("toy", documents, questions)


def test_a_run_is_six_columns_best_first(tmp_path):
    write_run(tmp_path / "r.run", {"q1": [("a", 2.5), ("b", 0.1)], "q2": [("c", -1.0)], "q3": []}, "mine")
    assert (tmp_path / "r.run").read_text(encoding="utf-8") == (
        "q1 Q0 a 1 2.5 mine\nq1 Q0 b 2 0.1 mine\nq2 Q0 c 1 -1.0 mine\n"
    )


def test_equal_scores_are_told_apart_so_that_no_tool_reorders_them(tmp_path):
    ranking = [("z", 1.0), ("a", 1.0), ("m", 1.0 - 1e-12), ("b", 0.5)]
    write_run(tmp_path / "r.run", {"q": ranking}, "t")
    read = read_run(tmp_path / "r.run")["q"]
    assert [document for document, _ in read] == ["z", "a", "m", "b"]
    values = [score for _, score in read]
    assert all(math.isclose(x, y, rel_tol=1e-6) for (_, x), y in zip(ranking, values, strict=True))
    kept = [np.float32(value) for value in values]  # as trec_eval keeps them
    assert all(after < before for before, after in zip(kept, kept[1:], strict=False))


@settings(max_examples=40)
@given(st.dictionaries(WORDS, st.dictionaries(WORDS, SCORES, min_size=1, max_size=8), min_size=1, max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, rankings):
    path = tmp_path_factory.mktemp("run") / "r.run"
    best_first = {q: sorted(r.items(), key=lambda item: -item[1]) for q, r in rankings.items()}
    write_run(path, best_first, "tag")
    read = read_run(path)
    assert {q: [d for d, _ in r] for q, r in read.items()} == {
        q: [d for d, _ in r] for q, r in best_first.items()
    }
    for question, ranking in best_first.items():
        for (_, wrote), (_, got) in zip(ranking, read[question], strict=True):
            assert got == pytest.approx(wrote, rel=1e-5, abs=1e-30)


def test_a_run_of_another_tool_is_ordered_by_score_then_rank_then_line(tmp_path):
    path = tmp_path / "other.run"
    path.write_bytes(
        b"\xef\xbb\xbfq2\tQ0\td9\t0\t3e-1\tbm25\r\n\n"
        b"q1 Q0 low 1 1.0 bm25\nq1 Q0 late 3 7 bm25\nq1 Q0 early 2 7.0 bm25\nq1 Q0 later 3 7.00 bm25\n"
    )
    assert read_run(path) == {
        "q2": [("d9", 0.3)],
        "q1": [("early", 7.0), ("late", 7.0), ("later", 7.0), ("low", 1.0)],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 Q0 a 1 2.0 t\nq1 Q0 b 2 1.0\n", r"r\.run, line 2: must have 6 columns .* got 5"),
        ("q1 Q0 my doc 1 2.0 t\n", r"r\.run, line 1: must have 6 columns .* got 7"),
        ("q1 Q0 a first 2.0 t\n", "line 1: rank and score, columns 4 and 5, must be numbers"),
        ("q1 Q0 a 1 high t\n", "line 1: rank and score, columns 4 and 5, must be numbers"),
        ("q1 Q0 a 1 nan t\n", "line 1: the score, column 5, must be a finite number"),
        ("q1 Q0 a 1 -inf t\n", r"line 1: the score, column 5, must be a finite number"),
        ("q1 Q0 a 1 2 t\n\nq1 Q0 a 2 1 t\n", r"line 3: document 'a' stands twice for question 'q1'"),
        ("\n \n", r"r\.run holds no rankings; a run has lines such as: q1 Q0 d7 1 12\.5 my_system"),
    ],
)
def test_malformed_runs_are_named_with_their_line(tmp_path, text, message):
    (tmp_path / "r.run").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_run(tmp_path / "r.run")


def test_a_run_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*r\.run: No such file"):
        read_run(tmp_path / "r.run")
    (tmp_path / "r.run").write_bytes(b"q1 Q0 \xff 1 2 t\n")
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 6\)"):
        read_run(tmp_path / "r.run")


@pytest.mark.parametrize(
    ("rankings", "tag", "message"),
    [
        ({"q 1": [("a", 1.0)]}, "t", "a question id in a TREC file must be one word .* got 'q 1'"),
        ({"q": [("a\u2003b", 1.0)]}, "t", "a document id in a TREC file must be one word"),
        ({"q": [("", 1.0)]}, "t", "a document id in a TREC file must be one word .* got ''"),
        ({"q": [("a", 1.0)]}, "my system", "the tag of a run in a TREC file must be one word"),
        ({"q": [("a", 1.0), ("a", 0.5)]}, "t", "a document stands twice in the ranking of question 'q'"),
        ({"q": [("a", 1.0), ("b", 1.5)]}, "t", "'q' must be best first, but its scores rise"),
        ({"q": [("a", math.nan)]}, "t", "the scores of question 'q' must be finite numbers"),
        ({"q": [("a", math.inf)]}, "t", "the scores of question 'q' must be finite numbers"),
        ({"q": [("a", 1e300)]}, "t", "the scores of question 'q' must be finite numbers"),
    ],
)
def test_what_cannot_be_a_run_is_refused_and_the_old_file_stays(tmp_path, rankings, tag, message):
    path = tmp_path / "r.run"
    write_run(path, {"q": [("a", 1.0)]}, "before")
    with pytest.raises(UsageError, match=message):
        write_run(path, {"first": [("fine", 1.0)], **rankings}, tag)
    assert path.read_text(encoding="utf-8") == "q Q0 a 1 1.0 before\n"
    assert [p.name for p in tmp_path.iterdir()] == ["r.run"]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*r\.run \(No such file or directory\)"):
        write_run(tmp_path / "missing" / "r.run", {"q": [("a", 1.0)]}, "t")


def test_qrels(tmp_path):
    dataset = toy(Question("q1", "?", ("x",), ("b", "a")), Question("q2", "?", ("x",), ()))
    write_qrels(tmp_path / "q.qrels", dataset)
    assert (tmp_path / "q.qrels").read_text(encoding="utf-8") == "q1 0 b 1\nq1 0 a 1\n"
    spaced = make_dataset("s", (Document(id="a b", text="x"),), (Question("q", "?", (), ("a b",)),))
    with pytest.raises(UsageError, match="got 'a b'"):
        write_qrels(tmp_path / "s.qrels", spaced)
    with pytest.raises(UsageError, match="a question id .* got 'q 1'"):
        require_words(toy(Question("q 1", "?", ("x",), ())))
    assert [p.name for p in tmp_path.iterdir()] == ["q.qrels"]


def test_another_tool_gets_our_scores_out_of_our_files(tmp_path):
    """ir-measures reads both files by itself; z and y tie, and c must not be lost among equal scores."""
    dataset = toy(
        Question("q1", "?", ("x",), ("a", "c")),
        Question("q2", "?", ("x",), ("h",)),
        Question("q3", "?", ("x",), ("b", "d", "e")),
    )
    rankings = {
        "q1": [("b", 1.0), ("c", 1.0), ("a", 1.0)],
        "q2": [],  # found nothing: counts as zero
        "q3": [(name, 9.0 - n) for n, name in enumerate("abcdef")],
    }
    write_run(tmp_path / "r.run", rankings, "t")
    write_qrels(tmp_path / "r.qrels", dataset)
    names = {"R@2": "recall@2", "P@5": "precision@5", "RR": "mrr", "AP": "map", "nDCG@10": "ndcg@10"}
    measures = {ir_measures.parse_measure(measure): measure for measure in names}
    theirs = ir_measures.calc_aggregate(
        measures,
        ir_measures.read_trec_qrels(str(tmp_path / "r.qrels")),
        ir_measures.read_trec_run(str(tmp_path / "r.run")),
    )
    rows = [retrieval_scores(q, [d for d, _ in rankings[q.id]]) for q in dataset.questions]
    ours = mean_scores(rows)
    for measure, value in theirs.items():
        name = names[measures[measure]]
        factor = 100 if name in ("recall@2", "precision@5") else 1
        assert ours[name] == pytest.approx(factor * value, abs=1e-4)
