"""The benchmark of the walk: its graph is what it says, and its report holds what it measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.eval.benchmarks import walk as benchmark


def test_the_graph_is_what_the_benchmark_says():
    world = benchmark.made_up_world(2000, 3)
    graph, degrees = world.graph, np.diff(world.graph.entity_facts.indptr)
    assert len(graph.facts) == 10_000
    assert len(degrees) == 4000
    assert 2.3 < len(graph.entity_facts.indices) / 10_000 < 2.5
    subjects = np.array(
        [np.isin(fact // 5, graph.fact_entities.row(fact)[0]) for fact in range(0, 10_000, 97)]
    )
    assert subjects.all()
    # By Zipf's law the most frequent entity stands in 1 / 2.7 over the sum of 1 / (r + 2.7) of 14,000 mentions.
    assert degrees.max() == pytest.approx(14_000 / 2.7 / (1 / (np.arange(4000) + 2.7)).sum(), rel=0.3)
    vectors = graph.facts.take(np.arange(0, 10_000, 97))
    np.testing.assert_allclose(
        np.linalg.norm(vectors, axis=1), 1, atol=0.04
    )  # as codes: 1 / sqrt(1 - 0.0374) is 1.02
    for vector, seeds, mass in world.questions:
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        assert (np.diff(seeds) > 0).all()
        assert mass.sum() == pytest.approx(1)
        assert ((mass[:-1] < mass[1:]) == (degrees[seeds[:-1]] > degrees[seeds[1:]])).all()


def test_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "walk.json"
    given = ["--passages", "100", "300", "--questions", "3", "--solved", "1", "--exact", "power"]
    monkeypatch.setattr(sys, "argv", ["walk", *given, "--json", str(file)])
    benchmark.main()
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(file.read_text(encoding="utf-8"))
    assert [row["passages"] for row in found["sizes"]] == [100, 300]
    assert found["passages_grow"] == 3
    small, large = (row["milliseconds"]["p50"] for row in found["sizes"])
    assert found["growth"] == pytest.approx(large / small, rel=0.05)
    for row in found["sizes"]:
        assert row["exact"]["compared"] == 3
        assert row["exact"]["overlap_mean"] > 0.9
        for name in ("power", "prpack"):
            assert row["references"][name]["solved"] == 1
            assert row["references"][name]["overlap_mean"] > 0.9


@pytest.mark.parametrize("option", ["--passages", "--questions", "--compared"])
def test_sizes_below_one_are_refused(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["walk", option, "0"])
    with pytest.raises(SystemExit):
        benchmark.main()
    assert "must be at least 1" in capsys.readouterr().err
