"""Lets writers, readers and threads at one index, kills some, and tells whether every answer fits one published state.

    python concurrency_run.py FOLDER SECONDS SEED

Documents carry their version in text and metadata, and who writes notes which versions each snapshot holds. One
process writes and is killed now and then; this one tries to write, too; others read: some open anew all the time,
some hold a snapshot for long, and in one several threads share an object that is closed under them. What each notes
goes to a file of its own; one JSON object for all of it goes to stdout.
"""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import json
import os
import random
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

METHODS = ("graph", "hipporag", "hipporag2", "dense", "bm25", "hybrid")
QUESTIONS = ("Whom did Anna3 meet in Oslo?", "Which harbour did Otto2 read of?", "Who was in Bergen?")
IDS = [f"a{number}" for number in range(24)]
LOCKED = re.compile(r"another process( \(pid \d+\))? is writing to .+; wait for it or stop it")
TEXT = re.compile(r"Version (\d+) of (\w+)\.")
STUCK = (
    90.0  # seconds without a sign of life, after which something waits for ever: an act takes well under one
)
THREADS = 4
QUIET = 1.0  # seconds between two looks at memory


def hashing() -> Any:
    from hipporag_like.config import Config

    return Config.from_dict({"embed": {"model": "hashing"}})


def opened(index: Path, read_only: bool = True) -> Any:
    from hipporag_like.rag import HippoRAG

    return HippoRAG(index, config=None if read_only else hashing(), read_only=read_only)


def document(document_id: str, version: int) -> Any:
    from hipporag_like.types import Document

    k = int(document_id[1:])
    text = (
        f"Version {version} of {document_id}. Anna{k} met Otto{version % 5} in {('Oslo', 'Bergen')[k % 2]}."
    )
    return Document(text, document_id, f"Harbour {k}", {"version": version})


class Place:
    """The folder of a run: the index, the notes of each process, and whether to stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.notes = folder / "notes"
        self.beats = folder / "beats"

    def make(self) -> None:
        for path in (self.notes, self.beats):
            path.mkdir(parents=True)

    def note(self, name: str, **row: Any) -> None:
        with (self.notes / name).open("a") as file:  # in one write, so that a kill leaves no half of a line
            file.write(json.dumps(row) + "\n")

    def noted(self, name: str) -> list[dict[str, Any]]:
        path = self.notes / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def alive(self, name: str) -> None:
        (self.beats / name).touch()

    def stop(self) -> None:
        (self.folder / "stop").touch()

    @property
    def stopped(self) -> bool:
        return (self.folder / "stop").exists()


# Writing.


def stored(index: Path, first: str) -> dict[str, int]:
    """Return the version of each document in the journal whose id begins so."""
    from hipporag_like.store.journal import Journal

    with Journal.open_readonly(index) as journal:
        return {d.id: d.metadata["version"] for d in journal.documents("default") if d.id[0] == first}


def write(place: Place, rng: random.Random) -> None:
    """Go on from what the journal holds: add, update, delete, publish; note what is meant, and then what is done."""
    state = stored(place.index, "a")
    version = 1000 * len(place.noted("writer"))
    place.note("writer", found=state)
    change(place, lambda rag: rag.index([]), state)
    while not place.stopped:
        version += 1
        if len(state) > 6 and rng.random() < 0.3:
            gone = rng.sample(sorted(state), rng.randint(1, 3))
            state = {key: value for key, value in state.items() if key not in gone}
            change(place, lambda rag, gone=gone: rag.delete(gone), state)
        else:
            some = rng.sample(IDS, rng.randint(1, 4))
            state = state | dict.fromkeys(some, version)
            new = [document(key, version) for key in some]
            change(place, lambda rag, new=new: rag.index(new), state)
        time.sleep(rng.random() * 0.1)


def change(place: Place, act: Callable[[Any], Any], state: dict[str, int]) -> None:
    from hipporag_like.errors import IndexLockedError

    place.note("writer", meant=state)
    while True:
        place.alive("writer")
        try:
            with opened(place.index, read_only=False) as rag:
                report = act(rag)
            assert not report.failures, report
            place.note("writer", number=report.snapshot, state=state)
            return
        except IndexLockedError as error:
            place.note("writer", locked=str(error))
            time.sleep(0.02)


class Rival:
    """A second writer, which does not wait."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.version = 0

    def tries(self) -> None:
        from hipporag_like.errors import IndexLockedError

        self.version += 1
        try:
            with opened(self.place.index, read_only=False) as rag:
                report = rag.index([document("b0", self.version)])
            self.place.note("rival", number=report.snapshot, state={"b0": self.version})
        except IndexLockedError as error:
            self.place.note("rival", locked=str(error))


# Reading.


def everything(rag: Any) -> dict[str, int]:
    """Return the version of every document that is found; what tells two versions of one is torn."""
    found = {}
    for hit in rag.retrieve("harbour version", 200, method="dense"):
        said = TEXT.match(hit.passage.text)
        version = hit.passage.metadata["version"]
        if said is None or said[2] != hit.passage.document_id or int(said[1]) != version:
            raise AssertionError(f"torn: {hit.passage}")
        if found.setdefault(hit.passage.document_id, version) != version:
            raise AssertionError(f"two versions of {hit.passage.document_id}")
    return found


def digest(hits: list[Any]) -> str:
    rows = [(h.passage.id, h.passage.text, h.passage.metadata["version"], h.score) for h in hits]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def look(place: Place, name: str, rag: Any, rng: random.Random, answers: dict[str, str]) -> None:
    """Do one thing with an open index; the same question gets the same answer as long as it is open."""
    choice = rng.random()
    if choice < 0.1:
        method, many = rng.choice(METHODS), rng.sample(QUESTIONS, 2)
        found = zip(many, rag.retrieve_many(many, 5, method=method), strict=True)
    elif choice < 0.15:
        rag.export("json", place.folder / f"{name}.json")
        return
    elif choice < 0.25:
        rag.ask(rng.choice(QUESTIONS))
        return
    else:
        method, question = rng.choice(METHODS), rng.choice(QUESTIONS)
        found = iter([(question, rag.retrieve(question, 5, method=method))])
    for question, hits in found:
        made = digest(hits)
        if answers.setdefault(f"{method} {question}", made) != made:
            raise AssertionError(f"two answers to {question!r} by {method}")


def read(place: Place, name: str, rng: random.Random, hold: float) -> None:
    """Open, look at all and at parts for ``hold`` seconds, close, again."""
    sampled = 0.0
    while not place.stopped:
        with opened(place.index) as rag:
            number, until, answers = rag.stats()["snapshot"], time.monotonic() + hold, {}
            state = everything(rag)
            while True:
                look(place, name, rag, rng, answers)
                place.alive(name)
                if time.monotonic() >= until or place.stopped:
                    break
            stats = rag.stats()
            if (stats["snapshot"], stats["documents"]) != (number, len(state)) or everything(rag) != state:
                raise AssertionError("an open snapshot changed")
        place.note(name, number=number, state=state, answers=answers)
        if time.monotonic() > sampled + QUIET:
            place.note(name, **figures())
            sampled = time.monotonic()


def read_in_threads(place: Place, name: str, rng: random.Random) -> None:
    """Several threads share one object, and one of them closes it again and again."""
    rag, wrong = opened(place.index), []

    def work(number: int) -> None:
        mine, own = random.Random(rng.random()), f"{name}{number}"
        try:
            while not place.stopped:
                before = rag.stats()["snapshot"]
                state = everything(rag)
                look(place, own, rag, mine, {})
                place.note(own, between=[before, rag.stats()["snapshot"]], state=state)
                place.alive(own)
                if number == 0:
                    rag.close()
        except BaseException as error:
            wrong.append(repr(error))
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        place.alive(name)
        place.note(name, **figures())
        time.sleep(QUIET)
    rag.close()
    if wrong:
        raise AssertionError(wrong[0])


def figures() -> dict[str, int]:
    """Return resident KiB and open descriptors; Linux tells them."""
    gc.collect()
    if not os.path.isdir("/proc/self/fd"):
        return {}
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"rss": pages * os.sysconf("SC_PAGE_SIZE") >> 10, "fds": len(os.listdir("/proc/self/fd"))}


# Processes.


def started(place: Place, name: str, work: Callable[[], None]) -> int:
    place.alive(name)
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        faulthandler.register(signal.SIGUSR1, all_threads=True)
        work()
        code = 0
    finally:
        if code:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)


class Crowd:
    """The processes of a run, by name."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.rng = random.Random(seed)
        self.pids: dict[str, int] = {}
        self.wrong: list[str] = []
        self.killed = {"writer": 0, "reader": 0}
        self.most_snapshots = 0

    def start(self, name: str) -> None:
        rng, place = random.Random(self.rng.random()), self.place
        works: dict[str, Callable[[], None]] = {
            "writer": lambda: write(place, rng),
            "threads": lambda: read_in_threads(place, "threads", rng),
            "long": lambda: read(place, "long", rng, 5.0),
        }
        self.pids[name] = started(
            place, name, works.get(name, lambda: read(place, name, rng, rng.choice((0.0, 0.3))))
        )

    def kill(self, name: str) -> None:
        os.kill(self.pids[name], signal.SIGKILL)
        os.waitpid(self.pids.pop(name), 0)
        self.killed["writer" if name == "writer" else "reader"] += 1
        before = len(self.place.noted("writer"))
        self.start(name)
        while name == "writer" and not any("number" in row for row in self.place.noted(name)[before:]):
            self.watch()
            if self.wrong:
                return
            time.sleep(0.01)

    def watch(self) -> None:
        """Note who ended by itself, who is stuck, and how many snapshots there are."""
        for name, pid in list(self.pids.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self.pids[name]
                self.wrong.append(f"{name} ended by itself")
        for beat in self.place.beats.iterdir():
            if time.time() - beat.stat().st_mtime > STUCK and beat.name.rstrip("0123456789") in self.pids:
                os.kill(self.pids[beat.name.rstrip("0123456789")], signal.SIGUSR1)
                self.wrong.append(f"{beat.name} gives no sign of life")
        self.most_snapshots = max(self.most_snapshots, len(snapshots(self.place.index)))

    def end(self) -> None:
        self.place.stop()
        until = time.monotonic() + STUCK
        while self.pids and time.monotonic() < until:
            for name, pid in list(self.pids.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del self.pids[name]
                    self.wrong += [f"{name} ended with {status}"] if status else []
            time.sleep(0.01)
        for name, pid in self.pids.items():
            self.wrong.append(f"{name} does not end")
            os.kill(pid, signal.SIGUSR1)
            time.sleep(1)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def snapshots(index: Path) -> list[str]:
    return [path.name for path in (index / "snapshots").iterdir()]


def crowd(place: Place, seconds: float, seed: int) -> Crowd:
    """Let them all at the index for a while."""
    all_of_them, rival = Crowd(place, seed), Rival(place)
    readers = ["short0", "short1", "long", "threads"]
    for name in ("writer", *readers):
        all_of_them.start(name)
    start, pause = time.monotonic(), min(4.0, seconds / 4)
    kill = start + pause
    while time.monotonic() < start + seconds and not all_of_them.wrong:
        time.sleep(all_of_them.rng.random() * 0.2)
        rival.tries()
        all_of_them.watch()
        if time.monotonic() > kill and not all_of_them.wrong:
            all_of_them.kill("writer")
            all_of_them.kill("short1")
            kill = time.monotonic() + pause * (0.5 + all_of_them.rng.random())
    all_of_them.end()
    return all_of_them


# What is to be true of the notes.


class States:
    """Which versions each published snapshot holds."""

    def __init__(self, place: Place) -> None:
        self.parts = [
            {row["number"]: row["state"] for row in place.noted(name) if "number" in row}
            for name in ("writer", "rival")
        ]

    def of(self, number: int) -> dict[str, int]:
        """Return the state of a snapshot: what each writer had last published by then."""
        whole: dict[str, int] = {}
        for part in self.parts:
            last = max((n for n in part if n <= number), default=None)
            whole |= {} if last is None else part[last]
        return whole

    @property
    def numbers(self) -> list[int]:
        return sorted(set().union(*self.parts))


def writers_problems(place: Place) -> Iterator[str]:
    """Yield what was lost: a writer that starts finds what the one before it had done, or meant to do last."""
    known: list[dict[str, int]] = []
    for row in place.noted("writer"):
        if "found" in row and known and row["found"] not in known:
            yield f"the journal holds {row['found']}, the writer before left one of {known}"
        if "meant" in row:
            known = [*known[-1:], row["meant"]]
        if "state" in row:
            known = [row["state"]]
    for name in ("writer", "rival"):
        for row in place.noted(name):
            if "locked" in row and not LOCKED.fullmatch(row["locked"]):
                yield f"no clear sentence: {row['locked']}"


def readers_problems(place: Place, states: States) -> Iterator[str]:
    """Yield answers that fit no published state, and questions that were answered in two ways on one."""
    answers: dict[tuple[int, str], str] = {}
    numbers = states.numbers
    for name in sorted(path.name for path in place.notes.iterdir()):
        for row in place.noted(name) if name not in ("writer", "rival") else ():
            if "between" in row:
                first, last = row["between"]
                if not any(row["state"] == states.of(n) for n in numbers if first <= n <= last):
                    yield f"{name} saw {row['state']}, which no snapshot from {first} to {last} holds"
            elif "state" in row and row["state"] != states.of(row["number"]):
                yield f"{name} saw {row['state']} in {row['number']}, published was {states.of(row['number'])}"
            for question, found in row.get("answers", {}).items():
                if answers.setdefault((row["number"], question), found) != found:
                    yield f"two answers to {question} on snapshot {row['number']}"


def compared_with_fresh(
    place: Place, states: States, rng: random.Random, count: int
) -> tuple[int, list[str]]:
    """Compare answers that were given on some snapshots with those of an index made of that state alone."""
    given: dict[int, dict[str, str]] = {}
    for path in place.notes.iterdir():
        for row in place.noted(path.name):
            if row.get("answers"):
                given.setdefault(row["number"], {}).update(row["answers"])
    compared, wrong = 0, []
    for number in rng.sample(sorted(given), min(count, len(given))):
        with made_of(place.folder / f"fresh{number}", states.of(number)) as rag:
            for key, found in given[number].items():
                method, _, question = key.partition(" ")
                compared += 1
                if digest(rag.retrieve(question, 5, method=method)) != found:
                    wrong.append(f"snapshot {number}, made by many changes, answers {key} differently")
    return compared, wrong


@contextmanager
def made_of(folder: Path, state: dict[str, int]) -> Iterator[Any]:
    with opened(folder, read_only=False) as rag:
        rag.index([document(key, version) for key, version in state.items()])
        yield rag


def arrays(index: Path) -> str:
    from hipporag_like.store.snapshot import open_snapshot

    made = hashlib.sha256()
    with open_snapshot(index) as snapshot:
        for name, (path, _) in sorted(snapshot.entries("default").items()):
            made.update(name.encode() + path.read_bytes())
    return made.hexdigest()


def end_problems(place: Place, states: States) -> Iterator[str]:
    """Yield how the index differs from one that is made once, and what nobody needs any more."""
    final = stored(place.index, "a") | stored(place.index, "b")
    if final != states.of(states.numbers[-1]):
        yield f"the journal holds {final}, published last was {states.of(states.numbers[-1])}"
    with opened(place.index, read_only=False) as rag:
        rag.index([document("b1", 1)])
        rag.delete(["b1"])
        yield from (finding.sentence for finding in rag.verify())
    with made_of(place.folder / "fresh", final):
        pass
    if arrays(place.index) != arrays(place.folder / "fresh"):
        yield "the arrays are not those of an index made once"
    if len(snapshots(place.index)) != 1:
        yield f"left on the disk: {snapshots(place.index)}"


def least(place: Place, name: str, figure: str) -> list[int]:
    """Return the least of a figure in the second and in the last quarter of a process's life; empty where too short.

    The least, because what is in use at the moment comes and goes, and a leak never goes.
    """
    found = [row[figure] for row in place.noted(name) if figure in row]
    quarter = len(found) // 4
    return [min(found[quarter : 2 * quarter]), min(found[-quarter:])] if quarter else []


def main() -> None:
    """Make an index, let them all at it, and tell."""
    # The threads of these libraries do not live on in a forked child, which would wait for them for ever.
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")})
    place, seconds, seed = Place(Path(sys.argv[1])), float(sys.argv[2]), int(sys.argv[3])
    place.make()
    with opened(place.index, read_only=False) as rag:
        first = dict.fromkeys(IDS[:8], 0)
        report = rag.index([document(key, 0) for key in first])
        place.note("writer", number=report.snapshot, state=first)
        for method in METHODS:  # imported and compiled once, for all
            rag.retrieve(QUESTIONS[0], 1, method=method)
        rag.ask(QUESTIONS[0])
    gc.collect()
    run = crowd(place, seconds, seed)
    states = States(place)
    compared, differing = compared_with_fresh(place, states, run.rng, 3 if seconds < 30 else 20)
    wrong = [
        *run.wrong,
        *writers_problems(place),
        *readers_problems(place, states),
        *differing,
        *end_problems(place, states),
    ]
    rows = [row for path in place.notes.iterdir() for row in place.noted(path.name)]
    result = {
        "wrong": wrong[:20],
        "killed": run.killed,
        "published": len(states.numbers),
        "rival wrote": sum("number" in row for row in place.noted("rival")),
        "refused": sum("locked" in row for row in rows),
        "states seen whole": sum("state" in row and ("answers" in row or "between" in row) for row in rows),
        "snapshots read": len({row["number"] for row in rows if "answers" in row}),
        "answers": sum(len(row.get("answers", ())) for row in rows),
        "compared with a fresh index": compared,
        "most snapshots on disk": run.most_snapshots,
        "least": {
            name: {figure: least(place, name, figure) for figure in ("rss", "fds")}
            for name in ("short0", "long", "threads")
        },
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
