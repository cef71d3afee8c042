"""BM25 of a real index against rank-bm25 itself, called from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from hipporag_like.config import LexicalConfig
from hipporag_like.indexing.index import Segment
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval.lexical import bm25_scores, holding
from hipporag_like.text import STOPWORDS, words
from hipporag_like.types import Document

QUESTIONS = (
    "Where was the director of Jaws born?",
    "river river river",
    "Cincinnati Ohio city",
    "C++",
    "the of and",
    "nothing of that kind: zyzzyva",
    "🙂",
)


def segment_of(rag: HippoRAG) -> Segment:
    return rag._parts.index().segments["default"]


def tokens_of(text: str) -> list[str]:
    return [word for word in words(text) if word not in STOPWORDS]


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_engines_are_rank_bm25(films: HippoRAG, question: str):
    segment = segment_of(films)
    passages = [segment.passage(i) for i in range(segment.n_passages)]
    oracle = BM25Okapi([tokens_of(f"{p.title}\n{p.text}") for p in passages])
    expected = oracle.get_scores(tokens_of(question))
    config = LexicalConfig()
    assert bm25_scores(segment, question, config) == pytest.approx(expected, abs=1e-5)
    assert bm25_scores(segment, question, replace(config, engine="rank_bm25")) == pytest.approx(
        expected, abs=1e-9
    )


def test_other_parameters_are_rank_bm25_too(make_rag: Callable[..., HippoRAG], film_list: list[Document]):
    lexical = LexicalConfig(k1=0.9, b=0.4, epsilon=0.1)
    segment = segment_of(make_rag(film_list, lexical=lexical))
    passages = [segment.passage(i) for i in range(segment.n_passages)]
    oracle = BM25Okapi([tokens_of(f"{p.title}\n{p.text}") for p in passages], k1=0.9, b=0.4, epsilon=0.1)
    for question in QUESTIONS:
        expected = oracle.get_scores(tokens_of(question))
        assert bm25_scores(segment, question, lexical) == pytest.approx(expected, abs=1e-5)


def test_a_repeated_word_counts_as_often_as_it_is_said(films: HippoRAG):
    segment = segment_of(films)
    once = bm25_scores(segment, "river", LexicalConfig())
    assert once.max() > 0
    assert bm25_scores(segment, "river river", LexicalConfig()) == pytest.approx(2 * once)


def test_which_passages_hold_a_word(films: HippoRAG):
    segment = segment_of(films)
    expected = ["tyne" in words(segment.passage(i).text) for i in range(segment.n_passages)]
    assert holding(segment, "the Tyne, or zyzzyva?").tolist() == expected
    assert sum(expected) == 2
    assert not holding(segment, "the of and").any()


@pytest.mark.parametrize("engine", ["eager", "rank_bm25"])
@pytest.mark.parametrize("texts", [["It is what it is."], ["Red herring."], ["Red herring.", "Blue whale."]])
def test_a_word_is_found_in_the_smallest_corpus(
    make_rag: Callable[..., HippoRAG], texts: Sequence[str], engine: str
):
    rag = make_rag(texts, lexical=LexicalConfig(engine=engine))
    found = [hit.passage.text for hit in rag.retrieve("red whatever", method="bm25")]
    assert found == [text for text in texts if "Red" in text]
    assert np.isfinite(bm25_scores(segment_of(rag), "red what", rag.config.lexical)).all()
