"""JSON out of answers: whatever the model wraps around it, wherever it ends."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hipporag_like.models.json_answers import json_object, numbers, read_object, strings, triples
from hipporag_like.models.structured import AnswerError
from hipporag_like.types import Triple

# What our forms hold; half of a surrogate pair is no text.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "entities": st.lists(TEXT, max_size=6),
        "triples": st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=6),
        "facts": st.lists(st.integers(0, 10**9), max_size=6),
    },
)
BEFORE = st.sampled_from(
    [
        "",
        "Sure! Here it is:\n",
        "```json\n",
        "<think>{'a': [1]} hm \"</think>\n",
        "In the form {...}: ",
        "```\n",
    ]
)
AFTER = st.sampled_from(
    ["", "\n```", "\n```\nI hope that {this} helps.", "  ", '\n\nNote: "x" isn\'t listed.']
)
DUMPS: list[dict[str, Any]] = [
    {},
    {"ensure_ascii": False},
    {"indent": 2},
    {"separators": (",", ":")},
    {"indent": 1, "ensure_ascii": False},
]


@example({"entities": ["</think>", "<think>"]}, "", "\n```\nI hope that {this} helps.", {})
@example({"entities": ["<think>"]}, "Sure! Here it is:\n", "", {})
@given(ANSWER.filter(bool), BEFORE, AFTER, st.sampled_from(DUMPS))
def test_a_whole_answer_is_read_whatever_is_around_it(
    values: dict[str, Any], before: str, after: str, options: dict[str, Any]
) -> None:
    found = read_object(before + json.dumps(values, **options) + after)
    assert found.values == values
    assert found.whole


@given(ANSWER, BEFORE, st.sampled_from(DUMPS), st.integers(0, 2000))
def test_a_cut_answer_gives_its_first_items(
    values: dict[str, Any], before: str, options: dict[str, Any], at: int
) -> None:
    whole = before + json.dumps(values, **options)
    at %= len(whole) + 1
    try:
        found = read_object(whole[:at])
    except AnswerError:
        return
    if at == len(whole):
        assert found.whole
    if found.values == {} or at <= len(before):
        return  # of what stood before the answer
    assert list(found.values) == list(values)[: len(found.values)]
    for key, items in found.values.items():
        *full, last = items or [None]
        assert values[key][: len(full)] == full
        if last is not None:  # of a list inside, its first items
            original = values[key][len(full)]
            assert last == (original if not isinstance(last, list) else original[: len(last)])
    if found.whole:
        assert found.values == values


@given(ANSWER.filter(lambda v: v.get("entities")), st.sampled_from(DUMPS))
def test_the_later_the_cut_the_more_is_kept(values: dict[str, Any], options: dict[str, Any]) -> None:
    text = json.dumps({"entities": values["entities"]}, **options)
    kept = []
    for at in range(len(text) + 1):
        try:
            kept.append(len(json_object(text[:at]).get("entities", [])))
        except AnswerError:
            kept.append(0)
    assert kept == sorted(kept)
    assert kept[-1] == len(values["entities"])


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ("{'entities': ['Ada', 'O'Neil', \"It's\"]}", {"entities": ["Ada", "O'Neil", "It's"]}),
        ('{"entities": ["Ada", "Bob",],}', {"entities": ["Ada", "Bob"]}),
        ('{"entities": ["The "Fair" of Oru", "b"]}', {"entities": ['The "Fair" of Oru', "b"]}),
        ('{"entities": ["a" "b"]}', {"entities": ["a", "b"]}),
        ('{entities: ["a"]}', {"entities": ["a"]}),
        ("{\u201centities\u201d: [\u201cAda\u201d]}", {"entities": ["Ada"]}),
        ('{"entities": ["a", "b"}', {"entities": ["a", "b"]}),
        ('{"entities": ["line\nbreak"]}', {"entities": ["line\nbreak"]}),
        (r'{"entities": ["O\'Neil \d \/ \u0041"]}', {"entities": ["O'Neil d / A"]}),
        (r'{"entities": ["\ud83d\ude00 \ud83d"]}', {"entities": ["\U0001f600 \ufffd"]}),
        (
            '{"a": True, "b": None, "c": 1.5, "d": -2e3, "e": nonsense}',
            {"a": True, "b": None, "c": 1.5, "d": -2000.0, "e": None},
        ),
        ('{"a": 1e999, "b": ' + "9" * 50 + "}", {"a": None, "b": None}),
        ('{"a": }', {"a": None}),
        ('{"a": [}', {"a": []}),
        ('{"a": ]}', {"a": None}),
        ('{"a", "b": 2, : 3, 5: 4, "c"}', {"b": 2, "5": 4}),
        ("{}", {}),
        ('draft {"a": [1]} then {"a": [1, 2, 3]} done', {"a": [1, 2, 3]}),
        ('<think>{"a": [1, 2, 3]}</think>{"a": [1]}', {"a": [1]}),
        ('{"a": {"b": {"c": [1]}}}', {"a": {"b": {"c": [1]}}}),
    ],
)
def test_sloppy_json_is_understood(answer: str, values: dict[str, Any]) -> None:
    assert json_object(answer) == values


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no JSON object"),
        ("I cannot help with that.", "no JSON object"),
        ('["a", "b"]', "no JSON object"),
        ('{"entities', "ends before the first item"),
        ('<think> the passage {"a": 1}', "ends before the thinking does"),
        ('{"a": ' + "[" * 50 + "]" * 50 + "}", "nested more than 16 levels"),
    ],
)
def test_what_holds_no_object_is_refused(answer: str, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        read_object(answer)


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        '"',
        "{",
        '{"a":',
        "{'",
        "\\",
        '" ',
        '{"a":["',
        "{ ",
        "'\"\u201c",
        '{"a":' + "[" * 17 + " ",
        "<think>",
        ",",
    ],
)
@pytest.mark.parametrize("start", ["", '{"', '{"a": ["'])
def test_the_time_grows_with_the_length_and_no_faster(unit: str, start: str) -> None:
    def seconds(length: int) -> float:
        text = start + unit * (length // len(unit))
        begun = time.perf_counter()
        try:
            read_object(text)
        except AnswerError:
            pass
        return time.perf_counter() - begun

    # 250,000 characters take 0.3 s at most here; what grows with the square would take minutes.
    assert min(seconds(250_000) for _ in range(2)) < 5


def test_lists_are_taken_by_type_and_the_rest_is_counted() -> None:
    values = {"Entities ": ["Ada", "  Ada ", "Bob\n Lee", "", "...", 1871, None, ["x"], True]}
    found = strings(values, "entities")
    assert (found.kept, found.dropped) == (("Ada", "Bob Lee", "1871"), 6)
    values = {
        "triples": [
            ["a", "is", "b"],
            ["a", " is ", "b"],
            {"subject": "c", "predicate": "is", "object": 5},
            {"subject": "c", "relation": "was", "object": "d"},
            ["a", "is"],
            ["a", "", "b"],
            ["a", "is", "..."],
            ["a", 1, "b"],
            ["a", "is", "b", "c"],
            "a is b",
            None,
        ]
    }
    facts = triples(values, "triples")
    assert facts.kept == (Triple("a", "is", "b"), Triple("c", "is", "5"), Triple("c", "was", "d"))
    assert facts.dropped == 8
    picked = numbers({"facts": [3, "1", 3, True, 2.5, "x", None]}, "facts")
    assert (picked.kept, picked.dropped) == ((3, 1), 5)


@pytest.mark.parametrize("read", [strings, triples, numbers])
def test_an_empty_list_is_an_answer_and_a_useless_one_is_not(read: Any) -> None:
    assert read({"x": []}, "x").kept == ()
    for values in ({}, {"x": None}, {"x": "Ada"}, {"x": {"a": 1}}, {"y": []}):
        with pytest.raises(AnswerError, match='no list named "x"'):
            read(values, "x")
    with pytest.raises(AnswerError, match='the list "x" must hold'):
        read({"x": [None, {"a": 1}]}, "x")
