"""``--where`` conditions against hand-written filters, and as a property over all JSON values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.cli._where import parse_where
from hipporag_like.errors import UsageError


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], None),
        (["year=2020"], {"year": 2020}),
        (["year>=2000", "year<2010"], {"year": {"gte": 2000, "lt": 2010}}),
        (["year<=2000"], {"year": {"lte": 2000}}),
        (["score>1.5", "lang=en"], {"score": {"gt": 1.5}, "lang": "en"}),
        (["lang!=en"], {"lang": {"ne": "en"}}),
        (["lang in en,de"], {"lang": {"in": ["en", "de"]}}),
        (["year in 2000, 2001"], {"year": {"in": [2000, 2001]}}),
        (['name in "a, b",c'], {"name": {"in": ["a, b", "c"]}}),
        (['tag in ["x", 1]'], {"tag": {"in": ["x", 1]}}),
        (['year="2020"'], {"year": "2020"}),
        (["draft=true", "owner=null"], {"draft": True, "owner": None}),
        (["title=The Great War"], {"title": "The Great War"}),
        ([" year >= 2000 "], {"year": {"gte": 2000}}),
        (["formula=a=b"], {"formula": "a=b"}),
        (["price=NaN"], {"price": "NaN"}),
        (["inline=1"], {"inline": 1}),
        (["größe>3"], {"größe": {"gt": 3}}),
    ],
)
def test_conditions_become_the_filter(conditions, expected):
    assert parse_where(conditions) == expected


@pytest.mark.parametrize("bad", ["year", "=3", "year=", "", ">= 3", "lang in ", "two words=3"])
def test_what_cannot_be_read_is_refused_with_an_example(bad):
    with pytest.raises(UsageError, match="year>=2000"):
        parse_where([bad])


@pytest.mark.parametrize("pair", [["a=1", "a=2"], ["a=1", "a>0"], ["a>0", "a=1"], ["a>0", "a>1"]])
def test_conditions_that_undo_each_other_are_refused(pair):
    with pytest.raises(UsageError, match="repeats or contradicts"):
        parse_where(pair)


json_values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=3)


@given(json_values, st.sampled_from([("=", None), ("!=", "ne"), (">=", "gte"), ("<", "lt")]))
def test_any_json_value_comes_back_as_it_was_written(value, operator):
    sign, name = operator
    parsed = parse_where([f"key{sign}{json.dumps(value)}"])
    assert parsed == {"key": value if name is None else {name: value}}
