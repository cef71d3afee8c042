"""Postings: their form. That scores from them are rank-bm25's is the business of tests/oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.kernels import transpose
from hipporag_like.indexing.lexical import build_postings, postings_of
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.types import Passage

CORPORA = st.lists(st.lists(st.sampled_from("ab cd ef gh".split()), max_size=8), max_size=8)


def test_postings_by_hand():
    postings = build_postings([["owl", "fox", "owl"], ["cat"], [], ["owl"]])
    assert postings.terms == ["cat", "fox", "owl"]
    assert postings.indptr.tolist() == [0, 1, 2, 4]
    assert postings.passage.tolist() == [1, 0, 0, 3]
    assert postings.count.tolist() == [1, 1, 2, 1]
    assert postings.length.tolist() == [3, 1, 0, 1]


@settings(max_examples=80, deadline=None)
@given(CORPORA)
def test_postings_hold_every_word_once_a_passage(corpus):
    postings = build_postings(iter(corpus))
    assert postings.terms == sorted({word for passage in corpus for word in passage})
    assert postings.length.tolist() == [len(passage) for passage in corpus]
    assert postings.indptr[-1] == len(postings.passage) == len(postings.count)
    for row, term in enumerate(postings.terms):
        part = slice(postings.indptr[row], postings.indptr[row + 1])
        held = [(i, passage.count(term)) for i, passage in enumerate(corpus) if term in passage]
        assert list(zip(postings.passage[part].tolist(), postings.count[part].tolist(), strict=True)) == held


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(1, 12))
def test_both_sorts_turn_rows_of_passages_into_rows_of_terms(seed, n_passages, n_terms):
    draw = np.random.default_rng(seed)
    table = draw.integers(0, 4, (n_passages, n_terms)).astype(np.uint16)  # 0: not there
    indptr = np.append(0, np.cumsum((table > 0).sum(axis=1))).astype(np.int64)
    order = [draw.permutation(np.flatnonzero(row)) for row in table]
    term = np.concatenate([np.zeros(0, np.int64), *order]).astype(np.int32)
    count = table[np.repeat(np.arange(n_passages), np.diff(indptr)), term]
    for sort in (postings_of, transpose):
        starts, passage, times = sort(indptr, term, count, n_terms)
        assert (starts.dtype, passage.dtype, times.dtype) == (np.int64, np.int32, np.uint16)
        assert len(starts) == n_terms + 1
        for t in range(n_terms):
            part = slice(starts[t], starts[t + 1])
            assert passage[part].tolist() == np.flatnonzero(table[:, t]).tolist()
            assert times[part].tolist() == table[table[:, t] > 0, t].tolist()


def test_many_rows_take_the_compiled_sort(monkeypatch):
    from hipporag_like.indexing import lexical

    rows = np.array([0, 2, 3], np.int64), np.array([1, 0, 1], np.int32), np.array([5, 6, 7], np.uint16)
    by_numpy = postings_of(*rows, 2)
    monkeypatch.setattr(lexical, "_SORTED_BY_NUMPY", 0)
    monkeypatch.setattr(lexical.np, "argsort", None)
    for one, other in zip(by_numpy, postings_of(*rows, 2), strict=True):
        assert one.tolist() == other.tolist()


def test_a_word_that_fills_a_passage_is_counted_as_far_as_the_type_goes():
    postings = build_postings([["owl"] * 70_000])
    assert postings.count.tolist() == [65_535]
    assert postings.length.tolist() == [70_000]


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_words_has_no_postings(corpus):
    postings = build_postings(corpus)
    assert postings.terms == []
    assert postings.indptr.tolist() == [0]
    assert len(postings.passage) == 0
    assert postings.length.tolist() == [0] * len(corpus)


def test_types_are_those_of_the_index():
    postings = build_postings([["a", "b"], ["b"]])
    types = postings.indptr.dtype, postings.passage.dtype, postings.count.dtype, postings.length.dtype
    assert types == (np.int64, np.int32, np.uint16, np.int32)


def test_function_words_are_left_out_and_titles_let_in():
    assert lexical_tokens("The Lord of the Rings, by Müller") == ["lord", "rings", "muller"]
    passage = Passage("a#0", "a", "It is an owl.", 0, 13, title="Strix")
    assert lexical_tokens(passage_text(passage)) == ["strix", "owl"]
