"""Extractions and vectors in the journal."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import IndexCorruptError, InputError
from hipporag_like.store.codec import decode_extraction, encode_extraction
from hipporag_like.store.journal import Journal
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Mention, Triple

OFFSET = st.integers(0, 1 << 40)
EXTRACTION = st.builds(
    Extraction,
    sentences=st.lists(st.tuples(OFFSET, OFFSET)).map(tuple),
    mentions=st.lists(st.builds(Mention, OFFSET, OFFSET, st.sampled_from(["name", "date", "term"]))).map(
        tuple
    ),
    names=st.lists(st.text()).map(tuple),
    triples=st.lists(st.builds(Triple, st.text(), st.text(), st.text())).map(tuple),
)
EMPTY = Extraction()
SOME = Extraction(((0, 3),), (Mention(0, 3, "date"),), ("N",), (Triple("s", "r", "o"),))


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path) as opened:
        yield opened


@given(EXTRACTION)
def test_extractions_come_back(extraction):
    assert decode_extraction(encode_extraction(extraction)) == extraction


def test_stored_form_is_fixed():
    assert encode_extraction(SOME) == '[[0,3],[0,3,1],["N"],["s","r","o"]]'


@pytest.mark.parametrize(
    "payload", ["", "{}", "[[0],[],[],[]]", "[[],[1,2,9],[],[]]", "[1,2,3,4]", "[[],[],[]]"]
)
def test_no_stored_extraction(payload):
    with pytest.raises(ValueError):  # noqa: PT011 - json's message or ours
        decode_extraction(payload)


def test_failed_extractions_are_kept_apart_and_give_way_to_success(journal):
    journal.put_extractions("f", [("good", SOME), ("empty", EMPTY), ("bad", Extraction(error="no answer"))])
    assert journal.extractions("f", ["good", "empty", "bad", "none"]) == {"good": SOME, "empty": EMPTY}
    assert journal.failed_extractions("f") == {"bad": "no answer"}
    journal.put_extractions("f", [("bad", SOME)])
    assert journal.extractions("f", ["bad"]) == {"bad": SOME} and journal.failed_extractions("f") == {}
    assert journal.revision() == 2


def test_fingerprints_are_apart(journal):
    journal.put_extractions("f", [("k", SOME)])
    journal.put_extractions("g", [("k", EMPTY), ("x", Extraction(error="e"))])
    assert journal.extractions("f", ["k"]) == {"k": SOME} and journal.extractions("g", ["k"]) == {"k": EMPTY}
    assert journal.extractions("h", ["k"]) == {} and journal.failed_extractions("f") == {}
    journal.put_extractions("f", [])
    assert journal.revision() == 2


def test_more_extractions_than_one_statement_takes(journal):
    items = [(f"k{i}", Extraction(((0, i),))) for i in range(2000)]
    journal.put_extractions("f", items)
    assert journal.extractions("f", [key for key, _ in items]) == dict(items)


def test_extraction_that_cannot_be_stored(journal):
    with pytest.raises(InputError, match="cannot be stored"):
        journal.put_extractions("f", [("a", SOME), ("b", Extraction(names=("\ud800",)))])
    assert journal.extractions("f", ["a"]) == {}


def test_damaged_extraction(journal, tmp_path):
    journal.put_extractions("f", [("k", SOME)])
    raw = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    raw.execute("UPDATE extractions SET payload = '[[0'")
    raw.close()
    with pytest.raises(IndexCorruptError, match=r"journal\.db is damaged"):
        journal.extractions("f", ["k"])


def hashes_of(*numbers):
    return [content_hash(str(number)) for number in numbers]


def test_vectors_come_back_in_the_order_asked_for(journal):
    matrix = np.random.default_rng(7).standard_normal((2000, 3)).astype(np.float32)
    journal.put_vectors("m", hashes_of(*range(2000)), matrix)
    order = np.random.default_rng(8).integers(0, 4000, 5000)  # unknown ones and repeats too
    found, got = journal.vectors("m", hashes_of(*order), 3)
    assert found.tolist() == (order < 2000).tolist()
    assert got.dtype == np.float32 and got.shape == (5000, 3)
    assert np.array_equal(got[found], matrix[order[found]]) and not got[~found].any()
    assert journal.revision() == 0


def test_vectors_of_views_and_other_layouts(journal):
    matrix = np.arange(12, dtype=np.float64).reshape(3, 4).T[::2]
    journal.put_vectors("m", hashes_of(1, 2), matrix)
    assert journal.vectors("m", hashes_of(2, 1), 3)[1].tolist() == [[2.0, 6.0, 10.0], [0.0, 4.0, 8.0]]


@pytest.mark.parametrize("dim", [0, 3])
def test_vectors_where_none_are_stored(journal, dim):
    found, got = journal.vectors("m", hashes_of(1, 2), dim)
    assert found.tolist() == [False, False] and got.shape == (2, dim)
    assert journal.vectors("m", [], dim)[1].shape == (0, dim)


def test_vectors_of_models_are_apart_and_replaced(journal):
    journal.put_vectors("m", hashes_of(1), np.ones((1, 2), np.float32))
    journal.put_vectors("n", hashes_of(1), np.zeros((1, 5), np.float32))
    journal.put_vectors("m", hashes_of(1), np.full((1, 2), 7, np.float32))
    assert journal.vectors("m", hashes_of(1), 2)[1].tolist() == [[7.0, 7.0]]
    assert journal.vectors("n", hashes_of(1), 5)[0].tolist() == [True]
    with pytest.raises(IndexCorruptError, match="has not 3 numbers"):
        journal.vectors("m", hashes_of(1), 3)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (0, 3)])
def test_matrix_that_does_not_fit_is_a_mistake(journal, shape):
    with pytest.raises(ValueError, match="texts"):
        journal.put_vectors("m", hashes_of(1), np.zeros(shape, np.float32))


@settings(max_examples=15, deadline=None)  # each writes a database
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_prune_keeps_what_is_in_use(stored, live_keys, live_hashes):
    with tempfile.TemporaryDirectory() as scratch, Journal.open(Path(scratch)) as journal:
        keys = [str(i) for i in sorted(stored)]
        for fingerprint in ("f", "g"):
            journal.put_extractions(fingerprint, [(key, SOME) for key in keys])
            journal.put_vectors(
                fingerprint, hashes_of(*sorted(stored)), np.ones((len(stored), 2), np.float32)
            )
        before = journal.revision()
        counts = journal.prune(iter([str(i) for i in live_keys]), iter(hashes_of(*live_hashes)))
        assert counts == (2 * len(stored - live_keys), 2 * len(stored - live_hashes))
        assert journal.revision() == before
        for fingerprint in ("f", "g"):
            assert set(journal.extractions(fingerprint, keys)) == {str(i) for i in stored & live_keys}
            found, _ = journal.vectors(fingerprint, hashes_of(*range(10)), 2)
            assert set(np.flatnonzero(found).tolist()) == stored & live_hashes
        assert journal.prune(keys, hashes_of(*stored)) == (0, 0)
