"""The default embedder against torch's numbers, a slow reading of the same weights, and itself."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import ModelError
from hipporag_like.models import bert, minilm
from hipporag_like.models.minilm import MiniLM, cut_windows
from hipporag_like.models.threads import map_threads, single_blas_thread
from hipporag_like.models.weights import WEIGHTS, find_weights
from hipporag_like.models.windows import window_spans

# Components 0, 1, 2, 100 and 383 of what sentence-transformers 6.2 on torch 2.13 (float32, CPU) gives.
TORCH = {
    "Who directed the film that won the award?": [-0.075728, 0.079627, -0.112427, 0.018547, 0.02391],
    "": [-0.118838, 0.048299, -0.002548, 0.035949, -0.015717],
    "Zürich liegt am Zürichsee. 東京は日本の首都です。": [0.093339, 0.137731, 0.117782, 0.07659, 0.007313],
}
LONG = " ".join(f"Clause {n} speaks of river {n * 7} and of town {n * 13}." for n in range(60))


@pytest.fixture(scope="module")
def model() -> MiniLM:
    try:
        return MiniLM(batch_tokens=512, dtype="float32")
    except ModelError as error:
        pytest.skip(str(error))


def slow_vector(tensors: dict[str, np.ndarray], pieces: list[int]) -> np.ndarray:
    """One text, float64, loops over heads, the textbook's formulas."""

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ tensors[f"{name}.weight"].T.astype(float) + tensors[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-12)
        return scaled * tensors[f"{name}.LayerNorm.weight"] + tensors[f"{name}.LayerNorm.bias"]

    words = tensors["embeddings.word_embeddings.weight"][pieces].astype(float)
    places = tensors["embeddings.position_embeddings.weight"][: len(pieces)]
    x = norm(words + places + tensors["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for layer in (f"encoder.layer.{number}" for number in range(6)):
        query, key, value = (dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for head in (slice(start, start + 32) for start in range(0, 384, 32)):
            weights = np.exp(query[:, head] @ key[:, head].T / math.sqrt(32))
            heads.append(weights / weights.sum(1, keepdims=True) @ value[:, head])
        attention = f"{layer}.attention.output"
        x = norm(dense(np.concatenate(heads, axis=1), f"{attention}.dense") + x, attention)
        wide = dense(x, f"{layer}.intermediate.dense")
        wide *= 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(dense(wide, f"{layer}.output.dense") + x, f"{layer}.output")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_equals_torch(model: MiniLM) -> None:
    rows = model.embed(list(TORCH))
    np.testing.assert_allclose(rows[:, [0, 1, 2, 100, 383]], list(TORCH.values()), atol=2e-6)


def test_equals_a_slow_reading_of_the_weights(model: MiniLM) -> None:
    tensors = bert.map_safetensors(find_weights() / WEIGHTS)
    texts = ["A short one.", "Ein längerer Satz über Flüsse, Städte und Brücken in Europa.", LONG[:700]]
    for text, row in zip(texts, model.embed(texts), strict=True):
        [pieces] = cut_windows(model.word_pieces([text])[0])
        expected = slow_vector(tensors, pieces)
        assert row @ expected > 0.999999
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_a_long_text_is_the_direction_of_its_windows_mean(model: MiniLM) -> None:
    tensors = bert.map_safetensors(find_weights() / WEIGHTS)
    windows = cut_windows(model.word_pieces([LONG])[0])
    assert len(windows) > 2
    mean = np.mean([slow_vector(tensors, window) for window in windows], axis=0)
    np.testing.assert_allclose(model.embed([LONG])[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_the_end_of_a_long_text_counts(model: MiniLM) -> None:
    one, other = model.embed([f"{LONG} Penguins live in Antarctica.", f"{LONG} The parliament passed a law."])
    assert one @ other < 0.999


def test_256_pieces_are_one_window_and_257_are_two() -> None:
    assert [len(w) for w in cut_windows([7] * 254)] == [256]
    assert len(cut_windows([7] * 255)) == 2


def test_vectors_do_not_depend_on_company_or_order(model: MiniLM) -> None:
    texts = [LONG[:size] for size in (3, 40, 41, 200, 900, 2500, 60, 61, 62)]
    together = model.embed(texts)
    backwards = model.embed(texts[::-1])[::-1]
    alone = np.concatenate([model.embed([text]) for text in texts])
    np.testing.assert_allclose(together, backwards, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_equal_texts_are_computed_once(model: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    real = bert.Bert.mean_pooled

    def counting(self: bert.Bert, texts: list[list[int]]) -> np.ndarray:
        computed.append(len(texts))
        return real(self, texts)

    monkeypatch.setattr(bert.Bert, "mean_pooled", counting)
    rows = model.embed(["same", "other", "same", "same"])
    assert sum(computed) == 2
    np.testing.assert_array_equal(rows[[2, 3]], rows[[0, 0]])


def test_batch_tokens_bound_a_forward_pass(model: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = bert.Bert.mean_pooled

    def counting(self: bert.Bert, texts: list[list[int]]) -> np.ndarray:
        sizes.append(sum(map(len, texts)))
        return real(self, texts)

    monkeypatch.setattr(bert.Bert, "mean_pooled", counting)
    model.embed([f"{n} {LONG[:300]}" for n in range(40)])
    assert max(sizes) <= 512
    assert len(sizes) > 1


def test_meaning_shows(model: MiniLM) -> None:
    question, right, wrong = model.embed(
        ["Who wrote the novel?", "The book's author was Jane Austen.", "Basalt is a volcanic rock."]
    )
    assert question @ right > question @ wrong + 0.2


def test_another_models_tokenizer_is_refused(model: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "VOCABULARY", 50_000)
    with pytest.raises(ModelError, match=r"tokenizer\.json is another model's"):
        MiniLM()


def test_gelu_is_exact_far_and_near() -> None:
    x = np.linspace(-40, 40, 150_000, dtype=np.float32).reshape(100, 1500)
    expected = 0.5 * x * (1 + np.vectorize(math.erf)(x.astype(float) / math.sqrt(2)))
    bert.gelu_(x)
    np.testing.assert_allclose(x, expected, atol=1e-6, rtol=2e-7)


def test_attention_survives_scores_beyond_exp() -> None:
    qkv = np.full((1, 3, 3 * 32), 40.0, np.float32)  # scores of 51,200: exp overflows at 89
    out = np.empty((1, 3, 32), np.float32)
    bert.attend(qkv, out, heads=1)
    np.testing.assert_allclose(out, 40.0, rtol=1e-6)


@given(st.integers(0, 3000), st.integers(20, 300), st.integers(0, 19))
def test_windows_cover_fit_and_overlap(length: int, room: int, overlap: int) -> None:
    spans = window_spans(length, room, overlap)
    assert spans[0][0] == 0
    assert spans[-1][1] == length
    assert len({stop - start for start, stop in spans}) == 1
    assert all(stop - start <= room for start, stop in spans)
    for (_, stop), (start, _) in zip(spans, spans[1:], strict=False):
        assert stop - start >= overlap - 1
    assert len(spans) == max(1, math.ceil((length - overlap) / (room - overlap))) or length <= room


def test_threads_keep_order_and_pass_errors_on() -> None:
    assert map_threads(lambda n: n * n, range(50), 4) == [n * n for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        map_threads(lambda n: 1 // n, [1, 0, 2], 2)


def test_blas_gets_its_threads_back_however_holders_interleave() -> None:
    from threadpoolctl import threadpool_info

    def numbers() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = numbers()
    first, second = single_blas_thread(), single_blas_thread()
    with first:
        second.__enter__()
        assert set(numbers()) <= {1}
    assert set(numbers()) <= {1}
    second.__exit__(None, None, None)
    assert numbers() == before


def test_several_threads_may_embed_at_once(model: MiniLM) -> None:
    texts = [LONG[:size] for size in (30, 300, 1500)]
    expected = model.embed(texts)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: model.embed(texts), range(8)):
            np.testing.assert_allclose(rows, expected, atol=1e-5)
