"""Synonyms of entities, by their names' vectors and by their form, against all pairs computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from hipporag_like.config import GraphConfig
from hipporag_like.indexing.corpus import empty
from hipporag_like.indexing.packed import strings_of
from hipporag_like.indexing.ragged import Rows2, starts_of
from hipporag_like.indexing.synonyms import near_names, no_names, synonym_rows


def named(keys, alias=()):
    """A corpus of entities; each pair names the title of one passage."""
    titles = np.array(list(alias), np.int32).reshape(-1)
    reading = replace(empty().reading, titles=starts_of(np.full(len(alias), 2)), title=titles)
    return replace(empty(), keys=strings_of(list(keys)), reading=reading)


def synonyms_of(vectors, corpus, config):
    n = len(vectors)
    near = near_names(vectors, corpus.keys, None, Rows2(np.arange(n)), np.zeros(n, bool), config)
    return synonym_rows(near, corpus, config)


def synonym_pairs(vectors, corpus, config):
    """Pairs, smaller number first, sorted, and their weights; every one must lead both ways and weigh the same."""
    rows = synonyms_of(vectors, corpus, config)
    pairs, weights, back = [], [], {}
    for i in range(len(vectors)):
        for j, weight in zip(*(part.tolist() for part in rows.row(i)), strict=True):
            assert i != j
            if i < j:
                pairs.append((i, j))
                weights.append(weight)
            else:
                back[j, i] = weight
    assert back == dict(zip(pairs, weights, strict=True))
    return np.array(pairs, np.int32).reshape(-1, 2), np.array(weights, np.float32)


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


def test_types_are_those_of_the_walk():
    rows = synonyms_of(families(40, 5), named(letters(200)), GraphConfig())
    assert (rows.indptr.dtype, rows.indices.dtype, rows.weights.dtype) == (np.int32, np.int32, np.float32)
    assert len(rows.indptr) == 201
    for i in range(200):
        assert (np.diff(rows.row(i)[0]) > 0).all()


def test_what_holds_a_digit_has_no_synonyms():
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    pairs, _ = synonym_pairs(vectors, named(["may 1911", "may 1912", "may", "june"]), GraphConfig())
    assert pairs.tolist() == []


def test_an_alias_is_a_pair_of_weight_one_whatever_the_vectors_say():
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    corpus = named(["jaws", "jaws 2 film", "sharks"], alias=[(0, 1)])
    pairs, weights = synonym_pairs(vectors, corpus, GraphConfig())
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


def test_equally_near_names_are_chosen_by_number():
    """One neighbour each, all alike: the first of the others."""
    vectors = np.ones((4, 1), np.float32)
    pairs, _ = synonym_pairs(vectors, named(letters(4)), GraphConfig(synonym_neighbours=1))
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3]]


def test_without_vectors_of_names_there_are_aliases():
    rows = synonym_rows(no_names(), named(["x", "x band", "y"], alias=[(0, 1), (0, 1)]), GraphConfig())
    assert (rows.indptr.tolist(), rows.indices.tolist()) == ([0, 1, 2, 2], [1, 0])
    assert rows.weights.tolist() == [1.0, 1.0]


def test_a_title_that_is_one_name_is_nothings_alias():
    corpus = named(["x", "y"])
    corpus = replace(
        corpus,
        reading=replace(corpus.reading, titles=np.array([0, 1, 1, 2]), title=np.array([0, 1], np.int32)),
    )
    assert synonym_rows(no_names(), corpus, GraphConfig()).indices.tolist() == []
