"""From logits to spans: against a search of all spans, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.models.qa_spans import MAX_ANSWER_TOKENS, N_BEST, Span, Window, best_spans, probability

LOGITS = st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), max_size=45)


def window_of(logits: list[tuple[float, float]], null: float = 0.0, passage: int = 0) -> Window:
    """Return a window over words of one letter, with a space after each."""
    starts, ends = (np.array([pair[side] for pair in logits]) for side in (0, 1))
    offsets = [(2 * place, 2 * place + 1) for place in range(len(logits))]
    return Window(passage, starts, ends, offsets, null)


def text_of(length: int) -> str:
    return "a " * length


@given(LOGITS, st.floats(-10, 10))
def test_the_best_span_is_that_of_a_search_of_all(logits: list[tuple[float, float]], null: float) -> None:
    spans = best_spans([window_of(logits, null)], [text_of(len(logits))])
    every = [
        (logits[a][0] + logits[b][1] - null, a, b)
        for a in range(len(logits))
        for b in range(a, min(len(logits), a + MAX_ANSWER_TOKENS))
    ]
    expected = sorted((score for score, _, _ in every), reverse=True)[:N_BEST]
    np.testing.assert_allclose([span.score for span in spans], expected, atol=1e-9)
    scores = {(2 * a, 2 * b + 1): score for score, a, b in every}
    for span in spans:
        assert span.score == pytest.approx(scores[span.start, span.end])


@given(LOGITS, st.floats(-100, 100))
def test_a_constant_on_all_logits_of_a_window_changes_nothing(
    logits: list[tuple[float, float]], shift: float
) -> None:
    other = window_of([(-3.0, -3.0), (2.0, 1.0), (0.0, 4.0)], passage=1)
    moved = window_of([(a + shift, b + shift) for a, b in logits], null=2 * shift)
    texts = [text_of(len(logits)), text_of(3)]
    plain = best_spans([window_of(logits), other], texts)
    shifted = best_spans([moved, other], texts)
    assert probability(plain) == pytest.approx(probability(shifted), abs=1e-6)
    assert [span.score for span in plain] == pytest.approx([span.score for span in shifted], abs=1e-6)


def test_a_span_in_two_windows_counts_once_with_its_better_score() -> None:
    text = "a b c d"
    first = Window(0, np.array([0.0, 5.0]), np.array([0.0, 5.0]), [(0, 1), (2, 3)], 0.0)
    second = Window(0, np.array([6.0, 0.0]), np.array([6.0, 0.0]), [(2, 3), (4, 5)], 0.0)
    spans = best_spans([first, second], [text])
    assert spans[0] == Span(0, 2, 3, 12.0)
    assert len({(span.start, span.end) for span in spans}) == len(spans)


def test_by_hand() -> None:
    # Two tokens: spans a 1+0, a..b 1+2, b 0.5+2; no answer 0.
    spans = best_spans([window_of([(1.0, 0.0), (0.5, 2.0)])], ["a b"])
    assert [(span.start, span.end, span.score) for span in spans] == [(0, 3, 3.0), (2, 3, 2.5), (0, 1, 1.0)]
    total = math.exp(3) + math.exp(2.5) + math.exp(1) + 1
    assert probability(spans) == pytest.approx(math.exp(3) / total)


def test_signs_are_no_answer_and_white_space_is_left_out() -> None:
    window = Window(0, np.array([9.0, 1.0]), np.array([9.0, 1.0]), [(0, 3), (3, 7)], 0.0)
    assert best_spans([window], ["... ab "]) == [Span(0, 0, 6, 10.0), Span(0, 4, 6, 2.0)]
    assert best_spans([window], ["... -- "]) == []


def test_nothing_gives_nothing() -> None:
    assert best_spans([], []) == []
    assert best_spans([window_of([])], [""]) == []
    assert probability([]) == 0.0
