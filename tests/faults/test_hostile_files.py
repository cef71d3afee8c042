"""Files made to hang, to fill the memory or to steer a terminal: each is a sentence, in bounded time and memory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.cli import _errors
from hipporag_like.config import Config
from hipporag_like.errors import ConfigError, InputError, UsageError
from hipporag_like.indexing import formats_archive, formats_tables, formats_text, limits, office_process
from hipporag_like.indexing import load as load_module
from hipporag_like.indexing.load import load
from hipporag_like.models.openie_file import read_openie
from hipporag_like.models.scripted import ScriptedLLM
from hipporag_like.plain_files import read_plain
from hipporag_like.types import Document, Failure

sys.path.insert(0, str(Path(__file__).parent))
import fuzz_files as files  # noqa: E402

sys.path.pop(0)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and devices of POSIX")
LARGE = Path(__file__).with_name("large_input_run.py")


def reason_of(path: Path) -> str:
    (item,) = load(path)
    assert isinstance(item, Failure), item
    return item.reason


# Office files are zip archives of XML


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(formats_archive, "MAX_UNPACKED_BYTES", 10 << 20)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        with made.open("xl/worksheets/sheet1.xml", "w") as member:
            for _ in range(64):
                member.write(bytes(1 << 20))
    assert path.stat().st_size < 100_000
    assert "unpacks to more than 10 MiB" in reason_of(path)


def test_a_zip_that_understates_its_sizes_is_damaged(tmp_path):
    path = tmp_path / "a.docx"
    data = bytearray(files.make_docx(files.WORDS))
    place = data.rindex(b"PK\x01\x02")  # of the last member, in the directory at the end
    data[place + 24 : place + 28] = (5).to_bytes(4, "little")
    path.write_bytes(data)
    assert "damaged" in reason_of(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE w [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE w [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
    ids=["billion laughs", "external entity", "external document type"],
)
def test_entities_in_office_files_are_refused(tmp_path, doctype, encoding):
    path = tmp_path / "a.docx"
    made = files.make_docx("<w:p><w:r><w:t>&c;</w:t></w:r></w:p>", doctype)
    (tmp_path / "from.zip").write_bytes(made)
    with zipfile.ZipFile(tmp_path / "from.zip") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).decode().encode(encoding))
    assert "declares entities" in reason_of(path)


def test_a_doctype_across_two_blocks_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(formats_archive, "_BLOCK", 7)
    path = tmp_path / "a.docx"
    path.write_bytes(files.make_docx("", "<!DOCTYPE w [<!ENTITY a 'b'>]>"))
    assert "declares entities" in reason_of(path)


def test_entities_in_html_are_text(tmp_path):
    path = tmp_path / "a.html"
    path.write_text(
        '<!DOCTYPE h [<!ENTITY a "haha"><!ENTITY c SYSTEM "file:///etc/passwd">]><p>lamp &a; &c;</p>'
    )
    (item,) = load(path)
    assert isinstance(item, Document) and "&a; &c;" in item.text and "root" not in item.text


def test_a_character_reference_without_end(tmp_path):
    path = tmp_path / "a.html"
    path.write_text(f"<p title='&#{'9' * 5000};'>lamp &#{'9' * 5000}; bell &#65;</p>")
    (item,) = load(path)
    assert isinstance(item, Document) and item.text == "lamp \ufffd bell A"


def test_paths_in_archives_lead_nowhere(tmp_path):
    path = tmp_path / "in" / "a.docx"
    path.parent.mkdir()
    path.write_bytes(files.make_docx(files.WORDS))
    with zipfile.ZipFile(path, "a") as target:
        target.writestr("../../escaped.xml", "<x/>")
        target.writestr("/tmp/escaped_absolute.xml", "<x/>")
    list(load(path))
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.docx", "in"]
    assert not Path("/tmp/escaped_absolute.xml").exists()


def _fake_package(folder: Path, body: str) -> None:
    """Make a markitdown whose converters do what ``body`` says."""
    package = folder / "markitdown"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "class MarkItDownException(Exception): ...\n"
        "class MissingDependencyException(MarkItDownException): ...\n"
        "class Result: text_content, title = 'The lamp.', 'Lamp'\n"
        "class MarkItDown:\n"
        "    def __init__(self, **options): ...\n"
        "    def register_converter(self, converter): ...\n"
        f"    def convert_local(self, path):\n        {body}\n        return Result()\n"
    )
    (package / "converters.py").write_text("class PdfConverter: ...\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import time; time.sleep(600)", "takes more than 2 seconds"),
        ("import os; os._exit(139)", "broke the program that reads such files"),
        ("x = bytearray(3 << 30)", "takes too much memory"),
        ("print('noise'); raise MarkItDownException", "damaged or protected .pdf file"),
    ],
    ids=["hangs", "crashes", "fills the memory", "talks"],
)
def test_a_converter_that_fails_harms_nobody(tmp_path, monkeypatch, body, said):
    if "bytearray" in body and not sys.platform.startswith("linux"):
        pytest.skip("only Linux limits the memory of a process")
    _fake_package(tmp_path / "fake", f"exec({body!r}) if 'bad' in path else None")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "fake"), *sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "markitdown"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(office_process, "SECONDS", 2.0 if "sleep" in body else 60.0)
    monkeypatch.setattr(office_process, "SECONDS_PER_MB", 0.0)
    monkeypatch.setattr(office_process, "MAX_BYTES", 2 << 30)
    for name in ("a", "bad", "c"):
        (tmp_path / f"{name}.pdf").write_bytes(b"%PDF-1.4 x")
    found = list(load([tmp_path / f"{name}.pdf" for name in ("a", "bad", "c")]))
    assert [getattr(item, "text", None) for item in found] == ["The lamp.", None, "The lamp."]
    assert said in found[1].reason


@pytest.mark.slow
def test_a_pdf_bomb_ends(tmp_path, monkeypatch):
    pytest.importorskip("markitdown")
    monkeypatch.setattr(office_process, "MAX_BYTES", 1 << 30)
    path = tmp_path / "a.pdf"
    path.write_bytes(files.make_pdf(bytes(64 << 20) * 20, b"/FlateDecode/FlateDecode"))
    assert path.stat().st_size < 100_000
    assert reason_of(path)


# Files that are none


@pytest.fixture(params=["pipe", "socket", "/dev/zero", "/dev/null"])
def special(request, tmp_path):
    if request.param == "pipe":
        os.mkfifo(tmp_path / "pipe")
        yield tmp_path / "pipe"
    elif request.param == "socket":
        with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as made:
            made.bind(f"{short}/s")  # a socket's path has at most 107 characters
            yield Path(short, "s")
    else:
        yield Path(request.param)


def test_nothing_waits_for_a_pipe_or_reads_a_device(special):
    done: list[bool] = []

    def read_all() -> None:
        assert "not a file but a" in reason_of(special)
        for read, error in (
            (Config.from_toml, ConfigError),
            (read_openie, InputError),
            (ScriptedLLM.from_file, InputError),
            (read_plain, OSError),
        ):
            with pytest.raises(error):
                read(special)
        done.append(True)

    thread = threading.Thread(target=read_all, daemon=True)
    thread.start()
    thread.join(60)
    assert done == [True]


def test_a_file_that_is_too_large_for_its_purpose(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(bytes(2000))
    with pytest.raises(OSError, match="more than"):
        read_plain(path, 1999)
    assert read_plain(path, 2000) == bytes(2000)


def test_links_in_circles_and_deep_folders_end(tmp_path):
    place = tmp_path / "top"
    place.mkdir()
    for name in "abc":
        (place / name).mkdir()
        (place / name / "up").symlink_to("..")
        (place / name / "self").symlink_to(".")
        (place / name / "loop").symlink_to("loop")
    (place / "a" / "b").symlink_to("../b")
    (place / "b" / "a").symlink_to("../a")
    (place / "a" / "t.txt").write_text("The lamp.")
    found = list(load(place))
    assert [item.text for item in found if isinstance(item, Document)] == ["The lamp."]
    assert all("symbolic links" in item.reason for item in found if isinstance(item, Failure))


def test_names_steer_no_terminal_and_break_no_line(tmp_path):
    for name in ("a\n[31m.txt", "b\x1b]0;x\x07.txt", "c\u202etxt.exe", "\udcff.txt"):
        with open(os.fsencode(tmp_path / name), "wb") as stream:
            stream.write(b"\0\0")
    found = list(load(tmp_path))
    assert len(found) == 4
    assert all(isinstance(item, Failure) and item.source.isprintable() for item in found)


# Large files


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"lamp " * 500),
        ("a.md", b"lamp " * 500),
        ("a.html", b"<p>" + b"lamp " * 500),
        ("a.json", b'[{"text": "lamp"}' + b', {"text": "lamp"}' * 200 + b"]"),
        ("a.jsonl", ('{"text": "lamp"}\n' * 200).encode("utf-16")),
        ("a.csv", b'text,n\n"' + b"lamp, \n" * 400),
    ],
)
def test_what_has_to_be_in_memory_is_bounded(tmp_path, monkeypatch, name, data):
    for module, limit in (
        (formats_text, "MAX_TEXT_BYTES"),
        (formats_tables, "MAX_WHOLE_BYTES"),
        (formats_tables, "MAX_LINE_BYTES"),
    ):
        monkeypatch.setattr(module, limit, 2000)
    monkeypatch.setattr(formats_text.read_text, "__defaults__", (2000, "split it into several files"))
    (tmp_path / name).write_bytes(data)
    reason = reason_of(tmp_path / name)
    assert "too much for one document; " in reason


def test_standard_input_is_bounded(monkeypatch):
    import io

    monkeypatch.setattr(load_module, "MAX_TEXT_BYTES", 2000)
    (item,) = load("-", stdin=io.BytesIO(b"lamp of Calverin\n" * 200))
    assert isinstance(item, Failure) and "too much for one document" in item.reason


def large(kind: str, number: int, folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, str(LARGE), kind, str(number), str(folder)],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["txt", "html", "json", "quote", "stdin", "utf16"])
def test_a_gigabyte_that_must_be_whole_is_refused_in_bounded_memory(tmp_path, kind):
    told = large(kind, 1024, tmp_path)
    assert (told["documents"], told["failures"]) == (0, 1)
    assert "too much for one document" in told["reason"]
    assert told["mib"] < 1024


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_gigabyte_of_rows_is_read_one_at_a_time(tmp_path, kind):
    told = large(kind, 1024, tmp_path)
    assert told["failures"] == 0 and told["documents"] > 1_000_000
    assert told["mib"] - told["mib_before"] < 100


@pytest.mark.slow
def test_a_hundred_thousand_tiny_files(tmp_path):
    told = large("files", 100_000, tmp_path / "many")
    assert (told["documents"], told["failures"]) == (100_000, 0)
    assert told["mib"] - told["mib_before"] < 300


# Numbers


def test_more_rows_than_can_be_numbered_are_refused(tmp_path, monkeypatch):
    from hipporag_like.rag import HippoRAG

    assert 2 * limits.MOST_ROWS + 1 <= np.iinfo(np.int32).max
    rag = HippoRAG(tmp_path / "index", config=Config.from_dict({"embed": {"model": "hashing"}}))
    rag.index([Document("Ottar wove the sail in Skerrow.", "a")])
    before = rag.retrieve("Who wove the sail?", 5)
    monkeypatch.setattr(limits, "MOST_ROWS", 3)
    many = [Document(f"The lamp {n} of Calverin was lit by Ossiane in Maundwick.", f"d{n}") for n in range(9)]
    with pytest.raises(UsageError, match="at most 3 .* divide them into several namespaces"):
        rag.index(many)
    assert [h.passage.id for h in rag.retrieve("Who wove the sail?", 5)] == [h.passage.id for h in before]


@pytest.mark.parametrize("value", [2**63, -(2**64), 10**4000, 1e308, True, [2**70, {"a": 2**65}]])
def test_numbers_of_any_size_in_metadata(tmp_path, value):
    from hipporag_like.rag import HippoRAG

    rag = HippoRAG(tmp_path / "index", config=Config.from_dict({"embed": {"model": "hashing"}}))
    report = rag.index(
        [Document("Ottar wove the sail.", "a", metadata={"n": value}), Document("A bell.", "b")]
    )
    assert (report.added, report.failures) == (2, ())
    assert [h.passage.document_id for h in rag.retrieve("sail", 5, where={"n": value})] == ["a"]
    for test in ("lt", "gte"):
        rag.retrieve("sail", 5, where={"n": {test: 2**80}})
        rag.retrieve("sail", 5, where={"n": {test: float("nan")}})


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 5000])
def test_numbers_that_are_none_in_rows(tmp_path, number):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "lamp", "n": {number}}}\n{{"text": "bell", "_id": {number}}}\n')
    assert all(isinstance(item, Failure) for item in load(path))


def test_an_endless_sentence_is_cut_in_the_middle(capsys):
    _errors.say(f"error: no {'x' * 50_000} here; make one")
    said = capsys.readouterr().err
    assert said.startswith("error: no xxx") and said.endswith(" here; make one\n") and len(said) < 2100


def test_a_table_without_rows_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n")
    assert reason_of(tmp_path / "a.csv") == "the table has no rows below the names of its columns"
    (tmp_path / "a.csv").write_bytes(b"id,text\r1,lamp\r")
    assert "cannot be read after line 0" in reason_of(tmp_path / "a.csv")
