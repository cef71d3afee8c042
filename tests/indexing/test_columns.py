"""Metadata as columns: what goes in comes out."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.indexing.columns import ABSENT, metadata_columns
from hipporag_like.store.manifest import ARRAY_NAME
from hipporag_like.store.tables import StringTable

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, 1.0]), st.text(max_size=3)
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=2), SCALARS, max_size=2)
)
METADATA = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=8)


def metadata_of(arrays, n_documents):
    """The way back, as a filter reads it."""
    metadata = [{} for _ in range(n_documents)]
    fields = list(StringTable(arrays["field_text"], arrays["field_offset"]))
    for i, field in enumerate(fields):
        values = StringTable(arrays[f"field{i}_value_text"], arrays[f"field{i}_value_offset"])
        for document, code in enumerate(arrays[f"field{i}_code"].tolist()):
            if code != ABSENT:
                metadata[document][field] = json.loads(values[code])
    return metadata


@settings(max_examples=100, deadline=None)
@given(METADATA)
def test_what_goes_in_comes_out(metadata):
    found = metadata_of(dict(metadata_columns(metadata)), len(metadata))
    # By JSON text, because Python takes 1, 1.0 and True for equal.
    assert [json.dumps(m, sort_keys=True) for m in found] == [json.dumps(m, sort_keys=True) for m in metadata]


@settings(max_examples=50, deadline=None)
@given(METADATA)
def test_names_fit_the_store(metadata):
    names = [name for name, _ in metadata_columns(metadata)]
    assert all(ARRAY_NAME.fullmatch(name) for name in names)
    assert len(names) == len(set(names))


def test_by_hand():
    arrays = dict(metadata_columns([{"year": 2001, "lang": "en"}, {"year": 1999}, {"lang": "en"}]))
    assert list(StringTable(arrays["field_text"], arrays["field_offset"])) == ["lang", "year"]
    assert arrays["field0_code"].tolist() == [0, ABSENT, 0]
    assert arrays["field1_code"].tolist() == [1, 0, ABSENT]
    assert arrays["field1_code"].dtype == np.int32
    assert list(StringTable(arrays["field1_value_text"], arrays["field1_value_offset"])) == ["1999", "2001"]


def test_one_one_point_oh_and_true_are_three_values():
    arrays = dict(metadata_columns([{"x": 1}, {"x": 1.0}, {"x": True}]))
    assert len(set(arrays["field0_code"].tolist())) == 3


def test_objects_that_differ_in_the_order_of_names_are_one_value():
    arrays = dict(metadata_columns([{"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}}]))
    assert arrays["field0_code"].tolist() == [0, 0]


def test_no_metadata_is_an_empty_table_of_fields():
    arrays = dict(metadata_columns([{}, {}]))
    assert sorted(arrays) == ["field_offset", "field_text"]
    assert len(StringTable(arrays["field_text"], arrays["field_offset"])) == 0
