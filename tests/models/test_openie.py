"""Entities and triples computed elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.errors import InputError
from hipporag_like.models.openie import OpenIEExtractor
from hipporag_like.types import Extraction, Mention, Passage, Triple

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "musique_train100"
ADA = "Ada Lovelace wrote notes. Babbage read them."
ADA_ROW = {
    "_id": "ada",
    "entities": ["Ada Lovelace", "charles babbage", "notes", "Turing"],
    "triples": [["Ada Lovelace", "wrote", "notes"], ["Turing", "praised", "Enigma"]],
}


def lines_file(folder: Path, *rows: Any) -> Path:
    path = folder / "openie.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def osu_file(folder: Path, *docs: Any) -> Path:
    path = folder / "openie_results.json"
    path.write_text(json.dumps({"docs": list(docs), "avg_ent_chars": 1.0}), encoding="utf-8")
    return path


def piece(document: str, text: str, ordinal: int = 0, start: int = 0, title: str = "") -> Passage:
    return Passage(f"{document}#{ordinal}", document, text, start, start + len(text), title)


def extract_all(path: Path, *passages: Passage) -> list[Extraction]:
    return list(OpenIEExtractor(path).extract(passages))


def test_rows_are_found_by_document_id(tmp_path: Path) -> None:
    (found,) = extract_all(lines_file(tmp_path, ADA_ROW), piece("ada", ADA))
    assert found.sentences == ((0, 25), (26, 44))
    assert found.mentions == (Mention(0, 12, "name"), Mention(19, 24, "term"))
    assert found.names == ("charles babbage", "Turing")
    assert found.triples == (Triple("Ada Lovelace", "wrote", "notes"), Triple("Turing", "praised", "Enigma"))
    assert found.error is None


def test_a_passage_that_the_file_lacks_is_an_error_not_empty(tmp_path: Path) -> None:
    path = lines_file(tmp_path, ADA_ROW)
    good, bad = extract_all(path, piece("ada", ADA), piece("bob", "Bob."))
    assert good.error is None
    assert bad == Extraction(error=f"no row for document 'bob' in {path}")


def test_a_cut_document_shares_its_row_among_its_passages(tmp_path: Path) -> None:
    row = {
        "_id": "d",
        "entities": ["Ada", "Bob", "Cyd"],
        "triples": [
            ["Ada", "met", "x"],
            ["y", "saw", "bob"],
            ["Ada", "likes", "Bob"],
            ["Cyd", "left", "Rome"],
        ],
    }
    first, second = extract_all(
        lines_file(tmp_path, row), piece("d", "Ada came."), piece("d", "Bob went.", ordinal=1, start=10)
    )
    assert [t.relation for t in first.triples] == [
        "met",
        "likes",
        "left",
    ]  # "left" is said nowhere: to the first
    assert [t.relation for t in second.triples] == ["saw", "likes"]
    assert (first.names, second.names) == (("Cyd",), ())
    assert (len(first.mentions), len(second.mentions)) == (1, 1)


def test_names_are_found_as_whole_words(tmp_path: Path) -> None:
    row = {"_id": "d", "entities": ["Ada"], "triples": []}
    (found,) = extract_all(lines_file(tmp_path, row), piece("d", "Adam and ADA met Ada's Ada-B."))
    assert [(m.start, m.end) for m in found.mentions] == [(9, 12), (17, 20), (23, 26)]


@pytest.mark.parametrize("stored", ["Title\nThe text  here.", "The text here.", "Title\nThe text\nhere."])
def test_osu_results_are_found_by_text_with_or_without_the_title(tmp_path: Path, stored: str) -> None:
    doc = {
        "idx": "chunk-1",
        "passage": stored,
        "extracted_entities": ["text"],
        "extracted_triples": [["text", "is", "here"]],
    }
    (found,) = extract_all(osu_file(tmp_path, doc), piece("7", "The text here.", title="Title"))
    assert found.triples == (Triple("text", "is", "here"),)


def test_a_part_of_an_osu_passage_is_found(tmp_path: Path) -> None:
    stored = "Title\nAda came early. Bob went late. Cyd stayed."
    doc = {"passage": stored, "extracted_entities": ["Ada", "Bob"], "extracted_triples": []}
    path = osu_file(tmp_path, doc)
    part, other = extract_all(
        path, piece("7", "Bob went late. Cyd stayed.", 1, 16), piece("7", "Bob went late. Dee.", 2, 30)
    )
    assert [(m.start, m.end) for m in part.mentions] == [(0, 3)]
    assert other.error is not None


def test_what_cannot_be_used_is_dropped_and_counted(tmp_path: Path) -> None:
    rows = [
        {
            "_id": "ada",
            "entities": ["Ada", "", 5, "..."],
            "triples": [["Ada", "met"], ["Ada", "", "Bob"], ["Ada", "met", "Bob"], "x"],
        },
        {"entities": ["no id"], "triples": []},
        {"_id": "bob", "entities": "Bob"},
        ["not", "a", "row"],
        {"_id": "ada", "triples": [["Ada", "left", "Bob"]]},
    ]
    extractor = OpenIEExtractor(lines_file(tmp_path, *rows))
    assert extractor.dropped == {"rows": 3, "entities": 3, "triples": 3}
    (found,) = extractor.extract([piece("ada", "Ada.")])
    assert [t.relation for t in found.triples] == ["met", "left"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"_id": "a", "entities": [], "triples": []}\n{"_id": \n', "line 2: not valid JSON"),
        ("title,text\n", "line 1: not valid JSON"),
        ("", "holds no usable row"),
        ('{"docs": {"a": 1}}', "docs must be a list"),
        ('{"docs": []}', "holds no usable row"),
        ('{"rows": [1]}', "holds no usable row"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as caught:
        OpenIEExtractor(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        OpenIEExtractor(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot read"):
        OpenIEExtractor(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes('{"_id": "é"}'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        OpenIEExtractor(tmp_path / "latin.jsonl")


def test_the_fingerprint_is_the_content_and_the_key_the_place(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one = OpenIEExtractor(lines_file(tmp_path, ADA_ROW))
    same = OpenIEExtractor(lines_file(tmp_path / "b", ADA_ROW))
    assert one.fingerprint == same.fingerprint
    other = OpenIEExtractor(lines_file(tmp_path, {**ADA_ROW, "entities": []}))
    assert one.fingerprint != other.fingerprint
    keys = [one.key(p) for p in (piece("a", "x"), piece("b", "x"), piece("a", "y"), piece("a", "x", 1, 5))]
    assert len(set(keys)) == 4


def test_rows_in_a_json_array_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([ADA_ROW, {"id": 7, "triples": [["a", "b", "c"]]}]), encoding="utf-8")
    found = extract_all(path, piece("ada", ADA), piece("7", "a"))
    assert [len(e.triples) for e in found] == [2, 1]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the development data are not beside the checkout")
def test_results_of_a_real_llm() -> None:
    rows = [json.loads(line) for line in (SHARED / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    passages = [piece(r["_id"], r["text"], title=r["title"]) for r in rows]
    extractor = OpenIEExtractor(SHARED / "openie_gpt-3.5-turbo-1106.jsonl")
    found = list(extractor.extract(passages))
    assert sum(e.error is None for e in found) >= 0.95 * len(passages)
    assert sum(len(e.triples) for e in found) > 5 * len(passages)
    located, all_names = sum(len(e.mentions) for e in found), sum(len(e.names) for e in found)
    assert located > all_names


def test_a_number_in_a_triple_is_its_text(tmp_path: Path):
    file = tmp_path / "f.jsonl"
    row = {
        "_id": "a",
        "entities": ["Ada"],
        "triples": [["Ada", "born in", 1815], ["Ada", "is", True], ["Ada", "has", None]],
    }
    file.write_text(json.dumps(row), encoding="utf-8")
    extractor = OpenIEExtractor(file)
    passage = Passage(id="a#0", document_id="a", text="Ada was born in 1815.", start=0, end=21)
    (extraction,) = extractor.extract([passage])
    assert extraction.triples == (Triple("Ada", "born in", "1815"),)
    assert extractor.dropped["triples"] == 2
