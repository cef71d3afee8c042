"""Numbers of several namespaces on one scale and in one order."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.retrieval.question_entities import _rules, entities_by_rules
from hipporag_like.retrieval.ranked import best_of, min_max, similarities

PARTS = st.lists(
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 3.0]), max_size=6).map(np.array), min_size=1, max_size=4
)


@given(PARTS)
def test_the_scale_is_that_of_all_parts_together(parts):
    whole = np.concatenate(parts)
    found = min_max(parts)
    assert [len(part) for part in found] == [len(part) for part in parts]
    together = np.concatenate(found)
    if len(whole) == 0:
        return
    width = whole.max() - whole.min()
    expected = (whole - whole.min()) / width if width else np.ones(len(whole))
    np.testing.assert_allclose(together, expected)


@given(PARTS, st.integers(1, 9))
def test_the_best_of_all_parts(parts, k):
    everything = [(part, i, float(v)) for part, values in enumerate(parts) for i, v in enumerate(values)]
    assert best_of(parts, k) == sorted(everything, key=lambda item: (-item[2], item[0], item[1]))[:k]


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
@pytest.mark.parametrize("dim", [1, 3, 8, 384])
def test_similarities_are_inner_products(n, dim):
    draw = np.random.default_rng(n + dim)
    rows = draw.standard_normal((n, dim)).astype(np.float32)
    vector = draw.standard_normal(dim).astype(np.float32)
    found = similarities(rows, vector)
    assert (found.dtype, found.shape) == (np.float32, (n,))
    np.testing.assert_allclose(found, rows @ vector, atol=1e-4)


def test_similarities_of_mapped_and_strided_rows(tmp_path: Path):
    rows = np.random.default_rng(5).standard_normal((50, 24)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    vector = rows[7]
    np.testing.assert_allclose(similarities(mapped, vector), rows @ vector, atol=1e-5)
    np.testing.assert_allclose(
        similarities(mapped[::2, ::3], vector[::3]), rows[::2, ::3] @ vector[::3], atol=1e-5
    )


def test_the_pipeline_that_finds_entities_is_made_once_a_thread():
    assert _rules() is _rules()
    others, answers = [], []

    def work():
        others.append(_rules())
        answers.extend(
            tuple(entities_by_rules("Did Ada Berg meet Otto Lund in May 1951?")) for _ in range(20)
        )

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(other) for other in [*others, _rules()]}) == 4
    assert set(answers) == {("Ada Berg", "Otto Lund", "May 1951")}
