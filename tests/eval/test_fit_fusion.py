"""The fit of the learned fusion, on a toy set with the embedder without weights."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from hipporag_like.config import Config, EmbedConfig, SearchConfig
from hipporag_like.eval.benchmarks import fit_fusion, fit_fusion_rows
from hipporag_like.eval.benchmarks.fit_fusion import (
    FUSIONS,
    KS,
    fit,
    fused,
    held_out,
    main,
    ranked,
    recalls,
    without,
)
from hipporag_like.eval.benchmarks.fit_fusion_rows import FITTED_ON, Judged, Rows, rows_of
from hipporag_like.eval.conditions import lower_cased
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.questions import Dataset
from hipporag_like.eval.retrieval_metrics import recall_at_k
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS
from hipporag_like.retrieval.learned import WEIGHT
from hipporag_like.retrieval.trees import load_trees, save_trees

# Telling from chance needs some questions; the shipped sample has them, with two passages each.
SAMPLE = load_dataset(Path(__file__).resolve().parents[2] / "eval" / "sample")
TOY = replace(SAMPLE, questions=SAMPLE.questions[:12])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit_fusion")


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Rows]:
    return rows_of([TOY], root, HashingEmbedder(), ("", "lower_cased"))


def marked(rows: Rows, base: str, column: str, seed: int) -> Rows:
    """Return the questions with nothing but noise in their columns, save one that marks what is needed."""
    draw = np.random.default_rng(seed)
    questions = []
    for question in rows.questions:
        table = draw.normal(size=question.table.shape).astype(np.float32)
        # Every candidate that is needed has more than 0.5 there, and no other has.
        hint = draw.uniform(-1.0, 0.4, len(question.needed))
        table[:, NAMES.index(column)] = np.where(question.needed, 0.6 + 0.4 * np.abs(hint), hint)
        score = draw.random(len(question.needed))
        questions.append(replace(question, table=table, score=score, plain=draw.random(len(score))))
    return Rows(base, "", tuple(questions))


def test_rows_of_a_set_and_its_condition(rows: list[Rows], root: Path):
    assert [(part.base, part.condition) for part in rows] == [(TOY.name, ""), (TOY.name, "lower_cased")]
    assert sorted(path.name for path in root.iterdir()) == sorted([TOY.name, f"{TOY.name}+lower_cased"])
    asked = {question.id: question for question in TOY.questions}
    texts = {document.id for document in TOY.documents}
    for part in rows:
        assert 8 <= len(part.questions) <= len(TOY.questions)
        for row in part.questions:
            n = len(row.documents)
            assert row.table.shape == (n, len(NAMES)) and row.table.dtype == np.float32
            assert np.isfinite(row.table).all()
            assert row.score.shape == row.plain.shape == row.needed.shape == (n,)
            assert set(row.documents) <= texts
            known = asked[row.question]
            assert row.type == known.type
            assert row.n_needed == len(known.supporting)
            assert row.needed.tolist() == [document in known.supporting for document in row.documents]
            assert row.plain == pytest.approx(
                row.table[:, [NAMES.index("dense"), NAMES.index("bm25")]].mean(axis=1), abs=1e-6
            )
            np.testing.assert_allclose(
                row.table[:, NAMES.index("score")], row.score - row.score.max(), atol=1e-6
            )
    assert any(row.table[0, NAMES.index("n_windows")] > 1 for row in rows[0].questions)


def weighing(fusion: str) -> Config:
    return Config(embed=EmbedConfig("hashing"), search=SearchConfig(fusion=fusion))


def test_scores_of_rows_are_those_of_the_search(rows: list[Rows], root: Path):
    asked = {question.id: question.question for question in TOY.questions}
    with HippoRAG(root / TOY.name, embedder=HashingEmbedder(), config=weighing("weights")) as rag:
        for row in rows[0].questions:
            for method, values in (("graph", row.score), ("hybrid", row.plain)):
                hits = rag.retrieve(asked[row.question], len(TOY.documents), method=method)
                found = {hit.passage.document_id: hit.score for hit in hits}
                for document, value in zip(row.documents, values.tolist(), strict=True):
                    assert found.get(document, 0.0) == pytest.approx(value, abs=2e-6)


def test_a_question_without_gold_or_without_seeds_is_no_row(root: Path):
    first, second, third = TOY.questions[:3]
    odd = replace(
        TOY,
        name="odd",
        questions=(
            replace(first, supporting=()),
            replace(second, question="xyzzy plugh"),
            third,
        ),
    )
    (part,) = rows_of([odd], root, HashingEmbedder(), ("",))
    assert [row.question for row in part.questions] == [third.id]


def test_every_set_under_every_condition_and_a_line_after_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    seen: list[tuple[str, str, str]] = []

    def judged(dataset: Dataset, folder: Path, embedder: HashingEmbedder, preset: str) -> Sequence[Judged]:
        seen.append((dataset.name, folder.name, preset))
        return []

    monkeypatch.setattr(fit_fusion_rows, "_judged", judged)
    lines: list[str] = []
    other = replace(TOY, name="other")
    found = rows_of([TOY, other], tmp_path, HashingEmbedder(), tell=lines.append)
    assert [(part.base, part.condition) for part in found] == [
        (name, condition) for name in (TOY.name, "other") for condition in FITTED_ON
    ]
    names = [
        f"{name}+{condition}" if condition else name
        for name in (TOY.name, "other")
        for condition in FITTED_ON
    ]
    light = [name.endswith("light") for name in names]
    assert seen == [
        (name.removesuffix("+light"), name, "light" if small else "auto")
        for name, small in zip(names, light, strict=True)
    ]
    assert any(light) and not all(light) and f"{TOY.name}+crowded+light" in names
    assert lines == [f"{name}: 0 questions" for name in names]
    assert lower_cased(TOY).name in names


def test_the_same_rows_give_the_same_bytes(rows: list[Rows], root: Path, tmp_path: Path):
    again = rows_of([TOY], root, HashingEmbedder(), ("", "lower_cased"))
    for name, given in (("one", rows), ("two", again)):
        save_trees(fit(given, FUSIONS["fast"], 8), tmp_path / f"{name}.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert len(load_trees(tmp_path / "one.json").roots) == 8
    save_trees(fit(rows[:1], FUSIONS["fast"], 8), tmp_path / "less.json")
    assert (tmp_path / "less.json").read_bytes() != (tmp_path / "one.json").read_bytes()


def test_fast_looks_at_no_windows():
    assert FUSIONS["full"] == NAMES
    assert set(FUSIONS["full"]) - set(FUSIONS["fast"]) == set(WINDOW_COLUMNS)


def test_without_leaves_out_every_condition_of_a_set():
    parts = [Rows(base, condition, ()) for base in ("a", "b", "c") for condition in FITTED_ON]
    left = without(parts, "b")
    assert [(part.base, part.condition) for part in left] == [
        (base, condition) for base in ("a", "c") for condition in FITTED_ON
    ]
    assert without(parts, "") == parts


def test_trees_are_tested_on_sets_that_they_were_not_fitted_on(
    rows: list[Rows], monkeypatch: pytest.MonkeyPatch
):
    parts = [Rows(base, part.condition, part.questions) for base in "abc" for part in rows]
    fitted: list[set[str]] = []

    def note(given: Sequence[Rows], names: Sequence[str]):
        fitted.append({part.base for part in given})
        return fit(rows[:1], names, 1)

    monkeypatch.setattr(fit_fusion, "fit", note)
    report = held_out(parts)
    assert fitted == [{"b", "c"}] * 2 + [{"a", "c"}] * 2 + [{"a", "b"}] * 2
    assert list(report) == [name for base in "abc" for name in (base, f"{base}+lower_cased")]
    assert all(list(scores) == ["hybrid", "weights", "full", "fast"] for scores in report.values())


def test_a_column_that_decides_is_found(rows: list[Rows], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(fit_fusion.OPTIONS, "min_data_in_leaf", 5)  # type: ignore[arg-type]
    # A column of windows marks what is needed, so that `fast` must not find it.
    parts = [marked(rows[0], base, "window_top", seed) for seed, base in enumerate("abc")]
    monkeypatch.setattr(fit_fusion, "fit", partial(fit, trees=30))
    for scores in held_out(parts).values():
        assert scores["full"]["recall@5"] > 90
        for other in ("hybrid", "weights", "fast"):
            assert scores[other]["recall@5"] < 40


def test_recalls_are_those_of_the_metrics():
    documents = ("a", "b", "a", "c", "d", "e", "f")
    question = Judged(
        "q", "", documents, np.array([d in ("a", "e") for d in documents]), 3, np.zeros((7, len(NAMES)), np.float32),
        np.zeros(7), np.zeros(7),
    )  # fmt: skip
    # Passages of one document count where the best of them stands; of equals, the first.
    scores = np.array([0.1, 0.9, 0.8, 0.7, 0.7, 0.6, 0.2])
    assert ranked(question, scores) == ["b", "a", "c", "d", "e", "f"]
    found = recalls(Rows("x", "", (question,)), [scores])
    # Needed are three, one of them no candidate.
    assert found == {2: [pytest.approx(100 / 3)], 5: [pytest.approx(200 / 3)], 10: [pytest.approx(200 / 3)]}
    gold = {"a", "e", "not a candidate"}
    for k in KS:
        assert found[k] == [pytest.approx(100 * recall_at_k(ranked(question, scores), gold, k))]
    nothing = replace(question, needed=np.zeros(7, bool))
    assert recalls(Rows("x", "", (nothing,)), [scores]) == {k: [0.0] for k in KS}


@pytest.mark.parametrize("fusion", list(FUSIONS))
def test_what_is_fitted_does_in_a_search_what_the_fit_said(
    rows: list[Rows], root: Path, tmp_path: Path, fusion: str
):
    path = tmp_path / "trees.json"
    save_trees(fit(rows, FUSIONS[fusion], 15), path)
    trees = load_trees(path)
    asked = {question.id: question for question in TOY.questions}
    scores = [fused(question, trees) for question in rows[0].questions]
    said = recalls(rows[0], scores)
    with HippoRAG(root / TOY.name, embedder=HashingEmbedder(), config=weighing(str(path))) as rag:
        for place, (row, score) in enumerate(zip(rows[0].questions, scores, strict=True)):
            known = asked[row.question]
            hits = rag.retrieve(known.question, 20)
            ranking = [hit.passage.document_id for hit in hits]
            assert list(dict.fromkeys(ranking)) == ranked(row, score)[: len(set(ranking))]
            assert [hit.score for hit in hits] == pytest.approx(sorted(score, reverse=True)[:20], abs=1e-9)
            assert score.max() >= WEIGHT
            for k in KS:
                assert said[k][place] == pytest.approx(100 * recall_at_k(ranking, known.supporting, k))
    assert math.fsum(said[10]) > 0


def test_the_command_prints_and_writes(
    rows: list[Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    parts = [replace(part, base=base) for base in ("a", "b") for part in rows[:1]]
    monkeypatch.setattr(fit_fusion, "fit", partial(fit, trees=3))
    monkeypatch.setattr(fit_fusion, "rows_of", lambda *given, **named: parts)
    monkeypatch.setattr(fit_fusion, "load_embedder", lambda config: HashingEmbedder())
    folders = [tmp_path / "out", tmp_path / "held"]
    sample = str(Path(fit_fusion.__file__).parents[1] / "sample")
    monkeypatch.setattr(
        "sys.argv",
        ["fit_fusion", sample, "--out", str(folders[0]), "--held-out", str(folders[1])],
    )
    main()
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["a", "b"]
    assert set(printed["a"]["fast"]) == {f"recall@{k}" for k in KS}
    assert sorted(path.name for path in folders[0].iterdir()) == ["SHA256SUMS", "fast.json", "full.json"]
    assert sorted(path.name for path in folders[1].iterdir()) == ["a.json", "b.json"]
    assert set(load_trees(folders[0] / "fast.json").names) == set(FUSIONS["fast"])
    save_trees(fit(parts[:1], NAMES, 3), tmp_path / "b.json")
    assert (folders[1] / "b.json").read_bytes() == (tmp_path / "b.json").read_bytes()
