"""Postings: their form, and one score by hand. That all scores are rank-bm25's is tests/oracles' business."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.lexical import build_postings
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.types import Passage

CORPORA = st.lists(st.lists(st.sampled_from("ab cd ef gh".split()), max_size=8), max_size=8)


def test_a_score_by_hand():
    # Five passages, four tokens: mean length 0.8. "owl" is in one: idf = ln(4.5 / 1.5) = ln 3. It is twice
    # in a passage of 3: 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 3 / 0.8)) = 5 / 6.59375.
    postings = build_postings([["owl", "fox", "owl"], ["cat"], [], [], []], LexicalConfig())
    row = postings.terms.index("owl")
    assert postings.passage[postings.indptr[row] : postings.indptr[row + 1]].tolist() == [0]
    assert postings.score[postings.indptr[row]] == pytest.approx(np.log(3) * 5 / 6.59375, rel=1e-6)


@settings(max_examples=80, deadline=None)
@given(CORPORA)
def test_postings_hold_every_word_once_a_passage(corpus):
    postings = build_postings(corpus, LexicalConfig())
    assert postings.terms == sorted({word for passage in corpus for word in passage})
    assert len(postings.indptr) == len(postings.terms) + 1
    assert postings.indptr[-1] == len(postings.passage) == len(postings.score)
    for row, term in enumerate(postings.terms):
        passages = postings.passage[postings.indptr[row] : postings.indptr[row + 1]].tolist()
        assert passages == [i for i, passage in enumerate(corpus) if term in passage]


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_words_has_no_postings(corpus):
    postings = build_postings(corpus, LexicalConfig())
    assert postings.terms == []
    assert postings.indptr.tolist() == [0]
    assert len(postings.passage) == 0


def test_types_are_those_of_the_index():
    postings = build_postings([["a", "b"], ["b"]], LexicalConfig())
    types = postings.indptr.dtype, postings.passage.dtype, postings.score.dtype
    assert types == (np.int64, np.int32, np.float32)


def test_function_words_are_left_out_and_titles_let_in():
    assert lexical_tokens("The Lord of the Rings, by Müller") == ["lord", "rings", "muller"]
    passage = Passage("a#0", "a", "It is an owl.", 0, 13, title="Strix")
    assert lexical_tokens(passage_text(passage)) == ["strix", "owl"]
