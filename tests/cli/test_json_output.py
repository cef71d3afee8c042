"""What programs read: keys, their order, one object a line, only finite numbers."""

import dataclasses
import json
import math

import numpy as np
import pytest

from hipporag_like.cli._json import dumps, plain
from hipporag_like.types import Failure, IndexReport

HIT_KEYS = ["rank", "score", "document_id", "passage_id", "title", "text", "signals"]


def test_query_prints_one_object_a_line_with_the_contracted_keys_first(cli, fake, index_dir):
    result = cli("query", "q", "--index", index_dir, "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2]
    assert [list(row)[: len(HIT_KEYS)] for row in rows] == [HIT_KEYS, HIT_KEYS]
    assert rows[0]["document_id"] == "people-7" and rows[0]["signals"] == {
        "graph": 0.61,
        "dense": 0.202,
        "bm25": 0.1,
    }
    assert rows[1]["metadata"] == {"year": 1975}
    assert [step["kind"] for step in rows[0]["path"]] == ["question", "entity", "fact", "entity", "passage"]
    assert result.stderr == ""


def test_query_from_stdin_names_the_question_of_each_row(cli, fake, index_dir):
    result = cli(
        "query", "-", "--index", index_dir, "--json", "-k", 1, stdin="first?\n\n  zweite Frage äöü \n"
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["question"] for row in rows] == ["first?", "zweite Frage äöü"]
    assert list(rows[0])[: len(HIT_KEYS)] == HIT_KEYS


def test_ask_prints_the_contracted_object(cli, fake, index_dir):
    row = json.loads(cli("ask", "q", "--index", index_dir, "--json").stdout)
    assert list(row)[:5] == ["answer", "citations", "confidence", "reader", "usage"]
    assert row["answer"] == "Cincinnati, Ohio" and row["found"] is True
    (citation,) = row["citations"]
    assert list(citation) == ["document_id", "passage_id", "quote", "start", "end", "title"]


def test_ask_without_an_answer_is_null_not_empty(cli, fake, index_dir):
    fake.answer = dataclasses.replace(fake.answer, text=None, citations=(), confidence=0.0)
    result = cli("ask", "q", "--index", index_dir, "--json")
    row = json.loads(result.stdout)
    assert (row["answer"], row["found"], row["citations"], result.exit_code) == (None, False, [], 0)


def test_explain_prints_the_whole_trace(cli, fake, index_dir):
    row = json.loads(cli("explain", "q", "--index", index_dir, "--json").stdout)
    assert set(row) == {field.name for field in dataclasses.fields(fake.trace)} | {
        "money",
        "currency",
        "unpriced",
    }
    assert row["seeds"][0] == {"entity": "jaws", "weight": 0.8, "source": "ngram", "matched": "Jaws"}
    assert row["facts"][0]["passage_id"] == "films-1#0" and row["facts"][0]["similarity"] == 0.71
    assert list(row["hits"][0])[: len(HIT_KEYS)] == HIT_KEYS
    assert row["walk"]["pushes"] == 812.0


def test_stats_prints_what_the_library_returns(cli, fake, index_dir):
    row = json.loads(cli("stats", "--index", index_dir, "--json").stdout)
    assert row["namespaces"] == {"default": {"passages": 3}}


def test_index_prints_every_count_and_every_failure(cli, fake, tmp_path, monkeypatch):
    _loads(monkeypatch, [])
    fake.report = IndexReport(added=1, failures=tuple(Failure(f"f{i}", "bad") for i in range(30)))
    result = cli("index", "x.txt", "--index", tmp_path / "new", "--json")
    row = json.loads(result.stdout)
    assert set(row) == {field.name for field in dataclasses.fields(IndexReport)} | {
        "money",
        "currency",
        "unpriced",
    }
    assert len(row["failures"]) == 30 and row["failures"][0] == {"source": "f0", "reason": "bad"}
    assert result.stderr == ""


def test_numbers_that_are_not_finite_become_null_and_numpy_becomes_plain():
    value = {
        "a": math.nan,
        "b": (math.inf, np.float32(0.5)),
        "c": np.arange(2),
        "d": {"y", "x"},
        "e": np.int64(3),
    }
    assert plain(value) == {"a": None, "b": [None, 0.5], "c": [0, 1], "d": ["x", "y"], "e": 3}


@pytest.mark.parametrize(
    ("text", "encoding", "escaped"),
    [
        ("Zürich 東京", "utf-8", False),
        ("Zürich", "latin-1", False),
        ("東京", "latin-1", True),
        ("\ud800", "utf-8", True),
    ],
)
def test_json_is_readable_where_the_stream_can_carry_it_and_escaped_where_not(text, encoding, escaped):
    dumped = dumps({"t": text}, encoding=encoding)
    assert json.loads(dumped.encode(encoding).decode(encoding)) == {"t": text}
    assert ("\\u" in dumped) is escaped


def _loads(monkeypatch, items):
    from hipporag_like.cli import _session

    monkeypatch.setattr(_session, "load_sources", lambda *arguments: (items, []))
