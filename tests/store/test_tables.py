"""Packed strings and look-up tables against plain lists and dictionaries."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.store import tables
from hipporag_like.store.tables import KeyTable, StringTable, pack_keys, pack_strings

ANY_TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too


def key_table_of(keys):
    return KeyTable(*pack_keys(keys), StringTable(*pack_strings(keys)))


@given(st.lists(ANY_TEXT, max_size=30))
def test_strings_come_back(strings):
    data, offsets = pack_strings(strings)
    assert data.dtype == np.uint8 and offsets.dtype == np.int64 and offsets.shape == (len(strings) + 1,)
    table = StringTable(data, offsets)
    assert list(table) == strings
    assert [table[i] for i in range(len(table))] == strings
    rows = list(range(len(strings)))[::-1] * 2
    assert table.take(rows) == [strings[i] for i in rows]
    assert table.take(np.asarray(rows, dtype=np.int32)) == [strings[i] for i in rows]


def test_strings_come_back_from_a_memory_map(tmp_path):
    strings = ["", "Müller", "東京", "plain"]
    data, offsets = pack_strings(strings)
    np.save(tmp_path / "data.npy", data)
    np.save(tmp_path / "offsets.npy", offsets)
    table = StringTable(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("data", "offsets")))
    assert table.take([3, 1, 2, 0]) == ["plain", "Müller", "東京", ""]


@pytest.mark.parametrize("row", [-1, 2, 1 << 40])
def test_rows_outside_are_refused(row):
    table = StringTable(*pack_strings(["a", "b"]))
    with pytest.raises(IndexError):
        table[row]
    with pytest.raises(IndexError):
        table.take([0, row])


def test_borders_that_do_not_fit_are_refused():
    data, offsets = pack_strings(["ab", "c"])
    with pytest.raises(ValueError, match="offsets"):
        StringTable(data[:-1], offsets)
    with pytest.raises(ValueError, match="one length"):
        KeyTable(*pack_keys(["ab"]), StringTable(data, offsets))


@given(st.lists(ANY_TEXT, max_size=30), st.lists(ANY_TEXT, max_size=10), st.sampled_from([1, 3, 1 << 64]))
def test_keys_are_found_as_in_a_dictionary_whatever_collides(keys, others, hashes):
    with mock.patch.object(tables, "hash64", lambda key, real=tables.hash64: real(key) % hashes):
        table = key_table_of(keys)
        wanted = keys + others
        expected = [keys.index(key) if key in keys else -1 for key in wanted]
        assert table.find_many(wanted).tolist() == expected
        assert [table.find(key) for key in wanted] == expected


def test_key_arrays_have_their_types_and_order():
    hashes, rows = pack_keys([f"key {i}" for i in range(100)])
    assert hashes.dtype == np.uint64 and rows.dtype == np.int32
    assert (hashes[1:] >= hashes[:-1]).all() and sorted(rows.tolist()) == list(range(100))
    found = key_table_of(["b", "a"]).find_many(["a", "c", "b"])
    assert found.dtype == np.int32 and found.tolist() == [1, -1, 0]
