"""Token-level agreement of cited spans with gold evidence, worked by hand and against a slower way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.eval.questions import Evidence
from hipporag_like.eval.spans import cited, span_iou
from hipporag_like.types import Answer, Citation, Hit, Passage

TEXT = "Ada wrote notes. Bob read them, slowly."
#       0   4     10     17  21   26    32


def span(start, end, document="d"):
    return Evidence(document, start, TEXT[start:end])


SECOND = span(17, 39)  # Bob read them slowly: 4 tokens


@pytest.mark.parametrize(
    ("given_spans", "gold", "expected"),
    [
        ([SECOND], [SECOND], 1.0),
        ([], [SECOND], 0.0),
        ([span(0, 16)], [SECOND], 0.0),  # the other sentence
        ([span(17, 25)], [SECOND], 2 / 4),  # Bob read
        ([span(10, 25)], [SECOND], 2 / 5),  # notes Bob read: one more than gold
        ([span(17, 25), span(21, 30)], [SECOND], 3 / 4),  # "read" is covered twice, counted once
        ([span(31, 39)], [SECOND], 1 / 4),  # ", slowly." is one token
        ([span(0, 39)], [span(0, 16), SECOND], 1.0),  # two sentences cited as one span
        ([span(17, 39, "other")], [SECOND], 0.0),  # the same words of another document
        ([span(0, 0)], [SECOND], 0.0),
    ],
)
def test_worked_by_hand(given_spans, gold, expected):
    assert span_iou(given_spans, gold) == pytest.approx(expected)


def test_gold_without_a_token_is_undefined():
    with pytest.raises(UsageError, match="without evidence"):
        span_iou([SECOND], [])
    with pytest.raises(UsageError, match="without evidence"):
        span_iou([SECOND], [span(15, 17)])  # a full stop and a space


def test_the_end_is_behind_the_last_character():
    assert (SECOND.start, SECOND.end) == (17, 39) and TEXT[SECOND.start : SECOND.end] == SECOND.text


WORDS = "Ada wrote notes and Bob read them slowly".split()
STARTS = [sum(len(word) + 1 for word in WORDS[:n]) for n in range(len(WORDS))]
LINE = " ".join(WORDS)
RANGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted), max_size=4)


@given(RANGES, RANGES.filter(bool))
def test_whole_words_are_counted_as_sets_of_places(one, other):
    """The oracle counts numbers of words; spans run from the start of one word to the end of another."""

    def spans(ranges):
        return [Evidence("d", STARTS[a], LINE[STARTS[a] : STARTS[b] + len(WORDS[b])]) for a, b in ranges]

    def places(ranges):
        return {n for a, b in ranges for n in range(a, b + 1)}

    expected = len(places(one) & places(other)) / len(places(one) | places(other))
    assert span_iou(spans(one), spans(other)) == pytest.approx(expected)
    if one:
        assert span_iou(spans(other), spans(one)) == pytest.approx(expected)


def test_citations_of_passages_become_spans_of_their_documents():
    passage = Passage("d#1", "d", TEXT[17:], 17, 39)
    hits = (Hit(1, 1.0, passage),)
    citation = Citation("d", "d#1", "read them", 4, 13)
    answer = Answer("?", "x", (citation, citation), 0.5, "r", hits)
    assert cited(answer) == (span(21, 30),)
    assert cited(Answer("?", None, (), 0.0, "r", hits)) == ()
    with pytest.raises(UsageError, match="passage 'd#1' has no place"):
        cited(Answer("?", "x", (citation,), 0.5, "r", ()))
