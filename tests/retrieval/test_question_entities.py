"""The entities that a question names."""

from __future__ import annotations

import pytest

from hipporag_like.errors import LLMError
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.retrieval.question_entities import MAX_ENTITIES, entities_by_llm, entities_by_rules

PROMPTS = Prompts.load()


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Where was the director of The Tin Harbour born?", ["Tin Harbour"]),
        ("Who is older, Jean Rollin or John Ford?", ["Jean Rollin", "John Ford"]),
        ("Were Ada Lovelace and Charles Babbage born in June 1815?", ["Ada Lovelace", "Charles Babbage", "June 1815"]),
        ("Did Toad Hall open before Fenwick University?", ["Toad Hall", "Fenwick University"]),
        ("Name Ole Brandt's first film", ["Ole Brandt"]),
        ("What does `max_tokens` of the LLM do in Python?", ["max_tokens", "LLM", "Python"]),
        ("Is Jaws by the director of Jaws?", ["Jaws"]),
        ("Which film by Ole Brandt came out after May 1951?", ["Ole Brandt", "May 1951"]),
        ("May 1951 saw whom born?", ["May 1951"]),
        ("Did Will Smith star in it?", ["Will Smith"]),
        ("Tell me. May Ada Berg vote?", ["Ada Berg"]),
        ("how do I boil an egg", []),
        ("?", []),
    ],
)  # fmt: skip
def test_by_rules(question: str, names: list[str]) -> None:
    found = entities_by_rules(question)
    assert [name.removeprefix("The ").removesuffix("'s") for name in found] == names


def test_by_rules_only_what_stands_in_the_question() -> None:
    question = (
        "Which \u201cHollow Lantern\u201d did \u674e\u767d and M\u00fcller see on 3 May 1990 in St. Louis?"
    )
    found = entities_by_rules(question)
    assert len(found) >= 3 and all(name in question for name in found)


def test_by_llm() -> None:
    llm = ScriptedLLM(['{"entities": ["Jaws", " the  Ohio River", "jaws", "?", 1946]}'])
    assert entities_by_llm(llm, PROMPTS, "Where?") == ["Jaws", "the Ohio River", "1946"]
    (prompt,) = llm.prompts
    assert prompt.stage == "question_entities" and prompt.schema is not None


def test_by_llm_none_is_an_answer_and_a_bad_one_is_not() -> None:
    assert entities_by_llm(ScriptedLLM(['{"entities": []}']), PROMPTS, "Where?") == []
    with pytest.raises(LLMError):
        entities_by_llm(ScriptedLLM(["I cannot"] * 3), PROMPTS, "Where?")


def test_by_llm_a_list_without_end_is_bounded() -> None:
    names = ", ".join(f'"name {n}"' for n in range(100))
    assert (
        len(entities_by_llm(ScriptedLLM([f'{{"entities": [{names}]}}'], cut=False), PROMPTS, "?"))
        == MAX_ENTITIES
    )
