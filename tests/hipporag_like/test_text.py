"""Folding, word tokens and entity keys: two spellings are equal here or nowhere."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hipporag_like.text import (
    content_hash,
    entity_key,
    fold,
    has_case,
    hash64,
    is_unspaced,
    key_of,
    squeeze,
    word_spans,
    words,
)

# Letters, marks and joiners of many scripts, and whatever else Unicode has.
MIXED = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aZ İıßſ’'+#é\u0301\u0640\u064b\u200c\u200d\u3099ガｶﾞ京ไทยहिन्दीمكة\ufdfa\ufc5e½²"),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("surface", "folded"),
    [
        ("Müller", "muller"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Žižek", "zizek"),
        ("Łódź", "łodz"),  # the stroke is part of the letter, not an accent
        ("ΑΘΗΝΑΣ", "αθηνασ"),  # both forms of sigma are one
        ("Αθήνας", "αθηνασ"),
        ("Чайковский", "чаиковскии"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("می\u200cخواهم", "میخواهم"),
        ("हिन्दी", "हिन्दी"),
        ("ﬁlm", "film"),
        ("Ｊａｗｓ", "jaws"),
        ("ｶﾞ", "ガ"),
        ("が", "が"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_case_accents_and_compatibility_forms_fold_away_and_letters_stay(surface: str, folded: str):
    assert fold(surface) == folded


def test_the_same_name_composed_and_decomposed_is_one():
    assert fold("Bjo\u0308rk") == fold("Bj\u00f6rk") == "bjork"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Jaws' director, Spielberg's film", ["jaws", "director", "spielberg", "film"]),
        ("Spielberg’s", ["spielberg"]),
        ("O'Neill's it's", ["o", "neill", "it"]),
        ("C++ and C# beat C", ["c++", "and", "c#", "beat", "c"]),
        ("#tag a#b", ["tag", "a", "b"]),
        ("x-ray, 3.14", ["x", "ray", "3", "14"]),
        ("北京是中国", ["北", "京", "是", "中", "国"]),
        ("東京タワー2020年", ["東", "京", "タ", "ワ", "ー", "2020", "年"]),
        ("ｶﾞﾝﾀﾞﾑ", ["ガ", "ン", "ダ", "ム"]),
        ("서울은 한국", ["서울은", "한국"]),
        ("ภาษาไทย", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย"]),
        ("किताब हिन्दी में", ["किताब", "हिन्दी", "में"]),
        ("القُرآن الكريم", ["القران", "الكريم"]),
        ("snake_case", ["snake", "case"]),
        ("🙂 … ---", []),
        ("", []),
    ],
)
def test_words_of_many_scripts(text: str, tokens: list[str]):
    assert words(text) == tokens


@pytest.mark.parametrize(
    ("surface", "key"),
    [
        ("The Beatles", "beatles"),
        ("A Clockwork Orange", "clockwork orange"),
        ("The Who", "the who"),
        ("The", "the"),
        ("The The", "the the"),
        ("  Gabriel   García\nMárquez ", "gabriel garcia marquez"),
        ("McDonald's", "mcdonald"),
        ("C++", "c++"),
        ("毛泽东", "毛 泽 东"),
        ("🙂", ""),
    ],
)
def test_entity_keys(surface: str, key: str):
    assert entity_key(surface) == key


def test_key_of_words_is_the_key_of_the_text():
    for text in ("The Beatles", "Żółw's C++", "北京", "an"):
        assert key_of(words(text)) == entity_key(text)


@given(MIXED)
@example("\u0640")  # a letter that folds to nothing
@example("\ufdfa")  # a letter that stands for four words
@example("\ufe70")  # a letter that stands for a blank and an accent
def test_folding_twice_is_folding_once_and_leaves_one_word(text: str):
    for token in words(text):
        assert token
        assert fold(token) == token
        assert token.split() == [token]


@given(MIXED)
def test_spans_lead_back_to_the_text(text: str):
    spans = word_spans(text)
    assert [token for token, _, _ in spans] == words(text)
    last = 0
    for token, start, end in spans:
        assert last <= start < end <= len(text)
        assert fold(text[start:end]) == token
        last = end


@given(MIXED)
def test_case_never_changes_the_words_of_ascii(text: str):
    plain = text.encode("ascii", "ignore").decode()
    assert words(plain.upper()) == words(plain.lower()) == words(plain)


def test_scripts_without_spaces_and_scripts_without_capitals():
    assert [is_unspaced(c) for c in "京カ가aไअ"] == [True, True, False, False, True, False]
    assert [has_case(c) for c in "aЯ京ع1"] == [True, True, False, False, False]


def test_squeeze():
    assert squeeze(" a\n\t b\u00a0c ") == "a b c"


def test_hashes_are_fixed_forever():
    # Stored in indexes: another value would make every vector and key unfindable.
    assert content_hash("a", "b") == "6a93c5780b9861cdd8d2761a748d9591"
    assert hash64("") == int.from_bytes(bytes.fromhex("e4a6a0577479b2b4"), "little")


@given(st.lists(MIXED, min_size=2, max_size=4))
def test_parts_of_a_hash_do_not_run_together(parts: list[str]):
    joined = ["".join(parts[:2]), *parts[2:]]
    assert (content_hash(*parts) == content_hash(*joined)) == (parts == joined)
