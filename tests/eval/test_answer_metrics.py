"""Exact match and F1 on the known cases of the SQuAD and HotpotQA definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.errors import UsageError
from hipporag_like.eval.answer_metrics import exact_match, normalize_answer, token_f1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Eiffel Tower!", "eiffel tower"),
        ("an  apple\tand\na pear", "apple and pear"),
        ("U.S.A.", "usa"),
        ("the", ""),
        ("theatre", "theatre"),  # an article inside a word stays
        ("A.", ""),  # punctuation goes first, then the article
        ("rock-and-roll", "rockandroll"),
        ("1,000", "1000"),
        ("Müller’s", "müller’s"),  # only ASCII punctuation, as in the official scripts
        ("", ""),
    ],
)
def test_normalisation(text, expected):
    assert normalize_answer(text) == expected


@pytest.mark.parametrize(
    ("prediction", "answers", "em", "f1"),
    [
        ("the Eiffel Tower", ["Eiffel Tower"], 1, 1),
        ("Eiffel Tower in Paris", ["The Eiffel Tower"], 0, 2 * (2 / 4 * 1) / (2 / 4 + 1)),
        ("Barack Obama", ["Obama", "Barack Hussein Obama"], 0, 0.8),  # the best of 2/3 and 4/5
        ("cat cat", ["cat"], 0, 2 / 3),  # a repeated word is shared once
        ("dog", ["cat"], 0, 0),
        ("", ["cat"], 0, 0),
        ("The", ["a"], 1, 1),  # nothing left on both sides
        ("yes", ["Yes."], 1, 1),
        ("yes it is", ["yes"], 0, 0),  # HotpotQA: no credit for sharing "yes"
        ("no", ["no one"], 0, 0),
        ("noanswer", ["noanswer given"], 0, 0),
        ("yes", ["no"], 0, 0),
        ("yes sir", ["yes madam"], 0, 0.5),  # neither side is the bare word
        ("yes it is", ["no", "it is"], 0, 0.8),  # the rule holds for each answer by itself
    ],
)
def test_scores_worked_by_hand(prediction, answers, em, f1):
    assert exact_match(prediction, answers) == em
    assert token_f1(prediction, answers) == pytest.approx(f1)


def test_no_answers_is_undefined_and_says_so():
    for metric in (exact_match, token_f1):
        with pytest.raises(UsageError, match="without answers"):
            metric("x", [])


TEXTS = st.text(alphabet="ab theyesno.,", max_size=12)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_order_bounds_and_more_aliases_never_hurt(prediction, answers, alias):
    em, f1 = exact_match(prediction, answers), token_f1(prediction, answers)
    assert em in (0.0, 1.0)
    assert em <= f1 <= 1.0
    assert (f1 == 1.0) or em == 0.0
    assert exact_match(prediction, [*answers, alias]) >= em
    assert token_f1(prediction, [alias, *answers]) >= f1


@given(TEXTS, TEXTS)
def test_f1_is_symmetric(one, other):
    assert token_f1(one, [other]) == token_f1(other, [one])
