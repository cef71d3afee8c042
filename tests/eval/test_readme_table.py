"""No number in the README is older than its measurement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hipporag_like.eval.benchmarks.readme_table import END, START, main, table, with_table

ROOT = Path(__file__).parents[2]


def _report(graph: float) -> dict[str, object]:
    system = {"recall@2": 50.04, "recall@5": 60.0, "recall@10": 70.06, "em": 1.25, "f1": 2.5}
    names = ("graph", "hipporag2", "hipporag", "hybrid", "dense", "bm25")
    return {
        "n_questions": 7,
        "systems": {n: {**system, "recall@2": graph if n == "graph" else 50.04} for n in names},
    }


def test_table_holds_the_numbers_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(_report(12.34)), encoding="utf-8")
    lines = table(tmp_path).splitlines()
    assert lines[0] == "| recall@2 / @5 / @10 | one (7 questions) |"
    assert lines[2] == "| `graph` (default) | 12.3 / 60.0 / 70.1 |"
    assert lines[7] == "| `bm25` | 50.0 / 60.0 / 70.1 |"
    assert lines[8] == "| answers, EM / F1 | 1.2 / 2.5 |"


def test_a_way_of_indexing_is_named_after_its_data_set(tmp_path: Path) -> None:
    for stem in ("one+gpt-3.5-triples", "one", "two"):
        (tmp_path / f"{stem}.json").write_text(json.dumps(_report(1)), encoding="utf-8")
    head = table(tmp_path).splitlines()[0]
    assert (
        head
        == "| recall@2 / @5 / @10 | one (7 questions) | one, gpt-3.5 triples (7 questions) | two (7 questions) |"
    )


def test_readme_is_rewritten_between_its_marks_only(tmp_path: Path) -> None:
    (tmp_path / "eval" / "results").mkdir(parents=True)
    (tmp_path / "eval" / "results" / "one.json").write_text(json.dumps(_report(1)), encoding="utf-8")
    (tmp_path / "README.md").write_text(f"before\n{START}\nold\n{END}\nafter\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text


def test_readme_of_the_project_is_up_to_date() -> None:
    results = ROOT / "eval" / "results"
    if not results.is_dir() or not any(results.glob("*.json")):
        pytest.skip("no results beside this test (it runs from the wheel)")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == with_table(readme, table(results))
