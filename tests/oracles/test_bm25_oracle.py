"""BM25 postings against rank-bm25's BM25Okapi, score by score."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from hipporag_like.config import LexicalConfig
from hipporag_like.eval.benchmarks.lexical import segment_of
from hipporag_like.indexing.lexical import build_postings
from hipporag_like.indexing.texts import lexical_tokens
from hipporag_like.retrieval.lexical import bm25_at

SAMPLE = Path(__file__).parents[2] / "eval" / "sample"
WORDS = st.sampled_from("ab cd ef gh ij kl mn".split())
CORPORA = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=12)


def our_scores(corpus, config, query):
    segment = segment_of(build_postings(corpus))
    return bm25_at(segment, " ".join(query), np.arange(len(corpus)), config)


def their_scores(corpus, config, query):
    return BM25Okapi(corpus, k1=config.k1, b=config.b, epsilon=config.epsilon).get_scores(query)


@settings(max_examples=120, deadline=None)
@given(
    CORPORA,
    st.lists(st.one_of(WORDS, st.just("unheard")), max_size=8),
    # With k1 = 0, or with b = 1 and an empty passage, rank-bm25 divides 0 by 0.
    st.builds(LexicalConfig, k1=st.floats(0.01, 5), b=st.floats(0, 0.99), epsilon=st.floats(0, 2)),
)
def test_scores_are_those_of_rank_bm25(corpus, query, config):
    assume(any(corpus))
    mine = our_scores(corpus, config, query)
    np.testing.assert_allclose(mine, their_scores(corpus, config, query), rtol=1e-5, atol=1e-5)


def test_a_word_in_most_passages_gets_the_floor_not_a_negative_score():
    corpus = [["old", "cat"], ["old", "dog"], ["old", "owl"], ["old", "fox"], ["one"], ["two"], ["six"]]
    config = LexicalConfig()
    mine = our_scores(corpus, config, ["old"])
    theirs = their_scores(corpus, config, ["old"])
    assert theirs[0] > 0  # with its own idf, ln(3.5 / 4.5), it would be below 0
    np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_empty_passages_count_as_passages_and_score_nothing():
    corpus = [[], ["owl", "owl"], [], ["fox"]]
    config = LexicalConfig()
    mine = our_scores(corpus, config, ["owl"])
    np.testing.assert_allclose(mine, their_scores(corpus, config, ["owl"]), rtol=1e-5)
    assert mine[[0, 2, 3]].tolist() == [0, 0, 0]


def test_a_word_asked_twice_counts_twice():
    corpus = [["owl", "fox"], ["cat"], ["dog"]]
    config = LexicalConfig()
    once = our_scores(corpus, config, ["owl"])
    twice = our_scores(corpus, config, ["owl", "owl"])
    np.testing.assert_allclose(twice, 2 * once)
    np.testing.assert_allclose(twice, their_scores(corpus, config, ["owl", "owl"]), rtol=1e-5)


@pytest.fixture(scope="module")
def sample():
    lines = (SAMPLE / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = [lexical_tokens(json.loads(line)["title"] + "\n" + json.loads(line)["text"]) for line in lines]
    lines = (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return corpus, [lexical_tokens(json.loads(line)["question"]) for line in lines]


def test_the_sample_corpus(sample):
    corpus, questions = sample
    segment, theirs = segment_of(build_postings(corpus)), BM25Okapi(corpus)
    assert len(questions) == 40
    for question in questions:
        mine = bm25_at(segment, " ".join(question), np.arange(len(corpus)), LexicalConfig())
        np.testing.assert_allclose(mine, theirs.get_scores(question), rtol=1e-5, atol=1e-5)
        assert mine.max() > 0


def test_the_two_engines_of_an_index_agree(tmp_path):
    """From document to score, through journal, snapshot and memory map."""
    from hipporag_like import Document, HippoRAG
    from hipporag_like.config import Config, EmbedConfig
    from hipporag_like.indexing.index import Index

    def scores(question, config):
        return bm25_at(segment, question, np.arange(segment.n_passages), config)

    from hipporag_like.store.snapshot import open_snapshot

    rows = [json.loads(r) for r in (SAMPLE / "corpus.jsonl").read_text(encoding="utf-8").splitlines()[:30]]
    documents = [Document(row["text"], row["_id"], row["title"]) for row in rows]
    HippoRAG(tmp_path / "index", config=Config(embed=EmbedConfig("hashing"))).index(documents)
    index = Index(open_snapshot(tmp_path / "index"))
    (segment,) = index.segments.values()
    for question in (
        "Who built the lazaret on Little Brennick?",
        "the island the island",
        "nowhere to be found",
    ):
        eager = scores(question, LexicalConfig())
        theirs = scores(question, LexicalConfig(engine="rank_bm25"))
        np.testing.assert_allclose(eager, theirs, rtol=1e-5, atol=1e-5)
    assert scores("lazaret", LexicalConfig()).max() > 0
    index.close()
