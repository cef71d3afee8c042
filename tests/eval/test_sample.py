"""The shipped sample: its shape, and that its questions really need more than one passage."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parents[2] / "eval" / "sample"
# A run of capitalised words (a possessive ending stays out, the apostrophe of "Pilots' Guild" stays in).
WORD = r"[A-Z]\w*(?:'s?(?= [A-Z]))?"
NAME = re.compile(rf"{WORD}(?: {WORD})*")
KINDS = {"person", "place", "institution", "ship", "event", "object", "work", "disease", "nature"}
MULTI_HOP_TYPES = {"bridge", "compositional", "3hop", "comparison", "yesno"}


def read_rows(name: str) -> list[dict[str, Any]]:
    lines = (SAMPLE / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


CORPUS = read_rows("corpus.jsonl")
QUESTIONS = read_rows("questions.jsonl")
BY_ID = {row["_id"]: row for row in CORPUS}


def passage_text(row: dict[str, Any]) -> str:
    return f"{row['title']}. {row['text']}"


def holds(text: str, span: str) -> bool:
    """Whether ``span`` occurs in ``text`` as whole words, whatever the case."""
    return re.search(rf"(?<!\w){re.escape(span.casefold())}(?!\w)", text.casefold()) is not None


def names_in(question: str) -> list[str]:
    """The names in a question; its first word is a capital without being a name."""
    return NAME.findall(question.split(" ", 1)[1])


def holds_all(text: str, names: list[str]) -> bool:
    return all(holds(text, name) for name in names)


def test_counts() -> None:
    types = Counter(row["type"] for row in QUESTIONS)
    assert 80 <= len(CORPUS) <= 100
    assert 32 <= len(QUESTIONS) <= 40
    assert set(types) == MULTI_HOP_TYPES
    assert min(types["yesno"], types["comparison"], types["3hop"]) >= 4
    assert sum(len(row["supporting"]) >= 2 for row in QUESTIONS) >= 25


def test_the_readme_states_the_counts() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert f"{len(CORPUS)} passages" in readme
    assert f"{len(QUESTIONS)} questions" in readme


def test_ids_and_titles_are_unique() -> None:
    assert len(BY_ID) == len(CORPUS)
    assert len({row["title"] for row in CORPUS}) == len(CORPUS)
    assert len({row["id"] for row in QUESTIONS}) == len(QUESTIONS)
    assert len({row["question"] for row in QUESTIONS}) == len(QUESTIONS)


def test_rows_have_the_documented_fields() -> None:
    for row in CORPUS:
        assert {"_id", "title", "text", "kind"} <= set(row) <= {"_id", "title", "text", "kind", "year"}
        assert row["kind"] in KINDS, row["_id"]
        assert isinstance(row.get("year", 0), int)
    for row in QUESTIONS:
        assert set(row) == {"id", "question", "answers", "supporting", "type"}


def test_passages_are_short_prose() -> None:
    for row in CORPUS:
        sentences = re.findall(r"[.?!]\"?(?= [A-Z\"]|$)", row["text"])
        assert 40 <= len(row["text"].split()) <= 110, row["_id"]
        assert 2 <= len(sentences) <= 6, row["_id"]


def test_supporting_passages_exist_and_match_the_type() -> None:
    for row in QUESTIONS:
        assert len(set(row["supporting"])) == (3 if row["type"] == "3hop" else 2), row["id"]
        assert set(row["supporting"]) <= set(BY_ID), row["id"]


def test_answers_stand_in_a_supporting_passage() -> None:
    for row in QUESTIONS:
        if row["type"] == "yesno":
            assert row["answers"] in (["yes"], ["no"]), row["id"]
            continue
        texts = [passage_text(BY_ID[i]) for i in row["supporting"]]
        for answer in row["answers"]:
            assert any(holds(text, answer) for text in texts), (row["id"], answer)


def test_no_single_passage_holds_the_answer_and_every_name_of_the_question() -> None:
    for row in QUESTIONS:
        names = names_in(row["question"])
        assert names, row["id"]
        for passage in CORPUS:
            text = passage_text(passage)
            answered = row["type"] == "yesno" or any(holds(text, answer) for answer in row["answers"])
            assert not (answered and holds_all(text, names)), (row["id"], passage["_id"])


def test_bridging_passages_are_tied_by_a_rare_name() -> None:
    everything = [passage_text(row) for row in CORPUS]
    names = {row["title"].removeprefix("The ") for row in CORPUS}
    names |= {name for text in everything for name in NAME.findall(text) if " " in name}
    places = {name: {i for i, text in enumerate(everything) if holds(text, name)} for name in names}
    # A name in more than a tenth of the passages ("Calverin") ties nothing together.
    ties = [found for found in places.values() if 2 <= len(found) <= len(CORPUS) // 10]
    order = {row["_id"]: i for i, row in enumerate(CORPUS)}
    for row in QUESTIONS:
        if row["type"] not in ("yesno", "comparison"):
            for first, second in pairwise(row["supporting"]):
                assert any({order[first], order[second]} <= found for found in ties), (
                    row["id"],
                    first,
                    second,
                )


def test_both_parts_of_a_comparison_are_named_by_its_passages() -> None:
    for row in QUESTIONS:
        if row["type"] in ("yesno", "comparison"):
            for passage_id in row["supporting"]:
                assert holds(row["question"], BY_ID[passage_id]["title"]), (row["id"], passage_id)
