"""Loading: every format, every way to fail, folders with traps in them, standard input."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from hipporag_like.errors import InputError
from hipporag_like.indexing import formats_office, formats_tables
from hipporag_like.indexing.formats_text import BINARY, Page, parse_markdown, title_from_name
from hipporag_like.indexing.load import load
from hipporag_like.types import Document, Failure

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)  # what an office file is on the outside


def split(*sources: object, **options: object) -> tuple[list[Document], list[Failure]]:
    items = list(load([str(s) for s in sources], **options))  # type: ignore[arg-type]
    documents = [item for item in items if isinstance(item, Document)]
    return documents, [item for item in items if isinstance(item, Failure)]


def one(path: Path, content: str | bytes) -> Document:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    documents, failures = split(path)
    assert failures == [] and len(documents) == 1
    return documents[0]


def reason(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    documents, failures = split(path)
    assert documents == [] and len(failures) == 1
    assert failures[0].source.startswith(str(path))
    return failures[0].reason


def write_rows(path: Path, rows: Sequence[object]) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8"
    )
    return path


# Texts


@pytest.mark.parametrize("suffix", [".txt", ".text", ".log", ".rst", ".py", ""])
def test_plain_text(tmp_path: Path, suffix: str) -> None:
    found = one(tmp_path / f"my_first-note{suffix}", "Line one.\r\nLine two.\rThree.")
    kind = {".text": "txt", "": "txt"}.get(suffix, suffix[1:])
    assert found == Document(
        "Line one.\nLine two.\nThree.",
        f"my_first-note{suffix}",
        "my first note",
        {"path": f"my_first-note{suffix}", "format": kind},
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_by_their_marks(tmp_path: Path, encoding: str) -> None:
    assert one(tmp_path / "a.txt", "Grüße, 世界".encode(encoding)).text == "Grüße, 世界"
    row = '{"_id": "x", "text": "Grüße"}\n'.encode(encoding)
    assert one(tmp_path / "a.jsonl", row).text == "Grüße"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\t ", "the file is empty"),
        (b"ab\0cd", BINARY),
        (b"\x89PNG\x01\x02\x03\x04", BINARY),
        (b"fine " * 4000 + b"\0", BINARY),
        ("Grüße".encode("latin-1"), "not valid UTF-8 (byte offset 2); convert it first"),
        (b"\xef\xbb\xbfab\xff", "not valid UTF-8 (byte offset 5); convert it first"),
        (b"\xff\xfea\x00\x00\xd8", "not valid UTF-16 (byte offset 4); convert it first"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.unknown", "a.json"])
def test_texts_that_are_none(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    assert reason(tmp_path / name, content) == expected


def test_unreadable_file_fails_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("A.")
    (tmp_path / "b.txt").write_text("B.")
    real = Path.open

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", refuse)
    documents, failures = split(tmp_path)
    assert [d.id for d in documents] == ["b.txt"]
    assert failures == [Failure(str(tmp_path / "a.txt"), "cannot be read: Permission denied")]


def test_titles_from_names() -> None:
    assert title_from_name("my_first-note.txt") == "my first note"
    assert title_from_name("___") == "___"


# Markdown


FRONT = """---
title: "The \\"first\\" note"
year: 1999
ratio: 0.5
code: 007
draft: false
nothing: ~
when: 2020-01-02
tags: [alpha, 'b, c', 3]
authors:
  - Ann
  - "Bob"
about: >
  two
  lines
url: https://example.org/a:b  # why
---
# Heading

Text.
"""


def test_front_matter(tmp_path: Path) -> None:
    found = one(tmp_path / "n.markdown", FRONT)
    assert found.title == 'The "first" note'
    assert found.text == "# Heading\n\nText.\n"
    assert found.metadata == {
        "year": 1999,
        "ratio": 0.5,
        "code": "007",
        "draft": False,
        "nothing": None,
        "when": "2020-01-02",
        "tags": ["alpha", "b, c", 3],
        "authors": ["Ann", "Bob"],
        "about": "two lines",
        "url": "https://example.org/a:b",
        "path": "n.markdown",
        "format": "md",
    }


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("intro\n\n## The **big** [link](http://x) ##\n\ntext", "The big link"),
        ("```\n# comment\n```\n# Real\n", "Real"),
        ("Under\n=====\ntext", "Under"),
        ("no heading\n\n---\n\ntext", ""),
        ("---\nnot front matter\n# Yes", "Yes"),
        ("#hashtag\n", ""),
    ],
)
def test_markdown_titles(text: str, title: str) -> None:
    page = parse_markdown(text)
    assert (page.title, page.text) == (title, text)


def test_markdown_with_front_matter_only(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.md", "---\ntitle: x\n---\n") == "there is no text after the front matter"


# HTML


def test_html(tmp_path: Path) -> None:
    markup = """<!doctype html><html><head><title> My &amp;
    page </title><style>p {color: red}</style></head><body><nav>Home</nav><h1>Head</h1>
    <p>One <b>two</b>&nbsp;three&#33;<br>four</p><script>var x = "<p>no</p>";</script><ul><li>a<li>b</ul>
    <![if x]>kept<![endif]><!-- gone --><table><tr><td>1</td><td>2</td></tr></table>
    <pre>  x
      y</pre></body></html>"""
    found = one(tmp_path / "p.htm", markup)
    assert (found.title, found.metadata["format"]) == ("My & page", "html")
    assert found.text == "Head\n\nOne two three!\nfour\n\na\nb\n\nkept\n\n1 2\n\nx\ny"


def test_html_list_items_and_breaks(tmp_path: Path) -> None:
    markup = "<ul>\n <li>a</li>\n <li>b</li>\n</ul><div>c</div><div>d</div>e<br><br>f"
    assert one(tmp_path / "l.html", markup).text == "a\nb\n\nc\nd\ne\n\nf"


def test_html_title_from_heading_and_pages_without_text(tmp_path: Path) -> None:
    assert one(tmp_path / "a.html", "<h1>Big <i>one</i></h1>text").title == "Big one"
    assert one(tmp_path / "my_page.html", "<p>text").title == "my page"
    assert reason(tmp_path / "b.html", "<script>x</script>") == "the page shows no text"


# Rows


def test_jsonl_rows(tmp_path: Path) -> None:
    rows = [
        {"_id": "a", "title": "A", "text": "Alpha.", "year": 1999, "nested": {"x": [1, None]}},
        "",
        {"id": 7, "contents": "Seven.", "title": None},
        {"id": 1.5, "passage": "Half."},
        {"body": "Nameless.", "namespace": "team"},
        {"_id": "b", "id": "other", "text": "T", "body": "B"},
        '{"_id": "c", "text": "\\ud83d\\ude00"}',
    ]
    documents, failures = split(write_rows(tmp_path / "r.jsonl", rows), namespace="own")
    assert failures == []
    assert documents == [
        Document("Alpha.", "a", "A", {"year": 1999, "nested": {"x": [1, None]}}, "own"),
        Document("Seven.", "7", namespace="own"),
        Document("Half.", "1.5", namespace="own"),
        Document("Nameless.", "", namespace="team"),
        Document("T", "b", "", {"id": "other", "body": "B"}, "own"),
        Document("\U0001f600", "c", namespace="own"),
    ]


BAD_ROWS = [
    ("[1, 2]", "a row must be an object, not a list"),
    ("{bad}", "invalid JSON: Expecting property name enclosed in double quotes at column 2"),
    ("[" * 100_000, "invalid JSON: nested too deeply"),
    ('{"text": ' + "9" * 5000 + "}", None),
    ({"id": "x"}, "'text' is missing"),
    ({"text": None}, "'text' must be a string, not null"),
    ({"text": ["a"]}, "'text' must be a string, not a list"),
    ({"text": " \n"}, "'text' is empty"),
    ({"text": "a\0b"}, "'text' holds a NUL character"),
    ({"text": "a", "title": 3}, "'title' must be a string, not a number"),
    ({"text": "a", "title": "\0"}, "'title' holds a NUL character"),
    ({"text": "a", "_id": {}}, "'_id' must be a string or a number, not an object"),
    ({"text": "a", "id": True}, "'id' must be a string or a number, not a boolean"),
    ({"text": "a", "id": " "}, "the id is blank"),
    ({"text": "a", "id": "x" * 513}, "the id has 513 characters, at most 512 are allowed"),
    ({"text": "a", "id": "x\ny"}, "the id holds a control character or a line break"),
    ({"text": "a", "namespace": 1}, "'namespace' must be a string, not a number"),
    ({"text": "a", "namespace": " "}, "'namespace' is blank or holds a control character"),
    ('{"text": "a", "n": NaN}', "NaN is not a JSON value"),
    ('{"text": "a", "n": -Infinity}', "-Infinity is not a JSON value"),
    ('{"text": "a", "n": {"m": [1e999]}}', "'n' holds a number that is not finite"),
    ('{"text": "a\\ud800"}', "'text' holds half a surrogate pair, which is no character"),
    ('{"text": "a", "m": {"k\\udc00": 1}}', "'m' holds half a surrogate pair, which is no character"),
]


@pytest.mark.parametrize(("row", "expected"), BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_bad_rows_are_named_and_the_rest_goes_on(tmp_path: Path, row: object, expected: str | None) -> None:
    path = write_rows(tmp_path / "r.jsonl", [{"text": "before"}, row, {"text": "after"}])
    documents, failures = split(path)
    assert [d.text for d in documents] == ["before", "after"]
    assert [f.source for f in failures] == [f"{path}:2"]
    if expected is None:  # how many digits Python reads depends on its version and settings
        assert failures[0].reason
    else:
        assert failures[0].reason == expected


def test_undecodable_and_overlong_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats_tables, "MAX_LINE_BYTES", 1 << 20)
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "\xff"}\n{"text": "' + b"x" * (3 << 20) + b'"}\n{"text": "b"}')
    documents, failures = split(path)
    assert [d.text for d in documents] == ["a", "b"]
    assert failures == [
        Failure(f"{path}:2", "not valid UTF-8 (byte offset 24); convert it first"),
        Failure(f"{path}:3", "the line is longer than 1 MiB"),
    ]


def test_duplicate_ids_keep_the_first(tmp_path: Path) -> None:
    first = write_rows(
        tmp_path / "a.jsonl", [{"_id": "x", "text": "1"}, {"_id": "x", "text": "2"}, {"text": "3"}]
    )
    second = write_rows(
        tmp_path / "b.jsonl",
        [{"_id": "x", "text": "4"}, {"_id": "x", "text": "5", "namespace": "n"}, {"text": "3"}],
    )
    documents, failures = split(first, second)
    assert [d.text for d in documents] == ["1", "3", "5", "3"]
    assert failures == [
        Failure(f"{first}:2", f"duplicate id 'x', first seen at {first}:1"),
        Failure(f"{second}:1", f"duplicate id 'x', first seen at {first}:1"),
    ]


def test_jsonl_streams(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.ndjson", [{"text": "first"}, *["not json"] * 3])
    stream = load([path])
    assert next(stream) == Document("first")
    assert isinstance(next(stream), Failure)


JSONS = [
    ([{"_id": "a", "text": "A"}], [Document("A", "a")]),
    ({"documents": [{"id": "a", "text": "A"}], "version": 1}, [Document("A", "a")]),
    ({"_id": "a", "text": "A", "tags": ["x"]}, [Document("A", "a", "", {"tags": ["x"]})]),
    ({"a": "A", "text": "B"}, [Document("A", "a"), Document("B", "text")]),
    ({"a": {"title": "T", "text": "A", "n": 1}}, [Document("A", "a", "T", {"n": 1})]),
    ({"T": ["One.", " Two."], "U": ["Three.", "Four."]},
     [Document("One. Two.", "T", "T"), Document("Three. Four.", "U", "U")]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), JSONS)
def test_json_shapes(tmp_path: Path, value: object, expected: list[Document]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(value))
    assert split(tmp_path / "a.json") == (expected, [])


def test_bad_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert reason(path, "{\n  x") == (
        "invalid JSON: Expecting property name enclosed in double quotes at line 2 column 3"
    )
    assert reason(path, "3") == "the file holds no rows: a list or an object is expected"
    assert reason(path, "[]") == "the file holds no rows"
    assert reason(path, '{"a": 3}') == "a row must be an object, not a number"
    path.write_text('[{"text": "A"}, 7]')
    assert split(path) == ([Document("A")], [Failure(f"{path}[1]", "a row must be an object, not a number")])


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_tables(tmp_path: Path, name: str, mark: str) -> None:
    path = tmp_path / name
    rows = [
        ["id", "title", "text", "year"],
        ["1", "T", '"two\nlines"', "1999"],
        ["2", "", " ", ""],
        ["3"],
        list("12345"),
    ]
    path.write_text(
        "\n".join(mark.join(row) for row in [*rows, ["4", "", "x" * 200_000]]), encoding="utf-8-sig"
    )
    documents, failures = split(path)
    assert documents == [Document("two\nlines", "1", "T", {"year": "1999"}), Document("x" * 200_000, "4")]
    assert failures == [
        Failure(f"{path}:4", "'text' is empty"),
        Failure(f"{path}:5", "'text' is missing"),
        Failure(f"{path}:6", "the row has 5 cells, the first row names 4 columns"),
    ]


def test_bad_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert (
        reason(path, "id,name\n1,x\n")
        == "the first row names no text column, one of text, contents, passage, body"
    )
    assert reason(path, "id,text,id\n1,x,2\n") == "the first row names a column twice"
    assert reason(path, "\n") == "the file is empty"
    assert reason(path, b"text\n\xff\n") == "not valid UTF-8 (byte offset 5); convert it first"


# Folders


def test_folders_are_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ["b.txt", "a/z.md", "a/b/c.txt", ".hidden", ".git/config", "a/__pycache__/x.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    documents, failures = split(tmp_path)
    assert [d.id for d in documents] == ["a/b/c.txt", "a/z.md", "b.txt"]
    assert documents[0].metadata == {"path": "a/b/c.txt", "format": "txt"}
    assert failures == []
    assert [d.id for d in split(tmp_path / ".hidden")[0]] == [".hidden"]


def test_links_in_circles_pipes_and_devices(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (inside / "sub" / "a.txt").write_text("A.")
    (outside / "o.txt").write_text("O.")
    (outside / "back").symlink_to(inside)
    (outside / "self").symlink_to(outside)
    (inside / "sub" / "loop").symlink_to(inside)
    (inside / "away").symlink_to(outside)
    (inside / "same.txt").symlink_to(inside / "sub" / "a.txt")
    (inside / "nowhere").symlink_to(tmp_path / "nothing")
    os.mkfifo(inside / "pipe")
    documents, failures = split(inside)
    assert [d.id for d in documents] == ["away/o.txt", "sub/a.txt"]
    assert failures == [
        Failure(str(inside / "nowhere"), "a link to nothing"),
        Failure(str(inside / "pipe"), "not a file but a pipe"),
    ]
    assert split("/dev/null") == ([], [Failure("/dev/null", "not a file but a device")])


def test_links_into_hidden_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / ".data").mkdir()
    (tmp_path / ".data" / "a.txt").write_text("A.")
    (tmp_path / "a.txt").symlink_to(tmp_path / ".data" / "a.txt")
    assert [d.id for d in split(tmp_path)[0]] == ["a.txt"]


def test_a_folder_without_files_and_one_that_may_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert split(tmp_path) == ([], [Failure(str(tmp_path), "there are no files in the folder")])

    def refuse(path: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    assert split(tmp_path) == ([], [Failure(str(tmp_path), "cannot be read: Permission denied")])


def test_equal_names_get_their_parents_and_a_file_is_read_once(tmp_path: Path) -> None:
    for name in ["a/notes.txt", "b/notes.txt", "a/docs/x.md", "b/docs/x.md", "b/only.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    documents, _ = split(
        tmp_path / "a" / "notes.txt", tmp_path / "b" / "notes.txt", tmp_path / "b" / "only.txt"
    )
    assert [d.id for d in documents] == ["a/notes.txt", "b/notes.txt", "only.txt"]
    documents, _ = split(tmp_path / "a" / "docs", tmp_path / "b" / "docs")
    assert [d.id for d in documents] == ["a/docs/x.md", "b/docs/x.md"]
    documents, failures = split(tmp_path / "b", tmp_path / "b" / "only.txt")
    assert [d.id for d in documents] == ["docs/x.md", "notes.txt", "only.txt"]
    assert failures == []


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8 exist on Linux only")
def test_names_that_cannot_be_ids(tmp_path: Path) -> None:
    (tmp_path / "two\nlines.txt").write_text("A.")
    with open(os.fsencode(tmp_path) + b"/bad\xff.txt", "w") as stream:
        stream.write("B.")
    documents, failures = split(tmp_path)
    assert documents == []
    assert [f.reason for f in failures] == [
        "'id' holds half a surrogate pair, which is no character",
        "the id holds a control character or a line break",
    ]
    assert all(f.source.encode("utf-8") for f in failures)


def test_missing_sources_are_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing.txt does not exist"):
        load([tmp_path / "nothing.txt"])
    with pytest.raises(InputError, match="no sources"):
        load([])
    with pytest.raises(InputError, match="only once"):
        load(["-", "-"])


def test_one_source_needs_no_list(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A.")
    assert [d.id for d in load(tmp_path) if isinstance(d, Document)] == ["a.txt"]


# Standard input


def test_standard_input_as_rows() -> None:
    rows = b'\n{"_id": "a", "text": "A"}\nbad\n{"_id": "a", "text": "B"}\n'
    for stream in (io.BytesIO(rows), io.StringIO(rows.decode()), io.TextIOWrapper(io.BytesIO(rows))):
        documents, failures = split("-", stdin=stream, namespace="n")
        assert documents == [Document("A", "a", namespace="n")]
        assert failures == [
            Failure("standard input:3", "invalid JSON: Expecting value at column 1"),
            Failure("standard input:4", "duplicate id 'a', first seen at standard input:2"),
        ]


@pytest.mark.parametrize("text", ["A text.\nOf two lines.", "[1]\n", '{"open": \n', "grüße\n"])
def test_standard_input_as_a_text(text: str) -> None:
    assert split("-", stdin=io.StringIO(text)) == ([Document(text, metadata={"format": "txt"})], [])


def test_standard_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert split("-", stdin=io.BytesIO(b" \n")) == (
        [],
        [Failure("standard input", "standard input is empty")],
    )
    assert split("-", stdin=io.BytesIO(b"a\0b")) == ([], [Failure("standard input", BINARY)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("ü".encode("utf-16"))))
    assert [d.text for d in split("-")[0]] == ["ü"]


# Office files


@pytest.mark.parametrize("suffix", ["pdf", "docx", "pptx", "xlsx"])
def test_without_markitdown_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setitem(sys.modules, "markitdown", None)
    (tmp_path / "ok.txt").write_text("Fine.")
    (tmp_path / f"a.{suffix}").write_bytes(b"%PDF-1.4 x" if suffix == "pdf" else EMPTY_ZIP)
    documents, failures = split(tmp_path)
    assert [d.id for d in documents] == ["ok.txt"]
    assert "pip install 'hipporag-like[files]'" in failures[0].reason


class _Result:
    def __init__(self, text: str) -> None:
        self.text_content, self.title = text, "Their title"


class _Attempt:
    exc_info = (MemoryError, None, None)


def _fake_markitdown(outcome: str) -> ModuleType:
    class MarkItDownException(Exception):
        attempts = [_Attempt()] if outcome == "memory" else None

    class MissingDependencyException(MarkItDownException): ...

    class MarkItDown:
        def __init__(self, enable_builtins: bool, enable_plugins: bool) -> None:
            assert (
                not enable_builtins and not enable_plugins
            )  # one converter, so that none takes it for a text

        def register_converter(self, converter: object) -> None:
            assert type(converter).__name__ == "PdfConverter"

        def convert_local(self, path: str) -> _Result:
            if outcome == "missing":
                raise MissingDependencyException
            if outcome in ("damaged", "memory"):
                raise MarkItDownException
            return _Result(outcome)

    module = ModuleType("markitdown")
    module.__dict__.update(locals())
    return module


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("missing", "hipporag-like[files]"),
        ("damaged", "damaged or protected .pdf file"),
        ("memory", "takes too much memory"),
        (" ", "there is no text in the file"),
        ("Text\0 here. ", None),
    ],
)
def test_what_markitdown_may_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, expected: str | None
) -> None:
    converters = ModuleType("markitdown.converters")
    converters.PdfConverter = type("PdfConverter", (), {})
    monkeypatch.setitem(sys.modules, "markitdown", _fake_markitdown(outcome))
    monkeypatch.setitem(sys.modules, "markitdown.converters", converters)
    formats_office._converter.cache_clear()
    try:
        if expected is None:
            assert formats_office.convert(tmp_path / "a.pdf", "pdf") == Page("Text here.", "Their title")
        else:
            with pytest.raises(InputError, match=re.escape(expected)):
                formats_office.convert(tmp_path / "a.pdf", "pdf")
    finally:
        formats_office._converter.cache_clear()


@pytest.mark.filterwarnings("ignore")  # those of markitdown's own dependencies
@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_real_office_files(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("markitdown")
    path = tmp_path / f"my_file.{kind}"
    if kind == "docx":
        docx = pytest.importorskip("docx")
        made = docx.Document()
        made.add_paragraph("Ada wrote the first program.")
        made.save(path)
    else:
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        book.active.append(["name", "deed"])
        book.active.append(["Ada", "wrote the first program"])
        book.save(path)
    documents, failures = split(path)
    assert failures == []
    assert "wrote the first program" in documents[0].text
    assert (documents[0].id, documents[0].title) == (f"my_file.{kind}", "my file")
    (tmp_path / f"broken.{kind}").write_bytes(b"PK\x03\x04 nothing")
    assert split(tmp_path / f"broken.{kind}")[1][0].reason.startswith(f"damaged or protected .{kind} file")
