"""Exact match and F1 on the known cases of the SQuAD and HotpotQA definitions."""

from __future__ import annotations

import string

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
        ("The", ["a"], 1, 0),  # nothing left on both sides: no token is shared, as HotpotQA's script has it
        ("The The", ["The The"], 1, 0),  # so the band of that name earns no F1 there
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
    assert 0.0 <= f1 <= 1.0
    assert (f1 == 1.0) or em == 0.0 or normalize_answer(prediction) == ""
    assert exact_match(prediction, [*answers, alias]) >= em
    assert token_f1(prediction, [alias, *answers]) >= f1


@given(TEXTS, TEXTS)
def test_f1_is_symmetric(one, other):
    assert token_f1(one, [other]) == token_f1(other, [one])


# --- the official scripts, told again from what they do -------------------------------------------------


def kept_words(text):
    """Return the words that are compared: small letters, no ASCII punctuation, no articles as whole words.

    An article is a run of letters, digits and underscores that is a, an or the: other signs, such as the
    curly quotes that stay, end it too.
    """
    plain = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    pieces, word = [], ""
    for letter in plain + " ":
        if letter.isalnum() or letter == "_":
            word += letter
            continue
        pieces += [" " if word in ("a", "an", "the") else word, letter]
        word = ""
    return "".join(pieces).split()


def overlap(said, true):
    """Return F1 with each word of the answer used up by one word of the prediction; ``None`` for no overlap."""
    left, shared = list(true), 0
    for word in said:
        if word in left:
            left.remove(word)
            shared += 1
    if not shared:
        return None
    precision, recall = shared / len(said), shared / len(true)
    return 2 * precision * recall / (precision + recall)


def hotpotqa_and_2wiki(said, true):
    """hotpot_evaluate_v1.py and 2wikimultihop_evaluate_v1.1.py: yes, no, noanswer count whole; no overlap is 0."""
    if said != true and ({" ".join(said), " ".join(true)} & {"yes", "no", "noanswer"}):
        return 0.0
    return overlap(said, true) or 0.0


def musique_and_squad2(said, true):
    """metrics/answer.py of MuSiQue and evaluate-v2.0.py of SQuAD: an empty side scores 1 if the other is too."""
    if not said or not true:
        return 1.0 if said == true else 0.0
    return overlap(said, true) or 0.0


def squad1(said, true):
    """evaluate-v1.1.py of SQuAD: overlap and nothing else."""
    return overlap(said, true) or 0.0


SCRIPTS = {"hotpotqa": hotpotqa_and_2wiki, "musique": musique_and_squad2, "squad": squad1}
PIECES = st.sampled_from(
    [
        "yes",
        "no",
        "noanswer",
        "a",
        "the",
        "The",
        "an",
        "Ada",
        "ada.",
        "U.S.",
        "b_a",
        "-",
        "’s",
        "é",
        "É",
        "42",
    ]
    + ["a’b", "the-end", "\u00a0", "\n", "İ", "ß", "一", "a\u0301", "“the”", "²"]
)
PHRASES = st.lists(PIECES, max_size=5).flatmap(
    lambda pieces: st.sampled_from([" ", "", "  "]).map(lambda gap: gap.join(pieces))
)


@pytest.mark.parametrize("rules", SCRIPTS)
@given(prediction=PHRASES, answers=st.lists(PHRASES, min_size=1, max_size=3))
def test_agrees_with_the_official_script(rules, prediction, answers):
    said = kept_words(prediction)
    golds = [kept_words(answer) for answer in answers]
    assert exact_match(prediction, answers) == float(any(said == true for true in golds))
    expected = max(SCRIPTS[rules](said, true) for true in golds)
    assert token_f1(prediction, answers, rules) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("prediction", "answer", "hotpotqa", "musique", "squad"),
    [
        ("yes it is", "yes", 0.0, 0.5, 0.5),
        ("no", "No Doubt", 0.0, 2 / 3, 2 / 3),
        ("noanswer", "noanswer", 1.0, 1.0, 1.0),
        ("The", "a", 0.0, 1.0, 0.0),
        ("", "cat", 0.0, 0.0, 0.0),
        ("Paris, France", "Paris", 2 / 3, 2 / 3, 2 / 3),
    ],
)
def test_where_the_scripts_differ(prediction, answer, hotpotqa, musique, squad):
    expected = {"hotpotqa": hotpotqa, "musique": musique, "squad": squad}
    assert {rules: token_f1(prediction, [answer], rules) for rules in SCRIPTS} == pytest.approx(expected)


def test_unknown_rules_are_named():
    with pytest.raises(UsageError, match="rules must be one of hotpotqa, musique, squad, got 'trivia'"):
        token_f1("x", ["x"], "trivia")
