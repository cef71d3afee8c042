"""The measurements of scale give numbers that are right on a corpus small enough to know."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.errors import InputError, ModelError
from hipporag_like.eval.benchmarks import scale, scale_references, scale_tasks, scale_walks
from hipporag_like.eval.benchmarks.hipporag2_standin import build, measure, query
from hipporag_like.eval.benchmarks.scale_first import Canned, first_query
from hipporag_like.eval.benchmarks.scale_process import memory_mb, run_apart
from hipporag_like.eval.benchmarks.scale_source import Source
from hipporag_like.eval.benchmarks.synthetic import Corpus, write
from hipporag_like.eval.benchmarks.synthetic_vectors import SyntheticEmbedder
from hipporag_like.store.snapshot import open_snapshot

PASSAGES = 400


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale") / "index"
    scale_tasks.fill(str(folder), PASSAGES)
    return folder, scale_tasks.build(str(folder), PASSAGES)


def test_build_counts_what_is_there(built):
    folder, found = built
    assert found["passages"] == PASSAGES and found["extracted"] == 0 and found["seconds"] > 0
    arrays = sum(file.stat().st_size for file in (folder / "snapshots").rglob("*.npy"))
    parts = dict(found["bytes"])
    assert parts.pop("journal") > arrays / 2
    assert sum(parts.values()) == arrays
    assert set(parts) == {"text", "graph", "bm25", "passage vectors", "fact vectors", "entity vectors"}
    with open_snapshot(folder) as snapshot:
        group = snapshot.groups[0]
        vectors = snapshot.entries(group)["fact_vectors"][1].nbytes
    assert parts["fact vectors"] == vectors


def test_warm_finds_the_planted_gold_and_times_every_stage(built, tmp_path):
    folder, _ = built
    found = scale_tasks.warm(str(folder), PASSAGES, limit=8, keep=str(tmp_path / "kept.npz"))
    methods = found["methods"]
    assert found["questions"] == 8 and list(methods) == ["graph", "hybrid", "dense", "bm25"]
    assert methods["graph"]["recall@5"] >= 90 and methods["dense"]["recall@5"] < methods["graph"]["recall@5"]
    assert {"dense", "bm25", "link", "walk"} <= set(methods["graph"]["stages"])
    for method in methods.values():
        assert 0 < method["seconds"]["p50"] <= method["seconds"]["p95"]
    asked = first_query(str(folder), str(tmp_path / "kept.npz"), cold=True)
    assert asked["hits"] == 5 and asked["seconds"] > 0


def test_what_is_kept_of_a_question_is_enough_to_ask_it(built, tmp_path):
    folder, _ = built
    scale_tasks.warm(str(folder), PASSAGES, limit=1, keep=str(tmp_path / "kept.npz"))
    with np.load(tmp_path / "kept.npz") as kept:
        texts, vectors = kept["texts"].tolist(), kept["vectors"]
        assert str(kept["question"]) == Corpus(PASSAGES).asked()[0].question
    canned = Canned(texts, vectors, "some")
    np.testing.assert_array_equal(canned.embed(texts[::-1]), SyntheticEmbedder().embed(texts)[::-1])
    assert canned.dim == 384 and canned.fingerprint == "some"


def test_walks_agree_with_the_references(built):
    folder, _ = built
    found = scale_walks.walks(str(folder), PASSAGES, limit=4, reference_limit=3)
    assert found["questions"] == found["exact_questions"] == 4 and found["reference_questions"] == 3
    assert min(found["top_20_shared_mean"].values()) >= 0.9
    assert set(found["seconds"]) == {"push", "prpack", "power"}


def test_lexical_and_dense_references_are_timed(built, monkeypatch):
    folder, _ = built
    found = scale_references.lexical(str(folder), PASSAGES, limit=3)
    assert found["times_slower_than_ours"] > 0
    monkeypatch.setattr(scale_references, "RANK_BM25_LIMIT", PASSAGES - 1)
    assert "rank_bm25" not in scale_references.lexical(str(folder), PASSAGES, limit=3)["seconds"]
    assert scale_references.dense(str(folder), PASSAGES, limit=3)["seconds"]["numpy"]["p50"] > 0


def test_change_adds_updates_and_deletes(tmp_path):
    folder = str(tmp_path / "index")
    scale_tasks.fill(folder, 50)
    scale_tasks.build(folder, 50)
    found = scale_tasks.change(folder, 50)
    assert list(found) == ["first, 1", "add 100", "update 10", "delete 10"]
    assert all(step["seconds"] > 0 for step in found.values())
    with open_snapshot(Path(folder)) as snapshot:
        assert snapshot.manifest["namespaces"]["default"]["documents"] == 50 + 1 + 100 - 10


def test_a_measurement_of_a_data_set_leaves_its_index_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(Source, "embedder", lambda _: SyntheticEmbedder())
    write(Corpus(40), tmp_path / "data")
    folder, data = str(tmp_path / "index"), str(tmp_path / "data")
    filled = scale_tasks.fill(folder, 0, data)
    assert filled["passages"] == 40 and filled["embedded"] > 40
    before = sorted(file.name for file in Path(folder, "snapshots").iterdir())
    found = scale_tasks.change(folder, 0, data, scratch=str(tmp_path / "copy"))
    assert list(found) == ["first, 1", "add 10", "update 10", "delete 10"]
    assert found["add 10"]["stages"]["embed"] > 0
    assert sorted(file.name for file in Path(folder, "snapshots").iterdir()) == before


def test_the_standin_finds_the_gold_through_its_graph():
    corpus, embedder = Corpus(150), SyntheticEmbedder()
    index = build(corpus, embedder)
    assert index.graph.vcount() == len(index.vertex_of) and len(index.passage_keys) == 150
    assert len(index.facts) == len(index.fact_ends) > 150
    question = corpus.asked()[0]
    seconds: dict[str, float] = {}
    found = query(index, embedder.embed([question.question])[0], seconds)
    assert question.supporting[0] in found[:5]
    assert list(seconds)[-2:] == ["prpack", "reading the ranks"]
    measured = measure(150, limit=4)
    assert measured["questions"] == 4 and measured["nodes"] == index.graph.vcount()
    assert set(measured["parts"]) == set(seconds)


def test_a_process_of_its_own_tells_its_seconds_and_memory(tmp_path):
    found = run_apart("scale_tasks:fill", {"index": str(tmp_path / "index"), "passages": 20})
    assert found["passages"] == 20 and "_peak_mb" not in found
    assert found["process"]["seconds"] > 0.1
    if memory_mb()["all"]:
        assert 20 < found["process"]["peak_mb"] < 2000
        assert memory_mb()["all"] >= memory_mb()["own"] > 10


def test_a_failed_process_is_noted_and_the_rest_goes_on(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    found: dict[str, object] = {}
    assert not scale._step(
        found, "build", "scale_tasks:build", {"index": str(tmp_path / "file"), "passages": 5}
    )
    assert "a measured process failed" in found["build"]["failed"]
    assert "failed" in capsys.readouterr().err
    with pytest.raises(ModelError, match="exit code 1"):
        run_apart("scale_tasks:nothing", {})


def test_results_of_earlier_runs_stay(tmp_path, monkeypatch):
    file = tmp_path / "results" / "scale.json"
    monkeypatch.setattr(scale, "measure_size", lambda size, work: {"size": size})
    monkeypatch.setattr(scale, "measure_dataset", lambda dataset, work: {"name": dataset.name})
    scale.measure([10_000], [], tmp_path / "work", file)
    scale.measure([2_000], [tmp_path / "some_set"], tmp_path / "work", file)
    found = json.loads(file.read_text())
    assert list(found["sizes"]) == ["2000", "10000"] and found["datasets"] == {
        "some_set": {"name": "some_set"}
    }
    file.write_text("{}")
    with pytest.raises(InputError, match="no results of this benchmark"):
        scale.read_results(file)


def test_a_folder_without_data_is_named(tmp_path):
    with pytest.raises(InputError, match=r"has no corpus\.jsonl"):
        scale.measure_dataset(tmp_path, tmp_path / "work")
