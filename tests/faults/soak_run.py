"""Uses one index in every way for long, in one process, and tells what it takes of memory, files, threads and disk.

    python soak_run.py FOLDER OPERATIONS SEED

One JSON object for each tenth of the operations, at least every 100, goes to stdout, and one more for the end.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

IDS = [f"d{number}" for number in range(60)]
NAMESPACES = ("default", "other")
PLACES = ("Oslo", "Bergen", "Skerrow", "Narvik", "Hamar")
METHODS = ("graph", "hipporag", "hipporag2", "dense", "bm25", "hybrid")
# Options that no array depends on, so that changing them must cost nothing.
SEARCHES = (
    {},
    {"k": 3, "damping": 0.7},
    {"fusion": "fast"},
    {"fusion": "weights", "sharpness": 2.0},
    {"engine": "power", "tolerance": 1e-6},
)
# Operations and how often each comes, out of 100.
OFTEN = {
    "index": 17,
    "delete": 9,
    "retrieve": 32,
    "retrieve_many": 5,
    "ask": 9,
    "explain": 3,
    "stats": 6,
    "export": 4,
    "verify": 3,
    "repair": 3,
    "reopen": 5,
    "options": 4,
}
SMALL_BYTES = (
    1 << 14
)  # larger arrays are mapped; with the package's own 1 MiB none of so small an index would be
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Soak:
    """One index, what it should hold, and the operations on it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.rng = random.Random(seed)
        self.live: dict[tuple[str, str], Any] = {}
        self.words = 0
        self.options: dict[str, Any] = {}
        self.rag = self.opened()
        self.done: Counter[str] = Counter()

    def opened(self) -> Any:
        from hipporag_like.config import Config
        from hipporag_like.rag import HippoRAG

        return HippoRAG(self.index, config=Config.from_dict({"embed": {"model": "hashing"}, **self.options}))

    def document(self, namespace: str, document_id: str) -> Any:
        """Return a document some of whose words and names nobody ever used, as in real texts."""
        from hipporag_like.types import Document

        sentences = []
        for _ in range(self.rng.randint(1, 12)):
            self.words += 1
            person, place = f"Anna Berg{self.words}", self.rng.choice(PLACES)
            other = f"Otto Lund{self.rng.randrange(40)}"
            sentences.append(f"{person} met {other} in {place}, and they read of zar{self.words} boats.")
        meta = {"year": 1900 + self.rng.randrange(100)}
        return Document(" ".join(sentences), document_id, f"Otto Lund{document_id[1:]}", meta, namespace)

    def question(self) -> str:
        person = f"Anna Berg{self.rng.randint(max(1, self.words - 300), self.words + 3)}"
        return f"Whom did {person} meet in {self.rng.choice(PLACES)} with Otto Lund{self.rng.randrange(45)}?"

    # The operations. Each checks what it can tell at no great cost.

    def index_some(self) -> None:
        keys = {(self.rng.choice(NAMESPACES), self.rng.choice(IDS)) for _ in range(self.rng.randint(1, 6))}
        found = {key: self.document(*key) for key in sorted(keys)}
        report = self.rag.index(found.values())
        assert report.added + report.updated == len(found) and not report.failures, report
        assert report.added == len(found.keys() - self.live.keys()), report
        self.live.update(found)

    def delete(self) -> None:
        namespace = self.rng.choice(sorted({name for name, _ in self.live}))
        keys = sorted(key for key in self.live if key[0] == namespace)
        # Now and then nearly all, so that there is dead space.
        count = len(keys) - 3 if self.rng.random() < 0.08 else self.rng.randint(1, 5)
        gone = self.rng.sample(keys, max(1, min(count, len(keys) - 1)))
        report = self.rag.delete([document_id for _, document_id in gone], namespace=namespace)
        assert report.deleted == len(gone), report
        for key in gone:
            del self.live[key]

    def retrieve(self) -> None:
        where = {"year": {"gte": 1950}} if self.rng.random() < 0.2 else None
        method = METHODS[self.done["retrieve"] % len(METHODS)]
        self.check(self.rag.retrieve(self.question(), 5, method=method, where=where))

    def retrieve_many(self) -> None:
        for hits in self.rag.retrieve_many([self.question() for _ in range(4)], 5):
            self.check(hits)

    def check(self, hits: list[Any]) -> None:
        assert hits
        for hit in hits:
            document = self.live[hit.passage.namespace, hit.passage.document_id]
            assert document.text[hit.passage.start : hit.passage.end] == hit.passage.text

    def ask(self) -> None:
        answer = self.rag.ask(self.question())
        for citation in answer.citations:
            assert any(citation.quote in document.text for document in self.live.values()), citation

    def explain(self) -> None:
        self.check(self.rag.explain(self.question(), 5).hits)

    def stats(self) -> None:
        found = self.rag.stats()
        assert found["documents"] == len(self.live) and found["up_to_date"] is True, found

    def export(self) -> None:
        kind = ("json", "graphml", "csv")[self.done["export"] % 3]
        self.rag.export(kind, self.folder / f"out.{kind}")

    def verify(self) -> None:
        assert self.rag.verify() == ()

    def repair(self) -> None:
        done = self.rag.repair()
        assert (done.done, done.lost) == ((), ()), done

    def reopen(self) -> None:
        self.rag.close()
        self.rag = self.opened()

    def change_options(self) -> None:
        self.options = {"search": self.rng.choice(SEARCHES)}
        self.reopen()
        report = self.rag.index([])
        assert (report.extracted, report.embedded, report.added) == (0, 0, 0), report

    def step(self) -> None:
        acts: dict[str, Callable[[], None]] = {
            "index": self.index_some,
            "options": self.change_options,
            **{name: getattr(self, name) for name in OFTEN if name not in ("index", "options")},
        }
        name = self.rng.choices(list(OFTEN), list(OFTEN.values()))[0] if len(self.live) > 10 else "index"
        acts[name]()
        self.done[name] += 1

    # What is watched.

    def sample(self, number: int) -> dict[str, Any]:
        gc.collect()
        row = {
            "operations": number,
            "documents": len(self.live),
            "live_bytes": sum(len(document.text) for document in self.live.values()),
            "objects": len(gc.get_objects()),
            **process_figures(),
            **disk_figures(self.index),
        }
        return row

    def end(self) -> dict[str, Any]:
        """Compare with an index that is made once of what is left, and with a process that was started for it."""
        self.rag.close()
        fresh = Soak(self.folder, 0)
        fresh.index = self.folder / "fresh"
        fresh.rag = fresh.opened()
        fresh.rag.index(list(self.live.values()))
        fresh.rag.close()
        return {
            "done": dict(self.done),
            "same": digest(self.index) == digest(fresh.index),
            "sound": self.opened().verify() == (),
            "snapshots": len([p for p in (self.index / "snapshots").iterdir() if p.name.isdigit()]),
            "strays": [p.name for p in (self.index / "snapshots").iterdir() if not p.name.isdigit()],
            "old": disk_figures(self.index),
            "fresh": disk_figures(fresh.index),
        }


def process_figures() -> dict[str, int]:
    """Return resident bytes, descriptors, maps of index files and threads; Linux tells them."""
    if not os.path.isdir("/proc/self/fd"):
        return {}
    status = Path("/proc/self/status").read_text()
    return {
        "rss": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE,
        "fds": len(os.listdir("/proc/self/fd")),
        "maps": Path("/proc/self/maps").read_text().count("/snapshots/"),
        "threads": int(status.partition("Threads:")[2].split()[0]),
    }


def disk_figures(index: Path) -> dict[str, int]:
    """Return the bytes of the folder, each file once whatever its names; of journal and log; and unused pages."""
    found = {}
    for path in index.rglob("*"):
        stat = path.stat()
        if path.is_file():
            found[stat.st_ino] = stat.st_size
    raw = sqlite3.connect(f"file:{index / 'journal.db'}?mode=ro", uri=True)
    (free,), (page,) = (raw.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size"))
    raw.close()
    log = index / "journal.db-wal"
    return {
        "disk": sum(found.values()),
        "journal": (index / "journal.db").stat().st_size,
        "log": log.stat().st_size if log.exists() else 0,
        "unused": free * page,
    }


def digest(index: Path) -> str:
    from hipporag_like.store.snapshot import open_snapshot

    made = hashlib.sha256()
    with open_snapshot(index) as snapshot:
        for group in snapshot.groups:
            for name, (path, _) in sorted(snapshot.entries(group).items()):
                made.update(f"{group} {name}".encode() + path.read_bytes())
    return made.hexdigest()


def main() -> None:
    """Operate, and tell."""
    from hipporag_like.store import reader, writer

    reader.SMALL_BYTES = writer.SMALL_BYTES = SMALL_BYTES
    folder, operations, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    shutil.rmtree(folder / "index", ignore_errors=True)
    soak, start = Soak(folder, seed), time.perf_counter()
    every = min(100, max(1, operations // 10))
    for number in range(1, operations + 1):
        soak.step()
        if number % every == 0:
            row = soak.sample(number) | {"seconds": round(time.perf_counter() - start, 1)}
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(soak.end()) + "\n")


if __name__ == "__main__":
    main()
