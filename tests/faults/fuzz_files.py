"""Files for the fuzzer of the loaders: grown from a grammar of their kind, then damaged; or mere bytes.

Everything follows from one ``random.Random``, so that a seed gives the same files everywhere.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

# What breaks readers: undecodable bytes, marks, NUL, other line ends, text that turns, joins or is not there.
ODD_BYTES = (
    *(
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x00",
        b"\x1a",
        b"\x1b[31m",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xff\xfe\x00\x00",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\x0b",
        b"\x0c",
        b"\x85",
        b"\t",
    ),
    *(
        b'"',
        b"'",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b";",
        b":",
        b"<",
        b">",
        b"&",
        b"&#0;",
    ),
    *(
        b"<![CDATA[",
        b"<!--",
        b"<!DOCTYPE",
        b"]]>",
        b"</",
        b"/>",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"null",
        b"---\n",
    ),
    *(b"```", b"&#xD800;", b"&#99999999999;", b"<svg/onload=1>", b"<pre>", b"\x00\x00\xfe\xff", b"9" * 5000),
)
ODD_TEXTS = (
    *(
        "",
        " ",
        "\n",
        "\u200b",
        "\u202eabc",
        "e\u0301\u0301\u0301",
        "\u0301",
        "\ufeff",
        "\u2028",
        "\x85",
        "\ufffe",
    ),
    *(
        "\U0010ffff",
        "\U0001f469\u200d\U0001f469",
        "\ud800",
        "\udc00x",
        "\x00",
        "漢字かな",
        "שלום",
        "مرحبا",
        "a" * 600,
    ),
    *(
        "The lamp of Calverin was lit by Ossiane.",
        "Skerrow",
        "x\ty",
        "-",
        "=cmd()",
        "../../etc/passwd",
        "1" * 40,
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**4000, 0.5, float("nan"), float("inf"), -0.0, 1e308),
    *([], {}, [[]], {"": None}, [1, "a", None], {"a": {"b": {"c": "d"}}}, ["One. ", " Two."]),
)
KEYS = ("_id", "id", "title", "text", "contents", "passage", "body", "namespace", "year", "", "path")
TAGS = (
    *("p", "div", "h1", "h6", "title", "pre", "br", "li", "td", "tr", "table", "a", "script", "style", "svg"),
    *(
        "textarea",
        "select",
        "noscript",
        "template",
        "iframe",
        "x-y",
        "html",
        "body",
        "plaintext",
        "xmp",
        "base",
    ),
)
WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "cp1252", "utf-7", "shift_jis")


def text_of(rng: random.Random, length: int = 8) -> str:
    """Return words, some of them odd."""
    return " ".join(rng.choice(ODD_TEXTS) for _ in range(rng.randrange(1, length)))


def value_of(rng: random.Random, depth: int = 2) -> Any:
    """Return a JSON value or what Python takes for one."""
    kind = rng.randrange(4 if depth else 2)
    if kind == 0:
        return text_of(rng)
    if kind == 1:
        return rng.choice(ODD_VALUES)
    if kind == 2:
        return [value_of(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): value_of(rng, depth - 1) for _ in range(rng.randrange(4))}


def row_of(rng: random.Random) -> Any:
    """Return a row that is mostly one."""
    if rng.random() < 0.1:
        return value_of(rng)
    row = {"_id": text_of(rng, 3), "text": text_of(rng), "title": text_of(rng, 3)}
    for _ in range(rng.randrange(3)):
        row[rng.choice(KEYS)] = value_of(rng) if rng.random() < 0.7 else text_of(rng)
    return row


def dumped(rng: random.Random, value: Any) -> bytes:
    """Return JSON, with surrogates as they are or escaped."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    return text.encode("utf-8", "surrogatepass")


def make_jsonl(rng: random.Random) -> bytes:
    """Return rows, one a line."""
    end = rng.choice((b"\n", b"\r\n", b"\n\n"))
    return end.join(dumped(rng, row_of(rng)).replace(b"\n", b" ") for _ in range(rng.randrange(1, 6)))


def make_json(rng: random.Random) -> bytes:
    """Return one of the shapes that JSON files of documents have, or none of them."""
    shape = rng.randrange(6)
    rows = [row_of(rng) for _ in range(rng.randrange(4))]
    if shape == 0:
        return dumped(rng, rows)
    if shape == 1:
        return dumped(rng, {text_of(rng, 2): rows, "more": value_of(rng)})
    if shape == 2:
        return dumped(rng, {text_of(rng, 3): row_of(rng) for _ in range(3)})
    if shape == 3:
        return dumped(rng, {text_of(rng, 3): [text_of(rng), text_of(rng)] for _ in range(2)})
    if shape == 4:
        return rng.choice((b"[", b'{"a":')) * rng.choice((3, 500, 30_000)) + b"]"
    return dumped(rng, value_of(rng, 4))


def _table(rng: random.Random, delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(("\n", "\r\n", "\r")))
    header = rng.sample(KEYS, rng.randrange(2, 6))
    writer.writerow(header if rng.random() < 0.3 else ["id", "text", *header])
    for _ in range(rng.randrange(5)):
        writer.writerow([text_of(rng, 4) for _ in range(rng.randrange(7))])
    return out.getvalue().encode("utf-8", "surrogatepass")


def make_csv(rng: random.Random) -> bytes:
    """Return a table."""
    return _table(rng, rng.choice(",,;|"))


def make_tsv(rng: random.Random) -> bytes:
    """Return a table with tabs."""
    return _table(rng, "\t")


def make_txt(rng: random.Random) -> bytes:
    """Return lines of any encoding."""
    text = rng.choice(("\n", "\r", "\r\n", "\n\n")).join(text_of(rng) for _ in range(rng.randrange(5)))
    if rng.random() < 0.3:
        return text.encode(rng.choice(WIDE), "replace")
    return text.encode("utf-8", "surrogatepass" if rng.random() < 0.3 else "replace")


def make_md(rng: random.Random) -> bytes:
    """Return Markdown with front matter."""
    keys = ("title", "tags", "date", "a b", "'q'", "- x", "#", "")
    values = (
        "[a, 'b, c', \"d\"]",
        "|",
        ">-",
        "1e999",
        "0x7f",
        "'it''s'",
        '"a\\"',
        "- x",
        "{a: b}",
        "9" * 30,
        "",
    )
    lines = [rng.choice(("---", "--- ", "", "...")) if rng.random() < 0.8 else "x"]
    for _ in range(rng.randrange(6)):
        lines.append(f"{rng.choice(keys)}:{rng.choice((' ', '', '  '))}{rng.choice((*values, text_of(rng)))}")
        lines += [f"  - {text_of(rng, 3)}"] * rng.randrange(2)
    lines.append(rng.choice(("---", "...", "")))
    for _ in range(rng.randrange(6)):
        start = rng.choice(
            ("# ", "###### ", "", "=====", "-----", "```", "~~~", "> ", "| ", "![", "[a](", "*" * 40)
        )
        lines.append(start + text_of(rng))
    return "\n".join(lines).encode("utf-8", "replace")


def make_html(rng: random.Random) -> bytes:
    """Return a page whose elements may not fit."""
    parts = [rng.choice(("<!DOCTYPE html>", "<?xml version='1.0'?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", ""))]
    for _ in range(rng.randrange(12)):
        tag = rng.choice(TAGS)
        form = rng.randrange(6)
        if form < 2:
            rest = rng.choice(("", " a=b", ' a="', " /", " hidden"))
            parts.append(f"<{tag}{rest}>{text_of(rng)}")
        elif form < 4:
            parts.append(f"</{tag}{rng.choice(('', ' ', ' x'))}>")
        elif form == 4:
            parts.append(
                rng.choice(("&amp;", "&b;", "&#0;", "&#x110000;", "&#xd800;", "&", "&#", "&notin", "<", "</"))
            )
        else:
            parts.append(
                rng.choice(("<!--", "-->", "<![if x]>", "<![CDATA[a]]>", "<!", "<?php x ?>", "<!a<b>", "]]>"))
            )
    return "".join(parts).encode("utf-8", "surrogatepass" if rng.random() < 0.2 else "replace")


OPEN = "http://schemas.openxmlformats.org/package/2006"
WORDS = (
    "<w:p><w:r><w:t>The lamp of Calverin was lit by Ossiane.</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r>"
    "<w:t>Skerrow</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
)
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ENTITIES = '<!DOCTYPE w [<!ENTITY a "{0}"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


def seeds_of(kind: str) -> list[bytes]:
    """Return a sound file of an office format, made with the library that writes it; empty without it."""
    stream = io.BytesIO()
    try:
        if kind == "docx":
            stream.write(make_docx(WORDS))
        elif kind == "xlsx":
            import openpyxl

            book = openpyxl.Workbook()
            for row in (["name", "year"], ["Ossiane", 1815], ["Skerrow", 1.5], ["=A1", None]):
                book.active.append(row)
            book.save(stream)
        elif kind == "pptx":
            import pptx

            show = pptx.Presentation()
            slide = show.slides.add_slide(show.slide_layouts[1])
            slide.shapes.title.text, slide.placeholders[1].text = "The lamp", "Ossiane lit it."
            show.save(stream)
    except ImportError:
        return []
    return [stream.getvalue()] if kind != "pdf" else [make_pdf(b"BT /F 12 Tf (The lamp of Calverin) Tj ET")]


def make_docx(body: str, before: str = "") -> bytes:
    """Return a Word file of this body; ``before`` stands in front of the document element."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{OPEN}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{OPEN}/relationships"><Relationship Id="r1" Target="word/document.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0" encoding="UTF-8"?>{before}<w:document xmlns:w="{W}"><w:body>'
        f"{body}</w:body></w:document>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return stream.getvalue()


def make_pdf(content: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """Return a PDF of one page."""
    packed = content
    for _ in range(filters.count(b"/FlateDecode")):
        packed = zlib.compress(packed)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d/Filter[%b]>>stream\n%b\nendstream" % (len(packed), filters, packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def damage(rng: random.Random, data: bytes) -> bytes:
    """Return ``data`` with some bytes changed, cut, doubled, moved or put in."""
    made = bytearray(data)
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(made) + 1)
        end = min(len(made), place + rng.choice((1, 2, 8, 100)))
        kind = rng.randrange(6)
        if kind == 0 and place < len(made):
            made[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del made[place:end]
        elif kind == 2:
            made[place:place] = made[place:end] * rng.choice((1, 3, 50))
        elif kind == 3:
            made[place:end] = rng.choice(ODD_BYTES)
        elif kind == 4:
            del made[place:]
        else:
            made[place:place] = rng.choice(ODD_BYTES)
    return bytes(made)


def damage_zip(rng: random.Random, data: bytes) -> bytes:
    """Return an office file with one member damaged, dropped, doubled or full of entities; or damaged as a whole."""
    if rng.random() < 0.2:
        return damage(rng, data)
    source, stream = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = source.namelist()
    victim = rng.choice([name for name in names if name.endswith((".xml", ".rels"))])
    with zipfile.ZipFile(stream, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as target:
        for name in names:
            content = source.read(name)
            if name == victim:
                kind = rng.randrange(8)
                if kind == 0:
                    continue
                if kind == 1:
                    start = content.find(b"<", 2)
                    content = content[:start] + ENTITIES.format("ha" * 50).encode() + content[start:]
                    content = content.replace(b"lamp", rng.choice((b"&b;", b"&c;")))
                elif kind == 2:
                    content = content.replace(b"<w:p>", b"<w:p>" * rng.choice((2, 1200)))
                else:
                    content = damage(rng, content)
            target.writestr(
                rng.choice(("../x", "/etc/x", name * 40)) if rng.random() < 0.01 else name, content
            )
    return stream.getvalue()


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    **{"txt": make_txt, "md": make_md, "html": make_html},
    **{"jsonl": make_jsonl, "json": make_json, "csv": make_csv, "tsv": make_tsv},
}
