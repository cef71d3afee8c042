"""The accepted answers of a question in a native file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hipporag_like.eval.rows import Row, read_rows

# Where the sets keep answers, the main one first: MuSiQue, HotpotQA, 2Wiki, NarrativeQA; LV-Eval; NQ; PopQA.
_ANSWERS = (
    "answer",
    "gold_ans",
    "reference",
    "obj",
    "answer_aliases",
    "possible_answers",
    "o_wiki_title",
    "o_aliases",
)
_PACKED = ("possible_answers", "o_aliases")  # PopQA keeps JSON lists in strings
ALIAS_FILE = "id_aliases.json"  # 2WikiMultiHopQA's other names of the entities that are answers


def answers(row: Row, aliases: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the accepted answers of a row, each once.

    Parameters
    ----------
    aliases
        Other names by entity id; see :func:`entity_aliases`.

    Raises
    ------
    InputError
        There is none, or it is neither text nor a number.
    """
    given: list[str] = []
    for name in (name for name in _ANSWERS if row.first(name) is not None):
        texts = row.strings(name)
        given += [part for text in texts for part in _unpacked(text)] if name in _PACKED else texts
    if not given:
        raise row.error("'answer' is missing")
    if row.first("answer_id") is not None:
        given += aliases.get(row.identifier("answer_id"), ())
    return tuple(dict.fromkeys(given))


def entity_aliases(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the other names of answers from ``id_aliases.json`` beside a 2WikiMultiHopQA file, if it is there.

    Their evaluation, version 1.1, accepts the aliases and the demonyms of the answer's entity.

    Raises
    ------
    InputError
        The file is malformed; the message names the row.
    """
    beside = path.with_name(ALIAS_FILE)
    if not beside.is_file():
        return {}
    names: dict[str, tuple[str, ...]] = {}
    for row in read_rows(beside):
        names[row.identifier("Q_id")] = (*row.strings("aliases"), *row.strings("demonyms"))
    return names


def _unpacked(text: str) -> list[str]:
    """Return the texts in a JSON list that is kept as a string; any other text is itself."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    return [str(value) for value in values if str(value).strip()] if isinstance(values, list) else [text]
