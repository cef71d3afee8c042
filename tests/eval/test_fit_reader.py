"""The fit of the reader's weights, on the shipped sample with the embedder without weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.errors import InputError
from hipporag_like.eval.benchmarks.fit_reader import fitted, held_out, left_out, main
from hipporag_like.eval.benchmarks.fit_reader_rows import (
    Plan,
    Sheet,
    fit_confidence,
    fit_spans,
    judge_all,
    pick,
    read_sheets,
)
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.models.reader_features import FEATURES
from hipporag_like.models.reader_score import CALIBRATION, WEIGHTS, best_candidate, confidence_values
from hipporag_like.rag import HippoRAG

SAMPLE = load_dataset(Path(__file__).resolve().parents[2] / "eval" / "sample")
PLAN = Plan("sample", passages=8)
SHIPPED = np.array([WEIGHTS[name] for name in FEATURES])


@pytest.fixture(scope="module")
def sample_rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HippoRAG]:
    with HippoRAG(tmp_path_factory.mktemp("fit") / "index", embedder=HashingEmbedder()) as rag:
        rag.index(SAMPLE.documents)
        yield rag


@pytest.fixture(scope="module")
def sheets(sample_rag: HippoRAG) -> list[Sheet]:
    return read_sheets(sample_rag, SAMPLE.questions, PLAN)


def test_constants_come_out_in_their_order_and_twice_the_same(
    sample_rag: HippoRAG, sheets: list[Sheet]
) -> None:
    once = fitted(sheets)
    assert tuple(once["WEIGHTS"]) == tuple(WEIGHTS) == FEATURES
    assert tuple(once["CALIBRATION"]) == tuple(CALIBRATION)
    assert all(np.isfinite(x) for x in (*once["WEIGHTS"].values(), *once["CALIBRATION"].values()))
    assert fitted(read_sheets(sample_rag, SAMPLE.questions, PLAN)) == once


def test_fitted_weights_answer_better_than_none(sheets: list[Sheet]) -> None:
    def mean_f1(weights: np.ndarray) -> float:
        best = [(s, pick(s, weights)) for s in sheets]
        return float(np.mean([s.f1[s.found.index(b.candidate)] if b else 0.0 for s, b in best]))

    assert mean_f1(fit_spans(sheets)) > mean_f1(np.zeros(len(FEATURES))) + 0.2


def test_picks_with_the_shipped_weights_are_the_readers(sample_rag: HippoRAG, sheets: list[Sheet]) -> None:
    for sheet in sheets:
        best, own = pick(sheet, SHIPPED), best_candidate(sheet.view, sheet.found)
        assert best is not None and own is not None
        assert best.candidate == own.candidate
        assert best.probability == pytest.approx(own.probability, rel=1e-4)
    for sheet in sheets[:5]:
        question = SAMPLE.questions[sheet.number].question
        answer = sample_rag.reader.read(question, sample_rag.explain(question, PLAN.passages))
        best = pick(sheet, SHIPPED)
        assert best is not None and answer.text in (None, sheet.view.text(best.candidate.place))


def test_a_feature_that_marks_the_answer_gets_the_weight(sheets: list[Sheet]) -> None:
    marked = []
    for sheet in sheets:
        values = np.zeros_like(sheet.values)
        values[:, 3] = sheet.f1 > 0.4
        marked.append(replace(sheet, values=values))
    weights = fit_spans(marked)
    assert weights[3] > 3
    assert np.count_nonzero(weights) == 1


def test_confidence_follows_the_value_that_tells_right_from_wrong(sheets: list[Sheet]) -> None:
    rows = judge_all(sheets, SHIPPED)
    told = [replace(r, values=(1.0, 1.0 if r.right else -1.0)) for r in rows]
    bias, telling = fit_confidence(told)
    assert telling > 2 > abs(bias)
    assert len(rows[0].values) == len(CALIBRATION)
    best = pick(sheets[0], SHIPPED)
    assert best is not None and rows[0].values == tuple(confidence_values(sheets[0].view, best).values())


def test_a_half_is_tested_by_the_weights_of_the_other(sheets: list[Sheet]) -> None:
    other = fit_spans([s for s in sheets if s.number % 2 == 0])
    odd = [s for s in sheets if s.number % 2]
    picks = [(s, pick(s, other)) for s in odd]
    f1 = np.mean([s.f1[s.found.index(b.candidate)] if b else 0.0 for s, b in picks])
    scores = held_out(sheets)["fitted on even, tested on odd"]["spans"]["sample"]
    assert scores["questions"] == len(odd)
    assert scores["f1"] == pytest.approx(100 * f1, abs=0.06)


def test_a_set_left_out_is_tested_by_the_weights_of_the_other_sets(sheets: list[Sheet]) -> None:
    named = [replace(s, dataset="even" if s.number % 2 == 0 else "odd") for s in sheets]
    scores = left_out(named)
    assert set(scores) == {"even", "odd"}
    halves = held_out(sheets)["fitted on even, tested on odd"]["spans"]["sample"]
    assert scores["odd"]["spans"] == pytest.approx(halves)


def test_foreign_questions_are_wrong_and_thinning_leaves_them_out_of_the_confidence_only(
    sample_rag: HippoRAG, sheets: list[Sheet]
) -> None:
    foreign = read_sheets(sample_rag, SAMPLE.questions[:6], replace(PLAN, foreign=True))
    assert foreign and not any(row.right for row in judge_all(foreign, SHIPPED))
    with pytest.raises(InputError, match="no question has its answer"):
        fit_spans(foreign)
    with pytest.raises(InputError, match="all right or all wrong"):
        fit_confidence(judge_all(foreign, SHIPPED))
    thin = read_sheets(sample_rag, SAMPLE.questions[:6], replace(PLAN, thin=3))
    assert [s.number for s in thin if s.calibrates] == [s.number for s in thin if s.number % 3 == 0]
    assert len(thin) == len([s for s in sheets if s.number < 6])


def test_one_value_a_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["one", "two", "--weights", "1"])
    assert stop.value.code == 2
    assert "--weights takes one value a data set, 2, got 1" in capsys.readouterr().err
