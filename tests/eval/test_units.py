"""Units on disk: what was written is read back, and nothing else passes for it."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from hipporag_like.errors import StoreError
from hipporag_like.eval.folders import read_object, write_object
from hipporag_like.eval.units import Unit, load_unit, save_unit, scores_of, unit_path

ROW = {
    "id": "q1",
    "type": "bridge",
    "hops": 2,
    "ranking": ["a", "b"],
    "scores_of_ranking": [0.5, 0.25],
    "answer": "Zürich",
    "citations": [],
    "seconds": 0.01,
    "recall@5": 50.0,
    "f1": None,
}
UNIT = Unit("set", "graph", "key", [ROW], {"filter": {"calls": 1}}, 300.5)


def test_a_unit_is_read_back_as_it_was_written(tmp_path):
    save_unit(tmp_path, UNIT)
    assert load_unit(tmp_path, "set", "graph", "key") == UNIT
    assert [p.name for p in unit_path(tmp_path, "set", "graph").parent.iterdir()] == ["graph.json"]


def test_a_unit_of_something_else_is_none(tmp_path):
    assert load_unit(tmp_path, "set", "graph", "key") is None
    save_unit(tmp_path, UNIT)
    assert load_unit(tmp_path, "set", "graph", "another") is None
    assert load_unit(tmp_path, "set", "dense", "key") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"key": "key"}', '{"format": 99, "key": "key", "rows": []}']
)
def test_a_broken_unit_is_none_so_that_it_is_run_again(tmp_path, text):
    path = unit_path(tmp_path, "set", "graph")
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert load_unit(tmp_path, "set", "graph", "key") is None


def test_writing_that_fails_midway_leaves_the_old_unit(tmp_path, monkeypatch):
    save_unit(tmp_path, UNIT)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="No space left"):
        save_unit(tmp_path, replace(UNIT, rows=[]))
    assert load_unit(tmp_path, "set", "graph", "key") == UNIT
    assert [p.name for p in unit_path(tmp_path, "set", "graph").parent.iterdir()] == ["graph.json"]


def test_numbers_that_json_does_not_know_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_object(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
    assert read_object(tmp_path / "a.json") is None
    write_object(tmp_path / "b" / "a.json", {"x": 1}, indent=1)
    assert json.loads((tmp_path / "b" / "a.json").read_text(encoding="utf-8")) == {"x": 1}


def test_scores_are_what_is_left_of_a_row():
    assert scores_of(ROW) == {"recall@5": 50.0, "f1": None}


def test_a_list_of_numbers_takes_one_line_and_texts_are_left_alone(tmp_path):
    value = {"q": [1, -0.5, 1e-07], "texts": ["[\n1,\n2\n]", "x"], "none": [], "deep": [[1, 2], [3]]}
    write_object(tmp_path / "a.json", value, indent=1)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert read_object(tmp_path / "a.json") == value
    assert ' "q": [1, -0.5, 1e-07],\n' in text and text.count("\n") == 12
