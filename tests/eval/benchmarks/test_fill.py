"""A filled journal is what indexing finds its work done in."""

from __future__ import annotations

import numpy as np
import pytest

from hipporag_like import HippoRAG
from hipporag_like.config import EXACT_LIMIT
from hipporag_like.eval.benchmarks.fill import fill_journal, preset_for
from hipporag_like.eval.benchmarks.synthetic import Corpus
from hipporag_like.eval.benchmarks.synthetic_vectors import DIM, SyntheticEmbedder, gaussians
from hipporag_like.indexing.texts import lexical_tokens, passage_text
from hipporag_like.models.protocols import Embedder
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash


@pytest.fixture(scope="module")
def embedder_of_made_up_words():
    return SyntheticEmbedder()


def test_unit_rows_that_depend_on_the_text_alone(embedder_of_made_up_words):
    texts = ["Ada met Charles in Turin", "of the", "", "!", "Ada", "ada"]
    rows = embedder_of_made_up_words.embed(texts)
    assert isinstance(embedder_of_made_up_words, Embedder)
    assert rows.shape == (6, DIM) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    other = SyntheticEmbedder()
    alone = np.concatenate([other.embed([text], "query") for text in texts[::-1]])[::-1]
    np.testing.assert_array_equal(rows, alone)


def test_shared_words_draw_texts_together_names_most(embedder_of_made_up_words):
    question, name, word, function, nothing = embedder_of_made_up_words.embed(
        [
            "who built the tower of Vorlag",
            "Vorlag lies near grey hills",
            "a tower stands near grey hills",
            "the side of who is grey near hills",
            "rain falls near grey hills",
        ]
    )
    assert question @ name > question @ word > 0.15
    assert abs(question @ function) < 0.15 and abs(question @ nothing) < 0.15


def test_paraphrases_are_near_but_not_equal(embedder_of_made_up_words):
    one, other = embedder_of_made_up_words.embed(["Ada met Charles", "Charles met Ada"])
    assert 0.85 < one @ other < 0.97


def test_random_directions_are_as_even_as_normal_ones():
    rows = gaussians(np.arange(2000, dtype=np.uint64), 1)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1).mean(), 1, atol=0.01)
    cosines = rows[:1000] @ rows[1000:].T
    assert abs(cosines.mean()) < 0.001 and cosines.std() == pytest.approx(DIM**-0.5, rel=0.05)


def test_presets_by_size():
    assert preset_for(EXACT_LIMIT) == "full" and preset_for(EXACT_LIMIT + 1) == "light"


def test_a_build_embeds_next_to_nothing_and_extracts_nothing(tmp_path):
    found = fill_journal(tmp_path, 300)
    assert found["passages"] == 300 and found["preset"] == "full"
    with HippoRAG(tmp_path, embedder=SyntheticEmbedder()) as rag:
        report = rag.index([])
        assert report.passages == 300 and report.extracted == 0
        assert report.embedded <= 0.01 * report.facts  # names joined or mined by the whole corpus
        question = Corpus(300).asked()[0]
        hits = rag.retrieve(question.question, k=5)
    assert set(question.supporting) <= {hit.passage.document_id for hit in hits}


def test_light_holds_every_word_and_no_fact(tmp_path):
    found = fill_journal(tmp_path, 60, preset="light")
    embedder = SyntheticEmbedder()
    with Journal.open_readonly(tmp_path) as journal:
        texts = [passage_text(passage) for passage in journal.passages("default")]
        words = sorted({word for text in texts for word in lexical_tokens(text)})
        hashes = [content_hash(text) for text in [*words, *texts]]
        known, vectors = journal.vectors(embedder.fingerprint, hashes, DIM)
    assert known.all() and found["vectors"] == len(hashes)
    np.testing.assert_array_equal(vectors, embedder.embed([*words, *texts]))
