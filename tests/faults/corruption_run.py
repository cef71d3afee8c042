"""Damages an index in many ways, one at a time, and tells what each came to; a process of its own, as it may crash.

    python corruption_run.py INDEX FAULTS.json

INDEX is worked on in place and put back after each fault. One JSON object a fault goes to stdout.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

QUESTIONS = (
    "Where was the designer of the lighthouse of Skerrow born?",
    "Who taught the man who worked at Bletchley Park?",
)
METHODS = {"plain": ("graph", "bm25"), "triples": ("graph", "hipporag2", "dense")}
REMEDY = re.compile(r"repair --index|index SOURCE --index|put back|upgrade with")


def build(folder: Path, kind: str) -> Path:
    """Make a small but complete index: two namespaces, metadata, two snapshots; triples where ``kind`` says so."""
    from hipporag_like.config import Config
    from hipporag_like.rag import HippoRAG
    from hipporag_like.types import Document

    fixtures = Path(__file__).resolve().parents[1] / "fixtures" / "indexes"
    extractor = "rules" if kind == "plain" else f"openie:{fixtures / 'openie.jsonl'}"
    config = Config.from_dict({"embed": {"model": "hashing"}, "extract": {"extractor": extractor}})
    data = json.loads((fixtures / "documents.json").read_text(encoding="utf-8"))
    documents = [Document(**row) for row in data["documents"]]
    with HippoRAG(folder, config=config) as rag:
        rag.index(documents[:-1])
        rag.index(documents)
    return folder


def faults_of(path: Path, others: list[Path], rng: random.Random, flips: int) -> Iterator[list[Any]]:
    """Yield faults of one file: kind and argument."""
    size = path.stat().st_size
    places = {0, size // 2, size - 1, *(rng.randrange(size) for _ in range(flips))} if size else set()
    places |= {rng.randrange(min(size, 128)) for _ in range(flips // 3)} if size else set()
    yield from (["flip", place, 1 << rng.randrange(8)] for place in sorted(places))
    yield from (["cut", length] for length in sorted({0, size // 2, max(0, size - 1)}))
    yield from (["remove"], ["zero"], ["append"])
    yield from (["replace", str(other)] for other in rng.sample(others, min(2, len(others))) if other != path)


def damage(path: Path, fault: list[Any]) -> None:
    """Do to a file what a fault says."""
    kind, data = fault[0], bytearray(path.read_bytes())
    if kind == "remove":
        path.unlink()
        return
    if kind == "flip":
        data[fault[1]] ^= fault[2]
    elif kind == "cut":
        del data[fault[1] :]
    elif kind == "zero":
        data[:] = bytes(len(data))
    elif kind == "append":
        data += b"\x01"
    else:
        data[:] = Path(fault[1]).read_bytes()
    path.write_bytes(data)


def answers(index: Path, kind: str) -> list[Any]:
    """Return the hits of every question by every method."""
    from hipporag_like.rag import HippoRAG

    with HippoRAG(index, read_only=True) as rag:
        return [
            [(h.passage.id, h.passage.text, h.passage.title, dict(h.passage.metadata), h.score) for h in hits]
            for method in METHODS[kind]
            for hits in rag.retrieve_many(QUESTIONS, 5, method=method)
        ]


def rows(index: Path) -> str:
    """Return a hash of every row of the journal as SQLite reads it by its own indexes."""
    digest = hashlib.sha256()
    connection = sqlite3.connect(f"file:{index / 'journal.db'}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        for table in ("documents", "extractions", "vectors", "calls", "fingerprints", "meta"):
            for row in sorted(map(repr, connection.execute(f"SELECT * FROM {table}"))):
                digest.update(row.encode())
    finally:
        connection.close()
    return digest.hexdigest()


def outcome(index: Path, kind: str, expected: list[Any], content: str) -> tuple[str, str]:
    """Return what a damaged index came to: ``refused``, ``verify``, ``harmless``, or what must never be."""
    from hipporag_like.errors import HippoRAGLikeError
    from hipporag_like.indexing.verify import verify

    try:
        found = answers(index, kind)
    except HippoRAGLikeError as error:
        good = str(index) in str(error) and REMEDY.search(str(error))
        return ("refused" if good else "NO REMEDY"), str(error)
    if found != expected:
        return "WRONG ANSWER", ""
    findings = verify(index)
    if findings:
        good = all(str(index) in f.file and REMEDY.search(f.remedy) for f in findings)
        return ("verify" if good else "NO REMEDY"), findings[0].sentence
    return ("harmless", "") if rows(index) == content else ("SILENT", "")


def used(index: Path, kind: str, wanted: str) -> tuple[str, str]:
    """Return what comes of indexing again with a damaged journal: ``refused``, ``same``, or what must never be."""
    from hipporag_like.errors import HippoRAGLikeError
    from hipporag_like.rag import HippoRAG

    (index / "CURRENT").write_bytes(b"?")  # so that every array is made again from the journal
    try:
        with HippoRAG(index) as rag:
            rag.index([])
    except HippoRAGLikeError as error:
        good = str(index) in str(error) and REMEDY.search(str(error))
        return ("refused" if good else "NO REMEDY"), str(error)
    return ("same", "") if arrays(index) == wanted else ("WRONG ARRAYS", "")


def updated(index: Path, kind: str, wanted: str) -> tuple[str, str]:
    """Return what comes of adding a document to a damaged index: ``refused``, ``same``, or what must never be."""
    from hipporag_like.errors import HippoRAGLikeError

    try:
        add_one(index)
        made = arrays(index)
    except HippoRAGLikeError as error:
        good = str(index) in str(error) and REMEDY.search(str(error))
        return ("refused" if good else "NO REMEDY"), str(error)
    if made == wanted:
        return "same", ""
    # A namespace that nothing was added to is taken over as it is, and its damage is noticed where it is used.
    from hipporag_like.indexing.verify import verify

    return ("verify" if verify(index) else "WRONG ARRAYS"), ""


def add_one(index: Path) -> None:
    """Add a document whose names are in others too."""
    from hipporag_like.rag import HippoRAG
    from hipporag_like.types import Document

    with HippoRAG(index) as rag:
        rag.index([Document("Alan Turing met Ada Lovelace in Skerrow. Skerrow is cold.", "new", "Skerrow")])


def arrays(index: Path) -> str:
    """Return a hash of every array of the published snapshot."""
    from hipporag_like.store.snapshot import open_snapshot

    digest = hashlib.sha256()
    with open_snapshot(index) as snapshot:
        for group in snapshot.groups:
            for name, (path, _) in sorted(snapshot.entries(group).items()):
                digest.update(f"{group} {name}".encode() + path.read_bytes())
    return digest.hexdigest()


def mended(index: Path, kind: str, expected: list[Any], content: str) -> tuple[str, str]:
    """Return what ``repair`` made of a damaged index: ``whole``, ``less``, ``refused``, or what must never be."""
    from hipporag_like.errors import HippoRAGLikeError
    from hipporag_like.indexing.repair import repair
    from hipporag_like.indexing.verify import verify

    try:
        repaired = repair(index)
    except HippoRAGLikeError as error:
        return ("refused" if REMEDY.search(str(error)) or "--models" in str(error) else "NO REMEDY"), str(
            error
        )
    findings = verify(index)
    if findings:
        return "NOT SOUND", findings[0].sentence
    again = repair(index)
    if again.done or again.lost:
        return "NOT IDEMPOTENT", "; ".join(again.done)
    if answers(index, kind) == expected:
        return "whole", "; ".join(repaired.done)
    return ("less" if repaired.lost or any("journal" in d for d in repaired.done) else "SILENT LOSS"), ""


TESTS: dict[str, Callable[..., tuple[str, str]]] = {"outcome": outcome, "mended": mended}


def main() -> None:
    """Run the faults named in a file."""
    index, task = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    if task["small_bytes"]:
        from hipporag_like.store import reader

        reader.SMALL_BYTES = task["small_bytes"]
    os.fsync = lambda descriptor: None  # type: ignore[assignment]
    kind = task["kind"]
    whole = index.with_name(index.name + "-whole")
    shutil.copytree(index, whole)
    expected, content, made = answers(index, kind), rows(index), arrays(index)
    if task["test"] == "updated":
        add_one(index)
        made = arrays(index)
        put_back(index, whole, "", False)
    for name, fault in task["faults"]:
        sys.stdout.write(json.dumps({"file": name, "fault": fault}) + "\n")
        sys.stdout.flush()  # known even if this fault is the last one
        damage(index / name, fault)
        if task["test"] in ("used", "updated"):
            result, message = (used if task["test"] == "used" else updated)(index, kind, made)
        else:
            result, message = TESTS[task["test"]](index, kind, expected, content)
        row = {"file": name, "fault": fault, "outcome": result, "message": message}
        sys.stdout.write(json.dumps(row) + "\n")
        put_back(index, whole, name, task["test"] == "outcome")


def put_back(index: Path, whole: Path, name: str, only_read: bool) -> None:
    """Undo a fault, and all that came of it where something was written."""
    if not only_read:
        shutil.rmtree(index)
        shutil.copytree(whole, index)
        return
    shutil.copyfile(whole / name, index / name)
    for end in ("-wal", "-shm"):
        Path(f"{index / 'journal.db'}{end}").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
