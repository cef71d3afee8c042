"""Bulk embedding in bfloat16 against float32, against float64 products, and against itself in other company."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import ModelError
from hipporag_like.models import bf16_kernel, bf16_layers, minilm
from hipporag_like.models.bf16_attention import attend
from hipporag_like.models.bf16_kernel import has_bf16
from hipporag_like.models.minilm import MiniLM

needs_bf16 = pytest.mark.skipif(not has_bf16(), reason="this processor does not multiply bfloat16")
TEXTS = [
    "",
    "A short one.",
    "Zürich liegt am Zürichsee. 東京は日本の首都です。",
    *(" ".join(f"Clause {n} speaks of river {n * seed}." for n in range(seed)) for seed in (2, 5, 9, 20, 41)),
]


@pytest.fixture(scope="module")
def fast() -> MiniLM:
    try:
        return MiniLM(batch_tokens=512, dtype="bfloat16")
    except ModelError as error:
        pytest.skip(str(error))


def rounded(matrix: np.ndarray) -> np.ndarray:
    """To bfloat16 and back, by hand: 8 bits of mantissa, ties to even."""
    mantissa, exponent = np.frexp(matrix.astype(np.float64))
    return np.ldexp(np.rint(np.ldexp(mantissa, 8)), exponent - 8).astype(np.float32)


def halves_of(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((rounded(matrix).view(np.uint32) >> 16).astype(np.uint16))


def floats_of(halves: np.ndarray) -> np.ndarray:
    return (halves.astype(np.uint32) << 16).view(np.float32)


@needs_bf16
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 210), st.sampled_from([(64, 64), (384, 128), (128, 1152)]), st.integers(0, 2**32 - 1))
def test_a_product_is_that_of_the_rounded_matrices(rows: int, shape: tuple[int, int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    inner, columns = shape
    left = np.zeros((rows + 6, inner), np.float32)
    left[:rows] = draw.standard_normal((rows, inner))
    right = draw.standard_normal((inner, columns)).astype(np.float32)
    bias = draw.standard_normal(columns).astype(np.float32)
    total = np.ones((rows + 6, columns), np.float32)
    padded = (rows + 5) // 6 * 6
    halves = halves_of(left)
    bf16_layers.add_product(total[:padded], halves[:padded], bf16_layers.pack(right), bias)
    expected = rounded(left).astype(np.float64) @ rounded(right) + bias + 1
    np.testing.assert_allclose(total[:rows], expected[:rows], atol=2e-4)
    np.testing.assert_array_equal(total[padded:], 1)


@needs_bf16
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 130), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_attention_is_the_textbooks(lengths: list[int], seed: int) -> None:
    heads, width = 2, 64
    tokens = sum(lengths)
    qkv = rounded(np.random.default_rng(seed).standard_normal((tokens + 6, 3 * width)))
    qkv[tokens:] = np.nan  # what lies behind the last text must not show
    context = np.zeros((tokens + 6, width), np.uint16)
    attend(halves_of(qkv), np.array(lengths), heads, context)
    expected = np.zeros((tokens, width))
    for stop, length in zip(np.cumsum(lengths), lengths, strict=True):
        own = qkv[stop - length : stop].astype(np.float64).reshape(length, 3, heads, 32)
        for head in range(heads):
            query, key, value = own[:, :, head].transpose(1, 0, 2)
            scores = query @ key.T
            weights = np.exp(scores - scores.max(1, keepdims=True))
            expected[stop - length : stop, head * 32 : head * 32 + 32] = (
                weights / weights.sum(1, keepdims=True) @ value
            )
    np.testing.assert_allclose(floats_of(context[:tokens]), expected, atol=0.03)
    assert not context[tokens:].any()


@needs_bf16
def test_vectors_are_those_of_float32(fast: MiniLM) -> None:
    exact = MiniLM(dtype="float32")
    cosines = np.einsum("ij,ij->i", fast.embed(TEXTS), exact.embed(TEXTS))
    assert cosines.min() > 0.9995
    assert not np.array_equal(fast.embed(TEXTS), exact.embed(TEXTS))  # else bfloat16 was not used
    assert fast.fingerprint == exact.fingerprint


@needs_bf16
def test_a_vector_is_the_same_to_the_bit_in_any_company(fast: MiniLM) -> None:
    together = fast.embed(TEXTS)
    np.testing.assert_array_equal(fast.embed(TEXTS[::-1])[::-1], together)
    np.testing.assert_array_equal(np.concatenate([fast.embed([text]) for text in TEXTS]), together)
    np.testing.assert_array_equal(MiniLM(dtype="auto", batch_tokens=4096).embed(TEXTS), together)


def test_questions_are_embedded_in_float32(fast: MiniLM) -> None:
    exact = MiniLM(dtype="float32")
    np.testing.assert_array_equal(fast.embed(["Who?"], "query"), exact.embed(["Who?"], "query"))


def test_a_processor_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bf16_kernel, "has_bf16", lambda: False)
    try:
        auto, exact, asked = (MiniLM(dtype=dtype) for dtype in ("auto", "float32", "bfloat16"))
    except ModelError as error:
        pytest.skip(str(error))
    np.testing.assert_array_equal(auto.embed(["One text."]), exact.embed(["One text."]))
    assert asked.embed(["A question?"], "query").shape == (1, 384)
    with pytest.raises(ModelError, match="AVX512-BF16"):
        asked.embed(["One text."])


def test_numba_told_of_another_processor_gets_no_instruction_that_it_lacks() -> None:
    code = (
        "from hipporag_like.models.minilm import MiniLM\n"
        "from hipporag_like.models.bf16_kernel import has_bf16\n"
        "assert not has_bf16()\n"
    )
    told = {**os.environ, "NUMBA_CPU_NAME": "generic"}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_bf16
def test_gelu_is_exact_far_and_near() -> None:
    import math

    x = np.linspace(-40, 40, 20_001, dtype=np.float32)
    found = np.array([bf16_layers.gelu(v) for v in x])
    expected = 0.5 * x * (1 + np.vectorize(math.erf)(x.astype(float) / math.sqrt(2)))
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=5e-7)


def test_float32_needs_no_compiler() -> None:
    code = (
        "import sys\n"
        "from hipporag_like.models.minilm import MiniLM\n"
        "MiniLM().embed(['A question?'], 'query'); MiniLM(dtype='float32').embed(['A text.'])\n"
        "assert 'numba' not in sys.modules\n"
    )
    try:
        minilm.find_weights(None)
    except ModelError as error:
        pytest.skip(str(error))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
