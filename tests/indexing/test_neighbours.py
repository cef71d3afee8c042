"""The nearest rows of each row: exact, and by the inverted file where rows are many."""

import numpy as np

from hipporag_like.indexing import neighbours
from hipporag_like.indexing.neighbours import nearest_neighbours


def clusters(n_groups, size, dim=32, seed=0):
    """Unit vectors in groups: cosines of about 0.9 inside, about 0 between."""
    draw = np.random.default_rng(seed)
    centres = np.repeat(draw.standard_normal((n_groups, dim)), size, axis=0)
    vectors = centres + 0.33 * draw.standard_normal(centres.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def nearest_by_hand(vectors, k):
    return np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")[:, :k]


def test_all_are_compared_up_to_the_limit():
    vectors = clusters(20, 5)
    cosine, row = nearest_neighbours(vectors, 5)
    wanted = nearest_by_hand(vectors, 5)
    assert row.tolist() == wanted.tolist()
    np.testing.assert_allclose(cosine, np.take_along_axis(vectors @ vectors.T, wanted, axis=1), atol=1e-6)


def test_the_inverted_file_finds_nearly_all_and_always_the_same(monkeypatch, capfd):
    vectors = clusters(300, 5)
    monkeypatch.setattr(neighbours, "EXACT_LIMIT", 1000)
    runs = [nearest_neighbours(vectors, 5) for _ in range(2)]
    wanted = nearest_by_hand(vectors, 5)
    shared = [len({*a} & {*b}) for a, b in zip(runs[0][1].tolist(), wanted.tolist(), strict=True)]
    assert sum(shared) > 0.9 * wanted.size
    assert [part.tobytes() for part in runs[0]] == [part.tobytes() for part in runs[1]]
    assert capfd.readouterr() == ("", "")  # FAISS would rather have more to train on, and say so
