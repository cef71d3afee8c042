"""What fuzzing found, one test for each: every one of these failed before it was mended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.cli._where import parse_where
from hipporag_like.config import Config, EmbedConfig, ExtractConfig, LLMConfig
from hipporag_like.errors import ConfigError, IndexCorruptError, InputError, ModelError, StoreError
from hipporag_like.eval import report
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.units import load_unit, unit_path
from hipporag_like.models.answer_text import AnswerText
from hipporag_like.models.chat_answer import read_answer, read_pieces
from hipporag_like.models.cited_answer import parse, taken_apart
from hipporag_like.models.embedders import load_embedder
from hipporag_like.models.endpoint_address import base_address
from hipporag_like.models.extractors import load_extractor
from hipporag_like.models.llms import load_llm
from hipporag_like.models.model_files import positions, read_config
from hipporag_like.models.openie import OpenIEExtractor
from hipporag_like.models.prompts import Prompts
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.retrieval.learned import model
from hipporag_like.store import stamp
from hipporag_like.store.check_journal import journal_findings
from hipporag_like.store.journal import Journal
from hipporag_like.store.manifest import ArrayEntry, ManifestError, decode_manifest
from hipporag_like.store.reader import _load
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Passage

DEEP = "[" * 100_000
DIGITS = "9" * 5000  # more than Python reads


def one_line(error: pytest.ExceptionInfo[Exception]) -> None:
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).isprintable()


def test_messages_are_one_line_of_printable_signs(tmp_path: Path):
    with pytest.raises(ConfigError) as error:
        Config.from_dict({"a\nb\x1b[31m\u2028\u202e\ud800": 1})
    one_line(error)
    assert r"a\nb\x1b[31m\u2028\u202e\ud800" in str(error.value)


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "[search]\nk = 0x" + "f" * 5000])
def test_toml_that_python_cannot_hold(tmp_path: Path, text: str):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        Config.from_toml(tmp_path / "a.toml")
    one_line(error)


@pytest.mark.parametrize("text", [DEEP, f'{{"_id": {DIGITS}}}', '{"_id": "a"}\n' + DEEP])
def test_openie_files_that_python_cannot_hold(tmp_path: Path, text: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError) as error:
        OpenIEExtractor(tmp_path / "a.json")
    one_line(error)


@pytest.mark.parametrize("name", ["questions.jsonl", "set.json"])
def test_data_sets_that_python_cannot_hold(tmp_path: Path, name: str):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "text": "A b."}\n')
    (tmp_path / name).write_text(f'{{"id": {DIGITS}}}\n')
    with pytest.raises(InputError):
        load_dataset(tmp_path if name.endswith("l") else tmp_path / name)


def test_deep_values_of_a_filter_stay_words():
    assert parse_where([f"a={DEEP}"]) == {"a": DEEP}


@pytest.mark.parametrize("read", [
    lambda name: load_llm(LLMConfig(model=f"scripted:{name}")),
    lambda name: load_extractor(ExtractConfig(extractor=f"openie:{name}"), None, None),
    lambda name: load_embedder(EmbedConfig(model=name)),
    lambda name: Prompts.load(name),
    lambda name: model(f"{name}.json"),
    lambda name: read_config(name),
])  # fmt: skip
@pytest.mark.parametrize("name", ["a\0b", "~nobody-of-this-name/x", "x/" * 3000, "\udcff\ud800"])
def test_names_that_no_file_can_have(read: Callable[[str], object], name: str):
    with pytest.raises((ConfigError, InputError, ModelError)) as error:
        read(name)
    one_line(error)


def test_a_model_description_nested_too_deeply(tmp_path: Path):
    (tmp_path / "config.json").write_text(DEEP)
    with pytest.raises(ModelError):
        read_config(str(tmp_path))


def test_a_model_description_with_a_list_for_its_type():
    assert positions({"model_type": [1], "max_position_embeddings": 512}) == 512


@pytest.mark.parametrize(
    "address", ["ht\r\ntp://localhost/v1", "http://local\thost/v1", "http://localhost/ v1"]
)
def test_addresses_with_line_breaks_and_blanks(address: str):
    with pytest.raises(ConfigError):
        base_address(LLMConfig(base_url=address))


def test_two_thoughts_read_alike_in_pieces():
    reply = "<think>one</think><think>two</think>\nANSWER: Ada"
    whole = parse(reply)
    words = AnswerText()
    shown = "".join(words.feed(sign) for sign in reply) + words.close()
    assert taken_apart(words) == whole
    assert shown == whole.text == "Ada"


def test_half_a_character_of_a_server_is_replaced_or_joined():
    half = {"choices": [{"message": {"content": "A\ud83d"}, "finish_reason": "stop"}]}
    assert read_answer(half).text == "A\ufffd"
    pieces = [{"choices": [{"delta": {"content": text}}]} for text in ("A\ud83d", None, "\ude00B", "\ud83d")]
    assert "".join(piece.text for piece in read_pieces(pieces, "m")) == "A\U0001f600B"


def test_a_passage_that_ends_with_and_has_no_mention_backwards():
    passage = Passage("d#0", "d", "C++ Who and ", 0, 12)
    mentions = next(RulesExtractor().extract([passage])).mentions
    assert [(m.start, m.end) for m in mentions] == [(0, 3)]


def journal_of(folder: Path) -> Path:
    with Journal.open(folder) as journal:
        other = Document("Bob.", "b", namespace="other")
        journal.put_documents([(Document("Ada wrote.", "a"), [(0, 10)]), (other, [])], "c")
        journal.put_extractions("rules", [(content_hash("a"), Extraction(error="no answer"))])
    plain = sqlite3.connect(folder / "journal.db")
    plain.execute("PRAGMA journal_mode = DELETE")
    plain.close()
    return folder / "journal.db"


def change(path: Path, sql: str) -> None:
    plain = sqlite3.connect(path)
    plain.execute(sql)
    plain.commit()
    plain.close()


def read_journal(folder: Path) -> None:
    with Journal.open_readonly(folder) as journal:
        for namespace in journal.namespaces():
            journal.listing(namespace)
            list(journal.documents(namespace))
        journal.failed_extractions("rules")
        assert isinstance(journal.revision(), int)


@pytest.mark.parametrize(
    "column", ["namespace", "id", "title", "text", "metadata", "spans", "hash", "sort_key"]
)
def test_bytes_where_a_text_belongs_are_noticed(tmp_path: Path, column: str):
    # One bit of a row's head makes a text bytes; they have the same checksum.
    change(journal_of(tmp_path), f"UPDATE documents SET {column} = CAST({column} AS BLOB)")
    with pytest.raises(IndexCorruptError):
        read_journal(tmp_path)
    assert len(list(journal_findings(tmp_path))) == 1


@pytest.mark.parametrize("sql", [
    "UPDATE meta SET value = 'many' WHERE key = 'revision'",
    "UPDATE meta SET value = 9e999 WHERE key = 'revision'",
    "UPDATE extractions SET payload = 'another reason'",
    "UPDATE documents SET text = 'another text', crc = -1",
])  # fmt: skip
def test_values_that_nobody_wrote_are_noticed(tmp_path: Path, sql: str):
    change(journal_of(tmp_path), sql)
    with pytest.raises(IndexCorruptError):
        read_journal(tmp_path)


def test_a_damaged_name_in_one_index_hides_no_namespace(tmp_path: Path):
    path = journal_of(tmp_path)
    data = path.read_bytes()
    assert data.count(b"otherb\x02") == 1  # namespace, id and row, in the index of SQLite's own
    path.write_bytes(data.replace(b"otherb\x02", b"o|herb\x02"))
    with pytest.raises(IndexCorruptError):
        read_journal(tmp_path)


def test_a_damaged_schema_that_is_no_text(tmp_path: Path):
    path = journal_of(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"CREATE TABLE documents", b"CREATE TABLE docum\xecnts", 1))
    with pytest.raises(StoreError):
        read_journal(tmp_path)
    assert all(finding.sentence.isprintable() for finding in journal_findings(tmp_path))


def test_manifests_that_python_cannot_hold():
    with pytest.raises(ManifestError):
        decode_manifest(b'{"format":' + DEEP.encode(), "here")
    text = '"format": 2, "number": Infinity, "fields": {}, "groups": []}'
    with pytest.raises(ManifestError):
        decode_manifest(f'{{"checksum": "{content_hash(text)}",\n{text}'.encode(), "here")


@pytest.mark.skipif(not stamp.boot(), reason="Linux")
def test_a_damaged_record_of_what_was_checked(tmp_path: Path):
    for body in (DEEP, json.dumps({"boot": stamp.boot(), "files": {"a\0b": [1], "\ud800": [2]}})):
        (tmp_path / stamp.STAMP_NAME).write_text(body)
        assert stamp.unaltered(tmp_path) == []


def test_a_header_that_asks_for_more_memory_than_there_is(tmp_path: Path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3, np.float32))
    path.write_bytes(
        path.read_bytes().replace(b"'shape': (3,), }           ", b"'shape': (3, 44444444444)} ")
    )
    with pytest.raises(IndexCorruptError):
        _load(path, ArrayEntry("<f4", (3,), 140, 0), tmp_path)


@pytest.mark.parametrize(
    "value", [{"rows": True}, {"rows": ["a"]}, {"rows": [{}]}, {"rows": [], "usage": 1}, {}]
)
def test_a_unit_of_another_form_is_made_again(tmp_path: Path, value: dict[str, object]):
    path = tmp_path / "units" / "set" / "graph.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 1, "key": "k", **value}))
    assert load_unit(tmp_path, "set", "graph", "k") is None


def test_results_of_another_form_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(report, "missing_plots", lambda: "none")
    results = {"format": 1, "made": {}, "config": {}, "baseline": "a", "datasets": {"d": {"index": "x"}}}
    results |= {"systems": {"a": {}}, "results": {"d": {"a": {"scores": {"recall@5": "much"}}}}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(InputError):
        report.write_report(tmp_path)


def a_journal(folder: Path) -> bytes:
    """Make a journal of one file and return its bytes."""
    with Journal.open(folder) as journal:
        journal.put_documents([(Document("The lamp of Calverin was lit.", "a"), [(0, 29)])], "chunks")
    plain = sqlite3.connect(folder / "journal.db")
    plain.execute("PRAGMA journal_mode = DELETE")
    plain.close()
    return (folder / "journal.db").read_bytes()


def test_what_sqlite_quotes_of_a_damaged_text_is_not_told(tmp_path: Path):
    whole = a_journal(tmp_path)
    at = whole.index(b"lamp of Calverin")
    (tmp_path / "journal.db").write_bytes(whole[:at] + b"\xf7" + whole[at + 1 :])
    with (
        pytest.raises(IndexCorruptError, match="decode") as caught,
        Journal.open_readonly(tmp_path) as journal,
    ):
        list(journal.documents("default"))
    chain = [caught.value, caught.value.__cause__]
    told = [*map(str, chain), *(finding.sentence for finding in journal_findings(tmp_path))]
    assert len(told) > 2 and not any("Calverin" in text for text in told)


def test_a_schema_that_is_no_text_is_a_finding(tmp_path: Path):
    whole = a_journal(tmp_path)
    at = whole.index(b"row INTEGER PRIMARY KEY,\n    namespace")
    (tmp_path / "journal.db").write_bytes(whole[:at] + b"r\xf7w" + whole[at + 3 :])
    (finding,) = journal_findings(tmp_path)
    assert "journal.db" in finding.sentence


def test_a_unit_with_ids_that_are_no_texts_is_made_again(tmp_path: Path):
    path = unit_path(tmp_path, "set", "dense")
    path.parent.mkdir(parents=True)
    rows = [{"id": {"a": 1}, "error": ["x"]}]
    path.write_text(json.dumps({"format": 1, "key": "k", "rows": rows, "usage": {}, "memory_mb": 1.0}))
    assert load_unit(tmp_path, "set", "dense", "k") is None


@pytest.mark.parametrize("opening", [Journal.open, Journal.open_readonly])
def test_a_format_number_that_is_damaged_does_not_turn_checksums_off(
    tmp_path: Path, opening: Callable[..., Journal]
):
    a_journal(tmp_path)
    plain = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    plain.execute("UPDATE meta SET value = 1 WHERE key = 'format'")
    plain.execute("UPDATE documents SET text = 'The lamp of Calverin was out.'")
    plain.close()
    with pytest.raises(IndexCorruptError, match="format number"), opening(tmp_path):
        pass
    (finding,) = journal_findings(tmp_path)
    assert finding.what == "is damaged (its format number is not that of its tables)"


@pytest.mark.parametrize("opening", [Journal.open, Journal.open_readonly])
@pytest.mark.parametrize("left", [1, 2, 99])
def test_a_journal_that_is_cut_short_is_no_new_one(
    tmp_path: Path, opening: Callable[..., Journal], left: int
):
    whole = a_journal(tmp_path)
    (tmp_path / "journal.db").write_bytes(whole[:left])
    with pytest.raises(StoreError), opening(tmp_path):
        pass
    assert (tmp_path / "journal.db").read_bytes() == whole[:left]
