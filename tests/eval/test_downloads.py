"""Downloads against a server on this machine: what fits is kept, whatever else comes leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hipporag_like.errors import InputError, StoreError, UsageError
from hipporag_like.eval.catalogue import CATALOGUE, PublicSet, RemoteFile
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.eval.downloads import SUMS, download, find_set

BODY = b'{"id": "2hop__1_2"}\n' * 1000
SUM = hashlib.sha256(BODY).hexdigest()


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for name, text in members.items():
            opened.writestr(name, text)
    return out.getvalue()


class Site:
    """Serves ``files`` by path; ``asked`` keeps the paths in order."""

    def __init__(self):
        self.files, self.asked, self.cut = {}, [], set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                body = site.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in site.cut else body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Site()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def entry(*files, evaluate="dev.jsonl"):
    return PublicSet("toy", "A toy", "CC0", "http://page", files, evaluate)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_has_the_right_size_and_checksum_is_kept_and_not_fetched_twice(site, tmp_path):
    site.files["/dev"] = BODY
    toy = entry(RemoteFile(f"{site.url}/dev", "dev.jsonl", len(BODY), SUM))
    seen = []

    @contextmanager
    def track(label, total):
        seen.append((label, total))
        yield lambda steps: seen.append(steps)

    path = download(toy, tmp_path / "new" / "folder", progress=track)
    assert path == tmp_path / "new" / "folder" / "dev.jsonl" and path.read_bytes() == BODY
    assert seen[0] == ("download dev.jsonl", len(BODY)) and sum(seen[1:]) == len(BODY)
    assert (path.parent / SUMS).read_text(encoding="utf-8") == f"{SUM}  dev.jsonl\n"
    download(toy, path.parent)
    assert site.asked == ["/dev"]
    path.write_bytes(b"altered")
    assert download(toy, path.parent).read_bytes() == BODY and site.asked == ["/dev", "/dev"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, rf"gave a file with SHA-256 {SUM} instead of {'0' * 64}; it was not kept"),
        ({"size": len(BODY) + 1}, r"gave 20,000 bytes instead of 20,001; it was not kept: try again later"),
        ({"size": len(BODY) - 1}, r"gave more bytes instead of 19,999; it was not kept"),
    ],
)
def test_a_mismatch_is_refused_and_what_was_there_stays(site, tmp_path, change, message):
    site.files["/dev"] = BODY
    good = RemoteFile(f"{site.url}/dev", "dev.jsonl", len(BODY), SUM)
    with pytest.raises(InputError, match=message):
        download(entry(replace(good, **change)), tmp_path)
    assert names(tmp_path) == []
    (tmp_path / "dev.jsonl").write_bytes(b"older")
    with pytest.raises(InputError, match=message):
        download(entry(replace(good, **change)), tmp_path)
    assert names(tmp_path) == ["dev.jsonl"] and (tmp_path / "dev.jsonl").read_bytes() == b"older"


def test_without_a_known_checksum_the_first_one_is_recorded_and_holds(site, tmp_path):
    site.files["/dev"] = BODY
    toy = entry(RemoteFile(f"{site.url}/dev", "dev.jsonl"))
    download(toy, tmp_path)
    assert (tmp_path / SUMS).read_text(encoding="utf-8") == f"{SUM}  dev.jsonl\n"
    download(toy, tmp_path)
    assert site.asked == ["/dev"]
    (tmp_path / "dev.jsonl").unlink()
    site.files["/dev"] = BODY + b"\n"
    with pytest.raises(InputError, match=f"instead of {SUM}; it was not kept"):
        download(toy, tmp_path)
    assert names(tmp_path) == [SUMS]


@pytest.mark.parametrize("known", [{}, {"size": len(BODY), "sha256": SUM}])
def test_a_cut_connection_leaves_nothing_and_records_nothing(site, tmp_path, known):
    site.files["/dev"], site.cut = BODY, {"/dev"}
    with pytest.raises(
        InputError, match=r"cannot download http://.*/dev \(10,000 bytes are missing at the end"
    ):
        download(entry(RemoteFile(f"{site.url}/dev", "dev.jsonl", **known)), tmp_path)
    assert names(tmp_path) == []


def test_a_missing_page_and_a_server_that_is_not_there(site, tmp_path):
    with pytest.raises(InputError, match=r"/gone answered 404 Not Found; try later or look at its page"):
        download(entry(RemoteFile(f"{site.url}/gone", "dev.jsonl")), tmp_path)
    with pytest.raises(InputError, match=r"cannot download http://127\.0\.0\.1:1/x \(.*refused.*\); check"):
        download(entry(RemoteFile("http://127.0.0.1:1/x", "dev.jsonl")), tmp_path)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made(site, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot make the folder"):
        download(entry(RemoteFile(f"{site.url}/dev", "dev.jsonl")), tmp_path / "file")
    assert site.asked == []


# --- archives -----------------------------------------------------------------------------------------

CORPUS = json.dumps({"_id": "a", "title": "Ada", "text": "Ada wrote."}) + "\n"
QUERIES = json.dumps({"_id": "q1", "text": "Who wrote?"}) + "\n"
QRELS = "query-id\tcorpus-id\tscore\nq1\ta\t1\n"
MEMBERS = {"toy/corpus.jsonl": CORPUS, "toy/queries.jsonl": QUERIES, "toy/qrels/test.tsv": QRELS}


def beir(site, body):
    site.files["/toy.zip"] = body
    members = tuple((f"toy/{name}", name) for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"))
    return entry(RemoteFile(f"{site.url}/toy.zip", "toy.zip", len(body), members=members), evaluate=".")


def test_an_archive_is_unpacked_so_that_it_can_be_evaluated(site, tmp_path):
    others = {"__MACOSX/toy/corpus.jsonl": "no", "../../evil.txt": "no", "toy/qrels/dev.tsv": "no"}
    body = archive({**MEMBERS, **others})
    path = download(beir(site, body), tmp_path / "scifact")
    assert path == tmp_path / "scifact"
    assert names(tmp_path) == [
        f"scifact/{name}" for name in (SUMS, "corpus.jsonl", "qrels/test.tsv", "queries.jsonl", "toy.zip")
    ]
    assert [q.supporting for q in load_dataset(path).questions] == [("a",)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>sorry</html>", r"toy\.zip is no readable zip archive .*; delete it and try again"),
        (archive({"toy/corpus.jsonl": CORPUS}), r"holds 0 files that end with toy/queries\.jsonl, not one"),
        (
            archive({**MEMBERS, "old/toy/corpus.jsonl": CORPUS}),
            r"holds 2 files that end with toy/corpus\.jsonl, not one",
        ),
        (archive(MEMBERS)[:-30], r"no readable zip archive"),
        (archive(MEMBERS).replace(b"Ada wrote.", b"Ada wrute."), r"no readable zip archive \(Bad CRC-32"),
    ],
)
def test_an_archive_that_is_none_or_lacks_files(site, tmp_path, body, message):
    with pytest.raises(InputError, match=message):
        download(beir(site, body), tmp_path)
    assert not [name for name in names(tmp_path) if ".part" in name]


# --- the catalogue ------------------------------------------------------------------------------------


def test_the_catalogue_is_well_formed():
    assert {"musique", "hotpotqa", "2wikimultihopqa", "hipporag-musique", "scifact"} <= {
        name.removeprefix("beir-") for name in CATALOGUE
    }
    for name, public in CATALOGUE.items():
        assert name == public.name and re.fullmatch(r"[a-z0-9-]+", name)
        assert public.title and public.licence and public.homepage.startswith("https://")
        assert public.files or public.note
        for file in public.files:
            assert re.match(r"https?://[\w.-]+/\S+$", file.url)
            assert "/" not in file.name
            assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert (file.sha256 is None) == (file.size is None)
            assert all(".." not in kept and not kept.startswith("/") for _, kept in file.members)
        kept = {file.name for file in public.files} | {kept for f in public.files for _, kept in f.members}
        assert public.evaluate == "." or public.evaluate in kept or not public.files


def test_a_name_that_is_not_in_the_catalogue_and_a_set_without_an_address(tmp_path):
    with pytest.raises(
        UsageError, match="no public data set is called 'trivia'; there are musique, hotpotqa"
    ):
        find_set("trivia")
    with pytest.raises(UsageError, match="hipporag-lveval cannot be downloaded: No address"):
        download(find_set("hipporag-lveval"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_guide_has_every_set_and_every_checksum():
    guide = (Path(__file__).resolve().parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, public in CATALOGUE.items():
        assert f"`{name}`" in guide and public.homepage in guide, name
        for file in public.files:
            assert f"`{file.name}`" in guide, file.name
            assert file.sha256 is None or file.sha256 in guide, file.name
            assert file.size is None or f"{file.size:,}" in guide, file.name
