"""Kills a run at random moments of a named stage, again and again, and tells what was left each time.

    python kill_run.py FOLDER NUMBER SEED

One process imports everything and forks a child for each kill. A moment is a call of a function, ours or of C, in
this package, or some steps of SQLite inside one; which stage it belongs to is told by the functions it was called
from. One JSON object a kill goes to stdout; what an undisturbed run makes of the same index is the measure.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

# Of a moment's callers the innermost that stands here names its stage.
STAGES = {
    ("hipporag_like.indexing.ingest", "ingest"): "load",
    ("hipporag_like.indexing.extract", "extract_missing"): "extract",
    ("hipporag_like.indexing.renew", "renew"): "renew",
    ("hipporag_like.indexing.embed", "__call__"): "embed",
    ("hipporag_like.indexing.assemble", "assemble"): "assemble",
    ("hipporag_like.indexing.assemble", "arrays"): "assemble",
    ("hipporag_like.store.connection", "transaction"): "journal commit",
    ("hipporag_like.store.connection", "_migrate"): "migrate",
    ("hipporag_like.store.writer", "write"): "snapshot write",
    ("hipporag_like.store.writer", "write_blocks"): "snapshot write",
    ("hipporag_like.store.writer", "publish"): "publish",
    ("hipporag_like.store.removal", "remove_but"): "remove old snapshots",
    ("hipporag_like.indexing.live", "prune"): "prune",
    ("hipporag_like.store.documents", "delete_documents"): "delete",
    ("hipporag_like.store.salvage", "salvage"): "salvage",
    ("hipporag_like.store.database", "compact"): "compaction",
}
OURS = "hipporag_like."
QUESTIONS = (
    "Where was the designer of the lighthouse of Skerrow born?",
    "lambda calculus",
    "Who met Otto in Oslo?",
)
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "indexes"


SQLITE_STEPS = 50  # of SQLite's own machine, after which it calls us: some dozens of times in a compaction


def tick() -> int:
    """Do nothing, so that SQLite goes on; called from inside its statements, to be moments too."""
    return 0


def watch_sqlite() -> None:
    """Let SQLite call ``tick`` while it works, so that a run can be killed in the middle of a statement."""
    plain = sqlite3.connect

    def connect(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = plain(*given, **named)
        connection.set_progress_handler(tick, SQLITE_STEPS)
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]


def stage_of(frame: FrameType | None) -> str:
    while frame is not None:
        code = frame.f_code
        stage = STAGES.get((frame.f_globals.get("__name__", ""), code.co_name))
        if stage is not None:
            return stage
        frame = frame.f_back
    return "between"


def watched(act: Callable[[], None], stage: str = "", number: int = 0) -> Counter[str]:
    """Run something and return the moments of each stage; with a stage, kill the process at one of its moments."""
    seen: Counter[str] = Counter()

    def moment(frame: FrameType, event: str, _: Any) -> None:
        inside_sqlite = frame.f_code is tick.__code__
        if not inside_sqlite and not frame.f_globals.get("__name__", "").startswith(OURS):
            return
        now = stage_of(frame)
        seen[now] += 1
        if now == stage and seen[now] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(moment)
    try:
        act()
    finally:
        sys.setprofile(None)
    return seen


# The steps: what each starts from, and what it does.


def documents() -> list[Any]:
    from hipporag_like.types import Document

    rows = json.loads((FIXTURES / "documents.json").read_text(encoding="utf-8"))["documents"]
    more = [
        Document(f"Anna{i} met Otto{i % 3} in Oslo. They read Ibsen.", f"d{i}", f"Title {i}")
        for i in range(6)
    ]
    return [Document(**row) for row in rows] + more


def changed() -> list[Any]:
    old = documents()
    return [replace(d, text=d.text + " It was raining in Bergen.") for d in old[::3]] + [
        replace(old[0], id="new")
    ]


def bulk() -> Any:
    """Return a document that takes most of the journal."""
    from hipporag_like.types import Document

    return Document("Anna0 met nobody.", "bulk", "Bulk", {"note": "x" * 1_000_000})


def open_rag(index: Path) -> Any:
    from hipporag_like.config import Config
    from hipporag_like.rag import HippoRAG

    return HippoRAG(index, config=Config.from_dict({"embed": {"model": "hashing"}}))


def do_first(index: Path) -> None:
    open_rag(index).index(documents())


def do_update(index: Path) -> None:
    open_rag(index).index(changed())


def do_delete(index: Path) -> None:
    open_rag(index).delete(["ada", "d1", "d2", "iddes"])


def do_empty(index: Path) -> None:
    """Delete nearly all, so that most of the journal is dead space."""
    open_rag(index).delete(sorted({d.id for d in [*documents(), *changed(), bulk()]} - {"d0"}))


def do_upgrade(index: Path) -> None:
    from hipporag_like.rag import HippoRAG

    HippoRAG(index).retrieve("lambda calculus", 1, method="bm25")


def do_repair(index: Path) -> None:
    open_rag(index).repair()


STEPS: dict[str, Callable[[Path], None]] = {
    "first": do_first,
    "update": do_update,
    "delete": do_delete,
    "empty": do_empty,
    "upgrade": do_upgrade,
    "repair": do_repair,
}


def bases(folder: Path) -> dict[str, Path]:
    """Make what each step starts from."""
    made = {name: folder / "bases" / name for name in STEPS}
    made["first"].mkdir(parents=True)
    do_first(made["update"])
    shutil.copytree(made["update"], made["delete"])
    do_update(made["delete"])
    shutil.copytree(made["delete"], made["empty"])
    open_rag(made["empty"]).index([bulk()])
    with tarfile.open(FIXTURES / "journal1.tar.gz") as archive:
        archive.extractall(folder / "old", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (folder / "old" / "index").rename(made["upgrade"])
    shutil.copytree(made["delete"], made["repair"])
    spoil(made["repair"])
    return made


def spoil(index: Path) -> None:
    """Damage an array, and a vector in the journal that no text needs any more."""
    number = (index / "CURRENT").read_text().split()[0]
    path = index / "snapshots" / number / "g0" / "passage_text.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    raw = sqlite3.connect(index / "journal.db", isolation_level=None)
    raw.execute("INSERT INTO vectors SELECT fingerprint, x'00', vector, 7 FROM vectors LIMIT 1")
    raw.close()


# What is compared.


def answers(index: Path) -> Any:
    from hipporag_like.errors import HippoRAGLikeError
    from hipporag_like.rag import HippoRAG

    try:
        with HippoRAG(index, read_only=True) as rag:
            return [
                [(h.passage.id, h.passage.text, h.score) for h in rag.retrieve(question, 5, method=method)]
                for question in QUESTIONS
                for method in ("graph", "bm25")
            ]
    except HippoRAGLikeError as error:
        return type(error).__name__


def arrays(index: Path) -> str:
    from hipporag_like.store.snapshot import open_snapshot

    digest = hashlib.sha256()
    with open_snapshot(index) as snapshot:
        digest.update(json.dumps(snapshot.manifest["namespaces"], sort_keys=True).encode())
        for group in snapshot.groups:
            for name, (path, _) in sorted(snapshot.entries(group).items()):
                digest.update(f"{group} {name}".encode() + path.read_bytes())
    return digest.hexdigest()


def content(index: Path) -> dict[str, list[Any]]:
    """Return what the journal holds, but for numbers that tell its history."""
    raw = sqlite3.connect(index / "journal.db")
    queries = {
        "documents": "SELECT namespace, id, title, text, metadata, spans, hash FROM documents",
        "extractions": "SELECT name, key, status, payload FROM extractions JOIN fingerprints ON row = fingerprint",
        "vectors": "SELECT name, hash, vector FROM vectors JOIN fingerprints ON row = fingerprint",
    }
    try:
        if raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return {name: [] for name in queries}  # killed before there was a table
        return {name: sorted(map(repr, raw.execute(query))) for name, query in queries.items()}
    finally:
        raw.close()


def state(index: Path) -> Any:
    return [answers(index), arrays(index), content(index)]


def problems(index: Path, before: Any, after: Any) -> list[str]:
    """Return what is wrong with what a kill left behind."""
    from hipporag_like.errors import IndexNotFoundError
    from hipporag_like.indexing.verify import verify

    wrong = []
    if answers(index) not in (before, after):
        wrong.append("answers differently after the kill")
    try:
        findings = [f.sentence for f in verify(index) if "has format" not in f.what]
    except IndexNotFoundError:
        findings = []
    # Where nothing was published before, a snapshot that CURRENT does not name yet looks as if CURRENT had been lost.
    unnamed = before == "IndexNotFoundError" and all("CURRENT is missing" in finding for finding in findings)
    if findings and before != "IndexCorruptError" and not unnamed:
        wrong.append(f"unsound after the kill: {findings[0]}")
    return wrong


def one_kill(
    step: str, base: Path, work: Path, stage: str, number: int, goal: dict[str, Any]
) -> dict[str, Any]:
    index = work / "index"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, index)
    had = set(content(index)["vectors"]) if (index / "journal.db").exists() and step != "upgrade" else set()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            watched(lambda: STEPS[step](index), stage, number)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    row = {"step": step, "stage": stage, "moment": number, "killed": os.WIFSIGNALED(status), "wrong": []}
    row["wrong"] += problems(index, goal["before"], goal["after"][0])
    kept = set()
    if (
        step in ("first", "update")
        and (index / "journal.db").exists()
        and (index / "journal.db").stat().st_size
    ):
        kept = set(content(index)["vectors"]) - had
    report = {"first": documents, "update": changed}.get(step)
    if report is not None:
        embedded = open_rag(index).index(report()).embedded
        if embedded != goal["embedded"] - len(kept):
            row["wrong"].append(
                f"{embedded} texts embedded where {goal['embedded']} - {len(kept)} were missing"
            )
    else:
        STEPS[step](index)
    end = state(index)
    for name, got, wanted in zip(("answers", "arrays", "journal"), end, goal["after"], strict=True):
        if got != wanted:
            row["wrong"].append(f"the {name} are not those of an undisturbed run")
    row["wrong"] += leftovers(index)
    if dead_space(index):
        row["wrong"].append("more than half of the journal is dead space")
    return row


def leftovers(index: Path) -> list[str]:
    """Return what is left in the folder that an undisturbed run would not leave, once it was repaired."""
    do_repair(index)
    names = [p.name for p in (index / "snapshots").iterdir() if not p.name.isdigit()]
    names += [p.name for p in index.iterdir() if p.name.startswith((".salvage", "CURRENT."))]
    return [f"left behind: {names}"] if names else []


def dead_space(index: Path) -> bool:
    raw = sqlite3.connect(index / "journal.db")
    (unused,), (pages,) = (
        raw.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count")
    )
    raw.close()
    return bool(2 * unused > pages)


def main() -> None:
    """Kill, and tell."""
    # The threads of these libraries do not live on in a forked child, which would wait for them for ever.
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")})
    watch_sqlite()
    os.fsync = lambda descriptor: None  # type: ignore[assignment]  # a kill loses no page of the system's
    folder, count, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    starts, goals, moments = bases(folder), {}, defaultdict(list)
    for step, base in starts.items():
        index = folder / "whole" / step
        shutil.copytree(base, index)
        before = answers(index)
        missing = len(content(index)["vectors"]) if step == "update" else 0
        old = set(content(index)["vectors"]) if missing else set()
        seen = watched(lambda step=step, index=index: STEPS[step](index))
        after = state(index)
        goals[step] = {"before": before, "after": after, "embedded": len(set(after[2]["vectors"]) - old)}
        for stage, number in sorted(seen.items()):
            # Other steps look for dead space and find too little.
            if number > 1 and (stage != "compaction" or step == "empty"):
                moments[stage].append((step, number))
    for i in range(count):
        # The stages in turn, so that each gets its share, and of each the steps in turn.
        stage = sorted(moments)[i % len(moments)]
        step, most = moments[stage][(i // len(moments) + i) % len(moments[stage])]
        row = one_kill(step, starts[step], folder / "work", stage, rng.randint(1, most), goals[step])
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
