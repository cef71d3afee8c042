"""Feeds every loader with grown, damaged and random files: documents or reasons must come of each, nothing else.

    python fuzz_loaders_run.py TARGET NUMBER SEED

TARGET is one of ``TARGETS``, ``texts`` (all that need no extra) or ``all``. One JSON line a target goes to
stdout: executions, seconds, how many files gave a document (``accepted``) or only reasons (``refused``), and each
failure with the file that made it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import fuzz_files as files

from hipporag_like.config import Config
from hipporag_like.indexing.formats import SourceFile, read_file
from hipporag_like.indexing.ingest import ingest
from hipporag_like.indexing.load import load
from hipporag_like.indexing.office_process import OfficeProcess
from hipporag_like.progress import silent
from hipporag_like.store.journal import Journal
from hipporag_like.types import Document, Failure

OFFICE = ("docx", "pptx", "xlsx", "pdf")
TEXTS = (*files.MAKERS, "stdin", "folder")
TARGETS = (*TEXTS, *OFFICE)
JOURNAL_EVERY = 200  # executions between two stores of all documents: a commit waits for the disk
MAX_REASON = 2000  # characters; a reason is a sentence, whatever the file holds
MAX_KEPT = 20  # failures in the answer


class Caught(AbstractContextManager["Caught"]):
    """Holds what an execution raised: any exception is a finding, and the next file has its turn."""

    error: Exception | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep what is no interruption."""
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


def bytes_for(target: str, rng: random.Random, seeds: dict[str, list[bytes]]) -> bytes:
    """Return a file of a kind: sound, damaged, or bytes that only bear its name."""
    how = rng.random()
    if how < 0.05:
        return rng.randbytes(rng.randrange(400))
    if how < 0.1:
        return b"".join(rng.choice(files.ODD_BYTES) for _ in range(rng.randrange(20)))
    if target in OFFICE:
        made = rng.choice(seeds[target])
        return files.damage(rng, made) if target == "pdf" else files.damage_zip(rng, made)
    maker = files.MAKERS.get(target) or rng.choice(list(files.MAKERS.values()))
    made = maker(rng)
    if rng.random() < 0.1:
        made = made.decode("utf-8", "replace").encode(rng.choice(files.WIDE), "replace")
    return files.damage(rng, made) if how < 0.7 else made


def problems(items: list[Any]) -> Iterator[str]:
    """Yield what is wrong with what a loader gave."""
    if not items:
        yield "neither a document nor a reason"
    for item in items:
        if isinstance(item, Failure):
            said = f"{item.source}: {item.reason}"
            if not item.reason.strip() or "\n" in item.reason or len(item.reason) > MAX_REASON:
                yield f"no sentence: {said[:200]!r}"
            if said.encode("utf-8", "replace") != said.encode("utf-8", "surrogatepass"):
                yield f"a reason that cannot be printed: {said[:200]!r}"
        elif isinstance(item, Document):
            if len(item.id) > 512 or not isinstance(item.text, str) or not item.text.strip():
                yield f"a document of no text or of an endless id: {item.id[:50]!r}"
            item.text.encode("utf-8")
            item.title.encode("utf-8")
        else:
            yield f"neither a document nor a reason: {type(item)}"


class Loaders:
    """Runs files through ``load``, and the documents through a journal."""

    def __init__(self, target: str, folder: Path, office: OfficeProcess | None = None) -> None:
        self.target = target
        self.office = office  # one for all: to start it for each file, as ``load`` does, takes a second
        self.folder = folder
        self.accepted = self.refused = self.executions = 0
        self.failures: list[dict[str, str]] = []
        self.seeds = {target: files.seeds_of(target)} if target in OFFICE else {}
        self._waiting: list[Document] = []
        self._made: list[bytes] = []  # of the documents that wait

    def run(self, rng: random.Random) -> None:
        """Make one file and load it."""
        data = bytes_for(self.target, rng, self.seeds)
        self.executions += 1
        caught = Caught()
        wrong: list[str] = []
        with caught:
            items = self._load(rng, data)
            wrong = list(problems(items))
            found = [item for item in items if isinstance(item, Document)]
            self.accepted += bool(found)
            self.refused += not found
            self._waiting += found
            self._made.append(data)
        if caught.error is not None:
            wrong.append(" ".join(traceback.format_exception(caught.error)[-2:]))
        if wrong:
            self._note(wrong[0], data)
        if self.executions % JOURNAL_EVERY == 0:
            self.store()

    def _load(self, rng: random.Random, data: bytes) -> list[Any]:
        if self.target == "stdin":
            return list(load("-", stdin=io.BytesIO(data)))
        if self.target == "folder":
            return list(load(self._folder(rng, data)))
        path = self.folder / f"a.{self.target}"
        path.write_bytes(data)
        if self.office is None:
            return list(load(path))
        found = read_file(SourceFile(path, path.name, path.name, path.name), "default", self.office.parse)
        return [item if isinstance(item, Failure) else item[1] for item in found]

    def _folder(self, rng: random.Random, data: bytes) -> Path:
        """Return a folder of odd names, links among them."""
        top = self.folder / "top"
        shutil.rmtree(top, ignore_errors=True)
        top.mkdir()
        here = top
        for _ in range(rng.randrange(1, 5)):
            name = rng.choice((*ODD_NAMES, files.text_of(rng, 2).replace("/", "-")[:40].replace("\0", "0")))
            suffix = rng.choice((*files.MAKERS, "htm", "ndjson", "JSON", "x", ""))
            path = here / f"{name}.{suffix}"
            with suppressed():
                kind = rng.randrange(6)
                if kind == 0:
                    path.mkdir()
                    here = path
                elif kind == 1:
                    path.symlink_to(rng.choice((".", "..", "gone", path.name, "/dev/null", "b.txt")))
                else:
                    path.write_bytes(data)
        return top

    def store(self) -> None:
        """Put the documents into a journal and read them again."""
        caught = Caught()
        with caught:
            place = self.folder / "journal"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            with Journal.open(place) as journal:
                told = ingest(journal, self._waiting, Config().chunk, silent)
                kept = sum(1 for name in journal.namespaces() for _ in journal.passages(name))
            if told.added and not kept or told.added + told.updated + len(told.failures) > len(self._waiting):
                raise ValueError(f"{told.added} documents were stored and {kept} passages found")
        if caught.error is not None:
            self._note(
                f"journal: {' '.join(traceback.format_exception(caught.error)[-2:])}",
                b"\n--\n".join(self._made),
            )
        self._waiting, self._made = [], []

    def _note(self, what: str, data: bytes) -> None:
        if len(self.failures) < MAX_KEPT:
            self.failures.append({"what": what, "file": base64.b64encode(data).decode()})


ODD_NAMES = (
    "a",
    "b",
    ".hidden",
    "-",
    "e\u0301",
    "\u202e",
    "a b",
    "\udcff",
    "\udc80\udc81",
    "CON",
    "*",
    "a\nb",
    "\x1b",
)


@contextmanager
def suppressed() -> Iterator[None]:
    """Let names pass that this file system does not take."""
    try:
        yield
    except (OSError, UnicodeError, ValueError):
        return


def fuzz(target: str, number: int, seed: int, every: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Return what ``number`` files of one kind came to."""
    if target in OFFICE and (find_spec("markitdown") is None or not files.seeds_of(target)):
        return {
            "target": target,
            "seed": seed,
            "executions": 0,
            "skipped": "the extra files is not installed",
        }
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name, OfficeProcess() as office:
        loaders = Loaders(target, Path(name), office if target in OFFICE else None)
        for case in range(number):
            loaders.run(random.Random(f"{target} {seed} {case}"))
            every()
        loaders.store()
    return {
        **{"target": target, "seed": seed, "executions": loaders.executions},
        **{"seconds": round(time.monotonic() - start, 1)},
        **{"accepted": loaders.accepted, "refused": loaders.refused, "failures": loaders.failures},
    }


def main() -> None:
    """Fuzz the targets named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=(*TARGETS, "texts", "all"))
    parser.add_argument("number", type=int)
    parser.add_argument("seed", type=int)
    asked = parser.parse_args()
    wrong = 0
    groups = {"all": TARGETS, "texts": TEXTS}
    for target in groups.get(asked.target, (asked.target,)):
        told = fuzz(target, asked.number, asked.seed)
        wrong += len(told.get("failures", ()))
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
