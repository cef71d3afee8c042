"""BM25 of a real index against rank-bm25 itself, called from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from hipporag_like.config import LexicalConfig
from hipporag_like.eval.benchmarks.lexical import segment_of as postings_segment
from hipporag_like.eval.benchmarks.lexical import synthetic
from hipporag_like.indexing.index import Segment
from hipporag_like.indexing.lexical import build_postings
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval import lexical
from hipporag_like.retrieval.lexical import bm25_at, bm25_top
from hipporag_like.retrieval.maxscore import WINDOW
from hipporag_like.retrieval.topk import top_k
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


def bm25_scores(segment: Segment, question: str, config: LexicalConfig) -> np.ndarray:
    return bm25_at(segment, question, np.arange(segment.n_passages), config)


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


@pytest.mark.parametrize("engine", ["eager", "rank_bm25"])
def test_the_best_are_those_of_all_scores(films: HippoRAG, engine: str):
    segment, config = segment_of(films), LexicalConfig(engine=engine)
    odd = np.arange(segment.n_passages) % 2 == 1
    for question in QUESTIONS:
        scores = bm25_scores(segment, question, config)
        for k in (1, 3, 1000):
            for mask in (None, odd):
                found, values = bm25_top(segment, question, k, config, mask)
                good = np.flatnonzero(scores > 0 if mask is None else mask & (scores > 0))
                expected = sorted(sorted(good.tolist(), key=lambda i: (-scores[i], i))[:k])
                assert found.tolist() == expected
                assert values.tolist() == scores[expected].tolist()


def test_some_passages_in_any_order(films: HippoRAG):
    segment = segment_of(films)
    every = bm25_scores(segment, QUESTIONS[0], LexicalConfig())
    some = np.array([3, 0, 3, segment.n_passages - 1])
    assert bm25_at(segment, QUESTIONS[0], some, LexicalConfig()).tolist() == every[some].tolist()
    assert len(bm25_at(segment, QUESTIONS[0], some[:0], LexicalConfig())) == 0


@pytest.mark.parametrize("engine", ["eager", "rank_bm25"])
@pytest.mark.parametrize("texts", [["It is what it is."], ["Red herring."], ["Red herring.", "Blue whale."]])
def test_a_word_is_found_in_the_smallest_corpus(
    make_rag: Callable[..., HippoRAG], texts: Sequence[str], engine: str
):
    rag = make_rag(texts, lexical=LexicalConfig(engine=engine))
    found = [hit.passage.text for hit in rag.retrieve("red whatever", method="bm25")]
    assert found == [text for text in texts if "Red" in text]
    assert np.isfinite(bm25_scores(segment_of(rag), "red what", rag.config.lexical)).all()


VOCABULARY = [f"w{i}" for i in range(12)]


def brute(
    corpus: Sequence[Sequence[str]], question: str, k: int, config: LexicalConfig, mask: np.ndarray | None
) -> tuple[list[int], list[float]]:
    """Return the best passages of all scores; where none is above 0, of those that hold a word."""
    scores = bm25_scores(postings_segment(build_postings(corpus)), question, config)
    allowed = [i for i in range(len(corpus)) if mask is None or mask[i]]
    good = [i for i in allowed if scores[i] > 0]
    good = good or [i for i in allowed if set(corpus[i]) & set(question.split())]
    best = sorted(sorted(good, key=lambda i: (-scores[i], i))[:k])
    return best, scores[best].tolist()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=9), min_size=1, max_size=40),
    st.lists(st.sampled_from([*VOCABULARY, "unheard"]), max_size=8),
    st.integers(1, 12),
    st.builds(LexicalConfig, k1=st.floats(0, 5), b=st.floats(0, 1), epsilon=st.floats(0, 2)),
    st.data(),
)
def test_pruning_changes_nothing(
    corpus: list[list[str]], said: list[str], k: int, config: LexicalConfig, data: st.DataObject
):
    n = len(corpus)
    drawn = data.draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n))
    mask = None if drawn is None else np.array(drawn, dtype=bool)
    segment, question = postings_segment(build_postings(corpus)), " ".join(said)
    expected = brute(corpus, question, k, config, mask)
    with pytest.MonkeyPatch.context() as patch:
        for limit in (lexical.ADDED_UP, -1):  # numpy, then the compiled code
            patch.setattr(lexical, "ADDED_UP", limit)
            passages, scores = bm25_top(segment, question, k, config, mask)
            assert (passages.tolist(), scores.tolist()) == expected
            assert (passages.dtype, scores.dtype) == (np.int64, np.float64)


def test_pruning_over_many_windows(monkeypatch: pytest.MonkeyPatch):
    postings, questions = synthetic(3 * WINDOW, 40)
    segment, config = postings_segment(postings), LexicalConfig()
    n = len(postings.length)
    masks = [None, np.arange(n) % 3 == 0, np.arange(n) == n - 1]
    for number, question in enumerate([*questions, "w0 w1 w2", "w0", f"{questions[0]} {questions[0]}"]):
        scores = bm25_scores(segment, question, config)
        for k in (1, 101):
            mask = masks[number % 3]
            good = scores > 0 if mask is None else mask & (scores > 0)
            expected = np.sort(top_k(scores, k, good))
            monkeypatch.setattr(lexical, "ADDED_UP", -1)
            passages, values = bm25_top(segment, question, k, config, mask)
            assert passages.tolist() == expected.tolist()
            assert values.tolist() == scores[expected].tolist()


def test_equal_passages_are_cut_by_their_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lexical, "ADDED_UP", -1)
    corpus = [["owl", "cat"] if i % 2 else ["fox", "cat"] for i in range(2 * WINDOW)]
    corpus += [[f"x{i}"] for i in range(3 * WINDOW)]
    segment = postings_segment(build_postings(corpus))
    found, scores = bm25_top(segment, "cat owl", 5, LexicalConfig())
    assert found.tolist() == [1, 3, 5, 7, 9]
    assert len(set(scores.tolist())) == 1
