"""Synonyms against all pairs computed by hand, exact and by the inverted file."""

import numpy as np
import pytest

from hipporag_like.config import GraphConfig
from hipporag_like.indexing import synonyms
from hipporag_like.indexing.entities import Analysis
from hipporag_like.indexing.synonyms import synonym_pairs

NONE = np.zeros(0, np.int32)


def named(keys, alias=()):
    pairs = np.array(list(alias), np.int32).reshape(-1, 2)
    flags = np.zeros(len(keys), bool)
    return Analysis(
        list(keys), list(keys), NONE, NONE, NONE, {}, NONE, NONE, NONE, NONE, NONE, alias=pairs, is_term=flags
    )


def letters(n):
    """Keys without digits."""
    return ["".join(chr(97 + int(d)) for d in f"{i:05}") for i in range(n)]


def families(n_groups, size, dim=32, seed=0):
    """Unit vectors in groups: cosines of about 0.9 inside, about 0 between."""
    draw = np.random.default_rng(seed)
    centres = np.repeat(draw.standard_normal((n_groups, dim)), size, axis=0)
    vectors = centres + 0.33 * draw.standard_normal(centres.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def all_pairs(vectors, config):
    """Every i < j where one is among the other's nearest and near enough."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : config.synonym_neighbours]
    found = {
        (min(i, j), max(i, j)): float(cosines[i, j])
        for i, others in enumerate(nearest.tolist())
        for j in others
        if cosines[i, j] >= config.synonym_threshold
    }
    return found


@pytest.mark.parametrize("neighbours", [1, 3, 8])
@pytest.mark.parametrize("threshold", [0.7, 0.9])
def test_pairs_are_those_of_all_against_all(neighbours, threshold):
    vectors = families(40, 5)
    config = GraphConfig(synonym_neighbours=neighbours, synonym_threshold=threshold)
    wanted = all_pairs(vectors, config)
    pairs, weights = synonym_pairs(vectors, named(letters(200)), config)
    assert len(wanted) > 20
    assert [tuple(p) for p in pairs.tolist()] == sorted(wanted)
    np.testing.assert_allclose(weights, [wanted[p] for p in sorted(wanted)], atol=1e-6)
    assert (pairs.dtype, weights.dtype) == (np.int32, np.float32)


def test_the_inverted_file_finds_nearly_all_and_always_the_same(monkeypatch, capfd):
    vectors = families(300, 5)
    config = GraphConfig()
    wanted = set(all_pairs(vectors, config))
    monkeypatch.setattr(synonyms, "EXACT_LIMIT", 1000)
    runs = [synonym_pairs(vectors, named(letters(1500)), config) for _ in range(2)]
    found = {tuple(p) for p in runs[0][0].tolist()}
    assert found <= wanted
    assert len(found) > 0.9 * len(wanted)
    assert [part.tobytes() for part in runs[0]] == [part.tobytes() for part in runs[1]]
    assert capfd.readouterr() == ("", "")  # FAISS would rather have more to train on, and say so


def test_what_holds_a_digit_has_no_synonyms():
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    pairs, _ = synonym_pairs(vectors, named(["may 1911", "may 1912", "may", "june"]), GraphConfig())
    assert pairs.tolist() == []


def test_an_alias_is_a_pair_of_weight_one_whatever_the_vectors_say():
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    analysis = named(["jaws", "jaws 2 film", "sharks"], alias=[(1, 0)])
    pairs, weights = synonym_pairs(vectors, analysis, GraphConfig())
    assert pairs.tolist() == [[0, 1], [0, 2]]
    np.testing.assert_allclose(weights, [1, 1])


def test_an_alias_found_by_vectors_too_is_one_pair():
    vectors = np.array([[1, 0], [0.9, np.sqrt(1 - 0.81)]], np.float32)
    pairs, weights = synonym_pairs(vectors, named(["jaws", "jaws film"], alias=[(0, 1)]), GraphConfig())
    assert (pairs.tolist(), weights.tolist()) == ([[0, 1]], [1.0])


def test_no_neighbours_leaves_only_aliases():
    vectors = np.ones((3, 1), np.float32)
    config = GraphConfig(synonym_neighbours=0)
    pairs, _ = synonym_pairs(vectors, named(["ab", "cd", "ef"], alias=[(0, 2)]), config)
    assert pairs.tolist() == [[0, 2]]


def test_a_threshold_of_zero_leaves_out_what_has_nothing_in_common():
    """An edge without weight would make the walk divide by nothing."""
    vectors = np.eye(4, dtype=np.float32)
    pairs, _ = synonym_pairs(vectors, named(letters(4)), GraphConfig(synonym_threshold=0.0))
    assert pairs.tolist() == []


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_to_have_synonyms(n):
    pairs, weights = synonym_pairs(np.ones((n, 2), np.float32), named(letters(n)), GraphConfig())
    assert (pairs.shape, weights.shape) == ((0, 2), (0,))
