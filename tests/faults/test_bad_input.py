"""A user who does everything wrong: each mistake is one sentence and an exit code, and nothing is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hipporag_like import Document, HippoRAG
from hipporag_like.config import Config
from hipporag_like.errors import (
    ConfigError,
    IndexMismatchError,
    IndexNotFoundError,
    InputError,
    ModelError,
    UsageError,
)
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.store.lock import LOCK_NAME
from hipporag_like.store.snapshot import open_snapshot

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX files, permissions and shells")


def _load(name: str) -> ModuleType:
    """Import a helper beside this file, which is in no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


cases = _load("bad_input_cases")
runner = _load("bad_input_run")
PAGE = runner.PAGE.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad_input") / "base"
    runner.make_folder(folder)
    return folder


@pytest.fixture(scope="module")
def right_answer(base):
    result = runner.answer(base)
    assert result.code == 0 and result.stdout.count("\n") == 5
    return result.stdout


@pytest.mark.filterwarnings("ignore")  # those of what reads office files
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.kind)
def test_a_mistake_is_one_sentence_and_nothing_is_lost(case, base, right_answer, tmp_path):
    if case.needs:
        pytest.importorskip(case.needs)
    folder = tmp_path.resolve() / "here"
    result = runner.run(case, base, folder)
    said = runner.sentence(result, folder)
    assert result.error is None and "Traceback" not in result.stderr
    assert result.code == case.code, result.stderr
    assert [word for word in case.words if word not in said] == [], said
    if case.code:
        assert result.stdout == ""
        assert re.findall("^(?:unexpected )?error: ", result.stderr, re.M) == ["error: "]
        assert result.stderr.splitlines()[-1].startswith("error: ")
    _assert_on_page(case, said)
    if case.mends:
        with runner.inside(folder):
            assert runner.call(case.mends).code == 0
    if case.answers and case.code:
        after = runner.answer(folder)
        assert (after.code, after.stdout) == (0, right_answer), after.stderr


def _assert_on_page(case, said):
    line = runner.row(case, said)
    if case.foreign:
        start = runner.row(case, "@").partition("@")[0]
        on_page = [row for row in PAGE if row.startswith(start)]
        assert len(on_page) == 1 and all(word.replace("|", "\\|") in on_page[0] for word in case.words)
    else:
        assert line in PAGE, f"docs/bad_input.md is out of date: run python {runner.__file__}"


def test_the_page_has_no_other_lines():
    rows = [line for line in PAGE if line.startswith("| ")]
    assert len(rows) == len(cases.CASES) + 1
    assert len({case.kind for case in cases.CASES}) == len(cases.CASES) >= 40


def _documents_of(rag):
    return rag.stats()["documents"]


@pytest.fixture
def rag(base, tmp_path):
    shutil.copytree(base / "my_index", tmp_path / "index")
    return HippoRAG(tmp_path / "index")


ASKED_WRONG = {
    "empty question": (lambda r: r.retrieve(""), UsageError, "empty"),
    "None as question": (lambda r: r.retrieve(None), UsageError, "empty"),
    "number as question": (lambda r: r.ask(7), UsageError, "empty"),
    "question of punctuation": (lambda r: r.explain("?!"), UsageError, "no words"),
    "question of a megabyte": (lambda r: r.retrieve("lamp " * 200_000), UsageError, "at most 100,000"),
    "one of many questions empty": (lambda r: r.retrieve_many(["lamp", " "]), UsageError, "empty"),
    "one question for many": (lambda r: r.retrieve_many("lamp"), UsageError, "use retrieve"),
    "k of 0": (lambda r: r.retrieve("lamp", 0), ConfigError, "at least 1"),
    "k below 0": (lambda r: r.ask("lamp", -1), ConfigError, "at least 1"),
    "k of ask is 0": (lambda r: r.ask("lamp", 0), ConfigError, "at least 1"),
    "k in letters": (lambda r: r.retrieve("lamp", "5"), ConfigError, "whole number"),
    "k is true": (lambda r: r.retrieve("lamp", True), ConfigError, "whole number"),
    "k is a fraction": (lambda r: r.retrieve("lamp", 2.5), ConfigError, "whole number"),
    "unknown method": (
        lambda r: r.retrieve("lamp", method="grph"),
        ConfigError,
        "graph, hipporag, hipporag2, dense",
    ),
    "unknown namespace": (
        lambda r: r.retrieve("lamp", namespace="no"),
        UsageError,
        "stats names those there are",
    ),
    "unknown comparison": (lambda r: r.retrieve("lamp", where={"a": {"above": 1}}), UsageError, "gte"),
    "in without a list": (lambda r: r.retrieve("lamp", where={"a": {"in": "x"}}), UsageError, "list"),
    "where is a list": (lambda r: r.retrieve("lamp", where=["a"]), UsageError, "mapping"),
    "where with a number": (lambda r: r.retrieve("lamp", where={3: 1}), UsageError, "texts"),
    "unknown format": (lambda r: r.export("pdf", "x"), UsageError, "graphml"),
    "document as documents": (lambda r: r.index(Document("a b")), InputError, "brackets"),
    "text as documents": (lambda r: r.index("a text"), InputError, "brackets"),
    "numbers as documents": (lambda r: r.index([1]), InputError, "int"),
    "delete in an unknown namespace": (
        lambda r: r.delete(["s001"], namespace="no"),
        UsageError,
        "stats names",
    ),
    "options of another shape": (lambda r: Config.from_dict({"search": 3}), ConfigError, "table"),
}


@pytest.mark.parametrize("kind", ASKED_WRONG)
def test_the_library_refuses_in_one_sentence(kind, rag):
    call, error, words = ASKED_WRONG[kind]
    before = _documents_of(rag)
    with pytest.raises(error, match=re.escape(words)) as caught:
        call(rag)
    assert "\n" not in str(caught.value)
    assert _documents_of(rag) == before and rag.retrieve("Who lit the lamp?", 1)


BAD_DOCUMENTS = {
    "bytes": (Document(b"a b"), "text must be a text, got bytes"),
    "None": (Document(None), "text must be a text, got NoneType"),
    "title is a number": (Document("a b", "x", 7), "title must be a text"),
    "id is a number": (Document("a b", 7), "id must be"),
    "id of two lines": (Document("a b", "x\ny"), "printable"),
    "endless id": (Document("a b", "x" * 10_000), "1 to 512"),
    "no namespace": (Document("a b", "x", namespace=""), "namespace must be"),
    "NUL": (Document("a\0b", "x"), "NUL"),
    "half a surrogate pair": (Document("a \ud800", "x"), "surrogate"),
    "no words": (Document("...", "x"), "no words"),
    "blank": (Document(" ", "x"), "no words"),
    "metadata is a list": (Document("a b", "x", metadata=[1]), "metadata"),
    "metadata holds NaN": (Document("a b", "x", metadata={"n": float("nan")}), "metadata"),
    "metadata holds a set": (Document("a b", "x", metadata={"n": {1}}), "metadata"),
    "metadata named by a number": (Document("a b", "x", metadata={1: 1}), "metadata"),
}


@pytest.mark.parametrize("kind", BAD_DOCUMENTS)
def test_a_bad_document_is_reported_and_the_others_go_in(kind, rag):
    document, words = BAD_DOCUMENTS[kind]
    report = rag.index([document, Document("Brisinga wove the sail.", "good")])
    assert (report.added, len(report.failures)) == (1, 1)
    assert words in report.failures[0].reason
    assert rag.retrieve("Who wove the sail?", 1)[0].passage.document_id == "good"


class _Broken(HashingEmbedder):
    """An embedder that says nothing of use."""

    def __init__(self, answer):
        super().__init__()
        self._answer = answer

    @property
    def fingerprint(self):
        return "broken"

    def embed(self, texts, kind="passage"):
        return self._answer(super().embed(texts, kind))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda v: v[:, :3], "shape"),
        (lambda v: v[:1], "shape"),
        (lambda v: v * 7, "length 1"),
        (lambda v: v * np.nan, "not finite"),
    ],
)
def test_an_embedder_that_breaks_its_word(answer, words, rag):
    broken = HippoRAG(rag.path, embedder=_Broken(answer))
    with pytest.raises(IndexMismatchError, match="another folder"):
        broken.retrieve("Who lit the lamp?")
    with pytest.raises(ModelError, match=words):
        broken.index([Document("A lamp in Maundwick.", "new"), Document("A bell in Skerrow.", "more")])
    assert rag.retrieve("Who lit the lamp?", 1)


def test_an_id_in_two_namespaces_must_be_told_apart(rag):
    rag.index([Document("Ossiane kept bees.", "s001", namespace="other")])
    with pytest.raises(UsageError, match="default, other"):
        rag.delete(["s001"])
    assert rag.delete(["s001"], namespace="other").deleted == 1
    assert "s001" in {hit.passage.document_id for hit in rag.retrieve("Who?", 100, method="dense")}


def test_of_two_documents_with_one_id_the_last_counts(rag):
    rag.index([Document("Brisinga wove the sail.", "x"), Document("Ottar wove the sail.", "x")])
    found = [h.passage.text for h in rag.retrieve("wove the sail", 100) if h.passage.document_id == "x"]
    assert found == ["Ottar wove the sail."]


def test_unknown_ids_are_reported(rag):
    report = rag.delete(["no", "s001", "s001"])
    assert (report.deleted, [failure.source for failure in report.failures]) == (1, ["no"])


def test_an_index_opened_for_reading_is_not_written(rag):
    with pytest.raises(UsageError, match="read-only"):
        HippoRAG(rag.path, read_only=True).index(["A text of words."])
    with pytest.raises(IndexNotFoundError, match="make one with"):
        HippoRAG(rag.path / "none", read_only=True)


def test_questions_in_odd_characters_are_answered(rag):
    for question in ("lamp \ud800", "lamp\0lamp", "\u202elamp", "lamp" * 1000, "漢字"):
        assert rag.retrieve(question, 1)


@pytest.mark.parametrize("text", ["A" * 3_000_000, "! " * 300_000 + " end", "a" + " " * 2_000_000 + "b"])
def test_a_text_without_end_is_cut_and_indexed(text, rag):
    report = rag.index([Document(text, "endless")])
    assert (report.added, report.failures) == (1, ())
    longest = max(len(h.passage.text) for h in rag.retrieve("end a b", 1000, method="dense"))
    assert longest < 100_000


def test_a_line_too_long_for_a_row(tmp_path, base, monkeypatch):
    from hipporag_like.indexing import formats_tables

    monkeypatch.setattr(formats_tables, "MAX_LINE_BYTES", 1 << 20)
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_bytes(b'{"text": "' + b"lamp " * 300_000 + b'"}\n')
    result = runner.call("index a.jsonl --index new")
    assert result.code == 2 and "a.jsonl:1: the line is longer than 1 MiB" in result.stderr
    assert not Path("new").exists()


@pytest.mark.parametrize("columns", ["20", "1"])
def test_a_narrow_terminal_and_no_colour(columns, base, monkeypatch):
    monkeypatch.setattr(runner, "CLEAN", {**runner.CLEAN, "COLUMNS": columns, "NO_COLOR": "1"})
    with runner.inside(base):
        for line in (cases.Q, cases.Q.replace("query", "explain"), "stats --index my_index"):
            result = runner.call(line)
            assert result.code == 0 and result.error is None and "\x1b" not in result.stdout


def test_an_interrupted_run_keeps_what_is_there(base, right_answer, tmp_path):
    """Ctrl-C at whatever point it lands: one sentence, exit 130, and the index answers as before."""
    folder = tmp_path / "here"
    shutil.copytree(base, folder)
    rows = ({"_id": f"n{i}", "text": f"The bell {i} of Skerrow rang. " * 30} for i in range(3000))
    (folder / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "hipporag_like.cli", "index", "more.jsonl", "--index", "my_index"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell lets its background jobs ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (folder / "my_index" / LOCK_NAME).read_bytes() and time.monotonic() < deadline:
        time.sleep(0.01)  # until it has begun to write
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped; what was finished is kept, run the same command again to go on\n"
    with open_snapshot(folder / "my_index") as snapshot:
        assert snapshot.verify() == []
    assert runner.answer(folder).stdout == right_answer
