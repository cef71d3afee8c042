"""Names found in a passage as whole words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.models.located import holds, places, spoken
from hipporag_like.types import Mention


def test_places_are_whole_words_in_any_case() -> None:
    text = "Tarn and tarn's Old Pell; Tarnish, old-pell."
    found = places(text, ["Tarn", "old pell", "...", ""])
    assert found == [Mention(0, 4), Mention(9, 13), Mention(16, 24, "term"), Mention(35, 43, "term")]


def test_what_is_spoken_holds_whole_words_in_order() -> None:
    text = spoken("The Fair of Nine Bridges")
    assert holds(text, "nine bridges")
    assert not holds(text, "Nine Bridge")
    assert not holds(text, "bridges nine")
    assert not holds(text, "...")


@given(st.text(), st.lists(st.text(), max_size=5))
def test_places_and_holding_agree(text: str, names: list[str]) -> None:
    for name in names:
        assert bool(places(text, [name])) == holds(spoken(text), name)
    assert all(0 <= m.start < m.end <= len(text) for m in places(text, names))
