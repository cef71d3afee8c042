"""Fuzz targets: what language models and their servers say."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import fuzz_mutate as mutate
from fuzz_parsers_run import Target, require

from hipporag_like.errors import ConfigError, InputError, LLMError
from hipporag_like.models import (
    answer_json,
    answer_start,
    answer_text,
    chat_answer,
    cited_answer,
    embedding_answer,
    extraction_answer,
    json_answers,
    json_reader,
    openie,
    openie_file,
    structured,
)
from hipporag_like.models.endpoint_faults import UnreadableError, UnusableError, scrub
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.retrieval import iterate, memory, question_entities
from hipporag_like.text import squeeze
from hipporag_like.types import Hit, Passage, Trace, Triple

OBJECTS: list[Any] = [
    {
        "entities": ["Ada Lovelace", "Charles Babbage", "1843"],
        "triples": [["Ada", "born in", "London"], ["A", "b", 3]],
    },
    {"triples": [{"subject": "Ada", "relation": "wrote", "object": "Notes"}, ["Note G", "is", "a program"]]},
    {"entities": []},
    {"facts": [1, 2, "3", 7]},
    {"answer": "London", "citations": [{"passage": 1, "quote": "was born in London"}, [2], "2 in Paris", 1]},
    {"answer": None, "evidence": ["[1] Ada"]},
]
REPLIES = [
    "ANSWER: London\n[1] \"was born in London\"\n[2] 'in 1815'",
    '<think>Let me see. {"entities": 1}</think>\n**Answer:** Ada Lovelace [1].\n'
    "Citations:\n[1]: \u201cAda Lovelace wrote\u201d",
    "ANSWER: NOT IN PASSAGES",
    "The answer is yes, see [1] and [2, 3].\n\n- Passage [2] \u00abNote G ... a program\u00bb",
    "Thought: Ada was born in London. So the answer is: London.",
    '```json\n{"answer": "London", "quotes": ["1: was born"]}\n```',
    'Here you are:\n{\'entities\': ["Ada "Countess" Lovelace", "O\'Neil"], "triples": [["a", "b"',
    'answer: 1815 [1] \u3010passage 2\u3011 "born"',
]
WORDS = (
    "ANSWER:", "answer\uff1a", "[1]", "[2, 3]", "\u3010passage 1\u3011", "NOT IN PASSAGES", "Citations:", '"entities"',
    '"triples"', '"facts"', "so the answer is", "Thought:", "step 3:", "London", "Ada Lovelace", '["a", "b", "c"]',
    "was born in London", "\u201c", "\u201d", "\n[1] ", "}{", "]]}", "\\\"", "...", "[...]",
)  # fmt: skip
NAMES = (
    "entities",
    "triples",
    "facts",
    "answer",
    "citations",
    "quote",
    "passage",
    "subject",
    "relation",
    "object",
    "text",
)
PASSAGES = [
    Passage(
        "d#0",
        "d",
        "Ada Lovelace was born in London in 1815. She wrote Note G; it is a program.",
        0,
        79,
        "Ada Lovelace",
    ),
    Passage(
        "e#0",
        "e",
        "\u0391\u0301\u03b4\u03b1 \u00ab\u6771\u4eac\u300d 'Fair' \u2014 caf\u00e9\u200d\nin Paris.",
        0,
        35,
        "",
    ),
]
HITS = [Hit(rank, 1.0 / rank, passage) for rank, passage in enumerate(PASSAGES, start=1)]
TRACE = Trace("Where was Ada born?", "graph", "graph", "ok", "", hits=tuple(HITS))


def make_reply(rng: random.Random, kept: str | None) -> str:
    """Return what a model may say."""
    if kept is None and rng.random() < 0.5:
        text = mutate.written(rng, mutate.changed_value(rng, rng.choice(OBJECTS), NAMES))
        if rng.random() < 0.5:
            return text
        kept = text
    return mutate.changed_text(rng, rng.choice(REPLIES) if kept is None else kept, REPLIES, WORDS)


def run_lists(reply: str) -> None:
    """Read lists of names, facts and numbers; what was read is read again from JSON."""
    errors = []
    for stage in (extraction_answer.ENTITIES, extraction_answer.TRIPLES, extraction_answer.BOTH):
        try:
            found = extraction_answer.reader(stage)(reply)
        except structured.AnswerError as error:
            errors.append(error)
            found = error.partial
        if found is None:
            continue
        require(isinstance(found, extraction_answer.Found) and found.dropped >= 0, "no Found")
        require(all(_is_name(name) for name in found.entities), "an entity is no name")
        require(
            all(
                isinstance(t, Triple) and _is_name(t.subject) and t.relation and _is_name(t.object)
                for t in found.triples
            ),
            "a triple is none",
        )
        again = {
            "entities": list(found.entities),
            "triples": [[t.subject, t.relation, t.object] for t in found.triples],
        }
        if stage == extraction_answer.BOTH and _whole(json.dumps(again, ensure_ascii=False)):
            back = extraction_answer.reader(stage)(json.dumps(again))
            require(
                (back.entities, back.triples) == (found.entities, found.triples), "a list does not come back"
            )
    answer = answer_json.answer_in_json(reply)
    if answer is not None:
        require(answer[0] is None or isinstance(answer[0], str), "the answer is no text")
        require(all(type(n) is int and isinstance(q, str) for n, q in answer[1]), "a citation is none")
    if len(errors) == 3:
        raise errors[0]


def _whole(text: str) -> bool:
    """Return whether no half of a surrogate pair is in a text: JSON makes one character of two that meet."""
    return not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != "" and squeeze(value) == value


def run_numbers(reply: str) -> None:
    """Read the numbers of facts."""
    found = json_answers.numbers(json_answers.json_object(reply), "facts")
    require(all(type(number) is int for number in found.kept) and found.dropped >= 0, "no whole number")


def run_asked(reply: str) -> None:
    """Let a model give the same answer again and again, to one of the stages that ask one."""
    llm, question = ScriptedLLM(lambda prompt: reply, 4096), "Where was Ada born?"
    stage = len(reply) % 3
    if stage == 0:
        names = question_entities.entities_by_llm(llm, PROMPTS, question)
        require(all(_is_name(name) for name in names), "an entity is no name")
    elif stage == 1:
        kept = memory.recognise(llm, PROMPTS, question, ["Ada born in London", "Note G"])
        require(set(kept.kept) <= {0, 1} and kept.ignored >= 0, "a fact that was not shown is kept")
    else:
        trace = iterate.iterate(question, lambda _: TRACE, llm, PROMPTS, 2, 5, 2)
        require(1 <= len(trace.steps) <= 2 and len(trace.hits) == len(HITS), "no trace")


def make_cited(rng: random.Random, kept: tuple[str, list[int]] | None) -> tuple[str, list[int]]:
    reply = make_reply(rng, None if kept is None else kept[0])
    return reply, sorted(rng.randint(0, len(reply)) for _ in range(rng.randint(0, 8)))


def run_cited(given: tuple[str, list[int]]) -> None:
    """Read an answer with citations, whole and in pieces."""
    reply, cuts = given
    whole = cited_answer.parse(reply)
    pieces, shown = answer_text.AnswerText(), ""
    for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True):
        shown += pieces.feed(reply[start:end])
    shown += pieces.close()
    require(cited_answer.taken_apart(pieces) == whole, "in pieces it reads differently")
    require(shown == (whole.text or ""), "what was shown is not the answer")
    verified = cited_answer.verify(whole, PASSAGES)
    for citation in verified.citations:
        passage = next(p for p in PASSAGES if p.id == citation.passage_id)
        require(
            passage.text[citation.start : citation.end] == citation.quote != "",
            "a citation does not stand there",
        )
    require(0 <= verified.share <= 1 and verified.dropped >= 0, "shares")


BODIES: list[Any] = [
    {"id": "x", "model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0, "finish_reason": "stop",
     "message": {"role": "assistant", "content": "ANSWER: London"}}], "usage": {"prompt_tokens": 5,
     "completion_tokens": 7}},
    {"model": "m", "choices": [{"delta": {"content": "Lon"}, "finish_reason": None}], "usage": None},
    {"choices": [], "error": {"message": "overloaded\nplease wait", "code": 503}},
    {"choices": [{"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "content_filter"}]},
    {"data": [{"index": 1, "embedding": [0.5, -1.0, 3]}, {"index": 0, "embedding": [1, 2, 3e-300]}], "model": "e"},
    {"data": [{"embedding": "AACAPwAAAAA="}, {"embedding": "AAAAPwAAgD8="}], "usage": {"prompt_tokens": 1}},
]  # fmt: skip
FIELDS = ("model", "choices", "message", "delta", "content", "refusal", "finish_reason", "usage", "data", "embedding",
          "index", "error", "prompt_tokens")  # fmt: skip


def make_body(rng: random.Random, kept: bytes | None) -> bytes:
    """Return what a server may send."""
    if kept is None or rng.random() < 0.5:
        text = mutate.written(rng, mutate.changed_value(rng, rng.choice(BODIES), FIELDS))
        kept = text.encode("utf-8", "surrogatepass")
    return mutate.changed_bytes(rng, kept, [kept]) if rng.random() < 0.3 else kept


def run_body(content: bytes) -> None:
    """Read a body as an answer, as a piece of a stream, and as vectors."""
    body = chat_answer.read_json(content)
    errors: list[Exception] = []
    tokens = chat_answer.read_tokens(body)
    require(all(n is None or (type(n) is int and n >= 0) for n in (tokens.input, tokens.output)), "tokens")
    for read in (_answer, _stream, _vectors):
        try:
            read(body)
        except (UnusableError, UnreadableError) as error:
            errors.append(type(error)(scrub(str(error), "")))  # as every caller shows it
    if len(errors) == 3:
        raise errors[0]


def _answer(body: dict[str, Any]) -> None:
    chat_answer.require_model(body, "gpt-4o-mini")
    piece = chat_answer.read_answer(body)
    require(piece.text.strip() and isinstance(piece.end, str), "an answer without text")
    piece.text.encode("utf-8")  # or nothing could keep it


def _stream(body: dict[str, Any]) -> None:
    texts = [piece.text for piece in chat_answer.read_pieces([body, body], "gpt-4o-mini")]
    "".join(texts).encode("utf-8")


def _vectors(body: dict[str, Any]) -> None:
    vectors = embedding_answer.read_vectors(body, 2)
    lengths = (vectors.astype("f8") ** 2).sum(axis=1)
    require(vectors.dtype == "f4" and len(vectors) == 2 and abs(lengths - 1).max() < 1e-5, "no unit vectors")


LINES = [
    {
        "_id": "d",
        "entities": ["Ada Lovelace", "London"],
        "triples": [["Ada", "born in", 1815], ["a", "b", "c"]],
    },
    {"id": 7, "entities": [], "triples": []},
]
OSU = {"docs": [{"idx": "c1", "passage": "Ada\nAda was born in London. She wrote.", "extracted_entities": ["Ada"],
                 "extracted_triples": [["Ada", "born in", "London"]]}], "ner": 1.5}  # fmt: skip
OPENIE_NAMES = (
    "_id",
    "id",
    "docs",
    "passage",
    "entities",
    "triples",
    "extracted_entities",
    "extracted_triples",
)


def make_openie(rng: random.Random, kept: bytes | None) -> bytes:
    """Return a file of entities and triples."""
    if kept is None:
        if rng.random() < 0.5:
            text = mutate.written(rng, mutate.changed_value(rng, OSU, OPENIE_NAMES))
        else:
            rows = [mutate.changed_value(rng, row, OPENIE_NAMES) for row in LINES]
            text = "\n".join(json.dumps(row) for row in rows) if rng.random() < 0.7 else json.dumps(rows)
        kept = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        return mutate.changed_bytes(rng, kept, [kept])
    if rng.random() < 0.3:
        text = kept.decode("utf-8", "replace")
        return mutate.changed_text(rng, text, [text], OPENIE_NAMES).encode("utf-8", "surrogatepass")
    return kept


def targets(folder: Path) -> dict[str, Target]:
    """Return the targets of this module."""
    global PROMPTS
    PROMPTS = Prompts.load()
    file = folder / "openie.json"

    def run_openie(data: bytes) -> None:
        file.write_bytes(data)
        extractor = openie.OpenIEExtractor(file)
        found = list(extractor.extract(PASSAGES))
        require(len(found) == 2 and all(count >= 0 for count in extractor.dropped.values()), "counts")
        for extraction, passage in zip(found, PASSAGES, strict=True):
            require(
                all(0 <= m.start < m.end <= len(passage.text) for m in extraction.mentions),
                "a mention lies outside",
            )
            require(all(_is_name(name) for name in extraction.names), "a name is none")

    answered = [m.__name__ for m in (json_answers, json_reader, extraction_answer, answer_json)]
    cited = [m.__name__ for m in (cited_answer, answer_text, answer_start, answer_json, json_reader)]
    asked = [m.__name__ for m in (structured, json_answers, iterate, memory, question_entities)]
    return {
        "answer-lists": Target(make_reply, run_lists, (structured.AnswerError,), answered),
        "answer-numbers": Target(make_reply, run_numbers, (structured.AnswerError,), answered),
        "answer-asked": Target(make_reply, run_asked, (LLMError,), asked),
        "answer-cited": Target(make_cited, run_cited, (), cited),
        "server-body": Target(make_body, run_body, (UnusableError, UnreadableError),
                              [chat_answer.__name__, embedding_answer.__name__]),
        "openie-file": Target(make_openie, run_openie, (InputError, ConfigError), [openie.__name__,
        openie_file.__name__]),
    }  # fmt: skip
