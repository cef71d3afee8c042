"""The tokens of the rules are those of spaCy's tokeniser with the same patterns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spacy.tokenizer import Tokenizer
from spacy.vocab import Vocab

from hipporag_like.models import token_classes
from hipporag_like.models.token_classes import Tokens, classify, spacy_text

_SPACY = Tokenizer(
    Vocab(),
    prefix_search=token_classes._PREFIX.match,
    suffix_search=token_classes._SUFFIX.search,
    infix_finditer=token_classes._INFIX.finditer,
)
_PIECES = st.sampled_from(
    [
        "Ada",
        "x",
        "U.S.",
        "'s",
        "\u2019S",
        ".",
        "..",
        ",",
        ":",
        "-",
        "\u2013",
        "/",
        "(",
        "]",
        "+",
        "#",
        "_",
        "!",
        '"',
    ]
    + [
        "3",
        "19.5",
        "\u00e9",
        "\u4e2d",
        " ",
        "\n",
        "\u00a0",
        "\x1c",
        "\u2026",
        "</a>",
        "end.Start",
        "C++",
        "\ud800",
    ]
)


def _by_spacy(text: str) -> list[tuple[str, int, int]]:
    tokens = [(token.text, token.idx) for token in _SPACY(spacy_text(text)) if not token.text[0].isspace()]
    return [(classify(word), at, at + len(word)) for word, at in tokens]


def _ours(text: str) -> list[tuple[str, int, int]]:
    return list(zip(*Tokens().read(spacy_text(text)), strict=True))


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_tokens_are_those_of_spacy(text: str) -> None:
    assert _ours(text) == _by_spacy(text)


def test_tokens_by_hand() -> None:
    tokens = _ours('"Stratford-upon-Avon," said J. R.\'s aunt.')
    text = '"Stratford-upon-Avon," said J. R.\'s aunt.'
    words = [text[start:end] for _, start, end in tokens]
    assert words == [
        '"',
        "Stratford",
        "-",
        "upon",
        "-",
        "Avon",
        ",",
        '"',
        "said",
        "J.",
        "R.",
        "'s",
        "aunt",
        ".",
    ]


def test_what_is_kept_of_runs_does_not_grow_for_ever() -> None:
    tokens, before = Tokens(), token_classes._KEPT_RUNS
    try:
        token_classes._KEPT_RUNS = 3
        read = [tokens.read("Ada met Bob and Eve , once") for _ in range(2)]
    finally:
        token_classes._KEPT_RUNS = before
    assert read[0] == read[1] and len(tokens) <= 3
